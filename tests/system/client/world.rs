//! The demo's installation as the web client finds it: its rows by name, and one person of each
//! role. What requests change lies in a project of its own, so that the demo's stays as it is.

use std::cell::Cell;
use std::path::Path;

use serde_json::{Value, json};
use store::testing::Fresh;
use store::user::{NewUser, User};

use super::ask::Prepared;
use super::row::{Made, ROLES, Who, role};
use crate::app::{Answer, Client, TestApp};
use crate::pages::jpeg;
use crate::program::hawkmoth;

pub struct World {
    pub app: TestApp,
    tokens: Vec<String>,
    people: Vec<User>,
    /// What texts may name, the longest names first.
    names: Vec<(&'static str, String)>,
    count: Cell<usize>,
}

impl World {
    /// Runs `hawkmoth demo` on the database, twice, then serves it.
    pub async fn new(fresh: &Fresh, folder: &Path) -> World {
        demo(fresh, folder).await;
        let app = TestApp::start(fresh).await;
        let before = counts(&app).await;
        demo(fresh, folder).await;
        assert_eq!(counts(&app).await, before, "run again it doubles nothing");
        let mut people = Vec::new();
        let mut tokens = Vec::new();
        for (column, name) in ROLES[..ROLES.len() - 1].iter().enumerate() {
            let user = person(&app, &format!("{name}@example.org"), column == 0).await;
            tokens.push(app.store.create_token(user.id, "client").await.unwrap());
            people.push(user);
        }
        let mut world = World {
            app,
            tokens,
            people,
            names: Vec::new(),
            count: Cell::new(0),
        };
        world.find_rows().await;
        world
    }

    pub fn token(&self, column: usize) -> Option<&str> {
        self.tokens.get(column).map(String::as_str)
    }

    pub fn superuser(&self) -> Client<'_> {
        self.app.with_token(&self.tokens[0])
    }

    fn name(&mut self, name: &'static str, value: impl ToString) {
        self.names.push((name, value.to_string()));
        self.names
            .sort_by_key(|(name, _)| std::cmp::Reverse(name.len()));
    }

    /// What a superuser reads at this address.
    async fn read(&self, path: &str) -> Value {
        let path = format!("/api/v2{}", self.filled(path, &Prepared::default()));
        let answer = self.superuser().get(&path).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        answer.json()
    }

    /// What a role reads at this address, or the refusal.
    pub async fn look(&self, path: &str, column: usize) -> Value {
        let path = format!("/api/v2{}", self.filled(path, &Prepared::default()));
        let client = match self.token(column) {
            Some(token) => self.app.with_token(token),
            None => self.app.anonymous(),
        };
        client.get(&path).await.json()
    }

    /// What a superuser makes at this address.
    async fn post(&self, path: &str, body: &str) -> Value {
        let fill = |text: &str| self.filled(text, &Prepared::default());
        let path = format!("/api/v2{}", fill(path));
        let body: Value = serde_json::from_str(&fill(body)).unwrap();
        made(self.superuser().post(&path, body).await)
    }

