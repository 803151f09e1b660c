//! What can be done with jobs: run, retry, cancel, one or many at once.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use axum::http::HeaderMap;
use domain::permission::JobAction;
use domain::state::JobState;
use rest::query::Query;
use rest::{ApiError, ApiResult};
use serde_json::{Value, json};
use store::job::Job;

use super::super::internal;
use super::{announce, answer, content_type, find};
use crate::AppState;
use crate::auth::Who;

/// Jobs of one bulk action at most.
const MOST: usize = 1000;

/// What a person asks of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Act {
    Run,
    Retry { failed_only: bool },
    Cancel,
    Delete,
}

impl Act {
    fn permission(self) -> JobAction {
        match self {
            Act::Delete => JobAction::Delete,
            _ => JobAction::Run,
        }
    }

    /// Does it; the job after it, or `None` where it is gone.
    async fn perform(self, state: &AppState, job: &Job) -> ApiResult<Option<Job>> {
        let store = &state.store;
        let after = match self {
            Act::Run => store.enqueue_job(job.id).await,
            // A job that never ran has nothing to repeat: it is simply run.
            Act::Retry { .. } if job.job_state() == JobState::Created => {
                store.enqueue_job(job.id).await
            }
            Act::Retry { .. } if job.job_state() == JobState::Pending => Ok(job.clone()),
            Act::Retry { failed_only } => store.retry_job(job.id, failed_only).await,
            Act::Cancel => store.cancel_job(job.id).await.map(|done| done.job),
            Act::Delete => {
                store.delete_job(job.id).await.map_err(internal)?;
                announce(state, job);
                return Ok(None);
            }
        };
        let after = after.map_err(internal)?;
        announce(state, &after);
        Ok(Some(after))
    }
}

/// Asks for a run.
pub async fn run(
    state: State<AppState>,
    who: Who,
    headers: HeaderMap,
    id: Path<String>,
) -> ApiResult<Json<Value>> {
    one(state, who, headers, id, Act::Run).await
}

/// Asks for what is missing to be done again; `?failed_only=1` for what failed only.
pub async fn retry(
    state: State<AppState>,
    who: Who,
    headers: HeaderMap,
    id: Path<String>,
    RawQuery(query): RawQuery,
) -> ApiResult<Json<Value>> {
    let query = Query::parse(query.as_deref().unwrap_or_default());
    let failed_only = query.flag("failed_only");
    one(state, who, headers, id, Act::Retry { failed_only }).await
}

/// Cancels; a job that has ended stays as it is.
pub async fn cancel(
    state: State<AppState>,
    who: Who,
    headers: HeaderMap,
    id: Path<String>,
) -> ApiResult<Json<Value>> {
    one(state, who, headers, id, Act::Cancel).await
}

async fn one(
    State(state): State<AppState>,
    who: Who,
    headers: HeaderMap,
    Path(id): Path<String>,
    act: Act,
) -> ApiResult<Json<Value>> {
    let (job, _) = find(&state, &who, &id, act.permission()).await?;
    let after = act.perform(&state, &job).await?;
    let job = after.ok_or(ApiError::NotFound)?;
    answer(&state, &who, &headers, &job).await.map(Json)
}

/// `POST /jobs/bulk/` `{"action": "run|retry|cancel|delete", "ids": […]}`: what was done with
/// each, one refusal stops none of the others.
pub async fn bulk(
    State(state): State<AppState>,
    who: Who,
    headers: HeaderMap,
    body: Bytes,
) -> ApiResult<Json<Value>> {
    let body = rest::body::read(content_type(&headers), &body)?;
    let act = match body.get("action").and_then(Value::as_str) {
        Some("run") => Act::Run,
        Some("retry") => Act::Retry { failed_only: false },
        Some("cancel") => Act::Cancel,
        Some("delete") => Act::Delete,
        Some(other) => {
            let message = format!("\"{other}\" is not a valid choice.");
            return Err(ApiError::field("action", message));
        }
        None => return Err(ApiError::field("action", "This field is required.")),
    };
    let ids = body.get("ids").and_then(Value::as_array);
    let ids = ids.ok_or_else(|| ApiError::field("ids", "This field is required."))?;
    if ids.len() > MOST {
        let message = format!("Ensure this field has no more than {MOST} elements.");
        return Err(ApiError::field("ids", message));
    }
    let mut results = Vec::new();
    for id in ids {
        let text = id.as_str().map_or_else(|| id.to_string(), str::to_owned);
        let done = match find(&state, &who, &text, act.permission()).await {
            Ok((job, _)) => act.perform(&state, &job).await,
            Err(error) => Err(error),
        };
        results.push(match done {
            Ok(after) => json!({
                "id": id,
                "ok": true,
                "status": after.map(|job| job.state),
            }),
            Err(error) => json!({
                "id": id,
                "ok": false,
                "error": error.to_string(),
                "code": error.status().as_u16(),
            }),
        });
    }
    Ok(Json(json!({ "results": results })))
}
