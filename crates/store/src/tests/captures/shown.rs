//! What the pages about captures read: a place of its own for each in its night, lists between two
//! times, boxes with all that is said of them, and the jobs that had a capture.

use std::collections::HashSet;

use sea_orm::{ActiveModelTrait, ActiveValue::Set};

use super::super::{
    algorithm, all, classification, detection, occurrence, photo, project, station, t, taxon,
};
use super::with_captures;
use crate::Store;
use crate::capture::{CaptureFilter, CaptureOrder, Touch};
use crate::capture_set::NewCaptureSet;
use crate::entity::{occurrence as occurrence_row, task_result};
use crate::job::{NewJob, feed};
use crate::testing::fresh;

const NIGHT: [Option<&str>; 6] = [
    Some("2022-08-10 22:00:00"),
    Some("2022-08-10 22:00:00"),
    Some("2022-08-10 21:00:00"),
    Some("2022-08-10 22:00:00"),
    Some("2022-08-10 23:00:00"),
    None,
];

async fn a_night(store: &Store) -> crate::station::Station {
    let station = station(store, &project(store).await).await;
    let named = NIGHT.iter().enumerate();
    let new: Vec<_> = named
        .map(|(i, time)| photo(&format!("{i}.jpg"), *time))
        .collect();
    store.upsert_captures(&station, &new).await.unwrap();
    let gap = chrono::Duration::hours(2);
    store.regroup(station.id, gap, |_| {}).await.unwrap();
    store.station(station.id).await.unwrap()
}

#[tokio::test]
async fn each_capture_of_a_night_is_walked_through_once() {
    for db in fresh().await {
        let store = &db.store;
        let station = a_night(store).await;
        let rows = all(store, &station).await;
        let order = [2, 0, 1, 3, 4].map(|place: usize| rows[place].id);
        for (place, id) in order.iter().enumerate() {
            let capture = store.capture(*id).await.unwrap();
            let beside = store.beside(&capture).await.unwrap().unwrap();
            let before = place.checked_sub(1).map(|place| order[place]);
            assert_eq!(beside.previous, before, "{place}");
            assert_eq!(beside.next, order.get(place + 1).copied(), "{place}");
            assert_eq!((beside.place, beside.total), (place as u64 + 1, 5));
        }
        assert_eq!(store.beside(&rows[5]).await.unwrap(), None, "without time");
    }
}

#[tokio::test]
async fn captures_in_no_session_are_walked_through_by_station() {
    for db in fresh().await {
        let store = &db.store;
        let station = station(store, &project(store).await).await;
        let times = [NIGHT[0], NIGHT[2], NIGHT[1], None, None];
        let named = times.iter().enumerate();
        let new: Vec<_> = named
            .map(|(i, time)| photo(&format!("{i}.jpg"), *time))
            .collect();
        store.upsert_captures(&station, &new).await.unwrap();
        let rows = all(store, &station).await;
        let order = [1, 0, 2, 3, 4].map(|place: usize| rows[place].id);
        for (place, id) in order.iter().enumerate() {
            let capture = store.capture(*id).await.unwrap();
            assert_eq!(store.beside(&capture).await.unwrap(), None);
            let beside = store.beside_at_station(&capture).await.unwrap();
            let before = place.checked_sub(1).map(|place| order[place]);
            let after = order.get(place + 1).copied();
            assert_eq!(beside, (before, after), "{place}");
        }
    }
}

#[tokio::test]
async fn lists_between_two_times() {
    for db in fresh().await {
        let store = &db.store;
        let station = a_night(store).await;
        let rows = all(store, &station).await;
        let list = async |filter: CaptureFilter, order: &[(CaptureOrder, bool)]| {
            let (found, count) = store.captures_page(&filter, order, 50, 0).await.unwrap();
            assert_eq!(found.len() as u64, count);
            let places = found.iter().map(|c| rows.iter().position(|r| r.id == c.id));
            places.flatten().collect::<Vec<_>>()
        };
        let filter = |since: Option<&str>, until: Option<&str>| CaptureFilter {
            project_id: station.project_id.unwrap(),
            since: since.map(t),
            until: until.map(t),
            ..CaptureFilter::default()
        };
        let (early, late) = ("2022-08-10 21:00:01", "2022-08-10 22:00:00");
        let newest = [(CaptureOrder::Taken, true)];
        assert_eq!(list(filter(None, None), &newest).await, [4, 3, 1, 0, 2, 5]);
        assert_eq!(list(filter(Some(early), None), &[]).await, [0, 1, 3, 4]);
        let until = filter(None, Some(late));
        assert_eq!(list(until.clone(), &newest).await, [3, 1, 0, 2]);
        let between = filter(Some(early), Some(late));
        for order in [
            CaptureOrder::Boxes,
            CaptureOrder::Path,
            CaptureOrder::Processed,
        ] {
            assert_eq!(list(between.clone(), &[(order, false)]).await, [0, 1, 3]);
        }
        let of_station = CaptureFilter {
            station_id: Some(station.id),
            ..between.clone()
        };
        assert_eq!(list(of_station, &newest).await, [3, 1, 0]);
        let of_session = CaptureFilter {
            session_id: rows[0].session_id,
            ..between
        };
        assert_eq!(list(of_session, &[]).await, [0, 1, 3]);
    }
}

