//! The HTTP API as the demo speaks it: its jobs are asked for as any program would ask.

use anyhow::{Context, bail};
use serde_json::{Value, json};

/// The HTTP API, as a program of the superuser's uses it.
pub struct Api {
    http: reqwest::Client,
    root: String,
    /// Ends with the demo.
    pub token: String,
}

impl Api {
    /// Speaks to this server with this token.
    pub fn new(url: &str, token: String) -> Api {
        Api {
            http: reqwest::Client::new(),
            root: format!("{url}/api/v2"),
            token,
        }
    }

    /// Makes a job and starts it; returns its id.
    pub async fn run_job(&self, request: &Value) -> anyhow::Result<i64> {
        let job = self.post("jobs/?start_now", request).await?;
        job["id"].as_i64().context("the job has no id")
    }

    /// Asks for an export; returns the id of the job that writes it.
    pub async fn export(&self, project: i64, format: &str) -> anyhow::Result<i64> {
        let request = json!({"project": project, "format": format, "filters": {}});
        let export = self.post("exports/", &request).await?;
        export["job"]["id"]
            .as_i64()
            .context("the export has no job")
    }

    async fn post(&self, path: &str, request: &Value) -> anyhow::Result<Value> {
        let answer = self
            .http
            .post(format!("{}/{path}", self.root))
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
        if !status.is_success() {
            bail!("the server refused the job: {status} {body}");
        }
        Ok(body)
    }
}
