//! The real router and runner on a fresh database, with a client for each kind of caller.

use std::time::Duration;

use domain::lease::LeaseTerms;
use domain::permission::Role;
use jobs::{Pace, Runner, Tools};
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

mod ground;

pub struct TestApp {
    pub store: Store,
    pub url: String,
    pub tools: Tools,
    pub folder: tempfile::TempDir,
    http: reqwest::Client,
    stop: CancellationToken,
    _stream: Option<ground::Stream>,
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
    async fn of(call: reqwest::RequestBuilder) -> Answer {
        let answer = call.send().await.unwrap();
        Answer {
            status: answer.status(),
            headers: answer.headers().clone(),
            text: answer.text().await.unwrap(),
        }
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|e| panic!("{e}: {}", self.text))
    }
}

impl TestApp {
    /// Starts the server; jobs wait until [`TestApp::work`].
    pub async fn start(fresh: &Fresh) -> TestApp {
        TestApp::start_with(fresh, |state| state).await
    }

    /// The same with other settings.
    pub async fn start_with(
        fresh: &Fresh,
        set: impl FnOnce(web::AppState) -> web::AppState,
    ) -> TestApp {
        TestApp::start_mailing(fresh, None, set).await
    }

    /// The same with somebody who sends letters.
    pub async fn start_mailing(
        fresh: &Fresh,
        mailer: Option<telling::Mailer>,
        set: impl FnOnce(web::AppState) -> web::AppState,
    ) -> TestApp {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let folder = tempfile::tempdir().unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let store = fresh.store.clone();
        let kept = folder.path().join("files");
        std::fs::create_dir_all(&kept).unwrap();
        let files = files::Files::local(&kept).unwrap();
        let prefix = format!("test-{:016x}", rand::random::<u64>());
        let (queue, bus) = ground::carriers(fresh, &prefix).await;
        let links = files::Links::new(files::Signer::new([3; 32], "/media"), &url);
        let teller = telling::Teller::new(links.clone(), mailer).unwrap();
        let tools = Tools {
            store: store.clone(),
            queue,
            bus,
            links,
            teller,
            files: files.clone(),
            zone: rest::Zone::default(),
            services: ServiceClient::new(Duration::from_secs(20)).unwrap(),
            pace: Pace {
                poll: Duration::from_millis(50),
                beat: Duration::from_millis(100),
                care: Duration::from_millis(50),
                ..Pace::default()
            },
        };
        let state = web::AppState::new(
            store.clone(),
            tools.bus.clone(),
            files,
            tools.links.clone(),
            tools.services.clone(),
            tools.teller.clone(),
        );
        let state = set(state.leasing(tools.queue.clone(), LeaseTerms::default()));
        let stop = CancellationToken::new();
        tokio::spawn(web::serve(listener, state, stop.clone()));
        TestApp {
            store,
            url,
            tools,
            folder,
            http: reqwest::Client::new(),
            stop,
            _stream: fresh.streams.then(|| ground::Stream(prefix)),
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
        let log = self.store.job_log(id, 20).await.unwrap();
        let words: Vec<&str> = log.iter().map(|line| line.message.as_str()).collect();
        panic!("job {id} does not end: {words:?}");
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

    /// A GET with this `Accept` header.
    pub async fn accepting(&self, path: &str, accept: &str) -> Answer {
        Answer::of(self.call(Method::GET, path).header("Accept", accept)).await
    }

    /// Sends a multipart form: name, content, and the name of the file if it is one.
    pub async fn send_form(
        &self,
        method: Method,
        path: &str,
        fields: &[(&str, &[u8], Option<&str>)],
    ) -> Answer {
        let mut body = Vec::new();
        for (name, content, file) in fields {
            let file = file.map_or(String::new(), |file| format!("; filename=\"{file}\""));
            let head =
                format!("--moth\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n\r\n");
            body.extend_from_slice(head.as_bytes());
            body.extend_from_slice(content);
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(b"--moth--\r\n");
        let call = self.call(method, path).body(body);
        let kind = "multipart/form-data; boundary=moth";
        Answer::of(call.header("Content-Type", kind)).await
    }

    fn call(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let url = if path.starts_with("http") {
            path.to_owned()
        } else {
            format!("{}{path}", self.app.url)
        };
        let call = self.app.http.request(method, url);
        match &self.token {
            Some(token) => call.header("Authorization", format!("Token {token}")),
            None => call,
        }
    }

    /// Sends a multipart form with a text, and with a file where there is one.
    pub async fn send_file(
        &self,
        path: &str,
        text: (&str, &str),
        file: Option<(&str, &str, Vec<u8>)>,
    ) -> Answer {
        let part = |about: String| format!("--b\r\nContent-Disposition: form-data; {about}");
        let (name, value) = text;
        let mut body = part(format!("name=\"{name}\"\r\n\r\n{value}\r\n")).into_bytes();
        if let Some((name, file, bytes)) = file {
            let about = format!("name=\"{name}\"; filename=\"{file}\"\r\n\r\n");
            body.extend(part(about).bytes().chain(bytes).chain(*b"\r\n"));
        }
        body.extend(*b"--b--\r\n");
        let call = self.call(Method::POST, path);
        let call = call.header("Content-Type", "multipart/form-data; boundary=b");
        Answer::of(call.body(body)).await
    }

    /// POSTs JSON with a further header.
    pub async fn post_with(&self, path: &str, header: (&str, &str), body: &Value) -> Answer {
        let call = self.call(Method::POST, path).header(header.0, header.1);
        let kind = ("Content-Type", "application/json");
        Answer::of(call.header(kind.0, kind.1).body(body.to_string())).await
    }

    pub async fn send(&self, method: Method, path: &str, body: Option<String>) -> Answer {
        let mut call = self.call(method, path);
        if let Some(body) = body {
            call = call.header("Content-Type", "application/json").body(body);
        }
        Answer::of(call).await
    }
}

/// A file of a form: field, name, content.
pub type Sent<'a> = (&'a str, &'a str, &'a [u8]);

impl Client<'_> {
    /// Sends a form with files, as browsers do.
    pub async fn form(
        &self,
        method: Method,
        path: &str,
        fields: &[(&str, &str)],
        files: &[Sent<'_>],
    ) -> Answer {
        const EDGE: &str = "edge-of-a-part";
        let mut body: Vec<u8> = Vec::new();
        for (name, value) in fields {
            let part = format!(
                "--{EDGE}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
            );
            body.extend(part.as_bytes());
        }
        for (name, file, content) in files {
            let head = format!(
                "--{EDGE}\r\nContent-Disposition: form-data; name=\"{name}\"; \
                 filename=\"{file}\"\r\nContent-Type: text/html\r\n\r\n"
            );
            body.extend(head.as_bytes());
            body.extend(*content);
            body.extend(b"\r\n");
        }
        body.extend(format!("--{EDGE}--\r\n").as_bytes());
        let url = format!("{}{path}", self.app.url);
        let kind = format!("multipart/form-data; boundary={EDGE}");
        let mut call = self.app.http.request(method, url).body(body);
        call = call.header("Content-Type", kind);
        if let Some(token) = &self.token {
            call = call.header("Authorization", format!("Token {token}"));
        }
        let answer = call.send().await.unwrap();
        Answer {
            status: answer.status(),
            headers: answer.headers().clone(),
            text: answer.text().await.unwrap_or_default(),
        }
    }

    pub async fn patch(&self, path: &str, body: Value) -> Answer {
        self.send(Method::PATCH, path, Some(body.to_string())).await
    }

    pub async fn put(&self, path: &str, body: Value) -> Answer {
        self.send(Method::PUT, path, Some(body.to_string())).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.send(Method::DELETE, path, None).await
    }
}

/// A small picture.
pub fn png() -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    image::DynamicImage::new_rgb8(4, 3)
        .write_to(&mut bytes, image::ImageFormat::Png)
        .unwrap();
    bytes.into_inner()
}

/// The keys of an object, in order.
pub fn keys(value: &Value) -> Vec<&str> {
    let object = value.as_object().unwrap();
    object.keys().map(String::as_str).collect()
}
