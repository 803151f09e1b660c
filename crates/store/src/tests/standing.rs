//! How jobs, images and what is to be told stand, counted for those who run the server.

use chrono::Duration;
use domain::permission::Permit;
use domain::state::JobState;
use domain::telling::Event;

use super::webhooks::hook;
use crate::job::NewJob;
use crate::testing;
use crate::tests::jobs::world::World;
use crate::ticket::{Depth, Terms};
use crate::webhook::Sent;

fn terms(max: u64, seconds: i64) -> Terms {
    Terms {
        max,
        ttl: Duration::seconds(seconds),
        max_deliveries: None,
        worker: None,
        claim: None,
    }
}

#[tokio::test]
async fn jobs_and_images_are_counted_by_where_they_are() {
    for fresh in testing::fresh().await {
        let world = World::new(&fresh.store, 10).await;
        let store = &world.store;
        assert_eq!(store.standing_jobs().await.unwrap(), []);
        assert_eq!(store.oldest_waiting_job().await.unwrap(), None);
        let (job, _) = world.fed().await;
        let waiting = store.create_job(world.new_job()).await.unwrap();
        let made = NewJob {
            start_now: false,
            ..world.new_job()
        };
        store.create_job(made).await.unwrap();
        let standing = store.standing_jobs().await.unwrap();
        let counts: Vec<_> = standing.iter().map(|s| (s.state, s.jobs)).collect();
        let states = [JobState::Created, JobState::Pending, JobState::Started];
        assert_eq!(counts, states.map(|state| (state.code(), 1)));
        assert!(standing.iter().all(|s| s.kind == domain::job::ML));
        let oldest = store.oldest_waiting_job().await.unwrap();
        assert_eq!(oldest, waiting.scheduled_at);

        let running = store.running_jobs().await.unwrap();
        assert_eq!(running, [(job.id, job.started_at.unwrap())]);
        let oldest = async |most: i32| store.oldest_waiting_image(&running, most).await.unwrap();
        let depth = async || store.standing_images(&[job.id], 2).await.unwrap();
        let of = |waiting, leased, dead| Depth {
            waiting,
            leased,
            dead,
        };
        assert_eq!(depth().await, of(10, 0, 0));
        assert_eq!(oldest(2).await, job.started_at, "nobody had them yet");
        store.lease_tickets(job.id, terms(3, 600)).await.unwrap();
        assert_eq!(depth().await, of(7, 3, 0));
        // Leases that are over at once: to be had again, and the second time dead.
        store.lease_tickets(job.id, terms(4, 0)).await.unwrap();
        assert_eq!(depth().await, of(7, 3, 0));
        assert_eq!(oldest(2).await, job.started_at);
        let before = crate::now().timestamp_millis();
        store.lease_tickets(job.id, terms(7, 0)).await.unwrap();
        assert_eq!(depth().await, of(3, 3, 4));
        let since = oldest(2).await.unwrap().timestamp_millis();
        let now = crate::now().timestamp_millis();
        assert!((before..=now).contains(&since), "since they came back");
        assert_eq!(oldest(1).await, None, "all of them are dead");
        assert_eq!(store.standing_images(&[], 2).await.unwrap(), of(0, 0, 0));
        assert_eq!(store.oldest_waiting_image(&[], 2).await.unwrap(), None);
    }
}

#[tokio::test]
async fn what_is_to_be_told_is_counted_until_it_is_taken() {
    for fresh in testing::fresh().await {
        let world = World::new(&fresh.store, 1).await;
        let store = &world.store;
        assert_eq!(store.standing_deliveries().await.unwrap(), 0);
        let hook = hook(&world, &[Event::JobEnded], false).await;
        let job = store.create_job(world.new_job()).await.unwrap();
        store.cancel_job(Permit::BY_PROGRAM, job.id).await.unwrap();
        let test = store.begin_test(Permit::BY_PROGRAM, &hook).await.unwrap();
        assert_eq!(store.standing_deliveries().await.unwrap(), 2);
        let taken = Sent::Taken(Some(200));
        store.settle_delivery(&test, &taken).await.unwrap();
        assert_eq!(store.standing_deliveries().await.unwrap(), 1);
    }
}
