//! Jobs: making, finding and listing them. How a job changes its state stands in `job/life.rs`,
//! how its captures are fed to those who work on them in `job/feed.rs`.

use domain::job::{DispatchMode, FeedMode, KindSpec, first_stages};
use domain::permission::{Delete, Permit};
use domain::progress::Stage;
use domain::progress::times::stamp;
use domain::state::JobState;
use sea_orm::QueryOrder;
use sea_orm::{ActiveValue::Set, entity::prelude::*, prelude::Json};

use crate::connection::{Store, StoreError, StoreResult, Write, now};
use crate::entity::job::{self, Entity};
use crate::entity::project;
use crate::origin::Trace;
use crate::project::Project;

pub mod change;
pub mod dispatch;
pub mod event;
pub mod feed;
pub mod hands;
pub mod life;
pub(crate) mod line;
pub mod list;
pub mod offer;
pub mod page;
pub mod request;
pub mod steer;
pub mod stream;
pub mod target;
pub mod waiting;

pub use crate::entity::job::Model as Job;
pub use change::JobChange;
use event::What;
pub use list::{JobFilter, JobOrder};

/// What a person gives to make a job.
#[derive(Clone, Debug, Default)]
pub struct NewJob {
    /// Name for people.
    pub name: String,
    /// The project it belongs to.
    pub project_id: i64,
    /// Key of its kind; see `domain::job::KINDS`.
    pub kind: &'static str,
    /// What the kind needs beyond the columns below.
    pub params: Option<Json>,
    /// Seconds to wait before the work.
    pub delay: i32,
    /// At most so many captures.
    pub limit: Option<i32>,
    /// Captures in random order.
    pub shuffle: bool,
    /// Scope: a station.
    pub station_id: Option<i64>,
    /// Scope: a capture set.
    pub capture_set_id: Option<i64>,
    /// Scope: one capture.
    pub capture_id: Option<i64>,
    /// Pipeline of an ML job.
    pub pipeline_id: Option<i64>,
    /// Export of an export job.
    pub export_id: Option<i64>,
    /// Who asked for it.
    pub created_by_id: Option<i64>,
    /// How its work is handed out.
    pub dispatch_mode: Option<DispatchMode>,
    /// Ask for a run in the same transaction.
    pub start_now: bool,
}

impl Job {
    /// The typed state.
    pub fn job_state(&self) -> JobState {
        JobState::from_code(&self.state).unwrap_or(JobState::Unknown)
    }

    /// The typed dispatch mode.
    pub fn dispatch(&self) -> DispatchMode {
        DispatchMode::from_code(&self.dispatch_mode).unwrap_or(DispatchMode::Internal)
    }

    /// The typed feed mode.
    pub fn feed(&self) -> FeedMode {
        FeedMode::from_code(&self.feed_mode)
    }

    /// The span of the request that asked for its present run, where traces are kept.
    pub fn trace(&self) -> Option<Trace> {
        let (trace_id, span_id) = self.trace_id.clone().zip(self.span_id.clone())?;
        Some(Trace { trace_id, span_id })
    }

    /// The stages as the runner wrote them; counts of results are not in them.
    pub fn own_stages(&self) -> Vec<Stage> {
        serde_json::from_value(self.stages.clone()).unwrap_or_default()
    }

    /// Sentences about what went wrong with the job as a whole.
    pub fn error_list(&self) -> Vec<String> {
        serde_json::from_value(self.errors.clone()).unwrap_or_default()
    }

    /// `Job #3 "name"`, as the log speaks of it.
    pub fn label(&self) -> String {
        format!("#{} \"{}\"", self.id, self.name)
    }
}

/// The stages as a job's row is to keep them, which held `before` until now: each with the times
/// at which its state changed. The row is locked, or new.
pub(crate) fn stages_json(before: &[Stage], stages: &[Stage]) -> StoreResult<Json> {
    let mut stages = stages.to_vec();
    stamp(before, &mut stages, now());
    let kept: Result<Vec<Json>, _> = stages.iter().map(Stage::kept).collect();
    let kept = kept.map_err(|e| StoreError::Unreadable(e.to_string()))?;
    Ok(Json::Array(kept))
}

impl Store {
    /// Makes a job, CREATED or, with `start_now`, PENDING: one transaction, so the row is also
    /// the outbox of its own start. A sync, regroup or populate that is to start while another
    /// one of the same target waits or runs is not made: the answer is that one.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] for an unknown kind; errors of the database.
    pub async fn create_job(&self, new: NewJob) -> StoreResult<Job> {
        Ok(self.ask_for_job(new).await?.job)
    }

