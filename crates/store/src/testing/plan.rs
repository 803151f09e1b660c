//! What the store asks its database, for measuring: the statements of a while with their times, and
//! how the database answers the slowest.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sea_orm::{ConnectionTrait, DbBackend, Statement};

use crate::connection::{Store, StoreResult};

/// A statement and how long it took.
#[derive(Clone, Debug)]
pub struct Asked {
    statement: Statement,
    /// How long it took.
    pub took: Duration,
}

/// The statements that a store asks, noted down.
#[derive(Clone, Debug, Default)]
pub struct Watch(Arc<Mutex<Vec<Asked>>>);

impl Watch {
    /// The slowest statement since this was last called.
    pub fn slowest(&self) -> Option<Asked> {
        let asked = self.all().into_iter();
        asked.max_by_key(|asked| asked.took)
    }

    /// All statements since this was last called.
    pub fn all(&self) -> Vec<Asked> {
        let mut asked = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *asked)
    }
}

impl Store {
    /// From now on this store and its clones note what they ask.
    pub fn watch(&mut self) -> Watch {
        let watch = Watch::default();
        let notes = watch.clone();
        self.db.set_metric_callback(move |info| {
            let mut asked = notes.0.lock().unwrap_or_else(PoisonError::into_inner);
            asked.push(Asked {
                statement: info.statement.clone(),
                took: info.elapsed,
            });
        });
        watch
    }

    /// The statement with its values, and below it the database's plan for it.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn plan(&self, asked: &Asked) -> StoreResult<String> {
        let backend = self.db.get_database_backend();
        let (explain, column) = match backend {
            DbBackend::Sqlite => ("EXPLAIN QUERY PLAN ", 3),
            _ => ("EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) ", 0),
        };
        let mut statement = asked.statement.clone();
        statement.sql = format!("{explain}{}", statement.sql);
        let mut text = format!("{}\n", asked.statement);
        for row in self.db.query_all_raw(statement).await? {
            let line: String = row.try_get_by_index(column)?;
            text.push_str(&format!("    {line}\n"));
        }
        Ok(text)
    }
}
