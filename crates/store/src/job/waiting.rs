//! Pull jobs that nobody works on. The idea: waiting is not failing, so such a job waits; but its
//! project may set after how many minutes without any sign of a worker it fails, and what lost
//! its pipeline can never be worked on at all.

use chrono::{DateTime, Duration, Utc};
use domain::job::{DispatchMode, ML};
use domain::state::JobState;
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, JoinType, QueryFilter, QueryOrder, QuerySelect,
    RelationTrait,
};

use super::{Job, life};
use crate::connection::{Store, StoreResult, clock, now};
use crate::entity::{job, pipeline, project, ticket, worker};

impl Store {
    /// Ends jobs that remote workers should finish and never will: as FAILURE, with the reason.
    /// A paused job waits for a person. Any process may call it at any time. Returns the jobs
    /// that this call ended.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn fail_hopeless_jobs(&self) -> StoreResult<Vec<Job>> {
        let mut ended = Vec::new();
        for (id, limit) in self.waiting_jobs().await? {
            match self.fail_if_hopeless(id, limit).await {
                Ok(job) => ended.extend(job),
                Err(error) => life::pass_over(id, error)?,
            }
        }
        Ok(ended)
    }

    async fn fail_if_hopeless(&self, id: i64, limit: Option<i32>) -> StoreResult<Option<Job>> {
        let job = self.job(id).await?;
        match self.hopeless(&job, limit).await? {
            Some(reason) => self.give_up(&job, &reason).await,
            None => Ok(None),
        }
    }

    /// Until when a job of this project waits for a worker that says nothing; `None`: for ever.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn waits_until(&self, job: &Job) -> StoreResult<Option<DateTime<Utc>>> {
        let limit = self.project(job.project_id).await?.worker_wait_minutes;
        let (Some(minutes), Some(pipeline)) = (limit, job.pipeline_id) else {
            return Ok(None);
        };
        let seen = self.last_sign(job, pipeline).await?;
        Ok(Some(seen + Duration::minutes(minutes.into())))
    }

    /// Jobs that nobody owns and that could be hopeless, with their project's limit.
    async fn waiting_jobs(&self) -> StoreResult<Vec<(i64, Option<i32>)>> {
        use job::Column as C;
        Ok(job::Entity::find()
            .join(JoinType::InnerJoin, job::Relation::Project.def())
            .select_only()
            .column(C::Id)
            .column(project::Column::WorkerWaitMinutes)
            .filter(C::State.eq(JobState::Started.code()))
            .filter(C::Owner.is_null())
            .filter(C::Paused.eq(false))
            .filter(C::Kind.eq(ML))
            .filter(C::DispatchMode.eq(DispatchMode::AsyncApi.code()))
            .filter(
                Condition::any()
                    .add(C::PipelineId.is_null())
                    .add(project::Column::WorkerWaitMinutes.is_not_null()),
            )
            .order_by_asc(C::Id)
            .into_tuple()
            .all(&self.db)
            .await?)
    }

    /// Why a job will never be finished, if that is so.
    async fn hopeless(&self, job: &Job, limit: Option<i32>) -> StoreResult<Option<String>> {
        let Some(pipeline) = job.pipeline_id else {
            return Ok(Some("Its pipeline was deleted.".to_owned()));
        };
        let Some(minutes) = limit else {
            return Ok(None);
        };
        let over = now() - Duration::minutes(minutes.into());
        if self
            .silent_since(job)
            .await?
            .is_none_or(|since| since > over)
        {
            return Ok(None);
        }
        let row = pipeline::Entity::find_by_id(pipeline).one(&self.db).await?;
        let slug = row.map(|row| row.slug).unwrap_or_default();
        Ok(Some(format!(
            "No worker for pipeline '{slug}' was heard of for {minutes} minutes, as long as a job \
             of this project waits."
        )))
    }

    /// Jobs of these projects that nobody owns and whose images wait for workers.
    pub(crate) async fn jobs_without_runner(&self, projects: &[i64]) -> StoreResult<Vec<Job>> {
        use job::Column as C;
        Ok(job::Entity::find()
            .filter(C::ProjectId.is_in(projects.iter().copied()))
            .filter(C::State.eq(JobState::Started.code()))
            .filter(C::Owner.is_null())
            .filter(C::Paused.eq(false))
            .filter(C::Kind.eq(ML))
            .filter(C::DispatchMode.eq(DispatchMode::AsyncApi.code()))
            .order_by_asc(C::Id)
            .all(&self.db)
            .await?)
    }

    /// Since when there is no sign that somebody works on a job; `None` while there is one.
    pub(crate) async fn silent_since(&self, job: &Job) -> StoreResult<Option<DateTime<Utc>>> {
        // Images in somebody's hands are a sign of life until their lease is over.
        let held = match job.in_stream {
            true => self.stream_depth(job, None).await?.leased > 0,
            false => self.any_leased(job.id).await?,
        };
        match job.pipeline_id.filter(|_| !held) {
            Some(pipeline) => Ok(Some(self.last_sign(job, pipeline).await?)),
            None => Ok(None),
        }
    }

    /// Whether some image of a job is in somebody's hands: one that is, not how many.
    async fn any_leased(&self, job: i64) -> StoreResult<bool> {
        use ticket::Column as T;
        let held: Option<i64> = ticket::Entity::find()
            .select_only()
            .column(T::CaptureId)
            .filter(T::JobId.eq(job))
            .filter(T::VisibleAt.gt(clock()))
            .limit(1)
            .into_tuple()
            .one(&self.db)
            .await?;
        Ok(held.is_some())
    }

    /// When the job last changed, or somebody who works on its pipeline was last heard of.
    async fn last_sign(&self, job: &Job, pipeline: i64) -> StoreResult<DateTime<Utc>> {
        let machine: Option<DateTime<Utc>> = worker::Entity::find()
            .select_only()
            .column(worker::Column::LastSeenAt)
            .filter(worker::Column::ProjectId.eq(job.project_id))
            .filter(worker::Column::PipelineId.eq(pipeline))
            .order_by_desc(worker::Column::LastSeenAt)
            .limit(1)
            .into_tuple()
            .one(&self.db)
            .await?;
        let services = self.pull_services(job.project_id, pipeline).await?;
        let service = services.iter().filter_map(|s| s.last_seen_at).max();
        Ok(machine
            .max(service)
            .max(Some(job.updated_at))
            .unwrap_or(job.updated_at))
    }

    /// Ends a job as it was read, unless it has changed since.
    async fn give_up(&self, seen: &Job, reason: &str) -> StoreResult<Option<Job>> {
        let tx = self.write().await?;
        let job = life::lock(&tx, seen.id).await?;
        let waits = job.job_state() == JobState::Started && job.owner.is_none() && !job.paused;
        if !waits || job.updated_at != seen.updated_at || job.generation != seen.generation {
            return Ok(None);
        }
        let after = life::end(&tx, self.shard, &job, Some(reason)).await?;
        crate::recount::mark(&tx, job.id).await?;
        tx.commit().await?;
        Ok(Some(after))
    }
}