    async fn find_rows(&mut self) {
        let projects = self.read("/projects/").await;
        let demo = first(&projects, |row| row["name"] == "Demo");
        self.name("$project", &demo["id"]);
        let project = demo["id"].as_i64().unwrap();
        let shop = self.post("/projects/", r#"{"name": "Workshop"}"#).await;
        self.name("$shop", &shop["id"]);
        for project in [project, shop["id"].as_i64().unwrap()] {
            self.give_roles(project).await;
        }
        for (name, path, key) in [
            (
                "$station",
                "/deployments/?project_id=$project&ordering=-captures_count",
                "id",
            ),
            ("$yard", "/deployments/?project_id=$shop", "id"),
            (
                "$set",
                "/captures/collections/?project_id=$project&ordering=id",
                "id",
            ),
            ("$heap", "/captures/collections/?project_id=$shop", "id"),
            (
                "$session",
                "/events/?project_id=$project&ordering=-captures_count",
                "id",
            ),
            (
                "$capture",
                "/captures/?project_id=$project&event=$session&offset=9",
                "id",
            ),
            (
                "$occurrence",
                "/occurrences/?project_id=$project&verified=true",
                "id",
            ),
            ("$pipeline", "/ml/pipelines/?project_id=$project", "id"),
            (
                "$algorithm",
                "/ml/algorithms/?project_id=$project&ordering=-category_count",
                "id",
            ),
            ("$job", "/jobs/?project_id=$project&job_type_key=ml", "id"),
            ("$listed", "/taxa/lists/?project_id=$project", "id"),
            ("$tag", "/tags/?project_id=$project", "id"),
            (
                "$service",
                "/ml/processing_services/?project_id=$project",
                "id",
            ),
            ("$source", "/storage/?project_id=$project", "id"),
            ("$member", "/projects/$project/members/", "id"),
        ] {
            let rows = self.read(path).await;
            let row = first(&rows, |_| true).clone();
            self.name(name, &row[key]);
        }
        let seen = self
            .read("/occurrences/$occurrence/?project_id=$project")
            .await;
        self.name("$classification", &seen["predictions"][0]["id"]);
        self.name("$taxon", &seen["determination"]["id"]);
        self.serve_detector(project, shop["id"].as_i64().unwrap())
            .await;
    }

    /// The demo's detector ended with it: another one takes its place, for both projects.
    async fn serve_detector(&self, project: i64, shop: i64) {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}/", listener.local_addr().unwrap());
        let settings = detector::service::Settings::default();
        tokio::spawn(detector::serve(listener, settings, std::future::pending()));
        let store = &self.app.store;
        let name = "Built-in detector";
        let service = store.put_service(project, name, "", Some(&endpoint)).await;
        let service = service.unwrap();
        let info = self.app.tools.services.info(&endpoint).await.unwrap();
        let projects = [project, shop];
        let done = store.register_pipelines(service.id, &projects, &info.pipelines);
        done.await.unwrap();
        store.service_seen(service.id, true, 0.1).await.unwrap();
    }

    async fn give_roles(&self, project: i64) {
        for (column, user) in self.people.iter().enumerate() {
            if let Some(role) = role(column) {
                let given = self.app.store.set_role(project, user.id, role);
                given.await.unwrap();
            }
        }
    }

    /// A text with what it names.
    pub fn filled(&self, text: &str, prepared: &Prepared) -> String {
        let mut text = text.to_owned();
        if let Some(id) = prepared.id {
            text = text.replace("$made", &id.to_string());
        }
        if let Some(email) = &prepared.email {
            text = text.replace("$email", email);
        }
        for (name, value) in &self.names {
            text = text.replace(name, value);
        }
        if let Some(me) = prepared.me {
            text = text.replace("$me", &me.to_string());
        }
        text.replace("$n", &self.number().to_string())
    }

    fn number(&self) -> usize {
        self.count.set(self.count.get() + 1);
        self.count.get()
    }

