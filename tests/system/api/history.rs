//! What is told of a job's past: its timeline, its whole log, and the trace of each line.

use domain::permission::Role;
use reqwest::Method;
use serde_json::{Value, json};
use store::log::Level;
use store::testing;

use crate::app::{Client, TestApp};

async fn timeline(client: &Client<'_>, id: i64) -> Vec<(String, String, Value, Value)> {
    let answer = client
        .get(&format!("/api/v2/jobs/{id}/timeline/?limit=100"))
        .await;
    let answer = answer.json();
    let rows = answer["results"].as_array().unwrap();
    assert_eq!(answer["count"], rows.len());
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let row = |row: &Value| {
        assert!(row["created_at"].is_string());
        let name = row["user"].get("name").cloned().unwrap_or_default();
        (
            text(&row["event"]),
            text(&row["status"]),
            name,
            row["detail"].clone(),
        )
    };
    rows.iter().map(row).collect()
}

#[tokio::test]
async fn the_timeline_tells_what_happened_and_who_asked_for_it() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        let project = app.project("Moths", false).await;
        let ann = app.member(&project, Some(Role::ProjectManager)).await;
        let body = json!({"name": "Job", "project_id": project.id, "delay": 1});
        let made = ann.post("/api/v2/jobs/", body).await.json();
        let id = made["id"].as_i64().unwrap();
        let path = format!("/api/v2/jobs/{id}/");
        let act = async |act: &str| {
            let answer = ann.post(&format!("{path}{act}/"), json!({})).await;
            assert_eq!(answer.status, 200, "{}", answer.text);
        };
        let change = json!({"name": "Another", "limit": 3}).to_string();
        ann.send(Method::PATCH, &path, Some(change)).await;
        ann.send(Method::PATCH, &path, Some("{}".to_owned())).await;
        act("run").await;
        act("cancel").await;
        act("retry").await;
        app.work();
        app.ended(id).await;
        let rows = timeline(&app.anonymous(), id).await;
        let short: Vec<(&str, &str, &str)> = rows
            .iter()
            .map(|(what, state, name, _)| {
                (
                    what.as_str(),
                    state.as_str(),
                    name.as_str().unwrap_or_default(),
                )
            })
            .collect();
        assert_eq!(
            short,
            [
                ("created", "CREATED", "Test"),
                ("edited", "CREATED", "Test"),
                ("queued", "PENDING", "Test"),
                ("cancelled", "PENDING", "Test"),
                ("ended", "REVOKED", ""),
                ("retried", "PENDING", "Test"),
                ("started", "STARTED", ""),
                ("ended", "FAILURE", ""),
            ]
        );
        assert_eq!(rows[1].3, "name, limit");
        assert!(rows[6].3.as_str().unwrap().starts_with("runner "));
        let why = "No pipeline specified to process images in ML job";
        assert_eq!(rows[7].3, why);
    }
}

#[tokio::test]
async fn a_whole_log_is_downloaded_oldest_line_first() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        let project = app.project("Moths", false).await;
        let ann = app.superuser().await;
        let body = json!({"name": "Job", "project_id": project.id, "delay": 0});
        let id = ann.post("/api/v2/jobs/", body).await.json()["id"]
            .as_i64()
            .unwrap();
        for piece in 0..5 {
            let lines: Vec<(Level, String)> = (piece * 500..(piece + 1) * 500)
                .map(|i| match i % 100 {
                    0 => (Level::Warning, format!("line {i}.")),
                    _ => (Level::Info, format!("line {i}.")),
                })
                .collect();
            app.store.write_log(id, &lines).await.unwrap();
        }
        let path = format!("/api/v2/jobs/{id}/logs/");
        let all = ann.get(&format!("{path}?download=1")).await;
        assert_eq!(all.headers["content-type"], "text/plain; charset=utf-8");
        let lines: Vec<&str> = all.text.lines().collect();
        assert_eq!(lines.len(), 2500);
        for (i, line) in lines.iter().enumerate() {
            assert!(line.ends_with(&format!("line {i}.")), "{line}");
        }
        let some = ann
            .get(&format!("{path}?download=1&level=WARNING&search=line+1"))
            .await;
        assert_eq!(some.text.lines().count(), 12, "{}", some.text);
        let page = format!("/projects/{}/jobs/{id}/log.txt", project.id);
        assert_eq!(ann.get(&page).await.text, all.text);
    }
}

