//! What PostgreSQL knows of tables that grew since it last looked at them.

use std::time::Duration;

use sea_orm::{ConnectionTrait, DbBackend, Statement};

use crate::Store;
use crate::log::Level;
use crate::testing;
use crate::tests::jobs::world::World;

/// How many lines of logs the database thinks that there are; -1 where it never looked.
async fn known(store: &Store) -> f64 {
    let asked = "SELECT reltuples::float8 FROM pg_class WHERE relname = 'job_log'";
    let asked = Statement::from_string(DbBackend::Postgres, asked);
    let row = store.db.query_one_raw(asked).await.unwrap().unwrap();
    row.try_get_by_index(0).unwrap()
}

#[tokio::test]
async fn a_table_that_has_grown_is_looked_at_at_once() {
    for fresh in testing::fresh().await {
        let store = &fresh.store;
        if store.is_sqlite() {
            assert!(store.analyse_grown_tables().await.unwrap().is_empty());
            continue;
        }
        let world = World::new(store, 1).await;
        let job = store.create_job(world.new_job()).await.unwrap().id;
        let lines: Vec<_> = (0..2000)
            .map(|n| (Level::Info, format!("line {n}")))
            .collect();
        store.write_log(job, &lines).await.unwrap();
        let grown = || async { store.grown_tables().await.unwrap() };
        // The database counts what changed a moment later.
        while !grown().await.contains(&"job_log".to_owned()) {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        assert_eq!(known(store).await, -1.0, "it was never looked at");
        let looked = store.analyse_grown_tables().await.unwrap();
        assert!(looked.contains(&"job_log".to_owned()), "{looked:?}");
        assert_eq!(known(store).await, 2000.0);
        assert!(!grown().await.contains(&"job_log".to_owned()));
        let again = store.analyse_grown_tables().await.unwrap();
        assert!(again.is_empty(), "it is not due: {again:?}");
    }
}
