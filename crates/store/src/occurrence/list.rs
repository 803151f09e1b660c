//! Lists of occurrences: narrowed, ordered, paged. A row is valid when it has a box and a
//! determination; the lists show valid ones that pass the project's default filters, unless a
//! request says otherwise (`ui.md` §A.8, `domain-rules.md` §11).

use chrono::NaiveDate;
use sea_orm::sea_query::{Expr, ExprTrait, NullOrdering, Query, SelectStatement};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, Order, QueryFilter, QueryOrder, QuerySelect, Select,
};

use super::Occurrence;
use crate::connection::{Store, StoreResult};
use crate::defaults::Defaults;
use crate::entity::{
    classification, detection, identification, occurrence, session, station, taxon,
};
use crate::export::members;
use crate::order::{Orders, way};
use crate::taxa_list;

/// Which occurrences a list shows.
#[derive(Clone, Debug, Default)]
pub struct OccurrenceFilter {
    /// Only this one.
    pub id: Option<i64>,
    /// Only of this project.
    pub project_id: Option<i64>,
    /// Only of these projects; `None` means all.
    pub visible: Option<Vec<i64>>,
    /// The project's default filters, or what a request sets instead.
    pub defaults: Defaults,
    /// Only of this station.
    pub station_id: Option<i64>,
    /// Only of this session.
    pub session_id: Option<i64>,
    /// Only with a box on this capture.
    pub capture_id: Option<i64>,
    /// Only with a box on a capture of this set.
    pub capture_set_id: Option<i64>,
    /// Only determined as this taxon or one below it.
    pub taxon_id: Option<i64>,
    /// Only determined as exactly this taxon.
    pub determination_id: Option<i64>,
    /// Only determined as a taxon of this rank.
    pub rank: Option<String>,
    /// Only determined as a taxon of this list, or below one.
    pub taxa_list_id: Option<i64>,
    /// Only determined as none of this list, nor below one.
    pub not_taxa_list_id: Option<i64>,
    /// Only classified by one of these algorithms.
    pub algorithms: Vec<i64>,
    /// Only classified by none of these algorithms.
    pub not_algorithms: Vec<i64>,
    /// Only identified by somebody, or by nobody.
    pub verified: Option<bool>,
    /// Only identified by this person, or not.
    pub verified_by: Option<(i64, bool)>,
    /// Only of sessions that start on this day or later.
    pub from_day: Option<NaiveDate>,
    /// Only of sessions that start on this day or earlier.
    pub to_day: Option<NaiveDate>,
    /// In this order.
    pub order: Orders,
}

impl OccurrenceFilter {
    /// The names in the API of what a list can be ordered by.
    pub const ORDERS: [&'static str; 13] = [
        "id",
        "created_at",
        "updated_at",
        "event",
        "event__start",
        "deployment",
        "deployment__name",
        "determination",
        "determination__name",
        "determination_score",
        "detections_count",
        "first_appearance_timestamp",
        "duration",
    ];

    /// The condition in SQL, on the table of occurrences alone.
    pub(crate) fn condition(&self) -> Condition {
        use occurrence::Column as C;
        let numbers = [
            (C::Id, self.id),
            (C::ProjectId, self.project_id),
            (C::StationId, self.station_id),
            (C::SessionId, self.session_id),
            (C::DeterminationId, self.determination_id),
        ];
        let mut all = Condition::all()
            .add(C::BoxesCount.gt(0))
            .add(C::DeterminationId.is_not_null())
            .add(self.defaults.condition());
        for (column, value) in numbers {
            all = all.add_option(value.map(|value| column.eq(value)));
        }
        let visible = self.visible.as_ref();
        all = all.add_option(visible.map(|ids| C::ProjectId.is_in(ids.iter().copied())));
        all.add(self.of_taxa())
            .add(self.of_boxes())
            .add(self.of_people())
            .add(self.of_days())
    }

