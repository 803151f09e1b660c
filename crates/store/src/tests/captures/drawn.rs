//! What a job's page shows: the newest results and their boxes.

use sea_orm::{ActiveModelTrait, ActiveValue::Set, EntityTrait};

use super::super::{algorithm, classification, detection, taxon};
use super::with_captures;
use crate::capture::DrawnBox;
use crate::entity::{detection as detection_row, task_result};
use crate::job::{Job, NewJob, feed};
use crate::testing::fresh;
use crate::{Store, now};

/// What became of a capture in a job's run.
async fn result(store: &Store, job: &Job, capture: i64, outcome: i32) {
    let row = task_result::ActiveModel {
        job_id: Set(job.id),
        run_no: Set(job.run_no),
        stage: Set(feed::PROCESS),
        capture_id: Set(capture),
        generation: Set(1),
        outcome: Set(outcome),
        deliveries: Set(1),
        reason: Set(None),
    };
    row.insert(&store.db).await.unwrap();
}

#[tokio::test]
async fn boxes_carry_the_best_terminal_label() {
    for db in fresh().await {
        let store = &db.store;
        let (_, ids) = with_captures(store, 2).await;
        let detector = algorithm(store, "det", "localization").await;
        let species = algorithm(store, "species", "classification").await;
        let (moth, hawk) = (taxon(store, "Moth").await, taxon(store, "Hawk").await);
        let labelled =
            detection(store, ids[0], detector.id, Some([1.5, 2.0, 3.0, 4.0]), None).await;
        detection(store, ids[0], detector.id, Some([5.0, 6.0, 7.0, 8.0]), None).await;
        detection(store, ids[0], detector.id, None, None).await;
        for (taxon, score, terminal) in [(moth, 0.4, true), (hawk, 0.7, true), (moth, 0.9, false)] {
            classification(store, labelled, species.id, Some(taxon), score, terminal).await;
        }
        let boxes = store.boxes(&ids, 10).await.unwrap();
        let drawn = |edges, label: Option<&str>, score| DrawnBox {
            edges,
            label: label.map(str::to_owned),
            score,
        };
        assert_eq!(boxes.len(), 1, "no box on the second");
        assert_eq!(
            boxes[&ids[0]],
            [
                drawn([1.5, 2.0, 3.0, 4.0], Some("Hawk"), Some(0.7)),
                drawn([5.0, 6.0, 7.0, 8.0], None, None),
            ]
        );
        let first = store.boxes(&ids, 1).await.unwrap();
        assert_eq!(first[&ids[0]], boxes[&ids[0]][..1]);
    }
}

#[tokio::test]
async fn the_newest_results_of_a_job_and_of_no_other() {
    for db in fresh().await {
        let store = &db.store;
        let (station, ids) = with_captures(store, 5).await;
        let new = NewJob {
            project_id: station.project_id.unwrap(),
            kind: domain::job::ML,
            ..Default::default()
        };
        let job = store.create_job(new.clone()).await.unwrap();
        let other = store.create_job(new).await.unwrap();
        let detector = algorithm(store, "det", "localization").await;
        for i in [2, 0, 3, 1, 4] {
            for _ in 0..2 {
                detection(store, ids[i], detector.id, Some([0.0; 4]), None).await;
            }
        }
        for (of, capture, outcome) in [
            (&job, 0, feed::DONE),
            (&job, 1, feed::OPEN),
            (&job, 2, feed::DONE),
            (&job, 3, feed::DONE),
            (&other, 4, feed::DONE),
        ] {
            result(store, of, ids[capture], outcome).await;
        }
        let newest = async |limit| -> Vec<i64> {
            let rows = store.newest_results(&job, limit).await.unwrap();
            rows.iter().map(|c| c.id).collect()
        };
        assert_eq!(newest(10).await, [ids[3], ids[0], ids[2]]);
        assert_eq!(newest(2).await, [ids[3], ids[0]]);
    }
}

#[tokio::test]
async fn a_job_keeps_its_captures_when_others_worked_since() {
    for db in fresh().await {
        let store = &db.store;
        let (station, ids) = with_captures(store, 5).await;
        let new = NewJob {
            project_id: station.project_id.unwrap(),
            kind: domain::job::ML,
            ..Default::default()
        };
        let job = store.create_job(new).await.unwrap();
        let detector = algorithm(store, "det", "localization").await;
        detection(store, ids[2], detector.id, Some([0.0; 4]), None).await;
        for (place, outcome) in [
            (0, feed::DONE),
            (1, feed::DONE),
            (2, feed::DONE),
            (3, feed::FAILED),
            (4, feed::OPEN),
        ] {
            result(store, &job, ids[place], outcome).await;
        }
        let newest = async |limit| -> Vec<i64> {
            let rows = store.newest_results(&job, limit).await.unwrap();
            rows.iter().map(|c| c.id).collect()
        };
        assert_eq!(newest(10).await, [ids[2]]);
        // Others find more than is looked at; the job's last captures are those that it is done
        // with, also where nothing was on them.
        let (_, foreign) = with_captures(store, 1).await;
        let later = (0..2001).map(|_| detection_row::ActiveModel {
            capture_id: Set(foreign[0]),
            algorithm_id: Set(Some(detector.id)),
            created_at: Set(now()),
            updated_at: Set(now()),
            ..Default::default()
        });
        detection_row::Entity::insert_many(later)
            .exec_without_returning(&store.db)
            .await
            .unwrap();
        assert_eq!(newest(10).await, [ids[2], ids[1], ids[0]]);
        assert_eq!(newest(2).await, [ids[2], ids[1]]);
    }
}
