//! Running jobs: the runner that claims and runs them, the caretaker that sees that each one
//! ends, and every kind of job. The idea: a runner holds a job only as long as it beats, writes
//! only behind its fence, and can die at any moment without anything being lost.
//! May depend on `queue`, `files`, `services`, `store` and `domain`; never on `web`.

pub mod caretaker;
pub mod context;
pub mod kind;
mod kinds;
mod log;
pub mod runner;

use std::sync::Arc;
use std::time::Duration;

use domain::lease::LeaseTerms;
use queue::{EventBus, TaskQueue};
use store::Store;

pub use kind::{JobKind, KINDS, Outcome};
pub use runner::Runner;

/// What jobs work with.
#[derive(Clone)]
pub struct Tools {
    /// The database.
    pub store: Store,
    /// Tasks of ML jobs.
    pub queue: Arc<dyn TaskQueue>,
    /// Tells pages and other runners that something changed.
    pub bus: Arc<dyn EventBus>,
    /// Makes the addresses under which services fetch photographs.
    pub links: files::Links,
    /// Speaks to processing services.
    pub services: services::ServiceClient,
    /// How fast and how patient.
    pub pace: Pace,
}

/// Intervals and bounds of the runner and the caretaker.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Jobs that one process runs at once.
    pub jobs_at_once: usize,
    /// Batches of one push job that are with services at once.
    pub batches_in_flight: usize,
    /// How often the runner looks for a waiting job when nobody wakes it.
    pub poll: Duration,
    /// How often a runner says that it lives.
    pub beat: Duration,
    /// A runner that has been silent for so long is dead.
    pub silence: Duration,
    /// How long a cancelled or stopping job may take to stop by itself.
    pub grace: Duration,
    /// How often the caretaker looks.
    pub care: Duration,
    /// How often push services are asked whether they are ready.
    pub health: Duration,
    /// On which terms images are handed out to remote workers.
    pub leases: LeaseTerms,
}

impl Default for Pace {
    fn default() -> Pace {
        Pace {
            jobs_at_once: 4,
            batches_in_flight: 4,
            poll: Duration::from_secs(1),
            beat: Duration::from_secs(2),
            silence: Duration::from_secs(30),
            grace: Duration::from_secs(5),
            care: Duration::from_secs(1),
            health: Duration::from_secs(300),
            leases: LeaseTerms::default(),
        }
    }
}
