//! Lists of occurrences: narrowed, ordered, paged. A row is valid when it has a box and a
//! determination; the lists show valid ones that pass the project's default filters, unless a
//! request says otherwise (`ui.md` §A.8, `domain-rules.md` §11).

use std::collections::HashMap;

use chrono::NaiveDate;
use sea_orm::sea_query::{Expr, ExprTrait, Query, SelectStatement};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, Select};

use super::Occurrence;
use crate::connection::{Store, StoreResult};
use crate::defaults::Defaults;
use crate::entity::{classification, detection, identification, occurrence, session, taxon};
use crate::export::members;
use crate::order::{Orders, in_list};
use crate::taxa_list;

/// Up to so many are looked up and sorted; of more, an order is walked until the page is full.
const FEW: u64 = 5000;
/// The same on PostgreSQL of those that are found by lists of nights or boxes, which lie together
/// in time: an order by time may have to be walked past all others.
const FEW_LISTED: u64 = 100_000;

/// Which occurrences a list shows.
#[derive(Clone, Debug, Default, PartialEq)]
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

/// How a database is to find the rows of a list: with `+` before a column, no index that begins
/// with it is used.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// As it likes.
    Free,
    /// By their taxa.
    Taxa,
    /// By what narrows the list, not by the project.
    Narrow,
    /// The same on PostgreSQL, which is told the numbers of what narrows it as lists: it would
    /// look at every row of the project where it overrates how many pass.
    Listed,
    /// In the order of the list, along the index that has it.
    Order,
}

impl Reach {
    /// What stands for a column: itself, or hidden, where it is not by this that rows are found.
    fn column(self, column: occurrence::Column, hidden: &'static str) -> Expr {
        use occurrence::Column as C;
        let hides = match column {
            C::ProjectId => matches!(self, Reach::Narrow | Reach::Listed),
            C::DeterminationScore => self != Reach::Free,
            C::DeterminationId => matches!(self, Reach::Narrow | Reach::Listed | Reach::Order),
            _ => self == Reach::Order,
        };
        match hides {
            true => Expr::cust(hidden),
            false => Expr::col((occurrence::Entity, column)),
        }
    }

    /// That a value is one of those that a statement gives.
    fn among(self, value: Expr, these: SelectStatement) -> Expr {
        match self {
            // PostgreSQL makes a list of them once and does not search for each row.
            Reach::Order => value.in_subquery(these).eq(true),
            Reach::Listed => in_list(value, these),
            _ => value.in_subquery(these),
        }
    }

    fn id(self) -> Expr {
        self.column(occurrence::Column::Id, "+occurrence.id")
    }

    fn taxon(self) -> Expr {
        let taxon = occurrence::Column::DeterminationId;
        self.column(taxon, "+occurrence.determination_id")
    }
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

    /// Whether nothing narrows it but a project and default filters.
    pub(crate) fn is_all_of_project(&self) -> bool {
        let plain = OccurrenceFilter {
            project_id: self.project_id,
            visible: self.visible.clone(),
            defaults: self.defaults.clone(),
            order: self.order.clone(),
            ..OccurrenceFilter::default()
        };
        *self == plain && self.project_id.is_some() && self.is_visible()
    }

    /// Whether its project is among those that may be seen.
    fn is_visible(&self) -> bool {
        let visible = self.visible.as_ref().zip(self.project_id);
        visible.is_none_or(|(visible, project)| visible.contains(&project))
    }

    /// The condition in SQL, on the table of occurrences alone.
    pub(crate) fn condition(&self) -> Condition {
        let taxa = [self.taxon_id, self.taxa_list_id, self.determination_id];
        let by_taxa = taxa.iter().any(Option::is_some) || self.rank.is_some();
        self.reached(match self.is_narrow() {
            true => Reach::Narrow,
            false if by_taxa => Reach::Taxa,
            false => Reach::Free,
        })
    }

    /// The same for a search that is to begin with the few rows that pass.
    pub(crate) fn looked_up(&self, sqlite: bool) -> Condition {
        if sqlite {
            return self.condition();
        }
        if self.is_narrow() {
            return self.reached(Reach::Listed);
        }
        let below = |id: i64| taxa_list::any_below("occurrence.determination_id", id);
        self.condition().add_option(self.taxon_id.map(below))
    }

    /// Whether it asks for something by which its rows are found sooner than by their project.
    fn is_narrow(&self) -> bool {
        let ids = [
            self.id,
            self.station_id,
            self.session_id,
            self.capture_id,
            self.capture_set_id,
        ];
        ids.iter().any(Option::is_some)
            || self.verified == Some(true)
            || self.verified_by.is_some_and(|(_, yes)| yes)
            || self.from_day.is_some()
            || self.to_day.is_some()
    }

