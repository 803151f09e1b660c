//! What PostgreSQL knows of the sizes of tables. The idea: autovacuum looks at a table once a minute
//! at the soonest, and until then a new installation's first job is planned as if its tables were
//! nearly empty: each batch of results then reads some of them whole. So a table that has changed as
//! much as it held is looked at at once.

use std::time::Duration;

use sea_orm::{ConnectionTrait, DbBackend, Statement};

use crate::connection::{Store, StoreResult};

/// How soon it is looked again for such tables, by one process of all.
const AGAIN: Duration = Duration::from_secs(10);

/// Tables of which less has changed are read whole in no time.
const GROWN: &str = "SELECT s.relname FROM pg_stat_user_tables s \
    JOIN pg_class c ON c.oid = s.relid \
    WHERE s.schemaname = current_schema() \
    AND s.n_mod_since_analyze >= GREATEST(1000, c.reltuples) ORDER BY s.relname";

impl Store {
    /// Has PostgreSQL look at the tables that have changed very much since it last did, if that is
    /// due, and tells which. A table that something else works on is left for the next time. SQLite
    /// plans without statistics.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn analyse_grown_tables(&self) -> StoreResult<Vec<String>> {
        if self.is_sqlite() {
            return Ok(Vec::new());
        }
        let Some(turn) = self.take_duty("statistics", AGAIN * 6).await? else {
            return Ok(Vec::new());
        };
        let names = self.grown_tables().await?;
        for name in &names {
            // Without SKIP_LOCKED it would end an autovacuum of the table.
            let look = format!("ANALYZE (SKIP_LOCKED) \"{name}\"");
            self.db.execute_unprepared(&look).await?;
        }
        self.end_duty(turn, 0, AGAIN).await?;
        Ok(names)
    }

    /// The tables of which as much has changed as they held when they were last looked at.
    pub(crate) async fn grown_tables(&self) -> StoreResult<Vec<String>> {
        let asked = Statement::from_string(DbBackend::Postgres, GROWN);
        let rows = self.db.query_all_raw(asked).await?;
        let names: Result<_, _> = rows.iter().map(|row| row.try_get_by_index(0)).collect();
        Ok(names?)
    }
}
