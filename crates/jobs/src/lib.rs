//! Running jobs: the runner that claims and runs them, the caretaker that sees that each one
//! ends, and every kind of job. The idea: a runner holds a job only as long as it beats, writes
//! only behind its fence, and can die at any moment without anything being lost.
//! May depend on `queue`, `files`, `services`, `telling`, `rest`, `store` and `domain`; never on `web`.

pub mod caretaker;
pub mod context;
pub mod counters;
pub mod crops;
pub mod deliveries;
pub mod health;
pub mod kind;
mod kinds;
mod log;
pub mod runner;
pub mod schedules;
pub mod sweep;
pub mod upkeep;

use std::sync::Arc;
use std::time::Duration;

use domain::lease::LeaseTerms;
use queue::{EventBus, TaskQueue};
use store::Store;
use store::job::Job;

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
    /// The files that the server keeps: exports are written there.
    pub files: files::Files,
    /// The clock on which times are told that leave the server.
    pub zone: rest::Zone,
    /// Speaks to processing services.
    pub services: services::ServiceClient,
    /// Tells people what becomes of their jobs.
    pub teller: telling::Teller,
    /// How fast and how patient.
    pub pace: Pace,
}

impl Tools {
    /// Takes what an ended job has left out of the queue.
    pub(crate) async fn let_go(&self, job: &Job) {
        if job.in_stream && job.job_state().is_final() {
            self.queue.ended(job.id, job.generation).await;
        }
    }
}

/// Intervals and bounds of the runner and the caretaker.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Jobs that one process runs at once.
    pub jobs_at_once: usize,
    /// Requests that are with one push service at once, over all jobs of all processes. A job has
    /// no more batches than that in flight.
    pub requests_per_service: u32,
    /// How often the runner looks for a waiting job when nobody wakes it.
    pub poll: Duration,
    /// How often a runner says that it lives.
    pub beat: Duration,
    /// A runner that has been silent for so long is dead.
    pub silence: Duration,
    /// How long a stopping job may take to stop by itself.
    pub grace: Duration,
    /// How often the caretaker looks.
    pub care: Duration,
    /// How many days the log of an ended job is kept; `None`: for ever.
    pub log_days: Option<u32>,
    /// How often a dead service is asked while a job could use it.
    pub revive: Duration,
    /// How long a batch waits before the same service gets it again.
    pub retry: Duration,
    /// How long a job waits for a service when none is online.
    pub patience: Duration,
    /// How long the captures of a station must not have changed before they are put into
    /// sessions again by themselves.
    pub quiet: Duration,
    /// On which terms images are handed out to remote workers.
    pub leases: LeaseTerms,
}

impl Default for Pace {
    fn default() -> Pace {
        Pace {
            jobs_at_once: 4,
            // As many as jobs at once, for the reference has one request of each job.
            requests_per_service: 4,
            poll: Duration::from_secs(1),
            // A cancel from another process is learnt of by the next beat.
            beat: Duration::from_secs(1),
            silence: Duration::from_secs(30),
            grace: Duration::from_secs(5),
            care: Duration::from_secs(1),
            log_days: None,
            revive: Duration::from_secs(10),
            retry: Duration::from_millis(500),
            patience: Duration::from_secs(30),
            quiet: Duration::from_secs(2),
            leases: LeaseTerms::default(),
        }
    }
}
