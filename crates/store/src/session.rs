//! Sessions of a station and their regrouping (`domain-rules.md` §4). The idea: capture times are
//! read in order, page by page, and each finished group is written in a transaction of its own;
//! a crash in the middle leaves some captures in their old sessions, and the next run, which
//! changes only what is not yet so, puts them right. Memory does not grow with the station.

use std::collections::BTreeSet;

use chrono::{Duration, NaiveDateTime};
use domain::session::{Group, Grouper, Stats};
use sea_orm::sea_query::{BinOper, Expr, ExprTrait, OnConflict, Query, SelectStatement};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect,
};

use crate::capture::lock::lock_those;
use crate::connection::{Store, StoreError, StoreResult, again, now};
use crate::entity::{capture, detection, occurrence, session};
use crate::station::Station;

mod dimensions;
mod list;
mod nights;

pub use crate::entity::session::Model as Session;
pub use list::{Moment, SessionFilter, SessionOrder};
pub use nights::Night;

/// Times read by one query.
const PAGE: u64 = 5000;

impl Store {
    /// Groups a station's captures into sessions. `share` hears how far it is, 0 to 1. The
    /// caller holds the station's regroup lock. Running it again changes nothing.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], or an error of the database.
    pub async fn regroup(
        &self,
        station: i64,
        gap: Duration,
        mut share: impl FnMut(f64) + Send,
    ) -> StoreResult<Stats> {
        let station = self.station(station).await?;
        // Read before the captures: what changes from now on is marked anew.
        let due = station.regroup_due_at;
        let all = self.count_timed(station.id).await?;
        let mut run = Run::default();
        let mut grouper = Grouper::new(gap);
        let mut last: Option<(NaiveDateTime, i64)> = None;
        let mut read = 0u64;
        loop {
            let page = self.times_after(station.id, last).await?;
            let Some(end) = page.last() else { break };
            last = Some(*end);
            read += page.len() as u64;
            for (time, _) in page {
                let group = grouper.push(time);
                let group = group.map_err(|e| StoreError::Unreadable(e.to_string()))?;
                if let Some(group) = group {
                    self.write_group(&station, group, &mut run).await?;
                }
            }
            share(read as f64 / Ord::max(all, 1) as f64);
        }
        if let Some(group) = grouper.finish() {
            self.write_group(&station, group, &mut run).await?;
        }
        let stats = self.settle(&station, run).await?;
        if let Some(due) = due {
            self.regrouped(station.id, due).await?;
        }
        Ok(stats)
    }

    async fn count_timed(&self, station: i64) -> StoreResult<u64> {
        Ok(capture::Entity::find()
            .filter(capture::Column::StationId.eq(station))
            .filter(capture::Column::TakenAt.is_not_null())
            .count(&self.db)
            .await?)
    }

    async fn times_after(
        &self,
        station: i64,
        last: Option<(NaiveDateTime, i64)>,
    ) -> StoreResult<Vec<(NaiveDateTime, i64)>> {
        use capture::Column as C;
        let mut select = capture::Entity::find()
            .select_only()
            .columns([C::TakenAt, C::Id])
            .filter(C::StationId.eq(station))
            .filter(C::TakenAt.is_not_null())
            .order_by_asc(C::TakenAt)
            .order_by_asc(C::Id)
            .limit(PAGE);
        if let Some((time, id)) = last {
            // The first condition says nothing new, but with the second alone PostgreSQL reads and
            // sorts the whole rest of the station for every page.
            select = select
                .filter(C::TakenAt.gte(time))
                .filter(Condition::any().add(C::TakenAt.gt(time)).add(C::Id.gt(id)));
        }
        Ok(select.into_tuple().all(&self.db).await?)
    }

    /// Finds or makes the session of a group and moves the group's captures into it.
    async fn write_group(&self, station: &Station, group: Group, run: &mut Run) -> StoreResult<()> {
        let moved = again(|| self.move_group(station, &group)).await?;
        run.stats.events_created += moved.made;
        run.stats.duplicate_timestamps += group.shared_times;
        run.touched.insert(moved.to);
        run.touched.extend(moved.losers);
        Ok(())
    }

    async fn move_group(&self, station: &Station, group: &Group) -> StoreResult<Moved> {
        use capture::Column as C;
        let at = now();
        let tx = self.write().await?;
        let made = session::Entity::insert(session::ActiveModel {
            project_id: Set(station.project_id),
            station_id: Set(Some(station.id)),
            day: Set(group.day),
            start_at: Set(group.start),
            end_at: Set(Some(group.end)),
            captures_count: Set(0),
            detections_count: Set(0),
            occurrences_count: Set(0),
            counted_at: Set(None),
            created_at: Set(at),
            updated_at: Set(at),
            ..Default::default()
        })
        .on_conflict(
            OnConflict::columns([session::Column::StationId, session::Column::Day])
                .do_nothing()
                .to_owned(),
        )
        .exec_without_returning(&*tx)
        .await?;
        let to = session::Entity::find()
            .filter(session::Column::StationId.eq(station.id))
            .filter(session::Column::Day.eq(group.day))
            .one(&*tx)
            .await?
            .ok_or(StoreError::NotFound("session"))?
            .id;
        let elsewhere = Condition::all()
            .add(C::StationId.eq(station.id))
            .add(C::TakenAt.between(group.start, group.end))
            .add(
                Condition::any()
                    .add(C::SessionId.is_null())
                    .add(C::SessionId.ne(to)),
            );
        let losers: Vec<Option<i64>> = capture::Entity::find()
            .select_only()
            .column(C::SessionId)
            .distinct()
            .filter(elsewhere.clone())
            .into_tuple()
            .all(&*tx)
            .await?;
        if !losers.is_empty() {
            lock_those(&tx, elsewhere.clone()).await?;
            capture::Entity::update_many()
                .col_expr(C::SessionId, Expr::value(to))
                .filter(elsewhere)
                .exec(&*tx)
                .await?;
        }
        tx.commit().await?;
        let losers = losers.into_iter().flatten().collect();
        Ok(Moved { made, to, losers })
    }

