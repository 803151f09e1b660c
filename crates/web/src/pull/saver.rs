//! Saving what workers post. The idea: what several of them post to one job while a transaction is
//! under way is saved together in the next one, so that many workers cost the database little more
//! than one. Each is answered after the commit that its own results are in.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

use store::result::{Batch, Saved};
use store::{Store, StoreError, StoreResult};
use tokio::sync::oneshot;

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

struct Waiting {
    batch: Batch,
    answer: oneshot::Sender<StoreResult<Done>>,
}

/// Results that wait for their transaction. A key is there while somebody saves for it.
#[derive(Clone, Default)]
pub struct Saver(Arc<Mutex<HashMap<Key, Vec<Waiting>>>>);

impl Saver {
    /// Saves a batch; results that the pipeline cannot have made are written down as failed. When
    /// this returns, it is committed.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn save(&self, store: &Store, batch: Batch) -> StoreResult<Done> {
        let key = (batch.job, batch.generation, batch.pipeline);
        let (answer, answered) = oneshot::channel();
        let waiting = Waiting { batch, answer };
        let first = {
            let mut all = self.all();
            let first = !all.contains_key(&key);
            all.entry(key).or_default().push(waiting);
            first
        };
        if first {
            // A task of its own: whoever posted may hang up, and the others still wait.
            let turn = Turn {
                saver: self.clone(),
                key,
                over: false,
            };
            tokio::spawn(turn.run(store.clone()));
        }
        let lost = || StoreError::Unreadable("the results were dropped".to_owned());
        answered.await.map_err(|_| lost())?
    }

    fn all(&self) -> MutexGuard<'_, HashMap<Key, Vec<Waiting>>> {
        self.0.lock().unwrap_or_else(|e| e.into_inner())
    }
}

/// Somebody saves for this key, until nothing waits.
struct Turn {
    saver: Saver,
    key: Key,
    over: bool,
}

impl Drop for Turn {
    /// Ended before its time, it must not keep the key: those who wait are told.
    fn drop(&mut self) {
        if !self.over {
            self.saver.all().remove(&self.key);
        }
    }
}

impl Turn {
    async fn run(mut self, store: Store) {
        while let Some(group) = self.next() {
            save_all(&store, self.key.0, group).await;
        }
    }

    /// What waits now; `None`, and the key is free, where nothing does.
    fn next(&mut self) -> Option<Vec<Waiting>> {
        let saver = self.saver.clone();
        let mut all = saver.all();
        let waiting = all.entry(self.key).or_default();
        if waiting.is_empty() {
            all.remove(&self.key);
            self.over = true;
            return None;
        }
        let mut images = 0;
        let fits = |one: &&Waiting| {
            images += one.batch.images.len();
            images <= MOST
        };
        let count = waiting.iter().take_while(fits).count().max(1);
        Some(waiting.drain(..count).collect())
    }
}

async fn save_all(store: &Store, job: i64, group: Vec<Waiting>) {
    let (batches, answers): (Vec<Batch>, Vec<_>) =
        group.into_iter().map(|one| (one.batch, one.answer)).unzip();
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
    for (answer, saved) in answers.into_iter().zip(saved) {
        let done = saved.map(|(saved, why)| Done { saved, why, last });
        answer.send(done).ok(); // it may have hung up
    }
}
