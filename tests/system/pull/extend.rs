//! `POST /jobs/{id}/extend/`, and the machines that are seen.

use std::time::Duration;

use domain::state::JobState;
use serde_json::{Value, json};
use store::testing;

use super::{Farm, fetch, good, post};

#[tokio::test]
async fn a_slow_worker_keeps_what_it_has() {
    for fresh in testing::grounds().await {
        let farm = Farm::new(&fresh, 2).await;
        farm.configure(json!({"lease_seconds": 1, "max_deliveries": 1}))
            .await;
        let job = farm.job(None).await;
        let worker = farm.worker().await;
        let tasks = fetch(&worker, job, 2).await;
        let path = format!("/api/v2/jobs/{job}/extend/");
        let kept = json!({"reply_subjects": [tasks[0]["reply_subject"], "nonsense"], "lease_seconds": 600});
        let answer = worker.post(&path, kept).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        let status = |answer: &Value| -> Vec<String> {
            let tasks = answer["tasks"].as_array().unwrap().iter();
            tasks
                .map(|t| t["status"].as_str().unwrap().to_owned())
                .collect()
        };
        let answer = answer.json();
        assert_eq!(
            (&answer["extended"], &answer["lease_seconds"]),
            (&json!(1), &json!(600))
        );
        assert_eq!(status(&answer), ["extended", "rejected"]);
        // The other lease ends after its second, and as it was the only one the image fails.
        while farm.counts(job).await[2] != 1 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let both =
            json!({"reply_subjects": [tasks[0]["reply_subject"], tasks[1]["reply_subject"]]});
        let answer = worker.post(&path, both.clone()).await.json();
        assert_eq!(status(&answer), ["extended", "lost"]);
        assert_eq!(answer["lease_seconds"], 1, "as the pipeline's settings say");
        post(&worker, job, vec![good(&tasks[0])]).await;
        assert_eq!(
            farm.app.ended(job).await.job_state(),
            JobState::Success,
            "half failed"
        );
        assert_eq!(
            status(&worker.post(&path, both).await.json()),
            ["lost", "lost"]
        );

        for (body, field) in [
            (json!({}), "reply_subjects"),
            (json!({"reply_subjects": "x"}), "reply_subjects"),
            (
                json!({"reply_subjects": [], "lease_seconds": 0}),
                "lease_seconds",
            ),
            (
                json!({"reply_subjects": [], "lease_seconds": 100_000}),
                "lease_seconds",
            ),
            (
                json!({"reply_subjects": [], "client_info": 5}),
                "client_info",
            ),
        ] {
            let answer = worker.post(&path, body.clone()).await;
            assert_eq!(answer.status, 400, "{body}");
            assert!(answer.json().get(field).is_some(), "{}", answer.text);
        }
        let nobody = farm
            .app
            .anonymous()
            .post(&path, json!({"reply_subjects": []}))
            .await;
        assert_eq!(nobody.status, 401);
    }
}

/// What lies in NATS is not counted there: see docs/using.md.
#[tokio::test]
async fn machines_are_listed_with_what_they_hold() {
    for fresh in testing::fresh().await {
        let farm = Farm::new(&fresh, 6).await;
        let job = farm.job(None).await;
        let worker = farm.worker().await;
        let path = format!("/api/v2/jobs/{job}/tasks/");
        let ask = |host: &str| {
            json!({"batch_size": 2, "client_info": {
            "hostname": host, "name": "ADC", "version": "1.2", "n": 3}})
        };
        let first = worker.post(&path, ask("a")).await.json();
        worker.post(&path, ask("b")).await;
        worker.post(&path, json!({"batch_size": 1})).await;
        let user = farm.app.superuser().await;
        let list = user.get("/api/v2/workers/").await.json();
        assert_eq!(list["count"], 3, "{list}");
        let find = |list: &Value, host: Value| {
            let rows = list["results"].as_array().unwrap();
            rows.iter().find(|w| w["host"] == host).unwrap().clone()
        };
        let a = find(&list, json!("a"));
        assert_eq!(
            (&a["name"], &a["version"], &a["leased"]),
            (&json!("ADC"), &json!("1.2"), &json!(2))
        );
        assert_eq!(
            (&a["is_live"], &a["job"]["id"]),
            (&json!(true), &json!(job))
        );
        let nameless = find(&list, Value::Null);
        assert_eq!(
            (&nameless["name"], &nameless["leased"]),
            (&json!("worker@example.org"), &json!(1))
        );
        let results = first["tasks"]
            .as_array()
            .unwrap()
            .iter()
            .map(good)
            .collect();
        post(&worker, job, results).await;
        let list = user.get("/api/v2/workers/?project_id=1").await.json();
        assert_eq!(find(&list, json!("a"))["leased"], 0);
        let queue = user.get(&format!("/api/v2/jobs/{job}/queue/")).await.json();
        assert_eq!(
            (&queue["workers"], &queue["message"]),
            (&json!(3), &Value::Null)
        );
        // Machines of a draft project are nobody else's business.
        let draft = farm.app.project("Draft", true).await;
        let machine = store::worker::Machine {
            project: draft.id,
            user: 1,
            name: "secret".to_owned(),
            host: String::new(),
            version: None,
        };
        farm.app
            .store
            .worker_seen(&machine, farm.pipeline, job, store::worker::Did::default())
            .await
            .unwrap();
        assert_eq!(worker.get("/api/v2/workers/").await.json()["count"], 3);
        assert_eq!(
            farm.app
                .superuser()
                .await
                .get("/api/v2/workers/")
                .await
                .json()["count"],
            4
        );
    }
}

#[tokio::test]
async fn a_pipeline_without_a_worker_says_so_at_once() {
    for fresh in testing::grounds().await {
        let farm = Farm::new(&fresh, 1).await;
        let user = farm.app.superuser().await;
        let hour = chrono::Duration::hours(-1);
        farm.app.store.expire_pull_services(hour).await.unwrap();
        let job = farm.job(None).await;
        let words = "No worker for pipeline 'test' is online";
        let log = user
            .get(&format!("/api/v2/jobs/{job}/logs/?level=WARNING"))
            .await
            .json();
        let line = log["results"][0]["message"].as_str().unwrap();
        assert!(line.starts_with(words), "{line}");
        let queue = user.get(&format!("/api/v2/jobs/{job}/queue/")).await.json();
        assert_eq!(
            (&queue["workers"], &queue["waiting"]),
            (&json!(0), &json!(1))
        );
        assert!(queue["message"].as_str().unwrap().starts_with(words));
        // One that polls for the pipeline is a worker, whatever it is called.
        let poll = "/api/v2/jobs?ids_only=1&pipeline__slug__in=test";
        assert_eq!(
            farm.worker().await.get(poll).await.json()["results"][0]["id"],
            job
        );
        let queue = user.get(&format!("/api/v2/jobs/{job}/queue/")).await.json();
        assert_eq!(
            (&queue["workers"], &queue["message"]),
            (&json!(1), &Value::Null)
        );
    }
}
