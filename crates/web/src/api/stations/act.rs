//! Jobs that are asked for at a station: looking into its storage, grouping its captures again
//! (`domain-rules.md` §3, §4).

use axum::Json;
use axum::extract::Path;
use axum::http::StatusCode;
use domain::job::{REGROUP, SYNC};
use domain::permission::{Action, Caller, Decision, decide};
use rest::{ApiError, ApiResult};
use serde_json::{Value, json};
use store::job::{Job, NewJob};
use store::station::Station;

use super::super::internal;
use super::super::jobs::announce;
use super::find;
use crate::auth::allow;
use crate::call::{Call, found};

/// Makes a job of a station that is to run at once.
async fn start(
    call: &Call,
    station: &Station,
    project: i64,
    kind: &'static str,
    words: &str,
) -> ApiResult<Job> {
    let new = NewJob {
        name: format!("{words} for deployment {}", station.id),
        project_id: project,
        kind,
        station_id: Some(station.id),
        shuffle: true,
        created_by_id: call.who.caller().id(),
        start_now: true,
        ..NewJob::default()
    };
    let job = call.store().create_job(new).await.map_err(internal)?;
    announce(&call.state, &job);
    Ok(job)
}

/// The words with which the names of these jobs begin.
const SYNC_WORDS: &str = "Sync captures";
const REGROUP_WORDS: &str = "Regroup sessions";

/// Looks into the storage of a station.
pub async fn sync(call: Call, Path(id): Path<String>) -> ApiResult<Json<Value>> {
    let (station, project, _) = find(&call, &id, Action::Change("sync_deployment")).await?;
    if station.source_id.is_none() {
        let words = "Deployment must have a data source to sync captures from";
        return Err(ApiError::message(words));
    }
    let job = start(&call, &station, project.id, SYNC, SYNC_WORDS).await?;
    Ok(Json(json!({"job_id": job.id, "project_id": project.id})))
}

/// Looks into the storage of every station of a project that has one.
pub async fn sync_all(call: Call) -> ApiResult<Json<Value>> {
    let project = call.query.integer("project_id", 0)?;
    let missing = || ApiError::message("A project_id is required to sync all stations.");
    let id = project.ok_or_else(missing)?;
    let project = found(call.store().project(id).await)?.ok_or(ApiError::NotFound)?;
    let facts = call.who.facts(&call.state, &project).await?;
    let decision = decide(call.who.caller(), &facts, Action::Change("sync_deployment"));
    if decision == Decision::Forbidden && call.who.caller() != Caller::Anonymous {
        return Err(ApiError::ForbiddenBecause(
            "You do not have permission to sync stations in this project.",
        ));
    }
    allow(decision)?;
    let stations = call.store().stations(project.id).await.map_err(internal)?;
    let mut ids = Vec::new();
    for station in stations.iter().filter(|s| s.source_id.is_some()) {
        let job = start(&call, station, project.id, SYNC, SYNC_WORDS).await?;
        ids.push(job.id);
    }
    Ok(Json(json!({
        "job_ids": ids,
        "queued": ids.len(),
        "project_id": project.id,
    })))
}

/// Groups the captures of a station into sessions again.
pub async fn regroup(call: Call, Path(id): Path<String>) -> ApiResult<(StatusCode, Json<Value>)> {
    let action = Action::Change("regroup_sessions_deployment");
    let (station, project, _) = find(&call, &id, action).await?;
    let job = start(&call, &station, project.id, REGROUP, REGROUP_WORDS).await?;
    let answer = json!({
        "job_id": job.id,
        "deployment_id": station.id,
        "project_id": project.id,
    });
    Ok((StatusCode::ACCEPTED, Json(answer)))
}
