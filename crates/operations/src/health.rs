//! Whether the server can do its work now, part by part. The idea: a part that does not answer is
//! one that does not answer in time, and what was found out holds for a second, so that asking
//! often costs nothing.

use std::future::Future;
use std::time::{Duration, Instant};

use bytes::Bytes;
use files::{Files, FilesResult};
use serde_json::{Value, json};
use store::{Store, StoreError};
use tokio::sync::{Mutex, OnceCell};
use tokio_util::sync::CancellationToken;

use crate::Parts;

/// How long a part may take to answer.
pub const PATIENCE: Duration = Duration::from_secs(2);
/// For how long an answer holds.
const FRESH: Duration = Duration::from_secs(1);
/// A file that is written once and must be there from then on.
const PROBE: &str = "health/probe";

/// A part, and what is wrong with it.
type Found = (&'static str, Result<(), &'static str>);

/// Looks after the parts.
pub struct Health {
    store: Store,
    files: Files,
    stop: CancellationToken,
    written: OnceCell<()>,
    last: Mutex<Option<(Instant, Report)>>,
}

/// How the parts were found.
#[derive(Clone, Debug)]
pub struct Report(Vec<Found>);

impl Report {
    /// Whether all of them do.
    pub fn is_ready(&self) -> bool {
        self.0.iter().all(|(_, found)| found.is_ok())
    }

    /// As an answer. Details that only the log may hold are not in it.
    pub fn json(&self) -> Value {
        let part = |(name, found): &Found| {
            let words = found.err().unwrap_or("ok");
            ((*name).to_owned(), Value::from(words))
        };
        let parts: serde_json::Map<String, Value> = self.0.iter().map(part).collect();
        let status = if self.is_ready() {
            "ready"
        } else {
            "not ready"
        };
        json!({"status": status, "parts": parts})
    }
}

impl Health {
    pub(crate) fn new(parts: &Parts) -> Health {
        Health {
            store: parts.store.clone(),
            files: parts.files.clone(),
            stop: parts.stop.clone(),
            written: OnceCell::new(),
            last: Mutex::new(None),
        }
    }

    /// How the parts are. Who asks while they are looked at waits for the same answer.
    pub async fn report(&self) -> Report {
        if self.stop.is_cancelled() {
            return Report(vec![("process", Err("it is ending"))]);
        }
        let mut last = self.last.lock().await;
        if let Some((at, report)) = &*last
            && at.elapsed() < FRESH
        {
            return report.clone();
        }
        let report = self.look().await;
        *last = Some((Instant::now(), report.clone()));
        report
    }

    async fn look(&self) -> Report {
        let database = in_time("database", self.store.ping());
        let files = in_time("files", self.probe());
        let (database, files) = tokio::join!(database, files);
        // What a silent database's schema is cannot be known.
        let schema = match database.1 {
            Ok(()) => self.schema().await,
            Err(_) => ("schema", Err("the database does not answer")),
        };
        Report(vec![database, schema, files])
    }

    async fn probe(&self) -> FilesResult<()> {
        let content = Bytes::from_static(b"Written by Hawkmoth to see that files can be kept.\n");
        let write = || self.files.put(PROBE, content);
        self.written.get_or_try_init(write).await?;
        self.files.head(PROBE).await.map(drop)
    }

    async fn schema(&self) -> Found {
        let found = tokio::time::timeout(PATIENCE, self.store.check_schema()).await;
        let found = match found {
            // A change of a newer version only adds: this process goes on until it is replaced.
            Ok(Ok(()) | Err(StoreError::Newer(_))) => Ok(()),
            Ok(Err(StoreError::Schema(why))) => {
                tracing::warn!(why, "not ready");
                Err("it lacks what this version of the program needs")
            }
            Ok(Err(_)) | Err(_) => Err("the database does not answer"),
        };
        ("schema", found)
    }
}

async fn in_time<T, E: std::fmt::Display>(
    name: &'static str,
    asked: impl Future<Output = Result<T, E>>,
) -> Found {
    let found = match tokio::time::timeout(PATIENCE, asked).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => {
            tracing::warn!(part = name, %error, "not ready");
            Err("it cannot be reached")
        }
        Err(_) => {
            tracing::warn!(part = name, "not ready: no answer in time");
            Err("it does not answer in time")
        }
    };
    (name, found)
}
