//! What any process does for jobs whose runner is gone: take them from the dead, and end those of
//! which everything is counted. The idea: the caretaker holds no state, so it may run anywhere, at
//! any time.

use chrono::Duration;
use domain::state::{Event, JobState};
use sea_orm::sea_query::Expr;
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QuerySelect};

use super::{end, lock, moved, note, revoke, save, say};
use crate::connection::{Store, StoreResult, Write, now};
use crate::entity::job;
use crate::job::event::{What, record};
use crate::job::{Job, feed};
use crate::log::Level;

/// After so many rescues without an end the job fails: it kills its runners.
pub const MAX_RESCUES: i32 = 10;

impl Store {
    /// Takes jobs from runners that have not beaten for `silence`: STARTED → PENDING (resumed
    /// from its cursor by the next claim), CANCELING → REVOKED, and FAILURE after
    /// [`MAX_RESCUES`]. Any process may call it at any time. Returns the jobs it touched.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn rescue_jobs(&self, silence: Duration) -> StoreResult<Vec<Job>> {
        let limit = now() - silence;
        let is_silent = |job: &Job| job.beat_at.is_none_or(|at| at < limit);
        self.rescue_those(job::Column::BeatAt.lt(limit), is_silent)
            .await
    }

    /// The same for the jobs of runners whose names begin so, however lately they have beaten: for
    /// who knows that they are gone. Jobs of all others stay with them.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn rescue_jobs_of(&self, runners: &str) -> StoreResult<Vec<Job>> {
        let is_theirs = |job: &Job| {
            let owner = job.owner.as_deref();
            owner.is_some_and(|owner| owner.starts_with(runners))
        };
        self.rescue_those(job::Column::Owner.starts_with(runners), is_theirs)
            .await
    }

    async fn rescue_those(
        &self,
        some: Expr,
        is_dead: impl Fn(&Job) -> bool + Send,
    ) -> StoreResult<Vec<Job>> {
        let dead: Vec<i64> = job::Entity::find()
            .select_only()
            .column(job::Column::Id)
            .filter(
                job::Column::State.is_in([JobState::Started.code(), JobState::Canceling.code()]),
            )
            .filter(job::Column::Owner.is_not_null())
            .filter(some)
            .into_tuple()
            .all(&self.db)
            .await?;
        let mut touched = Vec::new();
        for id in dead {
            let tx = self.write().await?;
            let Ok(job) = lock(&tx, id).await else {
                continue;
            };
            let held = job.owner.is_some() && is_dead(&job);
            if held && let Some(after) = rescue(&tx, self.shard, &job).await? {
                tx.commit().await?;
                metrics::counter!(domain::metric::JOBS_RESCUED.name).increment(1);
                touched.push(after);
            }
        }
        Ok(touched)
    }

    /// Ends a job that nobody owns, whose feed has ended and whose captures are all counted.
    /// Returns the job when this call ended it.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn finalise_job(&self, id: i64) -> StoreResult<Option<Job>> {
        let tx = self.write().await?;
        let job = lock(&tx, id).await?;
        let (JobState::Started, None, Some(total)) = (job.job_state(), &job.owner, job.total)
        else {
            return Ok(None);
        };
        // In a statement after the lock: an earlier snapshot could miss a save.
        let sum = crate::progress::sum_in(&*tx, job.id, job.generation).await?;
        if sum.done + sum.failed < total {
            return Ok(None);
        }
        let failure = domain::job::too_many_failed(total, sum.failed)
            .then_some("Failed to process more than 50% of images");
        let after = end(&tx, self.shard, &job, failure).await?;
        tx.commit().await?;
        Ok(Some(after))
    }

    /// Jobs that [`Store::finalise_job`] should look at.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn jobs_to_finalise(&self) -> StoreResult<Vec<i64>> {
        Ok(job::Entity::find()
            .select_only()
            .column(job::Column::Id)
            .filter(job::Column::State.eq(JobState::Started.code()))
            .filter(job::Column::Owner.is_null())
            .filter(job::Column::Total.is_not_null())
            .into_tuple()
            .all(&self.db)
            .await?)
    }
}

async fn rescue(tx: &Write, shard: i64, job: &Job) -> StoreResult<Option<Job>> {
    if job.job_state() == JobState::Started && job.rescues >= MAX_RESCUES {
        let why = format!("its runner died {MAX_RESCUES} times");
        return Ok(Some(end(tx, shard, job, Some(&why)).await?));
    }
    let Some(to) = job.job_state().after(Event::Rescue) else {
        return Ok(None);
    };
    if to == JobState::Revoked {
        return Ok(Some(revoke(tx, job).await?));
    }
    let mut row = moved(job, to);
    row.owner = Set(None);
    row.rescues = Set(job.rescues + 1);
    let after = save(tx, row).await?;
    feed::reopen_leases(&**tx, job).await?;
    note(tx, job, to).await?;
    let text = format!(
        "The runner of this job has not been heard of since {}; another one goes on with it",
        job.beat_at
            .map(|t| t.format("%H:%M:%S UTC").to_string())
            .unwrap_or_default()
    );
    say(tx, job, Level::Warning, text).await?;
    let runner = job.owner.as_ref().map(|owner| format!("runner {owner}"));
    record(tx, job.id, to.code(), What::Rescued, runner).await?;
    Ok(Some(after))
}
