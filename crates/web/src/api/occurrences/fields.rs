//! The fields of an occurrence and the words about its addresses.

use rest::field::{Field, Kind};

use crate::api::exports::PERSON;
use crate::api::ml::algorithms::{self, INT};
use crate::api::taxa::tree;

/// About occurrences.
pub const ABOUT: &str = "Occurrences: individuals as stations see them.";
/// About algorithms.
pub const ALGORITHMS: &str = "The algorithms that a project's pipelines run.";
/// About identifiers.
pub const IDENTIFIERS: &str = "Who identified the most occurrences of a project.";
/// About agreement.
pub const AGREEMENT: &str = "How often people and models agree, over the occurrences that the \
filters of the list let through.";

const STATION: &[Field] = &[
    Field::id(),
    Field::new("name", "Name", Kind::Text(Some(80))).required(),
    Field::details(),
];

const SESSION: &[Field] = &[
    Field::id(),
    Field::shown("name", "Name", Kind::Any),
    Field::details(),
    Field::shown("date_label", "Date label", Kind::Any),
];

const SAID: &[Field] = &[
    Field::id(),
    Field::details(),
    Field::shown("taxon", "Taxon", Kind::Nested(tree::FIELDS)),
    Field::shown("user", "User", Kind::Nested(PERSON)),
    Field::new("withdrawn", "Withdrawn", Kind::Boolean),
    Field::new("comment", "Comment", Kind::Text(None)),
    Field::shown("created_at", "Created at", Kind::DateTime),
];

const APPLIED: &[Field] = &[
    Field::shown("id", "ID", Kind::Integer(None, None)),
    Field::shown("created_at", "Created at", Kind::DateTime),
    Field::shown("algorithm", "Algorithm", Kind::Nested(algorithms::FIELDS)),
];

const PREDICTION: &[Field] = &[
    Field::id(),
    Field::details(),
    Field::shown("taxon", "Taxon", Kind::Nested(tree::FIELDS)),
    Field::new("score", "Score", Kind::Float),
    Field::new("terminal", "Terminal", Kind::Boolean)
        .help("Is this the final classification from a series of classifiers in a pipeline?"),
    Field::shown("algorithm", "Algorithm", Kind::Nested(algorithms::FIELDS)),
    Field::shown("applied_to", "Applied to", Kind::Nested(APPLIED)),
    Field::shown("created_at", "Created at", Kind::DateTime),
];

const CAPTURE: &[Field] = &[
    Field::id(),
    Field::details(),
    Field::shown("url", "Url", Kind::Any),
    Field::new("width", "Width", INT),
    Field::new("height", "Height", INT),
];

const DETECTION: &[Field] = &[
    Field::id(),
    Field::details(),
    Field::new("timestamp", "Timestamp", Kind::DateTime),
    Field::shown("url", "Url", Kind::Any),
    Field::shown("capture", "Capture", Kind::Nested(CAPTURE)),
    Field::shown("width", "Width", Kind::Any),
    Field::shown("height", "Height", Kind::Any),
    Field::new("bbox", "Bbox", Kind::Any),
    Field::new("occurrence", "Occurrence", Kind::Any),
    Field::shown("classifications", "Classifications", Kind::Rows(PREDICTION)),
];

const BEST: &[Field] = &[
    Field::id(),
    Field::shown("url", "Url", Kind::Any),
    Field::new("timestamp", "Timestamp", Kind::DateTime),
    Field::details(),
    Field::shown("width", "Width", Kind::Any),
    Field::shown("height", "Height", Kind::Any),
];

/// An occurrence as an example of a taxon.
pub const EXAMPLE: &[Field] = &[
    Field::id(),
    Field::details(),
    Field::shown("deployment", "Deployment", Kind::Nested(STATION)),
    Field::shown("event", "Event", Kind::Nested(SESSION)),
    Field::new("determination_score", "Determination score", Kind::Float),
    Field::shown(
        "determination",
        "Determination",
        Kind::Nested(tree::DETERMINATION),
    ),
    Field::shown("best_detection", "Best detection", Kind::Nested(BEST)),
    Field::shown("detections_count", "Detections count", Kind::Any),
    Field::shown("duration", "Duration", Kind::Any),
    Field::shown("duration_label", "Duration label", Kind::Any),
    Field::shown(
        "first_appearance_timestamp",
        "First appearance timestamp",
        Kind::Any,
    ),
    Field::shown(
        "last_appearance_timestamp",
        "Last appearance timestamp",
        Kind::Any,
    ),
];

