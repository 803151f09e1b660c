//! The fields of an occurrence and the words about its addresses, as OPTIONS and the pages show
//! them.

use rest::field::{Field, Kind};

use crate::api::nested::fields as nested;

/// About occurrences.
pub const ABOUT: &str = "Occurrences: individuals as stations saw them, with what they were \
determined as.";
/// About algorithms.
pub const ALGORITHMS: &str = "The algorithms whose results the project has.";
/// About the people who identified most.
pub const TOP: &str = "The people who identified most occurrences.";

const PROJECT: Field =
    Field::new("project_id", "Active project", Kind::Link("projects")).required();

/// What narrows to a project.
pub const ONE: &[Field] = &[PROJECT];

/// What the list can be narrowed by.
pub const FILTERS: &[Field] = &[
    PROJECT,
    Field::new("deployment", "Deployment", Kind::Link("deployments")),
    Field::new("event", "Event", Kind::Link("events")),
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
    Field::new("taxon", "Taxon", Kind::Link("taxa")),
    Field::new("algorithm", "Algorithm", Kind::Link("ml/algorithms")),
    Field::new(
        "not_algorithm",
        "Not by algorithm",
        Kind::Link("ml/algorithms"),
    ),
    Field::new("taxa_list_id", "Taxa list", Kind::Link("taxa/lists")),
    Field::new(
        "not_taxa_list_id",
        "Not in taxa list",
        Kind::Link("taxa/lists"),
    ),
    Field::new("date_start", "First day", Kind::Text(Some(10))),
    Field::new("date_end", "Last day", Kind::Text(Some(10))),
    Field::new("apply_defaults", "Default filters", Kind::Boolean),
    Field::new("classification_threshold", "Least score", Kind::Float),
];

/// The fields of an occurrence, in the order of its JSON.
pub const FIELDS: &[Field] = &[
    Field::id(),
    Field::details(),
    Field::shown("event", "Event", Kind::Nested(nested::SESSION)),
    Field::shown("deployment", "Deployment", Kind::Nested(nested::STATION)),
    Field::shown(
        "first_appearance_timestamp",
        "First appearance timestamp",
        Kind::Any,
    ),
    Field::shown("first_appearance_time", "First appearance time", Kind::Any),
    Field::shown("duration", "Duration", Kind::Any),
    Field::shown("duration_label", "Duration label", Kind::Any),
    Field::shown(
        "determination",
        "Determination",
        Kind::Nested(nested::DETERMINATION),
    ),
    Field::shown("detections_count", "Detections count", Kind::Any),
    Field::shown("detection_images", "Detection images", Kind::Any),
    Field::shown("determination_score", "Determination score", Kind::Float),
    Field::shown("determination_details", "Determination details", Kind::Any),
    Field::shown(
        "best_machine_prediction",
        "Best machine prediction",
        Kind::Any,
    ),
    Field::shown("identifications", "Identifications", Kind::Any),
    Field::shown("created_at", "Created at", Kind::DateTime),
    Field::shown("updated_at", "Updated at", Kind::DateTime),
    Field::shown("determination_id", "Determination id", Kind::Any),
    Field::shown("detections", "Detections", Kind::Any),
    Field::shown(
        "predictions",
        "Predictions",
        Kind::Rows(nested::CLASSIFICATION),
    ),
];
