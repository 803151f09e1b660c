//! `/api/v2/jobs/`: list, make, show, run, cancel (`ui.md` §A.4, `domain-rules.md` §16).

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use domain::job::DispatchMode;
use domain::permission::{Action, JobAction, JobFacts, decide, list_permissions, may};
use domain::state::JobState;
use queue::Changed;
use rest::page::{Envelope, Page};
use rest::query::Query;
use rest::validate::Input;
use rest::{ApiError, ApiResult};
use serde_json::Value;
use store::StoreError;
use store::job::{Job, JobFilter, NewJob};
use store::project::{Project, flag};

use super::internal;
use super::job_json::Around;
use crate::AppState;
use crate::auth::{Who, allow};

/// Log lines in a job's detail.
const LOG_LINES: u64 = 1000;

/// The media type of a request.
pub fn content_type(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::CONTENT_TYPE)?.to_str().ok()
}

/// The server's own address as the caller knows it, with `/api/v2`.
fn base(state: &AppState, headers: &HeaderMap) -> String {
    let host = headers.get(header::HOST).and_then(|h| h.to_str().ok());
    let root = match host {
        Some(host) => {
            let scheme = state.links.public_url().split("://").next();
            format!("{}://{host}", scheme.unwrap_or("http"))
        }
        None => state.links.public_url().to_owned(),
    };
    format!("{root}/api/v2")
}

