//! How jobs, their images and what is to be told stand, for those who run the server. The idea: it
//! is asked again and again, so each count ends at a bound and goes along an index: a million rows
//! cost as much as the bound says, not more.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use domain::state::JobState;
use sea_orm::sea_query::{Asterisk, Expr, ExprTrait, Func, Query};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, Order, QueryFilter, QueryOrder, QuerySelect,
};

use crate::connection::{Store, StoreResult, clock};
use crate::entity::{job, job_stream, ticket, webhook_delivery};
use crate::job::offer::seen;
use crate::ticket::{Depth, HANDED_OUT};

/// Jobs of one state that are counted at most.
const JOBS: u64 = 10_000;
/// Images of one kind that are counted at most.
const IMAGES: u64 = 100_000;
/// Deliveries that are counted at most.
const DELIVERIES: u64 = 10_000;
/// Running jobs whose images are counted at most, those that began first.
const RUNNING: u64 = 200;
/// Images of one job that are looked at for the one that has waited the longest: more than there are
/// dead ones before the caretaker has written them down.
const FIRST: u64 = 100;

/// How many jobs of a kind are in a state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Key of the kind.
    pub kind: String,
    /// The state's code.
    pub state: &'static str,
    /// How many, or the bound.
    pub jobs: u64,
}

