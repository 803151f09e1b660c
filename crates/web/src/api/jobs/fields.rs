//! The fields of a job and the words about its addresses, as OPTIONS and the pages show them.

use rest::field::{Field, Kind};
use rest::shape::{self, Shape};

use super::answers;
use super::pull::read;
use crate::api::exports;

const MAX_INT: i64 = 2_147_483_647;

/// About jobs.
pub const ABOUT: &str = "Jobs can be viewed, made and edited here.\n\n\
Pass `start_now` as a parameter of the address when you `POST` a job, and it is queued at once.\n\n\
Use the `delay` field to make a test job that does nothing for so many seconds.\n\n\
## Actions\n\n\
### `/jobs/{id}/run/` (`POST`)\n\nRun a job (put it into the queue).\n\n\
### `/jobs/{id}/retry/` (`POST`)\n\nDo again what is missing.\n\n\
### `/jobs/{id}/cancel/` (`POST`)\n\nCancel a job.";
/// About running.
pub const RUN: &str = "Run a job (put it into the queue).";
/// About retrying.
pub const RETRY: &str = "Do again what is missing; with `?failed_only=1` only what failed.";
/// About cancelling.
pub const CANCEL: &str = "Cancel a job.";
/// About what to work on.
pub const NEXT: &str = "The job that a worker for these pipelines should work on now.";
/// About many jobs.
pub const BULK: &str = "Run, retry, cancel or delete many jobs: `{\"action\": …, \"ids\": […]}`.";
/// About the queue.
pub const QUEUE: &str = "Where the images of a job are, and how fast they are finished.";
/// What can be set of the queue.
pub const QUEUE_FIELDS: &[Field] = &[Field::new(
    "priority",
    "Priority",
    Kind::Integer(Some(-MAX_INT - 1), Some(MAX_INT)),
)
.required()
.help("Jobs with a higher priority are run and handed out first")];
/// About fetching tasks.
pub const TASKS: &str = "Hands out images of a job to a worker, which keeps them until it posts \
their results or its lease is over.";
/// What a worker sends to fetch tasks.
pub const TASKS_FIELDS: &[Field] = &[
    Field::new("batch_size", "Batch size", Kind::Integer(Some(1), None))
        .required()
        .help("Number of tasks to retrieve"),
    Field::new("client_info", "Client info", Kind::Any).holds(shape::OBJECT),
];
/// About posting results.
pub const RESULT: &str = "Takes results of images. What is accepted is saved; a result that \
cannot be used is named in the answer and spoils none of the others.";
/// What a worker sends with results.
pub const RESULT_FIELDS: &[Field] = &[
    Field::new("results", "Results", Kind::Any)
        .required()
        .holds(Shape::Document(&read::RESULTS)),
    Field::new("client_info", "Client info", Kind::Any).holds(shape::OBJECT),
];
/// About keeping tasks.
pub const EXTEND: &str = "Keeps the images of a slow worker: the leases of these \
`reply_subjects` begin anew, for `lease_seconds` or as long as usual.";
/// What a worker sends to keep tasks.
pub const EXTEND_FIELDS: &[Field] = &[
    Field::new("reply_subjects", "Reply subjects", Kind::Any)
        .required()
        .holds(shape::TEXTS),
    Field::new(
        "lease_seconds",
        "Lease seconds",
        Kind::Integer(Some(1), Some(86_400)),
    ),
    Field::new("client_info", "Client info", Kind::Any).holds(shape::OBJECT),
];
/// About pausing.
pub const PAUSE: &str = "Stops handing out images of a job; results are still taken.";
/// About going on.
pub const RESUME: &str = "Hands out images of a paused job again.";
/// About failures.
pub const FAILURES: &str = "The captures that failed in a job, and why.";
/// About the log.
pub const LOGS: &str = "The log of a job, newest line first; filtered by `level` and `search`. \
                        With `?download=1` all of it as text, oldest line first.";
/// About what happened.
pub const TIMELINE: &str = "What happened to a job, when and by whom, oldest first.";

const NAMED: &[Field] = &[
    Field::id(),
    Field::new("name", "Name", Kind::Text(Some(80))).required(),
    Field::details(),
    Field::permissions(),
];

const METHODS: &[(&str, &str)] = &[
    ("full", "full"),
    ("random", "random"),
    ("stratified_random", "stratified_random"),
    ("interval", "interval"),
    ("manual", "manual"),
    ("starred", "starred"),
    ("random_from_each_event", "random_from_each_event"),
    (
        "last_and_random_from_each_event",
        "last_and_random_from_each_event",
    ),
    (
        "greatest_file_size_from_each_event",
        "greatest_file_size_from_each_event",
    ),
    ("detections_only", "detections_only"),
    ("common_combined", "common_combined"),
];

