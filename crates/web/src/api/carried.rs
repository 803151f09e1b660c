//! Rows that other rows carry inside: a project, a pipeline, a job's state, a taxon, each with
//! the same keys wherever it stands.

use domain::permission::{
    JobFacts, ProjectFacts, job_permissions, pipeline_permissions, project_permissions,
};
use rest::field::{Field, Kind};
use rest::time::instant;
use serde_json::{Value, json};
use store::job::Job;
use store::pipeline::Pipeline;
use store::project::Project;
use store::taxon::Taxon;

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
    Field::new("image", "Image", Kind::Image),
    Field::details(),
];

/// States of a job, as choices.
pub const STATES: &[(&str, &str)] = &[
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

const JOB_TYPE: &[Field] = &[
    Field::shown("name", "Name", Kind::Text(None)),
    Field::shown("key", "Key", Kind::Slug(usize::MAX)),
];

/// The fields of a job's state inside another row.
pub const JOB: &[Field] = &[
    Field::id(),
    Field::details(),
    Field::new("status", "Status", Kind::Choice(STATES)),
    Field::shown("job_type", "Job type", Kind::Nested(JOB_TYPE)),
    Field::shown("created_at", "Created at", Kind::DateTime),
    Field::shown("updated_at", "Updated at", Kind::DateTime),
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

/// A job's state inside another row.
pub fn job(call: &Call, job: &Job, facts: &ProjectFacts) -> Value {
    let kind = domain::job::kind(&job.kind);
    let of = JobFacts {
        kind: &job.kind,
        single_capture: job.capture_id.is_some(),
    };
    json!({
        "id": job.id,
        "details": call.addresses.row("jobs", job.id),
        "status": job.state,
        "job_type": {
            "name": kind.map_or("Unknown", |k| k.name),
            "key": kind.map_or("unknown", |k| k.key),
        },
        "created_at": instant(job.created_at),
        "updated_at": instant(job.updated_at),
        "user_permissions": job_permissions(call.who.caller(), facts, of),
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

/// A taxon without its parents.
pub fn taxon(call: &Call, taxon: &Taxon) -> Value {
    json!({
        "id": taxon.id,
        "name": taxon.name,
        "rank": taxon.rank,
        "details": call.addresses.row("taxa", taxon.id),
        "gbif_taxon_key": taxon.gbif_key,
        "fieldguide_id": null,
        "inat_taxon_id": null,
        "cover_image_url": null,
        "cover_image_credit": null,
        "user_permissions": pipeline_permissions(call.who.caller()),
    })
}
