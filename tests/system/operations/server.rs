//! A process of the program on a database of the test's, with a pull job to watch.

use std::process::ExitStatus;
use std::time::Duration;

use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use store::Store;
use store::capture::NewCapture;
use store::project::NewProject;
use store::station::NewStation;
use store::testing::Fresh;
use store::user::NewUser;

use crate::chaos::process::{Process, free_port, listens};
use crate::pull::client::Worker;
use crate::pull::registration;

pub struct Server {
    pub url: String,
    pub address: String,
    pub store: Store,
    pub token: String,
    pub folder: tempfile::TempDir,
    pub process: Process,
    pub http: reqwest::Client,
}

/// A status and the text.
pub type Told = (StatusCode, String);

impl Server {
    /// Starts `serve` with these settings besides the usual ones.
    pub async fn start(fresh: &Fresh, settings: &[&str]) -> Server {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let folder = tempfile::tempdir().unwrap();
        let address = free_port();
        let data = folder.path().join("data");
        let usual = [
            "serve",
            "--bind",
            &address,
            "--data",
            data.to_str().unwrap(),
            "--database-url",
            &fresh.url,
        ];
        let arguments = [&usual[..], settings].concat();
        let process = Process::new("serve", folder.path(), &arguments);
        listens(&address).await;
        let store = fresh.store.clone();
        let new = NewUser {
            email: "ops@example.org".to_owned(),
            password: "secret".to_owned(),
            is_superuser: true,
            is_staff: true,
            ..Default::default()
        };
        let user = store.create_user(new).await.unwrap();
        let token = store.create_token(user.id, "ops").await.unwrap();
        Server {
            url: format!("http://{address}"),
            address,
            store,
            token,
            folder,
            process,
            http: reqwest::Client::new(),
        }
    }

    /// A request with the token.
    pub fn call(&self, method: Method, path: &str) -> RequestBuilder {
        let call = self.http.request(method, format!("{}{path}", self.url));
        call.header("Authorization", format!("Token {}", self.token))
    }

    /// What is told at an address.
    pub async fn told(&self, url: &str) -> Told {
        told(self.http.get(url)).await
    }

    /// Makes a project.
    pub async fn made_project(&self) -> i64 {
        let new = NewProject {
            name: "Moths".to_owned(),
            ..Default::default()
        };
        self.store.create_project(new).await.unwrap().id
    }

    /// Makes and starts a pull job over so many captures; `traceparent` names who asks.
    pub async fn job(&self, images: usize, traceparent: Option<&str>) -> i64 {
        let store = &self.store;
        let project = self.made_project().await;
        let flag = store.set_flag(project, "async_pipeline_workers", true);
        flag.await.unwrap();
        let photographs = self.folder.path().join("photographs");
        std::fs::create_dir_all(&photographs).unwrap();
        let photographs = photographs.canonicalize().unwrap();
        let path = photographs.to_str().unwrap();
        let source = store.create_local_source(project, "Folder", path).await;
        let station = NewStation {
            project_id: project,
            name: "Station".to_owned(),
            source_id: Some(source.unwrap().id),
            ..Default::default()
        };
        let station = store.create_station(station).await.unwrap();
        let name = |i| format!("{i:03}.jpg");
        for i in 0..images {
            std::fs::write(photographs.join(name(i)), b"a photograph").unwrap();
        }
        let captures = (0..images).map(|i| NewCapture {
            path: name(i),
            width: Some(200),
            height: Some(100),
            ..Default::default()
        });
        let captures: Vec<NewCapture> = captures.collect();
        store.upsert_captures(&station, &captures).await.unwrap();
        let path = format!("/api/v2/projects/{project}/pipelines/");
        self.made(&path, &registration("test"), None).await;
        let pipeline = store.pipeline_by_slug("test").await.unwrap().unwrap();
        let body = json!({
            "name": "Watched", "delay": 0, "shuffle": false, "project_id": project,
            "pipeline_id": pipeline.id, "deployment_id": station.id,
        });
        let made = self.made("/api/v2/jobs/?start_now=1", &body, traceparent);
        made.await["id"].as_i64().unwrap()
    }

    async fn made(&self, path: &str, body: &Value, traceparent: Option<&str>) -> Value {
        let mut call = self.call(Method::POST, path).json(body);
        if let Some(parent) = traceparent {
            call = call.header("traceparent", parent);
        }
        let (status, text) = told(call).await;
        assert_eq!(status, StatusCode::CREATED, "{text}");
        serde_json::from_str(&text).unwrap()
    }

    /// Has workers do the job, and waits for its end.
    pub async fn worked(&self, job: i64) -> store::job::Job {
        let workers = [1, 2].map(|_| Worker::new(&self.url, &self.token, 4).run(10));
        let ended = self.ended(job);
        let [first, second] = workers;
        let (_, _, job) = tokio::join!(first, second, ended);
        job
    }

    async fn ended(&self, id: i64) -> store::job::Job {
        for _ in 0..600 {
            let job = self.store.job(id).await.unwrap();
            if job.job_state().is_final() {
                return job;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("job {id} does not end: {}", self.process.said());
    }

    /// Ends the process by SIGTERM; how it ended.
    pub async fn terminated(&mut self) -> ExitStatus {
        self.process.terminate();
        self.process.ended().await
    }
}

/// What a call is told.
pub async fn told(call: RequestBuilder) -> Told {
    let answer = call.send().await.unwrap();
    (answer.status(), answer.text().await.unwrap())
}
