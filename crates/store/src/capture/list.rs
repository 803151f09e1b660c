//! Lists of captures: filter, order, page (`ui.md` §A.5). The idea: a page is first found as
//! numbers along an index, whatever the order, and only its rows are read in full.

use std::collections::HashMap;

use chrono::NaiveDateTime;
use sea_orm::sea_query::{Expr, ExprTrait, Func, NullOrdering, Query, SelectStatement};
use sea_orm::{ColumnTrait, Condition, EntityTrait, Order, QueryFilter, QuerySelect};

use super::Capture;
use crate::connection::{Store, StoreResult};
use crate::entity::{capture, capture_set, capture_set_member, session, station};
use crate::order::for_each;

/// Sets up to this size are sorted whole; of larger ones the project's order is walked.
const SMALL_SET: i64 = 5000;
/// The same for what a filter leaves.
const FEW: u64 = 10_000;

/// Which captures a list shows; what is left out does not narrow it.
#[derive(Clone, Debug, Default)]
pub struct CaptureFilter {
    /// The project.
    pub project_id: i64,
    /// Only of this station.
    pub station_id: Option<i64>,
    /// Only of this session.
    pub session_id: Option<i64>,
    /// Only those in one of these capture sets.
    pub sets: Vec<i64>,
    /// Only those that a pipeline has looked at, or not.
    pub processed: Option<bool>,
    /// Only those with a box, or without.
    pub has_detections: Option<bool>,
    /// Only those taken then or later.
    pub since: Option<NaiveDateTime>,
    /// Only those taken then or earlier.
    pub until: Option<NaiveDateTime>,
}

/// What a list of captures is ordered by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CaptureOrder {
    /// By when it was made a row.
    Created,
    /// By when it was taken.
    Taken,
    /// By bytes.
    Size,
    /// By width.
    Width,
    /// By path.
    Path,
    /// By when it was last processed.
    Processed,
    /// By what was found on it. An individual is on a capture once, so occurrences count alike.
    Detections,
    /// By all boxes on it.
    Boxes,
    /// By how many taxa are on it.
    Taxa,
    /// By the name of the station.
    Station,
    /// By the start of the session.
    Session,
}

impl CaptureOrder {
    /// The names in the API.
    pub const NAMES: [&'static str; 11] = [
        "created_at",
        "timestamp",
        "size",
        "width",
        "path",
        "last_processed",
        "detections_count",
        "occurrences_count",
        "taxa_count",
        "deployment__name",
        "event__start",
    ];

    /// The order with this name in the API.
    pub fn from_name(name: &str) -> Option<CaptureOrder> {
        Some(match name {
            "created_at" => CaptureOrder::Created,
            "timestamp" => CaptureOrder::Taken,
            "size" => CaptureOrder::Size,
            "width" => CaptureOrder::Width,
            "path" => CaptureOrder::Path,
            "last_processed" => CaptureOrder::Processed,
            "detections_count" | "occurrences_count" => CaptureOrder::Detections,
            "taxa_count" => CaptureOrder::Taxa,
            "deployment__name" => CaptureOrder::Station,
            "event__start" => CaptureOrder::Session,
            _ => return None,
        })
    }

    /// Its column, and whether there may be none.
    const fn column(self) -> (capture::Column, bool) {
        use capture::Column as C;
        match self {
            CaptureOrder::Created => (C::Id, false),
            CaptureOrder::Taken => (C::TakenAt, true),
            CaptureOrder::Size => (C::Size, true),
            CaptureOrder::Width => (C::Width, true),
            CaptureOrder::Path => (C::Path, false),
            CaptureOrder::Processed => (C::LastProcessedAt, true),
            CaptureOrder::Detections => (C::DetectionsCount, false),
            CaptureOrder::Boxes => (C::BoxesCount, false),
            CaptureOrder::Taxa => (C::TaxaCount, false),
            CaptureOrder::Station => (C::StationId, true),
            CaptureOrder::Session => (C::SessionId, true),
        }
    }
}

