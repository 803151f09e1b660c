//! What a job's page shows: the newest results and their boxes.

use sea_orm::{ActiveModelTrait, ActiveValue::Set};

use super::super::{algorithm, classification, detection, taxon};
use super::with_captures;
use crate::capture::DrawnBox;
use crate::entity::task_result;
use crate::job::{NewJob, feed};
use crate::testing::fresh;

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
        let boxes = store.boxes(&ids).await.unwrap();
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
        let results = [
            (job.id, 0, feed::DONE),
            (job.id, 1, feed::OPEN),
            (job.id, 2, feed::DONE),
            (job.id, 3, feed::DONE),
            (other.id, 4, feed::DONE),
        ];
        for (job_id, capture, outcome) in results {
            let row = task_result::ActiveModel {
                job_id: Set(job_id),
                run_no: Set(job.run_no),
                stage: Set(feed::PROCESS),
                capture_id: Set(ids[capture]),
                generation: Set(1),
                outcome: Set(outcome),
                deliveries: Set(1),
                reason: Set(None),
            };
            row.insert(&store.db).await.unwrap();
        }
        let newest = async |limit| -> Vec<i64> {
            let rows = store.newest_results(&job, limit).await.unwrap();
            rows.iter().map(|c| c.id).collect()
        };
        assert_eq!(newest(10).await, [ids[3], ids[0], ids[2]]);
        assert_eq!(newest(2).await, [ids[3], ids[0]]);
    }
}
