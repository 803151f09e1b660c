//! Work that goes on while NATS is away: results are taken, pages and lists answer, clients poll
//! and hear that there is nothing; what could not be handed out is, as soon as it is back.

use std::time::Duration;

use domain::state::JobState;
use reqwest::Method;
use serde_json::{Value, json};

use super::world::Cluster;
use super::{Size, books};
use crate::pull::good;

const IMAGES: usize = 30;
/// Images of one hand-out.
const HELD: usize = 8;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_nats_is_away_results_are_taken_and_nobody_hears_of_a_fault() {
    let size = Size {
        jobs: 3,
        images: IMAGES,
        clients: 2,
        down: Duration::from_secs(3),
        lease: 5,
        silence: 30,
    };
    let Some(mut cluster) = Cluster::start(size).await else {
        return;
    };
    cluster.start_jobs(2).await;
    let job = cluster.jobs[0].id;
    let held = held(&cluster, job).await;
    cluster.nats.kill();
    // A web process that is started meanwhile answers like the other one.
    cluster.web[1].kill();
    cluster.web[1].start();
    let address = cluster.addresses[1].clone();
    cluster.web[1].up(&address).await;

    // One that comes now is taken, and waits.
    cluster.start_jobs(1).await;
    cluster.clients();
    let results: Vec<Value> = held.iter().map(found).collect();
    let path = format!("jobs/{job}/result/");
    let body = json!({"results": results});
    let answer = cluster.must(Method::POST, &path, Some(body)).await;
    assert_eq!(answer["results_queued"], held.len());
    let saved = [i64::try_from(held.len()).unwrap(), 0, 0];
    assert_eq!(cluster.saved().await, saved);
    let waits = "Waiting for the queue";
    let late = cluster.jobs[2].id;
    until(&cluster, late, |shown| {
        shown["logs"].to_string().contains(waits)
    })
    .await;

    // Both web processes answer whatever is asked, by those who work and by those who look.
    for address in cluster.addresses.clone() {
        for (method, path) in [
            (Method::POST, format!("jobs/{job}/tasks/")),
            (Method::GET, "jobs?ids_only=1&incomplete_only=1".to_owned()),
            (Method::GET, format!("jobs/{job}/")),
            (Method::GET, format!("jobs/{job}/queue/")),
        ] {
            let url = format!("http://{address}/api/v2/{path}");
            let call = cluster.http.request(method.clone(), url);
            let call = call.header("Authorization", format!("Token {}", cluster.token));
            let call = match method {
                Method::POST => call.json(&json!({"batch_size": HELD})),
                _ => call,
            };
            let answer = call.send().await.unwrap();
            let status = answer.status();
            let text = answer.text().await.unwrap();
            assert_eq!(status, 200, "{path}: {text}");
            if method == Method::POST {
                assert_eq!(text, r#"{"tasks":[]}"#, "nothing can be handed out");
            }
        }
    }
    tokio::time::sleep(size.down).await;
    cluster.must_live();
    assert_eq!(cluster.saved().await, saved);

    cluster.nats.start_again().await;
    for job in cluster.jobs.clone() {
        let ends = |shown: &Value| shown["status"] == JobState::Success.code();
        until(&cluster, job.id, ends).await;
    }
    books::agree(&cluster).await;
    let faults = cluster.told("a server answered with a fault");
    let unanswered = cluster.told("a server did not answer");
    assert_eq!((faults, unanswered), (0, 0));
}

/// Takes some images of the job.
async fn held(cluster: &Cluster, job: i64) -> Vec<Value> {
    let path = format!("jobs/{job}/tasks/");
    for _ in 0..1200 {
        let body = json!({"batch_size": HELD});
        let tasks = cluster.must(Method::POST, &path, Some(body)).await;
        let tasks = tasks["tasks"].as_array().unwrap();
        if !tasks.is_empty() {
            return tasks.clone();
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("job {job} hands out nothing");
}

/// What is posted for a task: a moth that fits into these photographs.
fn found(task: &Value) -> Value {
    let mut result = good(task);
    result["result"]["detections"][0]["bbox"]["y2"] = json!(40.0);
    result
}

/// Waits until a job shows this.
async fn until(cluster: &Cluster, job: i64, there: impl Fn(&Value) -> bool) {
    let mut shown = Value::Null;
    for _ in 0..2400 {
        let path = format!("jobs/{job}/");
        shown = cluster.must(Method::GET, &path, None).await;
        if there(&shown) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("job {job}: {shown}");
}
