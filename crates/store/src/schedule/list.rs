//! Schedules and their runs to be looked at: a fixed number of statements for a page, whatever it
//! shows.

use std::collections::HashMap;

use domain::permission::VIEW_PRIVATE;
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
};

use super::{Schedule, ScheduleRun};
use crate::connection::{Store, StoreResult};
use crate::entity::{job, schedule, schedule_job, schedule_run};
use crate::job::Job;
use crate::job::list::holds;
use crate::order::{Orders, ordered};
use crate::user::User;

/// What the list can be ordered by.
pub const SCHEDULE_ORDERS: &[&str] = &["id", "name", "next_run", "created_at", "updated_at"];

/// Which schedules a list shows.
#[derive(Clone, Debug, Default)]
pub struct ScheduleFilter {
    /// Only of this project.
    pub project_id: Option<i64>,
    /// Only of these projects; `None` means all.
    pub visible: Option<Vec<i64>>,
    /// Only those with all of these words in their names.
    pub search: Vec<String>,
    /// In this order.
    pub order: Orders,
}

/// A job of a run.
#[derive(Clone, Debug)]
pub struct RunJob {
    /// Place of its step.
    pub step: i32,
    /// The job.
    pub job: Job,
}

impl Store {
    /// The projects whose schedules a person may see: their own, and those of which they are a
    /// member; `None` means all (superusers).
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn scheduling_projects(&self, user: Option<&User>) -> StoreResult<Option<Vec<i64>>> {
        self.projects_granting(user, VIEW_PRIVATE).await
    }

    /// One page of schedules, and how many there are in all.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn schedules(
        &self,
        filter: &ScheduleFilter,
        limit: u64,
        offset: u64,
    ) -> StoreResult<(Vec<Schedule>, u64)> {
        use schedule::Column as C;
        let visible = filter.visible.as_ref();
        let words = filter.search.iter();
        let words = words.map(|word| holds((schedule::Entity, C::Name), word));
        let which = words.fold(Condition::all(), Condition::add);
        let which = which
            .add(C::ProjectId.is_not_null())
            .add_option(filter.project_id.map(|id| C::ProjectId.eq(id)))
            .add_option(visible.map(|ids| C::ProjectId.is_in(ids.iter().copied())));
        let select = schedule::Entity::find().filter(which);
        let count = select.clone().count(&self.db).await?;
        let column = |name: &str| match name {
            "id" => Some(C::Id),
            "name" => Some(C::Name),
            "next_run" => Some(C::NextAt),
            "created_at" => Some(C::CreatedAt),
            "updated_at" => Some(C::UpdatedAt),
            _ => None,
        };
        let rows = ordered(select, &filter.order, column, C::Id);
        let rows = rows.limit(limit).offset(offset).all(&self.db).await?;
        Ok((rows, count))
    }

    /// The newest run of each of these schedules that ever ran.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn last_runs(&self, schedules: &[i64]) -> StoreResult<HashMap<i64, ScheduleRun>> {
        use schedule_run::Column as C;
        let newest: Vec<i64> = schedule_run::Entity::find()
            .select_only()
            .column_as(C::Id.max(), "newest")
            .filter(C::ScheduleId.is_in(schedules.iter().copied()))
            .group_by(C::ScheduleId)
            .into_tuple()
            .all(&self.db)
            .await?;
        let rows = schedule_run::Entity::find()
            .filter(C::Id.is_in(newest))
            .all(&self.db)
            .await?;
        Ok(rows.into_iter().map(|run| (run.schedule_id, run)).collect())
    }

    /// The newest runs of a schedule, the newest first.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn runs_of_schedule(&self, id: i64, most: u64) -> StoreResult<Vec<ScheduleRun>> {
        Ok(schedule_run::Entity::find()
            .filter(schedule_run::Column::ScheduleId.eq(id))
            .order_by_desc(schedule_run::Column::Id)
            .limit(most)
            .all(&self.db)
            .await?)
    }

    /// The jobs of these runs that are still there, in the order in which they were made.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn jobs_of_runs(&self, runs: &[i64]) -> StoreResult<HashMap<i64, Vec<RunJob>>> {
        let rows = schedule_job::Entity::find()
            .find_also_related(job::Entity)
            .filter(schedule_job::Column::RunId.is_in(runs.iter().copied()))
            .order_by_asc(schedule_job::Column::Id)
            .all(&self.db)
            .await?;
        let mut jobs: HashMap<i64, Vec<RunJob>> = HashMap::new();
        for (row, job) in rows {
            let made = job.map(|job| RunJob {
                step: row.step,
                job,
            });
            jobs.entry(row.run_id).or_default().extend(made);
        }
        Ok(jobs)
    }
}
