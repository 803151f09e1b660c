//! ML jobs by push: whatever the service does, the job ends and its counts are true.

use domain::state::JobState;
use serde_json::json;
use store::testing;
use wiremock::ResponseTemplate;

use super::world::{World, detections, good, ids, results, state};

#[tokio::test]
async fn every_image_once() {
    for fresh in testing::fresh().await {
        let world = World::new(&fresh.store, 23, 4).await;
        world.answers(good).await;
        let job = world.run(world.ml()).await;
        assert_eq!(state(&job), JobState::Success, "{}", world.log(&job).await);
        let counts = world.counts(&job).await;
        assert_eq!((counts.done, counts.failed), (23, 0));
        assert_eq!((counts.detections, counts.classifications), (23, 23));
        assert_eq!(world.asked().await, 6);
        let progress = store::progress::compose(&job, counts);
        assert_eq!(progress.summary.progress, 1.0);
        let station = world.store.station(world.station).await.unwrap();
        assert_eq!(station.occurrences_count, 23);
        let log = world.log(&job).await;
        assert!(
            log.contains("Found 23 out of 23 images to process"),
            "{log}"
        );
        assert!(log.trim_end().ends_with("(SUCCESS)"), "{log}");
    }
}

#[tokio::test]
async fn a_second_job_skips_what_is_processed() {
    for fresh in testing::fresh().await {
        let world = World::new(&fresh.store, 5, 2).await;
        world.answers(good).await;
        world.run(world.ml()).await;
        let asked = world.asked().await;
        let second = world.run(world.ml()).await;
        assert_eq!((state(&second), second.total), (JobState::Success, Some(0)));
        assert_eq!(world.asked().await, asked);
    }
}

#[tokio::test]
async fn a_limit_cuts_and_a_shuffle_mixes() {
    for fresh in testing::fresh().await {
        let world = World::new(&fresh.store, 20, 20).await;
        world.answers(good).await;
        let new = store::job::NewJob {
            limit: Some(6),
            shuffle: true,
            ..world.ml()
        };
        let job = world.run(new).await;
        assert_eq!((state(&job), job.total), (JobState::Success, Some(6)));
        let asked = world.service.received_requests().await.unwrap();
        let bodies = asked.iter().filter(|r| r.url.path().ends_with("/process"));
        let bodies: Vec<serde_json::Value> = bodies.map(|r| r.body_json().unwrap()).collect();
        let order: Vec<i64> = ids(&bodies[0])
            .iter()
            .map(|id| id.parse().unwrap())
            .collect();
        assert!(!order.is_sorted(), "{order:?}");
        assert!(bodies[0]["config"].is_object() && bodies[0]["detections"] == json!([]));
    }
}

#[tokio::test]
async fn a_service_in_trouble_is_asked_again() {
    for fresh in testing::fresh().await {
        let world = World::new(&fresh.store, 1, 1).await;
        let calls = std::sync::atomic::AtomicUsize::new(0);
        world
            .answers(
                move |request| match calls.fetch_add(1, std::sync::atomic::Ordering::SeqCst) {
                    0 => ResponseTemplate::new(500).set_body_string("Internal Server Error"),
                    _ => good(request),
                },
            )
            .await;
        let job = world.run(world.ml()).await;
        assert_eq!(state(&job), JobState::Success);
        assert_eq!(world.asked().await, 2);
    }
}

