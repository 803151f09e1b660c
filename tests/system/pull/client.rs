//! A pull worker that follows the reference's own to the letter: it polls without the last slash,
//! takes ids as texts only, downloads each photograph without its token, posts each batch once
//! whatever comes back, and leaves a job when its queue looks empty.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

/// What the worker saw.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    pub polls: usize,
    pub fetched: usize,
    pub posted: usize,
    pub lost: usize,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Task {
    id: String,
    image_id: String,
    image_url: String,
    reply_subject: Option<String>,
}

#[derive(Deserialize)]
struct Tasks {
    tasks: Vec<Task>,
}

#[derive(Deserialize)]
struct Polled {
    id: i64,
    pipeline_slug: String,
}

#[derive(Deserialize)]
struct Poll {
    results: Vec<Polled>,
}

#[derive(Deserialize)]
struct Accepted {
    status: String,
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
#[derive(Clone)]
pub struct Worker {
    pub base: String,
    pub token: String,
    pub batch: usize,
    pub seen: Seen,
    api: reqwest::Client,
    images: reqwest::Client,
}

impl Worker {
    pub fn new(base: &str, token: &str, batch: usize) -> Worker {
        Worker {
            base: format!("{base}/api/v2"),
            token: token.to_owned(),
            batch,
            seen: Seen::default(),
            api: reqwest::Client::new(),
            images: reqwest::Client::new(),
        }
    }

    /// Works until so many polls in a row brought nothing.
    pub async fn run(mut self, idle: usize) -> Seen {
        let mut empty = 0;
        while empty < idle {
            let mut worked = false;
            for job in self.poll().await {
                assert_eq!(job.pipeline_slug, "test");
                worked |= self.drain(job.id).await;
            }
            if worked {
                empty = 0;
            } else {
                empty += 1;
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
        self.seen
    }

    async fn poll(&mut self) -> Vec<Polled> {
        self.seen.polls += 1;
        let query =
            "pipeline__slug__in=test%2Cother&ids_only=1&incomplete_only=1&dispatch_mode=async_api";
        let call = self.api.get(format!("{}/jobs?{query}", self.base));
        let call = call.header("Authorization", format!("Token {}", self.token));
        let Ok(answer) = call.send().await else {
            return Vec::new();
        };
        // One item that does not validate spoils the list.
        let poll = answer.json::<Poll>().await;
        poll.map(|poll| poll.results).unwrap_or_default()
    }

    /// Works on one job until its queue looks empty; whether there was anything.
    async fn drain(&mut self, job: i64) -> bool {
        let mut any = false;
        loop {
            let body = json!({"batch_size": self.batch});
            let answer = self.post(&format!("jobs/{job}/tasks/"), &body).await;
            let Some(Tasks { tasks }) = answer.and_then(|v| serde_json::from_value(v).ok()) else {
                return any;
            };
            if tasks.is_empty() {
                return any;
            }
            any = true;
            self.seen.fetched += tasks.len();
            let mut results = Vec::new();
            for task in &tasks {
                assert_eq!(task.id, task.image_id);
                results.push(self.process(task).await);
            }
            let body = json!({"results": results});
            let answer = self.post(&format!("jobs/{job}/result/"), &body).await;
            match answer.map(serde_json::from_value::<Accepted>) {
                Some(Ok(accepted)) => {
                    assert_eq!(accepted.status, "accepted");
                    assert_eq!(accepted.results_queued, tasks.len());
                    let answered = accepted.tasks.iter().zip(&tasks);
                    for (one, task) in answered {
                        assert_eq!(Some(&one.reply_subject), task.reply_subject.as_ref());
                        assert!(one.status == "queued" && one.task_id.len() == 36);
                    }
                    self.seen.posted += tasks.len();
                }
                _ => self.seen.lost += tasks.len(), // never posted again
            }
        }
    }

    async fn process(&self, task: &Task) -> Value {
        let image = self.images.get(&task.image_url).send().await;
        let loaded = image.is_ok_and(|answer| answer.status().is_success());
        let task = json!({
            "image_id": task.image_id, "image_url": task.image_url,
            "reply_subject": task.reply_subject,
        });
        if loaded {
            super::good(&task)
        } else {
            super::bad(&task, "failed to load image")
        }
    }

    async fn post(&self, path: &str, body: &Value) -> Option<Value> {
        let call = self.api.post(format!("{}/{path}", self.base));
        let call = call.header("Authorization", format!("Token {}", self.token));
        let answer = call.json(body).send().await.ok()?;
        if !answer.status().is_success() {
            return None;
        }
        answer.json().await.ok()
    }
}
