//! What the first page and a project's overview tell of projects: sums over their stations, which
//! have been counted, and jobs by state along an index.

use std::collections::HashMap;

use chrono::NaiveDateTime;
use domain::state::JobState;
use sea_orm::sea_query::{Expr, ExprTrait, Func, Query};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::connection::{Store, StoreResult};
use crate::entity::{job, station};
use crate::job::Job;

/// How much a project holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Stations.
    pub stations: i64,
    /// Their sessions.
    pub sessions: i64,
    /// Their captures.
    pub captures: i64,
    /// When the last of these was taken, on the clock of its station.
    pub last_capture_at: Option<NaiveDateTime>,
    /// Jobs that a worker process runs or that wait for one.
    pub running: i64,
}

impl Store {
    /// The figures of these projects; one without stations and jobs has none.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn project_figures(&self, projects: &[i64]) -> StoreResult<HashMap<i64, Figures>> {
        use station::Column as S;
        let mut figures: HashMap<i64, Figures> = HashMap::new();
        if projects.is_empty() {
            return Ok(figures);
        }
        let sum = |column: S| Func::sum(Expr::col(column)).cast_as("BIGINT");
        let stations: Vec<(i64, i64, i64, i64, Option<NaiveDateTime>)> = station::Entity::find()
            .select_only()
            .column(S::ProjectId)
            .column_as(S::Id.count(), "stations")
            .column_as(sum(S::SessionsCount), "sessions")
            .column_as(sum(S::CapturesCount), "captures")
            .column_as(S::LastCaptureAt.max(), "last")
            .filter(S::ProjectId.is_in(projects.iter().copied()))
            .group_by(S::ProjectId)
            .into_tuple()
            .all(&self.db)
            .await?;
        for (project, stations, sessions, captures, last_capture_at) in stations {
            let of = figures.entry(project).or_default();
            (of.stations, of.sessions, of.captures) = (stations, sessions, captures);
            of.last_capture_at = last_capture_at;
        }
        use job::Column as J;
        let running = Query::select()
            .column(J::ProjectId)
            .expr(Func::count(Expr::col(J::Id)))
            .from(job::Entity)
            .and_where(Expr::col(J::ProjectId).is_in(projects.iter().copied()))
            .and_where(Expr::col(J::State).is_in(AT_WORK.map(JobState::code)))
            .group_by_col(J::ProjectId)
            .to_owned();
        for row in self.db.query_all(&running).await? {
            let of = figures.entry(row.try_get_by_index(0)?).or_default();
            of.running = row.try_get_by_index(1)?;
        }
        Ok(figures)
    }

    /// The newest jobs of a project in one of these states, the newest first.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn latest_jobs(
        &self,
        project: i64,
        states: &[JobState],
        most: u64,
    ) -> StoreResult<Vec<Job>> {
        use job::Column as J;
        let mut jobs = Vec::new();
        // One after the other, so that each is read along an index and no further than `most`.
        for state in states {
            let newest = job::Entity::find()
                .filter(J::ProjectId.eq(project))
                .filter(J::State.eq(state.code()))
                .order_by_desc(J::CreatedAt)
                .order_by_desc(J::Id)
                .limit(most);
            jobs.extend(newest.all(&self.db).await?);
        }
        jobs.sort_by_key(|job| std::cmp::Reverse((job.created_at, job.id)));
        jobs.truncate(usize::try_from(most).unwrap_or(usize::MAX));
        Ok(jobs)
    }
}

/// The states of jobs that are under way.
pub const AT_WORK: [JobState; 4] = [
    JobState::Started,
    JobState::Canceling,
    JobState::Retry,
    JobState::Pending,
];
