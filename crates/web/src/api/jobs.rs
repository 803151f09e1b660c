//! `/api/v2/jobs/`: list, make, show, edit, delete (`ui.md` §A.4, `domain-rules.md` §16). What
//! can be done with a job stands in `jobs/act.rs`, what has no place in its JSON in
//! `jobs/beside.rs`.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::permission::{Action, JobAction, JobFacts, decide, list_permissions, may};
use domain::state::JobState;
use queue::Changed;
use rest::page::{Envelope, Page};
use rest::query::Query;
use rest::{ApiError, ApiResult, JsonBody};
use serde_json::{Value, json};
use store::StoreError;
use store::job::{Job, JobFilter, JobOrder};
use store::project::Project;

use super::internal;
use super::job_json::Around;
use crate::AppState;
use crate::auth::{Who, allow};

pub mod act;
pub mod beside;
pub mod fields;
mod filter;
mod input;

/// Log lines in a job's detail, unless asked otherwise.
const LOG_LINES: i64 = 1000;
/// Log lines that may be asked for.
const MAX_LOG_LINES: i64 = 5000;

/// The media type of a request.
pub fn content_type(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::CONTENT_TYPE)?.to_str().ok()
}

/// The server's own address as the caller knows it, with `/api/v2`.
pub fn base(state: &AppState, headers: &HeaderMap) -> String {
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

/// A page of jobs, newest first; with `ids_only` what workers need of them, at random.
pub async fn list(
    State(state): State<AppState>,
    who: Who,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> ApiResult<Response> {
    let query = Query::parse(query.as_deref().unwrap_or_default());
    let filter = filter::read(&state, &who, &query).await?;
    let permissions = listed(&state, &who, filter.project_id).await?;
    let base = base(&state, &headers);
    let url = format!("{base}/jobs/");
    let mut page = Page::read(&query);
    let order: Vec<(JobOrder, bool)> = query
        .ordering(&JobOrder::NAMES)
        .iter()
        .filter_map(|by| Some((JobOrder::from_name(by.field)?, by.descending)))
        .collect();
    if !query.flag("ids_only") {
        let found = state
            .store
            .jobs_ordered(&filter, &order, page.limit, page.offset)
            .await;
        let (jobs, count) = found.map_err(internal)?;
        let around = Around::read(&state, &who, &base, &jobs).await?;
        let rows: Vec<Value> = jobs.iter().map(|job| around.job(job, &[])).collect();
        let list = Envelope::new(&url, &query, page, count, rows, permissions);
        return Ok(Json(list).into_response());
    }
    if query.get("limit").is_none() && query.get("page_size").is_none() {
        page.limit = 1;
    }
    let found = if order.is_empty() {
        state
            .store
            .jobs_at_random(&filter, page.limit, page.offset)
            .await
    } else {
        state
            .store
            .jobs_ordered(&filter, &order, page.limit, page.offset)
            .await
    };
    let (jobs, count) = found.map_err(internal)?;
    let around = Around::read(&state, &who, &base, &jobs).await?;
    let rows: Vec<Value> = jobs.iter().map(|job| around.job_id(job)).collect();
    let list = Envelope::new(&url, &query, page, count, rows, permissions);
    Ok(Json(list).into_response())
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

/// One job with its newest log lines. The filters of the list narrow it too, as in the
/// reference: a job that they leave out is not found.
pub async fn detail(
    State(state): State<AppState>,
    who: Who,
    headers: HeaderMap,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> ApiResult<Json<Value>> {
    let query = Query::parse(query.as_deref().unwrap_or_default());
    let lines = query.integer("logs_limit", 1)?;
    if lines.is_some_and(|lines| lines > MAX_LOG_LINES) {
        let words = format!("Ensure this value is less than or equal to {MAX_LOG_LINES}.");
        return Err(ApiError::field("logs_limit", words));
    }
    let filter = filter::read(&state, &who, &query).await?;
    let (job, _) = find(&state, &who, &id, JobAction::View).await?;
    let filter = JobFilter {
        id: Some(job.id),
        ..filter
    };
    let (_, count) = state.store.jobs(&filter, 1, 0).await.map_err(internal)?;
    if count == 0 {
        return Err(ApiError::NotFound);
    }
    let lines = lines.unwrap_or(LOG_LINES);
    answer_with(&state, &who, &headers, &job, lines)
        .await
        .map(Json)
}

async fn answer(state: &AppState, who: &Who, headers: &HeaderMap, job: &Job) -> ApiResult<Value> {
    answer_with(state, who, headers, job, LOG_LINES).await
}

async fn answer_with(
    state: &AppState,
    who: &Who,
    headers: &HeaderMap,
    job: &Job,
    lines: i64,
) -> ApiResult<Value> {
    let base = base(state, headers);
    let around = Around::read(state, who, &base, std::slice::from_ref(job)).await?;
    let log = state.store.job_log(job.id, lines.unsigned_abs()).await;
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

/// Whether somebody may edit a job.
pub async fn may_update(state: &AppState, who: &Who, id: &str) -> bool {
    find(state, who, id, JobAction::Update).await.is_ok()
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
    let body = JsonBody::read(content_type(&headers), &body)?;
    let (mut new, project) = input::new_job(&state, body).await?;
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

/// Replaces what a person may edit (PUT).
pub async fn replace(
    state: State<AppState>,
    who: Who,
    headers: HeaderMap,
    id: Path<String>,
    body: Bytes,
) -> ApiResult<Json<Value>> {
    change(state, who, headers, id, body, false).await
}

/// Changes some of what a person may edit (PATCH).
pub async fn edit(
    state: State<AppState>,
    who: Who,
    headers: HeaderMap,
    id: Path<String>,
    body: Bytes,
) -> ApiResult<Json<Value>> {
    change(state, who, headers, id, body, true).await
}

async fn change(
    State(state): State<AppState>,
    who: Who,
    headers: HeaderMap,
    Path(id): Path<String>,
    body: Bytes,
    partial: bool,
) -> ApiResult<Json<Value>> {
    let (job, project) = find(&state, &who, &id, JobAction::Update).await?;
    let form = content_type(&headers).is_some_and(|t| !t.starts_with("application/json"));
    let body = JsonBody::read(content_type(&headers), &body)?;
    let change = input::change(&state, &job, &project, body, partial, form).await?;
    let job = state.store.change_job(job.id, change).await;
    let job = job.map_err(internal)?;
    announce(&state, &job);
    answer(&state, &who, &headers, &job).await.map(Json)
}

/// Deletes a job with its log and results.
pub async fn delete(
    State(state): State<AppState>,
    who: Who,
    Path(id): Path<String>,
) -> ApiResult<StatusCode> {
    let (job, _) = find(&state, &who, &id, JobAction::Delete).await?;
    state.store.delete_job(job.id).await.map_err(internal)?;
    announce(&state, &job);
    Ok(StatusCode::NO_CONTENT)
}

fn announce(state: &AppState, job: &Job) {
    state.bus.publish(Changed {
        job: job.id,
        waiting: job.job_state() == JobState::Pending,
    });
}

/// `{"detail": …}` for handlers that answer with a sentence.
fn sentence(text: &str) -> Json<Value> {
    Json(json!({"detail": text}))
}
