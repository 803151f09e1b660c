//! Occurrences for tests: a pipeline whose service finds two insects on each capture, run by a
//! real job.

use axum::routing::{get, post};
use axum::{Json, Router};
use domain::job::DispatchMode;
use serde_json::{Value, json};
use store::job::NewJob;
use store::project::Project;
use store::station::Station;

use crate::app::TestApp;

/// What was found.
pub struct Insects {
    pub station: Station,
    /// In the order in which they were taken.
    pub captures: Vec<i64>,
}

fn classifier() -> Value {
    json!({"name": "Classifier", "key": "classifier"})
}

fn offer() -> Value {
    let map = json!({
        "data": [
            {"index": 0, "label": "Vanessa itea", "taxon_rank": "SPECIES"},
            {"index": 1, "label": "Moth", "taxon_rank": "SUPERFAMILY"},
        ],
        "labels": ["Vanessa itea", "Moth"],
    });
    json!({"name": "Service", "pipelines": [{
        "name": "Insects", "slug": "insects", "version": 1,
        "algorithms": [
            {"name": "Detector", "key": "detector", "task_type": "detection"},
            {"name": "Classifier", "key": "classifier", "task_type": "classification",
             "category_map": map},
        ],
    }]})
}

/// One insect for sure, the other hardly.
fn found(image: &Value) -> Vec<Value> {
    let one = |x: f64, label: &str, scores: [f64; 2]| {
        json!({
            "source_image_id": image["id"],
            "bbox": {"x1": x, "y1": 1.0, "x2": x + 5.0, "y2": 6.0},
            "algorithm": {"name": "Detector", "key": "detector"},
            "timestamp": "2026-11-23T10:00:00",
            "classifications": [{
                "classification": label, "scores": scores, "algorithm": classifier(),
                "timestamp": "2026-11-23T10:00:00",
            }],
        })
    };
    vec![
        one(0.0, "Vanessa itea", [0.9, 0.1]),
        one(9.0, "Moth", [0.2, 0.3]),
    ]
}

async fn process(Json(body): Json<Value>) -> Json<Value> {
    let images = body["source_images"].as_array().unwrap();
    let detections: Vec<Value> = images.iter().flat_map(found).collect();
    Json(json!({
        "pipeline": body["pipeline"], "total_time": 0.5,
        "source_images": images, "detections": detections,
    }))
}

async fn service() -> String {
    let ready = || async { Json(json!({"status": ["insects"]})) };
    let router = Router::new()
        .route("/readyz", get(ready))
        .route("/process", post(process));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}")
}

impl TestApp {
    /// Three captures of one night, half an hour apart, with two insects on each.
    pub async fn insects(&self, project: &Project) -> Insects {
        let endpoint = service().await;
        let store = &self.store;
        let service = store
            .put_service(project.id, "PS", "", Some(&endpoint))
            .await
            .unwrap();
        let offer: domain::wire::ProcessingServiceInfoResponse =
            serde_json::from_value(offer()).unwrap();
        let projects = [project.id];
        let made = store.register_pipelines(service.id, &projects, &offer.pipelines);
        made.await.unwrap();
        let station = self.station(project).await;
        let mut captures = Vec::new();
        for name in [
            "20250601220000.jpg",
            "20250601223000.jpg",
            "20250601230000.jpg",
        ] {
            captures.push(self.capture(&station, name, b"x").await);
        }
        let gap = chrono::Duration::hours(2);
        store.regroup(station.id, gap, |_| {}).await.unwrap();
        let pipeline = store.pipeline_by_slug("insects").await.unwrap().unwrap();
        let new = NewJob {
            name: "Find".to_owned(),
            project_id: project.id,
            kind: domain::job::ML,
            station_id: Some(station.id),
            pipeline_id: Some(pipeline.id),
            dispatch_mode: Some(DispatchMode::SyncApi),
            start_now: true,
            ..Default::default()
        };
        let job = store.create_job(new).await.unwrap();
        self.work();
        let job = self.ended(job.id).await;
        assert_eq!(job.state, "SUCCESS");
        Insects { station, captures }
    }
}
