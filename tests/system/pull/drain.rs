//! Several workers at once empty a job of a few hundred images, to exact counts.

use domain::state::JobState;
use serde_json::json;
use store::testing;

use super::client::{Seen, Worker};
use super::{Farm, fetch};

const IMAGES: usize = 300;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn four_workers_empty_a_job_to_exact_counts() {
    for fresh in testing::grounds().await {
        let farm = Farm::new(&fresh, IMAGES).await;
        // One photograph in twenty cannot be downloaded.
        let folder = farm.app.folder.path().join("photographs");
        for i in (0..IMAGES).step_by(20) {
            std::fs::remove_file(folder.join(format!("{i:05}.jpg"))).unwrap();
        }
        let broken = IMAGES.div_ceil(20);
        let job = farm.job(None).await;
        let user = farm.app.store.user_by_email("super@example.org").await;
        let token = farm.app.store.create_token(user.unwrap().unwrap().id, "w");
        let token = token.await.unwrap();
        let workers: Vec<_> = (0..4)
            .map(|_| tokio::spawn(Worker::new(&farm.app.url, &token, 8).run(3)))
            .collect();
        let mut seen = Seen::default();
        for worker in workers {
            let one = worker.await.unwrap();
            assert!(one.polls > 0);
            seen.fetched += one.fetched;
            seen.posted += one.posted;
            seen.lost += one.lost;
        }
        assert_eq!((seen.fetched, seen.posted, seen.lost), (IMAGES, IMAGES, 0));
        let ended = farm.app.ended(job).await;
        assert_eq!(ended.job_state(), JobState::Success);
        let good = IMAGES - broken;
        assert_eq!(
            farm.counts(job).await,
            [
                json!(IMAGES),
                json!(0),
                json!(broken),
                json!(good),
                json!(good),
                json!(good)
            ]
        );
        let depth = farm.app.tools.queue.depth(job, None).await.unwrap();
        assert_eq!(depth.waiting + depth.leased + depth.dead, 0);
        let station = farm.app.store.station(farm.station.id).await.unwrap();
        assert_eq!(station.detections_count, good as i64);
        assert_eq!(station.occurrences_count, good as i64);
        let user = farm.app.superuser().await;
        let path = format!("/api/v2/jobs/{job}/failures/?limit=100");
        let list = user.get(&path).await.json();
        assert_eq!(list["count"], broken);
        assert_eq!(list["results"][0]["reason"], "failed to load image");
        assert_eq!(list["results"][0]["deliveries"], 1);
        let log = user.get(&format!("/api/v2/jobs/{job}/")).await.json();
        let errors = log["logs"]["stderr"].as_array().unwrap();
        assert!(errors.iter().any(|e| {
            let text = e.as_str().unwrap();
            text.starts_with(&format!("Pipeline returned error for job {job}, image "))
        }));

        // Only what failed is done again; the rest is neither fetched nor counted twice.
        for i in (0..IMAGES).step_by(20) {
            std::fs::write(folder.join(format!("{i:05}.jpg")), b"a photograph").unwrap();
        }
        let again = format!("/api/v2/jobs/{job}/retry/?failed_only=1");
        assert_eq!(user.post(&again, json!({})).await.status, 200);
        let seen = Worker::new(&farm.app.url, &token, 8).run(5).await;
        assert_eq!((seen.fetched, seen.posted), (broken, broken));
        let ended = farm.app.ended(job).await;
        assert_eq!(ended.job_state(), JobState::Success);
        let whole = [IMAGES, 0, 0, IMAGES, IMAGES, IMAGES].map(|n| json!(n));
        assert_eq!(farm.counts(job).await, whole);
    }
}

#[tokio::test]
async fn nothing_to_do_is_success_at_once() {
    for fresh in testing::grounds().await {
        let farm = Farm::new(&fresh, 0).await;
        let job = farm.start(json!({})).await;
        let ended = farm.app.ended(job).await;
        assert_eq!(ended.job_state(), JobState::Success);
        assert_eq!(farm.counts(job).await, vec![json!(""); 6]);
        let worker = farm.worker().await;
        assert!(fetch(&worker, job, 5).await.is_empty());
    }
}
