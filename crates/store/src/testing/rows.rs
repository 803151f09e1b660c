//! Whole rows by table and column, with the ids they had elsewhere. The idea: what brings an
//! installation over from another program knows its own tables and Hawkmoth's column names, and
//! nothing else of the store; the order of columns and the two databases stay here.

use std::collections::HashSet;

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use sea_orm::sea_query::{Alias, Expr, OnConflict, Query, Value};
use sea_orm::{ConnectionTrait, DbBackend, ExprTrait};

use crate::connection::{Store, StoreResult};
use sea_orm::prelude::Json;

/// One row to be written. A column that is not named is NULL.
#[derive(Clone, Debug)]
pub struct Row {
    /// The table it goes into.
    pub table: &'static str,
    columns: Vec<(&'static str, Value)>,
}

impl Row {
    /// An empty row of this table.
    pub fn new(table: &'static str) -> Row {
        let columns = Vec::new();
        Row { table, columns }
    }

    fn with(mut self, column: &'static str, value: Option<Value>) -> Row {
        self.columns.extend(value.map(|value| (column, value)));
        self
    }

    /// A number, or NULL.
    pub fn int(self, column: &'static str, value: impl Into<Option<i64>>) -> Row {
        self.with(column, value.into().map(Value::from))
    }

    /// A number with a fraction, or NULL.
    pub fn float(self, column: &'static str, value: impl Into<Option<f64>>) -> Row {
        self.with(column, value.into().map(Value::from))
    }

    /// True, false or NULL.
    pub fn bool(self, column: &'static str, value: impl Into<Option<bool>>) -> Row {
        self.with(column, value.into().map(Value::from))
    }

    /// A text.
    pub fn text(self, column: &'static str, value: impl Into<String>) -> Row {
        self.with(column, Some(Value::from(value.into())))
    }

    /// A text, NULL where there is none.
    pub fn text_or_null(self, column: &'static str, value: Option<String>) -> Row {
        self.with(column, value.map(Value::from))
    }

    /// An instant, or NULL.
    pub fn instant(self, column: &'static str, value: impl Into<Option<DateTime<Utc>>>) -> Row {
        self.with(column, value.into().map(Value::from))
    }

    /// A time without zone, or NULL.
    pub fn local(self, column: &'static str, value: impl Into<Option<NaiveDateTime>>) -> Row {
        self.with(column, value.into().map(Value::from))
    }

    /// A date.
    pub fn day(self, column: &'static str, value: impl Into<Option<NaiveDate>>) -> Row {
        self.with(column, value.into().map(Value::from))
    }

    /// Any JSON, or NULL.
    pub fn json(self, column: &'static str, value: impl Into<Option<Json>>) -> Row {
        self.with(column, value.into().map(Value::from))
    }
}

/// What is stored of a token.
pub fn token_digest(token: &str) -> String {
    crate::token::digest(token)
}

/// Writes the rows in one transaction, in their order; those whose key is there already stay as
/// they are. New rows get ids above all of these.
///
/// # Errors
/// Errors of the database.
pub async fn insert(store: &Store, rows: &[Row]) -> StoreResult<()> {
    let tx = store.write().await?;
    let mut tables = std::collections::BTreeSet::new();
    for row in rows {
        let mut statement = Query::insert();
        statement
            .into_table(Alias::new(row.table))
            .columns(row.columns.iter().map(|(name, _)| Alias::new(*name)))
            .values_panic(
                row.columns
                    .iter()
                    .map(|(_, value)| Expr::val(value.clone())),
            )
            .on_conflict(OnConflict::new().do_nothing().to_owned());
        tx.execute(&statement).await?;
        if row.columns.iter().any(|(name, _)| *name == "id") {
            tables.insert(row.table);
        }
    }
    tx.commit().await?;
    if store.db.get_database_backend() == DbBackend::Postgres {
        for table in tables {
            let sql = format!(
                "SELECT setval(pg_get_serial_sequence('\"{table}\"', 'id'), \
                 GREATEST((SELECT max(id) FROM \"{table}\"), 1))"
            );
            store.db.execute_unprepared(&sql).await?;
        }
    }
    Ok(())
}

/// The ids of a table.
///
/// # Errors
/// Errors of the database.
pub async fn ids(store: &Store, table: &str) -> StoreResult<HashSet<i64>> {
    let mut query = Query::select();
    query
        .column(Alias::new("id"))
        .from(Alias::new(table.to_owned()));
    let rows = store.db.query_all(&query).await?;
    let ids = rows.iter().map(|row| row.try_get::<i64>("", "id"));
    Ok(ids.collect::<Result<_, _>>()?)
}

/// Sets when a row was made and last changed.
///
/// # Errors
/// Errors of the database.
pub async fn set_times(
    store: &Store,
    table: &str,
    id: i64,
    created: DateTime<Utc>,
    updated: DateTime<Utc>,
) -> StoreResult<()> {
    let mut update = Query::update();
    update
        .table(Alias::new(table.to_owned()))
        .value(Alias::new("created_at"), created)
        .value(Alias::new("updated_at"), updated)
        .and_where(Expr::col(Alias::new("id")).eq(id));
    let tx = store.write().await?;
    tx.execute(&update).await?;
    tx.commit().await
}

/// The next new row of the table gets this id, where no higher one was given yet.
///
/// # Errors
/// Errors of the database.
pub async fn next_id(store: &Store, table: &str, id: i64) -> StoreResult<()> {
    let sql = match store.db.get_database_backend() {
        DbBackend::Postgres => format!(
            "SELECT setval(pg_get_serial_sequence('\"{table}\"', 'id'), \
             GREATEST({id}, (SELECT coalesce(max(id), 0) + 1 FROM \"{table}\")), false)"
        ),
        _ => format!(
            "DELETE FROM sqlite_sequence WHERE name = '{table}'; \
             INSERT INTO sqlite_sequence (name, seq) VALUES ('{table}', {id} - 1)"
        ),
    };
    let tx = store.write().await?;
    tx.execute_unprepared(&sql).await?;
    tx.commit().await
}
