//! What any process does for jobs whose runner is gone: take them from the dead, write down what is
//! never answered, and end those of which everything is counted. The idea: the caretaker holds no
//! state, so it may run anywhere, at any time; one statement finds what there is to do, a bounded
//! part of it, and what cannot be done for one job keeps none of the others waiting.

use std::collections::HashMap;

use chrono::Duration;
use domain::job::DispatchMode;
use domain::state::{Event, JobState};
use sea_orm::sea_query::{Expr, ExprTrait, Func, Query, SelectStatement};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    Select, prelude::Json,
};

use super::{end, lock, moved, note, revoke, save, say};
use crate::connection::{Store, StoreError, StoreResult, Write, clock, now};
use crate::entity::job::{self, Column as C};
use crate::entity::{job_progress, pipeline, project_pipeline, ticket};
use crate::job::event::{What, record};
use crate::job::{Job, feed};
use crate::log::Level;
use crate::pipeline::{Pipeline, settings};
use crate::recount;
use crate::ticket::HANDED_OUT;

/// After so many rescues without an end the job fails: it kills its runners.
pub const MAX_RESCUES: i32 = 10;

/// Jobs that one look finds at most; the next look finds the others.
const AT_ONCE: u64 = 200;
/// Pipelines of projects that one statement asks for.
const PAIRS: usize = 100;

/// How a project uses a pipeline whose images remote workers have.
#[derive(Clone, Debug, PartialEq)]
pub struct Awaited {
    /// The project.
    pub project: i64,
    /// The pipeline.
    pub pipeline: i64,
    /// Its settings there.
    pub config: serde_json::Map<String, Json>,
}

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
        self.rescue_those(C::BeatAt.lt(limit), is_silent).await
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
        self.rescue_those(C::Owner.starts_with(runners), is_theirs)
            .await
    }

    async fn rescue_those(
        &self,
        some: Expr,
        is_dead: impl Fn(&Job) -> bool + Send + Sync,
    ) -> StoreResult<Vec<Job>> {
        let dead: Vec<i64> = job::Entity::find()
            .select_only()
            .column(C::Id)
            .filter(C::State.is_in([JobState::Started.code(), JobState::Canceling.code()]))
            .filter(C::Owner.is_not_null())
            .filter(some)
            .order_by_asc(C::BeatAt)
            .limit(AT_ONCE)
            .into_tuple()
            .all(&self.db)
            .await?;
        let mut touched = Vec::new();
        for id in dead {
            match self.rescue_job(id, &is_dead).await {
                Ok(job) => touched.extend(job),
                Err(error) => pass_over(id, error)?,
            }
        }
        Ok(touched)
    }

    async fn rescue_job(
        &self,
        id: i64,
        is_dead: &(impl Fn(&Job) -> bool + Sync),
    ) -> StoreResult<Option<Job>> {
        let tx = self.write().await?;
        let job = lock(&tx, id).await?;
        if job.owner.is_none() || !is_dead(&job) {
            return Ok(None);
        }
        let Some(after) = rescue(&tx, self.shard, &job).await? else {
            return Ok(None);
        };
        tx.commit().await?;
        metrics::counter!(domain::metric::JOBS_RESCUED.name).increment(1);
        Ok(Some(after))
    }

    /// Ends a job that nobody owns, whose feed has ended and whose captures are all counted.
    /// Returns the job when this call ended it.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn finalise_job(&self, id: i64) -> StoreResult<Option<Job>> {
        self.finalise(id, false).await
    }

    /// The same for whoever finds a job that others have left: what hangs on its captures is counted
    /// again by and by ([`Store::next_recount`]), since a killed process counts nothing.
    ///
    /// # Errors
    /// As [`Store::finalise_job`].
    pub async fn finalise_left_job(&self, id: i64) -> StoreResult<Option<Job>> {
        self.finalise(id, true).await
    }

    async fn finalise(&self, id: i64, left: bool) -> StoreResult<Option<Job>> {
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
        if left {
            recount::mark(&tx, id).await?;
        }
        tx.commit().await?;
        Ok(Some(after))
    }

    /// Jobs that [`Store::finalise_job`] would end: of which as much is counted as they have. It is
    /// only a hint, since nothing is locked.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn jobs_to_finalise(&self) -> StoreResult<Vec<i64>> {
        Ok(released()
            .select_only()
            .column(C::Id)
            .filter(counted().gte(Expr::col((job::Entity, C::Total))))
            .order_by_asc(C::Id)
            .limit(AT_ONCE)
            .into_tuple()
            .all(&self.db)
            .await?)
    }

    /// The pipelines, by project, of released jobs whose images remote workers have.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn awaited_pipelines(&self) -> StoreResult<Vec<Awaited>> {
        use project_pipeline::Column as P;
        let pairs: Vec<(i64, i64)> = released()
            .select_only()
            .columns([C::ProjectId, C::PipelineId])
            .distinct()
            .filter(C::DispatchMode.eq(DispatchMode::AsyncApi.code()))
            .filter(C::PipelineId.is_not_null())
            .into_tuple()
            .all(&self.db)
            .await?;
        let mut awaited = Vec::new();
        for chunk in pairs.chunks(1000) {
            let named = || chunk.iter().map(|(_, pipeline)| *pipeline);
            let rows = pipeline::Entity::find()
                .filter(pipeline::Column::Id.is_in(named()))
                .all(&self.db)
                .await?;
            let rows: HashMap<i64, Pipeline> = rows.into_iter().map(|row| (row.id, row)).collect();
            let own = project_pipeline::Entity::find()
                .filter(P::PipelineId.is_in(named()))
                .filter(P::ProjectId.is_in(chunk.iter().map(|(project, _)| *project)))
                .all(&self.db)
                .await?;
            let mut own: HashMap<(i64, i64), Json> = own
                .into_iter()
                .map(|row| ((row.project_id, row.pipeline_id), row.config))
                .collect();
            awaited.extend(chunk.iter().filter_map(|(project, pipeline)| {
                let row = rows.get(pipeline)?;
                Some(Awaited {
                    project: *project,
                    pipeline: *pipeline,
                    config: settings(row, own.remove(&(*project, *pipeline))),
                })
            }));
        }
        Ok(awaited)
    }

    /// Released jobs of these projects and pipelines of which some image was handed out that often
    /// and never answered ([`Store::dead_letters`]).
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn jobs_with_dead_letters(
        &self,
        of: &[(i64, i64)],
        most: i32,
    ) -> StoreResult<Vec<i64>> {
        let mut found = Vec::new();
        for chunk in of.chunks(PAIRS) {
            let pair = |(project, pipeline): &(i64, i64)| {
                Condition::all()
                    .add(C::ProjectId.eq(*project))
                    .add(C::PipelineId.eq(*pipeline))
            };
            let any = Condition::any();
            let pairs = chunk.iter().map(pair).fold(any, |any, one| any.add(one));
            let jobs: Vec<i64> = released()
                .select_only()
                .column(C::Id)
                .filter(C::DispatchMode.eq(DispatchMode::AsyncApi.code()))
                .filter(pairs)
                .filter(Expr::exists(dead(most)))
                .order_by_asc(C::Id)
                .limit(AT_ONCE)
                .into_tuple()
                .all(&self.db)
                .await?;
            found.extend(jobs);
        }
        Ok(found)
    }
}

