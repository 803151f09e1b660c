//! Saving what workers post. The idea: what several of them post to one job while a transaction is
//! under way is saved together in the next one, so that many workers cost the database little more
//! than one. Each is answered after the commit that its own results are in.

use queue::rounds::Rounds;
use store::result::{Batch, Saved};
use store::{Store, StoreError, StoreResult};

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

/// Results that wait for their transaction.
#[derive(Clone)]
pub struct Saver(Rounds<Key, Batch, StoreResult<Done>>);

impl Default for Saver {
    fn default() -> Self {
        Saver(Rounds::new(MOST, |batch: &Batch| batch.images.len()))
    }
}

impl Saver {
    /// Saves a batch; results that the pipeline cannot have made are written down as failed. When
    /// this returns, it is committed.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn save(&self, store: &Store, batch: Batch) -> StoreResult<Done> {
        let key = (batch.job, batch.generation, batch.pipeline);
        let store = store.clone();
        let round = move |group: Vec<Batch>| {
            let store = store.clone();
            async move { save_all(&store, key.0, group).await }
        };
        let lost = || StoreError::Unreadable("the results were dropped".to_owned());
        self.0.ask(key, batch, round).await.ok_or_else(lost)?
    }
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
