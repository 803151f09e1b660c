//! The orders of lists of occurrences, each along an index. The idea: those without a value come
//! last as a part of their own; and an order by another table's column walks that table and, for
//! each of its rows, the occurrences that point to it.

use sea_orm::sea_query::{Expr, ExprTrait, Func, NullOrdering, Query, SelectStatement};
use sea_orm::{ColumnTrait, Condition, EntityTrait, Order};

use super::list::{OccurrenceFilter, Reach};
use crate::entity::{occurrence, session, station, taxon};
use crate::order::{for_each, way};

/// What occurrences are ordered by.
enum By {
    /// Something of its own row that is always there.
    Own(Expr),
    /// The score, where none is missing.
    Score,
    /// Something that may be missing.
    Maybe(Expr),
    /// When the session starts.
    Session,
    /// The name of the station.
    Station,
    /// The name of the taxon.
    Taxon,
}

fn own(column: occurrence::Column) -> Expr {
    Expr::col((occurrence::Entity, column))
}

/// How long it was seen: only compared. The indices of the migrations hold the same words.
fn duration(sqlite: bool) -> Expr {
    Expr::cust(match sqlite {
        true => "(julianday(occurrence.last_seen_at) - julianday(occurrence.first_seen_at))",
        false => "(occurrence.last_seen_at - occurrence.first_seen_at)",
    })
}

impl By {
    fn of(name: &str, scored: bool, sqlite: bool) -> Option<By> {
        use occurrence::Column as C;
        Some(match name {
            "id" => By::Own(own(C::Id)),
            "created_at" => By::Own(own(C::CreatedAt)),
            "updated_at" => By::Own(own(C::UpdatedAt)),
            "detections_count" => By::Own(own(C::BoxesCount)),
            "determination_score" if scored => By::Score,
            "determination_score" => By::Maybe(own(C::DeterminationScore)),
            "first_appearance_timestamp" => By::Maybe(own(C::FirstSeenAt)),
            "duration" => By::Maybe(duration(sqlite)),
            "event" | "event__start" => By::Session,
            "deployment" | "deployment__name" => By::Station,
            "determination" | "determination__name" => By::Taxon,
            _ => return None,
        })
    }

    /// The value in a row's own words, for sorting.
    fn value(&self) -> Expr {
        use occurrence::Column as C;
        match self {
            By::Own(what) | By::Maybe(what) => what.clone(),
            By::Score => own(C::DeterminationScore),
            By::Session => of_other(
                session::Entity,
                (session::Column::StartAt, session::Column::Id),
                C::SessionId,
            ),
            By::Station => of_other(
                station::Entity,
                (station::Column::Name, station::Column::Id),
                C::StationId,
            ),
            By::Taxon => of_other(
                taxon::Entity,
                (taxon::Column::Name, taxon::Column::Id),
                C::DeterminationId,
            ),
        }
    }
}

/// A column of the row that an occurrence points to.
fn of_other<E: EntityTrait, C: ColumnTrait>(
    table: E,
    (what, id): (C, C),
    reference: occurrence::Column,
) -> Expr {
    let select = Query::select()
        .column((table, what))
        .from(table)
        .and_where(Expr::col((table, id)).equals((occurrence::Entity, reference)))
        .to_owned();
    Expr::SubQuery(None, Box::new(select.into()))
}

impl OccurrenceFilter {
    /// The numbers of the list in its order, as parts that follow each other. `few` are looked up
    /// by what narrows the list and sorted.
    pub(crate) fn parts(&self, few: bool, sqlite: bool) -> Vec<SelectStatement> {
        let scored = self.defaults.threshold.is_some();
        let known = |(name, descending): &(&'static str, bool)| {
            Some((By::of(name, scored, sqlite)?, *descending))
        };
        let mut orders: Vec<(By, bool)> = self.order.iter().filter_map(known).collect();
        // The best come first where nobody asks, and of those alike the oldest.
        let tie = match orders.last() {
            Some((_, descending)) => way(*descending),
            None => Order::Asc,
        };
        if orders.is_empty() {
            orders.extend(By::of("determination_score", scored, sqlite).map(|by| (by, true)));
        }
        match orders.as_slice() {
            [(by, descending)] if !few => self.walked(by, &way(*descending), &tie, sqlite),
            several => vec![self.sorted(several, tie, sqlite)],
        }
    }