impl Store {
    /// Counts the jobs that have not ended, by kind and state.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn standing_jobs(&self) -> StoreResult<Vec<Standing>> {
        let mut all = Vec::new();
        for state in JobState::unfinished() {
            let some = Query::select()
                .column(job::Column::Kind)
                .from(job::Entity)
                .and_where(Expr::col(job::Column::State).eq(state.code()))
                .limit(JOBS)
                .to_owned();
            let counted = Query::select()
                .column(job::Column::Kind)
                .expr(Func::count(Expr::col(Asterisk)))
                .from_subquery(some, "some")
                .group_by_col(job::Column::Kind)
                .to_owned();
            for row in self.db.query_all(&counted).await? {
                let jobs: i64 = row.try_get_by_index(1)?;
                all.push(Standing {
                    kind: row.try_get_by_index(0)?,
                    state: state.code(),
                    jobs: jobs.unsigned_abs(),
                });
            }
        }
        Ok(all)
    }

    /// Since when the job waits that has waited for a runner the longest.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn oldest_waiting_job(&self) -> StoreResult<Option<DateTime<Utc>>> {
        let asked = Func::coalesce([
            Expr::col(job::Column::ScheduledAt),
            Expr::col(job::Column::CreatedAt),
        ]);
        let some = Query::select()
            .expr_as(asked, "asked")
            .from(job::Entity)
            .and_where(Expr::col(job::Column::State).eq(JobState::Pending.code()))
            .order_by(job::Column::Priority, Order::Asc)
            .order_by(job::Column::Id, Order::Asc)
            .limit(JOBS)
            .to_owned();
        let oldest = Query::select()
            .expr(Func::min(Expr::col("asked")))
            .from_subquery(some, "some")
            .to_owned();
        let row = self.db.query_one(&oldest).await?;
        Ok(row.map_or(Ok(None), |row| row.try_get_by_index(0))?)
    }

    /// Running jobs that have images, and since when they run; those that began first.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn running_jobs(&self) -> StoreResult<Vec<(i64, DateTime<Utc>)>> {
        let rows: Vec<(i64, Option<DateTime<Utc>>)> = job::Entity::find()
            .select_only()
            .columns([job::Column::Id, job::Column::StartedAt])
            .filter(job::Column::State.eq(JobState::Started.code()))
            .filter(job::Column::Fed.gt(0))
            .order_by_asc(job::Column::Id)
            .limit(RUNNING)
            .into_tuple()
            .all(&self.db)
            .await?;
        let started = |(id, at): (i64, Option<_>)| Some((id, at?));
        Ok(rows.into_iter().filter_map(started).collect())
    }

    /// Counts the images of some jobs by where they are; those handed out so often are dead when
    /// their lease is over.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn standing_images(&self, jobs: &[i64], most: i32) -> StoreResult<Depth> {
        use ticket::Column as C;
        if jobs.is_empty() {
            return Ok(Depth::default());
        }
        let now = clock();
        let of_jobs = || {
            Query::select()
                .expr(Expr::value(1))
                .from(ticket::Entity)
                .and_where(Expr::col(C::JobId).is_in(jobs.iter().copied()))
                .limit(IMAGES)
                .to_owned()
        };
        let seen = || Expr::col(C::VisibleAt);
        let fresh = of_jobs().and_where(seen().lt(HANDED_OUT)).take();
        let leased = of_jobs().and_where(seen().gt(now)).take();
        let over = of_jobs().and_where(seen().between(HANDED_OUT, now)).take();
        let again = Expr::col(C::Deliveries).lt(most);
        let again = over.clone().and_where(again).take();
        let [fresh, leased, over, again] = [
            self.count_all(fresh).await?,
            self.count_all(leased).await?,
            self.count_all(over).await?,
            self.count_all(again).await?,
        ];
        Ok(Depth {
            waiting: fresh + again,
            leased,
            dead: over.saturating_sub(again),
        })
    }

    /// Those of some jobs whose images lie in a stream, each with the images that were last seen
    /// there, waiting and in somebody's hands.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn standing_streams(&self, jobs: &[i64]) -> StoreResult<Vec<(i64, u64, u64)>> {
        use job_stream::Column as S;
        let seen: Vec<(i64, i64, i64)> = job_stream::Entity::find()
            .select_only()
            .columns([S::JobId, S::Waiting, S::Leased])
            .filter(S::JobId.is_in(jobs.iter().copied()))
            .into_tuple()
            .all(&self.db)
            .await?;
        let seen = seen.into_iter();
        Ok(seen
            .map(|(job, waiting, leased)| (job, waiting.unsigned_abs(), leased.unsigned_abs()))
            .collect())
    }

    /// Since when the image waits that has waited the longest, of running jobs as
    /// [`Store::running_jobs`] tells them; those handed out so often are dead. One that somebody
    /// had waits since its lease ended; of one that nobody had yet, and of those in a stream, only
    /// when its job was taken up is known.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn oldest_waiting_image(
        &self,
        running: &[(i64, DateTime<Utc>)],
        most: i32,
    ) -> StoreResult<Option<DateTime<Utc>>> {
        use ticket::Column as C;
        let ids = || running.iter().map(|(id, _)| *id);
        let of_job = Expr::col((ticket::Entity, C::JobId));
        let visible = || Expr::col((ticket::Entity, C::VisibleAt));
        let some = Query::select()
            .columns([C::VisibleAt, C::Deliveries])
            .from(ticket::Entity)
            .and_where(of_job.equals((job::Entity, job::Column::Id)))
            .and_where(visible().lte(clock()))
            .order_by((ticket::Entity, C::VisibleAt), Order::Asc)
            .limit(FIRST)
            .to_owned();
        let first = Query::select()
            .expr(Func::min(Expr::col(C::VisibleAt)))
            .from_subquery(some, "some")
            .and_where(Expr::col(C::Deliveries).lt(most))
            .to_owned();
        let first = Expr::SubQuery(None, Box::new(first.into()));
        let first: Vec<(i64, Option<i64>)> = job::Entity::find()
            .select_only()
            .column(job::Column::Id)
            .column_as(first, "first")
            .filter(job::Column::Id.is_in(ids()))
            .into_tuple()
            .all(&self.db)
            .await?;
        let streamed: Vec<i64> = job::Entity::find()
            .select_only()
            .column(job::Column::Id)
            .filter(job::Column::Id.is_in(ids()))
            .filter(Expr::exists(seen(job_stream::Column::Waiting)))
            .into_tuple()
            .all(&self.db)
            .await?;
        let begun: HashMap<i64, DateTime<Utc>> = running.iter().copied().collect();
        let since = |(job, first): (i64, Option<i64>)| match first? {
            place if place < HANDED_OUT => begun.get(&job).copied(),
            time => DateTime::from_timestamp_millis(time),
        };
        let first = first.into_iter().filter_map(since);
        let streamed = streamed.iter().filter_map(|job| begun.get(job).copied());
        Ok(first.chain(streamed).min())
    }

    /// Counts what is to be told and was neither taken nor given up yet.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn standing_deliveries(&self) -> StoreResult<u64> {
        use webhook_delivery::Column as C;
        // Only what waits has a next time; this is its index.
        let waiting = Query::select()
            .expr(Expr::value(1))
            .from(webhook_delivery::Entity)
            .and_where(C::NextAt.gt(DateTime::<Utc>::UNIX_EPOCH))
            .limit(DELIVERIES)
            .to_owned();
        self.count_all(waiting).await
    }
}
