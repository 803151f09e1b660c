//! Every change of a job's state: one guarded transaction each, as the table of `protocol.md` §2
//! says. The idea: the job row is locked first, the guard is read under that lock, and a runner
//! writes only behind its fence (owner and claim number), so no late writer can do harm.

use chrono::{DateTime, Utc};
use domain::metric;
use domain::progress::Stage;
use domain::state::{Event, JobState};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter,
    QueryOrder, QuerySelect,
};

mod care;
mod person;

pub use care::{Awaited, MAX_RESCUES, pass_over};
pub use person::Cancelled;

use super::event::{What, record, record_by};
use super::{Job, feed, stages_json};
use crate::connection::{Store, StoreError, StoreResult, Write, now};
use crate::entity::{job, ticket};
use crate::log::{Level, NewLine};
use crate::origin::{Origin, Trace};

/// A runner's right to write to a job: valid until somebody else claims or ends it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fence {
    /// The job.
    pub job: i64,
    /// The runner's name.
    pub owner: String,
    /// Number of the claim.
    pub claim_no: i64,
}

/// What a runner learns from its beat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beat {
    /// Go on.
    Working,
    /// A person cancelled: stop, then call [`Store::stopped`].
    Cancelled,
    /// The job belongs to somebody else or has ended: write nothing more.
    Lost,
}

/// Reads the job row and locks it against every other change.
pub(crate) async fn lock(tx: &Write, id: i64) -> StoreResult<Job> {
    job::Entity::find_by_id(id)
        .lock_exclusive()
        .one(&**tx)
        .await?
        .ok_or(StoreError::NotFound("job"))
}

fn is_held(job: &Job, fence: &Fence) -> bool {
    job.owner.as_deref() == Some(&fence.owner) && job.claim_no == fence.claim_no
}

/// Locks the row and demands that `fence` still holds it in a running state.
pub(crate) async fn lock_fenced(tx: &Write, fence: &Fence) -> StoreResult<Job> {
    let job = lock(tx, fence.job).await?;
    if is_held(&job, fence) && job.job_state() == JobState::Started {
        Ok(job)
    } else {
        Err(StoreError::FenceLost)
    }
}

/// The state after `event`, or a sentence that says why not.
fn next(job: &Job, event: Event) -> StoreResult<JobState> {
    job.job_state().after(event).ok_or_else(|| {
        StoreError::Conflict(format!(
            "A job that is {} cannot do that.",
            job.job_state().code()
        ))
    })
}

/// Writes the new state with what every change of state brings.
fn moved(job: &Job, to: JobState) -> job::ActiveModel {
    let at = now();
    let mut row = job.clone().into_active_model();
    row.state = Set(to.code().to_owned());
    row.updated_at = Set(at);
    if to.is_final() {
        row.finished_at = Set(Some(at));
        row.owner = Set(None);
    }
    row
}

async fn save(tx: &Write, row: job::ActiveModel) -> StoreResult<Job> {
    use sea_orm::ActiveModelTrait;
    Ok(row.update(&**tx).await?)
}

pub(crate) async fn delete_tickets<C: ConnectionTrait>(tx: &C, job: i64) -> StoreResult<()> {
    ticket::Entity::delete_many()
        .filter(ticket::Column::JobId.eq(job))
        .exec(tx)
        .await?;
    Ok(())
}

/// The line that every change of state leaves in the job's log, which begins with the job's run:
/// what is done with a job that was only made stands in its timeline.
async fn note(tx: &Write, job: &Job, to: JobState) -> StoreResult<()> {
    if job.job_state() == JobState::Created {
        return Ok(());
    }
    let text = format!(
        "Changing status of job {} from {} to {to}",
        job.id, job.state
    );
    say(tx, job, Level::Info, text).await
}

/// A line in the job's log: in the span of whoever asked for it, or else in the job's own trace.
async fn say(tx: &Write, job: &Job, level: Level, text: String) -> StoreResult<()> {
    let mut line = NewLine::now(level, text);
    if line.trace.is_none() {
        line.trace = job.trace_id.as_deref().map(Trace::within);
    }
    crate::log::insert_lines(&**tx, job.id, &[line]).await
}