    /// Makes what a row needs before a role asks it.
    pub async fn make(&self, what: Made, column: usize, who: Who) -> Prepared {
        let mut prepared = Prepared {
            me: self.people.get(column).map(|user| user.id),
            ..Default::default()
        };
        // The answer about a new service holds it beside its state.
        let id = |row: Value| row["id"].as_i64().or(row["instance"]["id"].as_i64());
        match what {
            Made::Nothing => {}
            Made::Row(path, body) => {
                let body = match body.contains("$email") {
                    true => body.replace("$email", &self.stranger().await),
                    false => body.to_owned(),
                };
                prepared.id = id(self.post(path, &body).await);
            }
            Made::Own(path, body) => {
                let maker = if who.may(column) { column } else { 0 };
                let client = self.app.with_token(&self.tokens[maker]);
                let path = format!("/api/v2{}", self.filled(path, &prepared));
                let body = serde_json::from_str(&self.filled(body, &prepared)).unwrap();
                prepared.id = id(made(client.post(&path, body).await));
            }
            Made::Stranger => prepared.email = Some(self.stranger().await),
            Made::Photo => prepared.id = Some(self.photo().await),
            Made::Person => {
                let email = format!("person{}@example.org", self.number());
                let user = person(&self.app, &email, column == 0).await;
                let anonymous = column == ROLES.len() - 1;
                if !anonymous {
                    let token = self.app.store.create_token(user.id, "own").await;
                    prepared.token = Some(token.unwrap());
                }
                prepared.email = Some(email);
            }
            Made::Project => {
                let made = self.post("/projects/", r#"{"name": "Made $n"}"#).await;
                prepared.id = id(made);
                self.give_roles(prepared.id.unwrap()).await;
            }
            Made::Listed => {
                let path = "/taxa/lists/?project_id=$shop";
                let list = self.post(path, r#"{"name": "List $n"}"#).await;
                let path = format!("/taxa/lists/{}/taxa/", list["id"]);
                self.post(&path, r#"{"taxon_id": "$taxon"}"#).await;
                prepared.id = id(list);
            }
            Made::Job(state) => prepared.id = Some(self.job(state).await),
        }
        prepared
    }

    /// The address of somebody new.
    async fn stranger(&self) -> String {
        let email = format!("stranger{}@example.org", self.number());
        person(&self.app, &email, false).await;
        email
    }

    /// A photograph that a superuser has sent.
    async fn photo(&self) -> i64 {
        let fill = |text: &str| self.filled(text, &Prepared::default());
        let name = fill("20260714230000-sent-$n.jpg");
        let fields = [("project_id", fill("$shop")), ("deployment", fill("$yard"))];
        let fields = fields
            .each_ref()
            .map(|(name, value)| (*name, value.as_str()));
        let path = "/api/v2/captures/upload/?process_now=False";
        let picture = jpeg(64, 48);
        let files = [("image", name.as_str(), picture.as_slice())];
        let client = self.superuser();
        let sent = client.form(reqwest::Method::POST, path, &fields, &files);
        made(sent.await)["source_image"]["id"].as_i64().unwrap()
    }

    /// An ML job in this state; no runner takes it.
    async fn job(&self, state: &str) -> i64 {
        const BODY: &str = r#"{"delay": 0, "name": "Row $n", "project_id": "$shop",
            "pipeline_id": "$pipeline", "source_image_collection_id": "$heap"}"#;
        let path = match state {
            "CREATED" => "/jobs/",
            _ => "/jobs/?start_now",
        };
        let id = self.post(path, BODY).await["id"].as_i64().unwrap();
        if state == "REVOKED" {
            self.post(&format!("/jobs/{id}/cancel/"), "{}").await;
        }
        let job = self.app.store.job(id).await.unwrap();
        assert_eq!(job.state, state);
        id
    }
}

fn made(answer: Answer) -> Value {
    assert!(
        answer.status.is_success(),
        "{}: {}",
        answer.status,
        answer.text
    );
    serde_json::from_str(&answer.text).unwrap_or(json!({}))
}

fn first(list: &Value, fits: impl Fn(&Value) -> bool) -> &Value {
    let rows = list["results"].as_array().unwrap();
    let found = rows.iter().find(|row| fits(row));
    found.unwrap_or_else(|| panic!("the demo lacks a row: {list}"))
}

async fn person(app: &TestApp, email: &str, superuser: bool) -> User {
    let new = NewUser {
        email: email.to_owned(),
        password: "secret".to_owned(),
        name: email.split('@').next().unwrap_or_default().to_owned(),
        is_staff: superuser,
        is_superuser: superuser,
    };
    app.store.create_user(new).await.unwrap()
}

/// How many rows of each kind somebody finds who may see all, where there are any.
async fn counts(app: &TestApp) -> Vec<(&'static str, i64)> {
    let user = person(app, "counter@example.org", true).await;
    let token = app.store.create_token(user.id, "counter").await.unwrap();
    let client = app.with_token(&token);
    let mut counts = Vec::new();
    for list in [
        "projects/",
        "deployments/",
        "deployments/sites/",
        "deployments/devices/",
        "storage/?project_id=1",
        "captures/?project_id=1",
        "captures/collections/",
        "events/",
        "occurrences/?project_id=1",
        "identifications/",
        "taxa/?project_id=1&include_unobserved=true",
        "taxa/lists/?project_id=1",
        "tags/",
        "pages/",
        "projects/1/members/",
        "ml/pipelines/",
        "ml/processing_services/?project_id=1",
    ] {
        let body = client.get(&format!("/api/v2/{list}")).await.json();
        let count = body["count"]
            .as_i64()
            .unwrap_or_else(|| panic!("{list}: {body}"));
        assert!(count > 0, "the demo has nothing in {list}");
        counts.push((list, count));
    }
    app.store.delete_user(user.id).await.unwrap();
    counts
}

/// `hawkmoth demo`, to its end.
pub async fn demo(fresh: &Fresh, folder: &Path) {
    let mut command = hawkmoth();
    command
        .args(["demo", "--exit", "--bind", "127.0.0.1:0", "--data"])
        .arg(folder)
        .args(["--database-url", &fresh.url]);
    let output = tokio::task::spawn_blocking(move || command.output().unwrap());
    let output = output.await.unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}\n{errors}");
}
