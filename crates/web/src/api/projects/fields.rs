//! The fields of a project and the words about its addresses, in the order of its JSON.

use rest::field::{Field, Kind};
use rest::shape::{self, Shape};

use super::super::nested::fields::{PIPELINE, counter};
use super::super::taxa::tree::PARENT as TAXON;

/// About projects.
pub const ABOUT: &str = "Projects: what stations, captures, jobs and people belong to.";
/// About charts.
pub const CHARTS: &str = "Charts about what a project holds.";

/// What the list can be narrowed by.
pub const FILTERS: &[Field] = &[Field::new("user_id", "Member", Kind::Link("users"))];

const STATION: &[Field] = &[
    Field::id(),
    Field::new("name", "Name", Kind::Text(Some(80))).required(),
    Field::new("image", "Image", Kind::Image).nullable(),
    Field::details(),
    Field::new("latitude", "Latitude", Kind::Float).nullable(),
    Field::new("longitude", "Longitude", Kind::Float).nullable(),
    counter("events_count", "Events count"),
];

const OWNER: &[Field] = &[
    Field::id(),
    Field::new("name", "Name of User", Kind::Text(Some(255))),
    Field::new("image", "Image", Kind::Image).nullable(),
    Field::details(),
];

/// The field that holds the settings.
pub const SETTINGS: &str = "settings";
/// Taxa that the default filters ask for.
pub const INCLUDE: &str = "default_filters_include_taxa_ids";
/// Taxa that the default filters leave out.
pub const EXCLUDE: &str = "default_filters_exclude_taxa_ids";
/// How long a job waits for a worker.
pub const WAIT: &str = "worker_wait_minutes";
/// The default pipeline.
pub const PIPELINE_ID: &str = "default_processing_pipeline_id";

const SETTING: &[Field] = &[
    Field::shown(
        "default_filters_exclude_taxa",
        "Default filters exclude taxa",
        Kind::Rows(TAXON),
    ),
    Field::shown(
        "default_filters_include_taxa",
        "Default filters include taxa",
        Kind::Rows(TAXON),
    ),
    Field::new(
        "default_filters_score_threshold",
        "Default filters score threshold",
        Kind::Float,
    )
    .help("Default score threshold for filtering occurrences"),
    Field::shown(
        "default_processing_pipeline",
        "Default processing pipeline",
        Kind::Nested(PIPELINE),
    )
    .nullable(),
    Field::new(
        "session_time_gap_seconds",
        "Session time gap seconds",
        Kind::Integer(Some(-2_147_483_648), Some(2_147_483_647)),
    )
    .help(
        "Longest time between two captures, in seconds, before a new session begins. A new value \
         does not regroup the captures that are there: regroup the stations concerned.",
    ),
    // Shown where it is set: the recorded bodies do not have it.
    Field::new(
        WAIT,
        "Worker wait minutes",
        Kind::Integer(Some(1), Some(525_600)),
    )
    .nullable()
    .sometimes()
    .unlisted()
    .help("Minutes that a job waits for a worker before it fails; null: for ever"),
    Field::link(
        PIPELINE_ID,
        "Default processing pipeline id",
        "ml/pipelines",
    ),
    taxa(INCLUDE, "Default filters include taxa ids"),
    taxa(EXCLUDE, "Default filters exclude taxa ids"),
    Field::permissions(),
];

const fn taxa(name: &'static str, label: &'static str) -> Field {
    Field {
        write_only: true,
        ..Field::new(name, label, Kind::Links("taxa"))
    }
}

const ID: Field = Field::id();
const NAME: Field = Field::new("name", "Name", Kind::Text(Some(80))).required();
const DESCRIPTION: Field = Field::new("description", "Description", Kind::Text(None)).blank();
const DETAILS: Field = Field::details();
const STATIONS: Field =
    Field::shown("deployments_count", "Deployments count", Kind::Any).holds(shape::INTEGER);
const CREATED: Field = Field::shown("created_at", "Created at", Kind::DateTime);
const UPDATED: Field = Field::shown("updated_at", "Updated at", Kind::DateTime);
const IMAGE: Field = Field::new("image", "Image", Kind::Image).nullable();
const DRAFT: Field = Field::new("draft", "Draft", Kind::Boolean)
    .help("Indicates whether this project is in draft mode");

/// A project in a list.
pub const ROW: &[Field] = &[
    ID,
    NAME,
    DESCRIPTION,
    DETAILS,
    STATIONS,
    CREATED,
    UPDATED,
    IMAGE,
    DRAFT,
];

/// A project as it is sent, and shown alone.
pub const FIELDS: &[Field] = &[
    ID,
    NAME,
    DESCRIPTION,
    DETAILS,
    STATIONS,
    CREATED,
    UPDATED,
    IMAGE,
    DRAFT,
    Field::shown("deployments", "Deployments", Kind::Rows(STATION)),
    Field::shown("summary_data", "Charts", Kind::List)
        .unlisted()
        .sometimes(),
    Field::shown("owner", "Owner", Kind::Nested(OWNER)).nullable(),
    Field::shown("feature_flags", "Feature flags", Kind::Any)
        .holds(Shape::Map(&Shape::Of(Kind::Boolean))),
    Field::new(SETTINGS, "Settings", Kind::Nested(SETTING)),
    Field::shown("is_member", "Is member", Kind::Any).holds(Shape::Of(Kind::Boolean)),
];

/// What the query of one project may hold.
pub const QUERY: &[Field] = &[Field::new(
    "with_charts",
    "Whether charts are shown",
    Kind::Boolean,
)];
