//! What can be done with jobs: run, retry, cancel, one or many at once.

use axum::Json;
use axum::extract::Path;
use domain::state::JobState;
use rest::{ApiError, ApiResult, JsonBody};
use serde_json::{Value, json};
use store::job::Job;

use super::super::internal;
use super::{announce, answer, find_to};
use crate::call::Call;

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
    /// Does it with a job; the job after it, or `None` where it is gone.
    async fn perform(self, call: &Call, id: &str) -> ApiResult<Option<Job>> {
        let store = call.store();
        if self == Act::Delete {
            let (job, _, permit) = find_to(call, id).await?;
            store.delete_job(permit, job.id).await.map_err(internal)?;
            announce(&call.state, &job);
            if job.in_stream {
                call.state.queue.ended(job.id, i64::MAX).await;
            }
            return Ok(None);
        }
        let (job, _, permit) = find_to(call, id).await?;
        let in_stream = job.in_stream;
        let after = match self {
            Act::Run => store.enqueue_job(permit, job.id).await,
            // A job that never ran has nothing to repeat: it is simply run.
            Act::Retry { .. } if job.job_state() == JobState::Created => {
                store.enqueue_job(permit, job.id).await
            }
            Act::Retry { .. } if job.job_state() == JobState::Pending => Ok(job),
            Act::Retry { failed_only } => store.retry_job(permit, job.id, failed_only).await,
            Act::Cancel => store.cancel_job(permit, job.id).await.map(|done| done.job),
            Act::Delete => return Ok(None),
        };
        let after = after.map_err(internal)?;
        announce(&call.state, &after);
        if in_stream {
            let over = match after.job_state().is_final() {
                true => after.generation,
                false => after.generation - 1,
            };
            call.state.queue.ended(after.id, over).await;
        }
        Ok(Some(after))
    }
}

/// Asks for a run.
pub async fn run(call: Call, id: Path<String>) -> ApiResult<Json<Value>> {
    one(call, id, Act::Run).await
}

/// Asks for what is missing to be done again; `?failed_only=1` for what failed only.
pub async fn retry(call: Call, id: Path<String>) -> ApiResult<Json<Value>> {
    let failed_only = call.query.flag("failed_only");
    one(call, id, Act::Retry { failed_only }).await
}

/// Cancels; a job that has ended stays as it is.
pub async fn cancel(call: Call, id: Path<String>) -> ApiResult<Json<Value>> {
    one(call, id, Act::Cancel).await
}

async fn one(call: Call, Path(id): Path<String>, act: Act) -> ApiResult<Json<Value>> {
    let after = act.perform(&call, &id).await?;
    let job = after.ok_or(ApiError::NotFound)?;
    answer(&call, &job).await
}

/// `POST /jobs/bulk/` `{"action": "run|retry|cancel|delete", "ids": […]}`: what was done with
/// each, one refusal stops none of the others.
pub async fn bulk(call: Call, body: JsonBody) -> ApiResult<Json<Value>> {
    if call.who.0.is_none() {
        return Err(ApiError::NotAuthenticated);
    }
    let body = body.value;
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
        let done = act.perform(&call, &text).await;
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
