//! The fields of a schedule, of its steps and of its runs, and the words about its addresses.

use domain::schedule::LONGEST;
use rest::field::{Field, Kind};
use rest::shape::{self, Shape};

use super::super::exports::PERSON;
use super::super::jobs::fields as jobs;
use crate::views;

const MAX_INT: i64 = 2_147_483_647;

/// Steps of a chain at most.
pub const MOST_STEPS: usize = 20;

/// About schedules.
pub const ABOUT: &str = "Schedules: chains of jobs that come round by the clock of a time zone. \
Each step is a kind of job with what it is about, and begins when the one before has succeeded; a \
step that fails ends the chain.\n\n\
A sync or a regrouping that names no station is done for every station of the project. What came \
round while no server ran is made up once. A schedule acts with the rights of whoever saved it \
last.\n\n\
## Actions\n\n\
### `/schedules/{id}/run/` (`POST`)\n\nRun it now.\n\n\
### `/schedules/{id}/pause/` and `/schedules/{id}/resume/` (`POST`)\n\nLet it rest; go on.";
/// About running.
pub const RUN_NOW: &str = "Runs a schedule now, with the rights of whoever asks. While a run of it \
goes on no other one begins: the answer then shows that run.";
/// About pausing.
pub const PAUSE: &str = "Lets a schedule rest: it does not come round, and nothing of it is made \
up later. A run that has begun goes on.";
/// About resuming.
pub const RESUME: &str = "Goes on with a schedule that rests, from its next time after now.";

/// What the list can be narrowed by.
pub const FILTERS: &[Field] = views::PROJECT;

const fn link(name: &'static str, label: &'static str, to: &'static str) -> Field {
    Field::new(name, label, Kind::Link(to)).nullable()
}

/// A step.
pub const STEP: &[Field] = &[
    Field::new("job_type_key", "Kind of job", Kind::Choice(jobs::KINDS)).required(),
    Field::new("name", "Name of its jobs", Kind::Text(Some(255)))
        .blank()
        .default("\"\""),
    link("deployment_id", "Station", "deployments"),
    link(
        "source_image_collection_id",
        "Capture set",
        "captures/collections",
    ),
    link("pipeline_id", "Pipeline", "ml/pipelines"),
    Field::new("limit", "Limit", Kind::Integer(Some(1), Some(MAX_INT))).nullable(),
    Field::new("shuffle", "Shuffle", Kind::Boolean).default("true"),
    Field::new("params", "Settings", Kind::Any)
        .default("{}")
        .holds(shape::OBJECT)
        .help("What an export or a post-processing needs beside that."),
];

const STATES: &[(&str, &str)] = &[
    ("STARTED", "STARTED"),
    ("SUCCESS", "SUCCESS"),
    ("FAILURE", "FAILURE"),
];

const JOB: &[Field] = &[
    Field::id(),
    Field::details(),
    Field::shown("name", "Name", Kind::Text(Some(255))),
    Field::shown(
        "step",
        "Place of its step, from 1",
        Kind::Integer(Some(1), None),
    ),
    Field::shown("job_type_key", "Kind of job", Kind::Choice(jobs::KINDS)),
    Field::shown("status", "Status", Kind::Choice(jobs::STATES)),
];

/// A run.
pub const RUN: &[Field] = &[
    Field::id(),
    Field::shown("planned_at", "When it was due", Kind::DateTime)
        .nullable()
        .help("Null where somebody ran it by hand."),
    Field::shown("started_at", "Started at", Kind::DateTime),
    Field::shown("finished_at", "Finished at", Kind::DateTime).nullable(),
    Field::shown("status", "Status", Kind::Choice(STATES)),
    Field::shown("detail", "Why it was broken off", Kind::Any).holds(shape::TEXT_OR_NULL),
    Field::shown("user", "With whose rights", Kind::Nested(PERSON)).nullable(),
    Field::shown("jobs", "Jobs", Kind::Rows(JOB)),
];

/// The fields of a schedule, in the order of its JSON.
pub const FIELDS: &[Field] = &[
    Field::id(),
    Field::details(),
    Field::new("name", "Name", Kind::Text(Some(255))).required(),
    Field::new("project", "Project", Kind::Link("projects")).required(),
    Field::new("cron", "Cron expression", Kind::Text(Some(LONGEST)))
        .required()
        .help("Minute, hour, day of the month, month, day of the week: 0 6 * * *"),
    Field::new("time_zone", "Time zone", Kind::Text(Some(100)))
        .default("\"UTC\"")
        .help("A name of the IANA database, such as Europe/Berlin"),
    Field::new("steps", "Steps", Kind::Any)
        .required()
        .holds(Shape::List(&Shape::Object(STEP))),
    Field::shown("paused", "Paused", Kind::Boolean),
    Field::shown("next_run", "Next run", Kind::DateTime).nullable(),
    Field::shown("last_run", "Last run", Kind::Nested(RUN)).nullable(),
    Field::shown("user", "With whose rights it acts", Kind::Nested(PERSON)).nullable(),
    Field::shown("created_at", "Created at", Kind::DateTime),
    Field::shown("updated_at", "Updated at", Kind::DateTime),
    Field::shown("runs", "Its last runs", Kind::Rows(RUN)).sometimes(),
];

/// What a list shows: all but the runs before the last.
pub const ROW: &[Field] = FIELDS.split_at(FIELDS.len() - 1).0;
