//! Sends the recorded requests to the real router and compares its answers. The idea: one pass in
//! the order of the recording over one database; new rows get the ids they got then, and what the
//! recorder did without writing it down is done here too.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::{DateTime, NaiveDateTime, TimeZone, Utc};
use chrono_tz::America::New_York;
use domain::permission::Permit;
use domain::state::JobState;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, json};
use store::StoreError;
use store::testing::{Fresh, rows};

use super::compare::{Compare, Difference, Rule};
use super::recording::{Exchange, Step, What};
use super::sheet::{self, Line};
use super::{tables, unwritten};
use crate::app::TestApp;

/// The address that the recorded server had.
const HOST: &str = "127.0.0.1:8000";

pub struct Replay<'a> {
    app: TestApp,
    root: PathBuf,
    http: reqwest::Client,
    /// Tokens of people by role.
    tokens: HashMap<String, String>,
    jobs: HashMap<i64, Line>,
    /// Texts that were made anew: as recorded, and as they are here.
    made: Vec<(String, String)>,
    store: &'a store::Store,
}

/// What the server answered.
struct Answer {
    status: u16,
    headers: HeaderMap,
    text: String,
}

/// How a step went.
pub enum Outcome {
    Holds,
    Differs(Vec<Difference>),
    /// The reference itself failed.
    Fault,
}

