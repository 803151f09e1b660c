//! What pull workers have saved and nobody has been told yet: lines for the jobs' logs, and
//! sessions and stations whose counters must be counted again. The idea: results come several
//! hundred times a second, so what hangs on them is gathered for a second (counters of large
//! stations longer, so that counting never takes more than a small share of the time), and at
//! once at a job's end. A process that is killed loses log lines; the caretaker counts again.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

use queue::Changed;
use store::log::Level;
use store::result::Saved;

use crate::AppState;

/// How long it is gathered.
const GATHER: Duration = Duration::from_secs(1);
/// Between two counts pass so many times what the last one took.
const SHARE: u32 = 20;
/// Errors of one moment that are told in full.
const TOLD: usize = 50;

/// A line for a job's log.
type Line = (Level, String);

/// What is gathered, by job.
#[derive(Default)]
pub struct Tally(Mutex<HashMap<i64, Gathered>>);

#[derive(Default)]
struct Gathered {
    /// Somebody will tell it.
    watched: bool,
    /// Before this, counting again would cost too much.
    count_at: Option<Instant>,
    saved: Saved,
    captures: Vec<i64>,
    errors: Vec<String>,
    untold: usize,
    warnings: Vec<String>,
}

impl Gathered {
    /// The lines for the log; they are told once.
    fn lines(&mut self) -> Vec<Line> {
        let mut lines = Vec::new();
        let Saved {
            done,
            detections,
            classifications,
            ..
        } = std::mem::take(&mut self.saved);
        if done > 0 {
            let text = format!(
                "Saved {done} captures with {detections} detections and {classifications} classifications"
            );
            lines.push((Level::Info, text));
        }
        lines.extend(self.warnings.drain(..).map(|text| (Level::Warning, text)));
        lines.extend(self.errors.drain(..).map(|text| (Level::Error, text)));
        if self.untold > 0 {
            let text = format!(
                "{} more captures failed; see the list of failures",
                self.untold
            );
            lines.push((Level::Error, text));
            self.untold = 0;
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
            self.tell(state, job, true).await;
        } else if first {
            let state = state.clone();
            tokio::spawn(async move {
                let tally = &state.desk.tally;
                let mut wait = Some(GATHER);
                while let Some(pause) = wait {
                    tokio::time::sleep(pause).await;
                    wait = tally.tell(&state, job, false).await;
                }
            });
        }
    }

    fn all(&self) -> MutexGuard<'_, HashMap<i64, Gathered>> {
        self.0.lock().unwrap_or_else(|e| e.into_inner())
    }

    /// True when nobody was there yet to tell it.
    fn gather(&self, job: i64, brought: Brought) -> bool {
        let mut all = self.all();
        let one = all.entry(job).or_default();
        let first = !std::mem::replace(&mut one.watched, true);
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

    /// Takes out what can be told now: lines, captures to count if it is time for that, and
    /// whether anything is left behind for later.
    fn take(&self, job: i64, last: bool) -> Option<(Vec<Line>, Vec<i64>)> {
        let mut all = self.all();
        let one = all.get_mut(&job)?;
        let lines = one.lines();
        let due = last || one.count_at.is_none_or(|at| at <= Instant::now());
        let captures = match due {
            true => std::mem::take(&mut one.captures),
            false => Vec::new(),
        };
        if lines.is_empty() && one.captures.is_empty() && captures.is_empty() {
            all.remove(&job);
            return None;
        }
        Some((lines, captures))
    }

    /// Tells what was gathered for a job, and says when to come again: while results come, and
    /// until all is counted. What cannot be written is traced and dropped.
    async fn tell(&self, state: &AppState, job: i64, last: bool) -> Option<Duration> {
        let (lines, captures) = self.take(job, last)?;
        if !captures.is_empty() {
            let began = Instant::now();
            if let Err(error) = state.store.refresh_counters(&captures).await {
                tracing::warn!(job.id = job, %error, "counters are left for the caretaker");
            }
            let pause = began.elapsed() * SHARE;
            if let Some(one) = self.all().get_mut(&job) {
                one.count_at = Some(Instant::now() + pause);
            }
        }
        if !lines.is_empty()
            && let Err(error) = state.store.write_log(job, &lines).await
        {
            tracing::warn!(job.id = job, %error, "lines of the job's log are lost");
        }
        let waiting = false;
        state.bus.publish(Changed { job, waiting });
        Some(GATHER)
    }
}