    fn of_taxa(&self) -> Condition {
        let taxon = occurrence::Column::DeterminationId;
        let listed = |id: i64| taxa_list::members_and_below(id);
        Condition::all()
            .add_option(self.taxon_id.map(|id| taxa_list::is_or_below(&[id])))
            .add_option(self.taxa_list_id.map(listed))
            .add_option(self.not_taxa_list_id.map(|id| listed(id).not()))
            .add_option(self.rank.as_ref().map(|rank| {
                let of_rank = Query::select()
                    .column(taxon::Column::Id)
                    .from(taxon::Entity)
                    .and_where(taxon::Column::Rank.eq(rank))
                    .to_owned();
                taxon.in_subquery(of_rank)
            }))
    }

    fn of_boxes(&self) -> Condition {
        let id = occurrence::Column::Id;
        let on = |which: Expr| id.in_subquery(boxes(which));
        let capture = detection::Column::CaptureId;
        let mut all = Condition::all()
            .add_option(self.capture_id.map(|id| on(capture.eq(id))))
            .add_option(
                self.capture_set_id
                    .map(|id| on(capture.in_subquery(members(id)))),
            );
        if !self.algorithms.is_empty() {
            all = all.add(classified_by(&self.algorithms));
        }
        if !self.not_algorithms.is_empty() {
            all = all.add(classified_by(&self.not_algorithms).not());
        }
        all
    }

    fn of_people(&self) -> Condition {
        let identified = |user: Option<i64>| {
            let mut by = Query::select()
                .column(identification::Column::OccurrenceId)
                .from(identification::Entity)
                .and_where(identification::Column::Withdrawn.eq(false))
                .to_owned();
            if let Some(user) = user {
                by.and_where(identification::Column::UserId.eq(user));
            }
            by
        };
        let id = occurrence::Column::Id;
        let narrow = |yes: bool, by: SelectStatement| match yes {
            true => id.in_subquery(by),
            false => id.not_in_subquery(by),
        };
        Condition::all()
            .add_option(self.verified.map(|yes| narrow(yes, identified(None))))
            .add_option(
                self.verified_by
                    .map(|(user, yes)| narrow(yes, identified(Some(user)))),
            )
    }

    fn of_days(&self) -> Condition {
        if self.from_day.is_none() && self.to_day.is_none() {
            return Condition::all();
        }
        let start = session::Column::StartAt;
        let midnight = |day: NaiveDate| day.and_time(chrono::NaiveTime::MIN);
        let mut nights = Query::select()
            .column(session::Column::Id)
            .from(session::Entity)
            .to_owned();
        if let Some(day) = self.from_day {
            nights.and_where(start.gte(midnight(day)));
        }
        if let Some(next) = self.to_day.and_then(|day| day.succ_opt()) {
            nights.and_where(start.lt(midnight(next)));
        }
        if let Some(project) = self.project_id {
            nights.and_where(session::Column::ProjectId.eq(project));
        }
        Condition::all().add(occurrence::Column::SessionId.in_subquery(nights))
    }

    fn select(&self) -> Select<occurrence::Entity> {
        occurrence::Entity::find().filter(self.condition())
    }

    /// Ordered so that the usual orders are those of an index: where no null can come, none is
    /// spoken of, and the rows' numbers run the same way.
    fn ordered(&self) -> Select<occurrence::Entity> {
        use occurrence::Column as C;
        let scored = self.defaults.threshold.is_some();
        let mut select = self.select();
        let mut last = None;
        for (name, descending) in &self.order {
            let direction = way(*descending);
            let nullable = match *name {
                "id" => (Expr::col((occurrence::Entity, C::Id)), false),
                "created_at" => (Expr::col((occurrence::Entity, C::CreatedAt)), false),
                "updated_at" => (Expr::col((occurrence::Entity, C::UpdatedAt)), false),
                "detections_count" => (Expr::col((occurrence::Entity, C::BoxesCount)), false),
                "determination_score" => (
                    Expr::col((occurrence::Entity, C::DeterminationScore)),
                    !scored,
                ),
                "first_appearance_timestamp" => {
                    (Expr::col((occurrence::Entity, C::FirstSeenAt)), true)
                }
                "event" | "event__start" => (start_of_session(), true),
                "deployment" | "deployment__name" => (name_of_station(), true),
                "determination" | "determination__name" => (name_of_taxon(), true),
                "duration" => (duration(), true),
                _ => continue,
            };
            select = match nullable {
                (what, true) => select.order_by_with_nulls(what, direction, NullOrdering::Last),
                (what, false) => select.order_by(what, direction),
            };
            last = Some(*descending);
        }
        let Some(descending) = last else {
            let by_score = match scored {
                true => select.order_by_desc(C::DeterminationScore),
                false => select.order_by_with_nulls(
                    C::DeterminationScore,
                    Order::Desc,
                    NullOrdering::Last,
                ),
            };
            return by_score.order_by_asc(C::Id);
        };
        select.order_by(C::Id, way(descending))
    }
}

