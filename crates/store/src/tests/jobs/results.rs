//! Saving results: once, whole, and counted as they are.

use domain::permission::Permit;
use std::collections::HashSet;

use chrono::Duration;
use sea_orm::{EntityTrait, PaginatorTrait};

use super::world::{World, detection};
use crate::entity;
use crate::result::{Batch, Outcome, Saved};
use crate::{StoreError, testing};

fn batch(world: &World, job: i64, images: Vec<(i64, Outcome)>) -> Batch {
    Batch {
        job,
        generation: 1,
        pipeline: world.pipeline,
        images,
    }
}

async fn rows(world: &World) -> [u64; 4] {
    let db = &world.store.db;
    [
        entity::detection::Entity::find().count(db).await.unwrap(),
        entity::classification::Entity::find()
            .count(db)
            .await
            .unwrap(),
        entity::occurrence::Entity::find().count(db).await.unwrap(),
        entity::taxon::Entity::find().count(db).await.unwrap(),
    ]
}

fn two(id: i64) -> Outcome {
    Outcome::Done(vec![
        detection(id, 5.0, [0.9, 0.1]),
        detection(id, 50.0, [0.2, 0.8]),
    ])
}

#[tokio::test]
async fn a_result_that_comes_again_changes_nothing() {
    for fresh in testing::fresh().await {
        let world = World::new(&fresh.store, 2).await;
        let (job, _) = world.fed().await;
        let ids = world.captures().await;
        let images = || vec![(ids[0], two(ids[0])), (ids[1], Outcome::Done(Vec::new()))];
        let first = world
            .store
            .save_results(batch(&world, job.id, images()))
            .await
            .unwrap();
        let expected = Saved {
            done: 2,
            detections: 2,
            classifications: 2,
            ..Saved::default()
        };
        assert_eq!(first, expected);
        // Two detections and a null marker; two occurrences; two labels.
        assert_eq!(rows(&world).await, [3, 2, 2, 2]);
        let again = world
            .store
            .save_results(batch(&world, job.id, images()))
            .await
            .unwrap();
        assert_eq!(
            again,
            Saved {
                ignored: 2,
                ..Saved::default()
            }
        );
        assert_eq!(rows(&world).await, [3, 2, 2, 2]);
        let sums = world
            .store
            .counts(std::slice::from_ref(&job))
            .await
            .unwrap()[&job.id];
        assert_eq!((sums.done, sums.failed, sums.detections), (2, 0, 2));
        assert_eq!(
            world
                .store
                .ticket_depth(job.id, None)
                .await
                .unwrap()
                .waiting,
            0
        );
        assert_eq!(
            world.store.capture(ids[0]).await.unwrap().detections_count,
            2
        );
    }
}

#[tokio::test]
async fn saving_at_once_from_everywhere_counts_each_image_once() {
    for fresh in testing::fresh().await {
        let world = World::new(&fresh.store, 40).await;
        let (job, _) = world.fed().await;
        let ids = world.captures().await;
        let mut tasks = tokio::task::JoinSet::new();
        for round in 0..4usize {
            for chunk in ids.chunks(8) {
                let mut images: Vec<_> = chunk.iter().map(|id| (*id, two(*id))).collect();
                images.rotate_left(round);
                let batch = batch(&world, job.id, images);
                // A second store is another process as far as counters are concerned.
                let store = world.store.as_another(round as i64);
                tasks.spawn(async move { store.save_results(batch).await });
            }
        }
        let mut done = 0;
        while let Some(saved) = tasks.join_next().await {
            done += saved.unwrap().unwrap().done;
        }
        assert_eq!(done, 40);
        let sums = world
            .store
            .counts(std::slice::from_ref(&job))
            .await
            .unwrap()[&job.id];
        assert_eq!(
            (sums.done, sums.detections, sums.classifications),
            (40, 80, 80)
        );
        assert_eq!(rows(&world).await, [80, 80, 80, 2]);
    }
}

#[tokio::test]
async fn done_beats_failed_and_never_the_other_way() {
    for fresh in testing::fresh().await {
        let world = World::new(&fresh.store, 1).await;
        let (job, _) = world.fed().await;
        let id = world.captures().await[0];
        let failed = || vec![(id, Outcome::Failed("no answer".to_owned()))];
        let one = world
            .store
            .save_results(batch(&world, job.id, failed()))
            .await
            .unwrap();
        assert_eq!((one.failed, one.done), (1, 0));
        let job_row = world.store.job(job.id).await.unwrap();
        assert_eq!(
            world.store.failures(&job_row, 9, 0).await.unwrap()[0].reason,
            "no answer"
        );
        let late = world
            .store
            .save_results(batch(&world, job.id, vec![(id, two(id))]))
            .await
            .unwrap();
        assert_eq!((late.failed, late.done), (0, 1));
        let after = world
            .store
            .save_results(batch(&world, job.id, failed()))
            .await
            .unwrap();
        assert_eq!(after.ignored, 1);
        let sums = world
            .store
            .counts(std::slice::from_ref(&job))
            .await
            .unwrap()[&job.id];
        assert_eq!((sums.done, sums.failed), (1, 0));
        assert!(
            world
                .store
                .failures(&job_row, 9, 0)
                .await
                .unwrap()
                .is_empty()
        );
    }
}

