//! Lists of occurrences: filter, order, page (`ui.md` §A.8, `domain-rules.md` §11). A page is first
//! found as numbers along an index, and only its rows are read in full.

use std::collections::HashMap;

use chrono::NaiveDate;
use sea_orm::sea_query::{Expr, ExprTrait, Func, NullOrdering, Query, SelectStatement};
use sea_orm::{ColumnTrait, Condition, EntityTrait, Order, QueryFilter, QueryOrder};

use super::Occurrence;
use crate::connection::{Store, StoreResult};
use crate::defaults::Defaults;
use crate::entity::{
    algorithm, capture_set_member, classification, detection, occurrence, taxa_list_taxon,
};
use crate::pipeline::Algorithm;

/// Up to so many occurrences that a filter leaves are sorted.
const FEW: u64 = 10_000;

/// Which occurrences a list shows; what is left out does not narrow it.
#[derive(Clone, Debug, Default)]
pub struct OccurrenceFilter {
    /// The project.
    pub project_id: i64,
    /// The project's default filters.
    pub defaults: Defaults,
    /// Only of this station.
    pub station_id: Option<i64>,
    /// Only of this session.
    pub session_id: Option<i64>,
    /// Only seen on this capture.
    pub capture_id: Option<i64>,
    /// Only seen on a capture of this set.
    pub set_id: Option<i64>,
    /// Only determined as one of these.
    pub taxa: Option<Vec<i64>>,
    /// Only with a result of this algorithm.
    pub algorithm_id: Option<i64>,
    /// Only without a result of this algorithm.
    pub not_algorithm_id: Option<i64>,
    /// Only determined as a taxon of this list.
    pub taxa_list_id: Option<i64>,
    /// Only not determined as a taxon of this list.
    pub not_taxa_list_id: Option<i64>,
    /// First seen on this day or later.
    pub from: Option<NaiveDate>,
    /// First seen on this day or earlier.
    pub until: Option<NaiveDate>,
}

/// What a list of occurrences is ordered by.
#[derive(Clone, Copy, Debug)]
pub struct OccurrenceOrder(occurrence::Column, bool);

impl OccurrenceOrder {
    /// The names in the API.
    pub const NAMES: [&'static str; 8] = [
        "created_at",
        "updated_at",
        "determination_score",
        "determination",
        "first_appearance_timestamp",
        "detections_count",
        "deployment",
        "event",
    ];

    /// The order with this name in the API.
    pub fn from_name(name: &str) -> Option<OccurrenceOrder> {
        use occurrence::Column as O;
        let (column, nullable) = match name {
            "created_at" => (O::Id, false),
            "updated_at" => (O::UpdatedAt, false),
            "determination_score" => (O::DeterminationScore, true),
            "determination" => (O::DeterminationId, true),
            "first_appearance_timestamp" => (O::FirstSeenAt, true),
            "detections_count" => (O::BoxesCount, false),
            "deployment" => (O::StationId, true),
            "event" => (O::SessionId, true),
            _ => return None,
        };
        Some(OccurrenceOrder(column, nullable))
    }
}

