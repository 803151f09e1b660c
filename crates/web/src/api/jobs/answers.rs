//! What the addresses beside a job answer, and what a job's JSON holds deep inside, as tables: read
//! by the schema only.

use rest::field::{Field, Kind};
use rest::shape::{self, Shape};

use super::fields::STATES;

/// Levels of a line of the log.
pub const LEVELS: &[(&str, &str)] = &[
    ("DEBUG", "Debug"),
    ("INFO", "Info"),
    ("WARNING", "Warning"),
    ("ERROR", "Error"),
];

const SUMMARY: &[Field] = &[
    Field::shown("status", "State of the job", Kind::Choice(STATES)),
    Field::shown("progress", "Share done, from 0 to 1", Kind::Float),
];

const PARAM: &[Field] = &[
    Field::shown("name", "Name", Kind::Text(None)),
    Field::shown("key", "Key", Kind::Text(None)),
    Field::shown("category", "Category", Kind::Text(None)),
    Field::shown(
        "value",
        "A number or a text; empty before the first",
        Kind::Any,
    ),
];

const STAGE: &[Field] = &[
    Field::shown("status", "State of the stage", Kind::Choice(STATES)),
    Field::shown("progress", "Share done, from 0 to 1", Kind::Float),
    Field::shown("key", "Key", Kind::Text(None)),
    Field::shown("name", "Name", Kind::Text(None)),
    Field::shown("params", "Figures", Kind::List).holds(Shape::List(&Shape::Object(PARAM))),
];

/// How far a job is.
pub const PROGRESS: &[Field] = &[
    Field::shown("summary", "The whole", Kind::Nested(SUMMARY)),
    Field::shown("stages", "Its parts", Kind::List).holds(Shape::List(&Shape::Object(STAGE))),
    Field::shown("errors", "What went wrong with the job", Kind::List).holds(shape::TEXTS),
    Field::shown("logs", "Always empty", Kind::List).holds(shape::TEXTS),
];

/// The newest lines of a job's log.
pub const LOG: &[Field] = &[
    Field::shown("stdout", "Lines, newest first", Kind::List).holds(shape::TEXTS),
    Field::shown("stderr", "Messages of errors", Kind::List).holds(shape::TEXTS),
];

/// What a polling worker reads of a job.
pub const BRIEF: &[Field] = &[
    Field::id(),
    Field::shown("pipeline_slug", "Pipeline", Kind::Text(None)).nullable(),
];

/// What a worker should work on now.
pub const NEXT_JOB: &[Field] = &[
    Field::id(),
    Field::shown("pipeline_slug", "Pipeline", Kind::Text(None)),
];

/// What is asked of many jobs.
pub const BULK_TAKES: &[Field] = &[
    Field::new("action", "What is done", Kind::Choice(ACTIONS)).required(),
    Field::new("ids", "The jobs, at most 1000", Kind::List)
        .required()
        .holds(shape::INTEGERS),
];

const ACTIONS: &[(&str, &str)] = &[
    ("run", "Run"),
    ("retry", "Retry"),
    ("cancel", "Cancel"),
    ("delete", "Delete"),
];

const BULK_RESULT: &[Field] = &[
    Field::shown("id", "As it was sent", Kind::Any),
    Field::shown("ok", "Whether it was done", Kind::Boolean),
    Field::shown(
        "status",
        "The state after it; null where it is gone",
        Kind::Any,
    )
    .holds(shape::TEXT_OR_NULL)
    .sometimes(),
    Field::shown("error", "Why it was not done", Kind::Text(None)).sometimes(),
    Field::shown(
        "code",
        "The status that one request would get",
        Kind::Integer(None, None),
    )
    .sometimes(),
];

/// What was done with each.
pub const BULK_ANSWER: &[Field] = &[Field::shown("results", "One for each job", Kind::List)
    .holds(Shape::List(&Shape::Object(BULK_RESULT)))];

