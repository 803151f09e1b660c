//! A small project to test on: a station with captures, a pipeline with detector and classifier.

use chrono::{NaiveDate, NaiveDateTime};
use domain::job::DispatchMode;
use domain::wire::{DetectionResponse, PipelineConfigResponse};
use serde_json::json;

use crate::Store;
use crate::capture::NewCapture;
use crate::job::{Job, NewJob, life::Fence};
use crate::project::{NewProject, Project};
use crate::station::{NewStation, Station};

pub struct World {
    pub store: Store,
    pub project: Project,
    pub station: Station,
    pub set: i64,
    pub pipeline: i64,
    pub service: i64,
}

/// 2022-08-10 22:00:00 and so many seconds.
pub fn at(seconds: i64) -> NaiveDateTime {
    let day = NaiveDate::from_ymd_opt(2022, 8, 10).unwrap();
    day.and_hms_opt(22, 0, 0).unwrap() + chrono::Duration::seconds(seconds)
}

pub fn capture(path: &str, taken: Option<NaiveDateTime>) -> NewCapture {
    NewCapture {
        path: path.to_owned(),
        taken_at: taken,
        size: Some(1000),
        ..Default::default()
    }
}

pub fn config() -> PipelineConfigResponse {
    serde_json::from_value(json!({
        "name": "Test pipeline", "slug": "test", "version": 1,
        "algorithms": [
            {"name": "Boxes", "key": "boxes", "task_type": "detection"},
            {"name": "Names", "key": "names", "task_type": "classification",
             "category_map": {"data": [
                {"index": 0, "label": "Moth", "taxon_rank": "SUPERFAMILY"},
                {"index": 1, "label": "Other"}], "labels": ["Moth", "Other"]}},
        ],
    }))
    .unwrap()
}

/// A detection at x with the scores of a classification.
pub fn detection(capture: i64, x: f64, scores: [f64; 2]) -> DetectionResponse {
    let label = if scores[0] >= scores[1] {
        "Moth"
    } else {
        "Other"
    };
    serde_json::from_value(json!({
        "source_image_id": capture.to_string(),
        "bbox": {"x1": x, "y1": 10.5, "x2": x + 20.25, "y2": 40.0},
        "algorithm": {"name": "Boxes", "key": "boxes"},
        "timestamp": "2026-11-23T08:17:09.449518",
        "classifications": [{
            "classification": label, "scores": scores, "logits": scores,
            "algorithm": {"name": "Names", "key": "names"},
            "timestamp": "2026-11-23T08:17:09.449518",
        }],
    }))
    .unwrap()
}

impl World {
    pub async fn new(store: &Store, captures: usize) -> World {
        let project = store
            .create_project(NewProject {
                name: "Test".to_owned(),
                ..Default::default()
            })
            .await
            .unwrap();
        let station = store
            .create_station(NewStation {
                project_id: project.id,
                name: "Station".to_owned(),
                ..Default::default()
            })
            .await
            .unwrap();
        let found: Vec<NewCapture> = (0..captures)
            .map(|i| capture(&format!("{i:05}.jpg"), Some(at(i as i64 * 60))))
            .collect();
        store.upsert_captures(&station, &found).await.unwrap();
        let set = store.capture_set_by_name(project.id, "All Images").await;
        let set = set.unwrap().unwrap().id;
        store.populate_full(set).await.unwrap();
        let service = store
            .put_service(project.id, "Service", "", Some("http://127.0.0.1:1/"))
            .await
            .unwrap();
        store
            .register_pipelines(service.id, &[project.id], &[config()])
            .await
            .unwrap();
        let pipeline = store.pipeline_by_slug("test").await.unwrap().unwrap().id;
        World {
            store: store.clone(),
            project,
            station,
            set,
            pipeline,
            service: service.id,
        }
    }

    pub fn new_job(&self) -> NewJob {
        NewJob {
            name: "Job".to_owned(),
            project_id: self.project.id,
            kind: domain::job::ML,
            capture_set_id: Some(self.set),
            pipeline_id: Some(self.pipeline),
            dispatch_mode: Some(DispatchMode::SyncApi),
            start_now: true,
            ..Default::default()
        }
    }

    pub async fn captures(&self) -> Vec<i64> {
        let scope = crate::capture::Scope::Set(self.set);
        self.store
            .capture_ids_after(&scope, i64::MIN, 100_000)
            .await
            .unwrap()
    }

    /// A claimed job.
    pub async fn claimed(&self, new: NewJob) -> (Job, Fence) {
        self.store.create_job(new).await.unwrap();
        self.store.claim_job("runner").await.unwrap().unwrap()
    }

    /// A claimed job whose feed of all captures has ended.
    pub async fn fed(&self) -> (Job, Fence) {
        let (job, fence) = self.claimed(self.new_job()).await;
        let ids = self.captures().await;
        let last = ids.last().copied().unwrap_or(0);
        self.store.feed_page(&fence, &ids, last).await.unwrap();
        self.store.feed_end(&fence, false).await.unwrap();
        (self.store.job(job.id).await.unwrap(), fence)
    }
}

/// Asks for so many images for so long, however often they were handed out.
pub fn lease(max: u64, ttl: chrono::Duration) -> crate::ticket::Terms {
    crate::ticket::Terms {
        max,
        ttl,
        max_deliveries: None,
        worker: None,
        claim: None,
    }
}