impl Store {
    /// One page of occurrences in this order (true means descending), the surest first where
    /// there is none; and how many there are in all.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn occurrences_page(
        &self,
        filter: &OccurrenceFilter,
        order: Option<(OccurrenceOrder, bool)>,
        limit: u64,
        offset: u64,
    ) -> StoreResult<(Vec<Occurrence>, u64)> {
        let by = order.map_or(occurrence::Column::DeterminationScore, |(order, _)| order.0);
        let along = if filter.is_narrow() {
            Along::Filter
        } else {
            Along::Any
        };
        let count = self.count_list(filter.select(along)).await?;
        let along = match along {
            Along::Filter if count <= FEW => Along::Filter,
            _ if by.is_score() => Along::Score,
            _ => Along::Order,
        };
        let parts = filter.parts(order, along);
        let ids = self.page_ids(parts, limit, offset).await?;
        let rows = self.occurrences_by_id(&ids).await?;
        let mut by_id: HashMap<i64, Occurrence> = rows.into_iter().map(|o| (o.id, o)).collect();
        let rows = ids.iter().filter_map(|id| by_id.remove(id)).collect();
        Ok((rows, count))
    }

    /// The boxes of these occurrences, the latest first.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn boxes_of(
        &self,
        occurrences: &[i64],
    ) -> StoreResult<HashMap<i64, Vec<detection::Model>>> {
        use detection::Column as D;
        let mut of: HashMap<i64, Vec<detection::Model>> = HashMap::new();
        for chunk in occurrences.chunks(1000) {
            let rows = detection::Entity::find()
                .filter(D::OccurrenceId.is_in(chunk.iter().copied()))
                .filter(D::X1.is_not_null())
                .order_by_with_nulls(D::TakenAt, Order::Desc, NullOrdering::Last)
                .order_by_desc(D::Id)
                .all(&self.db)
                .await?;
            for row in rows {
                if let Some(id) = row.occurrence_id {
                    of.entry(id).or_default().push(row);
                }
            }
        }
        Ok(of)
    }

    /// The algorithms whose results a project has, by number. Each is looked for along an index,
    /// so their number counts and not the number of results.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn algorithms_in_project(&self, project: i64) -> StoreResult<Vec<Algorithm>> {
        use crate::entity::capture;
        let own = || {
            let mut select = Query::select();
            select
                .expr(Expr::value(1))
                .from(detection::Entity)
                .inner_join(
                    capture::Entity,
                    Expr::col((capture::Entity, capture::Column::Id))
                        .equals((detection::Entity, detection::Column::CaptureId)),
                )
                .and_where(capture::Column::ProjectId.eq(project));
            select
        };
        let id = (algorithm::Entity, algorithm::Column::Id);
        let drawn = own()
            .and_where(Expr::col((detection::Entity, detection::Column::AlgorithmId)).equals(id))
            .to_owned();
        let named = own()
            .inner_join(
                classification::Entity,
                Expr::col((classification::Entity, classification::Column::DetectionId))
                    .equals((detection::Entity, detection::Column::Id)),
            )
            .and_where(
                Expr::col((classification::Entity, classification::Column::AlgorithmId)).equals(id),
            )
            .to_owned();
        let either = Condition::any()
            .add(Expr::exists(drawn))
            .add(Expr::exists(named));
        Ok(algorithm::Entity::find()
            .filter(either)
            .order_by_asc(algorithm::Column::Id)
            .all(&self.db)
            .await?)
    }
}

/// Along which index a list is read. Databases choose badly between a filter that leaves few rows
/// and an order that finds a page at once, so the choice is made here: columns of the other
/// indices stand in expressions, for which there is no index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Along {
    /// Whatever the database likes.
    Any,
    /// That of the filter, and sort.
    Filter,
    /// That of the score.
    Score,
    /// That of the order.
    Order,
}

impl occurrence::Column {
    const fn is_score(self) -> bool {
        matches!(self, occurrence::Column::DeterminationScore)
    }
}

fn column(column: occurrence::Column, indexed: bool) -> Expr {
    let name = Expr::col((occurrence::Entity, column));
    if indexed { name } else { name.add(0) }
}

impl OccurrenceFilter {
    /// Whether it asks for something that has an index of its own.
    const fn is_narrow(&self) -> bool {
        self.station_id.is_some()
            || self.session_id.is_some()
            || self.capture_id.is_some()
            || self.taxa.is_some()
    }

