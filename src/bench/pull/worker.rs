//! One worker (`adc-worker.md` §2, §3): it polls without the last slash and follows redirects,
//! takes ids as texts only, downloads photographs without its token, and leaves a job when its
//! queue looks empty. Unlike the reference's it posts again what was not answered, which a server
//! must stand.

use std::time::Duration;

use reqwest::{Client, RequestBuilder, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::luck;
use super::servers::Servers;
use crate::settings::BenchPull;

/// What a request for images or jobs may take, and what posting may take.
const PATIENCE: Duration = Duration::from_secs(30);
const POSTING: Duration = Duration::from_secs(60);
/// A GET is tried again so often, and a post whose answer was lost.
const TRIES: u32 = 3;
const POSTS: u32 = 20;

/// What workers saw.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    pub polls: u64,
    pub fetched: u64,
    pub broken: u64,
    pub posts: u64,
    pub lost: u64,
    pub twice: u64,
    /// Batches that were never answered.
    pub dropped: u64,
    /// Answers that were none, or errors.
    pub faults: u64,
    /// Answers that are against the contract.
    pub oddities: Vec<String>,
}

impl Seen {
    /// Takes in what another worker saw.
    pub fn add(&mut self, other: &Seen) {
        self.polls += other.polls;
        self.fetched += other.fetched;
        self.broken += other.broken;
        self.posts += other.posts;
        self.lost += other.lost;
        self.twice += other.twice;
        self.dropped += other.dropped;
        self.faults += other.faults;
        self.oddities.extend(other.oddities.iter().cloned());
    }
}

#[derive(Deserialize)]
struct Polled {
    results: Vec<Offered>,
}

#[derive(Deserialize)]
struct Offered {
    id: i64,
    pipeline_slug: String,
}

#[derive(Deserialize)]
struct Tasks {
    tasks: Vec<Task>,
}

#[derive(Clone, Deserialize)]
struct Task {
    id: String,
    image_id: String,
    image_url: String,
    reply_subject: Option<String>,
}

#[derive(Deserialize)]
struct Accepted {
    status: String,
    job_id: i64,
    results_queued: usize,
    tasks: Vec<AcceptedTask>,
}

#[derive(Deserialize)]
struct AcceptedTask {
    reply_subject: String,
    status: String,
    task_id: String,
}

/// The worker.
pub struct Worker {
    api: Client,
    images: Client,
    servers: Servers,
    token: String,
    pipelines: Vec<String>,
    batch: u32,
    lost: u32,
    pause: Duration,
    seed: u64,
    draws: u64,
    seen: Seen,
}

impl Worker {
    /// The worker with this number.
    pub fn new(
        settings: &BenchPull,
        servers: &[String],
        token: &str,
        pipelines: &[String],
        number: u32,
    ) -> Worker {
        Worker {
            api: Client::new(),
            images: Client::new(),
            servers: Servers::new(servers, number),
            token: format!("Token {token}"),
            pipelines: pipelines.to_vec(),
            batch: settings.batch,
            lost: settings.lost,
            pause: Duration::from_millis(settings.pause_ms.into()),
            seed: luck::draw(settings.seed, u64::from(number)),
            draws: 0,
            seen: Seen::default(),
        }
    }

    /// Works until so many polls in a row brought nothing; for ever with 0.
    pub async fn run(mut self, idle: u32) -> Seen {
        let mut empty = 0;
        while idle == 0 || empty < idle {
            let mut worked = false;
            for job in self.poll().await {
                if !self.pipelines.contains(&job.pipeline_slug) {
                    let words = format!("a job of pipeline {} was offered", job.pipeline_slug);
                    self.seen.oddities.push(words);
                    continue;
                }
                worked |= self.drain(&job).await;
            }
            empty = if worked { 0 } else { empty + 1 };
            if !worked {
                tokio::time::sleep(self.pause).await;
            }
        }
        self.seen
    }

    fn lucky(&mut self, percent: u32) -> bool {
        self.draws += 1;
        luck::of_hundred(self.seed, self.draws, percent)
    }

    /// Jobs in the order of work; one that does not validate spoils the list.
    async fn poll(&mut self) -> Vec<Offered> {
        self.seen.polls += 1;
        let url = self.servers.address(&format!(
            "jobs?pipeline__slug__in={}&ids_only=1&incomplete_only=1&dispatch_mode=async_api",
            self.pipelines.join("%2C")
        ));
        let call = |url: &str| {
            let call = self.api.get(url).header("Authorization", &self.token);
            call.timeout(PATIENCE)
        };
        let answer = self.get(&url, call).await;
        match answer.and_then(|bytes| serde_json::from_slice::<Polled>(&bytes).ok()) {
            Some(polled) => polled.results,
            None => {
                self.seen.faults += 1;
                Vec::new()
            }
        }
    }

    /// Works on one job until its queue looks empty; whether there was anything.
    async fn drain(&mut self, job: &Offered) -> bool {
        let mut any = false;
        let path = format!("jobs/{}/tasks/", job.id);
        loop {
            let body = json!({"batch_size": self.batch});
            let answer: Option<Tasks> = self.answer(&path, &body, PATIENCE).await;
            let Some(Tasks { tasks }) = answer else {
                self.seen.faults += 1;
                return any; // until the next poll
            };
            if tasks.is_empty() {
                return any;
            }
            any = true;
            self.seen.fetched += tasks.len() as u64;
            let loaded = futures_util::future::join_all(tasks.iter().map(|t| self.load(t))).await;
            self.seen.broken += loaded.iter().filter(|loaded| !**loaded).count() as u64;
            let results = tasks.iter().zip(loaded);
            let results = results.map(|(task, loaded)| result(task, loaded, &job.pipeline_slug));
            let body = json!({"results": results.collect::<Vec<_>>()});
            self.bring(job.id, &tasks, &body).await;
        }
    }

