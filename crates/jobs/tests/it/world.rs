//! A project with captures, a pipeline, a service whose answers the test writes, and a runner.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use domain::job::DispatchMode;
use domain::state::JobState;
use domain::wire::PipelineConfigResponse;
use jobs::{Pace, Runner, Tools};
use queue::{Embedded, LocalBus};
use serde_json::{Value, json};
use services::ServiceClient;
use store::Store;
use store::capture::NewCapture;
use store::job::{Job, NewJob};
use store::progress::Counts;
use store::project::NewProject;
use store::station::NewStation;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate};

pub struct World {
    pub tools: Tools,
    pub store: Store,
    pub project: i64,
    pub station: i64,
    pub set: i64,
    pub pipeline: i64,
    pub service: MockServer,
    /// Where the server keeps files.
    pub folder: TempDir,
}

/// Answers `/process` with what a function makes of the request.
struct Answer<F>(F);

impl<F: Fn(&Value) -> ResponseTemplate + Send + Sync> Respond for Answer<F> {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        self.0(&request.body_json().unwrap())
    }
}

/// The ids of a request.
pub fn ids(request: &Value) -> Vec<String> {
    let images = request["source_images"].as_array().unwrap();
    images
        .iter()
        .map(|i| i["id"].as_str().unwrap().to_owned())
        .collect()
}

/// One detection with one classification for each id.
pub fn detections(ids: &[String]) -> Vec<Value> {
    ids.iter()
        .map(|id| {
            json!({
                "source_image_id": id,
                "bbox": {"x1": 1, "y1": 2, "x2": 30, "y2": 40},
                "algorithm": {"name": "Boxes", "key": "boxes"},
                "timestamp": "2026-11-23T08:17:09",
                "classifications": [{
                    "classification": "Moth", "scores": [0.75, 0.25],
                    "algorithm": {"name": "Names", "key": "names"},
                    "timestamp": "2026-11-23T08:17:09",
                }],
            })
        })
        .collect()
}

/// A good answer about these ids.
pub fn results(ids: &[String]) -> Value {
    let images: Vec<Value> = ids.iter().map(|id| json!({"id": id, "url": ""})).collect();
    json!({
        "pipeline": "test", "total_time": 0.1,
        "source_images": images, "detections": detections(ids),
    })
}

pub fn good(request: &Value) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(results(&ids(request)))
}

impl World {
    /// So many captures, sent in requests of `batch`.
    pub async fn new(store: &Store, captures: usize, batch: usize) -> World {
        let service = MockServer::start().await;
        Mock::given(method("GET"))
            .and(path("/prefix/readyz"))
            .respond_with(ResponseTemplate::new(200).set_body_json(json!({"status": ["test"]})))
            .mount(&service)
            .await;
        let project = store
            .create_project(NewProject {
                name: "Test".to_owned(),
                ..Default::default()
            })
            .await
            .unwrap();
        let source = store
            .create_local_source(project.id, "Folder", "/nowhere")
            .await
            .unwrap();
        let station = store
            .create_station(NewStation {
                project_id: project.id,
                name: "Station".to_owned(),
                source_id: Some(source.id),
                ..Default::default()
            })
            .await
            .unwrap();
        let found: Vec<NewCapture> = (0..captures)
            .map(|i| NewCapture {
                path: format!("2022081022{:02}{:02}-{i}.jpg", i / 60 % 60, i % 60),
                taken_at: domain::timestamp::from_file_name(&format!(
                    "2022081022{:02}{:02}.jpg",
                    i / 60 % 60,
                    i % 60
                )),
                width: Some(200),
                height: Some(100),
                ..Default::default()
            })
            .collect();
        store.upsert_captures(&station, &found).await.unwrap();
        let set = store
            .capture_set_by_name(project.id, "All Images")
            .await
            .unwrap()
            .unwrap()
            .id;
        store.populate_full(set).await.unwrap();
        let endpoint = format!("{}/prefix/", service.uri());
        let row = store
            .put_service(project.id, "Service", "", Some(&endpoint))
            .await
            .unwrap();
        let config = serde_json::from_value(json!({
            "name": "Test", "slug": "test", "version": 1, "algorithms": [
                {"name": "Boxes", "key": "boxes", "task_type": "detection"},
                {"name": "Names", "key": "names", "task_type": "classification",
                 "category_map": {"data": [{"index": 0, "label": "Moth"}, {"index": 1, "label": "Other"}],
                                  "labels": ["Moth", "Other"]}}],
        }))
        .unwrap();
        store
            .register_pipelines(row.id, &[project.id], &[config])
            .await
            .unwrap();
        let pipeline = store.pipeline_by_slug("test").await.unwrap().unwrap().id;
        let size = [("request_source_image_batch_size".to_owned(), json!(batch))];
        store
            .configure_pipeline(project.id, pipeline, size.into_iter().collect())
            .await
            .unwrap();
        let folder = tempfile::tempdir().unwrap();
        World {
            tools: tools(store, folder.path()),
            folder,
            store: store.clone(),
            project: project.id,
            station: station.id,
            set,
            pipeline,
            service,
        }
    }

