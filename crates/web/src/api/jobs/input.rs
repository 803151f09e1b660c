//! Bodies that make or change a job: every message at once, every named row checked
//! (`domain-rules.md` §16). Rows of another project count as missing.

use domain::job::{DispatchMode, KindSpec};
use rest::validate::Input;
use rest::{ApiError, ApiResult, JsonBody};
use store::job::{Job, JobChange, NewJob};
use store::project::{Project, flag};
use store::{Store, StoreError};

use super::super::internal;
use crate::AppState;

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
pub async fn new_job(state: &AppState, body: JsonBody) -> ApiResult<(NewJob, Project)> {
    let mut input = Input::new(body)?;
    let name = input.text("name", 255);
    let delay = input.integer("delay", 0);
    let limit = input.optional_integer("limit", 0);
    let shuffle = input.boolean("shuffle", true);
    let project = input.key("project_id");
    let project = match project {
        Some(id) => row(&mut input, "project_id", id, state.store.project(id).await)?,
        None => None,
    };
    let home = project.as_ref().map(|p| p.id);
    let rows = rows(&state.store, &mut input, home).await?;
    let kind = kind(&mut input);
    input.finish(())?;
    let (Some(project), Some(kind)) = (project, kind) else {
        return Err(ApiError::Internal("a checked value is missing".to_owned()));
    };
    let new = NewJob {
        name: name.unwrap_or_default(),
        project_id: project.id,
        kind: kind.key,
        delay: delay.unwrap_or_default(),
        limit,
        shuffle: shuffle.unwrap_or(true),
        station_id: rows.station,
        capture_set_id: rows.set,
        capture_id: rows.capture,
        pipeline_id: rows.pipeline,
        dispatch_mode: Some(dispatch(kind.key, rows.pipeline, &project)),
        ..Default::default()
    };
    Ok((new, project))
}

/// Reads a change. What a partial body leaves out stays; a whole one sets it to its default. In
/// a form, a box that is not ticked is not sent, so it counts as false.
///
/// # Errors
/// 400 with all messages.
pub async fn change(
    state: &AppState,
    job: &Job,
    project: &Project,
    body: JsonBody,
    partial: bool,
    form: bool,
) -> ApiResult<JobChange> {
    let mut input = Input::new(body)?;
    let sent = |input: &Input, field: &str| !partial || input.has(field);
    let mut change = JobChange::default();
    if sent(&input, "name") {
        change.name = input.text("name", 255);
    }
    if sent(&input, "delay") {
        change.delay = input.integer("delay", 0);
    }
    if input.has("limit") {
        change.limit = Some(input.optional_integer("limit", 0));
    }
    if input.has("shuffle") || (form && !partial) {
        change.shuffle = input.boolean("shuffle", false);
    }
    if sent(&input, "project_id")
        && let Some(id) = input.key("project_id")
        && let Some(other) = row(&mut input, "project_id", id, state.store.project(id).await)?
        && other.id != project.id
    {
        let words = "A job cannot be moved to another project.";
        input.errors.add("project_id", words);
    }
    let named = [
        "deployment_id",
        "source_image_single_id",
        "source_image_collection_id",
        "pipeline_id",
    ];
    let [station, capture, set, pipeline] = named.map(|field| input.has(field));
    let rows = rows(&state.store, &mut input, Some(project.id)).await?;
    change.station_id = station.then_some(rows.station);
    change.capture_id = capture.then_some(rows.capture);
    change.capture_set_id = set.then_some(rows.set);
    change.pipeline_id = pipeline.then_some(rows.pipeline);
    if input.has("job_type_key") {
        change.kind = kind(&mut input).map(|kind| kind.key);
    }
    input.finish(())?;
    if change.kind.is_some() || change.pipeline_id.is_some() {
        let kind = change.kind.unwrap_or(&job.kind);
        let pipeline = change.pipeline_id.unwrap_or(job.pipeline_id);
        change.dispatch_mode = Some(dispatch(kind, pipeline, project));
    }
    Ok(change)
}

fn kind(input: &mut Input) -> Option<&'static KindSpec> {
    let key = input.slug("job_type_key", 255, domain::job::ML)?;
    let kind = domain::job::kind(&key);
    if kind.is_none() {
        let message = format!("\"{key}\" is not a valid choice.");
        input.errors.add("job_type_key", message);
    }
    kind
}

async fn rows(store: &Store, input: &mut Input, home: Option<i64>) -> ApiResult<Rows> {
    let mut rows = Rows::default();
    if let Some(id) = input.optional_key("deployment_id") {
        let owner = store.station(id).await.map(|s| s.project_id);
        rows.station = owned(input, "deployment_id", id, owner, home)?;
    }
    if let Some(id) = input.optional_key("source_image_single_id") {
        let owner = store.capture(id).await.map(|c| c.project_id);
        rows.capture = owned(input, "source_image_single_id", id, owner, home)?;
    }
    if let Some(id) = input.optional_key("source_image_collection_id") {
        let owner = store.capture_set(id).await.map(|s| Some(s.project_id));
        rows.set = owned(input, "source_image_collection_id", id, owner, home)?;
    }
    if let Some(id) = input.optional_key("pipeline_id") {
        let found = row(input, "pipeline_id", id, store.pipeline(id).await)?;
        rows.pipeline = found.map(|p| p.id);
    }
    Ok(rows)
}

/// A row of the job's own project; others count as missing.
fn owned(
    input: &mut Input,
    field: &str,
    id: i64,
    owner: Result<Option<i64>, StoreError>,
    home: Option<i64>,
) -> ApiResult<Option<i64>> {
    let Some(owner) = row(input, field, id, owner)? else {
        return Ok(None);
    };
    if home.is_some() && owner != home {
        input.missing(field, &id.to_string());
        return Ok(None);
    }
    Ok(Some(id))
}

/// A row that the body names: noted as missing where it does not exist.
fn row<T>(
    input: &mut Input,
    field: &str,
    id: i64,
    found: Result<T, StoreError>,
) -> ApiResult<Option<T>> {
    match found {
        Ok(row) => Ok(Some(row)),
        Err(StoreError::NotFound(_)) => {
            input.missing(field, &id.to_string());
            Ok(None)
        }
        Err(other) => Err(internal(other)),
    }
}

/// How the work of a job is handed out (`processing-service.md` §10).
fn dispatch(kind: &str, pipeline: Option<i64>, project: &Project) -> DispatchMode {
    if kind != domain::job::ML || pipeline.is_none() {
        DispatchMode::Internal
    } else if flag(project, "async_pipeline_workers") {
        DispatchMode::AsyncApi
    } else {
        DispatchMode::SyncApi
    }
}
