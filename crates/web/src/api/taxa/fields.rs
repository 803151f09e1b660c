//! What is sent to and shown of taxa, and what their list can be narrowed by.

use rest::field::{Field, Kind};

use super::tree;
use crate::api::occurrences;

/// The fields of a taxon.
pub const FIELDS: &[Field] = &[
    Field::id(),
    tree::NAME,
    tree::RANK,
    Field::shown("parent", "Parent", Kind::Nested(tree::PARENT)).nullable(),
    Field {
        required: true,
        ..Field::link("parent_id", "Parent id", "taxa")
    },
    Field::shown("parents", "Parents", Kind::Rows(tree::ABOVE)),
    Field::details(),
    Field::shown("occurrences_count", "Occurrences count", Kind::Any),
    Field::shown("verified_count", "Verified count", Kind::Any),
    Field::shown("events_count", "Events count", Kind::Any),
    Field::shown(
        "occurrences",
        "Occurrences",
        Kind::Rows(occurrences::fields::EXAMPLE),
    )
    // The answer to POST is without them.
    .sometimes(),
    tree::GBIF,
    Field::shown("tags", "Tags", Kind::Any),
    Field::shown("last_detected", "Last detected", Kind::Any),
    Field::shown(
        "best_determination_score",
        "Best determination score",
        Kind::Any,
    ),
    tree::FIELDGUIDE,
    tree::INAT,
    tree::COVER,
    tree::CREDIT,
    Field::shown("summary_data", "Summary data", Kind::Any),
    Field::new("common_name_en", "Common name en", Kind::Text(Some(255)))
        .nullable()
        .blank(),
];

/// The fields of a taxon in lists.
pub const ROW: &[Field] = &[
    Field::id(),
    tree::NAME,
    tree::RANK,
    Field::shown("parent_id", "Parent id", Kind::Any),
    Field::shown("parents", "Parents", Kind::Rows(tree::ABOVE)),
    Field::details(),
    Field::shown("occurrences_count", "Occurrences count", Kind::Any),
    Field::shown("verified_count", "Verified count", Kind::Any),
    Field::shown("occurrences", "Occurrences", Kind::Any),
    Field::shown("tags", "Tags", Kind::Any),
    Field::shown("last_detected", "Last detected", Kind::Any),
    Field::shown(
        "best_determination_score",
        "Best determination score",
        Kind::Any,
    ),
    Field::shown("cover_image_url", "Cover image url", Kind::Any),
    Field::shown("created_at", "Created at", Kind::DateTime),
    Field::shown("updated_at", "Updated at", Kind::DateTime),
];

/// What the list can be narrowed by.
pub const FILTERS: &[Field] = &[
    Field::new("project_id", "Project", Kind::Link("projects")),
    Field::new("name", "Name", Kind::Text(None)),
    tree::RANK,
    Field::new("parent", "Parent", Kind::Link("taxa")),
    Field::new("taxon", "Taxon", Kind::Link("taxa")),
    Field::new("event", "Event", Kind::Link("events")),
    Field::new("deployment", "Deployment", Kind::Link("deployments")),
    Field::new("include_unobserved", "Include unobserved", Kind::Boolean),
    Field::new("verified", "Verified", Kind::Boolean),
    Field::new("taxa_list_id", "Taxa list", Kind::Link("taxa/lists")),
    Field::new(
        "not_taxa_list_id",
        "Not taxa list",
        Kind::Link("taxa/lists"),
    ),
    Field::new("tag_id", "Tag", Kind::Link("tags")),
    Field::new("not_tag_id", "Not tag", Kind::Link("tags")),
    Field::new("apply_defaults", "Apply defaults", Kind::Boolean),
];

/// What tags are assigned by.
pub const TAGS: &[Field] = &[Field::new("tag_ids", "Tag ids", Kind::Links("tags")).required()];

/// What has been assigned.
pub const ASSIGNED: &[Field] = &[
    Field::shown("taxon_id", "Taxon", Kind::Integer(None, None)),
    Field::shown("assigned_tag_ids", "Its tags", Kind::Integers),
];

/// What suggestions are asked by.
pub const ASKED: &[Field] = &[
    Field::new("q", "Part of a name", Kind::Text(None)),
    Field::new(
        "limit",
        "At most so many taxa",
        Kind::Integer(Some(1), None),
    ),
];
