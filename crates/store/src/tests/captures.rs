//! Captures: what a sync writes, walking scopes, what still needs processing, capture sets.

mod drawn;
mod shown;

use domain::sampling::Plan;
use domain::storage::Location;
use sea_orm::{ActiveModelTrait, ActiveValue::Set, EntityTrait, IntoActiveModel};

use super::{algorithm, all, classification, detection, photo, project, station, t};
use crate::capture::{Capture, NewCapture, Scope};
use crate::capture_set::NewCaptureSet;
use crate::entity::{capture, capture_set_member};
use crate::station::Station;
use crate::testing::fresh;
use crate::{Store, StoreError, now};

async fn with_captures(store: &Store, count: usize) -> (Station, Vec<i64>) {
    let station = station(store, &project(store).await).await;
    let new: Vec<NewCapture> = (0..count)
        .map(|i| photo(&format!("{i:05}.jpg"), None))
        .collect();
    store.upsert_captures(&station, &new).await.unwrap();
    let ids = all(store, &station).await.iter().map(|c| c.id).collect();
    (station, ids)
}

#[tokio::test]
async fn a_second_sync_renews_the_file_and_keeps_the_rest() {
    for db in fresh().await {
        let store = &db.store;
        let station = station(store, &project(store).await).await;
        let old = [
            photo("a.jpg", Some("2022-08-10 22:00:00")),
            photo("b.jpg", None),
        ];
        assert_eq!(store.upsert_captures(&station, &old).await.unwrap(), (2, 2));
        store
            .set_dimensions(all(store, &station).await[0].id, 40, 30)
            .await
            .unwrap();
        let before = all(store, &station).await;
        assert_eq!(before[0].taken_at, Some(t("2022-08-10 22:00:00")));
        assert_eq!(before[0].project_id, station.project_id);

        let modified = now();
        let new = [
            NewCapture {
                path: "a.jpg".to_owned(),
                taken_at: Some(t("1999-01-01 00:00:00")),
                size: Some(2000),
                last_modified_at: Some(modified),
                checksum: Some("abc".to_owned()),
                checksum_algorithm: Some("sha256".to_owned()),
                width: Some(1),
                height: Some(1),
            },
            photo("b.jpg", None),
            photo("c.jpg", None),
        ];
        assert_eq!(store.upsert_captures(&station, &new).await.unwrap(), (1, 3));
        let after = all(store, &station).await;
        let expected = Capture {
            size: Some(2000),
            last_modified_at: Some(modified),
            checksum: Some("abc".to_owned()),
            checksum_algorithm: Some("sha256".to_owned()),
            updated_at: after[0].updated_at,
            ..before[0].clone()
        };
        assert_eq!(after[0], expected);
        assert!(after[0].updated_at > before[0].updated_at);
        assert_eq!(after[1], before[1], "an unchanged file is not written");
        assert_eq!(store.station(station.id).await.unwrap().captures_count, 3);
    }
}

#[tokio::test]
async fn a_file_that_loses_its_checksum_is_a_change() {
    for db in fresh().await {
        let store = &db.store;
        let station = station(store, &project(store).await).await;
        let with = NewCapture {
            checksum: Some("abc".to_owned()),
            ..photo("a.jpg", None)
        };
        for new in [with, photo("a.jpg", None)] {
            let checksum = new.checksum.clone();
            store.upsert_captures(&station, &[new]).await.unwrap();
            assert_eq!(all(store, &station).await[0].checksum, checksum);
        }
    }
}

#[tokio::test]
async fn of_a_path_that_stands_twice_the_last_counts() {
    for db in fresh().await {
        let store = &db.store;
        let station = station(store, &project(store).await).await;
        let bigger = NewCapture {
            size: Some(7),
            ..photo("a.jpg", None)
        };
        let new = [photo("a.jpg", None), photo("b.jpg", None), bigger];
        assert_eq!(store.upsert_captures(&station, &new).await.unwrap(), (2, 2));
        let sizes: Vec<_> = all(store, &station)
            .await
            .iter()
            .map(|c| (c.path.clone(), c.size))
            .collect();
        assert!(sizes.contains(&("a.jpg".to_owned(), Some(7))), "{sizes:?}");
        assert_eq!(store.upsert_captures(&station, &[]).await.unwrap(), (0, 2));
    }
}