impl<'a> Replay<'a> {
    pub async fn start(fresh: &'a Fresh, root: &Path) -> Replay<'a> {
        let zone = "America/New_York".parse().unwrap();
        let app = TestApp::start_with(fresh, |state| state.in_zone(zone)).await;
        app.work();
        let people: HashMap<i64, String> = sheet::read(root, "authtoken_token")
            .iter()
            .map(|line| (line.int("user_id").unwrap(), line.text("key")))
            .collect();
        let role = |line: &Line| {
            let email = line.text("email");
            let name = match email.strip_suffix("@example.org") {
                Some(name) => name.to_owned(),
                None if email == "antenna@insectai.org" => "superuser".to_owned(),
                None => return None,
            };
            Some((name, people.get(&line.int("id")?)?.clone()))
        };
        let users = sheet::read(root, "users_user");
        let jobs = sheet::read(root, "jobs_job");
        Replay {
            app,
            root: root.to_owned(),
            http: reqwest::Client::builder()
                .redirect(reqwest::redirect::Policy::none())
                .build()
                .unwrap(),
            tokens: users.iter().filter_map(role).collect(),
            jobs: jobs
                .into_iter()
                .map(|l| (l.int("id").unwrap(), l))
                .collect(),
            made: Vec::new(),
            store: &fresh.store,
        }
    }

    /// Adds what was there by then and is not there yet.
    pub async fn reach(&self, instant: DateTime<Utc>) {
        let jobs = rows::ids(self.store, "job").await.unwrap();
        let rows = tables::until(&self.root, instant, &jobs);
        rows::insert(self.store, &rows).await.unwrap();
        // The tables know nothing of what lists are ordered by here.
        let captures = rows::ids(self.store, "capture").await.unwrap();
        let captures: Vec<i64> = captures.into_iter().collect();
        self.store.recount_captures(&captures).await.unwrap();
        self.store.recount_occurrences().await.unwrap();
    }

    /// Makes the jobs that the recorder made before a folder, where no request names them first,
    /// and deletes those that were gone.
    pub async fn make_jobs(&mut self, folder: &str) {
        for id in unwritten::jobs_gone(folder) {
            self.delete_job(*id).await;
        }
        for id in unwritten::jobs_before(folder) {
            self.make_job(id, &Value::Null).await;
        }
    }

    pub async fn step(&mut self, step: &Step) -> Outcome {
        match &step.what {
            What::Series { job, last } => self.series(*job, last).await,
            What::Exchange(exchange) => self.exchange(&step.name, exchange).await,
        }
    }

    async fn exchange(&mut self, name: &str, recorded: &Exchange) -> Outcome {
        // What failed there changed nothing there, and might here.
        if recorded.status >= 500 && recorded.method != "GET" {
            return Outcome::Fault;
        }
        self.prepare(recorded).await;
        let mut answer = self.send(name, recorded).await;
        // A job may give way to another one that nobody works on; a worker then asks again.
        let tasks = recorded.answer["tasks"].as_array();
        for _ in 0..20 {
            if tasks.is_none_or(Vec::is_empty) || !answer.text.contains("\"tasks\":[]") {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
            answer = self.send(name, recorded).await;
        }
        self.remember(recorded, &answer);
        self.settle(&answer).await;
        self.date(recorded).await;
        self.delete(recorded).await;
        if let Some(errors) = unwritten::errors_of(name) {
            self.answer_tasks(&recorded.path, &answer, errors).await;
        }
        if recorded.status >= 500 {
            return Outcome::Fault;
        }
        outcome(compare(recorded, &answer))
    }

    /// Compares the job at its end: keys, stages and figures.
    async fn series(&mut self, id: i64, last: &Value) -> Outcome {
        if matches!(self.store.job(id).await, Err(StoreError::NotFound(_))) {
            self.make_job(id, last).await;
        }
        let open = ["CREATED", "PENDING", "STARTED"];
        let ended = !open.iter().any(|state| last["status"] == *state);
        for _ in 0..200 {
            let Ok(job) = self.store.job(id).await else {
                break;
            };
            let at_work = matches!(job.job_state(), JobState::Pending | JobState::Started);
            let with_workers = job.dispatch_mode == "async_api" && job.total.is_some();
            if !at_work || (with_workers && !ended) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let url = format!("{}/api/v2/jobs/{id}/", self.app.url);
        let call = self.http.get(url).header("Host", HOST).header(
            "Authorization",
            format!("Token {}", self.tokens["superuser"]),
        );
        let answer = read(call).await;
        let mut compare = Compare {
            found: vec![],
            prose: false,
        };
        match serde_json::from_str(&answer.text) {
            Ok(ours) => compare.value("", &unwritten::amended(last), &ours, Rule::Values),
            Err(_) => compare.note("", format!("no JSON: {}", answer.status)),
        }
        outcome(compare.found)
    }

    /// Brings about what the request finds: the job it names, and the ids that it will give.
    async fn prepare(&mut self, recorded: &Exchange) {
        if let Some(id) = named_job(&recorded.path)
            && recorded.status != 404
            && matches!(self.store.job(id).await, Err(StoreError::NotFound(_)))
        {
            self.make_job(id, &recorded.answer).await;
        }
        for (table, id) in unwritten::given_ids(recorded) {
            rows::next_id(self.store, table, id).await.unwrap();
        }
    }

    /// Makes a job as the recorder did between recorded requests.
    async fn make_job(&mut self, id: i64, body: &Value) {
        let from_table = self.jobs.get(&id).map(job_body);
        let body = from_table.or_else(|| unwritten::job(id)).or_else(|| {
            (body["id"] == id).then(|| {
                json!({
                    "name": body["name"], "delay": body["delay"], "shuffle": body["shuffle"],
                    "project_id": body["project"]["id"],
                    "pipeline_id": body["pipeline"]["id"],
                    "deployment_id": body["deployment"]["id"],
                    "source_image_collection_id": body["source_image_collection"]["id"],
                    "source_image_single_id": body["source_image_single"]["id"],
                    "job_type_key": body["job_type"]["key"],
                })
            })
        });
        let Some(body) = body else { return };
        rows::next_id(self.store, "job", id).await.unwrap();
        let start = if unwritten::STARTED.contains(&id) {
            "?start_now=1"
        } else {
            ""
        };
        let url = format!("{}/api/v2/jobs/{start}", self.app.url);
        let token = format!("Token {}", self.tokens["superuser"]);
        let call = self.http.post(url).header("Authorization", token);
        let call = call.header("Content-Type", "application/json");
        let answer = read(call.body(body.to_string())).await;
        self.settle(&answer).await;
        if let Some(made) = self.jobs.get(&id).and_then(Line::made) {
            rows::set_times(self.store, "job", id, made, made)
                .await
                .unwrap();
        }
    }

    /// Deletes the job that the recorded request deleted, where it may not be deleted here.
    async fn delete(&self, recorded: &Exchange) {
        let deleted = recorded.method == "DELETE" && recorded.status == 204;
        if let Some(id) = named_job(&recorded.path).filter(|_| deleted) {
            self.delete_job(id).await;
        }
    }

    async fn delete_job(&self, id: i64) {
        let _ = self.store.cancel_job(Permit::BY_PROGRAM, id).await;
        for _ in 0..100 {
            match self.store.delete_job(Permit::BY_PROGRAM, id).await {
                Err(StoreError::Conflict(_)) => tokio::time::sleep(Duration::from_millis(20)).await,
                _ => return,
            }
        }
    }

    async fn send(&self, name: &str, recorded: &Exchange) -> Answer {
        let url = format!("{}{}", self.app.url, recorded.path);
        let mut headers = HeaderMap::new();
        let mut set = |name: &str, value: &str| {
            // Bytes and not text: one recorded header is not ASCII.
            let bytes: Vec<u8> = value.chars().map(|c| c as u32 as u8).collect();
            let name: HeaderName = name.parse().unwrap();
            headers.insert(name, HeaderValue::from_bytes(&bytes).unwrap());
        };
        set("Host", HOST);
        for (name, value) in &recorded.headers {
            set(name, value);
            if name == "Origin" && recorded.method == "OPTIONS" {
                set("Access-Control-Request-Method", "GET");
            }
        }
        if let Some(accept) = &recorded.accept {
            set("Accept", accept);
        }
        if let Some(kind) = &recorded.content_type {
            set("Content-Type", kind);
        }
        if let Some(text) = &recorded.authorization {
            let role = text
                .strip_prefix("Token <")
                .and_then(|t| t.strip_suffix('>'));
            match role {
                Some(role) => set("Authorization", &format!("Token {}", self.tokens[role])),
                None => set("Authorization", &self.renewed(text)),
            }
        }
        let method = reqwest::Method::from_bytes(recorded.method.as_bytes()).unwrap();
        let call = self.http.request(method, url).headers(headers);
        let body = unwritten::body(name, recorded).unwrap_or_else(|| body(recorded));
        let body = match String::from_utf8(body) {
            Ok(text) => self.renewed(&text).into_bytes(),
            Err(bytes) => bytes.into_bytes(),
        };
        read(if body.is_empty() {
            call
        } else {
            call.body(body)
        })
        .await
    }

    fn renewed(&self, text: &str) -> String {
        let swap = |text: String, (old, new): &(String, String)| text.replace(old, new);
        self.made.iter().fold(text.to_owned(), swap)
    }

    /// A new job was made when the recorded one was: lists are in the order of that.
    async fn date(&self, recorded: &Exchange) {
        let made = &recorded.answer;
        let instant = |key: &str| {
            let text = made[key].as_str()?;
            let local: NaiveDateTime = text.parse().ok()?;
            Some(New_York.from_local_datetime(&local).single()?.to_utc())
        };
        for (_, id) in unwritten::given_ids(recorded)
            .iter()
            .filter(|(table, _)| *table == "job")
        {
            if let Some(made) = self.jobs.get(id).and_then(Line::made) {
                rows::set_times(self.store, "job", *id, made, made)
                    .await
                    .unwrap();
            }
        }
        let times = instant("created_at").zip(instant("updated_at"));
        if let (201, true, Some(id), Some((created, updated))) = (
            recorded.status,
            made["job_type"].is_object(),
            made["id"].as_i64(),
            times,
        ) {
            rows::set_times(self.store, "job", id, created, updated)
                .await
                .unwrap();
        }
    }

    /// Posts the results of the tasks of an answer, as the recorder did one by one.
    async fn answer_tasks(&self, path: &str, answer: &Answer, errors: usize) {
        let body: Value = serde_json::from_str(&answer.text).unwrap_or_default();
        let tasks = body["tasks"].as_array().cloned().unwrap_or_default();
        let url = format!("{}{}", self.app.url, path.replace("/tasks/", "/result/"));
        for (n, task) in tasks.iter().enumerate() {
            let text = |key: &str| task[key].as_str().unwrap_or_default();
            let result = unwritten::result(text("image_id"), text("reply_subject"), n < errors);
            let token = format!("Token {}", self.tokens["superuser"]);
            let call = self.http.post(&url).header("Authorization", token);
            let call = call.header("Content-Type", "application/json");
            read(call.body(json!({"results": [result]}).to_string())).await;
        }
    }

    /// Tokens and receipts that later requests show again.
    fn remember(&mut self, recorded: &Exchange, answer: &Answer) {
        let Ok(ours) = serde_json::from_str::<Value>(&answer.text) else {
            return;
        };
        let mut pair = |old: &Value, new: &Value| {
            if let (Some(old), Some(new)) = (old.as_str(), new.as_str()) {
                self.made.push((old.to_owned(), new.to_owned()));
            }
        };
        let theirs = &recorded.answer;
        pair(&theirs["auth_token"], &ours["auth_token"]);
        let tasks = |value: &Value| value["tasks"].as_array().cloned().unwrap_or_default();
        for task in tasks(theirs) {
            let same = tasks(&ours)
                .into_iter()
                .find(|ours| ours["id"] == task["id"]);
            if let Some(same) = same {
                pair(&task["reply_subject"], &same["reply_subject"]);
            }
        }
    }

    /// Waits until the job of an answer rests, as the recorder did between requests.
    async fn settle(&self, answer: &Answer) {
        let Ok(body) = serde_json::from_str::<Value>(&answer.text) else {
            return;
        };
        let id = body["job_id"]
            .as_i64()
            .or(body["id"].as_i64().filter(|_| body["job_type"].is_object()));
        let Some(id) = id else { return };
        for _ in 0..100 {
            let Ok(job) = self.store.job(id).await else {
                return;
            };
            let created = job.state == "CREATED";
            let fed = job.dispatch_mode == "async_api" && job.total.is_some();
            if created || job.job_state().is_final() || fed || job.delay > 0 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

fn outcome(found: Vec<Difference>) -> Outcome {
    if found.is_empty() {
        Outcome::Holds
    } else {
        Outcome::Differs(found)
    }
}

async fn read(call: reqwest::RequestBuilder) -> Answer {
    let answer = call.send().await.unwrap();
    Answer {
        status: answer.status().as_u16(),
        headers: answer.headers().clone(),
        text: answer.text().await.unwrap(),
    }
}

/// The job that an address names.
fn named_job(path: &str) -> Option<i64> {
    let rest = path.strip_prefix("/api/v2/jobs/")?;
    rest.split(['/', '?', '.']).next()?.parse().ok()
}

/// A row of the table of jobs as the body that makes it.
fn job_body(line: &Line) -> Value {
    json!({
        "name": line.text("name"),
        "delay": line.int("delay"),
        "limit": line.int("limit"),
        "shuffle": line.bool("shuffle"),
        "project_id": line.int("project_id"),
        "deployment_id": line.int("deployment_id"),
        "source_image_collection_id": line.int("source_image_collection_id"),
        "source_image_single_id": line.int("source_image_single_id"),
        "pipeline_id": line.int("pipeline_id"),
        "job_type_key": line.text("job_type_key"),
    })
}

/// The body as it was sent.
fn body(recorded: &Exchange) -> Vec<u8> {
    let kind = recorded.content_type.as_deref().unwrap_or_default();
    match &recorded.body {
        Value::Null => Vec::new(),
        Value::String(text) => text.clone().into_bytes(),
        Value::Object(fields) if kind.starts_with("application/x-www-form-urlencoded") => {
            let mut form = url::form_urlencoded::Serializer::new(String::new());
            for (name, value) in fields {
                form.append_pair(name, value.as_str().unwrap_or_default());
            }
            form.finish().into_bytes()
        }
        other => other.to_string().into_bytes(),
    }
}

fn compare(recorded: &Exchange, answer: &Answer) -> Vec<Difference> {
    let options = recorded.method == "OPTIONS";
    let mut compare = Compare {
        found: vec![],
        prose: options,
    };
    if recorded.status != answer.status {
        let start: String = answer.text.chars().take(160).collect();
        let what = format!(
            "{} recorded, {} here: {start}",
            recorded.status, answer.status
        );
        compare.note("status", what);
        return compare.found;
    }
    for name in ["content-type", "allow", "www-authenticate", "location"] {
        let theirs = recorded.answer_headers[name].as_str();
        let ours = answer.headers.get(name).and_then(|v| v.to_str().ok());
        if theirs != ours {
            let what = format!("{theirs:?} recorded, {ours:?} here");
            compare.note(&format!("header {name}"), what);
        }
    }
    body_holds(&mut compare, recorded, answer);
    compare.found
}

fn body_holds(compare: &mut Compare, recorded: &Exchange, answer: &Answer) {
    match &recorded.answer {
        Value::Null => {}
        Value::String(text) if text.is_empty() => {
            if !answer.text.is_empty() {
                compare.note("", format!("a body here: {}", answer.text));
            }
        }
        Value::String(text) if text.starts_with("<html page") => {
            if !answer.text.contains("<html") {
                compare.note("", "no HTML page here".to_owned());
            }
        }
        Value::String(text) if text.starts_with("openapi") => {
            if !answer.text.starts_with("openapi") {
                compare.note("", "no schema here".to_owned());
            }
        }
        theirs if theirs.get("openapi").is_some() => {
            if !answer.text.contains("\"openapi\"") {
                compare.note("", "no schema here".to_owned());
            }
        }
        theirs => {
            let theirs = &unwritten::amended(theirs);
            let Ok(ours) = serde_json::from_str::<Value>(&answer.text) else {
                let start: String = answer.text.chars().take(120).collect();
                compare.note("", format!("no JSON here: {start}"));
                return;
            };
            let rule = if recorded.status >= 400 {
                Rule::Words
            } else {
                Rule::Values
            };
            if unwritten::at_random(&recorded.path) {
                compare.value("count", &theirs["count"], &ours["count"], rule);
                compare.value("", theirs, &ours, Rule::Shape);
            } else if let Some(field) = unwritten::loose_order(&recorded.path) {
                compare.ordered(theirs, &ours, field);
            } else {
                compare.value("", theirs, &ours, rule);
            }
        }
    }
}
