//! What pull workers have saved and nobody has been told yet: lines for the jobs' logs, and
//! sessions and stations whose counters must be counted again. The idea: results come several
//! hundred times a second, so what hangs on them is gathered for a second, and at once at a
//! job's end. A process that is killed loses a second of log lines; the caretaker counts again.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use queue::Changed;
use store::log::Level;
use store::result::Saved;

use crate::AppState;

/// How long it is gathered.
const GATHER: Duration = Duration::from_secs(1);
/// Errors of one moment that are told in full.
const TOLD: usize = 50;

/// What is gathered, by job.
#[derive(Default)]
pub struct Tally(Mutex<HashMap<i64, Gathered>>);

#[derive(Default)]
struct Gathered {
    saved: Saved,
    captures: Vec<i64>,
    errors: Vec<String>,
    untold: usize,
    warnings: Vec<String>,
}

impl Gathered {
    fn lines(self) -> Vec<(Level, String)> {
        let mut lines = Vec::new();
        let Saved {
            done,
            detections,
            classifications,
            ..
        } = self.saved;
        if done > 0 {
            let text = format!(
                "Saved {done} captures with {detections} detections and {classifications} classifications"
            );
            lines.push((Level::Info, text));
        }
        lines.extend(self.warnings.into_iter().map(|text| (Level::Warning, text)));
        lines.extend(self.errors.into_iter().map(|text| (Level::Error, text)));
        if self.untold > 0 {
            let text = format!(
                "{} more captures failed; see the list of failures",
                self.untold
            );
            lines.push((Level::Error, text));
        }
        lines
    }
}

/// What one post brought.
#[derive(Debug, Default)]
pub struct Brought {
    /// What was saved.
    pub saved: Saved,
    /// Captures whose sessions and stations must be counted again.
    pub captures: Vec<i64>,
    /// A sentence for each capture that failed.
    pub errors: Vec<String>,
    /// What else should be known.
    pub warnings: Vec<String>,
}

impl Tally {
    /// Takes in what a post brought. `last` says that the job's queue is empty: then all of it
    /// is told before this returns.
    pub async fn add(&self, state: &AppState, job: i64, brought: Brought, last: bool) {
        let first = self.gather(job, brought);
        if last {
            self.tell(state, job).await;
        } else if first {
            let state = state.clone();
            tokio::spawn(async move {
                tokio::time::sleep(GATHER).await;
                state.desk.tally.tell(&state, job).await;
            });
        }
    }

    /// True when nothing was gathered for this job before.
    fn gather(&self, job: i64, brought: Brought) -> bool {
        let mut all = self.0.lock().unwrap_or_else(|e| e.into_inner());
        let first = !all.contains_key(&job);
        let one = all.entry(job).or_default();
        one.saved.done += brought.saved.done;
        one.saved.failed += brought.saved.failed;
        one.saved.detections += brought.saved.detections;
        one.saved.classifications += brought.saved.classifications;
        one.captures.extend(brought.captures);
        for text in brought.errors {
            if one.errors.len() < TOLD {
                one.errors.push(text);
            } else {
                one.untold += 1;
            }
        }
        for text in brought.warnings {
            if one.warnings.len() < TOLD && !one.warnings.contains(&text) {
                one.warnings.push(text);
            }
        }
        first
    }

    fn take(&self, job: i64) -> Option<Gathered> {
        let mut all = self.0.lock().unwrap_or_else(|e| e.into_inner());
        all.remove(&job)
    }

    /// Tells what was gathered for a job. What cannot be written is traced and dropped.
    async fn tell(&self, state: &AppState, job: i64) {
        let Some(gathered) = self.take(job) else {
            return;
        };
        if let Err(error) = state.store.refresh_counters(&gathered.captures).await {
            tracing::warn!(job.id = job, %error, "counters are left for the caretaker");
        }
        if let Err(error) = state.store.write_log(job, &gathered.lines()).await {
            tracing::warn!(job.id = job, %error, "lines of the job's log are lost");
        }
        let waiting = false;
        state.bus.publish(Changed { job, waiting });
    }
}