#[tokio::test]
async fn the_same_path_at_another_station_is_another_capture() {
    for db in fresh().await {
        let store = &db.store;
        let project = project(store).await;
        let (a, b) = (
            station(store, &project).await,
            station(store, &project).await,
        );
        for s in [&a, &b] {
            let made = store
                .upsert_captures(s, &[photo("x.jpg", None)])
                .await
                .unwrap();
            assert_eq!(made, (1, 1));
        }
    }
}

#[tokio::test]
async fn scopes_are_walked_whole_and_in_order() {
    for db in fresh().await {
        let store = &db.store;
        let (station, ids) = with_captures(store, 2500).await;
        assert_eq!(ids.len(), 2500);
        let (_, foreign) = with_captures(store, 3).await;
        let project = station.project_id.unwrap();
        let set = store
            .capture_set_by_name(project, "All Images")
            .await
            .unwrap()
            .unwrap();
        assert_eq!(store.populate_full(set.id).await.unwrap(), 2500);
        for scope in [Scope::Station(station.id), Scope::Set(set.id)] {
            assert_eq!(store.count_captures(&scope).await.unwrap(), 2500);
            let mut walked = Vec::new();
            let mut after = i64::MIN;
            loop {
                let page = store.capture_ids_after(&scope, after, 700).await.unwrap();
                let Some(last) = page.last() else { break };
                after = *last;
                walked.extend(page);
            }
            assert_eq!(walked, ids, "{scope:?}");
        }
        let one = Scope::Single(ids[7]);
        assert_eq!(store.count_captures(&one).await.unwrap(), 1);
        assert_eq!(
            store.capture_ids_after(&one, i64::MIN, 10).await.unwrap(),
            [ids[7]]
        );
        assert!(
            store
                .capture_ids_after(&one, ids[7], 10)
                .await
                .unwrap()
                .is_empty()
        );
        assert_eq!(store.captures_by_id(&ids).await.unwrap().len(), 2500);
        let some = store.captures_by_id(&[foreign[0], i64::MAX]).await.unwrap();
        assert_eq!(some.len(), 1);
    }
}

#[tokio::test]
async fn what_still_needs_processing() {
    const EDGES: Option<[f64; 4]> = Some([1.0, 2.0, 3.0, 4.0]);
    for db in fresh().await {
        let store = &db.store;
        let (_, c) = with_captures(store, 7).await;
        let detector = algorithm(store, "det", "localization").await;
        let filter = algorithm(store, "filter", "classification").await;
        let species = algorithm(store, "species", "classification").await;
        let foreign = algorithm(store, "foreign", "localization").await;
        // c[0]: never processed
        detection(store, c[1], detector.id, None, None).await; // nothing found
        detection(store, c[2], detector.id, EDGES, None).await; // not classified
        for (capture, by) in [(c[3], vec![&filter, &species]), (c[4], vec![&filter])] {
            let d = detection(store, capture, detector.id, EDGES, None).await;
            for algorithm in by {
                classification(store, d, algorithm.id, None, 0.5, true).await;
            }
        }
        let d = detection(store, c[5], foreign.id, EDGES, None).await; // by another pipeline
        classification(store, d, species.id, None, 0.5, true).await;
        for by in [&filter, &species] {
            let d = detection(store, c[6], detector.id, EDGES, None).await; // done together
            classification(store, d, by.id, None, 0.5, true).await;
        }
        let asked = [c[6], c[5], c[4], c[3], c[2], c[1], c[0]];
        let pipeline = [detector.clone(), filter, species];
        let left = store.needing_processing(&asked, &pipeline).await.unwrap();
        assert_eq!(left, [c[5], c[4], c[2], c[0]]);
        let only_detector = store.needing_processing(&asked, &[detector]).await.unwrap();
        assert_eq!(only_detector, asked, "without classifiers everything");
        assert!(
            store
                .needing_processing(&[], &pipeline)
                .await
                .unwrap()
                .is_empty()
        );
    }
}

