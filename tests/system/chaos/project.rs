//! A project of which everything can be asked that jobs do without a pipeline: a folder full of
//! names to be synced, a set to be drawn, and another station with boxes to be looked at.

use std::path::Path;

use domain::permission::Permit;
use domain::wire::DetectionResponse;
use serde_json::json;
use store::Store;
use store::capture::{Capture, NewCapture, Scope};
use store::capture_set::NewCaptureSet;
use store::defaults::Defaults;
use store::export::NewExport;
use store::job::NewJob;
use store::project::NewProject;
use store::result::{Batch, Outcome};
use store::station::NewStation;

/// Files in the folder.
const FILES: usize = 5_000;
/// Boxes that a model has drawn.
const BOXES: usize = 1_200;

pub struct Project {
    pub id: i64,
    /// Whose folder is synced.
    pub station: i64,
    /// The set that is drawn.
    pub drawn: i64,
    /// The set whose boxes are looked at.
    pub seen: i64,
    /// The record of an export of everything.
    pub export: i64,
}

impl Project {
    /// Makes it, with an export in this format; nobody may run jobs meanwhile.
    pub async fn new(store: &Store, folder: &Path, name: &str, format: &str) -> Project {
        let new = NewProject {
            name: name.to_owned(),
            ..NewProject::default()
        };
        let id = store.create_project(new).await.unwrap().id;
        let place = files(folder);
        let source = store.create_local_source(id, name, &place).await.unwrap();
        let station = NewStation {
            project_id: id,
            name: "Night".to_owned(),
            source_id: Some(source.id),
            ..NewStation::default()
        };
        let station = store.create_station(station).await.unwrap().id;
        let kwargs = json!({"minute_interval": 7, "deployment_ids": [station]});
        let drawn = NewCaptureSet {
            project_id: id,
            name: "Drawn".to_owned(),
            description: String::new(),
            method: "interval".to_owned(),
            kwargs: kwargs.as_object().unwrap().clone(),
        };
        let drawn = store.create_capture_set(drawn).await.unwrap().id;
        let seen = store.capture_set_by_name(id, "All Images").await.unwrap();
        let project = Project {
            id,
            station,
            drawn,
            seen: seen.unwrap().id,
            export: export(store, id, format).await,
        };
        project.boxes(store, name).await;
        project
    }

    /// A job of this kind that is to start.
    pub fn job(&self, kind: &'static str) -> NewJob {
        NewJob {
            name: kind.to_owned(),
            project_id: self.id,
            kind,
            start_now: true,
            ..NewJob::default()
        }
    }

    /// The same, of the station.
    pub fn of_station(&self, kind: &'static str) -> NewJob {
        NewJob {
            station_id: Some(self.station),
            ..self.job(kind)
        }
    }

    /// Captures by path.
    pub async fn captures(&self, store: &Store, scope: Scope) -> Vec<Capture> {
        let ids = store.capture_ids_after(&scope, i64::MIN, 1_000_000).await;
        let mut rows = store.captures_by_id(&ids.unwrap()).await.unwrap();
        rows.sort_by(|a, b| a.path.cmp(&b.path));
        rows
    }

    /// What the boxes are determined as, by the path of their capture.
    pub async fn said(&self, store: &Store) -> Vec<String> {
        let captures = self.captures(store, Scope::Set(self.seen)).await;
        let ids: Vec<i64> = captures.iter().map(|c| c.id).collect();
        let found = store.found_on(&ids, &Defaults::default()).await.unwrap();
        let mut said = Vec::new();
        for capture in captures {
            for one in &found[&capture.id] {
                let seen = one.seen.as_ref().unwrap();
                let taxon = seen.determination.as_ref().map(|taxon| &taxon.name);
                let score = seen.occurrence.determination_score;
                let counted = capture.detections_count;
                said.push(format!("{} {taxon:?} {score:?} {counted}", capture.path));
            }
        }
        said
    }

