//! Numbers behind the charts of projects (`ui.md` §A.3) and taxa: captures and detections by hour,
//! captures, occurrences and species by month, the taxa seen most. The idea: what has been counted
//! already is read from sessions, and what has not is read from an index, so that a chart of a
//! million captures costs little more than one of a thousand.

use std::collections::BTreeMap;

use sea_orm::sea_query::{Expr, ExprTrait, Func, Query, SelectStatement};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, Order, QueryFilter, QueryOrder, QueryResult,
    QuerySelect, TryGetableMany,
};

use crate::connection::{Store, StoreResult};
use crate::entity::{capture, occurrence, session, taxon};
use crate::occurrence::list::OccurrenceFilter;
use crate::project::Project;

mod project;

pub use project::ProjectCharts;

/// Rows that the charts by hour look at: of captures the newest, of a taxon's occurrences the
/// surest.
const MOST: u64 = 100_000;

/// What happened in one hour of the day, over all days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hour {
    /// 0 to 23.
    pub hour: u32,
    /// Days with a capture in this hour.
    pub days: i64,
    /// Captures.
    pub captures: i64,
    /// Detections in them.
    pub detections: i64,
}

/// A number for each month, January first, whatever the year.
pub type Months = [i64; 12];

fn months(rows: Vec<(i32, i64)>) -> Months {
    let mut months = Months::default();
    for (month, number) in rows {
        let at = usize::try_from(month - 1).ok();
        if let Some(slot) = at.and_then(|at| months.get_mut(at)) {
            *slot += number;
        }
    }
    months
}

impl Store {
    /// A part of a local time. SQLite keeps times as text.
    fn part(&self, of: Expr, field: &str) -> Expr {
        let sqlite = self.is_sqlite();
        match (field, sqlite) {
            ("day", true) => Func::cust("SUBSTR").args([of, 1.into(), 10.into()]).into(),
            ("day", false) => of.cast_as("DATE"),
            ("hour", true) => {
                let text: Expr = Func::cust("SUBSTR").args([of, 12.into(), 2.into()]).into();
                text.cast_as("INTEGER")
            }
            ("hour", false) => extract("hour", of),
            (_, true) => {
                let text: Expr = Func::cust("SUBSTR").args([of, 6.into(), 2.into()]).into();
                text.cast_as("INTEGER")
            }
            (_, false) => extract("month", of),
        }
    }

    /// The rows of a statement whose columns are counted or computed.
    async fn tuples<T: TryGetableMany>(&self, select: SelectStatement) -> StoreResult<Vec<T>> {
        let rows = self.db.query_all(&select).await?;
        let read = |row: &QueryResult| T::try_get_many_by_index(row).map_err(DbErr::from);
        Ok(rows.iter().map(read).collect::<Result<_, _>>()?)
    }

    /// Captures and detections by hour of the day, over the newest captures of a project.
    ///
    /// # Errors
    /// Errors of the database.
    async fn hours(&self, project: i64) -> StoreResult<Vec<Hour>> {
        self.hours_of_newest(project, MOST).await
    }

