//! The version of the schema: brought to this program's by one process at a time, and refused where
//! it is another one. Older processes go on beside it (CONTRIBUTING.md: expand first, contract
//! later), so newer is told from behind; a process that starts must find exactly its own.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement};
use sea_orm_migration::MigratorTrait;

use crate::connection::{MIGRATING, Store, StoreError, StoreResult, Write};
use crate::migration::Migrator;

/// How long a process waits before it asks whether another one is done.
pub(crate) const AGAIN: Duration = Duration::from_millis(200);

impl Store {
    /// Brings the schema to this program's version. Returns how many changes were applied. Of
    /// several processes one does it, and the others wait for it.
    ///
    /// # Errors
    /// [`StoreError::Newer`] where the database was made by a newer program; [`StoreError::Schema`]
    /// where it is written to by somebody else for long.
    pub async fn migrate(&self) -> StoreResult<usize> {
        if self.pending().await? == 0 {
            return Ok(0);
        }
        let turn = self.write().await.map_err(busy)?;
        match self.is_sqlite() {
            true => self.migrate_within(turn).await,
            false => self.migrate_beside(turn).await,
        }
    }

    /// All changes in the transaction that holds the file's lock: they are made whole or not at all.
    async fn migrate_within(&self, turn: Write) -> StoreResult<usize> {
        let pending = pending(&*turn).await?;
        Migrator::up(&*turn, None).await?;
        turn.commit().await?;
        Ok(pending)
    }

    /// Each change in a transaction of its own, so that its locks are short, while another one
    /// holds the turn and does nothing else.
    async fn migrate_beside(&self, turn: Write) -> StoreResult<usize> {
        take_turn(&turn).await?;
        let pending = self.pending().await?;
        Migrator::up(&self.db, None).await?;
        turn.commit().await?;
        Ok(pending)
    }

    /// Waits while another process changes the schema, so that whoever looks at it then sees no
    /// half of it. On SQLite nobody ever does.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn settled(&self) -> StoreResult<()> {
        if self.is_sqlite() || self.pending().await? == 0 {
            return Ok(());
        }
        let turn = self.write().await?;
        take_turn(&turn).await?;
        turn.undo().await
    }

    /// Refuses a schema that is not exactly this program's.
    ///
    /// # Errors
    /// [`StoreError::Schema`] where it lacks something that this program needs, [`StoreError::Newer`]
    /// where it lacks nothing and was changed by a newer program; each with a sentence that says what
    /// to do.
    pub async fn check_schema(&self) -> StoreResult<()> {
        match self.pending().await? {
            0 => Ok(()),
            n => Err(StoreError::Schema(format!(
                "the database lacks {n} changes of its schema: run `hawkmoth migrate` first, or \
                 start with --migrate"
            ))),
        }
    }

    /// True when nothing has ever been written here.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn is_new(&self) -> StoreResult<bool> {
        Ok(self.pending().await? == Migrator::migrations().len())
    }

    async fn pending(&self) -> StoreResult<usize> {
        pending(&self.db).await
    }
}

/// Waits for the turn of those who change the schema. It is asked for again and again: who stands in
/// line for it is seen reading by the database, and an index that is made concurrently would wait
/// for that, and so for itself.
pub(crate) async fn take_turn(turn: &Write) -> StoreResult<()> {
    let idle = "SET LOCAL idle_in_transaction_session_timeout = 0";
    turn.execute_unprepared(idle).await?;
    let ask = format!("SELECT pg_try_advisory_xact_lock({MIGRATING}) AS mine");
    loop {
        let ask = Statement::from_string(DbBackend::Postgres, ask.clone());
        let row = turn.query_one_raw(ask).await?;
        let mine: bool = row.map_or(Ok(false), |row| row.try_get("", "mine"))?;
        if mine {
            return Ok(());
        }
        tokio::time::sleep(AGAIN).await;
    }
}

/// How many changes a database lacks. It is only read: whoever just looks makes no table.
async fn pending(db: &impl ConnectionTrait) -> StoreResult<usize> {
    let known = Migrator::migrations();
    let known: Vec<&str> = known.iter().map(|migration| migration.name()).collect();
    let applied = applied(db).await?;
    let lacks = |name: &&&str| !applied.iter().any(|one| one.as_str() == **name);
    let lacks = known.iter().filter(lacks).count();
    let Some(newer) = applied.iter().find(|name| !known.contains(&name.as_str())) else {
        return Ok(lacks);
    };
    let why = format!(
        "the database was changed by a newer Hawkmoth ({newer}): use that version or a newer one"
    );
    Err(match lacks {
        0 => StoreError::Newer(why),
        _ => StoreError::Schema(why),
    })
}

impl Store {
    /// When the tables of this database were made.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn made_at(&self) -> StoreResult<DateTime<Utc>> {
        let first = "SELECT CAST(MIN(applied_at) AS BIGINT) AS n FROM seaql_migrations";
        let first = Statement::from_string(self.db.get_database_backend(), first);
        let row = self.db.query_one_raw(first).await?;
        let seconds: i64 = row.map_or(Ok(0), |row| row.try_get("", "n"))?;
        Ok(DateTime::from_timestamp(seconds, 0).unwrap_or_default())
    }
}

/// The names of the changes that a database has had.
async fn applied(db: &impl ConnectionTrait) -> StoreResult<Vec<String>> {
    let backend = db.get_database_backend();
    let kept = match backend {
        DbBackend::Postgres => {
            "SELECT 1 AS n FROM information_schema.tables \
             WHERE table_schema = current_schema() AND table_name = 'seaql_migrations'"
        }
        _ => "SELECT 1 AS n FROM sqlite_master WHERE type = 'table' AND name = 'seaql_migrations'",
    };
    let kept = Statement::from_string(backend, kept);
    if db.query_one_raw(kept).await?.is_none() {
        return Ok(Vec::new());
    }
    let names = Statement::from_string(backend, "SELECT version FROM seaql_migrations");
    let names = db.query_all_raw(names).await?;
    let names = names.iter().map(|row| row.try_get("", "version"));
    Ok(names.collect::<Result<_, _>>()?)
}

/// A file that somebody else writes to for longer than a transaction takes.
fn busy(error: StoreError) -> StoreError {
    let locked = |error: &DbErr| error.to_string().contains("database is locked");
    match error {
        StoreError::Database(error) if locked(&error) => StoreError::Schema(
            "another process writes to the database: end it, or wait until it has changed the schema"
                .to_owned(),
        ),
        other => other,
    }
}
