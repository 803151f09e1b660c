//! Connections that are cut from outside, as a database that is started again cuts all of them.
//! PostgreSQL only: a SQLite file has none.

use sea_orm::ConnectionTrait;

use crate::Store;

/// Cuts the connections by which processes listen to each other over PostgreSQL.
///
/// # Panics
/// Where that is not allowed.
pub async fn cut_listeners(store: &Store) {
    cut(store, "query LIKE 'LISTEN%'").await;
}

/// Cuts every connection to the database but the one that says so.
///
/// # Panics
/// Where that is not allowed.
pub async fn cut_connections(store: &Store) {
    cut(store, "true").await;
}

async fn cut(store: &Store, which: &str) {
    let cut = format!(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
         WHERE datname = current_database() AND {which} AND pid <> pg_backend_pid()"
    );
    store.db.execute_unprepared(&cut).await.expect("allowed");
}