const SET: &[Field] = &[
    Field::id(),
    Field::new("name", "Name", Kind::Text(Some(255))).required(),
    Field::details(),
    Field::new("method", "Method", Kind::Choice(METHODS)),
    Field::permissions(),
];

const CAPTURE: &[Field] = &[
    Field::id(),
    Field::details(),
    Field::shown("url", "Url", Kind::Any).holds(shape::ADDRESS_OR_NULL),
    Field::new(
        "width",
        "Width",
        Kind::Integer(Some(-MAX_INT - 1), Some(MAX_INT)),
    )
    .nullable(),
    Field::new(
        "height",
        "Height",
        Kind::Integer(Some(-MAX_INT - 1), Some(MAX_INT)),
    )
    .nullable(),
    Field::new("timestamp", "Timestamp", Kind::DateTime).nullable(),
    Field::shown("event_id", "Event id", Kind::Any).holds(shape::INTEGER_OR_NULL),
    Field::permissions(),
];

const PIPELINE: &[Field] = &[
    Field::id(),
    Field::details(),
    Field::new("name", "Name", Kind::Text(Some(255))).required(),
    Field::new("slug", "Slug", Kind::Slug(255)).required(),
    Field::new("description", "Description", Kind::Text(None)),
    Field::new(
        "version",
        "Version",
        Kind::Integer(Some(-MAX_INT - 1), Some(MAX_INT)),
    ),
    Field::new("version_name", "Version name", Kind::Text(Some(255))),
    Field::shown("created_at", "Created at", Kind::DateTime),
    Field::shown("updated_at", "Updated at", Kind::DateTime),
    Field::permissions(),
];

const TYPE: &[Field] = &[
    Field::shown("name", "Name", Kind::Text(None)),
    Field::shown("key", "Key", Kind::Slug(usize::MAX)),
];

const EXPORT: &[Field] = &[
    Field::shown("id", "ID", Kind::Integer(None, None)),
    Field::new("user", "User", Kind::Link("users"))
        .required()
        .nullable(),
    Field::new("project", "Project", Kind::Link("projects"))
        .required()
        .nullable(),
    Field::new("format", "Format", Kind::Choice(&exports::FORMATS)).required(),
    Field::new("filters", "Filters", Kind::Any),
    Field::shown("file_url", "File url", Kind::Url(usize::MAX)).nullable(),
];

/// States of a job.
pub const STATES: &[(&str, &str)] = &[
    ("CREATED", "CREATED"),
    ("PENDING", "PENDING"),
    ("STARTED", "STARTED"),
    ("SUCCESS", "SUCCESS"),
    ("FAILURE", "FAILURE"),
    ("RETRY", "RETRY"),
    ("CANCELING", "CANCELING"),
    ("REVOKED", "REVOKED"),
    ("RECEIVED", "RECEIVED"),
    ("UNKNOWN", "UNKNOWN"),
];

/// Kinds of jobs.
pub const KINDS: &[(&str, &str)] = &[
    ("ml", "ML pipeline"),
    ("populate_captures_collection", "Populate capture set"),
    ("data_storage_sync", "Data storage sync"),
    ("regroup_events", "Regroup sessions"),
    ("data_export", "Data Export"),
    ("post_processing", "Post Processing"),
    ("unknown", "Unknown"),
];

const MODES: &[(&str, &str)] = &[
    ("internal", "Internal"),
    ("sync_api", "Sync API"),
    ("async_api", "Async API"),
];

const SLUGS: Field = Field::new("pipeline__slug__in", "Slugs of pipelines", Kind::Text(None))
    .help("Multiple values may be separated by commas.");

/// What the list can be narrowed by.
pub const FILTERS: &[Field] = &[
    Field::new("project_id", "Active project", Kind::Link("projects")),
    Field::new("status", "Status", Kind::Choice(STATES)),
    Field::new("project", "Project", Kind::Link("projects")),
    Field::new("deployment", "Deployment", Kind::Link("deployments")),
    Field::new(
        "source_image_collection",
        "Source image collection",
        Kind::Link("captures/collections"),
    ),
    Field::new(
        "source_image_single",
        "Source image single",
        Kind::Link("captures"),
    ),
    Field::new("pipeline", "Pipeline", Kind::Link("ml/pipelines")),
    Field::new("job_type_key", "Job type key", Kind::Choice(KINDS)),
    Field::new("dispatch_mode", "Dispatch mode", Kind::Choice(MODES)),
    Field::new("pipeline__slug", "Slug of the pipeline", Kind::Text(None)),
    SLUGS,
    Field::new("ids_only", "Only numbers", Kind::Boolean).help("What workers poll for."),
    Field::new("incomplete_only", "Only unfinished", Kind::Boolean),
    Field::new("cutoff_hours", "Hours", Kind::Integer(Some(0), None))
        .help("Hide failed jobs that have not changed for so long."),
];

