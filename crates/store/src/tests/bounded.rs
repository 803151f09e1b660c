//! A store for requests: what takes too long is broken off, and nothing else is.

use std::time::{Duration, Instant};

use sea_orm::ConnectionTrait;

use crate::{StoreError, StoreResult, testing};

const LIMIT: Duration = Duration::from_millis(100);

/// A statement that never ends.
const ENDLESS: &str = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) \
                       SELECT count(*) FROM n";
/// A statement that takes longer than the limit, and ends.
const LONG_SQLITE: &str = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n \
                           WHERE x < 20000000) SELECT count(*) FROM n";
const LONG_POSTGRES: &str = "SELECT pg_sleep(1)";

async fn ask(db: &impl ConnectionTrait, statement: &str) -> StoreResult<()> {
    db.execute_unprepared(statement).await?;
    Ok(())
}

#[tokio::test]
async fn a_request_is_not_kept_by_an_endless_statement() {
    for fresh in testing::fresh().await {
        let store = fresh.store.bounded(&fresh.url, LIMIT).await.unwrap();
        // Several times: a connection that was broken off is good again.
        for _ in 0..6 {
            let ended = ask(store.lists(), ENDLESS).await;
            assert!(matches!(ended, Err(StoreError::Slow)), "{ended:?}");
            ask(store.lists(), "SELECT 1").await.unwrap();
        }
        // Each use of a connection has the time anew.
        let began = Instant::now();
        while began.elapsed() < 2 * LIMIT {
            ask(store.lists(), "SELECT 1").await.unwrap();
        }
    }
}

#[tokio::test]
async fn what_nobody_waits_for_takes_its_time() {
    for fresh in testing::fresh().await {
        let store = fresh.store.bounded(&fresh.url, LIMIT).await.unwrap();
        let long = match store.is_sqlite() {
            true => LONG_SQLITE,
            false => LONG_POSTGRES,
        };
        let refused = ask(store.lists(), long).await;
        assert!(matches!(refused, Err(StoreError::Slow)), "{refused:?}");
        ask(store.patient().lists(), long).await.unwrap();
        let tx = store.write().await.unwrap();
        ask(&*tx, long).await.unwrap();
        tx.commit().await.unwrap();
        ask(&fresh.store.db, long).await.unwrap();
    }
}

#[tokio::test]
async fn pools_are_told_apart() {
    for fresh in testing::fresh().await {
        let store = fresh.store.bounded(&fresh.url, LIMIT).await.unwrap();
        store.ping().await.unwrap();
        let names: Vec<&str> = store.pools().iter().map(|pool| pool.name).collect();
        let expected = match store.is_sqlite() {
            true => ["read", "write", "lists"].as_slice(),
            false => ["read", "jobs"].as_slice(),
        };
        assert_eq!(names, expected);
        for pool in store.pools() {
            assert!(pool.idle <= pool.open && pool.open <= pool.most, "{pool:?}");
        }
    }
}
