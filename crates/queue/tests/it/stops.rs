//! A NATS server that is killed or frozen in the middle: calls end, and in the end every image has
//! been saved once.

use std::collections::BTreeSet;
use std::time::Duration;

use domain::state::JobState;
use queue::{Access, Nats, QueueError, SharedBus, Streamed, TaskQueue, conformance};
use store::testing;

use crate::server::Server;
use crate::world::{LONG, Queue, ask, at_last, receipts};

/// Everything in here ends long before.
const PATIENCE: Duration = Duration::from_secs(120);

#[tokio::test]
async fn a_server_that_is_gone_fails_at_once_and_nothing_is_lost() {
    let Some(mut server) = Server::start().await else {
        return;
    };
    for fresh in testing::fresh().await {
        let world = Queue::new(&fresh.store, &server.url()).await;
        let all: Vec<i64> = (1..=60).collect();
        let job = world.fed(&all).await;
        let held = world.lease(job.id, 10).await;
        server.kill();
        let refused = loop {
            match world.queue.lease(job.id, ask(1, LONG, None)).await {
                Ok(leases) => assert_eq!(leases, []),
                Err(error) => break error,
            }
        };
        assert!(matches!(refused, QueueError::Nats(_)), "{refused}");
        // What is saved meanwhile is saved, and shown as it was last seen.
        world.save(&job, &held, true).await;
        world.queue.depth(job.id, None).await.unwrap();
        assert!(world.queue.care().await.is_err(), "nothing is swept unseen");
        server.start_again().await;
        let queue = &world.queue;
        at_last(|| queue.care()).await;
        finish(&world, job.id).await;
        let saved = world
            .store
            .audit(&world.store.job(job.id).await.unwrap())
            .await;
        let saved = saved.unwrap();
        assert_eq!((saved.done, saved.open, saved.counted.done), (60, 0, 60));
    }
}

#[tokio::test]
async fn acknowledgements_that_a_crash_takes_back_do_no_harm() {
    let Some(mut server) = Server::start().await else {
        return;
    };
    for fresh in testing::fresh().await {
        let world = Queue::new(&fresh.store, &server.url()).await;
        let all: Vec<i64> = (1..=400).collect();
        let job = world.fed(&all).await;
        let mut handed = BTreeSet::new();
        for _ in 0..30 {
            let leases = world.lease(job.id, 10).await;
            world.save(&job, &leases, true).await;
            handed.extend(leases.iter().map(|l| l.capture));
        }
        assert_eq!(handed.len(), 300);
        server.kill();
        server.start_again().await;
        let queue = &world.queue;
        at_last(|| queue.care()).await;
        // Nor does it remember what it was sent before: all of it is there once more.
        at_last(|| queue.publish(job.id, job.generation, &all)).await;
        let rest = finish(&world, job.id).await;
        assert!(
            rest.is_disjoint(&handed),
            "what is saved is not handed out again"
        );
        assert_eq!(rest.len(), 100);
        let ended = world.store.finalise_job(job.id).await.unwrap().unwrap();
        assert_eq!(ended.job_state(), JobState::Success);
        world.queue.ended(job.id, job.generation).await;
        let plain = async_nats::connect(&world.url).await.unwrap();
        let context = async_nats::jetstream::new(plain);
        let stream = context.get_stream(format!("{}-tasks", world.prefix)).await;
        let state = stream.unwrap().cached_info().state.clone();
        assert_eq!(
            (state.messages, state.consumer_count),
            (0, 0),
            "nothing is stranded"
        );
    }
}

