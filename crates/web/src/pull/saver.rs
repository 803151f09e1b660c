//! Saving what workers post. The idea: what several of them post to one job while a transaction is
//! under way is saved together in the next one, so that many workers cost the database little more
//! than one. Each is answered after the commit that its own results are in.

use queue::rounds::Rounds;
use store::job::Job;
use store::origin::{Origin, SPANS, Trace};
use store::result::{Batch, Saved};
use store::{Store, StoreError, StoreResult};
use tracing::{Instrument, Span};

/// Images of one transaction, about: others wait for it.
const MOST: usize = 500;

/// What a save did.
#[derive(Clone, Debug)]
pub struct Done {
    /// What was saved.
    pub saved: Saved,
    /// Why results were written down as failed instead.
    pub why: Option<String>,
    /// Whether the job's queue was empty after it.
    pub last: bool,
}

/// Job, generation and pipeline: what is saved together must have them in common.
type Key = (i64, i64, i64);

/// A batch, and in which traces it is saved.
struct Posted {
    batch: Batch,
    job: Option<Trace>,
    request: Option<Trace>,
}

/// Results that wait for their transaction.
#[derive(Clone)]
pub struct Saver(Rounds<Key, Posted, StoreResult<Done>>);

impl Default for Saver {
    fn default() -> Self {
        Saver(Rounds::new(MOST, |posted: &Posted| {
            posted.batch.images.len()
        }))
    }
}

impl Saver {
    /// Saves a batch; results that the pipeline cannot have made are written down as failed. When
    /// this returns, it is committed.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn save(&self, store: &Store, job: &Job, batch: Batch) -> StoreResult<Done> {
        let key = (batch.job, batch.generation, batch.pipeline);
        let store = store.clone();
        let round = move |group: Vec<Posted>| {
            let store = store.clone();
            let span = span(&group);
            let batches = group.into_iter().map(|posted| posted.batch).collect();
            async move { save_all(&store, key.0, batches).await }.instrument(span)
        };
        let posted = Posted {
            batch,
            job: job.trace(),
            request: Origin::current().trace,
        };
        let lost = || StoreError::Unreadable("the results were dropped".to_owned());
        self.0.ask(key, posted, round).await.ok_or_else(lost)?
    }
}

/// A save is a step of the job's trace, and about the requests that brought the results.
fn span(group: &[Posted]) -> Span {
    let images: usize = group.iter().map(|posted| posted.batch.images.len()).sum();
    let images = i64::try_from(images).unwrap_or(i64::MAX);
    let span = tracing::info_span!(target: SPANS, parent: None, "save", images);
    if let Some(job) = group.iter().find_map(|posted| posted.job.as_ref()) {
        job.leads_to(&span);
    }
    for request in group.iter().filter_map(|posted| posted.request.as_ref()) {
        request.is_linked_from(&span);
    }
    span
}

async fn save_all(store: &Store, job: i64, batches: Vec<Batch>) -> Vec<StoreResult<Done>> {
    let mut saved: Vec<StoreResult<(Saved, Option<String>)>> = Vec::new();
    if batches.len() > 1
        && let Ok(together) = store.save_together(&batches).await
    {
        saved.extend(together.into_iter().map(|saved| Ok((saved, None))));
    } else {
        // One of them spoils the others, or it is alone: each for itself.
        for batch in batches {
            saved.push(store.save_or_fail(batch).await);
        }
    }
    // Asked once for all of them. Where it cannot be asked, the caretaker ends the job.
    let last = store.queue_is_empty(job).await.unwrap_or(false);
    let done = |saved: StoreResult<_>| saved.map(|(saved, why)| Done { saved, why, last });
    saved.into_iter().map(done).collect()
}
