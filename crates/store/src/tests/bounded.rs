//! A store for requests: what takes too long is broken off, and nothing else is.

use std::time::{Duration, Instant};

use sea_orm::ConnectionTrait;

use super::jobs::world::World;
use super::taxon;
use crate::defaults::Defaults;
use crate::occurrence::list::OccurrenceFilter;
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_counted_behind_a_reader_takes_its_time() {
    for fresh in testing::fresh().await {
        if fresh.store.is_sqlite() {
            continue; // of which only lists are bounded
        }
        let world = World::new(&fresh.store, 3).await;
        let store = fresh.store.bounded(&fresh.url, LIMIT).await.unwrap();
        let (set, project) = (world.set, world.project.id);
        let moth = taxon(&fresh.store, "Some moth").await;
        // As large as what is counted so, and wrong.
        for wrong in [
            format!(
                "UPDATE capture_set SET captures_count = 30000, found_count = 99 WHERE id = {set}"
            ),
            format!(
                "UPDATE project SET taxa_counted_at = now() - INTERVAL '1 hour' WHERE id = {project}"
            ),
            format!(
                "INSERT INTO seen_taxon (project_id, taxon_id, occurrences) \
                 VALUES ({project}, {moth}, 99)"
            ),
        ] {
            ask(&store.db, &wrong).await.unwrap();
        }
        let sets = [store.capture_set(set).await.unwrap()];
        let seen = OccurrenceFilter {
            project_id: Some(project),
            defaults: Defaults::of(&world.project),
            ..Default::default()
        };
        let slow = store.write().await.unwrap();
        let lock = "LOCK TABLE occurrence IN ACCESS EXCLUSIVE MODE";
        ask(&*slow, lock).await.unwrap();
        let shown = store.set_counts(&sets, None).await.unwrap();
        assert_eq!(shown[&set].found, 99);
        assert_eq!(store.count_taxa_seen(&seen, 30_000).await.unwrap(), 1);
        tokio::time::sleep(5 * LIMIT).await;
        slow.undo().await.unwrap();
        let mut now = (99, 99);
        for _ in 0..500 {
            let found = store.capture_set(set).await.unwrap().found_count;
            now = (found, store.count_taxa_seen(&seen, 30_000).await.unwrap());
            if now == (0, 0) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert_eq!(now, (0, 0), "it was broken off");
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
