//! Two web and two worker processes that share PostgreSQL, NATS and a bucket, pull clients, and
//! projects with captures in the bucket: everything is a process but the S3 server and who watches.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use domain::storage::KEPT;
use reqwest::{Client, Method};
use serde_json::{Value, json};
use store::Store;
use store::job::Job;
use store::project::NewProject;
use store::station::NewStation;
use store::testing::rows::{Row, insert};
use store::user::NewUser;

use super::Size;
use super::nats::Nats;
use super::postgres::Postgres;
use crate::chaos::process::{Process, free_port};
use crate::pull::registration;
use crate::sync::s3::{KEYS, S3};

/// Signs links; all processes have the same.
const SECRET: &str = "5ec5e75ec5e75ec5e75ec5e75ec5e75ec5e75ec5e75ec5e75ec5e75ec5e75ec5";
/// What the clients work for.
pub const PIPELINE: &str = "cluster";
/// Jobs of one project.
const TOGETHER: usize = 5;

pub struct Cluster {
    pub size: Size,
    pub web: Vec<Process>,
    pub work: Vec<Process>,
    pub clients: Vec<Process>,
    /// Of the web processes.
    pub addresses: [String; 2],
    pub store: Store,
    /// The station of each job, and its project; a job begins when its turn comes.
    stations: Vec<(i64, i64)>,
    /// Those that have been started.
    pub jobs: Vec<Job>,
    pub pipeline: i64,
    /// The most memory that each process had, in KiB.
    pub peaks: BTreeMap<String, u64>,
    /// What web processes counted before they were killed: images handed out, and those of them
    /// that had been before.
    pub handed: [f64; 2],
    pub token: String,
    pub http: Client,
    pub postgres: Postgres,
    pub nats: Nats,
    s3: S3,
    folder: tempfile::TempDir,
}

impl Cluster {
    /// Starts everything but the clients; `None` where the tests are not to use PostgreSQL and
    /// NATS, or these are not on this machine.
    pub async fn start(size: Size) -> Option<Cluster> {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let (postgres, nats) = super::services().await?;
        let store = Store::open(&postgres.url()).await.unwrap();
        store.migrate().await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let s3 = S3::new().await;
        s3.bucket("kept", []);
        let home = format!("s3://kept/hawkmoth?endpoint={}", s3.endpoint);
        let addresses = [free_port(), free_port()];
        let (database, stream) = (postgres.url(), nats.url());
        let public = format!("http://{}", addresses[0]);
        let (lease, silence) = (size.lease.to_string(), size.silence.to_string());
        let common = [
            ["--database-url", &database],
            ["--nats-url", &stream],
            ["--files", &home],
            ["--files-access-key", KEYS.0],
            ["--files-secret-key", KEYS.1],
            ["--secret-key", SECRET],
            ["--public-url", &public],
            ["--lease-seconds", &lease],
            ["--max-deliveries", "50"],
            ["--silence-seconds", &silence],
        ];
        let common = common.concat();
        let web = |name, address: &str| {
            let arguments = [&["web", "--bind", address], &common[..]].concat();
            Process::new(name, folder.path(), &arguments)
        };
        let work = |name| {
            let arguments = [&["work"], &common[..]].concat();
            Process::new(name, folder.path(), &arguments)
        };
        let mut web = vec![
            web("first web", &addresses[0]),
            web("second web", &addresses[1]),
        ];
        let work = vec![work("first work"), work("second work")];
        for (process, address) in web.iter_mut().zip(&addresses) {
            process.up(address).await;
        }
        let token = person(&store).await;
        let mut cluster = Cluster {
            size,
            web,
            work,
            clients: Vec::new(),
            addresses,
            store,
            stations: Vec::new(),
            jobs: Vec::new(),
            pipeline: 0,
            peaks: BTreeMap::new(),
            handed: [0.0; 2],
            token,
            http: Client::new(),
            postgres,
            nats,
            s3,
            folder,
        };
        cluster.projects().await;
        Some(cluster)
    }