/// The trace in which a run begins, where traces are kept.
pub(crate) fn present_trace() -> Option<Trace> {
    Origin::current().trace
}

impl Store {
    /// Claims the next waiting job for the runner `owner`, if there is one.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn claim_job(&self, owner: &str) -> StoreResult<Option<(Job, Fence)>> {
        let waiting: Vec<i64> = job::Entity::find()
            .select_only()
            .column(job::Column::Id)
            .filter(job::Column::State.eq(JobState::Pending.code()))
            .order_by_desc(job::Column::Priority)
            .order_by_asc(job::Column::Id)
            .limit(8)
            .into_tuple()
            .all(&self.db)
            .await?;
        for id in waiting {
            let tx = self.write().await?;
            let Ok(job) = lock(&tx, id).await else {
                continue; // deleted meanwhile
            };
            let Some(to) = job.job_state().after(Event::Start) else {
                continue; // another runner was faster
            };
            let mut row = moved(&job, to);
            row.owner = Set(Some(owner.to_owned()));
            row.claim_no = Set(job.claim_no + 1);
            row.beat_at = Set(Some(now()));
            row.started_at = Set(Some(job.started_at.unwrap_or_else(now)));
            let after = save(&tx, row).await?;
            note(&tx, &job, to).await?;
            let what = match job.started_at {
                None => What::Started,
                Some(_) => What::Continued,
            };
            let runner = Some(format!("runner {owner}"));
            record(&tx, id, to.code(), what, runner).await?;
            if job.started_at.is_none() {
                let asked = job.scheduled_at.unwrap_or(job.created_at);
                let waited = between(asked, now());
                let kind = job.kind.clone();
                tx.once_committed(move || {
                    metrics::histogram!(metric::JOB_WAIT.name, "kind" => kind).record(waited);
                });
            }
            tx.commit().await?;
            let fence = Fence {
                job: id,
                owner: owner.to_owned(),
                claim_no: after.claim_no,
            };
            return Ok(Some((after, fence)));
        }
        Ok(None)
    }

    /// Says that the runner lives, and learns whether it should go on.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn beat(&self, fence: &Fence) -> StoreResult<Beat> {
        let tx = self.write().await?;
        let job = match lock(&tx, fence.job).await {
            Ok(job) => job,
            Err(StoreError::NotFound(_)) => return Ok(Beat::Lost),
            Err(other) => return Err(other),
        };
        if !is_held(&job, fence) {
            return Ok(Beat::Lost);
        }
        let answer = match job.job_state() {
            JobState::Started => Beat::Working,
            JobState::Canceling => Beat::Cancelled,
            _ => return Ok(Beat::Lost),
        };
        let mut row = job.into_active_model();
        row.beat_at = Set(Some(now()));
        save(&tx, row).await?;
        tx.commit().await?;
        Ok(answer)
    }

    /// Whether the runner still holds the job and may go on with it.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn holds_job(&self, fence: &Fence) -> StoreResult<bool> {
        let job = job::Entity::find_by_id(fence.job).one(&self.db).await?;
        Ok(job.is_some_and(|job| is_held(&job, fence) && job.job_state() == JobState::Started))
    }

    /// Writes the stages that the runner itself moves.
    ///
    /// # Errors
    /// [`StoreError::FenceLost`] when the job is no longer this runner's.
    pub async fn write_stages(&self, fence: &Fence, stages: &[Stage]) -> StoreResult<()> {
        let tx = self.write().await?;
        let job = lock_fenced(&tx, fence).await?;
        let stages = stages_json(&job.own_stages(), stages)?;
        let mut row = job.into_active_model();
        row.stages = Set(stages);
        row.updated_at = Set(now());
        save(&tx, row).await?;
        tx.commit().await
    }

    /// Ends a job that its runner did alone: SUCCESS, or FAILURE with a sentence for the log.
    ///
    /// # Errors
    /// [`StoreError::FenceLost`] when the job is no longer this runner's.
    pub async fn finish_job(&self, fence: &Fence, failure: Option<&str>) -> StoreResult<Job> {
        let tx = self.write().await?;
        let job = lock_fenced(&tx, fence).await?;
        let after = end(&tx, self.shard, &job, failure).await?;
        tx.commit().await?;
        Ok(after)
    }

    /// The runner leaves a job whose feed has ended; whoever sees that it is complete ends it.
    ///
    /// # Errors
    /// [`StoreError::FenceLost`] when the job is no longer this runner's.
    pub async fn release_job(&self, fence: &Fence) -> StoreResult<()> {
        let tx = self.write().await?;
        let job = lock_fenced(&tx, fence).await?;
        if job.total.is_none() {
            return Err(StoreError::Conflict(
                "A job can be released only when its feed has ended.".to_owned(),
            ));
        }
        let mut row = job.into_active_model();
        row.owner = Set(None);
        row.updated_at = Set(now());
        save(&tx, row).await?;
        tx.commit().await
    }

    /// Gives a job back unfinished, for another runner to go on with: a process shuts down.
    ///
    /// # Errors
    /// [`StoreError::FenceLost`] when the job is no longer this runner's.
    pub async fn hand_back(&self, fence: &Fence) -> StoreResult<()> {
        let tx = self.write().await?;
        let job = lock_fenced(&tx, fence).await?;
        let to = next(&job, Event::Rescue)?;
        let mut row = moved(&job, to);
        row.owner = Set(None);
        save(&tx, row).await?;
        feed::reopen_leases(&*tx, &job).await?;
        note(&tx, &job, to).await?;
        let runner = Some(format!("runner {}", fence.owner));
        record(&tx, job.id, to.code(), What::HandedBack, runner).await?;
        tx.commit().await
    }

    /// The runner has seen the cancel and stopped: CANCELING → REVOKED.
    ///
    /// # Errors
    /// Errors of the database. A job that is no longer this runner's is left alone.
    pub async fn stopped(&self, fence: &Fence) -> StoreResult<()> {
        let tx = self.write().await?;
        let job = lock(&tx, fence.job).await?;
        if is_held(&job, fence) && job.job_state() == JobState::Canceling {
            revoke(&tx, &job).await?;
        }
        tx.commit().await
    }
}

