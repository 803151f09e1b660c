//! Moving a whole installation to another database. The idea: tables go over one after another in
//! an order in which every row finds what it points to, each in pages along its key; a copy that
//! was cut off goes on behind the last key that the target has.

use sea_orm::{
    AccessMode, ActiveModelTrait, ActiveValue::Set, DatabaseTransaction, EntityTrait,
    IsolationLevel, TransactionOptions, TransactionTrait,
};
use serde_json::json;

use crate::connection::{Store, StoreError, StoreResult};
use crate::entity::transfer;
use crate::transfer::{Mark, count, highest, is_empty, mark, number_above};

mod life;
pub(crate) mod list;
#[cfg(test)]
mod seen;
pub(crate) mod whole;

use list::TABLES;

/// Under which name the place of a copy stands in its target.
pub(crate) const STEP: &str = "copy";
/// Under which name it is found out whether two databases are one.
const PROBE: &str = "copy probe";

/// What a copy did with one table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copied {
    /// Its name.
    pub table: &'static str,
    /// Rows in the source, after everything was copied.
    pub source: i64,
    /// Rows in the target.
    pub target: i64,
    /// Whether somebody wrote to the source's while it was copied.
    pub written: bool,
}

impl Copied {
    /// Whether the target holds what the source does.
    pub fn is_same(&self) -> bool {
        self.source == self.target && !self.written
    }
}

/// Hears of each page: the table, and how many of its rows were written so far.
pub type Heard<'a> = &'a mut (dyn FnMut(&str, u64) + Send);

impl Store {
    /// Copies everything into another database, which is empty or holds the beginning of this
    /// copy. Nobody may write to either meanwhile: what is written to the source is not copied, and
    /// shows in the answer, which tells the rows of each table on both sides. `from` is what the
    /// source is called in messages. Whoever has seen that both are the same calls
    /// [`Store::end_copy`]; until then the same copy may be given again.
    ///
    /// # Errors
    /// [`StoreError::Schema`] or [`StoreError::Newer`] where a schema is not this program's;
    /// [`StoreError::Conflict`] with a sentence where the target is not fit; errors of the databases.
    pub async fn copy_to(
        &self,
        target: &Store,
        from: &str,
        heard: Heard<'_>,
    ) -> StoreResult<Vec<Copied>> {
        self.check_schema().await?;
        self.check_whole().await?;
        if target.is_new().await? {
            target.migrate().await?;
        }
        target.check_schema().await?;
        begin(self, target, from).await?;
        let source = self.snapshot().await?;
        for table in TABLES {
            table.copy(&source, target, heard).await?;
            if table.numbered()
                && let Some(number) = highest(&source, table.name()).await?
            {
                let tx = target.write().await?;
                number_above(&tx, table.name(), number).await?;
                tx.commit().await?;
            }
        }
        let mut seen = Vec::with_capacity(TABLES.len());
        for &table in TABLES {
            seen.push(mark(&source, table).await?);
        }
        source.rollback().await?;
        compare(&seen, self, target).await
    }

    /// Says in the target of a copy that it is over: processes may work on it.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn end_copy(&self) -> StoreResult<()> {
        end(self, STEP).await
    }

    /// The database as it is now, however long it is read.
    async fn snapshot(&self) -> StoreResult<DatabaseTransaction> {
        let postgres = !self.is_sqlite();
        let options = TransactionOptions {
            isolation_level: postgres.then_some(IsolationLevel::RepeatableRead),
            access_mode: postgres.then_some(AccessMode::ReadOnly),
            ..Default::default()
        };
        Ok(self.db.begin_with_options(options).await?)
    }
}

/// Makes sure that the target may be written to, and says in it that a copy is under way. Until it
/// is known to be empty nothing is written that would outlive a crash as more than a stray row: it
/// may be somebody's installation.
async fn begin(source: &Store, target: &Store, from: &str) -> StoreResult<()> {
    match transfer::Entity::find_by_id(STEP).one(&target.db).await? {
        Some(known) if known.source != from => Err(StoreError::Conflict(format!(
            "the target holds the beginning of a copy of {}: empty it first",
            known.source
        ))),
        Some(_) => Ok(()),
        None if are_one(source, target, from).await? => Err(StoreError::Conflict(
            "source and target are the same database".to_owned(),
        )),
        None => match filled(target).await? {
            Some(table) => Err(StoreError::Conflict(format!(
                "the target is not empty: its table {table} holds rows. Copy into a new database"
            ))),
            None => write_mark(target, STEP, from, 0, false).await,
        },
    }
}

/// Whether two addresses lead to one database: what is written there tells. The row says of
/// itself that it waits for nothing, so a server does not mind one that a crash left behind.
async fn are_one(source: &Store, target: &Store, from: &str) -> StoreResult<bool> {
    let number = rand::random::<i64>();
    end(target, PROBE).await?;
    write_mark(target, PROBE, from, number, true).await?;
    let seen = transfer::Entity::find_by_id(PROBE).one(&source.db).await?;
    end(target, PROBE).await?;
    Ok(seen.is_some_and(|row| row.position == number))
}

async fn write_mark(
    target: &Store,
    step: &str,
    from: &str,
    number: i64,
    done: bool,
) -> StoreResult<()> {
    let tx = target.write().await?;
    transfer::ActiveModel {
        step: Set(step.to_owned()),
        source: Set(from.to_owned()),
        position: Set(number),
        seen: Set(0),
        written: Set(0),
        lost: Set(json!({})),
        done: Set(done),
    }
    .insert(&*tx)
    .await?;
    tx.commit().await
}

/// The first table that holds rows.
async fn filled(target: &Store) -> StoreResult<Option<&'static str>> {
    for table in TABLES {
        if !is_empty(&target.db, table.name()).await? {
            return Ok(Some(table.name()));
        }
    }
    Ok(None)
}

/// Takes a mark away.
async fn end(target: &Store, step: &str) -> StoreResult<()> {
    let tx = target.write().await?;
    transfer::Entity::delete_by_id(step).exec(&*tx).await?;
    tx.commit().await
}

/// Holds the source, as it is now, against what was seen of it and against the target.
async fn compare(seen: &[Mark], source: &Store, target: &Store) -> StoreResult<Vec<Copied>> {
    let mut copied = Vec::with_capacity(TABLES.len());
    for (&table, seen) in TABLES.iter().zip(seen) {
        let now = mark(&source.db, table).await?;
        copied.push(Copied {
            table: table.name(),
            source: now.rows,
            target: count(&target.db, table.name()).await?,
            written: now != *seen,
        });
    }
    Ok(copied)
}
