//! Stations, their sources and the regroup lock.

use chrono::Duration;

use super::{project, station};
use crate::station::NewStation;
use crate::testing::fresh;
use crate::{StoreError, now};

#[tokio::test]
async fn stations_and_sources_are_found_again() {
    for db in fresh().await {
        let store = &db.store;
        let project = project(store).await;
        let other = super::project(store).await;
        let source = store
            .create_local_source(project.id, "Folder", "/photographs")
            .await
            .unwrap();
        assert_eq!(store.source(source.id).await.unwrap(), source);
        let found = store
            .local_source(project.id, "/photographs")
            .await
            .unwrap();
        assert_eq!(found, Some(source.clone()));
        for (id, folder) in [(project.id, "/photo"), (other.id, "/photographs")] {
            assert_eq!(store.local_source(id, folder).await.unwrap(), None);
        }
        let make = async |name: &str, source_id| {
            let new = NewStation {
                project_id: project.id,
                name: name.to_owned(),
                latitude: Some(55.5),
                longitude: Some(-72.25),
                source_id,
                ..Default::default()
            };
            store.create_station(new).await.unwrap()
        };
        let wood = make("Wood", Some(source.id)).await;
        let hill = make("Hill", None).await;
        assert_eq!(store.station(wood.id).await.unwrap(), wood);
        assert_eq!((wood.latitude, wood.longitude), (Some(55.5), Some(-72.25)));
        assert_eq!(
            store.stations(project.id).await.unwrap(),
            [hill.clone(), wood.clone()]
        );
        let by_name = store.station_by_name(project.id, "Hill").await.unwrap();
        assert_eq!(by_name, Some(hill.clone()));
        assert_eq!(store.station_by_name(other.id, "Hill").await.unwrap(), None);
        assert_eq!(
            store.station_of_source(source.id).await.unwrap(),
            Some(wood)
        );
        let missing = store.station(hill.id + 100).await;
        assert!(matches!(missing, Err(StoreError::NotFound("station"))));
    }
}

#[tokio::test]
async fn totals_of_a_source_are_only_raised() {
    for db in fresh().await {
        let store = &db.store;
        let id = station(store, &project(store).await).await.id;
        let checked = now();
        for (given, kept) in [((5, 50), (5, 50)), ((3, 70), (5, 70)), ((9, 10), (9, 70))] {
            store
                .update_source_totals(id, given.0, given.1, checked)
                .await
                .unwrap();
            let row = store.station(id).await.unwrap();
            assert_eq!(
                (row.source_total_files, row.source_total_size),
                (Some(kept.0), Some(kept.1))
            );
            assert_eq!(row.source_checked_at, Some(checked));
        }
    }
}

#[tokio::test]
async fn one_at_a_time_regroups() {
    for db in fresh().await {
        let store = &db.store;
        let project = project(store).await;
        let a = station(store, &project).await.id;
        let b = station(store, &project).await.id;
        let long = Duration::minutes(10);
        let lock = async |id, holder: &str| store.lock_regroup(id, holder, long).await.unwrap();
        assert!(lock(a, "one").await);
        assert!(!lock(a, "two").await);
        assert!(lock(a, "one").await, "renewed");
        assert!(lock(b, "two").await, "another station");
        store.unlock_regroup(a, "two").await.unwrap();
        assert!(!lock(a, "two").await, "not its own to give back");
        store.unlock_regroup(a, "one").await.unwrap();
        assert!(lock(a, "two").await);
        assert!(!lock(a + 1000, "one").await, "no such station");
    }
}

#[tokio::test]
async fn an_expired_lock_is_void_and_its_holder_cannot_take_it_from_the_next() {
    for db in fresh().await {
        let store = &db.store;
        let id = station(store, &project(store).await).await.id;
        let past = Duration::seconds(-1);
        let long = Duration::minutes(10);
        assert!(store.lock_regroup(id, "dead", past).await.unwrap());
        assert!(store.lock_regroup(id, "next", long).await.unwrap());
        store.unlock_regroup(id, "dead").await.unwrap();
        assert!(!store.lock_regroup(id, "dead", long).await.unwrap());
    }
}

#[tokio::test]
async fn of_many_that_ask_at_once_one_gets_the_lock() {
    for db in fresh().await {
        let store = &db.store;
        let id = station(store, &project(store).await).await.id;
        let asked = (0..8).map(|i| {
            let store = store.clone();
            tokio::spawn(async move {
                let ttl = Duration::minutes(10);
                store
                    .lock_regroup(id, &format!("job {i}"), ttl)
                    .await
                    .unwrap()
            })
        });
        let mut got = 0;
        for task in asked.collect::<Vec<_>>() {
            got += usize::from(task.await.unwrap());
        }
        assert_eq!(got, 1);
    }
}