#[tokio::test]
async fn stars_are_those_that_people_gave_in_this_project() {
    for db in fresh().await {
        let store = &db.store;
        let (station, ids) = with_captures(store, 4).await;
        let project = station.project_id.unwrap();
        let none = store.starred_among(project, &ids).await.unwrap();
        assert!(none.is_empty(), "there is no set of stars yet");
        for id in [ids[1], ids[3]] {
            store.star(project, id, true).await.unwrap();
        }
        // A later set of the same method is not where stars are put.
        let later = NewCaptureSet {
            project_id: project,
            name: "Later".to_owned(),
            method: "starred".to_owned(),
            ..NewCaptureSet::default()
        };
        let later = store.create_capture_set(later).await.unwrap();
        store.add_to_set(later.id, ids[0]).await.unwrap();
        let (other, foreign) = with_captures(store, 1).await;
        let other = other.project_id.unwrap();
        store.star(other, foreign[0], true).await.unwrap();
        let before = db.statements();
        let starred = store.starred_among(project, &ids).await.unwrap();
        assert_eq!(db.statements() - before, 1);
        assert_eq!(starred, HashSet::from([ids[1], ids[3]]));
        let some = [ids[0], ids[1], foreign[0]];
        let starred = store.starred_among(project, &some).await.unwrap();
        assert_eq!(starred, HashSet::from([ids[1]]));
        store.star(project, ids[1], false).await.unwrap();
        assert!(
            store
                .starred_among(project, &some)
                .await
                .unwrap()
                .is_empty()
        );
        assert!(store.starred_among(project, &[]).await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn boxes_come_with_who_said_what() {
    for db in fresh().await {
        let store = &db.store;
        let station = a_night(store).await;
        let capture = all(store, &station).await[0].clone();
        let detector = algorithm(store, "det", "localization").await;
        let species = algorithm(store, "species", "classification").await;
        let (moth, hawk) = (taxon(store, "Moth").await, taxon(store, "Hawk").await);
        let individual = occurrence(store, &station, capture.session_id).await;
        occurrence_row::ActiveModel {
            id: Set(individual),
            determination_id: Set(Some(hawk)),
            ..Default::default()
        }
        .update(&store.db)
        .await
        .unwrap();
        let edges = Some([1.0, 2.0, 3.0, 4.0]);
        let labelled = detection(store, capture.id, detector.id, edges, Some(individual)).await;
        detection(store, capture.id, detector.id, edges, None).await;
        detection(store, capture.id, detector.id, None, None).await;
        // What is no last word of its model stands behind, however sure it is.
        let rough = algorithm(store, "rough", "classification").await;
        for (by, taxon, score, terminal) in [
            (species.id, moth, 0.4, true),
            (species.id, moth, 0.7, true),
            (rough.id, hawk, 0.9, false),
        ] {
            classification(store, labelled, by, Some(taxon), score, terminal).await;
        }
        let boxes = store.labelled_boxes(capture.id, 10).await.unwrap();
        assert_eq!(boxes.len(), 2, "what found nothing has no box");
        let label = boxes[0].label.clone().unwrap();
        assert_eq!(label.taxon.as_deref(), Some("Moth"));
        assert_eq!(label.score, Some(0.7));
        assert_eq!(label.algorithm.as_deref(), Some("species"));
        assert_eq!(boxes[0].determination.as_deref(), Some("Hawk"));
        assert_eq!(boxes[0].detector.as_deref(), Some("det"));
        assert_eq!(
            (boxes[1].label.is_none(), boxes[1].determination.is_none()),
            (true, true)
        );
        assert_eq!(store.labelled_boxes(capture.id, 1).await.unwrap().len(), 1);
    }
}

#[tokio::test]
async fn jobs_tell_what_became_of_a_capture() {
    for db in fresh().await {
        let store = &db.store;
        let (station, ids) = with_captures(store, 3).await;
        let project_id = station.project_id.unwrap();
        let set = NewCaptureSet {
            project_id,
            name: "Two".to_owned(),
            ..Default::default()
        };
        let set = store.create_capture_set(set).await.unwrap().id;
        store.add_to_set(set, ids[0]).await.unwrap();
        let job = async |station, capture_set, capture| {
            let new = NewJob {
                project_id,
                kind: domain::job::ML,
                station_id: station,
                capture_set_id: capture_set,
                capture_id: capture,
                ..Default::default()
            };
            store.create_job(new).await.unwrap()
        };
        let of_station = job(Some(station.id), None, None).await;
        let of_set = job(None, Some(set), None).await;
        let alone = job(None, None, Some(ids[0])).await;
        job(None, None, Some(ids[1])).await;
        let result = async |job: &crate::job::Job, run_no, outcome, reason: Option<&str>| {
            let row = task_result::ActiveModel {
                job_id: Set(job.id),
                run_no: Set(run_no),
                stage: Set(feed::PROCESS),
                capture_id: Set(ids[0]),
                generation: Set(1),
                outcome: Set(outcome),
                deliveries: Set(1),
                reason: Set(reason.map(str::to_owned)),
            };
            row.insert(&store.db).await.unwrap();
        };
        result(&of_set, of_set.run_no, feed::FAILED, Some("It is dark.")).await;
        // Of a run that is over: the job did not come to it since.
        result(&of_station, of_station.run_no + 7, feed::DONE, None).await;
        let shown = async || {
            let capture = store.capture(ids[0]).await.unwrap();
            let touched = store.jobs_that_touched(&capture).await.unwrap();
            let pair = touched.into_iter().map(|t| (t.job.id, t.touch));
            pair.collect::<Vec<_>>()
        };
        let failed = Touch::Failed("It is dark.".to_owned());
        let expected = [(alone.id, Touch::Asked), (of_set.id, failed.clone())];
        assert_eq!(shown().await, expected);
        result(&of_station, of_station.run_no, feed::DONE, None).await;
        result(&alone, alone.run_no, feed::OPEN, None).await;
        let expected = [
            (alone.id, Touch::Open),
            (of_set.id, failed),
            (of_station.id, Touch::Done),
        ];
        assert_eq!(shown().await, expected);
    }
}
