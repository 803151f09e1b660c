//! `POST /jobs/{id}/tasks/`: the recorded answers, leases, dead letters, pause and cancel.

use std::time::Duration;

use domain::permission::Role;
use domain::state::JobState;
use reqwest::Method;
use serde_json::{Value, json};
use store::testing;

use super::{Farm, bad, fetch, good, post};

#[tokio::test]
async fn bodies_and_callers_are_answered_as_recorded() {
    for fresh in testing::grounds().await {
        let farm = Farm::new(&fresh, 4).await;
        let job = farm.job(None).await;
        let path = format!("/api/v2/jobs/{job}/tasks/");
        let user = farm.app.superuser().await;
        let least = "Ensure this value is greater than or equal to 1.";
        let whole = "A valid integer is required.";
        let size = |words: &str| json!({"batch_size": [words]});
        let no_json = json!({"client_info": [{
            "loc": ["__root__"], "msg": "Expecting value: line 1 column 1 (char 0)",
            "type": "value_error.jsondecode",
            "ctx": {"msg": "Expecting value", "doc": "x", "pos": "0", "lineno": "1", "colno": "1"},
        }]});
        let list = "Invalid data. Expected a dictionary, but got list.";
        for (body, expected) in [
            (json!({}), size("This field is required.")),
            (json!({"batch_size": 0}), size(least)),
            (json!({"batch_size": -1}), size(least)),
            (json!({"batch_size": "abc"}), size(whole)),
            (json!({"batch_size": 1.5}), size(whole)),
            (json!({"batch_size": true}), size(whole)),
            (json!({"batch_size": []}), size(whole)),
            (json!({"batch_size": ""}), size(whole)),
            (
                json!({"batch_size": null}),
                size("This field may not be null."),
            ),
            (
                json!({"batch_size": 1, "client_info": null}),
                json!({"client_info": ["This field may not be null."]}),
            ),
            (json!({"batch_size": 1, "client_info": "x"}), no_json),
            (json!([1]), json!({"non_field_errors": [list]})),
        ] {
            let answer = user.post(&path, body.clone()).await;
            assert_eq!(
                (answer.status.as_u16(), answer.json()),
                (400, expected),
                "{body}"
            );
        }
        let empty = user.send(Method::POST, &path, None).await;
        assert_eq!(empty.json(), size("This field is required."));
        let one = json!({"batch_size": "1", "client_info": []});
        for (client, status) in [
            (farm.app.anonymous(), 401),
            (farm.app.member(&farm.project, None).await, 403),
            (
                farm.app
                    .member(&farm.project, Some(Role::BasicMember))
                    .await,
                403,
            ),
            (
                farm.app
                    .member(&farm.project, Some(Role::MlDataManager))
                    .await,
                200,
            ),
            (farm.worker().await, 200),
            (farm.app.superuser().await, 200),
        ] {
            assert_eq!(client.post(&path, one.clone()).await.status, status);
        }
        // The body is read before the caller is asked who they are.
        let answer = farm.app.anonymous().post(&path, json!({})).await;
        assert_eq!(answer.status, 400);
        let none = user.post("/api/v2/jobs/999999/tasks/", one.clone()).await;
        assert_eq!(
            (none.status.as_u16(), none.json()),
            (404, json!({"detail": "Not found."}))
        );
        assert_eq!(user.get(&path).await.status, 405);
        let task = fetch(&user, job, 100).await;
        assert_eq!(task.len(), 1);
        let keys: Vec<&String> = task[0].as_object().unwrap().keys().collect();
        assert_eq!(keys, ["id", "image_id", "image_url", "reply_subject"]);
        assert!(task[0]["id"].is_string() && task[0]["id"] == task[0]["image_id"]);
        let image = farm
            .app
            .anonymous()
            .get(task[0]["image_url"].as_str().unwrap())
            .await;
        assert_eq!(
            (image.status.as_u16(), image.text.as_str()),
            (200, "a photograph")
        );
        assert!(fetch(&user, job, 1).await.is_empty());
    }
}

