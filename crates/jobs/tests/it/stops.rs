//! Cancels, deaths and shutdowns in the middle of a job.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use domain::permission::Permit;
use domain::state::JobState;
use jobs::Runner;
use queue::Embedded;
use services::ServiceClient;
use store::{Store, testing};
use tokio_util::sync::CancellationToken;

use super::service::{Act, Service};
use super::world::{World, good, state};

fn slowly(request: &serde_json::Value) -> wiremock::ResponseTemplate {
    good(request).set_delay(Duration::from_millis(80))
}

#[tokio::test]
async fn a_cancel_stops_the_job_and_nothing_is_saved_afterwards() {
    for fresh in testing::fresh().await {
        let world = World::new(&fresh.store, 60, 1).await;
        world.answers(slowly).await;
        let id = world.store.create_job(world.ml()).await.unwrap().id;
        let stop = CancellationToken::new();
        let runner = tokio::spawn(Runner::new(world.tools.clone()).run(stop.clone()));
        world.until(id, |job| job.total.is_some()).await;
        world
            .store
            .cancel_job(Permit::BY_PROGRAM, id)
            .await
            .unwrap();
        let job = world.until(id, |job| job.job_state().is_final()).await;
        assert_eq!(state(&job), JobState::Revoked);
        let counts = world.counts(&job).await;
        assert!(counts.done < 60);
        stop.cancel();
        runner.await.unwrap();
        assert_eq!(world.counts(&job).await, counts);
        let depth = world.store.ticket_depth(id, None).await.unwrap();
        assert_eq!(depth.waiting + depth.leased, 0);
    }
}

#[tokio::test]
async fn a_shutdown_hands_the_job_to_the_next_runner() {
    for fresh in testing::fresh().await {
        let world = World::new(&fresh.store, 30, 1).await;
        world.answers(slowly).await;
        let id = world.store.create_job(world.ml()).await.unwrap().id;
        let stop = CancellationToken::new();
        let runner = tokio::spawn(Runner::new(world.tools.clone()).run(stop.clone()));
        while world.counts(&world.store.job(id).await.unwrap()).await.done < 3 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        stop.cancel();
        runner.await.unwrap();
        let between = world.store.job(id).await.unwrap();
        assert_eq!((state(&between), between.rescues), (JobState::Pending, 0));
        let job = world.finish(id).await;
        let counts = world.counts(&job).await;
        assert_eq!(
            (state(&job), counts.done, counts.detections),
            (JobState::Success, 30, 30)
        );
    }
}

// Two threads: the fake service must answer while this one waits for the other runtime.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_runner_that_dies_is_replaced() {
    for fresh in testing::fresh().await {
        let world = World::new(&fresh.store, 30, 1).await;
        world.answers(slowly).await;
        let id = world.store.create_job(world.ml()).await.unwrap().id;
        // A runtime of its own, dropped in the middle: no hand-back, no farewell. Its connections
        // die with it, as those of a process do.
        let mut tools = world.tools.clone();
        let url = fresh.url.clone();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Runtime::new().unwrap();
            runtime.block_on(async move {
                let store = Store::open(&url).await.unwrap();
                tools.queue = Arc::new(Embedded::new(store.clone()));
                tools.services = ServiceClient::new(Duration::from_secs(20)).unwrap();
                tools.store = store.clone();
                tokio::spawn(Runner::new(tools).run(CancellationToken::new()));
                loop {
                    let job = store.job(id).await.unwrap();
                    let sums = store.counts(std::slice::from_ref(&job)).await.unwrap();
                    if sums.get(&id).is_some_and(|c| c.done >= 3) {
                        break;
                    }
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
            });
            runtime.shutdown_background();
        })
        .join()
        .unwrap();
        let row = world.store.job(id).await.unwrap();
        assert_eq!(state(&row), JobState::Started, "nobody knows yet");
        world
            .store
            .rescue_jobs(chrono::Duration::zero())
            .await
            .unwrap();
        let job = world.finish(id).await;
        let counts = world.counts(&job).await;
        assert_eq!(
            (state(&job), counts.done, counts.failed),
            (JobState::Success, 30, 0)
        );
        assert_eq!(counts.detections, 30, "each image counts once");
    }
}

#[tokio::test]
async fn a_cancel_drops_requests_that_hang() {
    for fresh in testing::fresh().await {
        let mut world = World::new(&fresh.store, 20, 1).await;
        world.tools.services = ServiceClient::new(Duration::from_secs(3600)).unwrap();
        let service = Service::start(|_| Act::Hang).await;
        world.move_service(&service.url).await;
        let id = world.store.create_job(world.ml()).await.unwrap().id;
        let stop = CancellationToken::new();
        let runner = tokio::spawn(Runner::new(world.tools.clone()).run(stop.clone()));
        let inside = || service.seen.inside.load(Ordering::SeqCst);
        world.until(id, |_| inside() == 4).await;
        let start = Instant::now();
        let cancelled = world.store.cancel_job(Permit::BY_PROGRAM, id).await;
        assert!(cancelled.unwrap().changed);
        let job = world.until(id, |job| job.job_state().is_final()).await;
        println!(
            "final after {:?} with four requests hanging",
            start.elapsed()
        );
        assert_eq!(state(&job), JobState::Revoked);
        let dropped = || service.seen.dropped.load(Ordering::SeqCst);
        world.until(id, |_| dropped() == 4).await;
        let counts = world.counts(&job).await;
        assert_eq!((counts.done, counts.failed), (0, 0));
        let depth = world.store.ticket_depth(id, None).await.unwrap();
        assert_eq!(depth.waiting + depth.leased, 0);
        assert_eq!(service.asked(), 4, "nothing is handed out any more");
        stop.cancel();
        runner.await.unwrap();
    }
}