    /// The same over so many of the newest captures.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn hours_of_newest(&self, project: i64, most: u64) -> StoreResult<Vec<Hour>> {
        use capture::Column as C;
        let newest = Query::select()
            .columns([C::TakenAt, C::DetectionsCount])
            .from(capture::Entity)
            .and_where(Expr::col(C::ProjectId).eq(project))
            .and_where(Expr::col(C::TakenAt).is_not_null())
            .order_by(C::TakenAt, Order::Desc)
            .limit(most)
            .to_owned();
        let taken = || Expr::col(C::TakenAt);
        let select = Query::select()
            .expr_as(self.part(taken(), "hour"), "hour")
            .expr_as(Func::count_distinct(self.part(taken(), "day")), "days")
            .expr_as(Func::count(taken()), "captures")
            .expr_as(
                Func::sum(Expr::col(C::DetectionsCount)).cast_as("BIGINT"),
                "detections",
            )
            .from_subquery(newest, "newest")
            .group_by_col("hour")
            .to_owned();
        let rows: Vec<(i32, i64, i64, i64)> = self.tuples(select).await?;
        let hour = |(hour, days, captures, detections)| {
            Some(Hour {
                hour: u32::try_from(hour).ok()?,
                days,
                captures,
                detections,
            })
        };
        Ok(rows.into_iter().filter_map(hour).collect())
    }

    /// Captures by month: as the sessions have counted them, and those in no session.
    ///
    /// # Errors
    /// Errors of the database.
    async fn captures_by_month(&self, project: i64) -> StoreResult<Months> {
        use capture::Column as C;
        let mut counted = self
            .session_sum(project, session::Column::CapturesCount)
            .await?;
        let month = self.part(Expr::col(C::TakenAt), "month");
        let alone = Query::select()
            .expr_as(month, "month")
            .expr_as(Func::count(Expr::col(C::Id)), "number")
            .from(capture::Entity)
            .and_where(Expr::col(C::SessionId).is_null())
            .and_where(Expr::col(C::ProjectId).eq(project))
            .and_where(Expr::col(C::TakenAt).is_not_null())
            .group_by_col("month")
            .to_owned();
        let alone = months(self.tuples(alone).await?);
        for (slot, number) in counted.iter_mut().zip(alone) {
            *slot += number;
        }
        Ok(counted)
    }

    /// Occurrences by month of their session.
    ///
    /// # Errors
    /// Errors of the database.
    async fn occurrences_by_month(&self, project: i64) -> StoreResult<Months> {
        self.session_sum(project, session::Column::OccurrencesCount)
            .await
    }

    async fn session_sum(&self, project: i64, column: session::Column) -> StoreResult<Months> {
        use session::Column as S;
        let month = self.part(Expr::col(S::StartAt), "month");
        let select = Query::select()
            .expr_as(month, "month")
            .expr_as(Func::sum(Expr::col(column)).cast_as("BIGINT"), "number")
            .from(session::Entity)
            .and_where(Expr::col(S::ProjectId).eq(project))
            .group_by_col("month")
            .to_owned();
        Ok(months(self.tuples(select).await?))
    }

    /// How many species were seen in each month, among occurrences that pass the project's score.
    ///
    /// # Errors
    /// Errors of the database.
    async fn species_by_month(&self, project: &Project) -> StoreResult<Months> {
        use occurrence::Column as O;
        use session::Column as S;
        let month = self.part(Expr::col((session::Entity, S::StartAt)), "month");
        let select = Query::select()
            .expr_as(month, "month")
            .expr_as(
                Func::count_distinct(Expr::col((occurrence::Entity, O::DeterminationId))),
                "number",
            )
            .from(session::Entity)
            .inner_join(
                occurrence::Entity,
                Expr::col((occurrence::Entity, O::SessionId)).equals((session::Entity, S::Id)),
            )
            .and_where(Expr::col((session::Entity, S::ProjectId)).eq(project.id))
            .and_where(
                Expr::col((occurrence::Entity, O::DeterminationScore)).gte(project.score_threshold),
            )
            .group_by_col("month")
            .to_owned();
        Ok(months(self.tuples(select).await?))
    }

    /// The taxa with the most occurrences that pass the project's score, the most first: names
    /// with numbers.
    ///
    /// # Errors
    /// Errors of the database.
    async fn top_taxa(&self, project: &Project, most: u64) -> StoreResult<Vec<(String, i64)>> {
        use occurrence::Column as O;
        let rows: Vec<(i64, i64)> = occurrence::Entity::find()
            .select_only()
            .column(O::DeterminationId)
            .column_as(O::Id.count(), "number")
            .filter(O::ProjectId.eq(project.id))
            .filter(O::DeterminationId.is_not_null())
            .filter(O::DeterminationScore.gte(project.score_threshold))
            .group_by(O::DeterminationId)
            .order_by(O::Id.count(), Order::Desc)
            .order_by_asc(O::DeterminationId)
            .limit(most)
            .into_tuple()
            .all(&self.db)
            .await?;
        let names: Vec<(i64, String)> = taxon::Entity::find()
            .select_only()
            .columns([taxon::Column::Id, taxon::Column::Name])
            .filter(taxon::Column::Id.is_in(rows.iter().map(|row| row.0)))
            .into_tuple()
            .all(&self.db)
            .await?;
        let name = |id: i64| {
            let found = names.iter().find(|(known, _)| *known == id)?;
            Some(found.1.clone())
        };
        Ok(rows
            .into_iter()
            .filter_map(|(id, number)| Some((name(id)?, number)))
            .collect())
    }

    /// Occurrences that a filter lets through, by hour of the day and by month of when they were
    /// last seen: the surest of them, so that a taxon seen a million times costs no more.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn occurrences_by_time(
        &self,
        filter: &OccurrenceFilter,
    ) -> StoreResult<(Vec<(u32, i64)>, Months)> {
        use occurrence::Column as O;
        let surest = Query::select()
            .column(O::LastSeenAt)
            .from(occurrence::Entity)
            .cond_where(filter.condition())
            .and_where(O::LastSeenAt.is_not_null())
            .order_by((occurrence::Entity, O::DeterminationScore), Order::Desc)
            .limit(MOST)
            .to_owned();
        let seen = || Expr::col(O::LastSeenAt);
        let select = Query::select()
            .expr_as(self.part(seen(), "hour"), "hour")
            .expr_as(self.part(seen(), "month"), "month")
            .expr_as(Func::count(seen()), "number")
            .from_subquery(surest, "surest")
            .group_by_col("hour")
            .group_by_col("month")
            .to_owned();
        let rows: Vec<(i32, i32, i64)> = self.tuples(select).await?;
        let mut hours = BTreeMap::new();
        for (hour, _, number) in &rows {
            if let Ok(hour) = u32::try_from(*hour) {
                *hours.entry(hour).or_insert(0) += number;
            }
        }
        let by_month = rows.iter().map(|(_, month, number)| (*month, *number));
        Ok((hours.into_iter().collect(), months(by_month.collect())))
    }
}

/// EXTRACT(field FROM time) as a whole number.
fn extract(field: &str, of: Expr) -> Expr {
    let part = Func::cust("DATE_PART").args([Expr::value(field), of]);
    Expr::from(part).cast_as("INTEGER")
}
