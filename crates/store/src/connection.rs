//! Opening a database, and the one way to write: a transaction that takes the write lock at its
//! start (`BEGIN IMMEDIATE` on SQLite), so that no writer ever fails half-way because another one
//! was faster.

mod again;
mod away;
mod bounded;

use std::ops::Deref;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use chrono::{DateTime, SubsecRound, Utc};
use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DatabaseTransaction, DbBackend,
    DbErr, RuntimeErr, SqlErr, SqliteTransactionMode, Statement, TransactionOptions,
    TransactionTrait,
};
use tokio::sync::{Mutex, OwnedMutexGuard};

#[cfg(test)]
pub(crate) use again::TRIES;
pub(crate) use again::again;
pub use bounded::Pool;

/// What can go wrong in the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The row does not exist.
    #[error("no such {0}")]
    NotFound(&'static str),
    /// The move is not legal in the job's present state.
    #[error("{0}")]
    Conflict(String),
    /// The runner that asked has lost the job: it must write nothing more.
    #[error("the job is no longer this runner's")]
    FenceLost,
    /// The schema is not one that this program can work with: it is older, or half made.
    #[error("{0}")]
    Schema(String),
    /// The schema has all that this program knows, and changes of a newer one. Nobody starts on it;
    /// who was at work before those were made goes on, since they only add.
    #[error("{0}")]
    Newer(String),
    /// The address of the database cannot be used.
    #[error("{0}")]
    Address(String),
    /// The database took longer than a request may wait.
    #[error("the database did not answer in time")]
    Slow,
    /// A stored value does not read as it should.
    #[error("unreadable value in the database: {0}")]
    Unreadable(String),
    /// The database itself.
    #[error(transparent)]
    Database(DbErr),
}

impl From<DbErr> for StoreError {
    /// A row that another one leaves no room for is a conflict, not a fault of the database.
    fn from(error: DbErr) -> StoreError {
        match error.sql_err() {
            Some(SqlErr::UniqueConstraintViolation(_)) => {
                StoreError::Conflict("Another row has these values already.".to_owned())
            }
            _ if bounded::is_slow(&error) => StoreError::Slow,
            _ => StoreError::Database(error),
        }
    }
}

/// Result of the store.
pub type StoreResult<T> = Result<T, StoreError>;

/// The present instant, cut to the microseconds that both databases keep.
pub fn now() -> DateTime<Utc> {
    Utc::now().trunc_subsecs(6)
}

/// The present instant in milliseconds, as columns hold it that are only compared.
pub(crate) fn clock() -> i64 {
    Utc::now().timestamp_millis()
}

/// The same, so much later.
pub(crate) fn clock_in(time: std::time::Duration) -> i64 {
    let millis = i64::try_from(time.as_millis()).unwrap_or(i64::MAX / 2);
    clock().saturating_add(millis)
}

/// The database. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Store {
    pub(crate) db: DatabaseConnection,
    writer: Option<Writer>,
    /// Where pages and counts of lists are read for those who wait, if elsewhere.
    lists: Option<DatabaseConnection>,
    /// Where statements may take their time, if elsewhere.
    patient: Option<DatabaseConnection>,
    /// Number of this process in sharded counters.
    pub(crate) shard: i64,
    /// Counts of long lists, kept for a while.
    pub(crate) counts: Arc<crate::listing::Counts>,
}

/// SQLite has one writer at a time. It writes through one connection, whose pages in memory stay
/// true while no other process changes them, and who wants to write queues for it here, which is
/// fairer than SQLite's busy handler.
#[derive(Clone, Debug)]
struct Writer {
    db: DatabaseConnection,
    turn: Arc<Mutex<()>>,
}

/// A write transaction; dropped without commit it never was.
pub(crate) struct Write {
    tx: DatabaseTransaction,
    _turn: Option<OwnedMutexGuard<()>>,
    afterwards: std::sync::Mutex<Vec<Afterwards>>,
}

/// What is done when a transaction is committed.
type Afterwards = Box<dyn FnOnce() + Send>;

impl Deref for Write {
    type Target = DatabaseTransaction;
    fn deref(&self) -> &DatabaseTransaction {
        &self.tx
    }
}

