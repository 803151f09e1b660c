//! `/jobs/{id}/timeline/`: what happened to a job, when and by whom, oldest first.

use axum::Json;
use axum::extract::Path;
use domain::permission::JobAction;
use rest::ApiResult;
use rest::page::{Envelope, Page};
use rest::time::instant;
use serde_json::{Value, json};
use store::job::event::JobEvent;
use store::user::User;

use super::super::internal;
use super::find;
use crate::call::Call;

/// A page of events.
pub async fn list(call: Call, Path(id): Path<String>) -> ApiResult<Json<Envelope<Value>>> {
    let (job, _) = find(&call, &id, JobAction::View).await?;
    let page = Page::read(&call.query);
    let found = call
        .store()
        .job_events(job.id, page.limit, page.offset)
        .await;
    let (events, count) = found.map_err(internal)?;
    let rows = events.iter().map(|event| shown(&call, event)).collect();
    let path = format!("jobs/{}/timeline", job.id);
    Ok(Json(call.envelope(&path, page, count, rows, Vec::new())))
}

fn shown(call: &Call, event: &JobEvent) -> Value {
    json!({
        "id": event.id,
        "created_at": instant(event.at),
        "event": event.what,
        "status": event.state,
        "user": event.user.as_ref().map(|user| person(call, user)),
        "detail": event.detail,
    })
}

fn person(call: &Call, user: &User) -> Value {
    json!({
        "id": user.id,
        "name": user.name,
        "details": call.addresses.row("users", user.id),
    })
}
