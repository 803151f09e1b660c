//! Bodies that make or change a job: read against the table of fields, every named row checked
//! (`domain-rules.md` §16). Rows of another project count as missing.

use domain::job::KindSpec;
use rest::{ApiError, ApiResult, Form, How, JsonBody};
use store::StoreError;
use store::job::{Job, JobChange, NewJob, dispatch};
use store::project::Project;

use super::fields::FIELDS;
use super::params;
use crate::call::{Call, found};

/// The rows that a body names.
#[derive(Default)]
struct Rows {
    station: Option<i64>,
    capture: Option<i64>,
    set: Option<i64>,
    pipeline: Option<i64>,
}

/// Reads the body of a new job.
///
/// # Errors
/// 400 with all messages.
pub async fn new_job(call: &Call, body: JsonBody) -> ApiResult<(NewJob, Project)> {
    let mut form = Form::read(FIELDS, body, How::Whole)?;
    no_negatives(&mut form);
    let project = named_project(call, &mut form).await?;
    let rows = rows(call, &mut form, project.as_ref().map(|p| p.id)).await?;
    let kind = kind(&mut form);
    let key = kind.map(|kind| kind.key);
    let params = params::read(call, &mut form, key, project.as_ref()).await?;
    form.finish()?;
    let (Some(project), Some(kind)) = (project, kind) else {
        return Err(ApiError::Internal("a checked value is missing".to_owned()));
    };
    let new = NewJob {
        name: form.text("name").unwrap_or_default(),
        project_id: project.id,
        kind: kind.key,
        params,
        delay: small(&form, "delay").unwrap_or_default(),
        limit: small(&form, "limit"),
        shuffle: form.boolean("shuffle").unwrap_or(true),
        station_id: rows.station,
        capture_set_id: rows.set,
        capture_id: rows.capture,
        pipeline_id: rows.pipeline,
        dispatch_mode: Some(dispatch::mode(kind.key, rows.pipeline, &project)),
        ..Default::default()
    };
    Ok((new, project))
}

/// Reads a change. What a body leaves out stays, but a whole one must name what is required, and
/// one that names no kind makes it an ML job again, as in the reference.
///
/// # Errors
/// 400 with all messages.
pub async fn change(
    call: &Call,
    (job, project): (&Job, &Project),
    body: JsonBody,
    how: How,
) -> ApiResult<JobChange> {
    let sent: Vec<String> = match &body.value {
        serde_json::Value::Object(map) => map.keys().cloned().collect(),
        _ => Vec::new(),
    };
    let mut form = Form::read(FIELDS, body, how)?;
    no_negatives(&mut form);
    let other = named_project(call, &mut form).await?;
    if other.is_some_and(|other| other.id != project.id) {
        form.wrong("project_id", "A job cannot be moved to another project.");
    }
    let rows = rows(call, &mut form, Some(project.id)).await?;
    let was_sent = |name: &str| sent.iter().any(|sent| sent == name);
    let shuffle = form.boolean("shuffle");
    let kind = kind(&mut form);
    let key = kind.map_or(job.kind.as_str(), |kind| kind.key);
    let params = params::read(call, &mut form, Some(key), Some(project)).await?;
    form.finish()?;
    let change = JobChange {
        name: form.text("name"),
        delay: small(&form, "delay"),
        limit: form.change("limit", small),
        // A default is for new jobs; a box that is not ticked in a form says false.
        shuffle: shuffle.filter(|on| was_sent("shuffle") || !on),
        station_id: form.has("deployment_id").then_some(rows.station),
        capture_id: form.has("source_image_single_id").then_some(rows.capture),
        capture_set_id: form.has("source_image_collection_id").then_some(rows.set),
        pipeline_id: form.has("pipeline_id").then_some(rows.pipeline),
        kind: kind.map(|kind| kind.key),
        params,
    };
    Ok(change)
}

/// Waiting less than no time, or doing less than nothing, is refused; the reference takes it.
fn no_negatives(form: &mut Form) {
    for name in ["delay", "limit"] {
        if form.integer(name).is_some_and(|n| n < 0) {
            form.wrong(name, "Ensure this value is greater than or equal to 0.");
        }
    }
}

fn small(form: &Form, name: &str) -> Option<i32> {
    form.integer(name).and_then(|n| i32::try_from(n).ok())
}

fn kind(form: &mut Form) -> Option<&'static KindSpec> {
    let key = form.text("job_type_key")?;
    let kind = domain::job::kind(&key);
    if kind.is_none() {
        form.wrong("job_type_key", format!("\"{key}\" is not a valid choice."));
    }
    kind
}

async fn named_project(call: &Call, form: &mut Form) -> ApiResult<Option<Project>> {
    let Some(id) = form.integer("project_id") else {
        return Ok(None);
    };
    let project = found(call.store().project(id).await)?;
    if project.is_none() {
        form.missing("project_id", id);
    }
    Ok(project)
}

async fn rows(call: &Call, form: &mut Form, home: Option<i64>) -> ApiResult<Rows> {
    let store = call.store();
    let mut rows = Rows::default();
    if let Some(id) = form.integer("deployment_id") {
        let owner = store.station(id).await.map(|s| s.project_id);
        rows.station = owned(form, "deployment_id", id, owner, home)?;
    }
    if let Some(id) = form.integer("source_image_single_id") {
        let owner = store.capture(id).await.map(|c| c.project_id);
        rows.capture = owned(form, "source_image_single_id", id, owner, home)?;
    }
    if let Some(id) = form.integer("source_image_collection_id") {
        let owner = store.capture_set(id).await.map(|s| Some(s.project_id));
        rows.set = owned(form, "source_image_collection_id", id, owner, home)?;
    }
    if let Some(id) = form.integer("pipeline_id") {
        rows.pipeline = found(store.pipeline(id).await)?.map(|p| p.id);
        if rows.pipeline.is_none() {
            form.missing("pipeline_id", id);
        }
    }
    Ok(rows)
}

/// A row of the job's own project; others count as missing.
fn owned(
    form: &mut Form,
    field: &str,
    id: i64,
    owner: Result<Option<i64>, StoreError>,
    home: Option<i64>,
) -> ApiResult<Option<i64>> {
    match found(owner)? {
        Some(owner) if home.is_none() || owner == home => Ok(Some(id)),
        _ => {
            form.missing(field, id);
            Ok(None)
        }
    }
}
