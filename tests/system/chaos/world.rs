//! What is torn at: two projects with 300 captures each, one worked on by pull clients and one by
//! a push service, and all processes that do so, each behind a network that cannot be trusted.

use std::path::Path;

use reqwest::Method;
use serde_json::{Value, json};
use services::ServiceClient;
use store::Store;
use store::capture::NewCapture;
use store::project::NewProject;
use store::station::NewStation;
use store::testing::Fresh;
use store::user::NewUser;

use super::luck::Luck;
use super::network::Network;
use super::process::{Process, free_port, listens};
use crate::pull::registration;

pub const IMAGES: usize = 300;
/// Pipeline of the pull clients.
const PULLED: &str = "chaos";

pub struct World {
    pub store: Store,
    /// Server, workers, service and clients.
    pub processes: Vec<Process>,
    /// Between everybody and the server, and between the server and the service.
    pub networks: [Network; 2],
    pub stations: [i64; 2],
    pub jobs: [i64; 2],
    pub service: i64,
    address: String,
    token: String,
    http: reqwest::Client,
}

impl World {
    /// Makes everything and starts both jobs.
    pub async fn new(fresh: &Fresh, folder: &Path, luck: &mut Luck) -> World {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let store = fresh.store.clone();
        let networks = [
            Network::new(Luck::new(luck.draw())).await,
            Network::new(Luck::new(luck.draw())).await,
        ];
        let (address, detector) = (free_port(), free_port());
        networks[0].leads_to(&address);
        networks[1].leads_to(&detector);
        let data = folder.join("data");
        let server = [
            "--data",
            data.to_str().unwrap(),
            "--database-url",
            &fresh.url,
            "--public-url",
            &networks[0].url,
            "--lease-seconds",
            "2",
            "--max-deliveries",
            "20",
            "--silence-seconds",
            "5",
        ];
        let web = [&server[..], &["--bind", &address]].concat();
        let mut processes = Vec::new();
        if store.is_sqlite() {
            let arguments = [&["serve"], &web[..]].concat();
            processes.push(Process::new("serve", folder, &arguments));
        } else {
            processes.push(Process::new("web", folder, &[&["web"], &web[..]].concat()));
        }
        processes.push(Process::new(
            "service",
            folder,
            &["detector", "--bind", &detector],
        ));
        listens(&address).await;
        listens(&detector).await;
        if !store.is_sqlite() {
            // After the other one has made the key that signs links.
            let work = [&["work"], &server[..]].concat();
            processes.push(Process::new("first worker", folder, &work));
            processes.push(Process::new("second worker", folder, &work));
        }
        let user = person(&store).await;
        let token = store.create_token(user, "chaos").await.unwrap();
        for (name, seed) in [
            ("first client", 1),
            ("second client", 2),
            ("third client", 3),
        ] {
            let client = client(&networks[0].url, &token, luck.draw() + seed);
            let client: Vec<&str> = client.iter().map(String::as_str).collect();
            processes.push(Process::new(name, folder, &client));
        }
        let mut world = World {
            store,
            processes,
            networks,
            stations: [0; 2],
            jobs: [0; 2],
            service: 0,
            address,
            token,
            http: reqwest::Client::new(),
        };
        photographs(folder);
        world.pulled(folder).await;
        world.pushed(folder, &format!("http://{detector}/")).await;
        world
    }

    /// A project whose images are pulled.
    async fn pulled(&mut self, folder: &Path) {
        let (project, station) = self.project("Pulled", folder, true).await;
        let path = format!("projects/{project}/pipelines/");
        self.must(Method::POST, &path, registration(PULLED)).await;
        let pipeline = self.store.pipeline_by_slug(PULLED).await.unwrap();
        self.stations[0] = station;
        self.jobs[0] = self.job(project, station, pipeline.unwrap().id).await;
    }

    /// A project whose images are pushed to the built-in detector.
    async fn pushed(&mut self, folder: &Path, detector: &str) {
        let (project, station) = self.project("Pushed", folder, false).await;
        let services = ServiceClient::new(std::time::Duration::from_secs(20)).unwrap();
        let info = services.info(detector).await.unwrap();
        let endpoint = format!("{}/", self.networks[1].url);
        let store = &self.store;
        let service = store
            .put_service(project, "Detector", "", Some(&endpoint))
            .await;
        self.service = service.unwrap().id;
        let (service, offered) = (self.service, &info.pipelines);
        let registered = store.register_pipelines(service, &[project], offered).await;
        registered.unwrap();
        store.service_seen(self.service, true, 0.01).await.unwrap();
        let slug = &info.pipelines[0].slug;
        let pipeline = store.pipeline_by_slug(slug).await.unwrap().unwrap().id;
        let config = [("request_source_image_batch_size".to_owned(), json!(8))];
        let config = config.into_iter().collect();
        store
            .configure_pipeline(project, pipeline, config)
            .await
            .unwrap();
        self.stations[1] = station;
        self.jobs[1] = self.job(project, station, pipeline).await;
    }

