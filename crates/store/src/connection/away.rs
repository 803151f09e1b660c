//! Errors that say of a database only that it was away: stopped, started again, or cut off. The
//! idea: nothing is wrong then with what was asked, so whoever asked may ask again; all other
//! errors stay what they are.

use sea_orm::sqlx::Error as SqlxError;
use sea_orm::{DbErr, RuntimeErr};

use super::StoreError;

impl StoreError {
    /// Whether the database was not there, or went away in the middle: what was asked was not
    /// refused, and nobody knows whether it was done.
    pub fn is_away(&self) -> bool {
        match self {
            // Without a bound on its statements a store is only slow where no connection came free.
            StoreError::Slow => true,
            StoreError::Database(error) => is_away(error),
            _ => false,
        }
    }
}

fn is_away(error: &DbErr) -> bool {
    let inner = match error {
        DbErr::ConnectionAcquire(_) => return true,
        DbErr::Conn(RuntimeErr::SqlxError(inner))
        | DbErr::Exec(RuntimeErr::SqlxError(inner))
        | DbErr::Query(RuntimeErr::SqlxError(inner)) => inner,
        _ => return false,
    };
    match &**inner {
        SqlxError::Io(_) | SqlxError::PoolTimedOut | SqlxError::PoolClosed => true,
        SqlxError::Database(inner) => inner.code().is_some_and(|code| {
            // PostgreSQL's classes: connection exception, operator intervention (shutdown, crash,
            // start), and too many connections.
            code.starts_with("08") || code.starts_with("57P") || code == "53300"
        }),
        _ => false,
    }
}
