//! What people do with a job: ask for a run, for a further one, or that it stop. The idea: each is
//! one guarded transaction, and a new run is a new generation of results.

use domain::job::FeedMode;
use domain::permission::{Permit, Run};
use domain::progress::Stage;
use domain::state::{Event, JobState};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter};

use super::{delete_tickets, lock, moved, next, note, present_trace, revoke, save};
use crate::connection::{Store, StoreResult, Write, now};
use crate::entity::{job, job_progress};
use crate::job::event::{What, record};
use crate::job::{Job, dispatch, feed, stages_json, target};
use crate::origin::Trace;

/// What a cancel did.
#[derive(Clone, Debug, PartialEq)]
pub struct Cancelled {
    /// The job after it.
    pub job: Job,
    /// True when the cancel changed anything.
    pub changed: bool,
}

/// The run belongs to this trace from now on.
fn follow(row: &mut job::ActiveModel, trace: Option<Trace>) {
    row.span_id = Set(trace.as_ref().map(|trace| trace.span_id.clone()));
    row.trace_id = Set(trace.map(|trace| trace.trace_id));
}

impl Store {
    /// Asks for a run: the first, or, of an ended job, a further one from the beginning. While
    /// another sync, regroup or populate of the same target waits or runs, the answer is that
    /// one, and this one stays as it is; so too for a retry.
    ///
    /// # Errors
    /// [`StoreError::Conflict`](crate::StoreError::Conflict) in states where it is not legal.
    pub async fn enqueue_job(&self, _permit: Permit<Run>, id: i64) -> StoreResult<Job> {
        let tx = self.write().await?;
        let job = lock(&tx, id).await?;
        let to = next(&job, Event::Enqueue)?;
        if let Some(twin) = target::twin(&tx, &job).await? {
            return Ok(twin);
        }
        let again = job.job_state() != JobState::Created;
        let mut row = moved(&job, to);
        if again {
            reset(&tx, &job, &mut row, FeedMode::All, 0).await?;
            row.run_no = Set(job.run_no + 1);
        }
        row.dispatch_mode = Set(dispatch::now(&tx, &job).await?.code().to_owned());
        row.scheduled_at = Set(Some(now()));
        follow(&mut row, present_trace());
        let job_after = save(&tx, row).await?;
        note(&tx, &job, to).await?;
        record(&tx, id, to.code(), What::Queued, None).await?;
        tx.commit().await?;
        Ok(job_after)
    }

    /// A person's retry: what is saved stays, the rest is done again (`protocol.md` §2).
    ///
    /// # Errors
    /// [`StoreError::Conflict`](crate::StoreError::Conflict) in states where it is not legal.
    pub async fn retry_job(
        &self,
        _permit: Permit<Run>,
        id: i64,
        failed_only: bool,
    ) -> StoreResult<Job> {
        let tx = self.write().await?;
        let job = lock(&tx, id).await?;
        let to = next(&job, Event::Retry)?;
        if let Some(twin) = target::twin(&tx, &job).await? {
            return Ok(twin);
        }
        let kept = crate::progress::sum_in(&*tx, job.id, job.generation)
            .await?
            .done;
        let mode = if failed_only {
            FeedMode::FailedOnly
        } else {
            FeedMode::Missing
        };
        let mut row = moved(&job, to);
        reset(&tx, &job, &mut row, mode, kept).await?;
        row.dispatch_mode = Set(dispatch::now(&tx, &job).await?.code().to_owned());
        row.scheduled_at = Set(Some(now()));
        follow(&mut row, present_trace());
        let after = save(&tx, row).await?;
        crate::progress::carry_over(&tx, &job, &after, self.shard).await?;
        note(&tx, &job, to).await?;
        let detail = failed_only.then(|| "only what failed".to_owned());
        record(&tx, id, to.code(), What::Retried, detail).await?;
        tx.commit().await?;
        Ok(after)
    }

    /// Cancels: at once where nobody runs the job, else its runner is told by its next beat.
    /// A final job stays as it is.
    ///
    /// # Errors
    /// [`StoreError::NotFound`](crate::StoreError::NotFound), errors of the database.
    pub async fn cancel_job(&self, _permit: Permit<Run>, id: i64) -> StoreResult<Cancelled> {
        let tx = self.write().await?;
        let job = lock(&tx, id).await?;
        if job.job_state().is_final() || job.job_state() == JobState::Canceling {
            return Ok(Cancelled {
                job,
                changed: false,
            });
        }
        let after = if job.owner.is_some() {
            let to = next(&job, Event::Cancel)?;
            let row = moved(&job, to);
            let after = save(&tx, row).await?;
            note(&tx, &job, to).await?;
            record(&tx, id, to.code(), What::Cancelled, None).await?;
            after
        } else {
            record(&tx, id, &job.state, What::Cancelled, None).await?;
            revoke(&tx, &job).await?
        };
        tx.commit().await?;
        Ok(Cancelled {
            job: after,
            changed: true,
        })
    }
}

/// A new generation: rows stay, results of older generations no longer count.
async fn reset(
    tx: &Write,
    job: &Job,
    row: &mut job::ActiveModel,
    mode: FeedMode,
    kept: i64,
) -> StoreResult<()> {
    let mut stages = job.own_stages();
    // Only ML jobs are made with their stages; other kinds open theirs when they start.
    stages.retain(|s| job.kind == domain::job::ML || s.key == domain::job::DELAY_STAGE);
    stages.iter_mut().for_each(Stage::reset);
    if let Some(stage) = stages
        .iter_mut()
        .find(|s| s.key == domain::job::DELAY_STAGE)
    {
        domain::job::begin_delay(stage, job.delay);
    }
    row.generation = Set(job.generation + 1);
    row.feed_mode = Set(mode.code().to_owned());
    row.feed_cursor = Set(feed::START);
    row.sent_cursor = Set(feed::START);
    row.in_stream = Set(false);
    row.fed = Set(0);
    row.kept = Set(kept);
    row.total = Set(None);
    row.expected = Set(None);
    row.rescues = Set(0);
    row.paused = Set(false);
    row.owner = Set(None);
    row.errors = Set(serde_json::Value::Array(Vec::new()));
    row.result = Set(None);
    row.stages = Set(stages_json(&job.own_stages(), &stages)?);
    row.started_at = Set(None);
    row.finished_at = Set(None);
    delete_tickets(&**tx, job.id).await?;
    // Shards of this generation cannot exist yet; a stale row must never count.
    job_progress::Entity::delete_many()
        .filter(job_progress::Column::JobId.eq(job.id))
        .filter(job_progress::Column::Generation.gt(job.generation))
        .exec(&**tx)
        .await?;
    Ok(())
}
