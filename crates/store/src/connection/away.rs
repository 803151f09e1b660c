//! Errors that say of a database only that it was away: stopped, started again, or cut off; or that
//! it took a transaction back because it crossed another one. The idea: nothing is wrong then with
//! what was asked, so whoever asked may ask again; all other errors stay what they are.

use sea_orm::sqlx::Error as SqlxError;
use sea_orm::{DbErr, RuntimeErr};

use super::StoreError;

impl StoreError {
    /// Whether the database was not there, went away in the middle, or broke off what it could not
    /// finish beside somebody else: what was asked was not refused, and nobody knows whether it was
    /// done.
    pub fn is_away(&self) -> bool {
        match self {
            // Without a bound on its statements a store is only slow where no connection came free.
            StoreError::Slow => true,
            StoreError::Database(error) => is_away(error) || is_crossed(error),
            _ => false,
        }
    }

    /// For whoever goes through many things, one by one: this error, where it concerns only the one.
    ///
    /// # Errors
    /// The same, where the database is away and there is nothing to go on with.
    pub fn of_one(self) -> Result<StoreError, StoreError> {
        match self.is_away() && !self.is_crossed() {
            true => Err(self),
            false => Ok(self),
        }
    }

    /// Whether the database took a whole transaction back because it crossed another one.
    pub(crate) fn is_crossed(&self) -> bool {
        matches!(self, StoreError::Database(error) if is_crossed(error))
    }
}

/// What the driver said.
fn said(error: &DbErr) -> Option<&SqlxError> {
    match error {
        DbErr::Conn(RuntimeErr::SqlxError(said))
        | DbErr::Exec(RuntimeErr::SqlxError(said))
        | DbErr::Query(RuntimeErr::SqlxError(said)) => Some(&**said),
        _ => None,
    }
}

fn is_away(error: &DbErr) -> bool {
    if matches!(error, DbErr::ConnectionAcquire(_)) {
        return true;
    }
    match said(error) {
        Some(SqlxError::Io(_) | SqlxError::PoolTimedOut | SqlxError::PoolClosed) => true,
        Some(SqlxError::Database(said)) => said.code().is_some_and(|code| {
            // PostgreSQL's classes: connection exception, operator intervention (shutdown, crash,
            // start), and too many connections.
            code.starts_with("08") || code.starts_with("57P") || code == "53300"
        }),
        _ => false,
    }
}

fn is_crossed(error: &DbErr) -> bool {
    match said(error) {
        // PostgreSQL's deadlock and serialization failure.
        Some(SqlxError::Database(said)) => said
            .code()
            .is_some_and(|code| code == "40P01" || code == "40001"),
        _ => false,
    }
}