    /// After all groups: occurrences follow their captures, empty sessions go, counters.
    async fn settle(&self, station: &Station, mut run: Run) -> StoreResult<Stats> {
        self.move_occurrences(station.id).await?;
        for session in &run.touched {
            self.refresh_session(*session).await?;
        }
        run.stats.events_touched = run.touched.len() as u64;
        run.stats.empty_events_deleted = again(|| self.delete_empty_sessions(station.id)).await?;
        self.refresh_station(station.id).await?;
        use capture::Column as C;
        let of_station = || capture::Entity::find().filter(C::StationId.eq(station.id));
        let timed = || of_station().filter(C::TakenAt.is_not_null());
        run.stats.captures_grouped = timed()
            .filter(C::SessionId.is_not_null())
            .count(&self.db)
            .await?;
        run.stats.ungrouped_captures = timed()
            .filter(C::SessionId.is_null())
            .count(&self.db)
            .await?;
        run.stats.captures_missing_timestamp = of_station()
            .filter(C::TakenAt.is_null())
            .count(&self.db)
            .await?;
        Ok(run.stats)
    }

    /// The occurrences of a station belong to the session of their earliest detection's capture,
    /// those without detections to none. All are looked at, not only those of captures that just
    /// moved: an earlier run may have been cut off between moving captures and this.
    async fn move_occurrences(&self, station: i64) -> StoreResult<()> {
        use occurrence::Column as O;
        let mut after = i64::MIN;
        loop {
            let ids: Vec<i64> = occurrence::Entity::find()
                .select_only()
                .column(O::Id)
                .filter(O::StationId.eq(station))
                .filter(O::Id.gt(after))
                .order_by_asc(O::Id)
                .limit(1000)
                .into_tuple()
                .all(&self.db)
                .await?;
            let Some(last) = ids.last() else { break };
            after = *last;
            again(|| self.move_those(&ids)).await?;
        }
        Ok(())
    }

    async fn move_those(&self, occurrences: &[i64]) -> StoreResult<()> {
        use occurrence::Column as O;
        let right = || Expr::SubQuery(None, Box::new(earliest_session().into()));
        let stored = Expr::col((occurrence::Entity, O::SessionId));
        let tx = self.write().await?;
        occurrence::Entity::update_many()
            .col_expr(O::SessionId, right())
            .filter(O::Id.is_in(occurrences.iter().copied()))
            .filter(stored.binary(BinOper::Custom("IS DISTINCT FROM"), right()))
            .exec(&*tx)
            .await?;
        tx.commit().await
    }

    async fn delete_empty_sessions(&self, station: i64) -> StoreResult<u64> {
        let used = |table: &str| {
            Query::select()
                .expr(Expr::value(1))
                .from(table.to_owned())
                .and_where(
                    Expr::col((table.to_owned(), "session_id"))
                        .equals((session::Entity, session::Column::Id)),
                )
                .to_owned()
        };
        let tx = self.write().await?;
        let done = session::Entity::delete_many()
            .filter(session::Column::StationId.eq(station))
            .filter(Expr::exists(used("capture")).not())
            .filter(Expr::exists(used("occurrence")).not())
            .exec(&*tx)
            .await?;
        tx.commit().await?;
        Ok(done.rows_affected)
    }

    /// The session with this id.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], or an error of the database.
    pub async fn session(&self, id: i64) -> StoreResult<Session> {
        session::Entity::find_by_id(id)
            .one(&self.db)
            .await?
            .ok_or(StoreError::NotFound("session"))
    }

    /// How many sessions a project has.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn count_sessions(&self, project: i64) -> StoreResult<u64> {
        Ok(session::Entity::find()
            .filter(session::Column::ProjectId.eq(project))
            .count(&self.db)
            .await?)
    }

    /// The sessions of a station, by day.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn sessions_of(&self, station: i64) -> StoreResult<Vec<Session>> {
        Ok(session::Entity::find()
            .filter(session::Column::StationId.eq(station))
            .order_by_asc(session::Column::Day)
            .all(&self.db)
            .await?)
    }
}

/// What a regroup has done so far: as many sessions as it touched, no captures.
#[derive(Default)]
struct Run {
    stats: Stats,
    touched: BTreeSet<i64>,
}

/// What became of a group: whether its session was made, which it is, and those that lost captures
/// to it.
struct Moved {
    made: u64,
    to: i64,
    losers: Vec<i64>,
}

/// The session of the capture of an occurrence's earliest detection.
fn earliest_session() -> SelectStatement {
    Query::select()
        .column((capture::Entity, capture::Column::SessionId))
        .from(detection::Entity)
        .inner_join(
            capture::Entity,
            Expr::col((capture::Entity, capture::Column::Id))
                .equals((detection::Entity, detection::Column::CaptureId)),
        )
        .and_where(
            Expr::col((detection::Entity, detection::Column::OccurrenceId))
                .equals((occurrence::Entity, occurrence::Column::Id)),
        )
        .order_by(
            (capture::Entity, capture::Column::TakenAt),
            sea_orm::Order::Asc,
        )
        .order_by((capture::Entity, capture::Column::Id), sea_orm::Order::Asc)
        .order_by(
            (detection::Entity, detection::Column::Id),
            sea_orm::Order::Asc,
        )
        .limit(1)
        .to_owned()
}