#[tokio::test]
async fn a_frozen_server_holds_up_no_call_for_ever() {
    let Some(server) = Server::start().await else {
        return;
    };
    for fresh in testing::fresh().await {
        let world = Queue::new(&fresh.store, &server.url()).await;
        let job = world.fed(&(1..=20).collect::<Vec<i64>>()).await;
        let held = world.lease(job.id, 4).await;
        server.freeze();
        // It still reads as connected: only the guards end these.
        let calls = async {
            for _ in 0..2 {
                let leases = world.queue.lease(job.id, ask(4, LONG, None)).await;
                assert!(leases.is_err() || leases.unwrap().is_empty());
            }
            let more = world.queue.publish(job.id, job.generation, &[99]).await;
            assert!(matches!(more, Err(QueueError::Nats(_))));
            world.save(&job, &held, true).await;
            let extended = world.queue.extend(&receipts(&held), LONG).await;
            assert!(extended.is_err());
            assert!(world.queue.care().await.is_err(), "nothing is swept unseen");
            world.queue.ended(job.id, 0).await;
        };
        tokio::time::timeout(PATIENCE, calls).await.expect("ends");
        server.thaw();
        let queue = &world.queue;
        at_last(|| queue.care()).await;
        // What went to nobody while it was frozen is somebody's until its lease is over: so long
        // the job waits, and here it is given up by who would have got it.
        world.queue.purge(job.id, job.generation).await.unwrap();
        at_last(|| queue.care()).await;
        finish(&world, job.id).await;
        let saved = world.store.audit(&job).await.unwrap();
        assert_eq!((saved.done, saved.open), (20, 0));
    }
}

#[tokio::test]
async fn who_starts_before_the_server_works_when_it_is_there() {
    let Some(mut server) = Server::start().await else {
        return;
    };
    for fresh in testing::fresh().await {
        server.kill();
        let world = Queue::reach(&fresh.store, &server.url()).await;
        let here = SharedBus::over_nats(&world.nats).await.unwrap();
        let refused = world.queue.care().await.unwrap_err();
        assert!(matches!(refused, QueueError::Nats(_)), "{refused}");
        server.start_again().await;
        let queue = &world.queue;
        at_last(|| queue.care()).await;
        let job = world.fed(&[1, 2, 3]).await;
        assert_eq!(world.drain(&job).await, [1, 2, 3]);
        let other = Nats::connect(&world.url, &world.prefix).await.unwrap();
        let there = SharedBus::over_nats(&other).await.unwrap();
        conformance::events::all(&here, &there).await;
    }
}

#[tokio::test]
async fn who_is_not_let_in_goes_on_trying_and_nothing_waits_for_that() {
    let Some(mut server) = Server::with(&["--auth", "t0ken"]).await else {
        return;
    };
    let url = format!("nats://wrong@{}", server.address());
    let fresh = testing::fresh_sqlite().await;
    let nats = Nats::reach(&url, "moth", &Access::default()).await.unwrap();
    let queue = Streamed::open(fresh.store.clone(), nats, "test", LONG).await;
    let queue = queue.unwrap();
    let refused = queue.care().await.unwrap_err();
    assert!(matches!(refused, QueueError::Nats(_)), "{refused}");
    server.kill();
    server.start_with(&["--auth", "wrong"]).await;
    at_last(|| queue.care()).await;
    // What no later try can mend is refused at once.
    for (url, prefix) in [("nats://h:notaport", "moth"), ("nats://127.0.0.1:1", "a.b")] {
        let refused = Nats::reach(url, prefix, &Access::default()).await.err();
        assert!(matches!(refused, Some(QueueError::Nats(_))), "{url}");
    }
}

/// Works until the job has nothing open; the captures that were handed out.
async fn finish(world: &Queue, job: i64) -> BTreeSet<i64> {
    let mut handed = BTreeSet::new();
    let job = world.store.job(job).await.unwrap();
    for _ in 0..600 {
        let queue = &world.queue;
        let leases = at_last(|| queue.lease(job.id, ask(8, LONG, None))).await;
        world.save(&job, &leases, true).await;
        handed.extend(leases.iter().map(|l| l.capture));
        if world.store.queue_is_empty(job.id).await.unwrap() {
            return handed;
        }
        if leases.is_empty() {
            at_last(|| queue.care()).await;
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
    panic!("images stay open");
}
