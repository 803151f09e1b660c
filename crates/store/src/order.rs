//! The order of a list: columns that a request names, nulls last in both directions, and the
//! row's number at the end so that pages never overlap (`domain-rules.md` §17).

use sea_orm::sea_query::extension::postgres::PgFunc;
use sea_orm::sea_query::{Alias, Expr, ExprTrait, Func, NullOrdering, Query, SelectStatement};
use sea_orm::{Condition, DbErr, EntityTrait, JoinType, Order, QueryOrder, Select, SqlErr};

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

/// Joins to each row that a statement reads the rows of `table` that meet a condition, which
/// speaks of that row. Each row's own are looked up before the next row is read, so that a page
/// ends the search: PostgreSQL would rather read all of both tables and sort.
pub(crate) fn for_each<E: EntityTrait>(
    select: &mut SelectStatement,
    (table, columns): (E, &[E::Column]),
    condition: Condition,
    sqlite: bool,
) {
    if sqlite {
        // SQLite takes this as the order of the loops.
        select.join(JoinType::CrossJoin, table, Condition::all());
        select.cond_where(condition);
        return;
    }
    let mut own = Query::select();
    for column in columns {
        own.column((table, *column));
    }
    own.from(table).cond_where(condition).offset(0); // with this it stays a query of its own
    let name = Alias::new(table.table_name());
    select.join_lateral(JoinType::InnerJoin, own, name, Condition::all());
}

/// That a value is one of those that a statement gives, which are made a list once: PostgreSQL then
/// looks each of them up, where it would otherwise choose by how many it thinks there are. SQLite
/// knows no such list.
pub(crate) fn in_list(value: Expr, these: SelectStatement) -> Expr {
    let list = Expr::SubQuery(None, Box::new(these.into()));
    value.eq(PgFunc::any(Func::cust("ARRAY").arg(list)))
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