    /// Projects with a station for each job.
    async fn projects(&mut self) {
        let mut project = 0;
        for number in 0..self.size.jobs {
            if number % TOGETHER == 0 {
                project = self
                    .project(&format!("Project {}", number / TOGETHER))
                    .await;
            }
            let station = self.station(project, &format!("Station {number}")).await;
            self.stations.push((project, station));
        }
        let pipeline = self.store.pipeline_by_slug(PIPELINE).await.unwrap();
        self.pipeline = pipeline.unwrap().id;
    }

    async fn project(&self, name: &str) -> i64 {
        let new = NewProject {
            name: name.to_owned(),
            ..Default::default()
        };
        let project = self.store.create_project(new).await.unwrap().id;
        let flag = self.store.set_flag(project, "async_pipeline_workers", true);
        flag.await.unwrap();
        let path = format!("projects/{project}/pipelines/");
        self.must(Method::POST, &path, Some(registration(PIPELINE)))
            .await;
        project
    }

    /// A station whose photographs lie in the bucket, as those that people send do.
    async fn station(&self, project: i64, name: &str) -> i64 {
        let new = NewStation {
            project_id: project,
            name: name.to_owned(),
            ..Default::default()
        };
        let station = self.store.create_station(new).await.unwrap().id;
        let keys = (0..self.size.images).map(|i| format!("example_captures/{station}/{i:05}.jpg"));
        let keys: Vec<String> = keys.collect();
        let objects = keys.iter().map(|key| format!("hawkmoth/{key}"));
        self.s3.bucket("kept", objects);
        let at = store::now();
        let row = |key: &String| {
            Row::new("capture")
                .int("project_id", project)
                .int("station_id", station)
                .text("path", key)
                .text("public_base_url", KEPT)
                .int("width", 64)
                .int("height", 48)
                .bool("test_image", false)
                .int("detections_count", 0)
                .instant("created_at", at)
                .instant("updated_at", at)
        };
        let rows: Vec<Row> = keys.iter().map(row).collect();
        insert(&self.store, &rows).await.unwrap();
        self.store.refresh_station(station).await.unwrap();
        station
    }

    /// Starts the clients: each asks one of the web processes, and the other one when that does
    /// not answer.
    pub fn clients(&mut self) {
        for number in 0..self.size.clients {
            let name: &'static str = format!("client {}", number + 1).leak();
            let [one, other] = &self.addresses;
            let servers = match number % 2 {
                0 => format!("http://{one},http://{other}"),
                _ => format!("http://{other},http://{one}"),
            };
            let seed = (number + 1).to_string();
            let arguments = [
                ["bench", "pull"],
                ["--server", &servers],
                ["--token", &self.token],
                ["--pipelines", PIPELINE],
                ["--clients", "1"],
                ["--batch", "8"],
                ["--lost", "5"],
                ["--idle", "0"],
                ["--pause-ms", "200"],
                ["--seed", &seed],
            ];
            let client = Process::new(name, self.folder.path(), &arguments.concat());
            self.clients.push(client);
        }
    }

    /// Starts so many of the jobs whose turn has not come.
    pub async fn start_jobs(&mut self, count: usize) {
        for _ in 0..count {
            let number = self.jobs.len();
            let (project, station) = self.stations[number];
            let body = json!({
                "name": format!("Job {number}"), "delay": 0, "shuffle": false,
                "project_id": project, "pipeline_id": self.pipeline, "deployment_id": station,
            });
            let made = self
                .must(Method::POST, "jobs/?start_now=1", Some(body))
                .await;
            let id = made["id"].as_i64().unwrap();
            assert_eq!(made["dispatch_mode"], "async_api");
            self.jobs.push(self.store.job(id).await.unwrap());
        }
    }