    /// The condition, worded for how the rows are to be found.
    pub(super) fn reached(&self, by: Reach) -> Condition {
        use occurrence::Column as C;
        let project = by.column(C::ProjectId, "+occurrence.project_id");
        let score = by.column(C::DeterminationScore, "+occurrence.determination_score");
        let numbers = [
            (by.id(), self.id),
            (
                by.column(C::StationId, "+occurrence.station_id"),
                self.station_id,
            ),
            (
                by.column(C::SessionId, "+occurrence.session_id"),
                self.session_id,
            ),
            (by.taxon(), self.determination_id),
            (project, self.project_id),
        ];
        let mut all = Condition::all()
            .add(Expr::cust("+occurrence.boxes_count").gt(0))
            .add(match by {
                Reach::Free => Expr::col((occurrence::Entity, C::DeterminationId)).is_not_null(),
                _ => Expr::cust("+occurrence.determination_id").is_not_null(),
            })
            .add(self.defaults.condition_on(score));
        for (column, value) in numbers {
            all = all.add_option(value.map(|value| column.eq(value)));
        }
        let visible = self.visible.as_ref();
        let visible = visible.filter(|_| self.project_id.is_none() || !self.is_visible());
        all = all.add_option(visible.map(|ids| C::ProjectId.is_in(ids.iter().copied())));
        all.add(self.of_taxa(by))
            .add(self.of_boxes(by))
            .add(self.of_people(by))
            .add(self.of_days(by))
    }

    fn of_taxa(&self, by: Reach) -> Condition {
        let determination = match by {
            Reach::Free | Reach::Taxa => "occurrence.determination_id",
            Reach::Narrow | Reach::Listed | Reach::Order => "+occurrence.determination_id",
        };
        let listed = |id: i64| taxa_list::members_and_below(determination, id);
        let below = |id: i64| taxa_list::is_or_below(determination, &[id]);
        Condition::all()
            .add_option(self.taxon_id.map(below))
            .add_option(self.taxa_list_id.map(listed))
            .add_option(self.not_taxa_list_id.map(|id| listed(id).not()))
            .add_option(self.rank.as_ref().map(|rank| {
                let of_rank = Query::select()
                    .column(taxon::Column::Id)
                    .from(taxon::Entity)
                    .and_where(taxon::Column::Rank.eq(rank))
                    .to_owned();
                by.taxon().in_subquery(of_rank)
            }))
    }

    fn of_boxes(&self, by: Reach) -> Condition {
        let capture = detection::Column::CaptureId;
        // The boxes themselves are found by their captures, also where an order is walked.
        let of_set = |id: i64| match by {
            Reach::Listed => by.among(capture.into_expr(), members(id)),
            _ => capture.in_subquery(members(id)),
        };
        let on = |which: Expr| by.among(by.id(), boxes(which));
        let mut all = Condition::all()
            .add_option(self.capture_id.map(|id| on(capture.eq(id))))
            .add_option(self.capture_set_id.map(|id| on(of_set(id))));
        if !self.algorithms.is_empty() {
            all = all.add(classified_by(&self.algorithms));
        }
        if !self.not_algorithms.is_empty() {
            all = all.add(classified_by(&self.not_algorithms).not());
        }
        all
    }

    fn of_people(&self, by: Reach) -> Condition {
        let narrow = |yes: bool, people: SelectStatement| match yes {
            true => by.among(by.id(), people),
            false => by.id().not_in_subquery(people),
        };
        Condition::all()
            .add_option(self.verified.map(|yes| narrow(yes, identified(None))))
            .add_option(
                self.verified_by
                    .map(|(user, yes)| narrow(yes, identified(Some(user)))),
            )
    }

    fn of_days(&self, by: Reach) -> Condition {
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
        let session = by.column(occurrence::Column::SessionId, "+occurrence.session_id");
        Condition::all().add(by.among(session, nights))
    }

    /// Up to how many rows are looked up and sorted.
    fn few(&self, sqlite: bool) -> u64 {
        let lists =
            self.capture_set_id.is_some() || self.from_day.is_some() || self.to_day.is_some();
        if lists && !sqlite { FEW_LISTED } else { FEW }
    }

    fn select(&self, sqlite: bool) -> Select<occurrence::Entity> {
        occurrence::Entity::find().filter(self.looked_up(sqlite))
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

/// The occurrences that somebody, or this person, identified.
fn identified(user: Option<i64>) -> SelectStatement {
    let mut by = Query::select()
        .column(identification::Column::OccurrenceId)
        .from(identification::Entity)
        .and_where(identification::Column::Withdrawn.eq(false))
        .to_owned();
    if let Some(user) = user {
        by.and_where(identification::Column::UserId.eq(user));
    }
    by
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
        // By their boxes: an algorithm has as many classifications as a project has boxes.
        .and_where(Expr::cust("+classification.algorithm_id").is_in(algorithms.iter().copied()))
        .to_owned();
    Expr::exists(by)
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
        let count = self.count_rows(filter.select(self.is_sqlite())).await?;
        if count == 0 {
            return Ok((Vec::new(), 0)); // an order would be walked to its end
        }
        let parts = filter.parts(count <= filter.few(self.is_sqlite()), self.is_sqlite());
        let ids = self.page_ids(parts, limit, offset).await?;
        let rows = self.occurrences_by_id(&ids).await?;
        let mut by_id: HashMap<i64, Occurrence> = rows.into_iter().map(|o| (o.id, o)).collect();
        let rows = ids.iter().filter_map(|id| by_id.remove(id)).collect();
        Ok((rows, count))
    }

    /// How many occurrences a filter lets through, exactly or as [`Store::occurrences_page`]
    /// counts.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn count_occurrences(&self, filter: &OccurrenceFilter) -> StoreResult<u64> {
        self.count_rows(filter.select(self.is_sqlite())).await
    }
}
