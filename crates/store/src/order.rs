//! The order of a list: columns that a request names, nulls last in both directions, and the
//! row's number at the end so that pages never overlap (`domain-rules.md` §17).

use sea_orm::sea_query::NullOrdering;
use sea_orm::{DbErr, EntityTrait, Order, QueryOrder, Select, SqlErr};

use crate::connection::StoreError;

/// What a list is ordered by: names of the API; true means descending.
pub type Orders = Vec<(&'static str, bool)>;

/// Orders a list by the columns that `column` knows, then by the rows' numbers.
pub(crate) fn ordered<E: EntityTrait>(
    mut select: Select<E>,
    orders: &Orders,
    column: impl Fn(&str) -> Option<E::Column>,
    number: E::Column,
) -> Select<E> {
    for (name, descending) in orders {
        if let Some(column) = column(name) {
            select = select.order_by_with_nulls(column, way(*descending), NullOrdering::Last);
        }
    }
    select.order_by_asc(number)
}

pub(crate) fn way(descending: bool) -> Order {
    if descending { Order::Desc } else { Order::Asc }
}

/// A row that exists already, said in a sentence; other errors as they are.
pub(crate) fn clash(error: DbErr, sentence: &str) -> StoreError {
    match error.sql_err() {
        Some(SqlErr::UniqueConstraintViolation(_)) => StoreError::Conflict(sentence.to_owned()),
        _ => StoreError::Database(error),
    }
}