    /// A second station with a box on every capture, every third of them small.
    async fn boxes(&self, store: &Store, slug: &str) {
        let new = NewStation {
            project_id: self.id,
            name: "Seen".to_owned(),
            ..NewStation::default()
        };
        let station = store.create_station(new).await.unwrap();
        let found = (0..BOXES).map(|i| NewCapture {
            path: format!("{i:05}.jpg"),
            width: Some(if i % 3 == 0 { 4000 } else { 200 }),
            height: Some(if i % 3 == 0 { 4000 } else { 200 }),
            ..NewCapture::default()
        });
        let found: Vec<NewCapture> = found.collect();
        store.upsert_captures(&station, &found).await.unwrap();
        store.populate_full(self.seen).await.unwrap();
        let service = store.put_service(self.id, "Service", "", None).await;
        let map = json!({
            "data": [{"index": 0, "label": "Moth"}, {"index": 1, "label": "Other"}],
            "labels": ["Moth", "Other"],
        });
        let offered = serde_json::from_value(json!({
            "name": slug, "slug": slug.to_lowercase(), "version": 1, "algorithms": [
                {"name": "Boxes", "key": "boxes", "task_type": "detection"},
                {"name": "Names", "key": "names", "task_type": "classification",
                 "category_map": map}],
        }));
        let (service, offered) = (service.unwrap().id, [offered.unwrap()]);
        let projects = [self.id];
        let registered = store.register_pipelines(service, &projects, &offered);
        registered.await.unwrap();
        let pipeline = store.pipeline_by_slug(&slug.to_lowercase()).await;
        let pipeline = pipeline.unwrap().unwrap().id;
        let new = NewJob {
            capture_set_id: Some(self.seen),
            pipeline_id: Some(pipeline),
            ..self.job(domain::job::ML)
        };
        store.create_job(new).await.unwrap();
        let (job, fence) = store.claim_job("test").await.unwrap().unwrap();
        let scope = Scope::Set(self.seen);
        let ids = store.capture_ids_after(&scope, i64::MIN, 100_000);
        for ids in ids.await.unwrap().chunks(500) {
            store
                .feed_page(&fence, ids, ids[ids.len() - 1])
                .await
                .unwrap();
            let images = ids
                .iter()
                .map(|id| (*id, Outcome::Done(vec![found_on(*id)])));
            let batch = Batch {
                job: job.id,
                generation: job.generation,
                pipeline,
                images: images.collect(),
            };
            store.save_results(batch).await.unwrap();
        }
        store.finish_job(&fence, None).await.unwrap();
    }
}

/// The record of an export; the job that comes with it is not wanted.
async fn export(store: &Store, project: i64, format: &str) -> i64 {
    let new = NewExport {
        project_id: project,
        format: format.to_owned(),
        filters: json!({}),
        filters_display: json!({}),
        job_name: "Not wanted".to_owned(),
        ..NewExport::default()
    };
    let (export, job) = store.create_export(new).await.unwrap();
    store.cancel_job(Permit::BY_PROGRAM, job.id).await.unwrap();
    export.id
}

fn found_on(capture: i64) -> DetectionResponse {
    let at = "2026-11-23T08:17:09";
    let found = json!({
        "source_image_id": capture.to_string(),
        "bbox": {"x1": 1, "y1": 2, "x2": 30, "y2": 40},
        "algorithm": {"name": "Boxes", "key": "boxes"},
        "timestamp": at,
        "classifications": [{
            "classification": "Moth", "scores": [0.75, 0.25],
            "algorithm": {"name": "Names", "key": "names"}, "timestamp": at,
        }],
    });
    serde_json::from_value(found).unwrap()
}

/// A folder of names with times in them, 30 a night, which every project may sync.
fn files(folder: &Path) -> String {
    let folder = folder.join("nights");
    if !folder.exists() {
        std::fs::create_dir(&folder).unwrap();
        let first = chrono::NaiveDate::from_ymd_opt(2020, 1, 1).unwrap();
        for i in 0..FILES {
            let night = first + chrono::Duration::days((i / 30) as i64);
            let at = night.and_hms_opt(21, 0, 0).unwrap() + minutes(i % 30);
            let name = at.format("%Y%m%d%H%M%S.jpg").to_string();
            std::fs::write(folder.join(name), b"x").unwrap();
        }
    }
    folder.canonicalize().unwrap().to_str().unwrap().to_owned()
}

/// Ever longer pauses: the longest are sessions of their own where the gap is small.
fn minutes(place: usize) -> chrono::Duration {
    chrono::Duration::minutes((place * (place + 1) / 2) as i64)
}
