//! The page that this project began with: "Job Instance" of a job of a project, a capture set and
//! a pipeline, read by a stranger. Its JSON has exactly these keys, types and formats, and its
//! page this title, prose, actions and links.

use serde_json::{Value, json};
use store::job::NewJob;
use store::testing;

use crate::app::TestApp;

/// Whether a text looks like a pattern: `9` stands for a digit, anything else for itself.
fn looks(text: &str, pattern: &str) -> bool {
    let same = |(c, p): (char, char)| if p == '9' { c.is_ascii_digit() } else { c == p };
    text.chars().count() == pattern.chars().count() && text.chars().zip(pattern.chars()).all(same)
}

fn is_seconds(text: &str) -> bool {
    text.split_once('.').is_some_and(|(whole, part)| {
        let digits = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_digit());
        digits(whole) && digits(part) && part.len() <= 6
    })
}

/// A value with what differs from run to run named by its type and format.
fn shape(value: &Value, app: &TestApp) -> Value {
    match value {
        Value::Object(map) => {
            let pairs = map
                .iter()
                .map(|(key, value)| (key.clone(), shape(value, app)));
            pairs.collect()
        }
        Value::Array(list) => list.iter().map(|value| shape(value, app)).collect(),
        Value::Number(number) if number.is_f64() => json!("<float>"),
        Value::Number(_) => json!("<int>"),
        Value::String(text) if looks(text, "9999-99-99T99:99:99.999999") => json!("<time>"),
        Value::String(text) if is_seconds(text) => json!("<seconds>"),
        Value::String(text) if text.starts_with(&app.url) => {
            let path = text.replace(&app.url, "");
            json!(
                path.replace(|c: char| c.is_ascii_digit(), "")
                    .replace("/api/v/", "/api/v2/")
            )
        }
        Value::String(text) if text.starts_with('[') => {
            let (stamp, rest) = text.split_at(21);
            assert!(looks(stamp, "[9999-99-99 99:99:99]"), "{text}");
            let level = rest.split_whitespace().next().unwrap();
            json!(format!("<stamp> {level} <message>"))
        }
        other => other.clone(),
    }
}

/// A finished job like the one on the page.
async fn job(app: &TestApp) -> i64 {
    let project = app.project("Vermont Atlas of Life", false).await;
    let service = app
        .store
        .put_service(project.id, "Service", "", Some("http://127.0.0.1:1/"));
    let service = service.await.unwrap();
    let config = serde_json::from_value(json!({
        "name": "Random Pipeline", "slug": "random", "version": 1, "description": "Draws lots.",
        "algorithms": [{"name": "Boxes", "key": "boxes", "task_type": "detection"}],
    }));
    let (projects, configs) = ([project.id], [config.unwrap()]);
    let registered = app
        .store
        .register_pipelines(service.id, &projects, &configs);
    registered.await.unwrap();
    let pipeline = app.store.pipeline_by_slug("random").await.unwrap().unwrap();
    let set = app
        .store
        .capture_set_by_name(project.id, "All Images")
        .await
        .unwrap()
        .unwrap();
    let new = NewJob {
        name: "Capture images".to_owned(),
        project_id: project.id,
        kind: domain::job::POPULATE,
        shuffle: true,
        capture_set_id: Some(set.id),
        pipeline_id: Some(pipeline.id),
        start_now: true,
        ..Default::default()
    };
    let id = app.store.create_job(new).await.unwrap().id;
    app.work();
    assert_eq!(app.ended(id).await.state, "SUCCESS");
    id
}