/// Trace and span of a line, after all else in its link was checked.
fn link(line: &str) -> (String, String) {
    let (_, link) = line.split_once(" NR-LINKING|").unwrap();
    let parts: Vec<&str> = link.split('|').collect();
    assert_eq!(
        (parts[0], parts[1], parts[4], parts[5], parts.len()),
        ("GUID", "host", "Antenna%20%28test%29", "", 6),
        "{line}"
    );
    (parts[2].to_owned(), parts[3].to_owned())
}

#[tokio::test]
async fn lines_are_linked_to_the_trace_of_the_request_that_ran_the_job() {
    let linking = web::Linking::new("GUID", "host", "Antenna (test)");
    for fresh in testing::fresh().await {
        let linking = Some(linking.clone());
        let app = TestApp::start_with(&fresh, |state| state.linked(linking)).await;
        let project = app.project("Moths", false).await;
        let ann = app.superuser().await;
        let body = json!({"name": "Job", "project_id": project.id, "delay": 1});
        let id = ann.post("/api/v2/jobs/", body).await.json()["id"]
            .as_i64()
            .unwrap();
        app.store
            .write_log(id, &[(Level::Info, "Without a trace".to_owned())])
            .await
            .unwrap();
        let path = format!("/api/v2/jobs/{id}/");
        let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
        let parent = format!("00-{trace}-00f067aa0ba902b7-01");
        let run = format!("{path}run/");
        let run = ann
            .post_with(&run, ("traceparent", &parent), &json!({}))
            .await;
        assert_eq!(run.status, 200);
        app.work();
        app.ended(id).await;
        let detail = ann.get(&path).await.json();
        let lines: Vec<&str> = detail["logs"]["stdout"]
            .as_array()
            .unwrap()
            .iter()
            .map(|line| line.as_str().unwrap())
            .collect();
        let (first, traced) = lines.split_last().unwrap();
        assert_eq!(link(first), (String::new(), String::new()));
        assert!(traced.len() > 2, "{lines:?}");
        let mut spans: Vec<String> = Vec::new();
        for line in traced {
            let (found, span) = link(line);
            assert_eq!((found.as_str(), span.len()), (trace, 16), "{line}");
            spans.push(span);
        }
        spans.sort();
        spans.dedup();
        assert!(
            spans.len() > 2,
            "the request, the claim and the run: {spans:?}"
        );
        let text = ann.get(&format!("{path}logs/?download=1")).await.text;
        assert_eq!(text.lines().next(), Some(*first));

        // A request without a trace begins one.
        ann.post(&format!("{path}run/"), json!({})).await;
        let after = app.ended(id).await;
        assert!(
            after
                .trace_id
                .is_some_and(|id| id != trace && id.len() == 32)
        );
    }
}

#[tokio::test]
async fn without_links_no_traces_are_kept() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        let project = app.project("Moths", false).await;
        let ann = app.superuser().await;
        let body = json!({"name": "Job", "project_id": project.id, "delay": 0});
        let path = "/api/v2/jobs/?start_now";
        let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let made = ann
            .post_with(path, ("traceparent", parent), &body)
            .await
            .json();
        app.work();
        let job = app.ended(made["id"].as_i64().unwrap()).await;
        assert_eq!(job.trace_id, None);
        let lines = app.store.job_log(job.id, 100).await.unwrap();
        assert!(lines.len() > 1 && lines.iter().all(|line| line.trace.is_none()));
    }
}
