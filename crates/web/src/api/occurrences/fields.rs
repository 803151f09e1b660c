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
    Field::shown("taxon", "Taxon", Kind::Nested(tree::FIELDS)).nullable(),
    Field::shown("user", "User", Kind::Nested(PERSON)).nullable(),
    Field::new("withdrawn", "Withdrawn", Kind::Boolean),
    Field::new("comment", "Comment", Kind::Text(None)),
    Field::shown("created_at", "Created at", Kind::DateTime),
];

const APPLIED: &[Field] = &[
    Field::shown("id", "ID", Kind::Integer(None, None)),
    Field::shown("created_at", "Created at", Kind::DateTime),
    Field::shown("algorithm", "Algorithm", Kind::Nested(algorithms::FIELDS)).nullable(),
];

const PREDICTION: &[Field] = &[
    Field::id(),
    Field::details(),
    Field::shown("taxon", "Taxon", Kind::Nested(tree::FIELDS)).nullable(),
    Field::new("score", "Score", Kind::Float).nullable(),
    Field::new("terminal", "Terminal", Kind::Boolean)
        .help("Is this the final classification from a series of classifiers in a pipeline?"),
    Field::shown("algorithm", "Algorithm", Kind::Nested(algorithms::FIELDS)).nullable(),
    Field::shown("applied_to", "Applied to", Kind::Nested(APPLIED)).nullable(),
    Field::shown("created_at", "Created at", Kind::DateTime),
];

const CAPTURE: &[Field] = &[
    Field::id(),
    Field::details(),
    Field::shown("url", "Url", Kind::Any),
    Field::new("width", "Width", INT).nullable(),
    Field::new("height", "Height", INT).nullable(),
];

const DETECTION: &[Field] = &[
    Field::id(),
    Field::details(),
    Field::new("timestamp", "Timestamp", Kind::DateTime).nullable(),
    Field::shown("url", "Url", Kind::Any),
    Field::shown("capture", "Capture", Kind::Nested(CAPTURE)).nullable(),
    Field::shown("width", "Width", Kind::Any),
    Field::shown("height", "Height", Kind::Any),
    Field::new("bbox", "Bbox", Kind::Any),
    Field::new("occurrence", "Occurrence", Kind::Any),
    Field::shown("classifications", "Classifications", Kind::Rows(PREDICTION)),
];

const BEST: &[Field] = &[
    Field::id(),
    Field::shown("url", "Url", Kind::Any),
    Field::new("timestamp", "Timestamp", Kind::DateTime).nullable(),
    Field::details(),
    Field::shown("width", "Width", Kind::Any),
    Field::shown("height", "Height", Kind::Any),
];

/// An occurrence as an example of a taxon.
pub const EXAMPLE: &[Field] = &[
    Field::id(),
    Field::details(),
    DEPLOYMENT,
    EVENT,
    Field::new("determination_score", "Determination score", Kind::Float).nullable(),
    DETERMINED,
    Field::shown("best_detection", "Best detection", Kind::Nested(BEST)).nullable(),
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

const EVENT: Field = Field::shown("event", "Event", Kind::Nested(SESSION)).nullable();
const DEPLOYMENT: Field =
    Field::shown("deployment", "Deployment", Kind::Nested(STATION)).nullable();
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
)
.nullable();
const COUNT: Field = Field::shown("detections_count", "Detections count", Kind::Any);
const IMAGES: Field = Field::shown("detection_images", "Detection images", Kind::Any);
const SCORE: Field =
    Field::shown("determination_score", "Determination score", Kind::Float).nullable();
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

const IDENTIFIER: &[Field] = &[
    Field::id(),
    Field::shown("name", "Name", Kind::Text(None)),
    Field::shown("image", "Picture", Kind::Image).nullable(),
    Field::shown("identification_count", "Identifications", COUNTED),
];

const COUNTED: Kind = Kind::Integer(Some(0), None);

/// Who identified the most.
pub const TOP: &[Field] = &[
    Field::shown("project_id", "Project", COUNTED),
    Field::shown("top_identifiers", "People", Kind::Rows(IDENTIFIER)),
];

const fn counted(name: &'static str) -> Field {
    Field::shown(name, "", COUNTED)
}

const fn share(name: &'static str) -> Field {
    Field::shown(name, "", Kind::Float).nullable()
}

/// How far people and models agree.
pub const AGREED: &[Field] = &[
    counted("project_id"),
    counted("total_occurrences"),
    counted("verified_count"),
    share("verified_pct"),
    counted("verified_with_prediction_count"),
    counted("no_prediction_count"),
    counted("verified_without_taxon_count"),
    counted("comparable_count"),
    counted("agreed_exact_count"),
    share("agreed_exact_pct"),
    share("agreed_exact_ci_low"),
    share("agreed_exact_ci_high"),
    counted("agreed_any_rank_count"),
    share("agreed_any_rank_pct"),
    share("agreed_any_rank_ci_low"),
    share("agreed_any_rank_ci_high"),
    share("cohens_kappa"),
    Field::shown("agreement_coarsest_rank", "", Kind::Text(None)).nullable(),
    counted("agreed_coarser_rank_count").nullable(),
    share("agreed_coarser_rank_pct"),
];

/// What the query says of agreement.
pub const COARSEST: &[Field] = &[Field::new(
    "agreement_coarsest_rank",
    "The widest rank at which the same taxon counts as agreement",
    Kind::Text(None),
)];

/// How many people are named.
pub const MOST: &[Field] = &[Field::new(
    "limit",
    "At most so many people",
    Kind::Integer(Some(1), None),
)];

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
