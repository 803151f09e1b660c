//! Kinds of jobs, how they are dispatched, and when one counts as failed.
//! The idea: [`KINDS`] is the one list of what a job can be; the API, the runner and the pages
//! read names and stages from it (`domain-rules.md` §1).

use serde::{Deserialize, Serialize};

use crate::progress::{Stage, StageSpec};

/// How the work of a job reaches those who do it (`processing-service.md` §1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DispatchMode {
    /// The server does it all by itself.
    Internal,
    /// The server pushes images to a processing service.
    SyncApi,
    /// Remote workers pull images.
    AsyncApi,
}

impl DispatchMode {
    /// All modes, in the order of the API's choices.
    pub const ALL: [DispatchMode; 3] = [
        DispatchMode::Internal,
        DispatchMode::SyncApi,
        DispatchMode::AsyncApi,
    ];

    /// The word used in the API and in the database.
    pub const fn code(self) -> &'static str {
        match self {
            DispatchMode::Internal => "internal",
            DispatchMode::SyncApi => "sync_api",
            DispatchMode::AsyncApi => "async_api",
        }
    }

    /// The mode with this word, if there is one.
    pub fn from_code(code: &str) -> Option<DispatchMode> {
        DispatchMode::ALL.into_iter().find(|m| m.code() == code)
    }
}

/// Which captures the feed takes up again after a person's retry (`protocol.md` §1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FeedMode {
    /// A first run, or a run again: every capture.
    All,
    /// All that are not yet saved.
    Missing,
    /// Only those that failed.
    FailedOnly,
}

impl FeedMode {
    /// The word stored in the database.
    pub const fn code(self) -> &'static str {
        match self {
            FeedMode::All => "all",
            FeedMode::Missing => "missing",
            FeedMode::FailedOnly => "failed_only",
        }
    }

    /// The mode with this word; anything else means [`FeedMode::All`].
    pub fn from_code(code: &str) -> FeedMode {
        match code {
            "missing" => FeedMode::Missing,
            "failed_only" => FeedMode::FailedOnly,
            _ => FeedMode::All,
        }
    }
}

/// One kind of job: its key in the API, its name for people, and the stages it passes.
#[derive(Debug)]
pub struct KindSpec {
    /// `job_type.key`.
    pub key: &'static str,
    /// `job_type.name`.
    pub name: &'static str,
    /// Stages in order.
    pub stages: &'static [StageSpec],
}

/// Key of the kind that runs an ML pipeline.
pub const ML: &str = "ml";
/// Key of the kind that fills a capture set.
pub const POPULATE: &str = "populate_captures_collection";
/// Key of the kind that reads a station's storage.
pub const SYNC: &str = "data_storage_sync";
/// Key of the kind that groups captures into sessions.
pub const REGROUP: &str = "regroup_events";
/// Key of the kind that writes an export.
pub const EXPORT: &str = "data_export";
/// Key of the kind that applies a rule to saved detections.
pub const POST_PROCESSING: &str = "post_processing";
/// Among the params of a job that fills a capture set: the date from which it counts the last
/// nights, as `2026-11-28`.
pub const TODAY: &str = "today";
/// Key of the stage of an export that exists once there is a file.
pub const UPLOAD_STAGE: &str = "uploading_snapshot";
/// Key of the stage in which a sync puts captures into sessions.
pub const REGROUP_STAGE: &str = "regroup_sessions";
/// Key of the stage that exists only for jobs with a delay.
pub const DELAY_STAGE: &str = "delay";
/// Key of the stage in which the captures of an ML job are chosen.
pub const COLLECT_STAGE: &str = "collect";
/// Key of the stage in which services work on them.
pub const PROCESS_STAGE: &str = "process";
/// Key of the stage in which answers are saved.
pub const RESULTS_STAGE: &str = "results";

const REGROUP_PARAMS: &[(&str, &str)] = &[
    ("Captures grouped", "captures_grouped"),
    ("Events created", "events_created"),
    ("Events touched", "events_touched"),
    ("Empty events deleted", "empty_events_deleted"),
    ("Duplicate timestamps", "duplicate_timestamps"),
    ("Ungrouped captures", "ungrouped_captures"),
    ("Captures missing timestamp", "captures_missing_timestamp"),
];

