//! Several jobs on one pipeline share the workers: order of the poll, priority, and small jobs
//! beside huge ones.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::json;
use store::testing;

use super::{Farm, fetch, good, post};

const POLL: &str = "/api/v2/jobs?pipeline__slug__in=test%2Cother&ids_only=1&incomplete_only=1&dispatch_mode=async_api";
const NEXT: &str = "/api/v2/jobs/next/?pipeline__slug__in=test";

#[tokio::test]
async fn the_poll_offers_what_nobody_works_on_and_what_is_urgent() {
    for fresh in testing::grounds().await {
        let farm = Farm::new(&fresh, 8).await;
        let worker = farm.worker().await;
        // What is known of a stream may be a second old.
        let offers = async |job: i64| {
            for _ in 0..200 {
                let poll = worker.get(POLL).await.json()["results"][0]["id"].as_i64();
                let next = worker.get(NEXT).await.json()["id"].as_i64();
                if (poll, next) == (Some(job), Some(job)) {
                    return true;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            false
        };
        assert_eq!(worker.get(NEXT).await.status, 404);
        let huge = farm.job(None).await;
        assert!(offers(huge).await);
        let held = fetch(&worker, huge, 4).await;
        let small = farm.job(Some(2)).await;
        assert!(offers(small).await, "the one that nobody works on");
        // A job that is not started, or paused, or has nothing left, is not in the way.
        let user = farm.app.superuser().await;
        user.post(&format!("/api/v2/jobs/{small}/pause/"), json!({}))
            .await;
        assert!(offers(huge).await);
        user.post(&format!("/api/v2/jobs/{small}/resume/"), json!({}))
            .await;
        let urgent = user
            .send(
                Method::PATCH,
                &format!("/api/v2/jobs/{huge}/queue/"),
                Some(json!({"priority": 5}).to_string()),
            )
            .await;
        assert_eq!(
            (urgent.status.as_u16(), &urgent.json()["priority"]),
            (200, &json!(5))
        );
        assert!(offers(huge).await, "priority wins");
        let forbidden = worker
            .send(
                Method::PATCH,
                &format!("/api/v2/jobs/{huge}/queue/"),
                Some(json!({"priority": 9}).to_string()),
            )
            .await;
        assert_eq!(forbidden.status, 403);
        let wrong = user
            .send(
                Method::PATCH,
                &format!("/api/v2/jobs/{huge}/queue/"),
                Some(json!({"priority": "x"}).to_string()),
            )
            .await;
        assert_eq!(
            wrong.json(),
            json!({"priority": ["A valid integer is required."]})
        );
        // A stream may give fewer at once than it has.
        let mut taken = held.len();
        for _ in 0..50 {
            taken += fetch(&worker, huge, 9).await.len();
        }
        assert_eq!(taken, 8);
        assert!(offers(small).await, "nothing is left of the urgent one");
        assert_eq!(held.len(), 4);
        // Those who may not work on it are offered it last, and not at all by name.
        let stranger = farm.app.member(&farm.project, None).await;
        assert_eq!(stranger.get(NEXT).await.status, 404);
        assert_eq!(stranger.get(POLL).await.json()["count"], 2);
    }
}

/// A worker that stays with a huge job until it looks empty, as the reference's does: the small
/// job is taken up before the huge one is done.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_small_job_is_taken_up_beside_a_huge_one() {
    for fresh in testing::grounds().await {
        let farm = Farm::new(&fresh, 2_000).await;
        let worker = farm.worker().await;
        let huge = farm.job(None).await;
        let small = farm.job(Some(10)).await;
        // It was offered the huge one first.
        worker.get(POLL).await;
        let patience = Instant::now();
        let mut current = huge;
        let mut left_behind = None;
        while left_behind.is_none() {
            assert!(
                patience.elapsed() < Duration::from_secs(120),
                "the small job starves"
            );
            let tasks = fetch(&worker, current, 1).await;
            if tasks.is_empty() {
                current = worker.get(POLL).await.json()["results"][0]["id"]
                    .as_i64()
                    .unwrap();
                continue;
            }
            post(&worker, current, tasks.iter().map(good).collect()).await;
            if current == small {
                let depth = farm.app.tools.queue.depth(huge, None).await;
                left_behind = Some(depth.unwrap().waiting);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert!(left_behind > Some(0), "the huge job was not done yet");
    }
}
