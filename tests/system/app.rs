//! The real router and runner on a fresh database, with a client for each kind of caller.

use std::sync::Arc;
use std::time::Duration;

use domain::permission::Role;
use jobs::{Pace, Runner, Tools};
use queue::{Embedded, LocalBus};
use reqwest::{Method, StatusCode};
use serde_json::Value;
use services::ServiceClient;
use store::Store;
use store::capture::NewCapture;
use store::project::{NewProject, Project};
use store::station::{NewStation, Station};
use store::testing::Fresh;
use store::user::NewUser;
use tokio_util::sync::CancellationToken;

pub struct TestApp {
    pub store: Store,
    pub url: String,
    pub tools: Tools,
    pub folder: tempfile::TempDir,
    http: reqwest::Client,
    stop: CancellationToken,
}

/// Somebody who calls the API.
pub struct Client<'a> {
    app: &'a TestApp,
    token: Option<String>,
}

/// An answer, read to its end.
pub struct Answer {
    pub status: StatusCode,
    pub headers: reqwest::header::HeaderMap,
    pub text: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|e| panic!("{e}: {}", self.text))
    }
}

impl TestApp {
    /// Starts the server; jobs wait until [`TestApp::work`].
    pub async fn start(fresh: &Fresh) -> TestApp {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let folder = tempfile::tempdir().unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let store = fresh.store.clone();
        let tools = Tools {
            store: store.clone(),
            queue: Arc::new(Embedded::new(store.clone())),
            bus: Arc::new(LocalBus::new()),
            links: files::Links::new(files::Signer::new([3; 32], "/media"), &url),
            services: ServiceClient::new(Duration::from_secs(20)).unwrap(),
            pace: Pace {
                poll: Duration::from_millis(50),
                beat: Duration::from_millis(100),
                care: Duration::from_millis(50),
                ..Pace::default()
            },
        };
        let kept = folder.path().join("files");
        std::fs::create_dir_all(&kept).unwrap();
        let state = web::AppState::new(
            store.clone(),
            tools.bus.clone(),
            files::Files::local(&kept).unwrap(),
            tools.links.clone(),
            tools.services.clone(),
        );
        let stop = CancellationToken::new();
        tokio::spawn(web::serve(listener, state, stop.clone()));
        TestApp {
            store,
            url,
            tools,
            folder,
            http: reqwest::Client::new(),
            stop,
        }
    }

    /// Runs jobs until the test ends.
    pub fn work(&self) {
        tokio::spawn(Runner::new(self.tools.clone()).run(self.stop.clone()));
    }

    pub async fn project(&self, name: &str, draft: bool) -> Project {
        let new = NewProject {
            name: name.to_owned(),
            draft,
            ..Default::default()
        };
        self.store.create_project(new).await.unwrap()
    }

    /// A station whose photographs lie in a folder of the test's.
    pub async fn station(&self, project: &Project) -> Station {
        let folder = self.folder.path().join("photographs");
        std::fs::create_dir_all(&folder).unwrap();
        let folder = folder.canonicalize().unwrap();
        let source = self
            .store
            .create_local_source(project.id, "Folder", folder.to_str().unwrap())
            .await
            .unwrap();
        let new = NewStation {
            project_id: project.id,
            name: "Station".to_owned(),
            source_id: Some(source.id),
            ..Default::default()
        };
        self.store.create_station(new).await.unwrap()
    }

    /// Writes a file into the station's folder and makes it a capture; returns its id.
    pub async fn capture(&self, station: &Station, name: &str, content: &[u8]) -> i64 {
        std::fs::write(self.folder.path().join("photographs").join(name), content).unwrap();
        let capture = NewCapture {
            path: name.to_owned(),
            taken_at: domain::timestamp::from_file_name(name),
            ..Default::default()
        };
        self.store
            .upsert_captures(station, &[capture])
            .await
            .unwrap();
        let scope = store::capture::Scope::Station(station.id);
        let ids = self
            .store
            .capture_ids_after(&scope, i64::MIN, 10_000)
            .await
            .unwrap();
        let rows = self.store.captures_by_id(&ids).await.unwrap();
        rows.iter().find(|c| c.path == name).unwrap().id
    }

    pub fn anonymous(&self) -> Client<'_> {
        Client {
            app: self,
            token: None,
        }
    }

    pub fn with_token(&self, token: &str) -> Client<'_> {
        Client {
            app: self,
            token: Some(token.to_owned()),
        }
    }

    pub async fn superuser(&self) -> Client<'_> {
        self.user("super@example.org", true).await
    }

    /// A member of the project with this role, or with none.
    pub async fn member(&self, project: &Project, role: Option<Role>) -> Client<'_> {
        let name = role.map_or("nobody", Role::key);
        let email = format!("{}@example.org", name.to_lowercase());
        let client = self.user(&email, false).await;
        if let Some(role) = role {
            let user = self.store.user_by_email(&email).await.unwrap().unwrap();
            self.store
                .set_role(project.id, user.id, role)
                .await
                .unwrap();
        }
        client
    }

    async fn user(&self, email: &str, superuser: bool) -> Client<'_> {
        let user = match self.store.user_by_email(email).await.unwrap() {
            Some(user) => user,
            None => self
                .store
                .create_user(NewUser {
                    email: email.to_owned(),
                    password: "secret".to_owned(),
                    name: "Test".to_owned(),
                    is_staff: superuser,
                    is_superuser: superuser,
                })
                .await
                .unwrap(),
        };
        let token = self.store.create_token(user.id, "test").await.unwrap();
        Client {
            app: self,
            token: Some(token),
        }
    }

    /// Waits until the job has ended.
    pub async fn ended(&self, id: i64) -> store::job::Job {
        for _ in 0..1200 {
            let job = self.store.job(id).await.unwrap();
            if job.job_state().is_final() {
                return job;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("job {id} does not end");
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Client<'_> {
    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, None).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(Method::POST, path, Some(body.to_string())).await
    }

    pub async fn send(&self, method: Method, path: &str, body: Option<String>) -> Answer {
        let url = if path.starts_with("http") {
            path.to_owned()
        } else {
            format!("{}{path}", self.app.url)
        };
        let mut call = self.app.http.request(method, url);
        if let Some(token) = &self.token {
            call = call.header("Authorization", format!("Token {token}"));
        }
        if let Some(body) = body {
            call = call.header("Content-Type", "application/json").body(body);
        }
        let answer = call.send().await.unwrap();
        Answer {
            status: answer.status(),
            headers: answer.headers().clone(),
            text: answer.text().await.unwrap(),
        }
    }
}
