//! Sends the recorded requests to the real router and compares its answers. The idea: one pass in
//! the order of the recording over one database; new rows get the ids they got then.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::{DateTime, Utc};
use domain::state::JobState;
use serde_json::Value;
use store::StoreError;
use store::testing::{Fresh, rows};

use super::bucket::{self, Bucket};
use super::compare::{Compare, Difference, Rule};
use super::imported::Antenna;
use super::recorder::named_job;
use super::recording::{Exchange, Step, What};
use super::request::{Answer, HOST, read};
use super::service::{self, Service};
use super::sheet::{self, Line};
use super::tables::{self, Moment};
use super::unwritten;
use super::verdict::differences;
use crate::app::TestApp;

pub struct Replay<'a> {
    pub app: TestApp,
    root: PathBuf,
    pub http: reqwest::Client,
    /// Tokens of people by role.
    pub tokens: HashMap<String, String>,
    /// The table of jobs.
    pub jobs: HashMap<i64, Line>,
    /// Texts that were made anew: as recorded, and as they are here.
    pub made: Vec<(String, String)>,
    pub store: &'a store::Store,
    pub service: Service,
    pub bucket: Bucket,
    /// Tasks that were given to somebody whom the reference refused: by address.
    pub given: Vec<(String, Answer)>,
    /// Whether jobs are run.
    workers: bool,
    /// From where rows are imported; none where they are written by the test.
    world: Option<Antenna>,
}

/// How a step went.
pub enum Outcome {
    Holds,
    Differs(Vec<Difference>),
    /// The reference itself failed.
    Fault,
}

impl<'a> Replay<'a> {
    pub async fn start(
        fresh: &'a Fresh,
        root: &Path,
        workers: bool,
        world: Option<Antenna>,
    ) -> Replay<'a> {
        let zone = "America/New_York".parse().unwrap();
        let app = TestApp::start_with(fresh, |state| state.in_zone(zone)).await;
        if workers {
            app.work();
        }
        let service = Service::start(root).await;
        let bucket = Bucket::start(root, &app.tools.links.vault()).await;
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
            made: vec![
                (service::ADDRESS.to_owned(), service.address.clone()),
                (bucket::ADDRESS.to_owned(), bucket.address.clone()),
            ],
            store: &fresh.store,
            service,
            bucket,
            given: Vec::new(),
            workers,
            world,
        }
    }

    /// Adds what was there by then and is not there yet.
    pub async fn reach(&mut self, instant: DateTime<Utc>) {
        let jobs = rows::ids(self.store, "job").await.unwrap();
        match self.world.take() {
            None => self.write(instant, &jobs).await,
            Some(mut antenna) => {
                self.import(&mut antenna, instant, &jobs).await;
                self.world = Some(antenna);
            }
        }
    }

    /// Writes the rows of an instant, and counts what lists show.
    async fn write(&self, instant: DateTime<Utc>, jobs: &HashSet<i64>) {
        let moment = Moment {
            instant,
            workers: self.workers,
            service: &self.service.address,
            bucket: &self.bucket,
        };
        let rows = tables::until(&self.root, &moment, jobs);
        rows::insert(self.store, &rows).await.unwrap();
        let captures = rows::ids(self.store, "capture").await.unwrap();
        let captures: Vec<i64> = captures.into_iter().collect();
        self.store.recount_captures(&captures).await.unwrap();
        self.store.recount_occurrences().await.unwrap();
        for session in rows::ids(self.store, "session").await.unwrap() {
            self.store.refresh_session(session).await.unwrap();
        }
        self.store.recount_sets().await.unwrap();
    }

    pub async fn step(&mut self, step: &Step) -> Outcome {
        match &step.what {
            What::Series { job, last } => {
                if let Some(job) = unwritten::drained(&step.name) {
                    self.drain(job).await;
                }
                self.series(*job, last).await
            }
            What::Exchange(exchange) => self.exchange(&step.name, exchange).await,
        }
    }

    async fn exchange(&mut self, name: &str, recorded: &Exchange) -> Outcome {
        // What failed there changed nothing there, and might here.
        if recorded.status >= 500 && recorded.method != "GET" {
            return Outcome::Fault;
        }
        self.prepare(recorded).await;
        if let Some(job) = unwritten::waiting(name) {
            self.begun(job).await;
        }
        if let Some(job) = unwritten::over(name) {
            self.ended(job).await;
        }
        let mut answer = self.send(name, recorded).await;
        // A job may give way to another one that nobody works on: the worker polls, and asks again.
        let tasks = recorded.answer["tasks"].as_array();
        for _ in 0..20 {
            if tasks.is_none_or(Vec::is_empty) || !answer.text.contains("\"tasks\":[]") {
                break;
            }
            self.poll(&recorded.path, &self.authorized(recorded)).await;
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
        let found = differences(name, recorded, &answer);
        if recorded.status == 403 && answer.status == 200 {
            self.given.push((recorded.path.clone(), answer));
        }
        outcome(found)
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
        let answer = self.told(read(call).await);
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
}

fn outcome(found: Vec<Difference>) -> Outcome {
    if found.is_empty() {
        Outcome::Holds
    } else {
        Outcome::Differs(found)
    }
}
