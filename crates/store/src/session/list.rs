//! Lists of sessions, and what a session's page shows of its captures (`ui.md` §A.8). A session is
//! one night of one station, so its captures may be read whole; a project's may not.

use std::collections::HashMap;

use chrono::NaiveDateTime;
use sea_orm::sea_query::{Expr, ExprTrait, Func, NullOrdering, Query, SelectStatement};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, JoinType, Order, PaginatorTrait,
    QueryFilter, QueryOrder, QuerySelect, RelationTrait,
};

use super::Session;
use crate::capture::Capture;
use crate::connection::{Store, StoreResult};
use crate::defaults::Defaults;
use crate::entity::{capture, occurrence, session, station, taxon};
use crate::order::{for_each, way};

/// Which sessions a list shows; what is left out does not narrow it.
#[derive(Clone, Debug, Default)]
pub struct SessionFilter {
    /// Only of this project.
    pub project_id: Option<i64>,
    /// Only of these projects: what the caller may see. `None` means all.
    pub visible: Option<Vec<i64>>,
    /// Only of this station.
    pub station_id: Option<i64>,
}

/// What a list of sessions is ordered by.
#[derive(Clone, Copy, Debug)]
pub struct SessionOrder(By);

#[derive(Clone, Copy, Debug)]
enum By {
    Column(session::Column),
    StationName,
}

impl SessionOrder {
    /// By the names of their stations, within each the newest first: for people, where the API
    /// orders by the numbers of stations.
    pub const STATION_NAME: SessionOrder = SessionOrder(By::StationName);

    /// The names in the API.
    pub const NAMES: [&'static str; 9] = [
        "created_at",
        "updated_at",
        "start",
        "end",
        "deployment",
        "captures_count",
        "detections_count",
        "occurrences_count",
        "taxa_count",
    ];

    /// The order with this name in the API.
    pub fn from_name(name: &str) -> Option<SessionOrder> {
        use session::Column as S;
        let column = match name {
            "created_at" => S::CreatedAt,
            "updated_at" => S::UpdatedAt,
            "start" => S::StartAt,
            "end" => S::EndAt,
            "deployment" => S::StationId,
            "captures_count" => S::CapturesCount,
            "detections_count" => S::DetectionsCount,
            "occurrences_count" => S::OccurrencesCount,
            "taxa_count" => S::TaxaCount,
            _ => return None,
        };
        Some(SessionOrder(By::Column(column)))
    }

    /// The column, where it is one of the session's own.
    const fn column(self) -> session::Column {
        match self.0 {
            By::Column(column) => column,
            By::StationName => session::Column::StationId,
        }
    }
}

impl SessionFilter {
    fn condition(&self) -> Condition {
        use session::Column as S;
        let visible = self.visible.as_ref();
        Condition::all()
            .add_option(self.project_id.map(|id| S::ProjectId.eq(id)))
            .add_option(visible.map(|ids| S::ProjectId.is_in(ids.iter().copied())))
            .add_option(self.station_id.map(|id| S::StationId.eq(id)))
    }

    /// The sessions by the names of their stations, along the stations; then those without one.
    fn by_station_name(&self, descending: bool, sqlite: bool) -> Vec<SelectStatement> {
        use session::Column as S;
        use station::Column as T;
        let own = Expr::col((session::Entity, S::StationId)).equals((station::Entity, T::Id));
        let mut with = Query::select();
        with.column((session::Entity, S::Id))
            .from(station::Entity)
            .cond_where(
                Condition::all()
                    .add_option(self.project_id.map(|id| T::Id.in_subquery(used(id))))
                    .add_option(self.station_id.map(|id| T::Id.eq(id))),
            )
            .order_by((station::Entity, T::Name), way(descending))
            .order_by((station::Entity, T::Id), way(descending));
        let columns: &[S] = &[S::Id, S::Day];
        let table = (session::Entity, columns);
        for_each(&mut with, table, self.condition().add(own), sqlite);
        // A station has one session of a day.
        with.order_by((session::Entity, S::Day), Order::Desc);
        let without = Query::select()
            .column((session::Entity, S::Id))
            .from(session::Entity)
            .cond_where(self.condition().add(S::StationId.is_null()))
            .order_by((session::Entity, S::StartAt), Order::Desc)
            .order_by((session::Entity, S::Id), Order::Desc)
            .to_owned();
        vec![with, without]
    }
}

/// The stations of a project's sessions: an imported one may be another project's, or nobody's.
fn used(project: i64) -> SelectStatement {
    Query::select()
        .distinct()
        .column(session::Column::StationId)
        .from(session::Entity)
        .and_where(session::Column::ProjectId.eq(project))
        .and_where(session::Column::StationId.is_not_null())
        .to_owned()
}

/// A capture of a session as its charts and its timeline need it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// The capture.
    pub capture: i64,
    /// When it was taken.
    pub at: NaiveDateTime,
    /// What was found on it.
    pub detections: i64,
    /// Whether a pipeline has looked at it.
    pub processed: bool,
}

