//! Rows that come from another database: how far they have come, and what the next new row is
//! numbered. The idea: the place of a copy or an import is a row of the target, so whoever begins
//! again goes on there, and a server can see that its database is not whole yet.

use sea_orm::{ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, QueryFilter, Statement};

use crate::connection::{Store, StoreError, StoreResult, Write};
use crate::copy::{self, whole::Table};
use crate::entity::transfer;

/// Values of one statement: SQLite takes 32,766.
pub(crate) const VALUES: usize = 30_000;

impl Store {
    /// Refuses a database into which rows are still to come.
    ///
    /// # Errors
    /// [`StoreError::Schema`] with a sentence that says what to do; errors of the database.
    pub async fn check_whole(&self) -> StoreResult<()> {
        let open = transfer::Entity::find()
            .filter(transfer::Column::Done.eq(false))
            .one(&self.db)
            .await?;
        match open {
            None => Ok(()),
            Some(step) => Err(StoreError::Schema(format!(
                "not all of {} is in the database yet: give the same `hawkmoth {}` again, which \
                 goes on where it was cut off",
                step.source,
                if step.step == copy::STEP {
                    "copy"
                } else {
                    "import"
                },
            ))),
        }
    }
}

/// How many rows a table has.
pub(crate) async fn count(db: &impl ConnectionTrait, table: &str) -> StoreResult<i64> {
    let sql = format!("SELECT CAST(COUNT(*) AS BIGINT) AS n FROM \"{table}\"");
    number(db, &sql).await
}

/// What tells whether somebody wrote to a table: its rows, the highest number, and when a row
/// changed last, where its rows say so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    /// How many rows it has.
    pub rows: i64,
    highest: Option<String>,
    changed: Option<String>,
}

/// How a table is now.
pub(crate) async fn mark(db: &impl ConnectionTrait, table: &dyn Table) -> StoreResult<Mark> {
    let newest = |column: &str, is_there: bool| match is_there {
        true => format!("CAST(MAX(\"{column}\") AS TEXT)"),
        false => "CAST(NULL AS TEXT)".to_owned(),
    };
    let sql = format!(
        "SELECT CAST(COUNT(*) AS BIGINT) AS n, {} AS highest, {} AS changed FROM \"{}\"",
        newest("id", table.numbered()),
        newest("updated_at", table.dated()),
        table.name()
    );
    let row = db
        .query_one_raw(Statement::from_string(db.get_database_backend(), sql))
        .await?;
    Ok(match row {
        Some(row) => Mark {
            rows: row.try_get("", "n")?,
            highest: row.try_get("", "highest")?,
            changed: row.try_get("", "changed")?,
        },
        None => Mark {
            rows: 0,
            highest: None,
            changed: None,
        },
    })
}

/// The number that a statement calls `n`.
pub(crate) async fn number(db: &impl ConnectionTrait, sql: &str) -> StoreResult<i64> {
    let row = db
        .query_one_raw(Statement::from_string(db.get_database_backend(), sql))
        .await?;
    Ok(row.map_or(Ok(0), |row| row.try_get("", "n"))?)
}

/// Whether a table has no row.
pub(crate) async fn is_empty(db: &impl ConnectionTrait, table: &str) -> StoreResult<bool> {
    let sql = format!("SELECT 1 AS n FROM \"{table}\" LIMIT 1");
    let row = db
        .query_one_raw(Statement::from_string(db.get_database_backend(), sql))
        .await?;
    Ok(row.is_none())
}

/// The highest number that a table has ever given to a row.
pub(crate) async fn highest(db: &impl ConnectionTrait, table: &str) -> StoreResult<Option<i64>> {
    let backend = db.get_database_backend();
    let sql = match backend {
        DbBackend::Postgres => format!(
            "SELECT pg_sequence_last_value(pg_get_serial_sequence('\"{table}\"', 'id')::regclass) AS n"
        ),
        _ => format!("SELECT seq AS n FROM sqlite_sequence WHERE name = '{table}'"),
    };
    let row = db
        .query_one_raw(Statement::from_string(backend, sql))
        .await?;
    Ok(row.map_or(Ok(None), |row| row.try_get("", "n"))?)
}

/// New rows of the table get numbers above this one, and above all that are there.
pub(crate) async fn number_above(tx: &Write, table: &str, highest: i64) -> StoreResult<()> {
    let sql = match tx.get_database_backend() {
        DbBackend::Postgres => format!(
            "SELECT setval(pg_get_serial_sequence('\"{table}\"', 'id'), n) FROM (SELECT GREATEST(\
             {highest}, (SELECT max(id) FROM \"{table}\"), \
             pg_sequence_last_value(pg_get_serial_sequence('\"{table}\"', 'id')::regclass)) AS n) \
             AS found WHERE n > 0"
        ),
        _ => format!(
            "DELETE FROM sqlite_sequence WHERE name = '{table}' AND seq < {highest}; \
             INSERT INTO sqlite_sequence (name, seq) SELECT '{table}', {highest} \
             WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = '{table}')"
        ),
    };
    tx.execute_unprepared(&sql).await?;
    Ok(())
}
