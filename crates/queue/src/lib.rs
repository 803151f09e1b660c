//! Tasks of ML jobs and events between processes. The idea: both are at-least-once helpers
//! beside the database; whatever is lost here is healed from the row and costs seconds.
//! May depend on `store` and `domain`. Interfaces stand here, implementations beside them:
//! [`Embedded`] keeps tasks as tickets in the database itself, [`Streamed`] in NATS JetStream;
//! [`LocalBus`] carries events within one process, [`SharedBus`] between processes.

mod embedded;
mod events;
mod nats;
mod receipt;

pub mod conformance;
pub mod rounds;

pub use embedded::Embedded;
pub use events::{Changed, EventBus, EventStream, LocalBus, SharedBus};
pub use nats::{Access, Mending, Nats, Streamed};
pub use receipt::{Claim, Receipt};
pub use store::ticket::Depth;

use std::time::Duration;

use domain::metric;

/// What can go wrong with tasks.
#[derive(Debug, thiserror::Error)]
pub enum QueueError {
    /// The receipt is not one that this queue gave out for that job.
    #[error("this receipt was not given out for this job")]
    BadReceipt,
    /// NATS does not answer, or not as it should; a sentence that says so.
    #[error("{0}")]
    Nats(String),
    /// The database behind the queue.
    #[error(transparent)]
    Store(#[from] store::StoreError),
}

impl QueueError {
    /// What failed with NATS, and how.
    pub(crate) fn nats(what: &str, error: impl std::fmt::Display) -> QueueError {
        QueueError::Nats(format!("NATS: {what}: {error}"))
    }
}

/// Result of the queue.
pub type QueueResult<T> = Result<T, QueueError>;

/// One image in somebody's hands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// The capture.
    pub capture: i64,
    /// Generation of the job when it was handed out; its result is saved under this.
    pub generation: i64,
    /// How often it has been handed out, this time included.
    pub deliveries: i32,
    /// What the worker shows when it answers.
    pub receipt: Receipt,
}

/// Counts what was handed out, by whatever queue, and what of it somebody had before without an
/// answer. Whoever leases says so here.
pub fn handed_out(leases: &[Lease]) {
    let again = leases.iter().filter(|lease| lease.deliveries > 1).count();
    let count = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
    metrics::counter!(metric::TASKS_LEASED.name).increment(count(leases.len()));
    metrics::counter!(metric::LEASE_EXPIRIES.name).increment(count(again));
}

/// How images are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ask {
    /// At most so many.
    pub max: usize,
    /// For so long.
    pub ttl: Duration,
    /// Images handed out that often are left for the caretaker; `None` sets no bound.
    pub max_deliveries: Option<i32>,
    /// The machine that gets them, where it is known.
    pub worker: Option<i64>,
    /// The claim by which a runner that asks for itself holds the job: when it has lost the job
    /// it gets nothing.
    pub claim: Option<i64>,
}

/// How a lease ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settle {
    /// Done: the image leaves the queue.
    Ack,
    /// Not done: to be had again after this time.
    Nak(Duration),
    /// Never again, whatever became of it.
    Term,
}

/// Images of jobs waiting to be worked on, handed out at least once
/// (`architecture.md` §3, `protocol.md`).
#[async_trait::async_trait]
pub trait TaskQueue: Send + Sync {
    /// Whether tasks of pull jobs are to lie outside of the database, where their rows are opened.
    fn streams(&self) -> bool {
        false
    }

    /// Puts images of a job's generation into the queue; those that are in it stay.
    async fn publish(&self, job: i64, generation: i64, captures: &[i64]) -> QueueResult<()>;

    /// Hands out images, none unless the job runs at that moment.
    async fn lease(&self, job: i64, ask: Ask) -> QueueResult<Vec<Lease>>;

    /// Ends leases. Receipts of images that are gone are no error.
    async fn settle(&self, receipts: &[Receipt], how: Settle) -> QueueResult<()>;

    /// Extends leases that are not over; returns the receipts of those that were.
    async fn extend(&self, receipts: &[Receipt], ttl: Duration) -> QueueResult<Vec<Receipt>>;

    /// Counts the images of a job.
    async fn depth(&self, job: i64, max_deliveries: Option<i32>) -> QueueResult<Depth>;

    /// Counts the images of several jobs together, for those who only want to see how it stands:
    /// in bounded work, if need be not to the last one.
    async fn standing(&self, jobs: &[i64], max_deliveries: i32) -> QueueResult<Depth>;

    /// Empties a job's queue of all generations up to this one.
    async fn purge(&self, job: i64, generation: i64) -> QueueResult<()>;

    /// The results of these are committed: what the commit has not itself struck off is struck
    /// off now. `key` is their job's; receipts that it does not open are left out. What cannot be
    /// done now is healed when the image comes again.
    async fn saved(&self, _key: &str, _receipts: &[Receipt]) {}

    /// A commit has ended a job's generations up to this one: what it has left of them in the
    /// queue goes. What cannot be done now is left for [`TaskQueue::care`].
    async fn ended(&self, _job: i64, _generation: i64) {}

    /// Looks after what the database does not know of: any process may, at any time. Returns the
    /// jobs that this changed.
    async fn care(&self) -> QueueResult<Vec<i64>> {
        Ok(Vec::new())
    }
}
