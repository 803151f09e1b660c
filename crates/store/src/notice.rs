//! Short words from one process to the others through PostgreSQL (`NOTIFY` and `LISTEN`). The
//! idea: they carry hints and no truth, so a word that is lost while a connection is down is lost.

use sea_orm::sqlx::postgres::PgListener;
use sea_orm::{ConnectionTrait, DbErr, RuntimeErr, Statement};

use crate::connection::{Store, StoreError, StoreResult};

/// The longest word that the database takes, in bytes.
pub const LONGEST: usize = 7900;

/// Words as they come.
#[derive(Debug)]
pub struct Notices(PgListener);

impl Notices {
    /// Waits for the next word. What was said while the connection was lost does not come any
    /// more; the next call connects again.
    ///
    /// # Errors
    /// Where the database cannot be reached; asked again later, it may be.
    pub async fn next(&mut self) -> StoreResult<String> {
        let notice = self.0.recv().await.map_err(broken)?;
        Ok(notice.payload().to_owned())
    }
}

impl Store {
    /// Listens to what any process says on a channel from now on.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] on SQLite, which has no such thing; errors of the database.
    pub async fn listen(&self, channel: &str) -> StoreResult<Notices> {
        if self.is_sqlite() {
            let why = "SQLite carries no words between processes.";
            return Err(StoreError::Conflict(why.to_owned()));
        }
        let pool = self.db.get_postgres_connection_pool();
        let mut listener = PgListener::connect_with(pool).await.map_err(broken)?;
        listener.listen(channel).await.map_err(broken)?;
        Ok(Notices(listener))
    }

    /// Says a word of at most [`LONGEST`] bytes on a channel.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn notify(&self, channel: &str, word: &str) -> StoreResult<()> {
        let statement = Statement::from_sql_and_values(
            self.db.get_database_backend(),
            "SELECT pg_notify($1, $2)",
            [channel.into(), word.into()],
        );
        self.db.execute_raw(statement).await?;
        Ok(())
    }
}

fn broken(error: sea_orm::sqlx::Error) -> StoreError {
    StoreError::Database(DbErr::Conn(RuntimeErr::SqlxError(error.into())))
}
