//! Lists of jobs: what they are narrowed by and what they are ordered by, as the API names it
//! (`processing-service.md` §7.1, `domain-rules.md` §17). How a page of one is read stands in
//! `job/page.rs`.

use chrono::{DateTime, Timelike, Utc};
use domain::job::DispatchMode;
use domain::state::JobState;
use sea_orm::sea_query::{Expr, ExprTrait, Func, LikeExpr, Query};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, Select};

use crate::connection::{Store, StoreResult};
use crate::entity::{export, job, pipeline};

pub use crate::entity::export::Model as Export;

/// Which jobs a list shows; what is left out does not narrow it.
#[derive(Clone, Debug, Default)]
pub struct JobFilter {
    /// Only this job.
    pub id: Option<i64>,
    /// Only of this project.
    pub project_id: Option<i64>,
    /// Only of these projects: what the caller may see. `None` means all.
    pub visible: Option<Vec<i64>>,
    /// Only in this state.
    pub state: Option<JobState>,
    /// Only of this kind.
    pub kind: Option<String>,
    /// Only dispatched like this.
    pub dispatch: Option<DispatchMode>,
    /// Only of this station.
    pub station_id: Option<i64>,
    /// Only of this capture set.
    pub capture_set_id: Option<i64>,
    /// Only of this capture.
    pub capture_id: Option<i64>,
    /// Only with this pipeline.
    pub pipeline_id: Option<i64>,
    /// Only those that this person made.
    pub created_by_id: Option<i64>,
    /// Only with a pipeline of one of these slugs.
    pub slugs: Option<Vec<String>>,
    /// Each of these words stands in the job's or the pipeline's name.
    pub search: Vec<String>,
    /// Only those that have not ended.
    pub incomplete: bool,
    /// Only those that would hand out an image now.
    pub ready: bool,
    /// Not those that failed and have not changed since then.
    pub no_failures_before: Option<DateTime<Utc>>,
}

/// What a list of jobs is ordered by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobOrder {
    /// By name.
    Name,
    /// By when it was made.
    Created,
    /// By when it last changed.
    Updated,
    /// By when it started.
    Started,
    /// By when it ended.
    Finished,
    /// By state.
    State,
    /// By project.
    Project,
    /// By station.
    Station,
    /// By capture set.
    CaptureSet,
    /// By pipeline.
    Pipeline,
}

impl JobOrder {
    /// The names in the API.
    pub const NAMES: [&'static str; 10] = [
        "name",
        "created_at",
        "updated_at",
        "status",
        "started_at",
        "finished_at",
        "project",
        "deployment",
        "source_image_collection",
        "pipeline",
    ];

    /// The order with this name in the API.
    pub fn from_name(name: &str) -> Option<JobOrder> {
        Some(match name {
            "name" => JobOrder::Name,
            "created_at" => JobOrder::Created,
            "updated_at" => JobOrder::Updated,
            "started_at" => JobOrder::Started,
            "finished_at" => JobOrder::Finished,
            "status" => JobOrder::State,
            "project" => JobOrder::Project,
            "deployment" => JobOrder::Station,
            "source_image_collection" => JobOrder::CaptureSet,
            "pipeline" => JobOrder::Pipeline,
            _ => return None,
        })
    }

    pub(super) fn column(self) -> job::Column {
        match self {
            JobOrder::Name => job::Column::Name,
            JobOrder::Created => job::Column::CreatedAt,
            JobOrder::Updated => job::Column::UpdatedAt,
            JobOrder::Started => job::Column::StartedAt,
            JobOrder::Finished => job::Column::FinishedAt,
            JobOrder::State => job::Column::State,
            JobOrder::Project => job::Column::ProjectId,
            JobOrder::Station => job::Column::StationId,
            JobOrder::CaptureSet => job::Column::CaptureSetId,
            JobOrder::Pipeline => job::Column::PipelineId,
        }
    }
}

impl JobFilter {
    /// The same for a minute: what is asked for up to now is another list at each request, and what
    /// is kept of it is kept for one.
    pub(super) fn of_the_minute(&self) -> JobFilter {
        let minute = |edge: DateTime<Utc>| edge.with_second(0)?.with_nanosecond(0);
        JobFilter {
            no_failures_before: self.no_failures_before.and_then(minute),
            ..self.clone()
        }
    }

    pub(super) fn select(&self) -> Select<job::Entity> {
        use job::Column as C;
        let mut all = Condition::all();
        let numbers = [
            (C::Id, self.id),
            (C::ProjectId, self.project_id),
            (C::StationId, self.station_id),
            (C::CaptureSetId, self.capture_set_id),
            (C::CaptureId, self.capture_id),
            (C::PipelineId, self.pipeline_id),
            (C::CreatedById, self.created_by_id),
        ];
        for (column, value) in numbers {
            all = all.add_option(value.map(|v| column.eq(v)));
        }
        // What a job may be, not what it may not: only that is looked up in an index.
        let open = || C::State.is_in(JobState::unfinished().map(JobState::code));
        all = all
            .add_option(
                self.visible
                    .as_ref()
                    .map(|v| C::ProjectId.is_in(v.iter().copied())),
            )
            .add_option(self.state.map(|s| C::State.eq(s.code())))
            .add_option(self.kind.as_ref().map(|k| C::Kind.eq(k.as_str())))
            .add_option(self.dispatch.map(|d| C::DispatchMode.eq(d.code())))
            .add_option(self.incomplete.then(open));
        if self.ready {
            all = all.add(super::offer::ready());
        }
        if let Some(edge) = self.no_failures_before {
            let failed = [JobState::Failure, JobState::Revoked, JobState::Unknown];
            let stale = Condition::all()
                .add(C::State.is_in(failed.map(JobState::code)))
                .add(C::UpdatedAt.lt(edge));
            all = all.add(stale.not());
        }
        if let Some(slugs) = &self.slugs {
            let named = pipelines(pipeline::Column::Slug.is_in(slugs.iter().map(String::as_str)));
            all = all.add(C::PipelineId.in_subquery(named));
        }
        for word in &self.search {
            let named = pipelines(holds((pipeline::Entity, pipeline::Column::Name), word));
            let either = Condition::any()
                .add(holds((job::Entity, C::Name), word))
                .add(C::PipelineId.in_subquery(named));
            all = all.add(either);
        }
        job::Entity::find().filter(all)
    }
}

fn pipelines(which: Expr) -> sea_orm::sea_query::SelectStatement {
    Query::select()
        .column(pipeline::Column::Id)
        .from(pipeline::Entity)
        .and_where(which)
        .to_owned()
}

/// The word stands somewhere in the column, in any case.
pub(crate) fn holds(column: impl sea_orm::sea_query::IntoColumnRef, word: &str) -> Expr {
    let word = word.to_lowercase();
    let word = word
        .replace('\\', "\\\\")
        .replace('%', "\\%")
        .replace('_', "\\_");
    let like = LikeExpr::new(format!("%{word}%")).escape('\\');
    Expr::expr(Func::lower(Expr::col(column))).like(like)
}

impl Store {
    /// The exports with these ids, which jobs name.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn exports_of_jobs(&self, ids: &[i64]) -> StoreResult<Vec<Export>> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let named = export::Column::Id.is_in(ids.iter().copied());
        let found = export::Entity::find().filter(named);
        Ok(found.all(&self.db).await?)
    }
}