    /// The numbers of the occurrences, in no order.
    fn select(&self, along: Along) -> SelectStatement {
        use occurrence::Column as O;
        let own = along != Along::Order && along != Along::Score;
        let score = column(
            O::DeterminationScore,
            matches!(along, Along::Any | Along::Score),
        );
        let least = self.defaults.threshold;
        let all = Condition::all()
            .add(column(O::ProjectId, along != Along::Filter).eq(self.project_id))
            .add_option(least.map(|least| score.gte(least)))
            .add_option(self.station_id.map(|id| column(O::StationId, own).eq(id)))
            .add_option(self.session_id.map(|id| column(O::SessionId, own).eq(id)))
            .add_option(self.capture_id.map(on_capture))
            .add_option(self.set_id.map(in_set))
            .add_option(
                self.taxa
                    .as_ref()
                    .map(|t| column(O::DeterminationId, own).is_in(t.clone())),
            )
            .add_option(self.algorithm_id.map(by_algorithm))
            .add_option(self.not_algorithm_id.map(|id| by_algorithm(id).not()))
            .add_option(
                self.taxa_list_id
                    .map(|id| Condition::all().add(O::DeterminationId.in_subquery(taxa_of(id)))),
            )
            .add_option(self.not_taxa_list_id.map(|id| {
                Condition::any()
                    .add(O::DeterminationId.is_null())
                    .add(O::DeterminationId.not_in_subquery(taxa_of(id)))
            }))
            .add_option(
                self.from
                    .map(|day| O::FirstSeenAt.gte(day.and_time(Default::default()))),
            )
            .add_option(
                self.until
                    .and_then(|day| day.succ_opt())
                    .map(|day| O::FirstSeenAt.lt(day.and_time(Default::default()))),
            );
        Query::select()
            .column((occurrence::Entity, O::Id))
            .from(occurrence::Entity)
            .cond_where(all)
            .to_owned()
    }

    /// The list in this order; those without a value follow as a part of their own.
    fn parts(&self, order: Option<(OccurrenceOrder, bool)>, along: Along) -> Vec<SelectStatement> {
        use occurrence::Column as O;
        let surest = (OccurrenceOrder(O::DeterminationScore, true), true);
        let (OccurrenceOrder(column, nullable), descending) = order.unwrap_or(surest);
        let towards = if descending { Order::Desc } else { Order::Asc };
        let id = (occurrence::Entity, O::Id);
        let by = Expr::col((occurrence::Entity, column));
        let by: Expr = match along {
            Along::Filter => Func::coalesce([by.clone(), by]).into(),
            _ => by,
        };
        let mut with = self.select(along);
        with.order_by_expr(by, towards.clone());
        // Equally sure ones stay in the order in which they were made.
        let among = if order.is_none() {
            Order::Asc
        } else {
            towards.clone()
        };
        with.order_by(id, among);
        if !nullable {
            return vec![with];
        }
        let mut without = self.select(along);
        without.and_where(column.is_null()).order_by(id, Order::Asc);
        with.and_where(column.is_not_null());
        vec![with, without]
    }
}

/// Something about the detections of the occurrence of the row around.
fn of_occurrence() -> SelectStatement {
    Query::select()
        .expr(Expr::value(1))
        .from(detection::Entity)
        .and_where(
            Expr::col((detection::Entity, detection::Column::OccurrenceId))
                .equals((occurrence::Entity, occurrence::Column::Id)),
        )
        .to_owned()
}

fn on_capture(id: i64) -> Expr {
    let seen = Query::select()
        .column(detection::Column::OccurrenceId)
        .from(detection::Entity)
        .and_where(detection::Column::CaptureId.eq(id))
        .to_owned();
    occurrence::Column::Id.in_subquery(seen)
}

fn in_set(id: i64) -> Expr {
    use capture_set_member::Column as M;
    let seen = of_occurrence()
        .inner_join(
            capture_set_member::Entity,
            Expr::col((capture_set_member::Entity, M::CaptureId))
                .equals((detection::Entity, detection::Column::CaptureId)),
        )
        .and_where(M::CaptureSetId.eq(id))
        .to_owned();
    Expr::exists(seen)
}

/// The occurrence has a box or a classification of this algorithm.
fn by_algorithm(id: i64) -> Condition {
    let drawn = of_occurrence()
        .and_where(detection::Column::AlgorithmId.eq(id))
        .to_owned();
    let named = of_occurrence()
        .inner_join(
            classification::Entity,
            Expr::col((classification::Entity, classification::Column::DetectionId))
                .equals((detection::Entity, detection::Column::Id)),
        )
        .and_where(classification::Column::AlgorithmId.eq(id))
        .to_owned();
    Condition::any()
        .add(Expr::exists(drawn))
        .add(Expr::exists(named))
}

fn taxa_of(list: i64) -> SelectStatement {
    Query::select()
        .column(taxa_list_taxon::Column::TaxonId)
        .from(taxa_list_taxon::Entity)
        .and_where(taxa_list_taxon::Column::TaxaListId.eq(list))
        .to_owned()
}