    /// The service answers `/process` with this from now on.
    pub async fn answers(
        &self,
        answer: impl Fn(&Value) -> ResponseTemplate + Send + Sync + 'static,
    ) {
        Mock::given(method("POST"))
            .and(path("/prefix/process"))
            .respond_with(Answer(answer))
            .mount(&self.service)
            .await;
    }

    /// The captures of the set, by id.
    pub async fn captures(&self) -> Vec<i64> {
        let scope = store::capture::Scope::Set(self.set);
        let ids = self.store.capture_ids_after(&scope, i64::MIN, 100_000);
        ids.await.unwrap()
    }

    /// Gives the pipeline's service another address.
    pub async fn move_service(&self, url: &str) -> i64 {
        let moved = self
            .store
            .put_service(self.project, "Service", "", Some(url));
        moved.await.unwrap().id
    }

    /// A further service of the pipeline, that answered last within so many seconds.
    pub async fn add_service(&self, name: &str, url: &str, latency: f64) -> i64 {
        let store = &self.store;
        let service = store.put_service(self.project, name, "", Some(url)).await;
        let service = service.unwrap().id;
        let pipeline = store.pipeline(self.pipeline).await.unwrap();
        let offered = serde_json::from_value(json!({
            "name": pipeline.name, "slug": pipeline.slug, "version": 1, "algorithms": [],
        }));
        self.register(service, offered.unwrap()).await;
        store.service_seen(service, true, latency).await.unwrap();
        service
    }

    /// Registers a pipeline that a service offers.
    pub async fn register(&self, service: i64, offered: PipelineConfigResponse) {
        let (projects, offered) = ([self.project], [offered]);
        let made = self.store.register_pipelines(service, &projects, &offered);
        made.await.unwrap();
    }

    pub fn ml(&self) -> NewJob {
        NewJob {
            name: "Job".to_owned(),
            project_id: self.project,
            kind: domain::job::ML,
            capture_set_id: Some(self.set),
            pipeline_id: Some(self.pipeline),
            dispatch_mode: Some(DispatchMode::SyncApi),
            start_now: true,
            ..Default::default()
        }
    }

    /// Runs the job to its end with a runner of its own; the queue is empty then.
    pub async fn run(&self, new: NewJob) -> Job {
        let id = self.store.create_job(new).await.unwrap().id;
        self.finish(id).await
    }

    pub async fn finish(&self, id: i64) -> Job {
        let stop = CancellationToken::new();
        let runner = tokio::spawn(Runner::new(self.tools.clone()).run(stop.clone()));
        let job = self.until(id, |job| job.job_state().is_final()).await;
        stop.cancel();
        runner.await.unwrap();
        let depth = self.store.ticket_depth(id, None).await.unwrap();
        assert_eq!(
            depth.waiting + depth.leased,
            0,
            "a test ends with an empty queue"
        );
        job
    }

    pub async fn until(&self, id: i64, there: impl Fn(&Job) -> bool) -> Job {
        for _ in 0..12_000 {
            let job = self.store.job(id).await.unwrap();
            if there(&job) {
                return job;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let job = self.store.job(id).await.unwrap();
        panic!("the job stays {} of {:?}", job.state, job.total);
    }

    pub async fn counts(&self, job: &Job) -> Counts {
        let sums = self.store.counts(std::slice::from_ref(job)).await.unwrap();
        sums.get(&job.id).copied().unwrap_or_default()
    }

    pub async fn log(&self, job: &Job) -> String {
        let lines = self.store.job_log(job.id, 1000).await.unwrap();
        let text: Vec<String> = lines.into_iter().rev().map(|l| l.message).collect();
        text.join("\n")
    }

    /// How often `/process` was asked.
    pub async fn asked(&self) -> usize {
        let all = self.service.received_requests().await.unwrap();
        all.iter()
            .filter(|r| r.url.path().ends_with("/process"))
            .count()
    }
}

/// Tools with a pace for tests.
pub fn tools(store: &Store, folder: &Path) -> Tools {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let links = files::Links::new(files::Signer::new([1; 32], "/media"), "http://127.0.0.1:9");
    Tools {
        store: store.clone(),
        queue: Arc::new(Embedded::new(store.clone())),
        bus: Arc::new(LocalBus::new()),
        teller: telling::Teller::new(links.clone(), None).unwrap(),
        links,
        files: files::Files::local(folder).unwrap(),
        zone: rest::Zone::default(),
        services: ServiceClient::new(Duration::from_secs(20)).unwrap(),
        pace: Pace {
            poll: Duration::from_millis(50),
            beat: Duration::from_millis(100),
            care: Duration::from_millis(50),
            silence: Duration::from_secs(5),
            grace: Duration::from_millis(500),
            revive: Duration::from_millis(100),
            retry: Duration::from_millis(20),
            patience: Duration::from_millis(400),
            ..Pace::default()
        },
    }
}

/// The states of two jobs, for short assertions.
pub fn state(job: &Job) -> JobState {
    job.job_state()
}
