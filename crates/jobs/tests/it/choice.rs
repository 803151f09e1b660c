//! Which service gets a batch: the fastest that is online, the next one when it dies, it again
//! when it is back; and never more requests at once than a service may have.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use domain::state::JobState;
use jobs::{Runner, upkeep};
use serde_json::Value;
use store::testing;
use tokio_util::sync::CancellationToken;

use super::service::{Act, Service};
use super::world::{World, ids, results, state};

fn good(request: &Value) -> Act {
    Act::Json(200, results(&ids(request)).to_string())
}

#[tokio::test]
async fn the_fastest_gets_the_work_and_the_next_when_it_dies() {
    for fresh in testing::fresh().await {
        let world = World::new(&fresh.store, 100, 1).await;
        let slow = Service::start(good).await;
        let fast = Service::start(good).await;
        let first = world.move_service(&slow.url).await;
        let second = world.add_service("Fast", &fast.url, 0.001).await;
        // Both are asked once and not again soon: what the test says of them stands.
        upkeep::note(&world.tools).await.unwrap();
        upkeep::round(&world.tools).await.unwrap();
        testing::upkeep_rests(&world.store, upkeep::HEALTH).await;
        world.store.service_seen(first, true, 2.0).await.unwrap();
        let seen = world.store.service_seen(second, true, 0.001).await;
        seen.unwrap();
        let id = world.store.create_job(world.ml()).await.unwrap().id;
        let stop = CancellationToken::new();
        let runner = tokio::spawn(Runner::new(world.tools.clone()).run(stop.clone()));
        world.until(id, |_| fast.asked() >= 10).await;
        assert_eq!(slow.asked(), 0, "all work goes to the fastest");
        fast.kill().await;
        let job = world.until(id, |job| job.job_state().is_final()).await;
        stop.cancel();
        runner.await.unwrap();
        let log = world.log(&job).await;
        assert_eq!(state(&job), JobState::Success, "{log}");
        let counts = world.counts(&job).await;
        assert_eq!((counts.done, counts.detections), (100, 100));
        assert!(slow.asked() > 0);
        assert!(log.contains("Fast is not online any more"), "{log}");
        let dead = world.store.service(second).await.unwrap();
        assert_eq!(dead.last_seen_live, Some(false));
    }
}

#[tokio::test]
async fn one_process_asks_for_all_whether_services_live() {
    for fresh in testing::fresh().await {
        let world = World::new(&fresh.store, 0, 1).await;
        upkeep::note(&world.tools).await.unwrap();
        let well = Service::start(good).await;
        let first = world.move_service(&well.url).await;
        let dead = world.add_service("Dead", "http://127.0.0.1:1/", 0.1).await;
        let asked = || well.seen.ready.load(Ordering::SeqCst);
        let tools = [&world.tools; 6];
        let rounds = futures_util::future::join_all(tools.map(upkeep::round));
        assert!(rounds.await.iter().all(Result::is_ok));
        assert_eq!(asked(), 1, "of six rounds one asks");
        let live = async |id| world.store.service(id).await.unwrap().last_seen_live;
        assert_eq!(
            (live(first).await, live(dead).await),
            (Some(true), Some(false))
        );
        testing::upkeep_rests(&world.store, upkeep::HEALTH).await;
        upkeep::round(&world.tools).await.unwrap();
        assert_eq!(asked(), 1, "not due yet");
    }
}

#[tokio::test]
async fn a_job_waits_for_its_only_service_to_come_back() {
    for fresh in testing::fresh().await {
        let mut world = World::new(&fresh.store, 200, 1).await;
        world.tools.pace.patience = Duration::from_secs(600);
        let service = Service::start(good).await;
        world.move_service(&service.url).await;
        let id = world.store.create_job(world.ml()).await.unwrap().id;
        let stop = CancellationToken::new();
        let runner = tokio::spawn(Runner::new(world.tools.clone()).run(stop.clone()));
        world.until(id, |_| service.asked() >= 5).await;
        service.kill().await;
        let waiting = "Waiting 600 seconds for one of them to come back";
        loop {
            let job = world.until(id, |job| !job.job_state().is_final()).await;
            if world.log(&job).await.contains(waiting) {
                break;
            }
        }
        let _back = service.again(good).await;
        let job = world.until(id, |job| job.job_state().is_final()).await;
        stop.cancel();
        runner.await.unwrap();
        let counts = world.counts(&job).await;
        assert_eq!(
            (state(&job), counts.done, counts.failed, counts.detections),
            (JobState::Success, 200, 0, 200)
        );
    }
}