/// A page of jobs, newest first.
pub async fn list(
    State(state): State<AppState>,
    who: Who,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> ApiResult<Json<Envelope<Value>>> {
    let query = Query::parse(query.as_deref().unwrap_or_default());
    let page = Page::read(&query);
    let filter = filter(&state, &who, &query).await?;
    let found = state.store.jobs(&filter, page.limit, page.offset).await;
    let (jobs, count) = found.map_err(internal)?;
    let base = base(&state, &headers);
    let around = Around::read(&state, &who, &base, &jobs).await?;
    let rows = jobs.iter().map(|job| around.job(job, &[])).collect();
    let permissions = listed(&state, &who, filter.project_id).await?;
    let url = format!("{base}/jobs/");
    Ok(Json(Envelope::new(
        &url,
        &query,
        page,
        count,
        rows,
        permissions,
    )))
}

async fn listed(state: &AppState, who: &Who, project: Option<i64>) -> ApiResult<Vec<String>> {
    let facts = match project {
        Some(id) => match state.store.project(id).await {
            Ok(project) => Some(who.facts(state, &project).await?),
            Err(StoreError::NotFound(_)) => None,
            Err(other) => return Err(internal(other)),
        },
        None => None,
    };
    let list = list_permissions(who.caller(), facts.as_ref(), "job");
    Ok(list.into_iter().map(str::to_owned).collect())
}

async fn filter(state: &AppState, who: &Who, query: &Query) -> ApiResult<JobFilter> {
    let project = match query.get("project_id") {
        None => None,
        Some(text) => Some(
            text.parse()
                .map_err(|_| ApiError::field("project_id", "A valid integer is required."))?,
        ),
    };
    let status = match query.get("status") {
        None | Some("") => None,
        Some(text) => Some(JobState::from_code(text).ok_or_else(|| {
            let message =
                format!("Select a valid choice. {text} is not one of the available choices.");
            ApiError::field("status", message)
        })?),
    };
    let visible = state.store.visible_projects(who.0.as_ref()).await;
    Ok(JobFilter {
        project_id: project,
        visible: visible.map_err(internal)?,
        state: status,
        kind: query.get("job_type_key").map(str::to_owned),
    })
}

/// One job with its newest log lines.
pub async fn detail(
    State(state): State<AppState>,
    who: Who,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> ApiResult<Json<Value>> {
    let (job, _) = find(&state, &who, &id, JobAction::View).await?;
    answer(&state, &who, &headers, &job).await.map(Json)
}

async fn answer(state: &AppState, who: &Who, headers: &HeaderMap, job: &Job) -> ApiResult<Value> {
    let base = base(state, headers);
    let around = Around::read(state, who, &base, std::slice::from_ref(job)).await?;
    let log = state.store.job_log(job.id, LOG_LINES).await;
    Ok(around.job(job, &log.map_err(internal)?))
}

/// The job, when the caller may do this with it.
async fn find(
    state: &AppState,
    who: &Who,
    id: &str,
    action: JobAction,
) -> ApiResult<(Job, Project)> {
    let id: i64 = id.parse().map_err(|_| ApiError::NotFound)?;
    let job = state.store.job(id).await.map_err(internal)?;
    let project = state
        .store
        .project(job.project_id)
        .await
        .map_err(internal)?;
    let facts = who.facts(state, &project).await?;
    let job_facts = JobFacts {
        kind: &job.kind,
        single_capture: job.capture_id.is_some(),
    };
    allow(decide(who.caller(), &facts, Action::Job(action, job_facts)))?;
    Ok((job, project))
}

/// Makes a job; with `?start_now` it is asked to run in the same transaction.
pub async fn create(
    State(state): State<AppState>,
    who: Who,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
    body: Bytes,
) -> ApiResult<(StatusCode, Json<Value>)> {
    let query = Query::parse(query.as_deref().unwrap_or_default());
    let body = rest::body::read(content_type(&headers), &body)?;
    let (mut new, project) = read_job(&state, body).await?;
    let facts = who.facts(&state, &project).await?;
    let job_facts = JobFacts {
        kind: new.kind,
        single_capture: new.capture_id.is_some(),
    };
    let action = |act| Action::Job(act, job_facts);
    allow(decide(who.caller(), &facts, action(JobAction::Create)))?;
    new.start_now = query.flag("start_now");
    if new.start_now && !may(who.caller(), &facts, action(JobAction::CreateAndStart)) {
        return Err(ApiError::ForbiddenBecause(
            "You do not have permission to run this job.",
        ));
    }
    new.created_by_id = who.caller().id();
    let job = state.store.create_job(new).await.map_err(internal)?;
    announce(&state, &job);
    let answer = answer(&state, &who, &headers, &job).await?;
    Ok((StatusCode::CREATED, Json(answer)))
}

/// Reads the body of a new job; every named row must exist and belong to the project.
async fn read_job(state: &AppState, body: Value) -> ApiResult<(NewJob, Project)> {
    let mut input = Input::new(body)?;
    let name = input.text("name", 255);
    let delay = input.integer("delay", 0);
    let limit = input.optional_integer("limit", 0);
    let shuffle = input.boolean("shuffle", true);
    let project = input.key("project_id");
    let station = input.optional_key("deployment_id");
    let capture = input.optional_key("source_image_single_id");
    let set = input.optional_key("source_image_collection_id");
    let pipeline = input.optional_key("pipeline_id");
    let kind = input.slug("job_type_key", 255, domain::job::ML);

    let store = &state.store;
    let project = match project {
        Some(id) => row(&mut input, "project_id", id, store.project(id).await)?,
        None => None,
    };
    let home = project.as_ref().map(|p| p.id);
    let mut check = |field: &str, id: Option<i64>, owner: Result<Option<i64>, StoreError>| {
        let Some(id) = id else { return Ok(()) };
        let owner = row(&mut input, field, id, owner)?;
        if owner.is_some_and(|owner| home.is_some() && owner != home) {
            input.missing(field, &id.to_string());
        }
        Ok::<(), ApiError>(())
    };
    let found = match station {
        Some(id) => store.station(id).await.map(|s| s.project_id),
        None => Ok(None),
    };
    check("deployment_id", station, found)?;
    let found = match capture {
        Some(id) => store.capture(id).await.map(|c| c.project_id),
        None => Ok(None),
    };
    check("source_image_single_id", capture, found)?;
    let found = match set {
        Some(id) => store.capture_set(id).await.map(|s| Some(s.project_id)),
        None => Ok(None),
    };
    check("source_image_collection_id", set, found)?;
    if let Some(id) = pipeline {
        row(&mut input, "pipeline_id", id, store.pipeline(id).await)?;
    }
    let known = kind.as_deref().and_then(domain::job::kind);
    if let (Some(text), None) = (&kind, known) {
        let message = format!("\"{text}\" is not a valid choice.");
        input.errors.add("job_type_key", message);
    }
    input.finish(())?;
    let (Some(project), Some(kind)) = (project, known) else {
        return Err(ApiError::Internal("a checked value is missing".to_owned()));
    };
    let new = NewJob {
        name: name.unwrap_or_default(),
        project_id: project.id,
        kind: kind.key,
        delay: delay.unwrap_or_default(),
        limit,
        shuffle: shuffle.unwrap_or(true),
        station_id: station,
        capture_set_id: set,
        capture_id: capture,
        pipeline_id: pipeline,
        dispatch_mode: Some(dispatch(kind.key, pipeline, &project)),
        ..Default::default()
    };
    Ok((new, project))
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

/// How the work of a new job is handed out (`processing-service.md` §10).
fn dispatch(kind: &str, pipeline: Option<i64>, project: &Project) -> DispatchMode {
    if kind != domain::job::ML || pipeline.is_none() {
        DispatchMode::Internal
    } else if flag(project, "async_pipeline_workers") {
        DispatchMode::AsyncApi
    } else {
        DispatchMode::SyncApi
    }
}

/// Asks for a run.
pub async fn run(
    State(state): State<AppState>,
    who: Who,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> ApiResult<Json<Value>> {
    let (job, _) = find(&state, &who, &id, JobAction::Run).await?;
    let job = state.store.enqueue_job(job.id).await.map_err(internal)?;
    announce(&state, &job);
    answer(&state, &who, &headers, &job).await.map(Json)
}

/// Cancels; a job that has ended stays as it is.
pub async fn cancel(
    State(state): State<AppState>,
    who: Who,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> ApiResult<Json<Value>> {
    let (job, _) = find(&state, &who, &id, JobAction::Run).await?;
    let done = state.store.cancel_job(job.id).await.map_err(internal)?;
    announce(&state, &done.job);
    answer(&state, &who, &headers, &done.job).await.map(Json)
}

fn announce(state: &AppState, job: &Job) {
    state.bus.publish(Changed {
        job: job.id,
        waiting: job.job_state() == JobState::Pending,
    });
}