#[tokio::test]
async fn results_count_while_the_runner_is_dead_and_not_after_the_end() {
    for fresh in testing::fresh().await {
        let world = World::new(&fresh.store, 2).await;
        let (job, _) = world.fed().await;
        let ids = world.captures().await;
        world.store.rescue_jobs(Duration::zero()).await.unwrap();
        let saved = world
            .store
            .save_results(batch(&world, job.id, vec![(ids[0], two(ids[0]))]))
            .await;
        assert_eq!(
            saved.unwrap().done,
            1,
            "a job that waits for its next runner still takes results"
        );
        world
            .store
            .cancel_job(Permit::BY_PROGRAM, job.id)
            .await
            .unwrap();
        let saved = world
            .store
            .save_results(batch(&world, job.id, vec![(ids[1], two(ids[1]))]))
            .await;
        assert_eq!(saved.unwrap().ignored, 1);
    }
}

#[tokio::test]
async fn a_deleted_capture_fails_alone() {
    for fresh in testing::fresh().await {
        let world = World::new(&fresh.store, 2).await;
        let (job, _) = world.fed().await;
        let ids = world.captures().await;
        entity::capture::Entity::delete_by_id(ids[0])
            .exec(&world.store.db)
            .await
            .unwrap();
        let images = vec![(ids[0], two(ids[0])), (ids[1], two(ids[1]))];
        let saved = world
            .store
            .save_results(batch(&world, job.id, images))
            .await
            .unwrap();
        assert_eq!((saved.done, saved.failed), (1, 1));
    }
}

#[tokio::test]
async fn an_algorithm_of_another_pipeline_saves_nothing() {
    for fresh in testing::fresh().await {
        let world = World::new(&fresh.store, 1).await;
        let (job, _) = world.fed().await;
        let id = world.captures().await[0];
        let mut wrong = detection(id, 5.0, [0.9, 0.1]);
        wrong.algorithm.key = "stranger".to_owned();
        let answer = world
            .store
            .save_results(batch(
                &world,
                job.id,
                vec![(id, Outcome::Done(vec![wrong]))],
            ))
            .await;
        assert!(matches!(answer, Err(StoreError::Conflict(_))));
        assert_eq!(rows(&world).await, [0, 0, 0, 0]);
        assert!(
            world
                .store
                .counts(std::slice::from_ref(&job))
                .await
                .unwrap()
                .is_empty()
        );
    }
}

#[tokio::test]
async fn classifications_belong_to_their_detection_and_pile_up() {
    for fresh in testing::fresh().await {
        let world = World::new(&fresh.store, 1).await;
        let (job, _) = world.fed().await;
        let id = world.captures().await[0];
        world
            .store
            .save_results(batch(&world, job.id, vec![(id, two(id))]))
            .await
            .unwrap();
        // Another job finds the same boxes, in another order and with another opinion of one.
        let (second, _) = world.fed().await;
        let found = vec![
            detection(id, 50.0, [0.2, 0.8]),
            detection(id, 5.0, [0.3, 0.7]),
        ];
        let next = Batch {
            job: second.id,
            ..batch(&world, second.id, vec![(id, Outcome::Done(found))])
        };
        world.store.save_results(next).await.unwrap();
        assert_eq!(rows(&world).await, [2, 3, 2, 2]);
        let boxes = world.store.boxes(&[id], 10).await.unwrap();
        let labels: HashSet<(i64, &str)> = boxes[&id]
            .iter()
            .map(|b| (b.edges[0] as i64, b.label.as_deref().unwrap()))
            .collect();
        assert_eq!(labels, HashSet::from([(5, "Moth"), (50, "Other")]));
    }
}

#[tokio::test]
async fn what_was_processed_is_not_fed_again() {
    for fresh in testing::fresh().await {
        let world = World::new(&fresh.store, 3).await;
        let (job, _) = world.fed().await;
        let ids = world.captures().await;
        let images = vec![(ids[0], two(ids[0])), (ids[1], Outcome::Done(Vec::new()))];
        world
            .store
            .save_results(batch(&world, job.id, images))
            .await
            .unwrap();
        let algorithms = world.store.algorithms_of(world.pipeline).await.unwrap();
        let left = world
            .store
            .needing_processing(&ids, &algorithms)
            .await
            .unwrap();
        assert_eq!(left, [ids[2]]);
        assert!(world.service > 0);
    }
}

#[tokio::test]
async fn deleting_a_project_leaves_no_orphan() {
    for fresh in testing::fresh().await {
        let world = World::new(&fresh.store, 2).await;
        let (job, _) = world.fed().await;
        let ids = world.captures().await;
        world
            .store
            .regroup(world.station.id, Duration::hours(2), |_| {})
            .await
            .unwrap();
        world
            .store
            .save_results(batch(&world, job.id, vec![(ids[0], two(ids[0]))]))
            .await
            .unwrap();
        world
            .store
            .delete_project(Permit::BY_PROGRAM, world.project.id)
            .await
            .unwrap();
        let db = &world.store.db;
        let left = [
            entity::capture::Entity::find().count(db).await.unwrap(),
            entity::session::Entity::find().count(db).await.unwrap(),
            entity::detection::Entity::find().count(db).await.unwrap(),
            entity::classification::Entity::find()
                .count(db)
                .await
                .unwrap(),
            entity::occurrence::Entity::find().count(db).await.unwrap(),
            entity::job::Entity::find().count(db).await.unwrap(),
            entity::ticket::Entity::find().count(db).await.unwrap(),
            entity::task_result::Entity::find().count(db).await.unwrap(),
            entity::job_progress::Entity::find()
                .count(db)
                .await
                .unwrap(),
            entity::job_rate::Entity::find().count(db).await.unwrap(),
            entity::job_log::Entity::find().count(db).await.unwrap(),
            entity::capture_set_member::Entity::find()
                .count(db)
                .await
                .unwrap(),
            entity::project_pipeline::Entity::find()
                .count(db)
                .await
                .unwrap(),
        ];
        assert_eq!(left, [0; 13]);
    }
}
