//! Events: "this job has changed", nothing more. The idea: an event carries no truth, only the
//! hint to look at the row again; who misses one looks again within a second or two anyway.
//! [`LocalBus`] carries them within a process, [`SharedBus`] between processes.

use std::pin::Pin;

use futures_util::{Stream, StreamExt};
use tokio::sync::broadcast;
use tokio_stream::wrappers::BroadcastStream;

mod nats;
mod postgres;
mod shared;

pub use shared::SharedBus;

/// A job's row or what hangs on it has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Changed {
    /// The job.
    pub job: i64,
    /// True when it waits for a runner: the hint for those who run jobs.
    pub waiting: bool,
}

/// Events of one subscriber.
pub type EventStream = Pin<Box<dyn Stream<Item = Changed> + Send>>;

/// Carries events to everybody who listens.
pub trait EventBus: Send + Sync {
    /// Sends an event. Never waits, never fails.
    fn publish(&self, event: Changed);
    /// Listens from now on.
    fn subscribe(&self) -> EventStream;
}

/// Events within one process.
pub struct LocalBus(broadcast::Sender<Changed>);

impl LocalBus {
    /// A bus that holds so many events for a slow listener before it drops the oldest.
    pub fn new() -> LocalBus {
        LocalBus(broadcast::channel(1024).0)
    }
}

impl Default for LocalBus {
    fn default() -> Self {
        LocalBus::new()
    }
}

impl EventBus for LocalBus {
    fn publish(&self, event: Changed) {
        // An error only says that nobody listens.
        let _ = self.0.send(event);
    }

    fn subscribe(&self) -> EventStream {
        let stream = BroadcastStream::new(self.0.subscribe());
        Box::pin(stream.filter_map(|event| std::future::ready(event.ok())))
    }
}
