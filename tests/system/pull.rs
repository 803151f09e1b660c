//! Pull jobs from outside: what remote workers ask and post, and what they break.

pub mod client;
mod drain;
mod extend;
mod fair;
mod register;
mod results;
mod stream;
mod tasks;

use domain::permission::Role;
use serde_json::{Value, json};
use store::capture::NewCapture;
use store::project::Project;
use store::station::Station;
use store::testing::Fresh;

use crate::app::{Answer, Client, TestApp};

/// A project with captures and a registered pipeline, and a server that runs jobs.
pub struct Farm {
    pub app: TestApp,
    pub project: Project,
    pub station: Station,
    pub pipeline: i64,
}

/// The body with which the pipeline of these tests is registered.
pub fn registration(slug: &str) -> Value {
    json!({
        "processing_service_name": "Test worker (host)",
        "pipelines": [{
            "name": format!("Pipeline {slug}"), "slug": slug, "version": 1,
            "description": "for tests",
            "algorithms": [
                {"name": "Boxes", "key": "boxes", "task_type": "localization",
                 "category_map": {"data": [], "labels": []}},
                {"name": "Names", "key": "names", "task_type": "classification", "version": 2,
                 "category_map": {"data": [{"index": 0, "label": "Vanessa atalanta"},
                                           {"index": 1, "label": "Vanessa cardui"}],
                                  "labels": ["Vanessa atalanta", "Vanessa cardui"]}},
            ],
        }],
    })
}

impl Farm {
    /// A farm of so many captures; jobs run.
    pub async fn new(fresh: &Fresh, captures: usize) -> Farm {
        let farm = Farm::idle(fresh, captures).await;
        farm.app.work();
        farm
    }

    /// A farm of so many captures where no job runs yet.
    pub async fn idle(fresh: &Fresh, captures: usize) -> Farm {
        let app = TestApp::start(fresh).await;
        let project = app.project("Moths", false).await;
        let station = app.station(&project).await;
        let names: Vec<NewCapture> = (0..captures)
            .map(|i| NewCapture {
                path: format!("{i:05}.jpg"),
                width: Some(200),
                height: Some(100),
                ..Default::default()
            })
            .collect();
        for name in &names {
            let file = app.folder.path().join("photographs").join(&name.path);
            std::fs::write(file, b"a photograph").unwrap();
        }
        app.store.upsert_captures(&station, &names).await.unwrap();
        let user = app.superuser().await;
        let path = format!("/api/v2/projects/{}/pipelines/", project.id);
        let made = user.post(&path, registration("test")).await;
        assert_eq!(made.status, 201, "{}", made.text);
        let pipeline = app.store.pipeline_by_slug("test").await.unwrap();
        Farm {
            project,
            station,
            pipeline: pipeline.unwrap().id,
            app,
        }
    }

    /// A machine of the project.
    pub async fn worker(&self) -> Client<'_> {
        self.app.member(&self.project, Some(Role::Worker)).await
    }

    /// Starts a job over all captures, or over so many of them, and waits until it hands out.
    pub async fn job(&self, limit: Option<i32>) -> i64 {
        let id = self.start(json!({"limit": limit})).await;
        for _ in 0..400 {
            let job = self.app.store.job(id).await.unwrap();
            if job.total.is_some() && job.owner.is_none() {
                return id;
            }
            tokio::time::sleep(std::time::Duration::from_millis(25)).await;
        }
        panic!("job {id} is not fed");
    }

    /// Makes and starts a job with these fields besides the usual ones.
    pub async fn start(&self, fields: Value) -> i64 {
        let mut body = json!({
            "name": "Pull", "delay": 0, "shuffle": false, "project_id": self.project.id,
            "pipeline_id": self.pipeline, "deployment_id": self.station.id,
        });
        for (key, value) in fields.as_object().unwrap() {
            if !value.is_null() {
                body[key] = value.clone();
            }
        }
        let user = self.app.superuser().await;
        let made = user.post("/api/v2/jobs/?start_now=1", body).await;
        assert_eq!(made.status, 201, "{}", made.text);
        assert_eq!(made.json()["dispatch_mode"], "async_api");
        made.json()["id"].as_i64().unwrap()
    }

    /// Sets the project's own settings of the pipeline.
    pub async fn configure(&self, config: Value) {
        let config = config.as_object().unwrap().clone();
        self.app
            .store
            .configure_pipeline(self.project.id, self.pipeline, config)
            .await
            .unwrap();
    }

    /// Values of the process and results stages: processed, remaining, failed, captures,
    /// detections, classifications.
    pub async fn counts(&self, job: i64) -> Vec<Value> {
        let user = self.app.superuser().await;
        let shown = user.get(&format!("/api/v2/jobs/{job}/")).await.json();
        let stages = shown["progress"]["stages"].as_array().unwrap();
        let params = stages[1..]
            .iter()
            .flat_map(|s| s["params"].as_array().unwrap());
        params.map(|p| p["value"].clone()).collect()
    }
}

/// Leases so many images; asserts that it works.
pub async fn fetch(worker: &Client<'_>, job: i64, size: usize) -> Vec<Value> {
    let path = format!("/api/v2/jobs/{job}/tasks/");
    let answer = worker.post(&path, json!({"batch_size": size})).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()["tasks"].as_array().unwrap().clone()
}

pub async fn post(worker: &Client<'_>, job: i64, results: Vec<Value>) -> Answer {
    let path = format!("/api/v2/jobs/{job}/result/");
    worker.post(&path, json!({"results": results})).await
}

/// What a worker posts for a task in which it found one moth.
pub fn good(task: &Value) -> Value {
    let detection = json!({
        "source_image_id": task["image_id"],
        "bbox": {"x1": 10.0, "y1": 10.0, "x2": 50.0, "y2": 60.0},
        "inference_time": 0.0, "crop_image_url": null,
        "algorithm": {"name": "Boxes", "key": "boxes"},
        "timestamp": "2026-11-23T13:25:56.288728",
        "classifications": [{
            "classification": "Vanessa atalanta", "labels": null,
            "scores": [0.9, 0.1], "logits": [2.2, 0.0], "inference_time": null,
            "algorithm": {"name": "Names", "key": "names"}, "terminal": true,
            "timestamp": "2026-11-23T13:25:56.288728",
        }],
    });
    success(task, json!([detection]))
}

pub fn success(task: &Value, detections: Value) -> Value {
    json!({
        "reply_subject": task["reply_subject"],
        "result": {
            "pipeline": "test", "algorithms": {}, "total_time": 0.1,
            "source_images": [{"id": task["image_id"], "url": task["image_url"]}],
            "detections": detections,
            "config": {"example_config_param": null},
        },
    })
}

pub fn bad(task: &Value, why: &str) -> Value {
    json!({
        "reply_subject": task["reply_subject"],
        "result": {"error": why, "image_id": task["image_id"]},
    })
}