impl Write {
    pub(crate) async fn commit(self) -> StoreResult<()> {
        self.tx.commit().await?;
        let afterwards = self.afterwards.into_inner();
        for then in afterwards.unwrap_or_else(PoisonError::into_inner) {
            then();
        }
        Ok(())
    }

    /// Does something when this is committed, and never otherwise: counts what has happened.
    pub(crate) fn once_committed(&self, then: impl FnOnce() + Send + 'static) {
        let mut afterwards = self
            .afterwards
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        afterwards.push(Box::new(then));
    }

    /// Takes back everything that was written in it.
    pub(crate) async fn undo(self) -> StoreResult<()> {
        self.tx.rollback().await?;
        Ok(())
    }

    /// Waits until no other transaction holds the turn with this number, and holds it to the
    /// end. For rows that are found or made by something that no unique index guards. On SQLite
    /// every writer has its turn already.
    pub(crate) async fn take_turn(&self, number: i64) -> StoreResult<()> {
        if self.tx.get_database_backend() == DbBackend::Postgres {
            let statement = format!("SELECT pg_advisory_xact_lock({number})");
            self.tx.execute_unprepared(&statement).await?;
        }
        Ok(())
    }
}

/// The turn of registrations of pipelines; see [`Write::take_turn`].
pub(crate) const REGISTERING: i64 = 0x6861_776b_0001;
/// The turn of those who make lists of taxa.
pub(crate) const LISTING: i64 = 0x6861_776b_0002;
/// The turn of those who start jobs of which there is one per target.
pub(crate) const STARTING: i64 = 0x6861_776b_0003;
/// The turn of those who change the schema.
pub(crate) const MIGRATING: i64 = 0x6861_776b_0004;

impl Store {
    /// Opens the database at `url` (`sqlite:///path/file.db` or `postgres://…`), making the
    /// SQLite file if there is none. Does not touch the schema.
    ///
    /// # Errors
    /// [`StoreError::Address`] for an unknown kind of address or an unreachable database.
    pub async fn open(url: &str) -> StoreResult<Store> {
        Store::open_or_make(url, true).await
    }

    /// Opens a database that is there: of a SQLite file that does not exist, none is made.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub async fn open_existing(url: &str) -> StoreResult<Store> {
        let opened = Store::open_or_make(url, false).await;
        opened.map_err(|error| match error {
            StoreError::Address(why) if why.contains("unable to open database file") => {
                let url = without_password(url);
                StoreError::Address(format!("there is no database at {url} that can be opened"))
            }
            other => other,
        })
    }

    async fn open_or_make(url: &str, make: bool) -> StoreResult<Store> {
        let sqlite = url.starts_with("sqlite:");
        if !sqlite && !url.starts_with("postgres:") && !url.starts_with("postgresql:") {
            return Err(StoreError::Address(format!(
                "unknown kind of database in {:?}: use sqlite:///path/to/file.db or postgres://user@host/name",
                without_password(url)
            )));
        }
        let most = if sqlite { 8 } else { MOST };
        let db = open(url, options(url, most, READING, make)).await?;
        let writer = match sqlite {
            true => Some(Writer {
                db: open(url, options(url, 1, WRITING, make)).await?,
                turn: Arc::default(),
            }),
            false => None,
        };
        Ok(Store {
            db,
            writer,
            lists: None,
            patient: None,
            shard: i64::from(rand::random::<u32>()),
            counts: Arc::default(),
        })
    }

    /// Asks the database for an answer.
    ///
    /// # Errors
    /// Any error of the database.
    pub async fn ping(&self) -> StoreResult<()> {
        self.db.execute_unprepared("SELECT 1").await?;
        Ok(())
    }

    /// How large the database is, in bytes.
    ///
    /// # Errors
    /// Any error of the database.
    pub async fn size(&self) -> StoreResult<i64> {
        let sql = match self.is_sqlite() {
            true => "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()",
            false => "SELECT pg_database_size(current_database())",
        };
        let statement = Statement::from_string(self.db.get_database_backend(), sql);
        let row = self.db.query_one_raw(statement).await?;
        Ok(row.map_or(Ok(0), |row| row.try_get_by_index(0))?)
    }

    /// Counts all statements that are sent from now on.
    pub(crate) fn count_statements(&mut self, count: &Arc<AtomicU64>) {
        let writer = self.writer.as_mut().map(|writer| &mut writer.db);
        for db in [Some(&mut self.db), writer].into_iter().flatten() {
            let count = count.clone();
            db.set_metric_callback(move |_| {
                count.fetch_add(1, Ordering::Relaxed);
            });
        }
    }

    /// Ends all connections.
    pub(crate) async fn close(self) {
        self.db.close().await.ok();
        if let Some(writer) = self.writer {
            writer.db.close().await.ok();
        }
    }

    /// The same database seen by another process: with a counter of its own.
    #[cfg(test)]
    pub(crate) fn as_another(&self, shard: i64) -> Store {
        Store {
            shard,
            ..self.clone()
        }
    }

    /// True on SQLite.
    pub fn is_sqlite(&self) -> bool {
        self.db.get_database_backend() == DbBackend::Sqlite
    }

    async fn turn(&self) -> Option<OwnedMutexGuard<()>> {
        match &self.writer {
            Some(writer) => Some(writer.turn.clone().lock_owned().await),
            None => None,
        }
    }

    /// Begins a write transaction.
    pub(crate) async fn write(&self) -> StoreResult<Write> {
        let turn = self.turn().await;
        // What is written may take its time: broken off, it would be for nothing, at each try.
        let patient = self.patient.as_ref().unwrap_or(&self.db);
        let db = self.writer.as_ref().map_or(patient, |writer| &writer.db);
        let tx = db
            .begin_with_options(TransactionOptions {
                sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
                ..Default::default()
            })
            .await?;
        Ok(Write {
            tx,
            _turn: turn,
            afterwards: std::sync::Mutex::default(),
        })
    }
}

