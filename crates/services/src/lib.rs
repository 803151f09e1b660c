//! The client of push services: `/info`, `/readyz`, `/process` (`processing-service.md` §3).
//! The idea: whatever a service does (errors, silence, half an answer, an endless one), the
//! caller gets a sentence that says what happened, within a bounded time and memory. A path in
//! the service's address is kept. May depend on `domain` only.

use std::time::{Duration, Instant};

use domain::wire::{
    PipelineRequest, PipelineResultsResponse, ProcessingServiceInfoResponse, Readiness,
};
use futures_util::StreamExt;
use outgoing::{Client, Redirects, Refused};
use reqwest::{Method, RequestBuilder};
use serde::de::DeserializeOwned;

/// How long a service may take for one batch.
pub const BATCH: Duration = Duration::from_secs(600);

/// Why a service gave no usable answer.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ServiceError {
    /// It could not be reached, or the connection broke.
    #[error("the service cannot be reached: {0}")]
    Unreachable(String),
    /// This server must not send requests there.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// It did not answer in time.
    #[error("the service did not answer within {0} seconds")]
    Silent(u64),
    /// It answered with an error.
    #[error("HTTP {code}: {text}")]
    Status {
        /// The status code.
        code: u16,
        /// What it said about it.
        text: String,
    },
    /// It sends us elsewhere. A batch is not sent on to an address that nobody has entered.
    #[error("HTTP {0}: the service redirects to {1:?}; enter that address as the service's own")]
    Elsewhere(u16, String),
    /// Its answer cannot be read.
    #[error("the answer cannot be read: {0}")]
    Broken(String),
}

impl ServiceError {
    /// True when asking again may help.
    pub fn may_pass(&self) -> bool {
        match self {
            ServiceError::Unreachable(_) => true,
            ServiceError::Status { code, .. } => *code >= 500,
            ServiceError::Refused(_)
            | ServiceError::Silent(_)
            | ServiceError::Elsewhere(..)
            | ServiceError::Broken(_) => false,
        }
    }

    /// True when the service itself may be in trouble, and not only with this batch.
    pub fn is_trouble(&self) -> bool {
        matches!(self, ServiceError::Silent(_)) || self.may_pass()
    }
}

/// How a service answered `/readyz`.
#[derive(Clone, Debug, PartialEq)]
pub struct Health {
    /// True when it answered well.
    pub live: bool,
    /// How long it took.
    pub latency: Duration,
    /// Slugs of the pipelines that are ready.
    pub pipelines: Vec<String>,
    /// What was wrong with the answer, or that there was none.
    pub error: Option<String>,
    /// Why it was not asked at all.
    pub refused: Option<Refused>,
}

/// Longest answer to `/process` that is read, in bytes.
const MAX_RESULTS: usize = 100 * 1024 * 1024;
/// Longest answer to `/info`: the classes of large models stand in it.
const MAX_INFO: usize = 32 * 1024 * 1024;
/// Longest answer to `/readyz`.
const MAX_READY: usize = 1024 * 1024;

/// Speaks to services. Cheap to clone.
#[derive(Clone, Debug)]
pub struct ServiceClient {
    http: Client,
    /// The same without following redirects, for what is posted.
    straight: Client,
    process_timeout: Duration,
    most: usize,
}

impl ServiceClient {
    /// A client that waits for the answer to `/process` for at most `process_timeout`.
    ///
    /// # Errors
    /// Where the HTTP client cannot be built: no cryptography provider.
    pub fn new(process_timeout: Duration) -> Result<ServiceClient, reqwest::Error> {
        let builder = || {
            reqwest::Client::builder()
                .connect_timeout(Duration::from_secs(10))
                .user_agent(concat!("hawkmoth/", env!("CARGO_PKG_VERSION")))
        };
        Ok(ServiceClient {
            http: Client::new(builder(), Redirects::Follow)?,
            straight: Client::new(builder(), Redirects::Show)?,
            process_timeout,
            most: MAX_RESULTS,
        })
    }

    /// The same, reading answers to `/process` only up to so many bytes.
    #[must_use]
    pub fn bounded(self, most: usize) -> ServiceClient {
        ServiceClient { most, ..self }
    }

