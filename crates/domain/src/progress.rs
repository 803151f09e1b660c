//! A job's progress: stages with parameters, and a summary composed from them.
//! The idea: a stage only moves forward within an attempt, and the summary is never stored,
//! it is the mean of the stages beside the job's own state (`processing-service.md` §10).

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::state::JobState;

pub mod times;

/// A stage before any job passed it.
#[derive(Debug)]
pub struct StageSpec {
    /// Key in the API.
    pub key: &'static str,
    /// Name for people.
    pub name: &'static str,
    /// Parameters as (name, key), in order.
    pub params: &'static [(&'static str, &'static str)],
    /// Whether its figures begin at zero; else they are empty until the first value.
    pub counts: bool,
}

impl StageSpec {
    /// The stage of a new job.
    pub fn fresh(&self) -> Stage {
        Stage {
            status: JobState::Created,
            progress: 0.0,
            key: self.key.to_owned(),
            name: self.name.to_owned(),
            params: self
                .params
                .iter()
                .map(|(name, key)| Param {
                    name: (*name).to_owned(),
                    key: (*key).to_owned(),
                    category: default_category(),
                    value: if self.counts {
                        Value::from(0)
                    } else {
                        Value::String(String::new())
                    },
                })
                .collect(),
            began_at: None,
            ended_at: None,
        }
    }
}

/// One stage of a job, in the order of keys that the API shows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stage {
    /// State of this stage.
    pub status: JobState,
    /// Share done, 0 to 1.
    pub progress: f64,
    /// Key, unique within the job.
    pub key: String,
    /// Name for people.
    pub name: String,
    /// Figures of this stage.
    #[serde(default)]
    pub params: Vec<Param>,
    /// When it began, where that was written down; see [`times`].
    #[serde(default, skip_serializing)]
    pub began_at: Option<DateTime<Utc>>,
    /// When it ended, where that was written down.
    #[serde(default, skip_serializing)]
    pub ended_at: Option<DateTime<Utc>>,
}

/// A figure of a stage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Param {
    /// Name for people.
    pub name: String,
    /// Key, unique within the stage.
    pub key: String,
    /// Always "default" so far.
    #[serde(default = "default_category")]
    pub category: String,
    /// Number or text; the empty text before the first value.
    #[serde(default)]
    pub value: Value,
}

fn default_category() -> String {
    "default".to_owned()
}

impl Stage {
    /// Moves forward to `share`; never back. NaN counts as no news. A final stage keeps its
    /// state, and a full one that nobody ended becomes SUCCESS.
    pub fn advance(&mut self, share: f64) {
        if share.is_nan() || self.status.is_final() {
            return;
        }
        self.progress = self.progress.max(share.clamp(0.0, 1.0));
        if self.progress >= 1.0 {
            self.status = JobState::Success;
        } else if self.status == JobState::Created {
            self.status = JobState::Started;
        }
    }

    /// Ends the stage. Success fills it; a failure leaves the share where it is.
    pub fn end(&mut self, status: JobState) {
        if self.status == JobState::Failure {
            return;
        }
        if status == JobState::Success {
            self.progress = 1.0;
        }
        self.status = status;
    }

    /// Sets the figure with the key of `name`, adding it at the end if it is new.
    pub fn set(&mut self, name: &str, value: impl Into<Value>) {
        let key = key_of(name);
        let value = value.into();
        match self.params.iter_mut().find(|p| p.key == key) {
            Some(param) => param.value = value,
            None => self.params.push(Param {
                name: name.to_owned(),
                key,
                category: default_category(),
                value,
            }),
        }
    }

    /// The stage as it was before a run: nothing done, figures reset.
    pub fn reset(&mut self) {
        self.status = JobState::Created;
        self.progress = 0.0;
        (self.began_at, self.ended_at) = (None, None);
        for param in &mut self.params {
            param.value = if param.value.is_number() {
                Value::from(0)
            } else {
                Value::String(String::new())
            };
        }
    }

    /// The words shown beside the stage.
    pub fn label(&self) -> String {
        status_label(self.status, self.progress)
    }
}

/// State and share of a whole job.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// The job's own state.
    pub status: JobState,
    /// Mean of the stages, 0 to 1.
    pub progress: f64,
}

/// The `progress` object of the API.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// The whole.
    pub summary: Summary,
    /// Its parts in order.
    pub stages: Vec<Stage>,
    /// Sentences about what went wrong with the job as a whole.
    #[serde(default)]
    pub errors: Vec<String>,
    /// Always empty: the log has its own field.
    #[serde(default)]
    pub logs: Vec<String>,
}

impl Progress {
    /// Composes the object from a job's state and its stages.
    pub fn compose(state: JobState, stages: Vec<Stage>, errors: Vec<String>) -> Progress {
        Progress {
            summary: Summary {
                status: state,
                progress: mean(&stages),
            },
            stages,
            errors,
            logs: Vec::new(),
        }
    }

