//! A store for those who wait for an answer: what the database takes too long for is broken off.
//! The idea: a bound holds for the connections of such a store and for no others, so jobs,
//! migrations and what is counted while nobody waits may take their time.

use std::time::{Duration, Instant};

use sea_orm::sqlx::{Error as SqlxError, SqliteConnection};
use sea_orm::{ConnectOptions, DatabaseConnection, DbErr, RuntimeErr};

use super::{MOST, READING, Store, StoreResult, open, options};

/// Connections of SQLite that read lists.
const LISTS: u32 = 4;
/// Steps of SQLite's machine after which it looks at the clock: some hundred microseconds.
const STEPS: i32 = 10_000;

/// A pool of connections, and how much of it is in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pool {
    /// What it is for.
    pub name: &'static str,
    /// Connections that are open.
    pub open: u32,
    /// Of these, without anything to do.
    pub idle: u32,
    /// Connections that there may be.
    pub most: u32,
}

impl Store {
    /// The same database for requests. On PostgreSQL every statement ends after `limit`, over
    /// connections of its own; on SQLite so do the pages and counts of lists, since looking at the
    /// clock before each of the many small statements would cost more than they do.
    ///
    /// # Errors
    /// [`crate::StoreError::Address`] where the database cannot be reached.
    pub async fn bounded(&self, url: &str, limit: Duration) -> StoreResult<Store> {
        let mut store = self.clone();
        if self.is_sqlite() {
            let mut options = options(url, LISTS, READING, false);
            end_after(&mut options, limit);
            store.lists = Some(open(url, options).await?);
        } else {
            let mut options = options(url, MOST, READING, false);
            let millis = limit.as_millis().to_string();
            options.map_sqlx_postgres_opts(move |o| {
                o.options([("jit", "off"), ("statement_timeout", &millis)])
            });
            store.patient = Some(self.db.clone());
            store.db = open(url, options).await?;
        }
        Ok(store)
    }

    /// The store for what nobody waits for.
    pub(crate) fn patient(&self) -> Store {
        let mut store = self.clone();
        store.lists = None;
        if let Some(db) = store.patient.take() {
            store.db = db;
        }
        store
    }

    /// Over which pages and counts of lists are read.
    pub(crate) fn lists(&self) -> &DatabaseConnection {
        self.lists.as_ref().unwrap_or(&self.db)
    }

    /// The pools of connections that this store has.
    pub fn pools(&self) -> Vec<Pool> {
        let writer = self.writer.as_ref().map(|writer| &writer.db);
        let all = [
            ("read", Some(&self.db)),
            ("write", writer),
            ("lists", self.lists.as_ref()),
            ("jobs", self.patient.as_ref()),
        ];
        let pools = all.into_iter().filter_map(|(name, db)| Some((name, db?)));
        pools.map(|(name, db)| used(name, db)).collect()
    }
}

fn used(name: &'static str, db: &DatabaseConnection) -> Pool {
    let (open, idle, most) = if db.get_database_backend() == sea_orm::DbBackend::Sqlite {
        let pool = db.get_sqlite_connection_pool();
        let most = pool.options().get_max_connections();
        (pool.size(), pool.num_idle(), most)
    } else {
        let pool = db.get_postgres_connection_pool();
        let most = pool.options().get_max_connections();
        (pool.size(), pool.num_idle(), most)
    };
    Pool {
        name,
        open,
        idle: u32::try_from(idle).unwrap_or(open).min(open),
        most,
    }
}

/// Has each connection look at the clock while it works, from when it is taken out of the pool.
fn end_after(options: &mut ConnectOptions, limit: Duration) {
    options
        .map_sqlx_sqlite_pool_opts(move |pool| {
            pool.after_connect(move |connection, _| Box::pin(arm(connection, limit)))
        })
        .map_sqlx_sqlite_before_acquire(move |connection, _| {
            Box::pin(async move { arm(connection, limit).await.map(|()| true) })
        });
}

async fn arm(connection: &mut SqliteConnection, limit: Duration) -> Result<(), SqlxError> {
    let end = Instant::now() + limit;
    let mut handle = connection.lock_handle().await?;
    handle.set_progress_handler(STEPS, move || Instant::now() < end);
    Ok(())
}

/// Whether the database broke a statement off because it took too long, or had no connection for
/// it in time.
pub(super) fn is_slow(error: &DbErr) -> bool {
    let inner = match error {
        DbErr::ConnectionAcquire(_) => return true,
        DbErr::Exec(RuntimeErr::SqlxError(inner)) | DbErr::Query(RuntimeErr::SqlxError(inner)) => {
            inner
        }
        _ => return false,
    };
    let SqlxError::Database(inner) = &**inner else {
        return matches!(&**inner, SqlxError::PoolTimedOut);
    };
    // PostgreSQL's query_canceled, SQLite's SQLITE_INTERRUPT.
    matches!(inner.code().as_deref(), Some("57014" | "9"))
}
