//! What only whoever holds a job may have (its images), what a service may have at once (slots),
//! and what one process does for all (duties).

use std::time::Duration as Time;

use chrono::Duration;

use super::world::{World, detection, lease};
use crate::result::{Batch, Outcome};
use crate::testing;
use crate::ticket::Terms;

/// A runner asks for itself.
fn by_claim(claim: i64) -> Terms {
    Terms {
        claim: Some(claim),
        ..lease(2, Duration::minutes(1))
    }
}

#[tokio::test]
async fn a_dead_runners_images_are_the_next_ones_at_once_and_a_late_one_gets_none() {
    for fresh in testing::fresh().await {
        let world = World::new(&fresh.store, 3).await;
        let store = &world.store;
        let (job, first) = world.fed().await;
        let take = async |claim| {
            let handout = store.lease_tickets(job.id, by_claim(claim)).await.unwrap();
            let ids = handout.images.iter().map(|image| image.capture);
            ids.collect::<Vec<i64>>()
        };
        let held = take(first.claim_no).await;
        assert_eq!(held.len(), 2);
        store.rescue_jobs(Duration::zero()).await.unwrap();
        assert!(
            take(first.claim_no).await.is_empty(),
            "nobody holds the job"
        );
        let (_, second) = store.claim_job("other").await.unwrap().unwrap();
        assert!(!store.holds_job(&first).await.unwrap());
        assert!(store.holds_job(&second).await.unwrap());
        assert!(take(first.claim_no).await.is_empty());
        assert_eq!(
            take(second.claim_no).await,
            held,
            "at once, and before the others"
        );

        // The late one still saves what it had; it counts once, whoever is first.
        let save = async || {
            let images = held.iter().map(|id| {
                let found = vec![detection(*id, 5.0, [0.9, 0.1])];
                (*id, Outcome::Done(found))
            });
            let batch = Batch {
                job: job.id,
                generation: job.generation,
                pipeline: world.pipeline,
                images: images.collect(),
            };
            let saved = store.save_results(batch).await.unwrap();
            (saved.done, saved.detections, saved.ignored)
        };
        assert_eq!(save().await, (2, 2, 0));
        assert_eq!(save().await, (0, 0, 2));
        assert_eq!(take(second.claim_no).await.len(), 1);
    }
}

#[tokio::test]
async fn leases_end_by_themselves_where_nobody_keeps_them() {
    for fresh in testing::fresh().await {
        let world = World::new(&fresh.store, 2).await;
        let store = &world.store;
        let (job, fence) = world.fed().await;
        let short = Terms {
            ttl: Duration::milliseconds(-1),
            ..by_claim(fence.claim_no)
        };
        assert_eq!(
            store
                .lease_tickets(job.id, short)
                .await
                .unwrap()
                .images
                .len(),
            2
        );
        let again = store.lease_tickets(job.id, by_claim(fence.claim_no)).await;
        let again = again.unwrap().images;
        assert_eq!(again.len(), 2);
        assert!(again.iter().all(|image| image.deliveries == 2));
    }
}

#[tokio::test]
async fn slots_are_taken_kept_and_given_back() {
    for fresh in testing::fresh().await {
        let world = World::new(&fresh.store, 0).await;
        let store = &world.store;
        let hour = Time::from_secs(3600);
        let all: Vec<_> = (0..8)
            .map(|_| {
                let (store, service) = (store.clone(), world.service);
                tokio::spawn(async move { store.take_slot(service, 3, hour).await.unwrap() })
            })
            .collect();
        let mut taken = Vec::new();
        for one in all {
            taken.extend(one.await.unwrap());
        }
        assert_eq!(taken.len(), 3, "of eight three get one");
        assert!(store.keep_slot(taken[0], hour).await.unwrap());
        store.free_slot(taken[1]).await.unwrap();
        let next = store.take_slot(world.service, 3, hour).await.unwrap();
        assert!(next.is_some());
        assert!(
            !store.keep_slot(taken[1], hour).await.unwrap(),
            "it is another's"
        );
        assert_eq!(store.take_slot(world.service, 3, hour).await.unwrap(), None);
        // One whose holder is silent is free.
        store.keep_slot(taken[2], Time::ZERO).await.unwrap();
        assert!(
            store
                .take_slot(world.service, 3, hour)
                .await
                .unwrap()
                .is_some()
        );
        // A service that is gone has none.
        assert_eq!(store.take_slot(999_999, 3, hour).await.unwrap(), None);
    }
}

#[tokio::test]
async fn a_duty_is_one_processes_at_a_time() {
    for fresh in testing::fresh().await {
        let store = &fresh.store;
        let hour = Time::from_secs(3600);
        let mut taken = Vec::new();
        let all: Vec<_> = (0..8)
            .map(|_| {
                let store = store.clone();
                tokio::spawn(async move { store.take_duty("test", hour).await.unwrap() })
            })
            .collect();
        for one in all {
            taken.extend(one.await.unwrap());
        }
        assert_eq!(taken.len(), 1);
        let turn = taken.remove(0);
        assert_eq!(turn.position, 0);
        store.end_duty(turn.clone(), 7, Time::ZERO).await.unwrap();
        let next = store.take_duty("test", hour).await.unwrap().unwrap();
        assert_eq!(next.position, 7);
        // A turn that is over moves nothing.
        store.end_duty(turn.clone(), 3, Time::ZERO).await.unwrap();
        assert_eq!(store.keep_duty(turn, 3, hour).await.unwrap(), None);
        let day = 24 * hour;
        let next = store.keep_duty(next, 9, day).await.unwrap().unwrap();
        assert_eq!(next.position, 9);
        assert_eq!(store.take_duty("test", hour).await.unwrap(), None);
        store.end_duty(next, 9, Time::ZERO).await.unwrap();
        let next = store.take_duty("test", hour).await.unwrap().unwrap();
        assert_eq!(next.position, 9);
        assert_eq!(store.take_duty("test", hour).await.unwrap(), None);
    }
}