impl Store {
    /// One page of captures in this order (true means descending; those without a value come
    /// last either way), and how many there are in all.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn captures_page(
        &self,
        filter: &CaptureFilter,
        order: &[(CaptureOrder, bool)],
        limit: u64,
        offset: u64,
    ) -> StoreResult<(Vec<Capture>, u64)> {
        let members = self.members_of(filter).await?;
        let small = members.is_some_and(|members| members <= SMALL_SET);
        let count = match members {
            Some(members) if filter.is_one_set() => members.unsigned_abs(),
            _ => {
                let list = filter.select(small, false);
                self.count_list_about(list, filter.kept_count()).await?
            }
        };
        // What few captures have is looked up and sorted; walking an order would pass all others.
        // The order of time begins and ends where the filter does.
        let by_time = matches!(order, [] | [(CaptureOrder::Taken, _)]);
        let narrow = small || filter.is_narrow() || filter.is_dated() && !by_time;
        let few = count <= FEW && !filter.is_of_place() && narrow;
        let parts = filter.parts(order, small, few, self.is_sqlite());
        let ids = self.page_ids(parts, limit, offset).await?;
        let rows = self.captures_by_id(&ids).await?;
        let mut by_id: HashMap<i64, Capture> = rows.into_iter().map(|c| (c.id, c)).collect();
        let rows = ids.iter().filter_map(|id| by_id.remove(id)).collect();
        Ok((rows, count))
    }

    /// How many captures the sets of the filter hold, where it names sets.
    async fn members_of(&self, filter: &CaptureFilter) -> StoreResult<Option<i64>> {
        if filter.sets.is_empty() {
            return Ok(None);
        }
        let counts: Vec<i64> = capture_set::Entity::find()
            .select_only()
            .column(capture_set::Column::CapturesCount)
            .filter(capture_set::Column::Id.is_in(filter.sets.iter().copied()))
            .filter(capture_set::Column::ProjectId.eq(filter.project_id))
            .into_tuple()
            .all(&self.db)
            .await?;
        Ok(Some(counts.iter().sum()))
    }
}

impl CaptureFilter {
    /// Whether it narrows by nothing but one set, whose captures have been counted.
    fn is_one_set(&self) -> bool {
        self.sets.len() == 1
            && self.station_id.is_none()
            && self.session_id.is_none()
            && !self.is_narrow()
            && !self.is_dated()
    }

    /// Whether it asks for a time.
    const fn is_dated(&self) -> bool {
        self.since.is_some() || self.until.is_some()
    }

    /// How many captures the list has as the rows of their place say, where it narrows by nothing
    /// else.
    fn kept_count(&self) -> Option<SelectStatement> {
        if self.is_narrow() || self.is_dated() || !self.sets.is_empty() {
            return None;
        }
        let mut count = Query::select();
        let of = match (self.session_id, self.station_id) {
            (Some(session), None) => count
                .column(session::Column::CapturesCount)
                .from(session::Entity)
                .and_where(session::Column::Id.eq(session)),
            (None, Some(station)) => count
                .column(station::Column::CapturesCount)
                .from(station::Entity)
                .and_where(station::Column::Id.eq(station)),
            (None, None) => {
                let sum = Func::sum(Expr::col(station::Column::CapturesCount));
                count
                    .expr(Func::coalesce([sum.cast_as("BIGINT"), Expr::value(0i64)]))
                    .from(station::Entity)
                    .and_where(station::Column::ProjectId.eq(self.project_id))
            }
            _ => return None,
        };
        Some(of.take())
    }

    /// Whether it shows one station's or session's, which have indices of their own.
    const fn is_of_place(&self) -> bool {
        self.station_id.is_some() || self.session_id.is_some()
    }

    /// Whether it asks for something that few captures may have.
    const fn is_narrow(&self) -> bool {
        self.processed.is_some() || self.has_detections.is_some()
    }

    /// The numbers of the captures, in no order; `walked` leaves it to the order which index is
    /// used.
    fn select(&self, small: bool, walked: bool) -> SelectStatement {
        let project = Expr::col((capture::Entity, capture::Column::ProjectId));
        // With `+ 0` no index of the project is used: the few members are looked up instead.
        let project = match small || self.is_of_place() {
            true => project.add(0),
            false => project,
        };
        Query::select()
            .column((capture::Entity, capture::Column::Id))
            .from(capture::Entity)
            .cond_where(self.condition(small, walked))
            .and_where(project.eq(self.project_id))
            .to_owned()
    }

