//! The version of the schema: read without writing, brought forward by one process at a time, and
//! refused where it is another one.

use sea_orm::ConnectionTrait;
use sea_orm_migration::MigratorTrait;

use crate::migration::Migrator;
use crate::schema::{AGAIN, take_turn};
use crate::testing::{Blank, behind, blank, fresh, make_newer, make_older};
use crate::{Store, StoreError};

mod rule;
mod seen;

/// Another process on the same database.
async fn another(blank: &Blank) -> Store {
    Store::open(&blank.url).await.unwrap()
}

#[tokio::test]
async fn who_only_looks_leaves_nothing_behind() {
    for blank in blank().await {
        let store = another(&blank).await;
        assert!(store.is_new().await.unwrap());
        let lacks = store.check_schema().await.unwrap_err().to_string();
        let sentence = "changes of its schema: run `hawkmoth migrate` first";
        assert!(lacks.contains(sentence), "{lacks}");
        assert!(seen::schema(&store.db).await.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_several_processes_one_changes_the_schema() {
    for blank in blank().await {
        let mut all = Vec::new();
        for _ in 0..6 {
            let store = another(&blank).await;
            all.push(tokio::spawn(async move { store.migrate().await.unwrap() }));
        }
        let mut applied = Vec::new();
        for one in all {
            applied.push(one.await.unwrap());
        }
        applied.sort_unstable();
        let changes = Migrator::migrations().len();
        assert_eq!(applied, [0, 0, 0, 0, 0, changes]);
        another(&blank).await.check_schema().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_finds_half_a_schema_waits_for_whoever_makes_it() {
    for blank in blank().await {
        let (making, looking) = (another(&blank).await, another(&blank).await);
        if making.is_sqlite() {
            continue; // nobody sees half of it
        }
        let turn = making.write().await.unwrap();
        take_turn(&turn).await.unwrap();
        Migrator::up(&making.db, Some(5)).await.unwrap();
        let mut waiting = tokio::spawn({
            let looking = looking.clone();
            async move { looking.settled().await }
        });
        let early = tokio::time::timeout(2 * AGAIN, &mut waiting).await;
        assert!(early.is_err(), "it did not wait: {early:?}");
        Migrator::up(&making.db, None).await.unwrap();
        turn.commit().await.unwrap();
        waiting.await.unwrap().unwrap();
        looking.check_schema().await.unwrap();
    }
    // Where nobody makes it, nobody waits.
    for behind in behind().await {
        let store = another(&behind).await;
        store.settled().await.unwrap();
        let refused = store.check_schema().await.unwrap_err();
        assert!(matches!(refused, StoreError::Schema(_)), "{refused:?}");
    }
}

#[tokio::test]
async fn a_newer_schema_is_refused() {
    for fresh in fresh().await {
        make_newer(&fresh.store).await;
        let store = &fresh.store;
        for refused in [
            store.check_schema().await.unwrap_err(),
            store.migrate().await.unwrap_err(),
            store.is_new().await.unwrap_err(),
        ] {
            let sentence = refused.to_string();
            assert!(
                sentence.contains("changed by a newer Hawkmoth (m9999_future): use that version"),
                "{sentence}"
            );
            assert!(matches!(refused, StoreError::Newer(_)), "{refused:?}");
        }
        // One that lacks something as well is none that a program of today can go on with.
        make_older(store).await;
        let refused = store.check_schema().await.unwrap_err();
        assert!(matches!(refused, StoreError::Schema(_)), "{refused:?}");
    }
}

#[tokio::test]
async fn a_change_that_fails_is_made_again() {
    for blank in blank().await {
        let store = another(&blank).await;
        // The table that the last but one change makes is somebody's.
        store
            .db
            .execute_unprepared("CREATE TABLE transfer (x integer)")
            .await
            .unwrap();
        store.migrate().await.unwrap_err();
        store
            .db
            .execute_unprepared("DROP TABLE transfer")
            .await
            .unwrap();
        assert!(store.migrate().await.unwrap() > 0);
        store.check_schema().await.unwrap();
    }
}
