//! What is sent to and shown of the pipelines of a project.

use rest::field::{Field, Kind};

/// About the pipelines of a project.
pub const REGISTER: &str = "Pipelines for a specific project. GET lists, POST registers.";
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