/// The occurrences that have a box of which this holds.
fn boxes(which: Expr) -> SelectStatement {
    Query::select()
        .column(detection::Column::OccurrenceId)
        .from(detection::Entity)
        .and_where(which)
        .and_where(detection::Column::X1.is_not_null())
        .and_where(detection::Column::OccurrenceId.is_not_null())
        .to_owned()
}

/// A box of the occurrence was classified by one of these.
fn classified_by(algorithms: &[i64]) -> Expr {
    let by = Query::select()
        .expr(Expr::val(1))
        .from(classification::Entity)
        .inner_join(
            detection::Entity,
            Expr::col((detection::Entity, detection::Column::Id))
                .equals((classification::Entity, classification::Column::DetectionId)),
        )
        .and_where(
            Expr::col((detection::Entity, detection::Column::OccurrenceId))
                .equals((occurrence::Entity, occurrence::Column::Id)),
        )
        .and_where(classification::Column::AlgorithmId.is_in(algorithms.iter().copied()))
        .to_owned();
    Expr::exists(by)
}

fn scalar(select: SelectStatement) -> Expr {
    Expr::SubQuery(None, Box::new(select.into()))
}

fn start_of_session() -> Expr {
    scalar(
        Query::select()
            .column((session::Entity, session::Column::StartAt))
            .from(session::Entity)
            .and_where(
                Expr::col((session::Entity, session::Column::Id))
                    .equals((occurrence::Entity, occurrence::Column::SessionId)),
            )
            .to_owned(),
    )
}

fn name_of_station() -> Expr {
    scalar(
        Query::select()
            .column((station::Entity, station::Column::Name))
            .from(station::Entity)
            .and_where(
                Expr::col((station::Entity, station::Column::Id))
                    .equals((occurrence::Entity, occurrence::Column::StationId)),
            )
            .to_owned(),
    )
}

fn name_of_taxon() -> Expr {
    scalar(
        Query::select()
            .column((taxon::Entity, taxon::Column::Name))
            .from(taxon::Entity)
            .and_where(
                Expr::col((taxon::Entity, taxon::Column::Id))
                    .equals((occurrence::Entity, occurrence::Column::DeterminationId)),
            )
            .to_owned(),
    )
}

/// Seconds, or whatever else grows with them: only compared.
fn duration() -> Expr {
    Expr::cust("occurrence.last_seen_at").sub(Expr::cust("occurrence.first_seen_at"))
}

impl Store {
    /// One page of occurrences, and how many there are in all.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn occurrences_page(
        &self,
        filter: &OccurrenceFilter,
        limit: u64,
        offset: u64,
    ) -> StoreResult<(Vec<Occurrence>, u64)> {
        let count = self.count_rows(filter.select()).await?;
        let rows = filter.ordered().limit(limit).offset(offset);
        Ok((rows.all(&self.db).await?, count))
    }

    /// How many occurrences a filter lets through, exactly or as [`Store::occurrences_page`]
    /// counts.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn count_occurrences(&self, filter: &OccurrenceFilter) -> StoreResult<u64> {
        self.count_rows(filter.select()).await
    }
}