#[tokio::test]
async fn more_captures_than_one_query_takes_are_filtered_alike() {
    for db in fresh().await {
        let store = &db.store;
        let (_, ids) = with_captures(store, 1500).await;
        let detector = algorithm(store, "det", "localization").await;
        let species = algorithm(store, "species", "classification").await;
        for id in [ids[0], ids[999], ids[1000], ids[1499]] {
            detection(store, id, detector.id, None, None).await;
        }
        let mut watched = store.clone();
        let watch = watched.watch();
        let left = watched
            .needing_processing(&ids, &[detector, species])
            .await
            .unwrap();
        for asked in watch.all() {
            let plan = store.plan(&asked).await.unwrap();
            let by_all = plan.contains("ix_detection_algorithm_id");
            assert!(!by_all, "an algorithm has very many boxes: {plan}");
        }
        let done = [0usize, 999, 1000, 1499];
        let expected: Vec<i64> = (0..1500)
            .filter(|i| !done.contains(i))
            .map(|i| ids[i])
            .collect();
        assert_eq!(left, expected);
    }
}

#[tokio::test]
async fn populate_replaces_what_a_set_holds() {
    for db in fresh().await {
        let store = &db.store;
        let (station, ids) = with_captures(store, 5).await;
        let (_, foreign) = with_captures(store, 2).await;
        let project = station.project_id.unwrap();
        let new = NewCaptureSet {
            project_id: project,
            name: "Mine".to_owned(),
            method: "full".to_owned(),
            ..Default::default()
        };
        let set = store.create_capture_set(new).await.unwrap();
        assert_eq!(store.capture_set(set.id).await.unwrap(), set);
        assert_eq!(set.kwargs, serde_json::json!({}));
        for capture in [foreign[0], ids[0]] {
            let member = capture_set_member::ActiveModel {
                capture_set_id: Set(set.id),
                capture_id: Set(capture),
            };
            capture_set_member::Entity::insert(member)
                .exec_without_returning(&store.db)
                .await
                .unwrap();
        }
        for _ in 0..2 {
            assert_eq!(store.populate_full(set.id).await.unwrap(), 5);
            let held = store
                .capture_ids_after(&Scope::Set(set.id), 0, 100)
                .await
                .unwrap();
            assert_eq!(held, ids);
        }
        let other = store
            .capture_set_by_name(project, "All Images")
            .await
            .unwrap()
            .unwrap();
        assert_eq!(
            store.count_members(other.id).await.unwrap(),
            0,
            "another set"
        );
        store.delete_capture(ids[0]).await.unwrap();
        assert_eq!(store.count_members(set.id).await.unwrap(), 4);
        let missing = store.populate_full(set.id + 1000).await;
        assert!(matches!(missing, Err(StoreError::NotFound("capture set"))));
    }
}