/// Where the images of a job are.
pub const QUEUE_ANSWER: &[Field] = &[
    Field::shown("priority", "Priority", Kind::Integer(None, None)),
    Field::shown("paused", "Whether nothing is handed out", Kind::Boolean),
    Field::shown("waiting", "Images that wait", Kind::Integer(None, None)),
    Field::shown(
        "leased",
        "Images that workers have",
        Kind::Integer(None, None),
    ),
    Field::shown(
        "dead",
        "Images that were tried too often",
        Kind::Integer(None, None),
    ),
    Field::shown("done", "Images that are done", Kind::Integer(None, None)),
    Field::shown("failed", "Images that failed", Kind::Integer(None, None)),
    Field::shown(
        "total",
        "Images in all, once it is known",
        Kind::Integer(None, None),
    )
    .nullable(),
    Field::shown("images_per_second", "How fast", Kind::Float).nullable(),
    Field::shown("seconds_left", "Time left", Kind::Float).nullable(),
    Field::shown(
        "workers",
        "Workers online, of a job that is pulled",
        Kind::Integer(None, None),
    )
    .nullable(),
    Field::shown("message", "What it waits for", Kind::Text(None)).nullable(),
    Field::shown(
        "waits_until",
        "When it fails if no worker is heard of",
        Kind::DateTime,
    )
    .nullable(),
];

const TASK: &[Field] = &[
    Field::shown("id", "The capture", Kind::Text(None)),
    Field::shown("image_id", "The capture", Kind::Text(None)),
    Field::shown("image_url", "Its photograph", Kind::Url(2048)),
    Field::shown("reply_subject", "The receipt", Kind::Text(None)),
];

/// The tasks that are handed out.
pub const TASKS_ANSWER: &[Field] =
    &[Field::shown("tasks", "Tasks", Kind::List).holds(Shape::List(&Shape::Object(TASK)))];

const TAKEN: &[Field] = &[
    Field::shown("reply_subject", "The receipt", Kind::Text(None)),
    Field::shown(
        "status",
        "Whether it is saved",
        Kind::Choice(&[("queued", "Saved"), ("rejected", "Cannot be used")]),
    ),
    Field::shown("task_id", "Its number", Kind::Text(None)),
    Field::shown("error", "Why it cannot be used", Kind::Text(None)).sometimes(),
];

/// What became of results.
pub const RESULT_ANSWER: &[Field] = &[
    Field::shown("status", "Always accepted", Kind::Text(None)),
    Field::shown("job_id", "The job", Kind::Integer(None, None)),
    Field::shown(
        "results_queued",
        "Results that are saved",
        Kind::Integer(None, None),
    ),
    Field::shown("tasks", "One for each result", Kind::List)
        .holds(Shape::List(&Shape::Object(TAKEN))),
];

const KEPT: &[Field] = &[
    Field::shown("reply_subject", "The receipt", Kind::Text(None)),
    Field::shown(
        "status",
        "Whether it is kept",
        Kind::Choice(&[
            ("extended", "Kept"),
            ("lost", "Handed on"),
            ("rejected", "Never given out"),
        ]),
    ),
];

/// What became of leases.
pub const EXTEND_ANSWER: &[Field] = &[
    Field::shown("job_id", "The job", Kind::Integer(None, None)),
    Field::shown("lease_seconds", "From now on", Kind::Integer(None, None)),
    Field::shown("extended", "How many are kept", Kind::Integer(None, None)),
    Field::shown("tasks", "One for each receipt", Kind::List)
        .holds(Shape::List(&Shape::Object(KEPT))),
];

const FAILED_CAPTURE: &[Field] = &[Field::id(), Field::details()];

/// A capture that failed.
pub const FAILURE: &[Field] = &[
    Field::shown("capture", "Capture", Kind::Nested(FAILED_CAPTURE)),
    Field::shown("reason", "Why", Kind::Text(None)),
    Field::shown(
        "deliveries",
        "How often it was tried",
        Kind::Integer(None, None),
    ),
];

const WHO: &[Field] = &[
    Field::id(),
    Field::shown("name", "Name", Kind::Text(None)),
    Field::details(),
];

/// Something that happened to a job.
pub const EVENT: &[Field] = &[
    Field::id(),
    Field::shown("created_at", "When", Kind::DateTime),
    Field::shown("event", "What", Kind::Text(None)),
    Field::shown("status", "The state after it", Kind::Text(None)).nullable(),
    Field::shown("user", "Who", Kind::Nested(WHO)).nullable(),
    Field::shown("detail", "More", Kind::Any),
];

/// A line of the log.
pub const LINE: &[Field] = &[
    Field::id(),
    Field::shown("created_at", "When", Kind::DateTime),
    Field::shown("level", "Level", Kind::Choice(LEVELS)),
    Field::shown("message", "Message", Kind::Text(None)),
];
