//! The fields of pipelines, algorithms and services, and the words about their addresses.

use rest::field::{Field, Kind};

const MAX_INT: i64 = 2_147_483_647;

/// About the pipelines of a project.
pub const REGISTER: &str = "Pipelines for a specific project. GET lists, POST registers.";
/// About pipelines.
pub const PIPELINES: &str = "Pipelines: rows of algorithms that processing services offer.";
/// About algorithms.
pub const ALGORITHMS: &str = "The algorithms of which pipelines are made.";
/// About services.
pub const SERVICES: &str = "Processing services: those with an address are pushed to, the others \
pull their tasks.";

/// What a worker sends to register.
pub const REGISTER_FIELDS: &[Field] = &[
    Field::new(
        "processing_service_name",
        "Processing service name",
        Kind::Text(Some(255)),
    )
    .required(),
    Field::new("pipelines", "Pipelines", Kind::Any),
];

const TASKS: &[(&str, &str)] = &[
    ("detection", "Detection"),
    ("localization", "Localization"),
    ("segmentation", "Segmentation"),
    ("classification", "Classification"),
    ("embedding", "Embedding"),
    ("tracking", "Tracking"),
    ("tagging", "Tagging"),
    ("regression", "Regression"),
    ("captioning", "Captioning"),
    ("generation", "Generation"),
    ("translation", "Translation"),
    ("summarization", "Summarization"),
    ("question_answering", "Question Answering"),
    ("depth_estimation", "Depth Estimation"),
    ("pose_estimation", "Pose Estimation"),
    ("size_estimation", "Size Estimation"),
    ("post_processing", "Post Processing"),
    ("other", "Other"),
    ("unknown", "Unknown"),
];

const CLASSES: &[Field] = &[Field::id(), Field::details()];

/// The fields of an algorithm.
pub const ALGORITHM: &[Field] = &[
    Field::id(),
    Field::details(),
    Field::new("name", "Name", Kind::Text(Some(255))).required(),
    Field::new("key", "Key", Kind::Slug(255)).required(),
    Field::new("description", "Description", Kind::Text(None)),
    Field::new("uri", "Uri", Kind::Text(Some(255))).help(
        "A URI to the weights or model details. Could be a public web URL or object store path.",
    ),
    Field::new(
        "version",
        "Version",
        Kind::Integer(Some(-MAX_INT - 1), Some(MAX_INT)),
    )
    .help("An internal, sortable and incrementable version number for the model."),
    Field::new("version_name", "Version name", Kind::Text(Some(255))),
    Field::new("task_type", "Task type", Kind::Choice(TASKS)),
    Field::shown("category_map", "Category map", Kind::Nested(CLASSES)),
    Field::shown("category_count", "Category count", Kind::Any),
    Field::shown("created_at", "Created at", Kind::DateTime),
    Field::shown("updated_at", "Updated at", Kind::DateTime),
];

/// The fields of a pipeline.
pub const PIPELINE: &[Field] = &[
    Field::id(),
    Field::details(),
    Field::new("name", "Name", Kind::Text(Some(255))).required(),
    Field::new("slug", "Slug", Kind::Slug(255)).required(),
    Field::new("description", "Description", Kind::Text(None)),
    Field::shown("algorithms", "Algorithms", Kind::Any),
    Field::shown("stages", "Stages", Kind::Any),
    Field::shown("processing_services", "Processing services", Kind::Any),
    Field::shown(
        "project_pipeline_configs",
        "Project pipeline configs",
        Kind::Any,
    ),
    Field::shown("created_at", "Created at", Kind::DateTime),
    Field::shown("updated_at", "Updated at", Kind::DateTime),
];

/// The fields of a processing service.
pub const SERVICE: &[Field] = &[
    Field::id(),
    Field::details(),
    Field::new("name", "Name", Kind::Text(Some(255))).required(),
    Field::new("description", "Description", Kind::Text(None)),
    Field::shown("projects", "Projects", Kind::Any),
    Field::new("endpoint_url", "Endpoint url", Kind::Text(Some(1024))),
    Field::shown("is_async", "Is async", Kind::Boolean),
    Field::shown("pipelines", "Pipelines", Kind::Any),
    Field::shown("created_at", "Created at", Kind::DateTime),
    Field::shown("updated_at", "Updated at", Kind::DateTime),
    Field::shown("last_seen", "Last seen", Kind::DateTime),
    Field::shown("last_seen_live", "Last seen live", Kind::Boolean),
];
