//! `/metrics`: what is exposed is what the one list names, and so is what the documents say.

use std::collections::BTreeMap;

use domain::metric::{self, Kind};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use store::testing;

use super::server::{Server, told};
use crate::chaos::process::{free_port, listens};

/// The kinds of the metrics in a text of Prometheus, by their names.
fn kinds(text: &str) -> BTreeMap<&str, &str> {
    let lines = text.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    lines.map(|line| line.split_once(' ').unwrap()).collect()
}

/// The value of a line that begins so.
fn value(text: &str, begins: &str) -> f64 {
    let line = text.lines().find(|line| line.starts_with(begins));
    let line = line.unwrap_or_else(|| panic!("{begins} is not in {text}"));
    line.rsplit(' ').next().unwrap().parse().unwrap()
}

/// Has the ends of the project's jobs told at an address where nobody listens, and tries it out.
async fn tell_nobody(server: &Server, job: i64) {
    let project = server.store.job(job).await.unwrap().project_id;
    let path = "/api/v2/webhooks/";
    let hook = json!({"name": "Nobody", "project": project, "target": "http://127.0.0.1:1/"});
    let (status, text) = told(server.call(Method::POST, path).json(&hook)).await;
    assert_eq!(status, StatusCode::CREATED, "{text}");
    let made: Value = serde_json::from_str(&text).unwrap();
    let test = format!("{path}{}/test/", made["id"]);
    let (status, text) = told(server.call(Method::POST, &test)).await;
    assert_eq!(status, StatusCode::OK, "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_exposed_is_what_the_list_names() {
    for fresh in testing::fresh().await {
        let server = Server::start(&fresh, &["--max-body-mib", "1"]).await;
        let metrics = format!("{}/metrics", server.url);
        let job = server.job(20, None).await;
        tell_nobody(&server, job).await;
        // Somebody takes two images and is never heard of again.
        let lost = server.call(Method::POST, &format!("/api/v2/jobs/{job}/tasks/"));
        let lost = lost.json(&serde_json::json!({"batch_size": 2}));
        for _ in 0..200 {
            let call = lost.try_clone().unwrap();
            if told(call).await.1.contains("reply_subject") {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        let (_, text) = server.told(&metrics).await;
        assert_eq!(
            value(&text, "hawkmoth_tasks{state=\"leased\"}"),
            2.0,
            "{text}"
        );
        assert_eq!(
            value(&text, "hawkmoth_tasks{state=\"waiting\"}"),
            18.0,
            "{text}"
        );
        let running = "hawkmoth_jobs{kind=\"ml\",state=\"STARTED\"}";
        assert_eq!(value(&text, running), 1.0, "{text}");
        let cancel = server.call(Method::POST, &format!("/api/v2/jobs/{job}/cancel/"));
        assert_eq!(told(cancel).await.0, StatusCode::OK);

        let second = server.call(Method::POST, &format!("/api/v2/jobs/{job}/run/"));
        assert_eq!(told(second).await.0, StatusCode::OK);
        server.worked(job).await;
        let large = server
            .call(Method::POST, "/api/v2/jobs/")
            .body(vec![b' '; 2 << 20]);
        assert_eq!(told(large).await.0, StatusCode::PAYLOAD_TOO_LARGE);
        // What was counted holds for some seconds.
        tokio::time::sleep(std::time::Duration::from_secs(6)).await;
        let (status, text) = server.told(&metrics).await;
        assert_eq!(status, StatusCode::OK);
        let word = |kind| match kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram(_) => "histogram",
        };
        let list = metric::ALL.iter().map(|m| (m.name, word(m.kind)));
        assert_eq!(kinds(&text), list.collect::<BTreeMap<_, _>>(), "{text}");
        for (begins, expected) in [
            ("hawkmoth_images_saved_total{outcome=\"done\"}", 20.0),
            ("hawkmoth_tasks_leased_total ", 22.0),
            (
                "hawkmoth_jobs_ended_total{kind=\"ml\",state=\"SUCCESS\"}",
                1.0,
            ),
            (
                "hawkmoth_jobs_ended_total{kind=\"ml\",state=\"REVOKED\"}",
                1.0,
            ),
            ("hawkmoth_job_run_seconds_count{kind=\"ml\"}", 2.0),
            ("hawkmoth_job_wait_seconds_count{kind=\"ml\"}", 2.0),
            ("hawkmoth_http_refused_total{reason=\"large\"}", 1.0),
            (running, 0.0),
            // The test is given up at once, both ends of the job are tried for hours.
            (
                "hawkmoth_deliveries_total{kind=\"webhook\",outcome=\"failed\"}",
                1.0,
            ),
            ("hawkmoth_deliveries_waiting ", 2.0),
            ("hawkmoth_oldest_waiting_task_seconds ", 0.0),
        ] {
            assert_eq!(value(&text, begins), expected, "{begins}: {text}");
        }
        let route = "hawkmoth_http_requests_total{method=\"POST\",route=\"/api/v2/jobs/{id}/result\",status=\"200\"}";
        assert!(value(&text, route) >= 5.0, "{text}");
        assert!(value(&text, "hawkmoth_save_seconds_count ") >= 1.0);
        assert!(value(&text, "hawkmoth_process_resident_memory_bytes ") > 1e6);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn metrics_are_told_to_those_who_have_access() {
    let fresh = testing::fresh_sqlite().await;
    let server = Server::start(&fresh, &[]).await;
    let metrics = format!("{}/metrics", server.url);
    assert_eq!(server.told(&metrics).await.0, StatusCode::OK);
    for header in ["X-Forwarded-For", "Forwarded", "X-Real-IP", "Via"] {
        let proxied = server.http.get(&metrics).header(header, "127.0.0.1");
        let (status, text) = told(proxied).await;
        assert_eq!(
            (status, text.as_str()),
            (StatusCode::NOT_FOUND, "{\"detail\":\"Not found.\"}")
        );
    }

    let fresh = testing::fresh_sqlite().await;
    let address = free_port();
    let server = Server::start(&fresh, &["--ops-address", &address]).await;
    listens(&address).await;
    assert_eq!(
        server.told(&format!("{}/metrics", server.url)).await.0,
        StatusCode::NOT_FOUND
    );
    assert_eq!(
        server.told(&format!("http://{address}/metrics")).await.0,
        StatusCode::OK
    );
    assert_eq!(
        server.told(&format!("{}/readyz", server.url)).await.0,
        StatusCode::OK
    );

    let fresh = testing::fresh_sqlite().await;
    let server = Server::start(&fresh, &["--metrics-token", "s3cret"]).await;
    let metrics = format!("{}/metrics", server.url);
    for (shown, status) in [
        (None, StatusCode::NOT_FOUND),
        (Some("Bearer wrong"), StatusCode::NOT_FOUND),
        (Some("Token s3cret"), StatusCode::NOT_FOUND),
        (Some("Bearer s3cret"), StatusCode::OK),
    ] {
        let mut call = server.http.get(&metrics);
        if let Some(shown) = shown {
            call = call.header("Authorization", shown);
        }
        assert_eq!(told(call).await.0, status, "{shown:?}");
    }
}

#[test]
fn the_documents_name_every_metric() {
    let row = |metric: &metric::Metric| {
        let kind = match metric.kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram(_) => "histogram",
        };
        let labels: Vec<String> = metric.labels.iter().map(|l| format!("`{l}`")).collect();
        let (name, about) = (metric.name, metric.about);
        format!("| `{name}` | {kind} | {} | {about} |", labels.join(", "))
    };
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/operations.md");
    let document = std::fs::read_to_string(file).unwrap();
    let written = document
        .lines()
        .filter(|line| line.starts_with("| `hawkmoth_"));
    let expected: Vec<String> = metric::ALL.iter().map(row).collect();
    let written: Vec<&str> = written.collect();
    assert_eq!(written, expected, "it should be:\n{}", expected.join("\n"));
}