    /// What the service offers.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn info(
        &self,
        endpoint: &str,
    ) -> Result<ProcessingServiceInfoResponse, ServiceError> {
        let limit = Duration::from_secs(6);
        let call = self.http.get(&join(endpoint, "info"));
        self.send(call, limit, MAX_INFO).await
    }

    /// Whether the service is ready, and how fast it says so.
    pub async fn ready(&self, endpoint: &str, limit: Duration) -> Health {
        let start = Instant::now();
        let address = join(endpoint, "readyz");
        let answer: Result<Readiness, _> =
            self.send(self.http.get(&address), limit, MAX_READY).await;
        let refused = match &answer {
            Err(ServiceError::Refused(refused)) => Some(refused.clone()),
            _ => None,
        };
        let error = answer
            .as_ref()
            .err()
            .map(|why| format!("Error connecting to {address}: {why}"));
        Health {
            live: !matches!(answer, Err(ref e) if !matches!(e, ServiceError::Broken(_))),
            latency: start.elapsed(),
            pipelines: answer.map(|r| r.status).unwrap_or_default(),
            error,
            refused,
        }
    }

    /// Has a batch processed.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn process(
        &self,
        endpoint: &str,
        request: &PipelineRequest,
    ) -> Result<PipelineResultsResponse, ServiceError> {
        let call = self
            .straight
            .request(Method::POST, &join(endpoint, "process"));
        let call = call.map(|call| call.json(request));
        self.send(call, self.process_timeout, self.most).await
    }

    async fn send<T: DeserializeOwned>(
        &self,
        call: Result<RequestBuilder, Refused>,
        limit: Duration,
        most: usize,
    ) -> Result<T, ServiceError> {
        let call = call?;
        let answer = tokio::time::timeout(limit, async {
            let response = call.send().await.map_err(unreachable)?;
            let status = response.status();
            if status.is_redirection() {
                return Err(elsewhere(&response));
            }
            let body = read(response, most).await?;
            if !status.is_success() {
                return Err(ServiceError::Status {
                    code: status.as_u16(),
                    text: explain(&body),
                });
            }
            serde_json::from_slice(&body).map_err(|error| unreadable(&body, &error))
        });
        answer
            .await
            .unwrap_or(Err(ServiceError::Silent(limit.as_secs())))
    }
}

/// The address of a call below the service's own, path prefix kept.
fn join(endpoint: &str, call: &str) -> String {
    format!("{}/{call}", endpoint.trim_end_matches('/'))
}

fn elsewhere(response: &reqwest::Response) -> ServiceError {
    let place = response.headers().get(reqwest::header::LOCATION);
    let place = place.and_then(|place| place.to_str().ok());
    let place = place.unwrap_or_default().chars().take(200).collect();
    ServiceError::Elsewhere(response.status().as_u16(), place)
}

async fn read(response: reqwest::Response, most: usize) -> Result<Vec<u8>, ServiceError> {
    let too_long = || ServiceError::Broken(format!("longer than {} MiB", most / 1024 / 1024));
    let told = response.content_length().unwrap_or(0);
    if usize::try_from(told).map_or(true, |told| told > most) {
        return Err(too_long());
    }
    let mut body = Vec::new();
    let mut chunks = response.bytes_stream();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(unreachable)?;
        if body.len() + chunk.len() > most {
            return Err(too_long());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// Why an answer is no JSON. Programs in Python write numbers that JSON does not have: said in
/// so many words, for "expected value" helps nobody.
fn unreadable(body: &[u8], error: &serde_json::Error) -> ServiceError {
    let mut lines = body.split(|byte| *byte == b'\n');
    let line = lines.nth(error.line().saturating_sub(1));
    let from = error.column().saturating_sub(2);
    let rest = line.and_then(|line| line.get(from..)).unwrap_or_default();
    let near = &rest[..rest.len().min(12)];
    let stands = |word: &&str| near.windows(word.len()).any(|part| part == word.as_bytes());
    let word = ["NaN", "Infinity"].into_iter().find(stands);
    ServiceError::Broken(match word {
        Some(word) => format!("{word} is no number in JSON ({error})"),
        None if error.is_eof() => format!("it breaks off after {} bytes ({error})", body.len()),
        None => error.to_string(),
    })
}

/// The causes of a broken connection, in one line and without the address.
fn unreachable(error: reqwest::Error) -> ServiceError {
    if let Some(refused) = Refused::behind(&error) {
        return ServiceError::Refused(refused.clone());
    }
    let error = error.without_url();
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    ServiceError::Unreachable(text)
}

/// What an error answer says: its `detail`, its keys, or its first words.
fn explain(body: &[u8]) -> String {
    let text = match serde_json::from_slice::<serde_json::Value>(body) {
        Ok(serde_json::Value::Object(map)) => match map.get("detail") {
            Some(serde_json::Value::String(detail)) => detail.clone(),
            Some(detail) => detail.to_string(),
            None => map
                .iter()
                .map(|(key, value)| format!("{key}: {value}"))
                .collect::<Vec<_>>()
                .join("; "),
        },
        _ => String::from_utf8_lossy(body).into_owned(),
    };
    text.chars().take(500).collect()
}

#[cfg(test)]
mod tests;