    /// Whether a photograph can be downloaded and read.
    async fn load(&self, task: &Task) -> bool {
        let call = |url: &str| self.images.get(url).timeout(PATIENCE);
        let Some(bytes) = self.get(&task.image_url, call).await else {
            return false;
        };
        image::load_from_memory(&bytes).is_ok()
    }

    /// Posts a batch until it is answered; some answers are thrown away unread, and some batches
    /// that were answered are posted once more.
    async fn bring(&mut self, job: i64, tasks: &[Task], body: &Value) {
        let path = format!("jobs/{job}/result/");
        let lose = self.lucky(self.lost);
        let twice = self.lucky(self.lost);
        if lose {
            self.seen.posts += 1;
            self.seen.lost += 1;
            let wait = Duration::from_millis(luck::draw(self.seed, self.draws) % 20);
            let call = self.post(&self.servers.address(&path), body);
            tokio::time::timeout(wait, call.send()).await.ok();
        }
        let mut left = 1 + u32::from(twice);
        for attempt in 0..POSTS {
            self.seen.posts += 1;
            match self.answer::<Accepted>(&path, body, POSTING).await {
                Some(accepted) => {
                    self.check(job, tasks, &accepted);
                    left -= 1;
                    if left == 0 {
                        return;
                    }
                    self.seen.twice += 1;
                }
                None => {
                    self.seen.faults += 1;
                    self.seen.lost += 1;
                    tokio::time::sleep(Duration::from_millis(50 << attempt.min(5))).await;
                }
            }
        }
        self.seen.dropped += 1;
    }

    fn check(&mut self, job: i64, tasks: &[Task], accepted: &Accepted) {
        let answered = accepted.tasks.iter().zip(tasks);
        let all = answered.clone().count() == tasks.len();
        let same = answered.clone().all(|(one, task)| {
            Some(&one.reply_subject) == task.reply_subject.as_ref()
                && one.status == "queued"
                && one.task_id.len() == 36
        });
        let sound = accepted.status == "accepted" && accepted.job_id == job;
        if !(all && same && sound && accepted.results_queued == tasks.len()) {
            let words = format!("{} of {} accepted", accepted.results_queued, tasks.len());
            self.seen.oddities.push(words);
        }
    }

    fn post(&self, url: &str, body: &Value) -> RequestBuilder {
        let call = self.api.post(url);
        call.header("Authorization", &self.token).json(body)
    }

    /// A GET, tried again as the reference's client does.
    async fn get(&self, url: &str, call: impl Fn(&str) -> RequestBuilder) -> Option<Vec<u8>> {
        let mut url = url.to_owned();
        for attempt in 0..=TRIES {
            match call(&url).send().await {
                Ok(answer) => {
                    let status = answer.status();
                    if !matches!(status.as_u16(), 500 | 502 | 503 | 504) {
                        // What breaks off in the middle is no answer either.
                        match answer.bytes().await {
                            Ok(bytes) => return (status == StatusCode::OK).then(|| bytes.into()),
                            Err(error) => self.is_away(&url, &error),
                        }
                    } else {
                        self.is_faulty(&url, status);
                    }
                }
                Err(error) => self.is_away(&url, &error),
            }
            tokio::time::sleep(Duration::from_millis(500 << attempt)).await;
            url = self.servers.moved(&url);
        }
        None
    }

    /// A POST, once.
    async fn answer<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &Value,
        patience: Duration,
    ) -> Option<T> {
        let url = self.servers.address(path);
        let answer = match self.post(&url, body).timeout(patience).send().await {
            Ok(answer) => answer,
            Err(error) => {
                self.is_away(&url, &error);
                return None;
            }
        };
        let status = answer.status();
        if status.is_server_error() {
            self.is_faulty(&url, status);
        }
        if !status.is_success() {
            return None;
        }
        answer.json().await.ok()
    }

    /// A server that did not answer: the next one is asked.
    fn is_away(&self, url: &str, error: &reqwest::Error) {
        tracing::warn!(url, %error, "a server did not answer");
        self.servers.leave(url);
    }

    /// A server that answered with a fault of its own: the next one is asked.
    fn is_faulty(&self, url: &str, status: StatusCode) {
        let status = status.as_u16();
        tracing::warn!(status, url, "a server answered with a fault");
        self.servers.leave(url);
    }
}

/// One moth in the middle of each photograph, or the error of one that could not be loaded.
fn result(task: &Task, loaded: bool, pipeline: &str) -> Value {
    if !loaded || task.id != task.image_id {
        return json!({
            "reply_subject": task.reply_subject,
            "result": {"error": "failed to load image", "image_id": task.image_id},
        });
    }
    let at = "2026-11-23T13:25:56.288728";
    json!({
        "reply_subject": task.reply_subject,
        "result": {
            "pipeline": pipeline, "algorithms": {}, "total_time": 0.1,
            "source_images": [{"id": task.image_id, "url": task.image_url}],
            "detections": [{
                "source_image_id": task.image_id,
                "bbox": {"x1": 10.0, "y1": 10.0, "x2": 50.0, "y2": 40.0},
                "inference_time": 0.0, "crop_image_url": null,
                "algorithm": {"name": "Boxes", "key": "boxes"},
                "timestamp": at,
                "classifications": [{
                    "classification": "Vanessa atalanta", "labels": null,
                    "scores": [0.9, 0.1], "logits": [2.2, 0.0], "inference_time": null,
                    "algorithm": {"name": "Names", "key": "names"}, "terminal": true,
                    "timestamp": at,
                }],
            }],
            "config": {"example_config_param": null},
        },
    })
}