    fn condition(&self, small: bool, walked: bool) -> Condition {
        use capture::Column as C;
        let column = |column: C, hidden: &'static str| match walked {
            true => Expr::cust(hidden), // no index is used for an expression
            false => Expr::col((capture::Entity, column)),
        };
        let processed = |yes: bool| {
            let at = column(
                C::LastProcessedAt,
                "COALESCE(capture.last_processed_at, NULL)",
            );
            if yes { at.is_not_null() } else { at.is_null() }
        };
        let boxes = |yes: bool| {
            let boxes = column(C::BoxesCount, "+capture.boxes_count");
            if yes { boxes.gt(0) } else { boxes.eq(0) }
        };
        Condition::all()
            .add_option(self.station_id.map(|id| C::StationId.eq(id)))
            .add_option(self.session_id.map(|id| C::SessionId.eq(id)))
            .add_option(self.processed.map(processed))
            .add_option(self.has_detections.map(boxes))
            .add_option(self.since.map(|at| C::TakenAt.gte(at)))
            .add_option(self.until.map(|at| C::TakenAt.lte(at)))
            .add_option((!self.sets.is_empty()).then(|| self.member(small)))
    }

    fn member(&self, small: bool) -> Expr {
        use capture_set_member::Column as M;
        let mut members = Query::select();
        members.from(capture_set_member::Entity).and_where(
            Expr::col((capture_set_member::Entity, M::CaptureSetId)).is_in(self.sets.clone()),
        );
        let id = Expr::col((capture::Entity, capture::Column::Id));
        let member = (capture_set_member::Entity, M::CaptureId);
        if small {
            return id.in_subquery(members.column(member).take());
        }
        let own = members.expr(Expr::value(1)).and_where(id.equals(member));
        Expr::exists(own.take())
    }

    /// The list in this order, as parts that follow each other.
    fn parts(
        &self,
        order: &[(CaptureOrder, bool)],
        small: bool,
        few: bool,
        sqlite: bool,
    ) -> Vec<SelectStatement> {
        let (first, descending) = match order {
            [] => (CaptureOrder::Taken, false),
            [one] => *one,
            several => return vec![self.sorted(several, small)],
        };
        let towards = direction(descending);
        let (column, nullable) = first.column();
        let id = (capture::Entity, capture::Column::Id);
        // What waits to be processed has an index in the order of time.
        let by_time = matches!(first, CaptureOrder::Taken | CaptureOrder::Processed);
        let waiting = self.processed == Some(false) && self.has_detections.is_none();
        let walked = !(few || by_time && waiting);
        let mut with = match first {
            CaptureOrder::Station => self.along(
                station::Entity,
                [station::Column::Name, station::Column::Id],
                (station::Column::ProjectId, column),
                &towards,
                sqlite,
            ),
            CaptureOrder::Session => self.along(
                session::Entity,
                [session::Column::StartAt, session::Column::Id],
                (session::Column::ProjectId, column),
                &towards,
                sqlite,
            ),
            _ => {
                let by = Expr::col((capture::Entity, column));
                // An expression has no index to be walked along.
                let by: Expr = match few {
                    true => Func::coalesce([by.clone(), by]).into(),
                    false => by,
                };
                let mut list = self.select(small, walked);
                if waiting && by_time {
                    // All alike, but said, no other index has the order.
                    let processed = (capture::Entity, capture::Column::LastProcessedAt);
                    list.order_by(processed, towards.clone());
                }
                list.order_by_expr(by, towards.clone()).to_owned()
            }
        };
        if first != CaptureOrder::Created {
            with.order_by(id, towards.clone());
        }
        if !nullable || first == CaptureOrder::Taken && self.is_dated() {
            return vec![with];
        }
        let mut without = self.select(small, walked && first != CaptureOrder::Processed);
        without.and_where(column.is_null());
        if first == CaptureOrder::Processed {
            by_taken(&mut without, &towards);
        }
        without.order_by(id, towards);
        with.and_where(column.is_not_null());
        vec![with, without]
    }

    /// Along the rows of another table, and within each by time.
    fn along<E: EntityTrait, C: ColumnTrait>(
        &self,
        table: E,
        order: [C; 2],
        (project, reference): (C, capture::Column),
        towards: &Order,
        sqlite: bool,
    ) -> SelectStatement {
        let [first, id] = order;
        let own = self
            .condition(false, true)
            .add(Expr::col((capture::Entity, reference)).equals((table, id)));
        let mut select = Query::select();
        select
            .column((capture::Entity, capture::Column::Id))
            .from(table)
            .and_where(Expr::col((table, project)).eq(self.project_id))
            .order_by((table, first), towards.clone())
            .order_by((table, id), towards.clone());
        let columns: &[_] = &[capture::Column::Id, capture::Column::TakenAt, reference];
        for_each(&mut select, (capture::Entity, columns), own, sqlite);
        by_taken(&mut select, towards);
        select
    }

    fn sorted(&self, order: &[(CaptureOrder, bool)], small: bool) -> SelectStatement {
        let mut select = self.select(small, false);
        for (by, descending) in order {
            let column = (capture::Entity, by.column().0);
            select.order_by_with_nulls(column, direction(*descending), NullOrdering::Last);
        }
        select.order_by((capture::Entity, capture::Column::Id), Order::Asc);
        select
    }
}

/// By time, those without one at the end where PostgreSQL has them.
fn by_taken(select: &mut SelectStatement, towards: &Order) {
    let nulls = match towards {
        Order::Desc => NullOrdering::First,
        _ => NullOrdering::Last,
    };
    let taken = (capture::Entity, capture::Column::TakenAt);
    select.order_by_with_nulls(taken, towards.clone(), nulls);
}

const fn direction(descending: bool) -> Order {
    if descending { Order::Desc } else { Order::Asc }
}