/// Every kind of job, in the order in which people are offered them.
pub const KINDS: &[KindSpec] = &[
    KindSpec {
        key: ML,
        name: "ML pipeline",
        stages: &[
            StageSpec {
                key: COLLECT_STAGE,
                name: "Collect",
                params: &[("Total Images", "total_images")],
                counts: false,
            },
            StageSpec {
                key: PROCESS_STAGE,
                name: "Process",
                params: &[
                    ("Processed", "processed"),
                    ("Remaining", "remaining"),
                    ("Failed", "failed"),
                ],
                counts: false,
            },
            StageSpec {
                key: RESULTS_STAGE,
                name: "Results",
                params: &[
                    ("Captures", "captures"),
                    ("Detections", "detections"),
                    ("Classifications", "classifications"),
                ],
                counts: false,
            },
        ],
    },
    KindSpec {
        key: POPULATE,
        name: "Populate capture set",
        stages: &[StageSpec {
            key: POPULATE,
            name: "Populate capture set",
            params: &[("Captures added", "captures_added")],
            counts: false,
        }],
    },
    KindSpec {
        key: SYNC,
        name: "Data storage sync",
        stages: &[
            StageSpec {
                key: SYNC,
                name: "Data storage sync",
                params: &[("Total files", "total_files"), ("Failed", "failed")],
                counts: true,
            },
            StageSpec {
                key: REGROUP_STAGE,
                name: "Regroup sessions",
                params: REGROUP_PARAMS,
                counts: true,
            },
        ],
    },
    KindSpec {
        key: REGROUP,
        name: "Regroup sessions",
        stages: &[StageSpec {
            key: REGROUP,
            name: "Regroup sessions",
            params: REGROUP_PARAMS,
            counts: true,
        }],
    },
    KindSpec {
        key: EXPORT,
        name: "Data Export",
        stages: &[
            StageSpec {
                key: "data_export",
                name: "Exporting data",
                params: &[],
                counts: false,
            },
            StageSpec {
                key: UPLOAD_STAGE,
                name: "Uploading snapshot",
                params: &[("File URL", "file_url")],
                counts: false,
            },
        ],
    },
    KindSpec {
        key: POST_PROCESSING,
        name: "Post Processing",
        stages: &[StageSpec {
            key: POST_PROCESSING,
            name: "Post Processing",
            params: &[],
            counts: false,
        }],
    },
    KindSpec {
        key: "unknown",
        name: "Unknown",
        stages: &[],
    },
];

/// The kind with this key, if there is one.
pub fn kind(key: &str) -> Option<&'static KindSpec> {
    KINDS.iter().find(|k| k.key == key)
}

/// The stages of a new job, all CREATED. A delay above zero puts the delay stage first
/// (`domain-rules.md` §1); other stages than those of an ML job with a pipeline appear when the
/// job begins.
pub fn first_stages(kind: &KindSpec, delay: i32, has_pipeline: bool) -> Vec<Stage> {
    let own = if kind.key == ML {
        own_stages(kind, has_pipeline)
    } else {
        Vec::new()
    };
    delay_stage(delay).into_iter().chain(own).collect()
}

/// The stages of a job that begins.
pub fn opening_stages(kind: &KindSpec, delay: i32, has_pipeline: bool) -> Vec<Stage> {
    let own = own_stages(kind, has_pipeline);
    delay_stage(delay).into_iter().chain(own).collect()
}

/// The stage of this kind with this key.
pub fn stage(kind: &KindSpec, key: &str) -> Option<Stage> {
    let spec = kind.stages.iter().find(|stage| stage.key == key);
    spec.map(StageSpec::fresh)
}

fn own_stages(kind: &KindSpec, has_pipeline: bool) -> Vec<Stage> {
    let stages = kind.stages.iter().filter(|s| s.key != UPLOAD_STAGE);
    if kind.key == ML && !has_pipeline {
        Vec::new()
    } else {
        stages.map(StageSpec::fresh).collect()
    }
}

fn delay_stage(delay: i32) -> Option<Stage> {
    let spec = StageSpec {
        key: DELAY_STAGE,
        name: "Delay",
        params: &[("Delay", "delay"), ("Mood", "mood")],
        counts: false,
    };
    (delay > 0).then(|| {
        let mut stage = spec.fresh();
        begin_delay(&mut stage, delay);
        stage
    })
}

/// What the stage of a delay shows before it begins.
pub fn begin_delay(stage: &mut Stage, delay: i32) {
    stage.set("Delay", delay);
    stage.set("Mood", "😴");
}

/// True when a job that ended with `failed` of `total` captures failed has itself failed:
/// strictly more than half (`processing-service.md` §10).
pub fn too_many_failed(total: i64, failed: i64) -> bool {
    failed.saturating_mul(2) > total
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exactly_half_failed_is_success() {
        assert!(!too_many_failed(10, 5));
        assert!(too_many_failed(10, 6));
        assert!(!too_many_failed(0, 0));
        assert!(too_many_failed(1, 1));
    }

    #[test]
    fn an_ml_job_with_delay_starts_with_the_delay_stage() {
        let ml = kind(ML)
            .map(|k| first_stages(k, 3, true))
            .unwrap_or_default();
        let keys: Vec<_> = ml.iter().map(|s| s.key.as_str()).collect();
        assert_eq!(keys, ["delay", "collect", "process", "results"]);
        let bare = kind(ML)
            .map(|k| first_stages(k, 0, false))
            .unwrap_or_default();
        assert!(bare.is_empty());
    }

    #[test]
    fn other_kinds_show_their_stages_when_they_begin() {
        let keys = |stages: Vec<Stage>| -> Vec<String> {
            stages.into_iter().map(|stage| stage.key).collect()
        };
        let Some(export) = kind(EXPORT) else { return };
        assert!(first_stages(export, 0, false).is_empty());
        assert_eq!(
            keys(opening_stages(export, 2, false)),
            ["delay", "data_export"]
        );
        assert!(stage(export, UPLOAD_STAGE).is_some());
        assert!(stage(export, COLLECT_STAGE).is_none());
    }

    #[test]
    fn keys_of_params_are_the_slugs_of_their_names() {
        for kind in KINDS {
            for stage in kind.stages {
                for (name, key) in stage.params {
                    assert_eq!(crate::progress::key_of(name), *key);
                }
            }
        }
    }
}
