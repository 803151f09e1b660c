//! Reading Antenna's tables. The idea: each row is told by PostgreSQL as one JSON object, in pages
//! behind a key, so columns that some versions lack cost nothing and memory holds one page.

use futures_util::TryStreamExt;
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement, StreamTrait, Value};
use serde_json::Map;

use super::line::Line;
use super::step::About;
use crate::connection::{StoreError, StoreResult};

/// Rows of a page.
pub(super) const PAGE: u64 = 2000;
/// A page also ends after so many characters.
const LONG: usize = 8_000_000;

fn statement(sql: String, values: impl IntoIterator<Item = Value>) -> Statement {
    Statement::from_sql_and_values(DbBackend::Postgres, sql, values)
}

/// Whether there is such a table.
pub(super) async fn has(source: &DatabaseConnection, table: &str) -> StoreResult<bool> {
    let sql = "SELECT to_regclass(quote_ident($1)) IS NOT NULL AS there".to_owned();
    let row = source
        .query_one_raw(statement(sql, [Value::from(table)]))
        .await?;
    Ok(row.map_or(Ok(false), |row| row.try_get("", "there"))?)
}

/// How many rows a table has.
pub(super) async fn count(source: &DatabaseConnection, about: &About) -> StoreResult<i64> {
    if !has(source, about.name).await? {
        return Ok(0);
    }
    let sql = format!(
        "SELECT count(*) AS n FROM \"{}\"{}",
        about.name,
        narrowed(about, "WHERE")
    );
    let row = source.query_one_raw(statement(sql, [])).await?;
    Ok(row.map_or(Ok(0), |row| row.try_get("", "n"))?)
}

fn narrowed(about: &About, word: &str) -> String {
    match about.only {
        "" => String::new(),
        only => format!(" {word} {only}"),
    }
}

/// The rows behind a key, as many as make a page.
pub(super) async fn page(
    source: &DatabaseConnection,
    about: &About,
    after: i64,
) -> StoreResult<Vec<Line>> {
    let (name, key) = (about.name, about.key);
    let sql = format!(
        "SELECT row_to_json(t)::text AS line FROM (SELECT * FROM \"{name}\" WHERE \"{key}\" > $1{} \
         ORDER BY \"{key}\" LIMIT {PAGE}) AS t",
        narrowed(about, "AND"),
    );
    let mut rows = source
        .stream_raw(statement(sql, [Value::from(after)]))
        .await?;
    let (mut lines, mut length) = (Vec::new(), 0);
    while let Some(row) = rows.try_next().await? {
        let text: String = row.try_get("", "line")?;
        length += text.len();
        lines.push(read(&text, about)?);
        if length > LONG {
            break;
        }
    }
    Ok(lines)
}

fn read(text: &str, about: &About) -> StoreResult<Line> {
    let unreadable = |error: &dyn std::fmt::Display| {
        StoreError::Unreadable(format!("a row of Antenna's {}: {error}", about.name))
    };
    let columns: Map<String, serde_json::Value> =
        serde_json::from_str(text).map_err(|error| unreadable(&error))?;
    Line::read(columns, about.key).ok_or_else(|| unreadable(&format!("no {}", about.key)))
}

/// Rows whose column names a later row of the same table: both ids.
pub(super) async fn naming_later(
    source: &DatabaseConnection,
    table: &str,
    column: &str,
    after: i64,
) -> StoreResult<Vec<(i64, i64)>> {
    let sql = format!(
        "SELECT id, \"{column}\" AS named FROM \"{table}\" WHERE \"{column}\" > id AND id > $1 \
         ORDER BY id LIMIT {PAGE}"
    );
    let rows = source
        .query_all_raw(statement(sql, [Value::from(after)]))
        .await?;
    let pair = |row: &sea_orm::QueryResult| -> Result<(i64, i64), sea_orm::DbErr> {
        Ok((row.try_get("", "id")?, row.try_get("", "named")?))
    };
    Ok(rows.iter().map(pair).collect::<Result<_, _>>()?)
}

/// The highest id that Antenna ever gave in a table, where it says so.
pub(super) async fn highest(source: &DatabaseConnection, table: &str) -> StoreResult<i64> {
    let sql = format!(
        "SELECT coalesce(pg_sequence_last_value(pg_get_serial_sequence('\"{table}\"', 'id')::regclass), 0) AS n"
    );
    let row = source.query_one_raw(statement(sql, [])).await?;
    Ok(row.map_or(Ok(0), |row| row.try_get("", "n"))?)
}

/// Pairs of a number and a text.
pub(super) async fn pairs(
    source: &DatabaseConnection,
    sql: &str,
) -> StoreResult<Vec<(i64, String)>> {
    let rows = source.query_all_raw(statement(sql.to_owned(), [])).await?;
    let pair = |row: &sea_orm::QueryResult| -> Result<(i64, String), sea_orm::DbErr> {
        Ok((row.try_get("", "n")?, row.try_get("", "word")?))
    };
    Ok(rows.iter().map(pair).collect::<Result<_, _>>()?)
}
