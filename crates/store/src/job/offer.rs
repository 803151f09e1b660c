//! What remote workers are offered, and by what: the order of jobs stands in `job/line.rs`. The idea:
//! ready before not ready, higher priority first, and among equals the one with the fewest images in
//! somebody's hands, so a small job beside a huge one is taken up at the next poll and workers spread
//! over jobs by themselves.

use domain::job::DispatchMode;
use domain::state::JobState;
use sea_orm::sea_query::{Expr, ExprTrait, Func, Query, SelectStatement};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QuerySelect};

use super::{Job, JobFilter};
use crate::connection::{Store, StoreResult, clock};
use crate::entity::{job, job_stream, pipeline, project, ticket};
use crate::progress;
use crate::user::User;

/// The caller's jobs come first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Workable {
    /// The caller may work on everything.
    All,
    /// Only in these projects.
    Projects(Vec<i64>),
}

impl Store {
    /// Where somebody may work on jobs.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn workable_projects(&self, user: Option<&User>) -> StoreResult<Workable> {
        let Some(user) = user else {
            return Ok(Workable::Projects(Vec::new()));
        };
        if user.is_superuser {
            return Ok(Workable::All);
        }
        let mut ids: Vec<i64> = project::Entity::find()
            .select_only()
            .column(project::Column::Id)
            .filter(project::Column::OwnerId.eq(user.id))
            .into_tuple()
            .all(&self.db)
            .await?;
        let caller = domain::permission::Caller::User {
            id: user.id,
            superuser: false,
            staff: user.is_staff,
        };
        for (project, role) in self.roles_of(user.id).await? {
            let facts = domain::permission::ProjectFacts {
                role: Some(role),
                ..Default::default()
            };
            if facts.works_here(caller) {
                ids.push(project);
            }
        }
        Ok(Workable::Projects(ids))
    }

    /// The job that a worker for these pipelines should work on now, if there is one that it
    /// may work on and that has an image to hand out.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn next_job(
        &self,
        slugs: &[String],
        workable: &Workable,
    ) -> StoreResult<Option<Job>> {
        let filter = JobFilter {
            visible: match workable {
                Workable::All => None,
                Workable::Projects(ids) => Some(ids.clone()),
            },
            state: Some(JobState::Started),
            dispatch: Some(DispatchMode::AsyncApi),
            slugs: Some(slugs.to_vec()),
            ready: true,
            ..Default::default()
        };
        let (jobs, _) = self.jobs_for_workers(&filter, workable, 1, 0).await?;
        Ok(jobs.into_iter().next())
    }

    /// True when another job of at least this job's priority, on one of these pipelines and
    /// where the caller may work, has images to hand out while nobody works on it.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn another_starves(
        &self,
        than: &Job,
        slugs: &[String],
        workable: &Workable,
    ) -> StoreResult<bool> {
        use job::Column as C;
        let named = Query::select()
            .column(pipeline::Column::Id)
            .from(pipeline::Entity)
            .and_where(pipeline::Column::Slug.is_in(slugs.iter().map(String::as_str)))
            .to_owned();
        let mut select = job::Entity::find()
            .select_only()
            .column(C::Id)
            .filter(C::Id.ne(than.id))
            .filter(C::DispatchMode.eq(DispatchMode::AsyncApi.code()))
            .filter(C::Priority.gte(than.priority))
            .filter(C::PipelineId.in_subquery(named))
            .filter(ready())
            .filter(Expr::exists(tickets(visible().gt(clock()))).not())
            .filter(Expr::exists(seen(job_stream::Column::Leased)).not());
        if let Workable::Projects(ids) = workable {
            select = select.filter(C::ProjectId.is_in(ids.iter().copied()));
        }
        let found: Option<i64> = select.into_tuple().one(&self.db).await?;
        Ok(found.is_some())
    }

    /// True when a job's queue is empty: nothing waits, nothing is in anybody's hands. Where tasks
    /// lie in a stream: when all images have an outcome.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn queue_is_empty(&self, job: i64) -> StoreResult<bool> {
        let any = ticket::Entity::find()
            .filter(ticket::Column::JobId.eq(job))
            .one(&self.db)
            .await?;
        if any.is_some() {
            return Ok(false);
        }
        let row = job::Entity::find_by_id(job).one(&self.db).await?;
        let Some(row) = row.filter(|row| row.in_stream) else {
            return Ok(true);
        };
        let sum = progress::sum_in(&self.db, row.id, row.generation).await?;
        Ok(row
            .total
            .is_some_and(|total| sum.done + sum.failed >= total))
    }
}

/// Jobs that would hand out an image now.
pub(super) fn ready() -> Condition {
    Condition::all()
        .add(job::Column::State.eq(JobState::Started.code()))
        .add(job::Column::Paused.eq(false))
        .add(waiting())
}

/// Jobs of which some image waits, in the database or as was last seen in the stream.
fn waiting() -> Condition {
    Condition::any()
        .add(Expr::exists(tickets(visible().lte(clock()))))
        .add(Expr::exists(seen(job_stream::Column::Waiting)))
}

/// What was last seen in the stream of the job's tasks, where that was more than none.
pub(crate) fn seen(what: job_stream::Column) -> SelectStatement {
    of_stream(Expr::value(1))
        .and_where(Expr::col((job_stream::Entity, what)).gt(0))
        .to_owned()
}

/// How many of the job's images are in somebody's hands, by its tickets.
pub(super) fn held() -> SelectStatement {
    let capture = (ticket::Entity, ticket::Column::CaptureId);
    Query::select()
        .expr(Func::count(Expr::col(capture)))
        .from(ticket::Entity)
        .and_where(of_job())
        .and_where(visible().gt(clock()))
        .to_owned()
}

/// How many of the job's tasks were last seen in somebody's hands in the stream.
pub(super) fn lent() -> SelectStatement {
    of_stream(Expr::col((job_stream::Entity, job_stream::Column::Leased)))
}

fn of_stream(what: Expr) -> SelectStatement {
    use job_stream::Column as S;
    Query::select()
        .expr(what)
        .from(job_stream::Entity)
        .and_where(Expr::col((job_stream::Entity, S::JobId)).equals((job::Entity, job::Column::Id)))
        .and_where(
            Expr::col((job_stream::Entity, S::Generation))
                .equals((job::Entity, job::Column::Generation)),
        )
        .and_where(Expr::col((job::Entity, job::Column::InStream)).eq(true))
        .to_owned()
}

fn visible() -> Expr {
    Expr::col((ticket::Entity, ticket::Column::VisibleAt))
}

fn of_job() -> Expr {
    Expr::col((ticket::Entity, ticket::Column::JobId)).equals((job::Entity, job::Column::Id))
}

/// The job's tickets of which this holds.
fn tickets(which: Expr) -> SelectStatement {
    Query::select()
        .expr(Expr::value(1))
        .from(ticket::Entity)
        .and_where(of_job())
        .and_where(which)
        .to_owned()
}
