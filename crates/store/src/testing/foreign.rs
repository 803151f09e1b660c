//! A database that is not Hawkmoth's, for tests of what reads one.

use sea_orm::{ConnectionTrait, Database, DatabaseConnection};

use super::{Cleanup, VARIABLE, new_name, with_database};

/// An empty PostgreSQL database without Hawkmoth's schema; dropped, it is gone.
#[derive(Debug)]
pub struct Foreign {
    /// Its address.
    pub url: String,
    db: DatabaseConnection,
    _cleanup: Cleanup,
}

impl Foreign {
    /// Makes one, where [`VARIABLE`] names a server.
    ///
    /// # Panics
    /// Where the server does not answer or does not allow it.
    pub async fn make() -> Option<Foreign> {
        let server = std::env::var(VARIABLE).ok().filter(|url| !url.is_empty())?;
        let name = new_name();
        let admin = Database::connect(&server).await.expect("answers");
        let made = format!("CREATE DATABASE {name}");
        admin.execute_unprepared(&made).await.expect("may make one");
        admin.close().await.ok();
        let url = with_database(&server, &name);
        let db = Database::connect(&url).await.expect("answers");
        Some(Foreign {
            url,
            db,
            _cleanup: Cleanup::Database { server, name },
        })
    }

    /// Executes statements.
    ///
    /// # Panics
    /// Where one of them fails.
    pub async fn run(&self, sql: &str) {
        let done = self.db.execute_unprepared(sql).await;
        done.unwrap_or_else(|e| panic!("{e}: {}", sql.chars().take(300).collect::<String>()));
    }
}
