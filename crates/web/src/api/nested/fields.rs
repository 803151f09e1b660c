//! The fields of small objects, as OPTIONS shows them.

use rest::field::{Field, Kind};
use rest::shape;

use crate::api::taxa::tree;

/// A whole number of 32 bits.
pub const INT: Kind = Kind::Integer(Some(-2_147_483_648), Some(2_147_483_647));
const LONG: Kind = Kind::Integer(Some(i64::MIN), Some(i64::MAX));

/// A counter that OPTIONS calls writable, as the reference does; what is sent is not kept.
pub const fn counter(name: &'static str, label: &'static str) -> Field {
    Field::new(name, label, INT).nullable()
}

/// The fields of something with a name of at most 80 characters.
pub const NAMED: &[Field] = &[
    Field::id(),
    Field::new("name", "Name", Kind::Text(Some(80))).required(),
    Field::details(),
];

/// The fields of a project inside another row.
pub const PROJECT: &[Field] = &[
    Field::id(),
    Field::new("name", "Name", Kind::Text(Some(80))).required(),
    Field::new("image", "Image", Kind::Image).nullable(),
    Field::details(),
];

/// The fields of a pipeline inside another row.
pub const PIPELINE: &[Field] = &[
    Field::id(),
    Field::details(),
    Field::new("name", "Name", Kind::Text(Some(255))).required(),
    Field::new("slug", "Slug", Kind::Slug(255)).required(),
    Field::new("description", "Description", Kind::Text(None)).blank(),
    Field::new("version", "Version", INT),
    Field::new("version_name", "Version name", Kind::Text(Some(255))).blank(),
    Field::shown("created_at", "Created at", Kind::DateTime),
    Field::shown("updated_at", "Updated at", Kind::DateTime),
];

/// The width of a photograph.
pub const WIDTH: Field = Field::new("width", "Width", INT).nullable();
/// Its height.
pub const HEIGHT: Field = Field::new("height", "Height", INT).nullable();
/// Its size in bytes.
pub const SIZE: Field = Field::new("size", "Size", LONG)
    .nullable()
    .help("Size of the image file in bytes, read from the source file in image storage.");

/// A session.
pub const SESSION: &[Field] = &[
    Field::id(),
    Field::shown("name", "Name", Kind::Any),
    Field::details(),
    Field::shown("date_label", "Date label", Kind::Any),
];

/// How a capture set chooses its captures.
pub const METHODS: &[(&str, &str)] = &[
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

/// A capture set.
pub const SET: &[Field] = &[
    Field::id(),
    Field::new("name", "Name", Kind::Text(Some(255))).required(),
    Field::details(),
    Field::new("method", "Method", Kind::Choice(METHODS)),
];

const STATES: &[(&str, &str)] = &[
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

const TYPE: &[Field] = &[
    Field::shown("name", "Name", Kind::Text(None)),
    Field::shown("key", "Key", Kind::Slug(usize::MAX)),
];

/// A job.
pub const JOB: &[Field] = &[
    Field::id(),
    Field::details(),
    Field::new("status", "Status", Kind::Choice(STATES)),
    Field::shown("job_type", "Job type", Kind::Nested(TYPE)),
    Field::shown("created_at", "Created at", Kind::DateTime),
    Field::shown("updated_at", "Updated at", Kind::DateTime),
];

/// What an algorithm may be good for.
pub const TASKS: &[(&str, &str)] = &[
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

const MAP: &[Field] = &[Field::id(), Field::details()];

/// An algorithm.
pub const ALGORITHM: &[Field] = &[
    Field::id(),
    Field::details(),
    Field::new("name", "Name", Kind::Text(Some(255))).required(),
    Field::new("key", "Key", Kind::Slug(255)).required(),
    Field::new("description", "Description", Kind::Text(None)),
    Field::new("uri", "Uri", Kind::Text(Some(255))).nullable().help(
        "A URI to the weights or model details. Could be a public web URL or object store path.",
    ),
    Field::new("version", "Version", INT)
        .help("An internal, sortable and incrementable version number for the model."),
    Field::new("version_name", "Version name", Kind::Text(Some(255))),
    // What services register is shown as they say it.
    Field::new("task_type", "Task type", Kind::Choice(TASKS))
        .nullable()
        .holds(shape::TEXT),
    Field::shown("category_map", "Category map", Kind::Nested(MAP)).nullable(),
    Field::shown("category_count", "Category count", Kind::Any),
    Field::shown("created_at", "Created at", Kind::DateTime),
    Field::shown("updated_at", "Updated at", Kind::DateTime),
];

const SEEN: &[Field] = &[
    Field::id(),
    Field::details(),
    Field::shown("determination", "Determination", Kind::Nested(tree::PARENT)).nullable(),
    Field::new("determination_score", "Determination score", Kind::Float).nullable(),
    // OPTIONS of the reference names it, its answers never hold it.
    Field::shown(
        "determination_algorithm",
        "Determination algorithm",
        Kind::Nested(ALGORITHM),
    )
    .sometimes(),
];

/// A box on a capture.
pub const FOUND: &[Field] = &[
    Field::id(),
    Field::details(),
    Field::shown("url", "Url", Kind::Any).holds(shape::ADDRESS_OR_NULL),
    Field::shown("width", "Width", Kind::Any),
    Field::shown("height", "Height", Kind::Any),
    Field::new("bbox", "Bbox", Kind::Any),
    Field::shown("occurrence", "Occurrence", Kind::Nested(SEEN)).nullable(),
    Field::shown("classifications", "Classifications", Kind::Any),
    Field::shown(
        "occurrence_meets_criteria",
        "Occurrence meets criteria",
        Kind::Any,
    ),
];

const ORIGIN: &[Field] = &[
    Field::shown("id", "ID", Kind::Integer(None, None)),
    Field::shown("created_at", "Created at", Kind::DateTime),
    Field::shown("algorithm", "Algorithm", Kind::Nested(ALGORITHM)).nullable(),
];

/// What a classification was derived from.
pub const APPLIED_TO: Field =
    Field::shown("applied_to", "Applied to", Kind::Nested(ORIGIN)).nullable();

/// A classification of a detection.
pub const CLASSIFICATION: &[Field] = &[
    Field::id(),
    Field::details(),
    Field::shown("taxon", "Taxon", Kind::Nested(tree::FIELDS)).nullable(),
    Field::new("score", "Score", Kind::Float).nullable(),
    Field::new("terminal", "Terminal", Kind::Boolean)
        .help("Is this the final classification from a series of classifiers in a pipeline?"),
    Field::shown("algorithm", "Algorithm", Kind::Nested(ALGORITHM)).nullable(),
    APPLIED_TO,
    Field::shown("created_at", "Created at", Kind::DateTime),
];

/// A capture in short.
pub const CAPTURE: &[Field] = &[
    Field::id(),
    Field::details(),
    Field::shown("url", "Url", Kind::Any).holds(shape::ADDRESS_OR_NULL),
    WIDTH,
    HEIGHT,
    Field::new("timestamp", "Timestamp", Kind::DateTime).nullable(),
    Field::shown("event_id", "Event id", Kind::Any),
];
