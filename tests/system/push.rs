//! Push jobs from outside: what failed is listed with the reason, and done again alone.

use std::sync::{Arc, Mutex};

use axum::routing::{get, post};
use axum::{Json, Router};
use domain::state::JobState;
use serde_json::{Value, json};
use store::testing;

use crate::app::{TestApp, png};

/// A service that fails for this image the first time, and says which images it was asked for.
async fn service(bad: i64, asked: Arc<Mutex<Vec<String>>>) -> String {
    let ready = || async { Json(json!({"status": ["pushed"]})) };
    let process = move |Json(body): Json<Value>| async move {
        let image = body["source_images"][0].clone();
        let id = image["id"].as_str().unwrap().to_owned();
        let mut asked = asked.lock().unwrap();
        let first = !asked.contains(&id);
        asked.push(id.clone());
        if first && id == bad.to_string() {
            let why = json!({"detail": "cannot open the image"});
            return (axum::http::StatusCode::UNPROCESSABLE_ENTITY, Json(why));
        }
        let answer = json!({
            "pipeline": "pushed", "total_time": 0.1, "source_images": [image], "detections": [],
        });
        (axum::http::StatusCode::OK, Json(answer))
    };
    let routes = Router::new()
        .route("/below/readyz", get(ready))
        .route("/below/process", post(process));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/below", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, routes).await });
    url
}

#[tokio::test]
async fn what_failed_is_listed_and_done_again_alone() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        let project = app.project("Moths", false).await;
        let station = app.station(&project).await;
        let mut captures = Vec::new();
        for name in ["a.png", "b.png", "c.png"] {
            captures.push(app.capture(&station, name, &png()).await);
        }
        let asked = Arc::new(Mutex::new(Vec::new()));
        let url = service(captures[1], asked.clone()).await;
        let store = &app.store;
        store
            .set_flag(project.id, "async_pipeline_workers", false)
            .await
            .unwrap();
        let row = store
            .put_service(project.id, "Pushed", "", Some(&url))
            .await
            .unwrap();
        let offered = serde_json::from_value(json!({
            "name": "Pushed", "slug": "pushed", "version": 1, "algorithms": [
                {"name": "Boxes", "key": "boxes", "task_type": "detection"}],
        }));
        let offered = [offered.unwrap()];
        store
            .register_pipelines(row.id, &[project.id], &offered)
            .await
            .unwrap();
        let pipeline = store.pipeline_by_slug("pushed").await.unwrap().unwrap().id;
        app.work();

        let user = app.superuser().await;
        let body = json!({
            "name": "Push", "delay": 0, "project_id": project.id, "pipeline_id": pipeline,
            "deployment_id": station.id,
        });
        let made = user.post("/api/v2/jobs/?start_now=1", body).await.json();
        assert_eq!(made["dispatch_mode"], "sync_api");
        let id = made["id"].as_i64().unwrap();
        assert_eq!(app.ended(id).await.job_state(), JobState::Success);
        let one = format!("/api/v2/jobs/{id}/");
        let failures = user.get(&format!("{one}failures/")).await.json();
        assert_eq!(failures["count"], 1, "{failures}");
        let failure = &failures["results"][0];
        assert_eq!(failure["capture"]["id"], captures[1]);
        assert_eq!(failure["reason"], "Pushed: HTTP 422: cannot open the image");
        assert_eq!(failure["deliveries"], 1);
        let log = user.get(&format!("{one}logs/?level=ERROR")).await.json();
        let line = log["results"][0]["message"].as_str().unwrap();
        assert!(line.contains("cannot open the image"), "{line}");

        let retried = user
            .post(&format!("{one}retry/?failed_only=1"), json!({}))
            .await;
        assert_eq!(retried.status, 200, "{}", retried.text);
        assert_eq!(app.ended(id).await.job_state(), JobState::Success);
        assert_eq!(
            user.get(&format!("{one}failures/")).await.json()["count"],
            0
        );
        let times = |capture: i64| {
            let asked = asked.lock().unwrap();
            asked
                .iter()
                .filter(|id| **id == capture.to_string())
                .count()
        };
        assert_eq!(
            [times(captures[0]), times(captures[1]), times(captures[2])],
            [1, 2, 1]
        );
    }
}
