//! The caretaker's round: what cannot be done for one job keeps none of the others waiting, images
//! that are never answered end, and what is to be counted again is none of the round's work.

use chrono::Duration;
use domain::job::DispatchMode;
use domain::state::JobState;
use jobs::{caretaker, counters};
use serde_json::json;
use store::job::{Job, NewJob};
use store::result::{Batch, Outcome};
use store::testing;
use store::ticket::Terms;

use super::world::{World, detections, state};

/// A job whose runner has fed it and left it to remote workers.
async fn released(world: &World) -> Job {
    let store = &world.store;
    let new = NewJob {
        dispatch_mode: Some(DispatchMode::AsyncApi),
        ..world.ml()
    };
    store.create_job(new).await.unwrap();
    let (job, fence) = store.claim_job("runner").await.unwrap().unwrap();
    let ids = world.captures().await;
    let last = *ids.last().unwrap();
    store.feed_page(&fence, &ids, last).await.unwrap();
    store.feed_end(&fence, true).await.unwrap();
    store.job(job.id).await.unwrap()
}

/// Saves one detection for each image of a job.
async fn save(world: &World, job: &Job) {
    let found = |id: i64| {
        let found = detections(&[id.to_string()]);
        let found = serde_json::from_value(json!(found)).unwrap();
        (id, Outcome::Done(found))
    };
    let batch = Batch {
        job: job.id,
        generation: job.generation,
        pipeline: world.pipeline,
        images: world.captures().await.into_iter().map(found).collect(),
    };
    world.store.save_results(batch).await.unwrap();
}

async fn state_of(world: &World, job: &Job) -> JobState {
    state(&world.store.job(job.id).await.unwrap())
}

#[tokio::test]
async fn a_job_that_nothing_can_be_done_for_keeps_no_other_waiting() {
    for fresh in testing::fresh().await {
        let world = World::new(&fresh.store, 2, 1).await;
        let (first, second) = (released(&world).await, released(&world).await);
        save(&world, &first).await;
        save(&world, &second).await;
        testing::spoil_job(&world.store, first.id).await;
        caretaker::round(&world.tools).await.unwrap();
        assert_eq!(state_of(&world, &first).await, JobState::Started);
        assert_eq!(state_of(&world, &second).await, JobState::Success);
        testing::mend_job(&world.store).await;
        caretaker::round(&world.tools).await.unwrap();
        assert_eq!(state_of(&world, &first).await, JobState::Success);
        testing::recount_all(&world.store).await;
    }
}

#[tokio::test]
async fn images_end_that_were_handed_out_as_often_as_the_pipeline_says() {
    for fresh in testing::fresh().await {
        let world = World::new(&fresh.store, 2, 1).await;
        let often = [("max_deliveries".to_owned(), json!(3))];
        world
            .store
            .configure_pipeline(world.project, world.pipeline, often.into_iter().collect())
            .await
            .unwrap();
        let job = released(&world).await;
        for handed_out in 1..=3 {
            let terms = Terms {
                max: 9,
                ttl: Duration::zero(),
                max_deliveries: Some(3),
                worker: None,
                claim: None,
            };
            let leased = world.store.lease_tickets(job.id, terms).await.unwrap();
            assert_eq!(leased.images.len(), 2);
            caretaker::round(&world.tools).await.unwrap();
            let ended = match handed_out {
                3 => JobState::Failure,
                _ => JobState::Started,
            };
            assert_eq!(state_of(&world, &job).await, ended, "{handed_out}");
        }
        assert_eq!(world.counts(&job).await.failed, 2);
        let failures = world.store.failures(&job, 9, 0).await.unwrap();
        assert_eq!(failures[0].reason, "no answer after 3 deliveries");
        testing::recount_all(&world.store).await;
    }
}

#[tokio::test]
async fn what_hangs_on_a_job_that_was_left_is_counted_by_and_by() {
    for fresh in testing::fresh().await {
        let world = World::new(&fresh.store, 3, 1).await;
        let gap = chrono::Duration::hours(2);
        let grouped = world.store.regroup(world.station, gap, |_| ()).await;
        assert_eq!(grouped.unwrap().events_created, 1);
        let job = released(&world).await;
        save(&world, &job).await;
        caretaker::round(&world.tools).await.unwrap();
        assert_eq!(state_of(&world, &job).await, JobState::Success);
        let counted = async || {
            let station = world.store.station(world.station).await.unwrap();
            let sessions = world.store.sessions_of(world.station).await.unwrap();
            (station.occurrences_count, sessions[0].occurrences_count)
        };
        assert_eq!(counted().await, (0, 0), "the round does not wait for it");
        while counters::step(&world.tools).await.unwrap() {}
        assert_eq!(counted().await, (3, 3));
    }
}
