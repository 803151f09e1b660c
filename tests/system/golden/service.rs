//! The push service of the recording, answering again. The idea: what it offers stands in the
//! recording of a registration, and what it makes of an image is what the figures of the recorded
//! jobs say: one box, judged by each classifier of the pipeline.

use std::path::Path;

use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};

/// The address that the recorded service had.
pub const ADDRESS: &str = "http://127.0.0.1:2005";

/// A service that answers until the test ends.
pub struct Service {
    /// Where it answers.
    pub address: String,
}

impl Service {
    pub async fn start(root: &Path) -> Service {
        let pipelines = offered(root);
        let slugs: Vec<Value> = pipelines.iter().map(|p| p["slug"].clone()).collect();
        let info = json!({
            "name": "Recorded service", "description": "", "pipelines": pipelines,
            "algorithms": [],
        });
        let ready = json!({"status": slugs});
        let router = Router::new()
            .route("/readyz", get(|| async move { Json(ready) }))
            .route("/info", get(|| async move { Json(info) }))
            .route(
                "/process",
                post(
                    |Json(request): Json<Value>| async move { Json(process(&request, &pipelines)) },
                ),
            );
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Service { address }
    }
}

/// The pipelines of the recorded registration.
fn offered(root: &Path) -> Vec<Value> {
    let file = root.join("processing-services/020-register-pipelines.json");
    let text = std::fs::read_to_string(&file).unwrap_or_else(|e| panic!("{file:?}: {e}"));
    let whole: Value = serde_json::from_str(&text).unwrap();
    whole["response"]["body"]["pipelines"]
        .as_array()
        .unwrap()
        .clone()
}

fn process(request: &Value, pipelines: &[Value]) -> Value {
    let pipeline = pipelines.iter().find(|p| p["slug"] == request["pipeline"]);
    let algorithms = pipeline.and_then(|p| p["algorithms"].as_array().cloned());
    let algorithms = algorithms.unwrap_or_default();
    let of_task = |task: &str| {
        let wanted = algorithms.iter().filter(|a| a["task_type"] == task);
        wanted.cloned().collect::<Vec<_>>()
    };
    let (finders, judges) = (of_task("detection"), of_task("classification"));
    let name = |algorithm: &Value| json!({"name": algorithm["name"], "key": algorithm["key"]});
    let time = "2026-11-23T13:24:50.000000";
    let judged = judges.iter().enumerate().map(|(n, judge)| {
        let labels = judge["category_map"]["labels"].as_array().unwrap();
        let mut scores = vec![0.0; labels.len()];
        scores[0] = 1.0;
        json!({
            "classification": labels[0], "scores": scores, "algorithm": name(judge),
            "terminal": n + 1 == judges.len(), "timestamp": time,
        })
    });
    let judged: Vec<Value> = judged.collect();
    let images = request["source_images"].as_array().unwrap();
    let detections = images.iter().map(|image| {
        json!({
            "source_image_id": image["id"],
            "bbox": {"x1": 10.0, "y1": 10.0, "x2": 60.0, "y2": 60.0},
            "algorithm": name(&finders[0]), "timestamp": time, "inference_time": 0.01,
            "classifications": judged,
        })
    });
    json!({
        "pipeline": request["pipeline"], "algorithms": {}, "total_time": 0.1,
        "source_images": images, "detections": detections.collect::<Vec<_>>(), "errors": null,
    })
}
