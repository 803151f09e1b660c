//! A step of a chain: a kind of job with what it is about, as it is kept and as the API shows it.
//! The idea: [`SCHEDULED`] says for each kind what it needs and what it may have, so that a chain
//! that cannot run is refused when it is written and not in the night.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::job::{EXPORT, KindSpec, ML, POPULATE, POST_PROCESSING, REGROUP, SYNC, kind};

/// What is said of a kind that only marks jobs of which nothing is known.
pub const WRONG_KIND: &str = "Jobs of this kind cannot be scheduled.";

const REQUIRED: &str = "This field is required.";
const NOT_TAKEN: &str = "A job of this kind does not take this.";

/// A step.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// Key of a kind of job.
    #[serde(rename = "job_type_key")]
    pub kind: String,
    /// Name of its jobs; empty: made of the schedule's and the kind's.
    #[serde(default)]
    pub name: String,
    /// Station. A sync or a regrouping without one is done for every station of the project: a
    /// sync for those that have a storage.
    #[serde(rename = "deployment_id", default)]
    pub station_id: Option<i64>,
    /// Capture set.
    #[serde(rename = "source_image_collection_id", default)]
    pub capture_set_id: Option<i64>,
    /// Pipeline.
    #[serde(default)]
    pub pipeline_id: Option<i64>,
    /// At most so many captures.
    #[serde(default)]
    pub limit: Option<i32>,
    /// Captures in random order.
    #[serde(default = "yes")]
    pub shuffle: bool,
    /// What the kind needs beside that.
    #[serde(default)]
    pub params: Map<String, Value>,
}

const fn yes() -> bool {
    true
}

/// Whether a kind needs something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Need {
    No,
    May,
    Must,
}

/// What a kind of job can be given by a step.
#[derive(Debug)]
pub struct Takes {
    /// Key of the kind.
    pub kind: &'static str,
    station: Need,
    set: Need,
    pipeline: Need,
    limit: Need,
    params: Need,
}

/// The kinds that can be scheduled.
pub const SCHEDULED: &[Takes] = &[
    Takes {
        kind: ML,
        station: Need::May,
        set: Need::May,
        pipeline: Need::Must,
        limit: Need::May,
        params: Need::No,
    },
    Takes {
        kind: POPULATE,
        set: Need::Must,
        ..Takes::nothing()
    },
    Takes {
        kind: SYNC,
        station: Need::May,
        ..Takes::nothing()
    },
    Takes {
        kind: REGROUP,
        station: Need::May,
        ..Takes::nothing()
    },
    Takes {
        kind: EXPORT,
        set: Need::May,
        params: Need::Must,
        ..Takes::nothing()
    },
    Takes {
        kind: POST_PROCESSING,
        set: Need::May,
        params: Need::Must,
        ..Takes::nothing()
    },
];

impl Takes {
    const fn nothing() -> Takes {
        Takes {
            kind: "",
            station: Need::No,
            set: Need::No,
            pipeline: Need::No,
            limit: Need::No,
            params: Need::No,
        }
    }
}

/// What is wrong with a field of a step, by its name in the API.
pub type Fault = (&'static str, &'static str);

impl Step {
    /// The kind, if it can be scheduled.
    pub fn spec(&self) -> Option<&'static KindSpec> {
        let scheduled = SCHEDULED.iter().any(|takes| takes.kind == self.kind);
        scheduled.then(|| kind(&self.kind)).flatten()
    }

    /// Whether it is done for every station of the project.
    pub fn is_everywhere(&self) -> bool {
        self.station_id.is_none() && (self.kind == SYNC || self.kind == REGROUP)
    }

    /// The name of its jobs, by the name of its schedule.
    pub fn job_name(&self, schedule: &str) -> String {
        match (self.name.as_str(), self.spec()) {
            ("", Some(spec)) => format!("{schedule}: {}", spec.name),
            ("", None) => schedule.to_owned(),
            (name, _) => name.to_owned(),
        }
    }

    /// Everything that is wrong with it, as far as that can be known without looking up what it
    /// names.
    pub fn faults(&self) -> Vec<Fault> {
        let Some(takes) = SCHEDULED.iter().find(|takes| takes.kind == self.kind) else {
            return vec![("job_type_key", WRONG_KIND)];
        };
        let mut faults = Vec::new();
        for (name, need, given) in [
            ("deployment_id", takes.station, self.station_id.is_some()),
            (
                "source_image_collection_id",
                takes.set,
                self.capture_set_id.is_some(),
            ),
            ("pipeline_id", takes.pipeline, self.pipeline_id.is_some()),
            ("limit", takes.limit, self.limit.is_some()),
            ("params", takes.params, !self.params.is_empty()),
        ] {
            match (need, given) {
                (Need::Must, false) => faults.push((name, REQUIRED)),
                (Need::No, true) => faults.push((name, NOT_TAKEN)),
                _ => {}
            }
        }
        if self.kind == ML {
            match (self.station_id, self.capture_set_id) {
                (None, None) => {
                    let words = "A pipeline needs a capture set or a station to work on.";
                    faults.push(("source_image_collection_id", words));
                }
                (Some(_), Some(_)) => {
                    let words = "A pipeline works on a capture set or on a station, not on both.";
                    faults.push(("deployment_id", words));
                }
                _ => {}
            }
        }
        faults
    }
}
