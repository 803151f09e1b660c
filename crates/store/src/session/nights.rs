//! Nights of a project and of a station: what each brought, and which lies before and after. All
//! of it is read from sessions, which have been counted, along an index.

use std::collections::{BTreeMap, HashMap};

use chrono::{NaiveDate, NaiveDateTime};
use sea_orm::sea_query::{Expr, ExprTrait, Query};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, Order, QueryFilter, QueryOrder, QuerySelect,
};

use super::Session;
use crate::connection::{Store, StoreResult};
use crate::entity::{capture, session};

/// Sessions that the newest nights are made of, at most.
const SESSIONS: u64 = 2000;

/// A night over all stations of a project.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Night {
    /// Date of its evening.
    pub day: NaiveDate,
    /// When the first of its captures was taken.
    pub start: NaiveDateTime,
    /// When the last of them was, mostly on the next day.
    pub end: NaiveDateTime,
    /// Stations at work.
    pub sessions: i64,
    /// Captures.
    pub captures: i64,
    /// Detections in them.
    pub detections: i64,
}

impl Store {
    /// The newest nights of a project in which something was captured, the earliest first, at most
    /// so many. Each is whole.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn nights(&self, project: i64, most: usize) -> StoreResult<Vec<Night>> {
        use session::Column as S;
        type Row = (NaiveDate, NaiveDateTime, Option<NaiveDateTime>, i64, i64);
        let rows: Vec<Row> = session::Entity::find()
            .select_only()
            .columns([S::Day, S::StartAt, S::EndAt])
            .columns([S::CapturesCount, S::DetectionsCount])
            .filter(S::ProjectId.eq(project))
            .order_by_desc(S::StartAt)
            .limit(SESSIONS)
            .into_tuple()
            .all(&self.db)
            .await?;
        let cut = rows.len() as u64 == SESSIONS;
        let mut nights: BTreeMap<NaiveDate, Night> = BTreeMap::new();
        for (day, start, end, captures, detections) in rows {
            let end = end.unwrap_or(start);
            let night = nights.entry(day).or_insert(Night {
                day,
                start,
                end,
                sessions: 0,
                captures: 0,
                detections: 0,
            });
            night.start = Ord::min(night.start, start);
            night.end = Ord::max(night.end, end);
            night.sessions += 1;
            night.captures += captures;
            night.detections += detections;
        }
        if cut && nights.len() > 1 {
            nights.pop_first(); // the bound may have cut it in two
        }
        let skipped = nights.len().saturating_sub(most);
        Ok(nights.into_values().skip(skipped).collect())
    }

    /// The sessions of the same station before and after this one.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn nights_beside(
        &self,
        of: &Session,
    ) -> StoreResult<(Option<Session>, Option<Session>)> {
        use session::Column as S;
        let Some(station) = of.station_id else {
            return Ok((None, None));
        };
        let all = || session::Entity::find().filter(S::StationId.eq(station));
        let before = all().filter(S::Day.lt(of.day)).order_by_desc(S::Day);
        let after = all().filter(S::Day.gt(of.day)).order_by_asc(S::Day);
        Ok((before.one(&self.db).await?, after.one(&self.db).await?))
    }

    /// The first and the last capture of each of these sessions.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn first_and_last(&self, sessions: &[i64]) -> StoreResult<HashMap<i64, (i64, i64)>> {
        use session::Column as S;
        let mut found = HashMap::new();
        for chunk in sessions.chunks(1000) {
            let select = Query::select()
                .column((session::Entity, S::Id))
                .expr(at_end(Order::Asc))
                .expr(at_end(Order::Desc))
                .from(session::Entity)
                .and_where(Expr::col((session::Entity, S::Id)).is_in(chunk.iter().copied()))
                .to_owned();
            for row in self.db.query_all(&select).await? {
                let ends: (Option<i64>, Option<i64>) =
                    (row.try_get_by_index(1)?, row.try_get_by_index(2)?);
                if let (Some(first), Some(last)) = ends {
                    found.insert(row.try_get_by_index(0)?, (first, last));
                }
            }
        }
        Ok(found)
    }
}

/// The capture at one end of the session of the row around.
fn at_end(order: Order) -> Expr {
    use capture::Column as C;
    let own = Expr::col((capture::Entity, C::SessionId));
    let one = Query::select()
        .column((capture::Entity, C::Id))
        .from(capture::Entity)
        .and_where(own.equals((session::Entity, session::Column::Id)))
        .and_where(Expr::col((capture::Entity, C::TakenAt)).is_not_null())
        .order_by((capture::Entity, C::TakenAt), order.clone())
        .order_by((capture::Entity, C::Id), order)
        .limit(1)
        .to_owned();
    Expr::SubQuery(None, Box::new(one.into()))
}