#[tokio::test]
async fn a_service_that_says_it_is_ill_gets_nothing_until_it_is_well() {
    for fresh in testing::fresh().await {
        let world = World::new(&fresh.store, 20, 1).await;
        let well = Service::start(good).await;
        let ill = Service::start(|_| Act::Json(503, "loading".into())).await;
        world.move_service(&well.url).await;
        world.add_service("Ill", &ill.url, 0.001).await;
        ill.seen.ill.store(true, Ordering::SeqCst);
        let job = world.run(world.ml()).await;
        let counts = world.counts(&job).await;
        assert_eq!((counts.done, counts.failed), (20, 0));
        let most = world.tools.pace.requests_per_service as usize;
        assert!(ill.asked() <= most, "{} asked", ill.asked());
    }
}

#[tokio::test]
async fn a_job_says_why_its_service_is_not_asked() {
    for fresh in testing::fresh().await {
        let mut world = World::new(&fresh.store, 3, 1).await;
        world.tools.pace.patience = Duration::from_millis(100);
        let service = world.move_service("http://169.254.169.254/").await;
        let seen = world.store.service_seen(service, false, 0.1).await;
        seen.unwrap();
        let job = world.run(world.ml()).await;
        assert_eq!(state(&job), JobState::Failure);
        let log = world.log(&job).await;
        let why = "this server sends no requests to 169.254.169.254: it is the address of a \
                   cloud's metadata service.";
        assert!(log.contains(why), "{log}");
        let failures = world.store.failures(&job, 10, 0).await.unwrap();
        assert!(
            failures.iter().all(|f| f.reason.contains(why)),
            "{failures:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_service_has_more_requests_at_once_than_it_may_have() {
    for fresh in testing::fresh().await {
        let mut world = World::new(&fresh.store, 40, 1).await;
        world.tools.pace.requests_per_service = 3;
        let service = Service::start(good).await;
        world.move_service(&service.url).await;
        let mut jobs = Vec::new();
        for _ in 0..3 {
            jobs.push(world.store.create_job(world.ml()).await.unwrap().id);
        }
        // Two runners are two processes: they share nothing but the database.
        let stop = CancellationToken::new();
        let runners: Vec<_> = (0..2)
            .map(|_| tokio::spawn(Runner::new(world.tools.clone()).run(stop.clone())))
            .collect();
        for id in jobs {
            let job = world.until(id, |job| job.job_state().is_final()).await;
            assert_eq!(state(&job), JobState::Success, "{}", world.log(&job).await);
        }
        stop.cancel();
        for runner in runners {
            runner.await.unwrap();
        }
        let most = service.seen.most.load(Ordering::SeqCst);
        assert!((1..=3).contains(&most), "{most} at once");
    }
}

#[tokio::test]
async fn a_pipeline_that_is_deleted_ends_its_job_with_the_reason() {
    for fresh in testing::fresh().await {
        let world = World::new(&fresh.store, 200, 1).await;
        let deleted = std::sync::Arc::new(AtomicBool::new(false));
        let gone = deleted.clone();
        let service = Service::start(move |request| {
            if gone.load(Ordering::SeqCst) {
                Act::Hang
            } else {
                good(request)
            }
        })
        .await;
        world.move_service(&service.url).await;
        let id = world.store.create_job(world.ml()).await.unwrap().id;
        let stop = CancellationToken::new();
        let runner = tokio::spawn(Runner::new(world.tools.clone()).run(stop.clone()));
        world.until(id, |_| service.asked() >= 5).await;
        deleted.store(true, Ordering::SeqCst);
        world.store.delete_pipeline(world.pipeline).await.unwrap();
        let job = world.until(id, |job| job.job_state().is_final()).await;
        stop.cancel();
        runner.await.unwrap();
        let log = world.log(&job).await;
        assert_eq!(state(&job), JobState::Failure, "{log}");
        assert!(log.contains("Its pipeline \"Test\" was deleted."), "{log}");
        let counts = world.counts(&job).await;
        assert_eq!(counts.done + counts.failed, 200, "none is left open");
        // An answer that came just then fails for naming algorithms that are nobody's any more.
        let failures = world.store.failures(&job, 200, 0).await.unwrap();
        let told = failures.iter().filter(|f| f.reason.contains("was deleted"));
        let told = told.count();
        assert!(
            told > 0 && failures.len() - told <= 4,
            "{told} of {}",
            failures.len()
        );
        let depth = world.store.ticket_depth(id, None).await.unwrap();
        assert_eq!(depth.waiting + depth.leased, 0);
    }
}
