//! Feeding, retrying and running again: nothing fed is lost, repeated or counted twice.

use chrono::Duration;
use domain::job::FeedMode;
use domain::permission::Permit;

use super::world::{World, detection, lease};
use crate::job::Job;
use crate::job::life::Fence;
use crate::result::{Batch, Outcome};
use crate::testing;

async fn save(world: &World, job: &Job, images: Vec<(i64, Outcome)>) -> crate::result::Saved {
    let batch = Batch {
        job: job.id,
        generation: job.generation,
        pipeline: world.pipeline,
        images,
    };
    world.store.save_results(batch).await.unwrap()
}

fn failed() -> Outcome {
    Outcome::Failed("broken".to_owned())
}

async fn end(world: &World, fence: &Fence, job: &Job) {
    world.store.release_job(fence).await.unwrap();
    world.store.finalise_job(job.id).await.unwrap().unwrap();
}

async fn feed_all(world: &World) -> (Job, Fence) {
    let (job, fence) = world.store.claim_job("r").await.unwrap().unwrap();
    let ids = world.captures().await;
    world
        .store
        .feed_page(&fence, &ids, ids[ids.len() - 1])
        .await
        .unwrap();
    world.store.feed_end(&fence, false).await.unwrap();
    (world.store.job(job.id).await.unwrap(), fence)
}

#[tokio::test]
async fn a_page_fed_twice_counts_once() {
    for fresh in testing::fresh().await {
        let world = World::new(&fresh.store, 4).await;
        let store = &world.store;
        let (job, fence) = world.claimed(world.new_job()).await;
        let ids = world.captures().await;
        assert_eq!(store.feed_page(&fence, &ids[..3], ids[2]).await.unwrap(), 3);
        assert_eq!(store.feed_page(&fence, &ids[..4], ids[3]).await.unwrap(), 1);
        assert_eq!(store.feed_end(&fence, false).await.unwrap(), 4);
        let row = store.job(job.id).await.unwrap();
        assert_eq!((row.fed, row.feed_cursor), (4, ids[3]));
        let depth = store.ticket_depth(job.id, None).await.unwrap();
        assert_eq!(depth.waiting, 4);
    }
}

#[tokio::test]
async fn tickets_come_in_the_order_of_the_feed() {
    for fresh in testing::fresh().await {
        let world = World::new(&fresh.store, 6).await;
        let (job, fence) = world.claimed(world.new_job()).await;
        let mut ids = world.captures().await;
        ids.reverse();
        world.store.feed_page(&fence, &ids, 0).await.unwrap();
        let leased = world
            .store
            .lease_tickets(job.id, lease(6, Duration::minutes(1)));
        let order: Vec<i64> = leased
            .await
            .unwrap()
            .images
            .iter()
            .map(|l| l.capture)
            .collect();
        assert_eq!(order, ids);
    }
}

#[tokio::test]
async fn a_retry_does_what_is_missing_and_keeps_what_is_saved() {
    for fresh in testing::fresh().await {
        let world = World::new(&fresh.store, 3).await;
        let store = &world.store;
        let (job, fence) = world.fed().await;
        let ids = world.captures().await;
        let found = Outcome::Done(vec![detection(ids[0], 5.0, [0.9, 0.1])]);
        save(
            &world,
            &job,
            vec![(ids[0], found), (ids[1], failed()), (ids[2], failed())],
        )
        .await;
        end(&world, &fence, &job).await;

        let retried = store
            .retry_job(Permit::BY_PROGRAM, job.id, false)
            .await
            .unwrap();
        assert_eq!(
            (retried.kept, retried.run_no, retried.generation),
            (1, 1, 2)
        );
        let late = save(&world, &job, vec![(ids[1], Outcome::Done(Vec::new()))]).await;
        assert_eq!(
            late.ignored, 1,
            "a result of the old generation no longer counts"
        );

        let (again, fence) = feed_all(&world).await;
        assert_eq!((again.fed, again.total), (2, Some(3)));
        let sums = store.counts(std::slice::from_ref(&again)).await.unwrap()[&job.id];
        assert_eq!((sums.done, sums.failed, sums.detections), (1, 0, 1));
        save(
            &world,
            &again,
            vec![
                (ids[1], Outcome::Done(Vec::new())),
                (ids[2], Outcome::Done(Vec::new())),
            ],
        )
        .await;
        end(&world, &fence, &again).await;
        let sums = store.counts(std::slice::from_ref(&again)).await.unwrap()[&job.id];
        assert_eq!((sums.done, sums.failed), (3, 0));
    }
}

#[tokio::test]
async fn a_retry_of_the_failed_leaves_others_alone() {
    for fresh in testing::fresh().await {
        let world = World::new(&fresh.store, 3).await;
        let store = &world.store;
        let (job, fence) = world.claimed(world.new_job()).await;
        let ids = world.captures().await;
        // Only two of three are fed; one fails, one is never answered.
        store.feed_page(&fence, &ids[..2], ids[1]).await.unwrap();
        save(&world, &job, vec![(ids[0], failed())]).await;
        let cancelled = store.cancel_job(Permit::BY_PROGRAM, job.id).await;
        assert!(cancelled.unwrap().changed);
        store.stopped(&fence).await.unwrap();
        let retried = store
            .retry_job(Permit::BY_PROGRAM, job.id, true)
            .await
            .unwrap();
        assert_eq!(retried.feed(), FeedMode::FailedOnly);
        let (again, _) = feed_all(&world).await;
        assert_eq!((again.fed, again.total), (1, Some(1)));
        let leased = store.lease_tickets(job.id, lease(9, Duration::minutes(1)));
        assert_eq!(leased.await.unwrap().images[0].capture, ids[0]);
    }
}

#[tokio::test]
async fn running_again_begins_anew() {
    for fresh in testing::fresh().await {
        let world = World::new(&fresh.store, 2).await;
        let store = &world.store;
        let (job, fence) = world.fed().await;
        let ids = world.captures().await;
        let done = || Outcome::Done(Vec::new());
        save(&world, &job, vec![(ids[0], failed()), (ids[1], done())]).await;
        end(&world, &fence, &job).await;
        let again = store.enqueue_job(Permit::BY_PROGRAM, job.id).await.unwrap();
        assert_eq!((again.run_no, again.generation, again.kept), (2, 2, 0));
        let (again, fence) = feed_all(&world).await;
        assert_eq!((again.fed, again.total), (2, Some(2)));
        let saved = save(&world, &again, vec![(ids[0], done()), (ids[1], done())]).await;
        assert_eq!(saved.done, 2);
        end(&world, &fence, &again).await;
        let failures = store
            .failures(&store.job(job.id).await.unwrap(), 9, 0)
            .await;
        assert!(failures.unwrap().is_empty());
    }
}