const EVENT: Field = Field::shown("event", "Event", Kind::Nested(SESSION));
const DEPLOYMENT: Field = Field::shown("deployment", "Deployment", Kind::Nested(STATION));
const FIRST: Field = Field::shown(
    "first_appearance_timestamp",
    "First appearance timestamp",
    Kind::Any,
);
const FIRST_TIME: Field = Field::shown("first_appearance_time", "First appearance time", Kind::Any);
const DURATION: Field = Field::shown("duration", "Duration", Kind::Any);
const DURATION_LABEL: Field = Field::shown("duration_label", "Duration label", Kind::Any);
const DETERMINED: Field = Field::shown(
    "determination",
    "Determination",
    Kind::Nested(tree::DETERMINATION),
);
const COUNT: Field = Field::shown("detections_count", "Detections count", Kind::Any);
const IMAGES: Field = Field::shown("detection_images", "Detection images", Kind::Any);
const SCORE: Field = Field::shown("determination_score", "Determination score", Kind::Float);
const DETAILS: Field = Field::shown("determination_details", "Determination details", Kind::Any);
const BEST_PREDICTION: Field = Field::shown(
    "best_machine_prediction",
    "Best machine prediction",
    Kind::Any,
);
const IDENTIFIED: Field = Field::shown("identifications", "Identifications", Kind::Rows(SAID));
const CREATED: Field = Field::shown("created_at", "Created at", Kind::DateTime);
const UPDATED: Field = Field::shown("updated_at", "Updated at", Kind::DateTime);

/// The fields of an occurrence in lists.
pub const ROW: &[Field] = &[
    Field::id(),
    Field::details(),
    EVENT,
    DEPLOYMENT,
    FIRST,
    FIRST_TIME,
    DURATION,
    DURATION_LABEL,
    DETERMINED,
    COUNT,
    IMAGES,
    SCORE,
    DETAILS,
    BEST_PREDICTION,
    IDENTIFIED,
    CREATED,
    UPDATED,
];

/// The fields of an occurrence.
pub const FIELDS: &[Field] = &[
    Field::id(),
    Field::details(),
    EVENT,
    DEPLOYMENT,
    FIRST,
    FIRST_TIME,
    DURATION,
    DURATION_LABEL,
    DETERMINED,
    COUNT,
    IMAGES,
    SCORE,
    DETAILS,
    BEST_PREDICTION,
    IDENTIFIED,
    CREATED,
    UPDATED,
    Field::shown("determination_id", "Determination id", Kind::Any),
    Field::shown("detections", "Detections", Kind::Rows(DETECTION)),
    Field::shown("predictions", "Predictions", Kind::Rows(PREDICTION)),
];

/// What the list can be narrowed by.
pub const FILTERS: &[Field] = &[
    Field::new("project_id", "Project", Kind::Link("projects")).required(),
    Field::new("event", "Event", Kind::Link("events")),
    Field::new("deployment", "Deployment", Kind::Link("deployments")),
    Field::new("taxon", "Taxon", Kind::Link("taxa")),
    Field::new("determination", "Determination", Kind::Link("taxa")),
    Field::new(
        "determination__rank",
        "Determination rank",
        Kind::Choice(tree::RANKS),
    ),
    Field::new(
        "detections__source_image",
        "Capture",
        Kind::Link("captures"),
    ),
    Field::new(
        "collection",
        "Capture set",
        Kind::Link("captures/collections"),
    ),
    Field::new("algorithm", "Algorithm", Kind::Links("ml/algorithms")),
    Field::new(
        "not_algorithm",
        "Not algorithm",
        Kind::Links("ml/algorithms"),
    ),
    Field::new("taxa_list_id", "Taxa list", Kind::Link("taxa/lists")),
    Field::new(
        "not_taxa_list_id",
        "Not taxa list",
        Kind::Link("taxa/lists"),
    ),
    Field::new("verified", "Verified", Kind::Boolean),
    Field::new("verified_by_me", "Verified by me", Kind::Boolean),
    Field::new("date_start", "Date start", Kind::Text(None)),
    Field::new("date_end", "Date end", Kind::Text(None)),
    Field::new("classification_threshold", "Least score", Kind::Float),
    Field::new("apply_defaults", "Apply defaults", Kind::Boolean),
];
