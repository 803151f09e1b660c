//! What other rows carry inside of the rows that are made before them: a project, a pipeline,
//! each with the same keys wherever it stands.

use domain::permission::{ProjectFacts, pipeline_permissions, project_permissions};
use rest::field::{Field, Kind};
use rest::time::instant;
use serde_json::{Value, json};
use store::pipeline::Pipeline;
use store::project::Project;

use crate::call::Call;
use crate::pictures;

const MIN: Option<i64> = Some(-2_147_483_648);
const MAX: Option<i64> = Some(2_147_483_647);

/// A counter that OPTIONS calls writable, as the reference does; what is sent is not kept.
pub const fn counter(name: &'static str, label: &'static str) -> Field {
    Field::new(name, label, Kind::Integer(MIN, MAX)).nullable()
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
    Field::new("version", "Version", Kind::Integer(MIN, MAX)),
    Field::new("version_name", "Version name", Kind::Text(Some(255))).blank(),
    Field::shown("created_at", "Created at", Kind::DateTime),
    Field::shown("updated_at", "Updated at", Kind::DateTime),
];

/// A project inside another row.
pub fn project(call: &Call, project: &Project, facts: &ProjectFacts) -> Value {
    json!({
        "id": project.id,
        "name": project.name,
        "image": pictures::address(&call.state.links, project.image.as_deref()),
        "details": call.addresses.row("projects", project.id),
        "user_permissions": project_permissions(call.who.caller(), facts),
    })
}

/// A pipeline inside another row.
pub fn pipeline(call: &Call, pipeline: &Pipeline) -> Value {
    json!({
        "id": pipeline.id,
        "details": call.addresses.row("ml/pipelines", pipeline.id),
        "name": pipeline.name,
        "slug": pipeline.slug,
        "description": pipeline.description,
        "version": pipeline.version,
        "version_name": pipeline.version_name,
        "created_at": instant(pipeline.created_at),
        "updated_at": instant(pipeline.updated_at),
        "user_permissions": pipeline_permissions(call.who.caller()),
    })
}
