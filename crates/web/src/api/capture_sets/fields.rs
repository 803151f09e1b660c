//! The fields of a capture set and the settings of its methods, as OPTIONS and the pages show
//! them (`domain-rules.md` §5).

use domain::sampling::MOST_NIGHTS;
use rest::field::{Field, Kind};

use crate::api::nested::fields as nested;

/// About capture sets.
pub const ABOUT: &str = "Capture sets: captures of a project, chosen by a method or by hand.";
/// About populating.
pub const POPULATE: &str = "Fill a capture set by its method: makes a job and starts it.";
/// About adding.
pub const ADD: &str = "Put a capture into a set: `{\"source_image\": 1}`.";
/// About removing.
pub const REMOVE: &str = "Take a capture out of a set: `{\"source_image\": 1}`.";

/// What the list can be narrowed by.
pub const FILTERS: &[Field] = &[
    Field::new("project_id", "Active project", Kind::Link("projects")),
    Field::new("method", "Method", Kind::Choice(nested::METHODS)),
    Field::new("with_counts", "Show counts", Kind::Boolean),
];

const fn number(name: &'static str, label: &'static str) -> Field {
    Field::new(name, label, Kind::Integer(None, None))
        .nullable()
        .sometimes()
}

const fn text(name: &'static str, label: &'static str) -> Field {
    Field::new(name, label, Kind::Text(None))
        .nullable()
        .blank()
        .sometimes()
}

const fn numbers(name: &'static str, label: &'static str) -> Field {
    Field::new(name, label, Kind::Integers)
        .nullable()
        .sometimes()
}

/// The settings of all methods.
pub const KWARGS: &[Field] = &[
    number("minute_interval", "Minute interval"),
    number("max_num", "Max num"),
    Field::new("shuffle", "Shuffle", Kind::Boolean)
        .nullable()
        .sometimes(),
    number("month_start", "Month start"),
    number("month_end", "Month end"),
    text("date_start", "Date start"),
    text("date_end", "Date end"),
    number("hour_start", "Hour start"),
    number("hour_end", "Hour end"),
    Field::new(
        "last_nights",
        "Last nights",
        Kind::Integer(Some(1), Some(MOST_NIGHTS)),
    )
    .nullable()
    .sometimes()
    .unlisted(),
    numbers("deployment_ids", "Deployment ids"),
    numbers("event_ids", "Event ids"),
    numbers("research_site_ids", "Research site ids"),
    number("size", "Size"),
    number("num_each", "Num each"),
    text("exclude_events", "Exclude events"),
    number("deployment_id", "Deployment id"),
    number("position", "Position"),
    // Not settings of the reference platform, whose OPTIONS are the recorded ones.
    number("seed", "Seed").unlisted(),
    numbers("image_ids", "Captures").unlisted(),
];

/// Settings that are dates.
pub const DATES: [&str; 2] = ["date_start", "date_end"];

/// The fields of a capture set, in the order of its JSON.
pub const FIELDS: &[Field] = &[
    Field::id(),
    Field::details(),
    Field::new("name", "Name", Kind::Text(Some(255))).required(),
    Field::new("project", "Project", Kind::Link("projects")).required(),
    Field::new("method", "Method", Kind::Choice(nested::METHODS)),
    Field::new("kwargs", "Kwargs", Kind::Nested(KWARGS)),
    Field::shown("source_images", "Source images", Kind::Any),
    Field::shown("source_images_count", "Source images count", Kind::Any),
    Field::shown(
        "source_images_with_detections_count",
        "Source images with detections count",
        Kind::Any,
    ),
    Field::shown(
        "source_images_processed_count",
        "Source images processed count",
        Kind::Any,
    ),
    Field::shown("occurrences_count", "Occurrences count", Kind::Any),
    Field::shown("taxa_count", "Taxa count", Kind::Any),
    Field::new("description", "Description", Kind::Text(None)).blank(),
    Field::shown("jobs", "Jobs", Kind::Rows(nested::JOB)),
    Field::shown("created_at", "Created at", Kind::DateTime),
    Field::shown("updated_at", "Updated at", Kind::DateTime),
];

/// What is sent to add or remove a capture.
pub const MEMBER: &[Field] =
    &[Field::new("source_image", "Source image", Kind::Integer(None, None)).required()];

const NUMBER: Kind = Kind::Integer(None, None);

/// The job that fills a set.
pub const POPULATING: &[Field] = &[
    Field::shown("job_id", "The job", NUMBER),
    Field::shown("project_id", "Its project", NUMBER),
];

/// A set after a capture came or went.
pub const CHANGED: &[Field] = &[
    Field::shown("collection", "The set", NUMBER),
    Field::shown("total_images", "Its captures", NUMBER),
];