impl Store {
    /// A page of sessions in this order (true means descending), by their start where there is
    /// none; and how many there are.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn sessions_page(
        &self,
        filter: &SessionFilter,
        order: &[(SessionOrder, bool)],
        limit: u64,
        offset: u64,
    ) -> StoreResult<(Vec<Session>, u64)> {
        use session::Column as S;
        let mut select = session::Entity::find().filter(filter.condition());
        let count = self.count_rows(select.clone()).await?;
        if let [(SessionOrder(By::StationName), descending)] = order {
            let parts = filter.by_station_name(*descending, self.is_sqlite());
            let ids = self.page_ids(parts, limit, offset).await?;
            let mut rows = self.sessions_by_id(&ids).await?;
            return Ok((ids.iter().filter_map(|id| rows.remove(id)).collect(), count));
        }
        for (by, descending) in order {
            // Where no null can come none is spoken of: the order is then that of an index.
            select = match by.column() {
                column @ (S::EndAt | S::StationId) => {
                    select.order_by_with_nulls(column, way(*descending), NullOrdering::Last)
                }
                always => select.order_by(always, way(*descending)),
            };
        }
        if order.is_empty() {
            select = select.order_by_asc(S::StartAt);
        }
        let page = select.order_by_asc(S::Id).limit(limit).offset(offset);
        Ok((page.all(&self.db).await?, count))
    }

    /// Sessions by id, for a page of captures.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn sessions_by_id(&self, ids: &[i64]) -> StoreResult<HashMap<i64, Session>> {
        let mut found = HashMap::new();
        for chunk in ids.chunks(1000) {
            let select =
                session::Entity::find().filter(session::Column::Id.is_in(chunk.iter().copied()));
            let rows = select.all(&self.db).await?;
            found.extend(rows.into_iter().map(|row| (row.id, row)));
        }
        Ok(found)
    }

    /// The example of each session: its largest photograph, or any where no size is known.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn examples(&self, sessions: &[i64]) -> StoreResult<Vec<Capture>> {
        let largest = example()
            .and_where(Expr::col((capture::Entity, capture::Column::Size)).is_not_null())
            .order_by((capture::Entity, capture::Column::Size), Order::Desc)
            .to_owned();
        let any = example()
            .order_by((capture::Entity, capture::Column::TakenAt), Order::Asc)
            .to_owned();
        let scalar = |select: SelectStatement| Expr::SubQuery(None, Box::new(select.into()));
        let mut ids = Vec::new();
        for chunk in sessions.chunks(1000) {
            let select = Query::select()
                .expr(Func::coalesce([
                    scalar(largest.clone()),
                    scalar(any.clone()),
                ]))
                .from(session::Entity)
                .and_where(
                    Expr::col((session::Entity, session::Column::Id)).is_in(chunk.iter().copied()),
                )
                .to_owned();
            for row in self.db.query_all(&select).await? {
                ids.extend(row.try_get_by_index::<Option<i64>>(0)?);
            }
        }
        self.captures_by_id(&ids).await
    }

    /// The captures of a session with a time, in order of time.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn moments(&self, session: i64) -> StoreResult<Vec<Moment>> {
        use capture::Column as C;
        let rows: Vec<(i64, NaiveDateTime, i64, bool)> = capture::Entity::find()
            .select_only()
            .columns([C::Id, C::TakenAt, C::DetectionsCount])
            .expr(C::LastProcessedAt.is_not_null())
            .filter(C::SessionId.eq(session))
            .filter(C::TakenAt.is_not_null())
            .order_by_asc(C::TakenAt)
            .order_by_asc(C::Id)
            .into_tuple()
            .all(&self.db)
            .await?;
        let moment = |(capture, at, detections, processed)| Moment {
            capture,
            at,
            detections,
            processed,
        };
        Ok(rows.into_iter().map(moment).collect())
    }

    /// The taxa seen most in a session, with how often; those that pass the filters.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn top_taxa_of_session(
        &self,
        session: i64,
        defaults: &Defaults,
        limit: u64,
    ) -> StoreResult<Vec<(String, i64)>> {
        let count = Func::count(Expr::col((occurrence::Entity, occurrence::Column::Id)));
        Ok(occurrence::Entity::find()
            .join(
                JoinType::InnerJoin,
                occurrence::Relation::Determination.def(),
            )
            .select_only()
            .column(taxon::Column::Name)
            .expr(count.clone())
            .filter(occurrence::Column::SessionId.eq(session))
            .filter(defaults.condition())
            .group_by(taxon::Column::Id)
            .group_by(taxon::Column::Name)
            .order_by(count, Order::Desc)
            .order_by_asc(taxon::Column::Name)
            .limit(limit)
            .into_tuple()
            .all(&self.db)
            .await?)
    }

    /// How many captures of a session were taken before this one.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn captures_before(&self, session: i64, at: NaiveDateTime) -> StoreResult<u64> {
        Ok(capture::Entity::find()
            .filter(capture::Column::SessionId.eq(session))
            .filter(capture::Column::TakenAt.lt(at))
            .count(&self.db)
            .await?)
    }
}

/// One capture of the session of the row around.
fn example() -> SelectStatement {
    Query::select()
        .column((capture::Entity, capture::Column::Id))
        .from(capture::Entity)
        .and_where(
            Expr::col((capture::Entity, capture::Column::SessionId))
                .equals((session::Entity, session::Column::Id)),
        )
        .limit(1)
        .to_owned()
}