/// How a list may be shown besides, and a job's log cut.
pub const DETAIL_QUERY: &[Field] = &[Field::new(
    "logs_limit",
    "Lines of the log at most",
    Kind::Integer(Some(1), Some(super::MAX_LOG_LINES)),
)];

/// What the query of a new job may hold.
pub const CREATE_QUERY: &[Field] = &[Field::new(
    "start_now",
    "Whether it is run at once",
    Kind::Boolean,
)];

/// What the query of a retry may hold.
pub const RETRY_QUERY: &[Field] = &[Field::new(
    "failed_only",
    "Whether only what failed is done again",
    Kind::Boolean,
)];

/// What the query of the log may hold.
pub const LOG_QUERY: &[Field] = &[
    Field::new(
        "level",
        "The least level of a line",
        Kind::Choice(answers::LEVELS),
    ),
    Field::new("download", "Whether it is answered as text", Kind::Boolean),
];

/// What the next job is asked for by.
pub const NEXT_FILTERS: &[Field] = &[SLUGS];

const NOT_NEGATIVE: Shape = Shape::Of(Kind::Integer(Some(0), Some(MAX_INT)));

/// The fields of a job, in the order of its JSON.
pub const FIELDS: &[Field] = &[
    Field::id(),
    Field::details(),
    Field::new("name", "Name", Kind::Text(Some(255))).required(),
    Field::new("delay", "Delay", Kind::Integer(None, None))
        .required()
        .holds(NOT_NEGATIVE),
    Field::new(
        "limit",
        "Limit",
        Kind::Integer(Some(-MAX_INT - 1), Some(MAX_INT)),
    )
    .nullable()
    .holds(NOT_NEGATIVE)
    .help("Limit the number of images to process"),
    Field::new("shuffle", "Shuffle", Kind::Boolean)
        .default("true")
        .help("Process images in a random order"),
    Field::shown("project", "Project", Kind::Nested(NAMED)),
    Field::link("project_id", "Project", "projects").required(),
    Field::shown("deployment", "Deployment", Kind::Nested(NAMED)).nullable(),
    Field::link("deployment_id", "Deployment", "deployments"),
    Field::shown(
        "source_image_collection",
        "Source image collection",
        Kind::Nested(SET),
    )
    .nullable(),
    Field::link(
        "source_image_collection_id",
        "Capture Set",
        "captures/collections",
    ),
    Field::shown(
        "source_image_single",
        "Source image single",
        Kind::Nested(CAPTURE),
    )
    .nullable(),
    Field::link("source_image_single_id", "Source Image", "captures"),
    Field::shown("pipeline", "Pipeline", Kind::Nested(PIPELINE)).nullable(),
    Field::link("pipeline_id", "Pipeline", "ml/pipelines"),
    Field::shown("status", "Status", Kind::Choice(STATES)),
    Field::shown("created_at", "Created at", Kind::DateTime),
    Field::shown("updated_at", "Updated at", Kind::DateTime),
    Field::shown("started_at", "Started at", Kind::DateTime).nullable(),
    Field::shown("finished_at", "Finished at", Kind::DateTime).nullable(),
    Field::shown("duration", "Duration", Kind::Any).holds(shape::TEXT_OR_NULL),
    Field::shown("progress", "Progress", Kind::Any).holds(Shape::Object(answers::PROGRESS)),
    Field::shown("logs", "Logs", Kind::Any).holds(Shape::Object(answers::LOG)),
    Field::shown("job_type", "Job type", Kind::Nested(TYPE)),
    Field::new("job_type_key", "Job type key", Kind::Slug(usize::MAX))
        .default("\"ml\"")
        .write_only()
        .offers(KINDS)
        .holds(Shape::Of(Kind::Choice(KINDS))),
    Field::new("params", "Params", Kind::Any)
        .nullable()
        .write_only()
        .unlisted()
        .holds(shape::OBJECT)
        .help("What a post-processing job does: {\"task\": …, \"config\": {…}}"),
    Field::shown("data_export", "Data export", Kind::Nested(EXPORT)).nullable(),
    Field::shown("dispatch_mode", "Dispatch mode", Kind::Choice(MODES))
        .help("How the work is handed out: internal, sync_api or async_api."),
    Field::shown("result", "Result", Kind::Any),
];

/// What a list shows of a job: all but its result.
pub const ROW: &[Field] = FIELDS.split_at(FIELDS.len() - 1).0;
