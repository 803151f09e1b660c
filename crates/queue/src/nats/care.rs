//! What the caretaker does for tasks in the stream: it writes down how many there are, sends again
//! what was lost, and takes away what nobody needs. The idea: a job's row is read before the
//! stream is looked at, so when that holds nothing of a job that waits for its images only, what
//! is still open is lost (`protocol.md` §2, sweep).

use std::collections::{HashMap, HashSet};

use store::job::stream::{Sight, Streamed as Live, Sweep};

use super::Streamed;
use crate::QueueResult;

impl Streamed {
    /// One round; returns the jobs that it changed.
    pub(super) async fn look_after(&self) -> QueueResult<Vec<i64>> {
        let stream = self.tasks.stream().await?;
        // First the stream, then the rows: what is there and has no row is over.
        let seen = self.tasks.look(&stream).await?;
        let stored = self.tasks.stored(&stream).await?;
        let live = self.store.streamed_jobs().await?;
        let wanted: HashSet<(i64, i64)> = live.iter().map(|j| (j.job, j.generation)).collect();
        let there = seen.iter().map(|sight| (sight.job, sight.generation));
        let over: HashSet<(i64, i64)> = there
            .chain(stored)
            .filter(|one| !wanted.contains(one))
            .collect();
        for (job, generation) in over {
            self.tasks.clear(job, generation).await?;
        }
        let mut sights: HashMap<(i64, i64), Sight> = HashMap::new();
        for sight in seen {
            sights.insert((sight.job, sight.generation), sight);
        }
        sights.retain(|one, _| wanted.contains(one));
        let all: Vec<Sight> = sights.values().copied().collect();
        self.store.note_stream(&all).await?;
        let mut changed = Vec::new();
        for job in live.into_iter().filter(|job| job.released) {
            let sight = sights.get(&(job.job, job.generation));
            let idle = sight.is_none_or(|s| s.waiting == 0 && s.leased == 0);
            if idle && self.mend(job).await? {
                changed.push(job.job);
            }
        }
        Ok(changed)
    }

    /// Sends again what a released job has lost, or fails it. True when that changed anything.
    async fn mend(&self, job: Live) -> QueueResult<bool> {
        let stream = self.tasks.stream().await?;
        // Where the consumer was lost alone, a new one finds what lies in the stream.
        self.tasks
            .consumer(&stream, job.job, job.generation)
            .await?;
        // Looked at again, after the row was read: all of this generation had been sent by then.
        let held = self.tasks.depth(job.job, job.generation).await?;
        if held != Some((0, 0)) {
            return Ok(false);
        }
        let (most, pause) = (self.mending.most, self.mending.pause);
        match self.store.sweep_stream(job, most, pause).await? {
            Sweep::Nothing => Ok(false),
            Sweep::Failed => Ok(true),
            Sweep::Again(number, open) => {
                tracing::warn!(
                    job.id = job.job,
                    images = open.len(),
                    "the queue had lost images: they are sent again"
                );
                self.tasks
                    .publish(job.job, job.generation, number, &open)
                    .await?;
                Ok(true)
            }
        }
    }
}