    /// The words shown for the whole job.
    pub fn label(&self) -> String {
        status_label(self.summary.status, self.summary.progress)
    }
}

/// Mean share of the stages, each within 0 and 1; 0 without stages.
pub fn mean(stages: &[Stage]) -> f64 {
    if stages.is_empty() {
        return 0.0;
    }
    let sum: f64 = stages.iter().map(|s| s.progress.clamp(0.0, 1.0)).sum();
    sum / stages.len() as f64
}

/// A share as whole percent, rounded down: 100 is all of it and nothing less.
pub fn percent(share: f64) -> u8 {
    if share >= 1.0 {
        return 100;
    }
    // 29 of 100 is 28.999… of them as the machine multiplies, and 29 to everybody who counts.
    let percent = (share.max(0.0) * 100.0 + 1e-9).floor();
    (percent as u8).min(99)
}

/// "Waiting to start", "42% complete", or the state's code.
pub fn status_label(status: JobState, progress: f64) -> String {
    match status {
        JobState::Created | JobState::Pending | JobState::Received => "Waiting to start".to_owned(),
        JobState::Started | JobState::Retry | JobState::Success => {
            format!("{}% complete", percent(progress))
        }
        other => other.code().to_owned(),
    }
}

/// Lower case, words joined by underscores: the key of a stage or parameter.
pub fn key_of(name: &str) -> String {
    let mut key = String::with_capacity(name.len());
    for c in name.chars() {
        if c.is_alphanumeric() {
            key.extend(c.to_lowercase());
        } else if !key.is_empty() && !key.ends_with('_') {
            key.push('_');
        }
    }
    while key.ends_with('_') {
        key.pop();
    }
    key
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn stage() -> Stage {
        StageSpec {
            key: "process",
            name: "Process",
            params: &[("Processed", "processed")],
            counts: false,
        }
        .fresh()
    }

    #[test]
    fn labels_read_as_people_know_them() {
        assert_eq!(status_label(JobState::Pending, 0.0), "Waiting to start");
        assert_eq!(status_label(JobState::Started, 0.999), "99% complete");
        assert_eq!(status_label(JobState::Revoked, 0.2), "REVOKED");
    }

    #[test]
    fn full_is_only_what_is_full() {
        let cases = [(0.999, 99), (1.0, 100), (1.0 - f64::EPSILON, 99)];
        let odd = [(f64::NAN, 0), (f64::INFINITY, 100), (-3.0, 0), (7.0, 100)];
        for (share, whole) in cases.into_iter().chain(odd) {
            assert_eq!(percent(share), whole, "{share}");
        }
    }

    #[test]
    fn so_many_of_so_many_are_as_many_percent_as_people_reckon() {
        for of in 1..=200_u32 {
            for part in 0..=of {
                let share = f64::from(part) / f64::from(of);
                let reckoned = part * 100 / of;
                assert_eq!(u32::from(percent(share)), reckoned, "{part} of {of}");
            }
        }
    }

    #[test]
    fn a_failed_stage_stays_failed() {
        let mut s = stage();
        s.advance(0.4);
        s.end(JobState::Failure);
        s.advance(1.0);
        s.end(JobState::Success);
        assert_eq!((s.status, s.progress), (JobState::Failure, 0.4));
    }

    #[test]
    fn reset_keeps_the_figures_but_not_their_values() {
        let mut s = stage();
        s.set("Processed", 7);
        s.set("Limit", 5);
        s.end(JobState::Success);
        s.reset();
        assert_eq!(s.progress, 0.0);
        assert_eq!(s.params.len(), 2);
        assert_eq!(s.params[0].value, Value::from(0));
    }

    proptest! {
        #[test]
        fn progress_never_falls_and_stays_in_range(shares in prop::collection::vec(any::<f64>(), 0..40)) {
            let mut s = stage();
            let mut last = 0.0;
            for share in shares {
                s.advance(share);
                prop_assert!(s.progress >= last && s.progress <= 1.0);
                prop_assert_eq!(s.progress >= 1.0, s.status == JobState::Success);
                last = s.progress;
            }
        }

        #[test]
        fn the_summary_is_the_mean(shares in prop::collection::vec(0.0f64..=1.0, 1..6)) {
            let stages: Vec<Stage> = shares.iter().map(|p| { let mut s = stage(); s.advance(*p); s }).collect();
            let m = mean(&stages);
            let low = shares.iter().cloned().fold(1.0, f64::min);
            let high = shares.iter().cloned().fold(0.0, f64::max);
            prop_assert!(m >= low - 1e-12 && m <= high + 1e-12);
        }

        #[test]
        fn keys_hold_only_word_characters(name in ".{0,30}") {
            let key = key_of(&name);
            prop_assert!(!key.starts_with('_') && !key.ends_with('_') && !key.contains("__"));
        }
    }
}