/// What cannot be done for one job keeps none of the others waiting: the next look tries it again.
///
/// # Errors
/// Where the database is away there is nothing to go on with.
pub fn pass_over(job: i64, error: StoreError) -> StoreResult<()> {
    match error.of_one()? {
        StoreError::NotFound(_) => {} // deleted meanwhile
        error => tracing::warn!(job.id = job, %error, "a job could not be looked after"),
    }
    Ok(())
}

/// Jobs that nobody owns and whose feed has ended.
fn released() -> Select<job::Entity> {
    job::Entity::find()
        .filter(C::State.eq(JobState::Started.code()))
        .filter(C::Owner.is_null())
        .filter(C::Total.is_not_null())
}

/// How many images of a job's present generation have an outcome: the sum of its few lines.
fn counted() -> Expr {
    use job_progress::Column as P;
    let of = |column: P| Expr::col((job_progress::Entity, column));
    let sum = Func::sum(of(P::Done).add(of(P::Failed))).cast_as("BIGINT");
    let lines = Query::select()
        .expr(sum)
        .from(job_progress::Entity)
        .and_where(of(P::JobId).equals((job::Entity, C::Id)))
        .and_where(of(P::Generation).equals((job::Entity, C::Generation)))
        .and_where(of(P::Stage).eq(feed::PROCESS))
        .to_owned();
    let lines = Expr::SubQuery(None, Box::new(lines.into()));
    Func::coalesce([lines, Expr::value(0i64)]).into()
}

/// A job's images that were handed out that often and whose last lease is over.
fn dead(most: i32) -> SelectStatement {
    use ticket::Column as T;
    let of = |column: T| Expr::col((ticket::Entity, column));
    Query::select()
        .expr(Expr::value(1))
        .from(ticket::Entity)
        .and_where(of(T::JobId).equals((job::Entity, C::Id)))
        .and_where(of(T::Generation).equals((job::Entity, C::Generation)))
        .and_where(of(T::VisibleAt).between(HANDED_OUT, clock()))
        .and_where(of(T::Deliveries).gte(most))
        .to_owned()
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
