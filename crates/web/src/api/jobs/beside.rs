//! What has no place in a job's recorded JSON, served beside it: the queue, failed captures, the
//! log in pages, and what a worker should work on now.

use axum::Json;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use domain::job::DispatchMode;
use domain::permission::JobAction;
use domain::state::JobState;
use rest::page::{Envelope, Page};
use rest::query::Query;
use rest::time::instant;
use rest::{ApiError, ApiResult};
use serde_json::{Value, json};
use store::job::{JobFilter, JobOrder};
use store::log::{Level, LogFilter};

use super::super::internal;
use super::{base, find, sentence};
use crate::AppState;
use crate::auth::Who;
use crate::pages::model;

fn parse(query: &Option<String>) -> Query {
    Query::parse(query.as_deref().unwrap_or_default())
}

/// `/jobs/{id}/queue/`: priority, paused, waiting, leased, dead, images/s, seconds left.
pub async fn queue(
    State(state): State<AppState>,
    who: Who,
    Path(id): Path<String>,
) -> ApiResult<Json<Value>> {
    let (job, _) = find(&state, &who, &id, JobAction::View).await?;
    let depth = state
        .store
        .ticket_depth(job.id, None)
        .await
        .map_err(internal)?;
    let counts = state.store.counts(std::slice::from_ref(&job)).await;
    let counts = counts
        .map_err(internal)?
        .get(&job.id)
        .copied()
        .unwrap_or_default();
    let slots = state.store.rate(&job).await.map_err(internal)?;
    let rate = model::rate(&job, &slots, counts, store::now());
    let left = job.total.map(|total| total - counts.done - counts.failed);
    let left = left.zip(rate).filter(|_| !job.job_state().is_final());
    Ok(Json(json!({
        "priority": job.priority,
        "paused": job.paused,
        "waiting": depth.waiting,
        "leased": depth.leased,
        "dead": depth.dead,
        "done": counts.done,
        "failed": counts.failed,
        "total": job.total,
        "images_per_second": rate,
        "seconds_left": left.map(|(images, rate)| images as f64 / rate),
    })))
}

/// `/jobs/{id}/failures/`: the captures that failed, and why.
pub async fn failures(
    State(state): State<AppState>,
    who: Who,
    headers: HeaderMap,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> ApiResult<Json<Envelope<Value>>> {
    let (job, _) = find(&state, &who, &id, JobAction::View).await?;
    let query = parse(&query);
    let page = Page::read(&query);
    let counts = state.store.counts(std::slice::from_ref(&job)).await;
    let counts = counts
        .map_err(internal)?
        .get(&job.id)
        .copied()
        .unwrap_or_default();
    let rows = state.store.failures(&job, page.limit, page.offset).await;
    let base = base(&state, &headers);
    let rows = rows.map_err(internal)?.into_iter().map(|failure| {
        json!({
            "capture": {"id": failure.capture, "details": format!("{base}/captures/{}/", failure.capture)},
            "reason": failure.reason,
        })
    });
    let url = format!("{base}/jobs/{}/failures/", job.id);
    let count = u64::try_from(counts.failed).unwrap_or(0);
    let list = Envelope::new(&url, &query, page, count, rows.collect(), Vec::new());
    Ok(Json(list))
}

/// `/jobs/{id}/logs/`: lines newest first, by `level` and `search`; `?download=1` as text.
pub async fn logs(
    State(state): State<AppState>,
    who: Who,
    headers: HeaderMap,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> ApiResult<Response> {
    let (job, _) = find(&state, &who, &id, JobAction::View).await?;
    let query = parse(&query);
    let filter = LogFilter {
        least: query
            .choice("level", &["DEBUG", "INFO", "WARNING", "ERROR"])?
            .and_then(Level::from_word),
        search: query.search(),
    };
    let page = Page::read(&query);
    let found = state
        .store
        .job_log_page(job.id, &filter, page.limit, page.offset)
        .await;
    let (lines, count) = found.map_err(internal)?;
    if query.flag("download") {
        let text: String = lines
            .iter()
            .map(|l| format!("[{}] {} {}\n", model::exact(l.at), l.level, l.message))
            .collect();
        let kind = [(header::CONTENT_TYPE, "text/plain; charset=utf-8")];
        return Ok((kind, text).into_response());
    }
    let rows = lines.iter().map(|line| {
        json!({
            "id": line.id,
            "created_at": instant(line.at),
            "level": line.level,
            "message": line.message,
        })
    });
    let url = format!("{}/jobs/{}/logs/", base(&state, &headers), job.id);
    let list = Envelope::new(&url, &query, page, count, rows.collect(), Vec::new());
    Ok(Json(list).into_response())
}

/// `/jobs/next/`: the job that a worker for these pipelines should work on now: running, fed,
/// of the highest priority, the oldest first. 404 where there is none.
pub async fn next(
    State(state): State<AppState>,
    who: Who,
    RawQuery(query): RawQuery,
) -> ApiResult<Response> {
    let query = parse(&query);
    let slugs = query.get("pipeline__slug__in").or(query.get("pipelines"));
    let slugs = slugs
        .filter(|s| !s.is_empty())
        .ok_or_else(|| ApiError::field("pipeline__slug__in", "This field is required."))?;
    let visible = state.store.visible_projects(who.0.as_ref()).await;
    let filter = JobFilter {
        visible: visible.map_err(internal)?,
        state: Some(JobState::Started),
        dispatch: Some(DispatchMode::AsyncApi),
        slugs: Some(slugs.split(',').map(str::to_owned).collect()),
        ..Default::default()
    };
    let order = [(JobOrder::Created, false)];
    let (jobs, _) = state
        .store
        .jobs_ordered(&filter, &order, 100, 0)
        .await
        .map_err(internal)?;
    let best = jobs
        .iter()
        .filter(|j| !j.paused)
        .max_by_key(|j| (j.priority, -j.id));
    let Some(job) = best else {
        let none = sentence("No job waits for these pipelines.");
        return Ok((axum::http::StatusCode::NOT_FOUND, none).into_response());
    };
    let slug = match job.pipeline_id {
        Some(id) => state.store.pipeline(id).await.map_err(internal)?.slug,
        None => String::new(),
    };
    Ok(Json(json!({"id": job.id, "pipeline_slug": slug})).into_response())
}