#[tokio::test]
async fn its_json_has_these_keys_types_and_formats() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        let id = job(&app).await;
        let path = format!("/api/v2/jobs/{id}/?format=json");
        let mut body = app.anonymous().get(&path).await.json();
        let lines = body["logs"]["stdout"].as_array_mut().unwrap();
        assert!(!lines.is_empty());
        lines.truncate(1);
        let expected = json!({
            "id": "<int>",
            "details": "/api/v2/jobs//?format=json",
            "name": "Capture images",
            "delay": "<int>",
            "limit": null,
            "shuffle": true,
            "project": {
                "id": "<int>", "name": "Vermont Atlas of Life",
                "details": "/api/v2/projects//?format=json", "user_permissions": [],
            },
            "deployment": null,
            "source_image_collection": {
                "id": "<int>", "name": "All Images",
                "details": "/api/v2/captures/collections//?format=json",
                "method": "full", "user_permissions": [],
            },
            "source_image_single": null,
            "pipeline": {
                "id": "<int>", "details": "/api/v2/ml/pipelines//?format=json",
                "name": "Random Pipeline", "slug": "random", "description": "Draws lots.",
                "version": "<int>", "version_name": "", "created_at": "<time>",
                "updated_at": "<time>", "user_permissions": [],
            },
            "status": "SUCCESS",
            "created_at": "<time>",
            "updated_at": "<time>",
            "started_at": "<time>",
            "finished_at": "<time>",
            "duration": "<seconds>",
            "progress": {
                "summary": {"status": "SUCCESS", "progress": "<float>"},
                "stages": [{
                    "status": "SUCCESS", "progress": "<float>",
                    "key": "populate_captures_collection", "name": "Populate capture set",
                    "params": [{
                        "name": "Captures added", "key": "captures_added", "category": "default",
                        "value": "<int>",
                    }],
                }],
                "errors": [],
                "logs": [],
            },
            "logs": {"stdout": ["<stamp> INFO <message>"], "stderr": []},
            "job_type": {"name": "Populate capture set", "key": "populate_captures_collection"},
            "data_export": null,
            "dispatch_mode": "internal",
            "result": null,
            "user_permissions": [],
        });
        let text = |value: &Value| serde_json::to_string_pretty(value).unwrap();
        assert_eq!(text(&shape(&body, &app)), text(&expected));
    }
}

#[tokio::test]
async fn its_page_has_this_title_prose_actions_and_links() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        let id = job(&app).await;
        let path = format!("/api/v2/jobs/{id}/?format=api");
        let page = app.anonymous().get(&path).await.text;
        let body = app
            .anonymous()
            .get(&path.replace("=api", "=json"))
            .await
            .json();
        for words in [
            "<title>Job Instance – ",
            "<h1>Job Instance</h1>",
            "Jobs can be viewed, made and edited here.",
            "<code>start_now</code>",
            "<code>delay</code>",
            "<h2>Actions</h2>",
            "<code>/jobs/{id}/run/</code> (<code>POST</code>)",
            "<code>/jobs/{id}/cancel/</code> (<code>POST</code>)",
            "HTTP 200 OK",
            "<b>Allow:</b> GET, PUT, PATCH, DELETE, HEAD, OPTIONS",
            "<b>Content-Type:</b> application/json",
            "<b>Vary:</b> Accept\n",
        ] {
            assert!(page.contains(words), "{words} is missing from {page}");
        }
        assert!(page.contains(&format!("<code><b>GET</b> {path}</code>")));
        for action in ["cancel", "retry", "run"] {
            let link = format!("<a href=\"/api/v2/jobs/{id}/{action}/\">{action}</a>");
            assert!(page.contains(&link), "{link}");
        }
        for crumb in ["/api/v2/?format=api", "/api/v2/jobs/?format=api", &path] {
            assert!(page.contains(&format!("<a href=\"{crumb}\"")), "{crumb}");
        }
        let details = [
            &body["details"],
            &body["project"]["details"],
            &body["source_image_collection"]["details"],
            &body["pipeline"]["details"],
        ];
        for address in details {
            let address = address.as_str().unwrap().replace("=json", "=api");
            let link = format!("<a href=\"{address}\" rel=\"nofollow\">{address}</a>");
            assert!(page.contains(&link), "{link}");
        }
    }
}
