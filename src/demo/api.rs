//! The HTTP API as the demo speaks it: its jobs are asked for as any program would ask.

use anyhow::{Context, bail};
use serde_json::Value;

/// The HTTP API, as a program of the superuser's uses it.
pub struct Api {
    http: reqwest::Client,
    jobs: String,
    /// Ends with the demo.
    pub token: String,
}

impl Api {
    /// Speaks to this server with this token.
    pub fn new(url: &str, token: String) -> Api {
        Api {
            http: reqwest::Client::new(),
            jobs: format!("{url}/api/v2/jobs/?start_now"),
            token,
        }
    }

    /// Makes a job and starts it; returns its id.
    pub async fn run_job(&self, request: &Value) -> anyhow::Result<i64> {
        let answer = self
            .http
            .post(&self.jobs)
            .header("Authorization", format!("Token {}", self.token))
            .json(request)
            .send()
            .await
            .context("the server does not answer")?;
        let status = answer.status();
        let body: Value = answer
            .json()
            .await
            .context("the server's answer is no JSON")?;
        match body.get("id").and_then(Value::as_i64) {
            Some(id) if status.is_success() => Ok(id),
            _ => bail!("the server refused the job: {status} {body}"),
        }
    }
}
