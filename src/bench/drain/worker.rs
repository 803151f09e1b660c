//! A worker that is as fast as it is served: it fetches, and posts one detection with one
//! classification for each image, without looking at any.

use std::fmt::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use reqwest::Client;
use serde::Deserialize;

use super::course::Course;
use crate::bench::farm::PIPELINE;

/// How long requests took.
#[derive(Default)]
pub struct Times {
    pub tasks: Vec<Duration>,
    pub results: Vec<Duration>,
}

impl Times {
    /// Takes in another worker's.
    pub fn add(&mut self, other: Times) {
        self.tasks.extend(other.tasks);
        self.results.extend(other.results);
    }
}

/// The middle and the slow end of some times.
pub fn spread(times: &mut [Duration]) -> String {
    times.sort_unstable();
    let at = |share: f64| {
        let last = times.len().saturating_sub(1) as f64;
        let time = times.get((last * share) as usize);
        time.map_or(0.0, |time| time.as_secs_f64() * 1000.0)
    };
    format!(
        "p50 {:.1} ms, p99 {:.1} ms ({} requests)",
        at(0.5),
        at(0.99),
        times.len()
    )
}

#[derive(Deserialize)]
struct Tasks {
    tasks: Vec<Task>,
}

#[derive(Deserialize)]
struct Task {
    id: String,
    image_url: String,
    reply_subject: String,
}

#[derive(Deserialize)]
struct Accepted {
    results_queued: u32,
}

/// The worker.
pub struct Worker {
    http: Client,
    token: String,
    tasks: String,
    result: String,
    ask: String,
}

impl Worker {
    /// One that works on this job.
    pub fn new(server: &str, token: &str, job: i64, batch: u32) -> Worker {
        Worker {
            http: Client::new(),
            token: format!("Token {token}"),
            tasks: format!("{server}/api/v2/jobs/{job}/tasks/"),
            result: format!("{server}/api/v2/jobs/{job}/result/"),
            ask: format!("{{\"batch_size\": {batch}}}"),
        }
    }

    /// The same over connections that are there already.
    pub fn over(self, http: Client) -> Worker {
        Worker { http, ..self }
    }

    /// Works until nothing is left.
    pub async fn run(self, course: Arc<Course>) -> anyhow::Result<Times> {
        let mut times = Times::default();
        loop {
            let began = Instant::now();
            let answer = self.post(&self.tasks, self.ask.clone()).await?;
            times.tasks.push(began.elapsed());
            let Tasks { tasks } = serde_json::from_slice(&answer)?;
            if tasks.is_empty() {
                return Ok(times);
            }
            let body = results(&tasks)?;
            let began = Instant::now();
            let answer = self.post(&self.result, body).await?;
            times.results.push(began.elapsed());
            let accepted: Accepted = serde_json::from_slice(&answer)?;
            let all = accepted.results_queued as usize == tasks.len();
            ensure!(
                all,
                "{} of {} results are accepted",
                accepted.results_queued,
                tasks.len()
            );
            course.add(accepted.results_queued);
        }
    }

    async fn post(&self, url: &str, body: String) -> anyhow::Result<Vec<u8>> {
        let call = self.http.post(url).header("Authorization", &self.token);
        let call = call.header("Content-Type", "application/json").body(body);
        let answer = call.send().await.context("the server does not answer")?;
        let status = answer.status();
        let body = answer.bytes().await?.to_vec();
        ensure!(
            status.is_success(),
            "the server answers {status}: {}",
            String::from_utf8_lossy(&body)
        );
        Ok(body)
    }
}

/// As the reference's worker writes it (`adc-worker.md` §3.4).
fn results(tasks: &[Task]) -> Result<String, std::fmt::Error> {
    const AT: &str = "2026-11-23T13:25:56.288728";
    let mut text = String::from("{\"results\":[");
    for (
        i,
        Task {
            id,
            image_url,
            reply_subject,
        },
    ) in tasks.iter().enumerate()
    {
        let comma = if i == 0 { "" } else { "," };
        write!(
            text,
            r#"{comma}{{"reply_subject":"{reply_subject}","result":{{"pipeline":"{PIPELINE}","algorithms":{{}},"total_time":0.1,"source_images":[{{"id":"{id}","url":"{image_url}"}}],"detections":[{{"source_image_id":"{id}","bbox":{{"x1":10.0,"y1":10.0,"x2":50.0,"y2":60.0}},"inference_time":0.0,"algorithm":{{"name":"Boxes","key":"boxes"}},"timestamp":"{AT}","crop_image_url":null,"classifications":[{{"classification":"Vanessa atalanta","labels":null,"scores":[0.9,0.1],"logits":[2.2,0.0],"inference_time":null,"algorithm":{{"name":"Names","key":"names"}},"terminal":true,"timestamp":"{AT}"}}]}}],"config":{{"example_config_param":null}}}}}}"#
        )?;
    }
    text.push_str("]}");
    Ok(text)
}