#[tokio::test]
async fn a_batch_that_fails_counts_and_the_job_goes_on() {
    for fresh in testing::fresh().await {
        let world = World::new(&fresh.store, 10, 1).await;
        let poisoned: Vec<String> = {
            let scope = store::capture::Scope::Set(world.set);
            let all = world
                .store
                .capture_ids_after(&scope, i64::MIN, 4)
                .await
                .unwrap();
            all.iter().map(ToString::to_string).collect()
        };
        world
            .answers(move |request| {
                let asked = ids(request);
                let mut body = results(&asked);
                match poisoned.iter().position(|p| *p == asked[0]) {
                    Some(0) => {
                        let detail = json!({"detail": "no such pipeline"});
                        return ResponseTemplate::new(422).set_body_json(detail);
                    }
                    Some(1) => {
                        return ResponseTemplate::new(200).set_body_string("{\"pipeline\": \"te");
                    }
                    Some(2) => body["detections"] = json!(detections(&["999999".to_owned()])),
                    Some(_) => body["detections"][0]["classifications"][0]["scores"] = json!([7.5]),
                    None => {}
                }
                ResponseTemplate::new(200).set_body_json(body)
            })
            .await;
        let job = world.run(world.ml()).await;
        assert_eq!(
            state(&job),
            JobState::Success,
            "four of ten is less than half"
        );
        let counts = world.counts(&job).await;
        assert_eq!((counts.done, counts.failed, counts.detections), (6, 4, 6));
        let reasons: Vec<String> = world
            .store
            .failures(&job, 9, 0)
            .await
            .unwrap()
            .into_iter()
            .map(|f| f.reason)
            .collect();
        for (reason, words) in
            reasons
                .iter()
                .zip(["no such pipeline", "cannot be read", "999999", "7.5"])
        {
            assert!(reason.contains(words), "{reason} should speak of {words}");
        }
        assert!(world.log(&job).await.contains("no such pipeline"));
    }
}

#[tokio::test]
async fn more_than_half_failed_is_a_failure() {
    for fresh in testing::fresh().await {
        let world = World::new(&fresh.store, 3, 1).await;
        world
            .answers(|_| ResponseTemplate::new(400).set_body_string("no"))
            .await;
        let job = world.run(world.ml()).await;
        assert_eq!(state(&job), JobState::Failure);
        let counts = world.counts(&job).await;
        assert_eq!((counts.done, counts.failed), (0, 3));
        let stages = store::progress::compose(&job, counts).stages;
        assert_eq!(stages[1].status, JobState::Failure);
        assert!(world.log(&job).await.contains("more than 50%"));
    }
}

#[tokio::test]
async fn images_that_the_answer_leaves_out_fail_alone() {
    for fresh in testing::fresh().await {
        let world = World::new(&fresh.store, 4, 4).await;
        world
            .answers(|request| {
                let asked = ids(request);
                let mut body = results(&asked[1..]);
                body["errors"] = json!([format!("{}: damaged", asked[0])]);
                ResponseTemplate::new(200).set_body_json(body)
            })
            .await;
        let job = world.run(world.ml()).await;
        let counts = world.counts(&job).await;
        assert_eq!((counts.done, counts.failed), (3, 1));
        let failures = world.store.failures(&job, 9, 0).await.unwrap();
        assert!(failures[0].reason.contains("damaged"));
    }
}

#[tokio::test]
async fn without_a_service_the_job_says_so_and_ends() {
    for fresh in testing::fresh().await {
        let world = World::new(&fresh.store, 2, 1).await;
        // The service never answers /readyz under this address.
        let nowhere = "http://127.0.0.1:1/";
        world
            .store
            .put_service(world.project, "Service", "", Some(nowhere))
            .await
            .unwrap();
        let job = world.run(world.ml()).await;
        assert_eq!(state(&job), JobState::Failure);
        assert!(
            world
                .log(&job)
                .await
                .contains("No processing services are online")
        );
    }
}

#[tokio::test]
async fn the_next_service_takes_over_when_the_best_breaks_down() {
    for fresh in testing::fresh().await {
        let world = World::new(&fresh.store, 3, 1).await;
        world.answers(good).await;
        world
            .add_service("Broken", "http://127.0.0.1:1/", 0.000_001)
            .await;
        let job = world.run(world.ml()).await;
        assert_eq!(state(&job), JobState::Success, "{}", world.log(&job).await);
    }
}
