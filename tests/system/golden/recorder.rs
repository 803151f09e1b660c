//! What the recorder did between the requests that it wrote down: jobs made and deleted, results
//! posted one by one, pauses. The idea: it is done here with the same requests where it can be.

use std::time::Duration;

use chrono::{NaiveDateTime, TimeZone};
use chrono_tz::America::New_York;
use domain::permission::Permit;
use serde_json::{Value, json};
use store::StoreError;
use store::job::JobChange;
use store::testing::rows;

use super::recording::Exchange;
use super::replay::Replay;
use super::request::{Answer, read};
use super::sheet::Line;
use super::unwritten;

impl Replay<'_> {
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

    /// Makes a job as the recorder did between recorded requests.
    pub async fn make_job(&mut self, id: i64, body: &Value) {
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
        let call = self.posted(&format!("/api/v2/jobs/{start}"), &body);
        let answer = read(call).await;
        self.settle(&answer).await;
        let Some(line) = self.jobs.get(&id) else {
            return;
        };
        // Past the API, which refuses those that are wrong.
        let params = line
            .json("params")
            .filter(|params| params["task"].is_string());
        if params.is_some() {
            let change = JobChange {
                params,
                ..JobChange::default()
            };
            let changed = self.store.change_job(Permit::BY_PROGRAM, id, change);
            changed.await.unwrap();
        }
        if let Some(made) = line.made() {
            rows::set_times(self.store, "job", id, made, made)
                .await
                .unwrap();
        }
    }

    /// Deletes the job that the recorded request deleted, where it may not be deleted here.
    pub async fn delete(&self, recorded: &Exchange) {
        let deleted = recorded.method == "DELETE" && recorded.status == 204;
        if let Some(id) = named_job(&recorded.path).filter(|_| deleted) {
            self.delete_job(id).await;
        }
    }

    pub async fn delete_job(&self, id: i64) {
        let _ = self.store.cancel_job(Permit::BY_PROGRAM, id).await;
        for _ in 0..100 {
            match self.store.delete_job(Permit::BY_PROGRAM, id).await {
                Err(StoreError::Conflict(_)) => tokio::time::sleep(Duration::from_millis(20)).await,
                _ => return,
            }
        }
    }

    /// A new job was made when the recorded one was: lists are in the order of that.
    pub async fn date(&self, recorded: &Exchange) {
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

    /// Fetches and answers what is left of a job, and what was given to those whom the reference
    /// refused.
    pub async fn drain(&self, job: i64) {
        let path = format!("/api/v2/jobs/{job}/tasks/");
        for (_, answer) in self.given.iter().filter(|(given, _)| *given == path) {
            self.answer_tasks(&path, answer, 0).await;
        }
        // Who has polled just now is given tasks, whatever other job waits.
        let superuser = format!("Token {}", self.tokens["superuser"]);
        self.poll(&path, &superuser).await;
        let call = self.posted(&path, &json!({"batch_size": 64}));
        let answer = read(call).await;
        self.answer_tasks(&path, &answer, 0).await;
    }

    /// Asks which jobs of the same pipeline wait, as a worker does that was given nothing.
    pub async fn poll(&self, path: &str, authorization: &str) {
        let slug = self.pipeline_of(path).await;
        let path = format!("/api/v2/jobs/?ids_only=1&pipeline__slug__in={slug}");
        let call = self.http.get(format!("{}{path}", self.app.url));
        read(call.header("Authorization", authorization)).await;
    }

    /// Posts the results of the tasks of an answer, as the recorder did one by one.
    pub async fn answer_tasks(&self, path: &str, answer: &Answer, errors: usize) {
        let body: Value = serde_json::from_str(&answer.text).unwrap_or_default();
        let tasks = body["tasks"].as_array().cloned().unwrap_or_default();
        let pipeline = self.pipeline_of(path).await;
        for (n, task) in tasks.iter().enumerate() {
            let text = |key: &str| task[key].as_str().unwrap_or_default();
            let (image, reply) = (text("image_id"), text("reply_subject"));
            let result = unwritten::result(&pipeline, image, reply, n < errors);
            let path = path.replace("/tasks/", "/result/");
            read(self.posted(&path, &json!({"results": [result]}))).await;
        }
    }

    /// The slug of the pipeline of the job that an address names.
    async fn pipeline_of(&self, path: &str) -> String {
        let job = self.store.job(named_job(path).unwrap()).await.unwrap();
        let pipeline = self.store.pipeline(job.pipeline_id.unwrap()).await;
        pipeline.unwrap().slug
    }

    /// A request of the superuser's.
    fn posted(&self, path: &str, body: &Value) -> reqwest::RequestBuilder {
        let call = self.http.post(format!("{}{path}", self.app.url));
        let token = format!("Token {}", self.tokens["superuser"]);
        let call = call.header("Authorization", token);
        let call = call.header("Content-Type", "application/json");
        call.body(body.to_string())
    }

    /// Waits until a job's first stage has got somewhere.
    pub async fn begun(&self, job: i64) {
        for _ in 0..300 {
            let stages = self.store.job(job).await.unwrap().own_stages();
            if stages.first().is_some_and(|stage| stage.progress > 0.0) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Waits until a job has ended.
    pub async fn ended(&self, job: i64) {
        for _ in 0..500 {
            if self.store.job(job).await.unwrap().job_state().is_final() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Waits until the job of an answer rests, as the recorder did between requests.
    pub async fn settle(&self, answer: &Answer) {
        let Ok(body) = serde_json::from_str::<Value>(&answer.text) else {
            return;
        };
        let id = body["job_id"]
            .as_i64()
            .or(body["id"].as_i64().filter(|_| body["job_type"].is_object()));
        let Some(id) = id else { return };
        for _ in 0..500 {
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

/// The job that an address names.
pub fn named_job(path: &str) -> Option<i64> {
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