#[tokio::test]
async fn only_running_pull_jobs_hand_out() {
    for fresh in testing::grounds().await {
        let farm = Farm::new(&fresh, 2).await;
        let user = farm.app.superuser().await;
        let body = json!({"name": "Internal", "delay": 0, "project_id": farm.project.id});
        let internal = user.post("/api/v2/jobs/", body).await.json()["id"].clone();
        let one = json!({"batch_size": 1});
        let answer = user
            .post(&format!("/api/v2/jobs/{internal}/tasks/"), one.clone())
            .await;
        let words = json!(["Only async_api jobs have fetchable tasks"]);
        assert_eq!((answer.status.as_u16(), answer.json()), (400, words));
        let path = format!("/api/v2/jobs/{internal}/result/");
        let empty = user.post(&path, json!({"results": []})).await;
        let expected =
            json!({"status": "accepted", "job_id": internal, "results_queued": 0, "tasks": []});
        assert_eq!(empty.json(), expected);

        let body = json!({
            "name": "Waits", "delay": 0, "project_id": farm.project.id,
            "pipeline_id": farm.pipeline, "deployment_id": farm.station.id,
        });
        let created = user.post("/api/v2/jobs/", body).await.json()["id"]
            .as_i64()
            .unwrap();
        assert!(fetch(&user, created, 1).await.is_empty());

        // No task is handed out after the answer to cancel, and what comes late is discarded.
        let job = farm.job(None).await;
        let task = fetch(&user, job, 1).await;
        let cancelled = user
            .post(&format!("/api/v2/jobs/{job}/cancel/"), json!({}))
            .await;
        assert_eq!(cancelled.json()["status"], "REVOKED");
        assert!(fetch(&user, job, 1).await.is_empty());
        let late = post(&user, job, vec![good(&task[0])]).await;
        assert_eq!(late.status, 200);
        assert_eq!(late.json()["tasks"][0]["status"], "queued");
        let row = farm.app.store.job(job).await.unwrap();
        assert_eq!(row.job_state(), JobState::Revoked);
        let capture = task[0]["id"].as_str().unwrap().parse().unwrap();
        assert_eq!(
            farm.app
                .store
                .capture(capture)
                .await
                .unwrap()
                .detections_count,
            0
        );

        // A person's retry feeds it all again, and only the new receipts count.
        let again = user
            .post(&format!("/api/v2/jobs/{job}/retry/"), json!({}))
            .await;
        assert_eq!(again.status, 200);
        let mut fresh_tasks = Vec::new();
        for _ in 0..200 {
            fresh_tasks = fetch(&user, job, 5).await;
            if !fresh_tasks.is_empty() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        assert_eq!(fresh_tasks.len(), 2);
        assert_eq!(post(&user, job, vec![good(&task[0])]).await.status, 200);
        assert_eq!(farm.counts(job).await[0], "");
        let all = fresh_tasks.iter().map(good).collect();
        assert_eq!(post(&user, job, all).await.json()["results_queued"], 2);
        assert_eq!(farm.app.ended(job).await.job_state(), JobState::Success);
    }
}

#[tokio::test]
async fn an_image_without_an_answer_is_handed_out_again_and_then_fails() {
    for fresh in testing::grounds().await {
        let farm = Farm::new(&fresh, 3).await;
        farm.configure(json!({"lease_seconds": 1, "max_deliveries": 2}))
            .await;
        let job = farm.job(None).await;
        let worker = farm.worker().await;
        let first = fetch(&worker, job, 9).await;
        assert_eq!(first.len(), 3);
        assert!(fetch(&worker, job, 9).await.is_empty());
        assert_eq!(post(&worker, job, vec![good(&first[0])]).await.status, 200);
        let mut again = Vec::new();
        while again.is_empty() {
            tokio::time::sleep(Duration::from_millis(100)).await;
            again = fetch(&worker, job, 9).await;
        }
        assert_eq!(again.len(), 2, "what was answered is not handed out again");
        // The second silence is the last: the caretaker writes them down, the job ends.
        let ended = farm.app.ended(job).await;
        assert_eq!(ended.job_state(), JobState::Failure, "two of three failed");
        let user = farm.app.superuser().await;
        let list = user
            .get(&format!("/api/v2/jobs/{job}/failures/"))
            .await
            .json();
        assert_eq!(list["count"], 2);
        for failure in list["results"].as_array().unwrap() {
            assert_eq!(failure["reason"], "no answer after 2 deliveries");
            assert_eq!(failure["deliveries"], 2);
        }
    }
}

#[tokio::test]
async fn a_late_result_beats_the_dead_letter_while_the_job_runs() {
    for fresh in testing::grounds().await {
        let farm = Farm::new(&fresh, 4).await;
        farm.configure(json!({"lease_seconds": 1, "max_deliveries": 1}))
            .await;
        let job = farm.job(None).await;
        let worker = farm.worker().await;
        let slow = fetch(&worker, job, 1).await;
        // The others stay in the queue, so the job goes on.
        let failed = |counts: Vec<Value>| counts[2].clone();
        while failed(farm.counts(job).await) != 1 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert_eq!(post(&worker, job, vec![good(&slow[0])]).await.status, 200);
        let counts = [1, 3, 0, 1, 1, 1].map(|n| json!(n));
        assert_eq!(farm.counts(job).await, counts, "done beats failed");
        let rest: Vec<Value> = fetch(&worker, job, 9).await.iter().map(good).collect();
        post(&worker, job, rest).await;
        assert_eq!(farm.app.ended(job).await.job_state(), JobState::Success);
    }
}

#[tokio::test]
async fn a_paused_job_hands_out_nothing_and_takes_results() {
    for fresh in testing::grounds().await {
        let farm = Farm::new(&fresh, 3).await;
        let job = farm.job(None).await;
        let user = farm.app.superuser().await;
        let worker = farm.worker().await;
        let held = fetch(&worker, job, 1).await;
        let act = |what: &str| format!("/api/v2/jobs/{job}/{what}/");
        let pause = worker.post(&act("pause"), json!({})).await;
        assert_eq!(pause.status, 403, "a machine steers nothing");
        let paused = user.post(&act("pause"), json!({})).await;
        assert_eq!(
            (paused.status.as_u16(), &paused.json()["status"]),
            (200, &json!("STARTED"))
        );
        assert!(fetch(&worker, job, 9).await.is_empty());
        let queue = user.get(&act("queue")).await.json();
        assert_eq!(
            (&queue["paused"], &queue["waiting"], &queue["leased"]),
            (&json!(true), &json!(2), &json!(1))
        );
        post(&worker, job, vec![good(&held[0])]).await;
        assert_eq!(farm.counts(job).await[0], 1);
        assert_eq!(user.post(&act("resume"), json!({})).await.status, 200);
        let rest: Vec<Value> = fetch(&worker, job, 9)
            .await
            .iter()
            .map(|t| bad(t, "no"))
            .collect();
        assert_eq!(rest.len(), 2);
        post(&worker, job, rest).await;
        assert_eq!(farm.app.ended(job).await.job_state(), JobState::Failure);
        assert_eq!(user.post(&act("pause"), json!({})).await.status, 409);
    }
}

#[tokio::test]
async fn a_capture_that_is_gone_fails_instead_of_being_handed_out() {
    for fresh in testing::grounds().await {
        let farm = Farm::new(&fresh, 3).await;
        let job = farm.job(None).await;
        let scope = store::capture::Scope::Station(farm.station.id);
        let ids = farm
            .app
            .store
            .capture_ids_after(&scope, i64::MIN, 9)
            .await
            .unwrap();
        farm.app.store.delete_capture(ids[0]).await.unwrap();
        let worker = farm.worker().await;
        let tasks = fetch(&worker, job, 1).await;
        assert_eq!(tasks[0]["id"], ids[1].to_string());
        assert_eq!(farm.counts(job).await[..3], [1, 2, 1].map(|n| json!(n)));
        let mut results: Vec<Value> = tasks.iter().map(good).collect();
        results.extend(fetch(&worker, job, 9).await.iter().map(good));
        post(&worker, job, results).await;
        assert_eq!(farm.app.ended(job).await.job_state(), JobState::Success);
    }
}
