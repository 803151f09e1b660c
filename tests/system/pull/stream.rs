//! Pull jobs whose images lie in NATS: what may be cut off between the database and the stream.

use domain::state::JobState;
use serde_json::json;
use store::capture::Scope;
use store::testing::{self, Fresh};

use super::client::Worker;
use super::{Farm, fetch, good, post};

/// The grounds where images lie in NATS.
async fn streams() -> impl Iterator<Item = Fresh> {
    let all = testing::grounds().await;
    all.into_iter().filter(|ground| ground.streams)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_that_was_opened_and_not_sent_is_sent_by_the_next_runner() {
    for fresh in streams().await {
        let farm = Farm::idle(&fresh, 30).await;
        let store = &farm.app.store;
        let id = farm.start(json!({})).await;
        let (job, fence) = store.claim_job("dies").await.unwrap().unwrap();
        assert_eq!(job.id, id);
        let scope = Scope::Station(farm.station.id);
        let ids = store.capture_ids_after(&scope, i64::MIN, 20).await.unwrap();
        store.place_tasks(&fence, true).await.unwrap();
        // One page went the whole way, of the next only its rows are there.
        let (sent, unsent) = ids.split_at(10);
        store.feed_page(&fence, sent, sent[9]).await.unwrap();
        let queue = &farm.app.tools.queue;
        queue.publish(id, job.generation, sent).await.unwrap();
        store.tasks_sent(&fence, sent[9]).await.unwrap();
        store.feed_page(&fence, unsent, unsent[9]).await.unwrap();
        assert!(
            store.feed_end(&fence, true).await.is_err(),
            "not all is sent"
        );
        let dead = store.rescue_jobs(chrono::Duration::zero()).await.unwrap();
        assert_eq!(dead.len(), 1);
        farm.app.work();
        let user = store.user_by_email("super@example.org").await.unwrap();
        let token = store.create_token(user.unwrap().id, "w").await.unwrap();
        let mut fetched = 0;
        while !store.job(id).await.unwrap().job_state().is_final() {
            let seen = Worker::new(&farm.app.url, &token, 8).run(1).await;
            fetched += seen.fetched;
        }
        let ended = store.job(id).await.unwrap();
        assert_eq!(ended.job_state(), JobState::Success);
        assert_eq!((ended.total, fetched), (Some(30), 30));
        let audit = store.audit(&ended).await.unwrap();
        assert_eq!(audit.faults(ended.total), [] as [String; 0]);
    }
}

#[tokio::test]
async fn a_stream_that_is_lost_is_filled_again_and_receipts_stay_good() {
    for fresh in streams().await {
        let farm = Farm::new(&fresh, 12).await;
        let job = farm.job(None).await;
        let worker = farm.worker().await;
        let held = fetch(&worker, job, 4).await;
        let generation = farm.app.store.job(job).await.unwrap().generation;
        farm.app.tools.queue.purge(job, generation).await.unwrap();
        // The caretaker sends again what is open, the images in the worker's hands among them.
        post(&worker, job, held.iter().map(good).collect()).await;
        let mut handed = Vec::new();
        while !farm
            .app
            .store
            .job(job)
            .await
            .unwrap()
            .job_state()
            .is_final()
        {
            let tasks = fetch(&worker, job, 5).await;
            if tasks.is_empty() {
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
                continue;
            }
            post(&worker, job, tasks.iter().map(good).collect()).await;
            handed.extend(tasks);
        }
        assert!(handed.len() >= 8, "the others were sent again");
        let ended = farm.app.store.job(job).await.unwrap();
        assert_eq!(ended.job_state(), JobState::Success);
        let audit = farm.app.store.audit(&ended).await.unwrap();
        assert_eq!(audit.faults(Some(12)), [] as [String; 0]);
    }
}