#[tokio::test]
async fn a_sample_is_what_the_plan_chooses_in_any_order() {
    for db in fresh().await {
        let store = &db.store;
        let station = station(store, &project(store).await).await;
        let night: Vec<NewCapture> = (0..25)
            .map(|i| {
                photo(
                    &format!("{i}.jpg"),
                    Some(&format!("2022-08-10 22:{i:02}:00")),
                )
            })
            .collect();
        store.upsert_captures(&station, &night).await.unwrap();
        let ids: Vec<i64> = all(store, &station).await.iter().map(|c| c.id).collect();
        let new = NewCaptureSet {
            project_id: station.project_id.unwrap(),
            name: "Some".to_owned(),
            method: "interval".to_owned(),
            ..Default::default()
        };
        let set = store.create_capture_set(new).await.unwrap();
        let mut last = Vec::new();
        for (method, settings, count) in [
            (
                "common_combined",
                serde_json::json!({"minute_interval": 0}),
                25,
            ),
            ("interval", serde_json::json!({"minute_interval": 0}), 25),
            ("random", serde_json::json!({"size": 7, "seed": 1}), 7),
            ("random", serde_json::json!({"size": 7, "seed": 1}), 7),
            (
                "full",
                serde_json::json!({"deployment_ids": [station.id + 1000]}),
                0,
            ),
            (
                "full",
                serde_json::json!({"research_site_ids": [station.id + 1000]}),
                0,
            ),
        ] {
            let plan = Plan::read(method, settings.as_object().unwrap(), 0).unwrap();
            let mut chosen = store.sample(&set, plan, |_| {}).await.unwrap();
            chosen.sort_unstable();
            assert_eq!(chosen.len(), count, "{method} {settings}");
            if count == 7 && last.len() == 7 {
                assert_eq!(chosen, last, "the same seed");
            }
            let held = store.replace_members(set.id, &chosen).await.unwrap();
            assert_eq!(held, count as u64);
            let members = store.capture_ids_after(&Scope::Set(set.id), 0, 100).await;
            assert_eq!(members.unwrap(), chosen);
            last = chosen;
        }
        let gone = [ids[0], ids[1], ids[24] + 5000];
        assert_eq!(store.replace_members(set.id, &gone).await.unwrap(), 2);
        let missing = store.replace_members(set.id + 1000, &gone).await;
        assert!(matches!(missing, Err(StoreError::NotFound("capture set"))));
    }
}

#[tokio::test]
async fn a_deleted_capture_takes_its_detections_along() {
    for db in fresh().await {
        let store = &db.store;
        let (_, ids) = with_captures(store, 2).await;
        let detector = algorithm(store, "det", "localization").await;
        for id in &ids {
            detection(store, *id, detector.id, Some([0.0; 4]), None).await;
        }
        store.delete_capture(ids[0]).await.unwrap();
        assert!(matches!(
            store.capture(ids[0]).await,
            Err(StoreError::NotFound("capture"))
        ));
        let boxes = store.boxes(&ids, 10).await.unwrap();
        assert_eq!(boxes.keys().collect::<Vec<_>>(), [&ids[1]]);
        assert!(store.delete_capture(ids[0]).await.is_err());
    }
}

#[tokio::test]
async fn where_photographs_lie() {
    for db in fresh().await {
        let store = &db.store;
        let project = project(store).await;
        let source = store
            .create_local_source(project.id, "F", "/photographs")
            .await
            .unwrap();
        let new = crate::station::NewStation {
            project_id: project.id,
            source_id: Some(source.id),
            ..Default::default()
        };
        let local = store.create_station(new).await.unwrap();
        let bare = station(store, &project).await;
        for s in [&local, &bare] {
            let found = [photo("n/a.jpg", None), photo("n/b.jpg", None)];
            store.upsert_captures(s, &found).await.unwrap();
        }
        let web = all(store, &bare).await[0].clone();
        let mut row = capture::Entity::find_by_id(web.id)
            .one(&store.db)
            .await
            .unwrap()
            .unwrap()
            .into_active_model();
        row.public_base_url = Set(Some("https://h/pictures/".to_owned()));
        row.update(&store.db).await.unwrap();

        let mut rows = all(store, &local).await;
        rows.extend(all(store, &bare).await);
        let places = store.locations(&rows).await.unwrap();
        let folder = Location::Folder {
            source: source.id,
            root: "/photographs".to_owned(),
            key: "n/a.jpg".to_owned(),
        };
        let url = "https://h/pictures/n/a.jpg".to_owned();
        assert_eq!(places.get(&rows[0].id), Some(&folder));
        assert_eq!(places.get(&web.id), Some(&Location::Web { url }));
        assert_eq!(places.len(), 3, "the last has no address");
    }
}