    fn numbers(&self, condition: Condition) -> SelectStatement {
        Query::select()
            .column((occurrence::Entity, occurrence::Column::Id))
            .from(occurrence::Entity)
            .cond_where(condition)
            .to_owned()
    }

    fn sorted(&self, orders: &[(By, bool)], tie: Order, sqlite: bool) -> SelectStatement {
        let mut select = self.numbers(self.looked_up(sqlite));
        for (by, descending) in orders {
            // An expression has no index to be walked along.
            let value = Func::coalesce([by.value(), by.value()]);
            select.order_by_expr_with_nulls(value.into(), way(*descending), NullOrdering::Last);
        }
        let id = (occurrence::Entity, occurrence::Column::Id);
        select.order_by(id, tie).to_owned()
    }

    fn walked(&self, by: &By, towards: &Order, tie: &Order, sqlite: bool) -> Vec<SelectStatement> {
        use occurrence::Column as C;
        let id = (occurrence::Entity, C::Id);
        let ordered = |mut select: SelectStatement, by: &Expr| {
            select
                .order_by_expr(by.clone(), towards.clone())
                .order_by(id, tie.clone())
                .to_owned()
        };
        let all = || self.numbers(self.reached(Reach::Order));
        let without = |null: Expr| {
            let mut rest = all();
            rest.and_where(null).order_by(id, tie.clone()).to_owned()
        };
        match by {
            By::Score => {
                let reach = match self.is_all_of_project() {
                    true => Reach::Free, // the threshold is where the index ends
                    false => Reach::Order,
                };
                vec![ordered(self.numbers(self.reached(reach)), &by.value())]
            }
            By::Own(what) => vec![ordered(all(), what)],
            By::Maybe(what) => {
                let mut with = all();
                with.and_where(what.clone().is_not_null());
                vec![ordered(with, what), without(what.clone().is_null())]
            }
            By::Session => {
                let order = [session::Column::StartAt, session::Column::Id];
                let project = Some(session::Column::ProjectId);
                let with = self.along(
                    session::Entity,
                    order,
                    (project, C::SessionId),
                    towards,
                    sqlite,
                );
                vec![with, without(own(C::SessionId).is_null())]
            }
            By::Station => {
                let order = [station::Column::Name, station::Column::Id];
                let project = Some(station::Column::ProjectId);
                let with = self.along(
                    station::Entity,
                    order,
                    (project, C::StationId),
                    towards,
                    sqlite,
                );
                vec![with, without(own(C::StationId).is_null())]
            }
            By::Taxon => {
                let order = [taxon::Column::Name, taxon::Column::Id];
                vec![self.along(
                    taxon::Entity,
                    order,
                    (None, C::DeterminationId),
                    towards,
                    sqlite,
                )]
            }
        }
    }

    /// Along the rows of another table of the same project, or of all.
    fn along<E: EntityTrait, C: ColumnTrait>(
        &self,
        table: E,
        order: [C; 2],
        (project, reference): (Option<C>, occurrence::Column),
        towards: &Order,
        sqlite: bool,
    ) -> SelectStatement {
        let [first, id] = order;
        let condition = self.reached(match project {
            Some(_) => Reach::Narrow,
            None => Reach::Order,
        });
        let own = Expr::col((occurrence::Entity, reference)).equals((table, id));
        let mut select = Query::select();
        select
            .column((occurrence::Entity, occurrence::Column::Id))
            .from(table);
        let numbers: &[_] = &[occurrence::Column::Id];
        for_each(
            &mut select,
            (occurrence::Entity, numbers),
            condition.add(own),
            sqlite,
        );
        if let (Some(project), Some(own)) = (project, self.project_id) {
            select.and_where(Expr::col((table, project)).eq(own));
        }
        select
            .order_by((table, first), towards.clone())
            .order_by((table, id), towards.clone())
            .order_by(
                (occurrence::Entity, occurrence::Column::Id),
                towards.clone(),
            )
            .to_owned()
    }
}
