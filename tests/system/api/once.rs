//! `Idempotency-Key`: a request that comes again makes no second job.

use domain::permission::Permit;
use domain::permission::Role;
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use store::testing;

use crate::app::TestApp;

const JOBS: &str = "/api/v2/jobs/";

#[tokio::test]
async fn the_same_request_gets_the_same_answer() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        let project = app.project("Moths", false).await;
        let ann = app.member(&project, Some(Role::ProjectManager)).await;
        let bob = app.member(&project, Some(Role::BasicMember)).await;
        let body = json!({"name": "Once", "project_id": project.id, "delay": 0});
        let key = ("Idempotency-Key", "a-1");
        let first = ann.post_with(JOBS, key, &body).await;
        assert_eq!(first.status, 201);
        let id = first.json()["id"].as_i64().unwrap();
        app.store.enqueue_job(Permit::BY_PROGRAM, id).await.unwrap(); // it goes on meanwhile
        let again = ann.post_with(JOBS, key, &body).await;
        assert_eq!((again.status, &again.text), (first.status, &first.text));

        let words = "This Idempotency-Key was used for another request.";
        for (path, body) in [
            (
                JOBS,
                json!({"name": "Two", "project_id": project.id, "delay": 0}),
            ),
            ("/api/v2/jobs/?start_now", body.clone()),
        ] {
            let other = ann.post_with(path, key, &body).await;
            assert_eq!(
                (other.status.as_u16(), other.json()),
                (409, json!({ "detail": words }))
            );
        }
        let theirs = bob.post_with(JOBS, key, &body).await;
        assert_eq!(theirs.status, 201);
        assert_ne!(theirs.json()["id"], id);
        let next = ann.post_with(JOBS, ("Idempotency-Key", "a-2"), &body).await;
        assert_ne!(next.json()["id"], id);
        for bad in ["", " ", &"x".repeat(256)] {
            let refused = ann.post_with(JOBS, ("Idempotency-Key", bad), &body).await;
            assert_eq!(refused.status, 400, "{bad:?}");
        }
        let anyone = app.anonymous().post_with(JOBS, key, &body).await;
        assert_eq!(anyone.status, 401);

        app.store.cancel_job(Permit::BY_PROGRAM, id).await.unwrap();
        app.store.delete_job(Permit::BY_PROGRAM, id).await.unwrap();
        let deleted = ann.post_with(JOBS, key, &body).await;
        assert_eq!(deleted.text, first.text, "also when the job is gone");
        let count = ann.get(JOBS).await.json()["count"].clone();
        assert_eq!(count, 2);
    }
}

#[tokio::test]
async fn of_many_at_once_one_makes_the_job() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        let project = app.project("Moths", false).await;
        let ann = app.member(&project, Some(Role::ProjectManager)).await;
        let body = json!({"name": "Once", "project_id": project.id, "delay": 0});
        let all = (0..12).map(|_| ann.post_with(JOBS, ("Idempotency-Key", "k"), &body));
        let ids: Vec<Value> = join_all(all)
            .await
            .iter()
            .map(|answer| {
                assert_eq!(answer.status, 201, "{}", answer.text);
                answer.json()["id"].clone()
            })
            .collect();
        assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
        let list = ann.send(Method::GET, JOBS, None).await.json();
        assert_eq!(list["count"], 1);
    }
}