/// Pages that a connection of SQLite keeps in memory, as its `cache_size` (KiB, negated).
const READING: &str = "-4000";
const WRITING: &str = "-16000";

/// Connections to PostgreSQL in one pool.
const MOST: u32 = 16;

fn options(url: &str, most: u32, cache: &'static str, make: bool) -> ConnectOptions {
    let mut options = ConnectOptions::new(url);
    options
        .max_connections(most)
        .min_connections(1)
        .acquire_timeout(Duration::from_secs(30))
        .connect_timeout(Duration::from_secs(10))
        // A server may have gone away meanwhile; a file has not, and asking costs as much as a row.
        .test_before_acquire(!url.starts_with("sqlite:"))
        .sqlx_logging(false)
        // It takes 100 ms to compile what then reads one page along an index.
        .map_sqlx_postgres_opts(|o| o.options([("jit", "off")]))
        .map_sqlx_sqlite_opts(move |o| {
            o.create_if_missing(make)
                .foreign_keys(true)
                .busy_timeout(Duration::from_secs(10))
                .pragma("journal_mode", "WAL")
                .pragma("synchronous", "NORMAL")
                .pragma("cache_size", cache)
        });
    options
}

async fn open(url: &str, options: ConnectOptions) -> StoreResult<DatabaseConnection> {
    let db = Database::connect(options).await;
    db.map_err(|error| unreachable(url, &error))
}

/// A database that cannot be opened, and why.
pub(crate) fn unreachable(url: &str, error: &DbErr) -> StoreError {
    StoreError::Address(format!(
        "cannot open the database {}: {}",
        without_password(url),
        reason(error)
    ))
}

/// The address without its password, fit for messages.
pub fn without_password(url: &str) -> String {
    match (url.find("://"), url.rfind('@')) {
        (Some(scheme), Some(at)) if scheme + 3 <= at => {
            let user = url[scheme + 3..at].split(':').next().unwrap_or_default();
            format!("{}{user}{}", &url[..scheme + 3], &url[at..])
        }
        _ => url.to_owned(),
    }
}

/// The innermost words of a database error, without the library's wrapping.
fn reason(error: &DbErr) -> String {
    match error {
        DbErr::Conn(RuntimeErr::SqlxError(e)) => e.to_string(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod unit {
    use super::without_password;

    #[test]
    fn passwords_stay_out_of_messages() {
        assert_eq!(
            without_password("postgres://bob:secret@host/db"),
            "postgres://bob@host/db"
        );
        assert_eq!(without_password("sqlite:///a/b.db"), "sqlite:///a/b.db");
        assert_eq!(without_password("bogus"), "bogus");
    }
}