    async fn project(&self, name: &str, folder: &Path, pulled: bool) -> (i64, i64) {
        let store = &self.store;
        let new = NewProject {
            name: name.to_owned(),
            ..Default::default()
        };
        let project = store.create_project(new).await.unwrap().id;
        let flag = store.set_flag(project, "async_pipeline_workers", pulled);
        flag.await.unwrap();
        let folder = folder.join("photographs").canonicalize().unwrap();
        let source = store.create_local_source(project, name, folder.to_str().unwrap());
        let station = NewStation {
            project_id: project,
            name: name.to_owned(),
            source_id: Some(source.await.unwrap().id),
            ..Default::default()
        };
        let station = store.create_station(station).await.unwrap();
        let captures = (0..IMAGES).map(|i| NewCapture {
            path: format!("{i:03}.jpg"),
            width: Some(WIDTH as i32),
            height: Some(HEIGHT as i32),
            ..Default::default()
        });
        let captures: Vec<NewCapture> = captures.collect();
        store.upsert_captures(&station, &captures).await.unwrap();
        (project, station.id)
    }

    async fn job(&self, project: i64, station: i64, pipeline: i64) -> i64 {
        let body = json!({
            "name": "Torn", "delay": 0, "shuffle": false, "project_id": project,
            "pipeline_id": pipeline, "deployment_id": station,
        });
        let made = self.must(Method::POST, "jobs/?start_now=1", body).await;
        made["id"].as_i64().unwrap()
    }

    /// What a person asks for reaches the server itself, again and again until it is answered.
    pub async fn must(&self, method: Method, path: &str, body: Value) -> Value {
        let url = format!("http://{}/api/v2/{path}", self.address);
        let mut last = String::new();
        for _ in 0..200 {
            let call = self.http.request(method.clone(), &url).json(&body);
            let call = call.header("Authorization", format!("Token {}", self.token));
            match call.send().await {
                Ok(answer) if answer.status().is_success() => return answer.json().await.unwrap(),
                Ok(answer) => {
                    let status = answer.status();
                    let text = answer.text().await.unwrap_or_default();
                    assert!(!status.is_client_error(), "{path}: {status} {text}");
                    last = format!("{status} {text}");
                }
                Err(error) => last = error.to_string(),
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        panic!("{path} is not answered: {last}");
    }

    /// Kills one of them.
    pub fn kill(&mut self, which: usize) {
        self.processes[which].kill();
    }
}

async fn person(store: &Store) -> i64 {
    let new = NewUser {
        email: "chaos@example.org".to_owned(),
        password: "secret".to_owned(),
        is_superuser: true,
        is_staff: true,
        ..Default::default()
    };
    store.create_user(new).await.unwrap().id
}

/// A process with two workers that never ends.
fn client(server: &str, token: &str, seed: u64) -> Vec<String> {
    let seed = seed.to_string();
    let arguments = [
        "bench",
        "pull",
        "--server",
        server,
        "--token",
        token,
        "--pipelines",
        PULLED,
        "--idle",
        "0",
        "--pause-ms",
        "200",
        "--clients",
        "2",
        "--batch",
        "8",
        "--lost",
        "10",
        "--seed",
        &seed,
    ];
    arguments.map(str::to_owned).to_vec()
}

const WIDTH: u32 = 384;
const HEIGHT: u32 = 216;

/// The same small sheet under every name: each image is worth as much as the next.
fn photographs(folder: &Path) {
    let folder = folder.join("photographs");
    std::fs::create_dir_all(&folder).unwrap();
    let scenes = detector::scene::demo_nights();
    let picture = image::DynamicImage::ImageRgb8(scenes[0].draw());
    let picture = picture.resize_exact(WIDTH, HEIGHT, image::imageops::FilterType::Triangle);
    let first = folder.join("000.jpg");
    picture.to_rgb8().save(&first).unwrap();
    for i in 1..IMAGES {
        std::fs::copy(&first, folder.join(format!("{i:03}.jpg"))).unwrap();
    }
}
