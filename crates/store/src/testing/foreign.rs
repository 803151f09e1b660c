//! A database that is not Hawkmoth's, for tests of what reads one.

use sea_orm::{ConnectionTrait, Database, DatabaseConnection};

use super::{Cleanup, VARIABLE, left_out, make_postgres};

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
        let server = std::env::var(VARIABLE).ok().filter(|url| !url.is_empty());
        if server.is_none() {
            left_out(&format!(
                "{VARIABLE} is not set: what needs a second database is LEFT OUT"
            ));
        }
        let server = server?;
        let made = make_postgres(&server, None).await;
        let url = made.url();
        let db = Database::connect(&url).await.expect("answers");
        Some(Foreign {
            url,
            db,
            _cleanup: made,
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
