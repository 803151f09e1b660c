//! What has no place in a job's recorded JSON, served beside it: the queue, failed captures, the
//! log in pages, and what a worker should work on now.

use axum::Json;
use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use domain::permission::JobAction;
use rest::page::{Envelope, Page};
use rest::time::instant;
use rest::{ApiError, ApiResult};
use serde_json::{Value, json};
use store::log::{Level, LogFilter};

use super::super::internal;
use super::{find, sentence};
use crate::call::Call;
use crate::joblog;

/// `/jobs/{id}/failures/`: the captures that failed, and why.
pub async fn failures(call: Call, Path(id): Path<String>) -> ApiResult<Json<Envelope<Value>>> {
    let (job, _) = find(&call, &id, JobAction::View).await?;
    let page = Page::read(&call.query);
    let counts = call.store().counts(std::slice::from_ref(&job)).await;
    let counts = counts
        .map_err(internal)?
        .get(&job.id)
        .copied()
        .unwrap_or_default();
    let rows = call.store().failures(&job, page.limit, page.offset).await;
    let rows = rows.map_err(internal)?.into_iter().map(|failure| {
        json!({
            "capture": {"id": failure.capture, "details": call.addresses.row("captures", failure.capture)},
            "reason": failure.reason,
            "deliveries": failure.deliveries,
        })
    });
    let path = format!("jobs/{}/failures", job.id);
    let count = u64::try_from(counts.failed).unwrap_or(0);
    Ok(Json(call.envelope(
        &path,
        page,
        count,
        rows.collect(),
        Vec::new(),
    )))
}

/// `/jobs/{id}/logs/`: lines newest first, by `level` and `search`; with `?download=1` all of
/// them as text, oldest first.
pub async fn logs(call: Call, Path(id): Path<String>) -> ApiResult<Response> {
    let (job, _) = find(&call, &id, JobAction::View).await?;
    let query = &call.query;
    let filter = LogFilter {
        least: query
            .choice("level", &["DEBUG", "INFO", "WARNING", "ERROR"])?
            .and_then(Level::from_word),
        search: query.search(),
    };
    if query.flag("download") {
        return Ok(joblog::download(&call.state, job.id, filter));
    }
    let page = Page::read(query);
    let found = call
        .store()
        .job_log_page(job.id, &filter, page.limit, page.offset)
        .await;
    let (lines, count) = found.map_err(internal)?;
    let rows = lines.iter().map(|line| {
        json!({
            "id": line.id,
            "created_at": instant(line.at),
            "level": line.level,
            "message": line.message,
        })
    });
    let path = format!("jobs/{}/logs", job.id);
    let list = call.envelope(&path, page, count, rows.collect(), Vec::new());
    Ok(Json(list).into_response())
}

/// `/jobs/next/`: the job that a worker for these pipelines should work on now: one that it may
/// work on and that has images to hand out. 404 where there is none.
pub async fn next(call: Call) -> ApiResult<Response> {
    let query = &call.query;
    let slugs = query.get("pipeline__slug__in").or(query.get("pipelines"));
    let slugs = slugs
        .filter(|s| !s.is_empty())
        .ok_or_else(|| ApiError::field("pipeline__slug__in", "This field is required."))?;
    let slugs: Vec<String> = slugs.split(',').map(str::to_owned).collect();
    let store = call.store();
    if let Some(user) = &call.who.0 {
        let noted = call.state.desk.polled(store, user, &slugs, None).await;
        noted.map_err(internal)?;
    }
    let workable = call.workable().await?;
    let job = store.next_job(&slugs, &workable).await.map_err(internal)?;
    let Some(job) = job else {
        let none = sentence("No job waits for these pipelines.");
        return Ok((axum::http::StatusCode::NOT_FOUND, none).into_response());
    };
    let slug = match job.pipeline_id {
        Some(id) => store.pipeline(id).await.map_err(internal)?.slug,
        None => String::new(),
    };
    Ok(Json(json!({"id": job.id, "pipeline_slug": slug})).into_response())
}