    /// What a person asks for, of one web process and then of the other, until it is answered.
    /// With the same key: what was done and not answered is not done again.
    pub async fn must(&self, method: Method, path: &str, body: Option<Value>) -> Value {
        let key = format!("{:016x}", rand::random::<u64>());
        let mut last = String::new();
        for attempt in 0..400 {
            let url = format!("http://{}/api/v2/{path}", self.addresses[attempt % 2]);
            let call = self.http.request(method.clone(), &url);
            let call = call.header("Authorization", format!("Token {}", self.token));
            let call = call.header("Idempotency-Key", &key);
            let call = body.iter().fold(call, |call, body| call.json(body));
            match call.send().await {
                Ok(answer) => {
                    let status = answer.status();
                    let text = answer.text().await.unwrap_or_default();
                    if status.is_success() {
                        return serde_json::from_str(&text).unwrap();
                    }
                    assert!(!status.is_client_error(), "{path}: {status} {text}");
                    last = format!("{status} {text}");
                }
                Err(error) => last = error.to_string(),
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("{path} is not answered: {last}");
    }

    /// How many images each of the started jobs has saved.
    pub async fn saved(&self) -> Vec<i64> {
        let counts = self.store.counts(&self.jobs).await;
        let counts = counts.unwrap_or_else(|error| panic!("the database is there: {error}"));
        let of = |job: &Job| counts.get(&job.id).map_or(0, |counts| counts.done);
        self.jobs.iter().map(of).collect()
    }

    /// None of those that nobody killed may end by itself.
    pub fn must_live(&mut self) {
        let all = self.web.iter_mut().chain(&mut self.work);
        all.chain(&mut self.clients).for_each(Process::must_live);
    }

    /// Notes how much memory everybody has had.
    pub fn note_memory(&mut self) {
        let all = self.web.iter().chain(&self.work).chain(&self.clients);
        let mut seen: Vec<(String, u32)> = all
            .filter_map(|process| Some((process.name.to_owned(), process.id()?)))
            .collect();
        seen.extend(self.nats.id().map(|id| ("NATS".to_owned(), id)));
        if let Some(id) = self.postgres.id() {
            seen.push(("PostgreSQL, the server".to_owned(), id));
            let largest = "PostgreSQL, the largest of its connections";
            seen.extend(children(id).map(|child| (largest.to_owned(), child)));
        }
        for (name, id) in seen {
            let peak = self.peaks.entry(name).or_default();
            *peak = peak_of(id).unwrap_or(0).max(*peak);
        }
    }

    /// Notes what a web process has counted, before it is killed or at the end.
    pub async fn note_metrics(&mut self, which: usize) {
        let url = format!("http://{}/metrics", self.addresses[which]);
        let text = self.http.get(&url).send().await.unwrap();
        let text = text.text().await.unwrap();
        let names = [
            domain::metric::TASKS_LEASED.name,
            domain::metric::LEASE_EXPIRIES.name,
        ];
        for (sum, name) in self.handed.iter_mut().zip(names) {
            // One that was never counted is not exposed.
            let line = text.lines().find_map(|line| line.strip_prefix(name));
            *sum += line.map_or(0.0, |rest| rest.trim().parse::<f64>().unwrap());
        }
    }

    /// How often the clients read words like these in what they wrote.
    pub fn told(&self, words: &str) -> usize {
        let count = |client: &Process| client.said().matches(words).count();
        self.clients.iter().map(count).sum()
    }
}

async fn person(store: &Store) -> String {
    let new = NewUser {
        email: "cluster@example.org".to_owned(),
        password: "secret".to_owned(),
        is_superuser: true,
        is_staff: true,
        ..Default::default()
    };
    let user = store.create_user(new).await.unwrap().id;
    store.create_token(user, "cluster").await.unwrap()
}

/// The most memory that a process has had, in KiB.
fn peak_of(id: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// The children of a process.
fn children(id: u32) -> impl Iterator<Item = u32> {
    let list = Path::new("/proc").join(format!("{id}/task/{id}/children"));
    let list = std::fs::read_to_string(list).unwrap_or_default();
    let numbers: Vec<u32> = list.split_whitespace().flat_map(str::parse).collect();
    numbers.into_iter()
}