/// Moves a locked, running job to its end. What has no answer when it fails has failed with it.
pub(crate) async fn end(
    tx: &Write,
    shard: i64,
    job: &Job,
    failure: Option<&str>,
) -> StoreResult<Job> {
    let (event, level) = match failure {
        None => (Event::Finish, Level::Info),
        Some(_) => (Event::Fail, Level::Error),
    };
    let to = next(job, event)?;
    let after = save(tx, moved(job, to)).await?;
    if let Some(reason) = failure {
        feed::fail_open(tx, shard, job, reason).await?;
    }
    delete_tickets(&**tx, job.id).await?;
    note(tx, job, to).await?;
    let last = match failure {
        None => format!("Finished job {} ({to})", job.label()),
        Some(reason) => format!("Job {} failed: {reason}", job.label()),
    };
    say(tx, job, level, last).await?;
    ended(tx, &after, failure).await?;
    Ok(after)
}

async fn revoke(tx: &Write, job: &Job) -> StoreResult<Job> {
    let to = next(job, Event::Stopped)?;
    let after = save(tx, moved(job, to)).await?;
    delete_tickets(&**tx, job.id).await?;
    note(tx, job, to).await?;
    ended(tx, &after, None).await?;
    Ok(after)
}

/// The seconds from one instant to another, never negative.
fn between(from: DateTime<Utc>, to: DateTime<Utc>) -> f64 {
    (to - from).to_std().unwrap_or_default().as_secs_f64()
}

/// Nobody ends a job: it ends, whoever cancelled it.
async fn ended(tx: &Write, job: &Job, why: Option<&str>) -> StoreResult<()> {
    let detail = why.map(str::to_owned);
    let (kind, state) = (job.kind.clone(), job.job_state().code());
    let times = job.started_at.zip(job.finished_at);
    let ran = times.map(|(from, to)| between(from, to));
    tx.once_committed(move || {
        if let Some(ran) = ran {
            metrics::histogram!(metric::JOB_RUN.name, "kind" => kind.clone()).record(ran);
        }
        metrics::counter!(metric::JOBS_ENDED.name, "kind" => kind, "state" => state).increment(1);
    });
    crate::webhook::told::end(tx, job, why).await?;
    record_by(tx, job.id, &job.state, What::Ended, None, detail).await
}