    /// The job with this id.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], or an error of the database.
    pub async fn job(&self, id: i64) -> StoreResult<Job> {
        Entity::find_by_id(id)
            .one(&self.db)
            .await?
            .ok_or(StoreError::NotFound("job"))
    }

    /// The job with this id, and its project.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], or an error of the database.
    pub async fn job_in_project(&self, id: i64) -> StoreResult<(Job, Project)> {
        let found = Entity::find_by_id(id)
            .find_also_related(project::Entity)
            .one(&self.db)
            .await?
            .ok_or(StoreError::NotFound("job"))?;
        let (job, project) = found;
        Ok((job, project.ok_or(StoreError::NotFound("project"))?))
    }

    /// The newest job of this project with this name and kind, if any: what a program that
    /// starts again goes on with.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn newest_job(
        &self,
        project: i64,
        kind: &str,
        name: &str,
    ) -> StoreResult<Option<Job>> {
        Ok(Entity::find()
            .filter(job::Column::ProjectId.eq(project))
            .filter(job::Column::Kind.eq(kind))
            .filter(job::Column::Name.eq(name))
            .order_by_desc(job::Column::Id)
            .one(&self.db)
            .await?)
    }

    /// Deletes a job with its log, tickets and results. A job that somebody runs must be
    /// cancelled first.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`StoreError::Conflict`] while it runs.
    pub async fn delete_job(&self, _permit: Permit<Delete>, id: i64) -> StoreResult<()> {
        let tx = self.write().await?;
        let job = life::lock(&tx, id).await?;
        if job.owner.is_some() {
            return Err(StoreError::Conflict(
                "The job is running. Cancel it first.".to_owned(),
            ));
        }
        Entity::delete_by_id(id).exec(&*tx).await?;
        tx.commit().await
    }
}

/// Makes a job within a transaction, with the events that belong to it.
pub(crate) async fn insert(tx: &Write, new: NewJob) -> StoreResult<Job> {
    let kind: &KindSpec = domain::job::kind(new.kind)
        .ok_or_else(|| StoreError::Conflict(format!("unknown kind of job {:?}", new.kind)))?;
    let stages = first_stages(kind, new.delay, new.pipeline_id.is_some());
    let at = now();
    let trace = new.start_now.then(life::present_trace).flatten();
    let (by, start_now) = (new.created_by_id, new.start_now);
    let state = if new.start_now {
        JobState::Pending
    } else {
        JobState::Created
    };
    let row = job::ActiveModel {
        project_id: Set(new.project_id),
        name: Set(new.name),
        kind: Set(kind.key.to_owned()),
        params: Set(new
            .params
            .unwrap_or_else(|| Json::Object(Default::default()))),
        delay: Set(new.delay),
        limit: Set(new.limit),
        shuffle: Set(new.shuffle),
        station_id: Set(new.station_id),
        capture_set_id: Set(new.capture_set_id),
        capture_id: Set(new.capture_id),
        pipeline_id: Set(new.pipeline_id),
        export_id: Set(new.export_id),
        created_by_id: Set(new.created_by_id),
        dispatch_mode: Set(new
            .dispatch_mode
            .unwrap_or(DispatchMode::Internal)
            .code()
            .to_owned()),
        state: Set(state.code().to_owned()),
        paused: Set(false),
        priority: Set(0),
        generation: Set(1),
        run_no: Set(1),
        feed_mode: Set(FeedMode::All.code().to_owned()),
        feed_cursor: Set(feed::START),
        sent_cursor: Set(feed::START),
        in_stream: Set(false),
        fed: Set(0),
        kept: Set(0),
        total: Set(None),
        expected: Set(None),
        receipt_key: Set(hex::encode(rand::random::<[u8; 16]>())),
        owner: Set(None),
        claim_no: Set(0),
        rescues: Set(0),
        beat_at: Set(None),
        stages: Set(stages_json(&[], &stages)?),
        errors: Set(Json::Array(Vec::new())),
        result: Set(None),
        created_at: Set(at),
        updated_at: Set(at),
        scheduled_at: Set(new.start_now.then_some(at)),
        started_at: Set(None),
        finished_at: Set(None),
        span_id: Set(trace.as_ref().map(|trace| trace.span_id.clone())),
        trace_id: Set(trace.map(|trace| trace.trace_id)),
        ..Default::default()
    };
    let job = row.insert(&**tx).await?;
    let created = JobState::Created.code();
    event::record_by(tx, job.id, created, What::Created, by, None).await?;
    if start_now {
        event::record_by(tx, job.id, &job.state, What::Queued, by, None).await?;
    }
    Ok(job)
}
