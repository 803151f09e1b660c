//! `/api/v2/status/`: the numbers beside a project's navigation, and an old address about
//! storage that clients of the platform still know.

use axum::Json;
use axum::routing::{get, post};
use rest::allow::{ACTION, READ};
use rest::field::{Field, Kind};
use rest::time::instant;
use rest::{ApiError, ApiResult, Form, How, JsonBody};
use serde_json::{Value, json};

use super::internal;
use crate::call::Call;
use crate::media;
use crate::views::{self, Answer, View, view};
use domain::permission::Action;

/// About the numbers.
pub const SUMMARY: &str = "How much there is in a project.";
/// About storage.
pub const STORAGE: &str = "The state of a storage, with some captures.";

const STORAGE_FIELDS: &[Field] =
    &[Field::new("data_source", "Data source", Kind::Text(Some(200))).required()];

/// Its addresses.
pub const VIEWS: &[View] = &[
    view("/status/summary", "Summary", READ, SUMMARY, &[], || {
        get(summary)
    })
    .filters(views::PROJECT)
    .got(&[Answer::Open]),
    view(
        "/status/storage",
        "Storage Status",
        ACTION,
        STORAGE,
        STORAGE_FIELDS,
        || post(storage),
    )
    .posted(&[(200, Answer::Open)])
    .open(),
];

/// Captures that the state of a storage shows.
const EXAMPLES: u64 = 10;

/// Counts what a project holds.
pub async fn summary(call: Call) -> ApiResult<Json<Value>> {
    let id = call.query.integer("project_id", 0)?;
    let id = id.ok_or_else(|| ApiError::field("project_id", "This field is required."))?;
    let (project, facts) = call.project(id).await?;
    call.permit(&facts, Action::View)?;
    let visible = call.visible().await?;
    let summary = call.store().summary(&project, visible.as_deref()).await;
    let s = summary.map_err(internal)?;
    Ok(Json(json!({
        "projects_count": s.projects,
        "deployments_count": s.stations,
        "events_count": s.sessions,
        "captures_count": s.captures,
        "occurrences_count": s.occurrences,
        "taxa_count": s.taxa,
        "num_sessions": s.sessions,
        "num_species": s.taxa,
        "num_projects": s.projects,
        "num_deployments": s.stations,
        "num_events": s.sessions,
        "num_captures": s.captures,
        "num_occurrences": s.occurrences,
        "num_taxa": s.taxa,
    })))
}

/// Says back which storage was named, with the newest captures that the caller may see.
pub async fn storage(call: Call, body: JsonBody) -> ApiResult<Json<Value>> {
    let form = Form::read(STORAGE_FIELDS, body, How::Whole)?;
    form.finish()?;
    let store = call.store();
    let visible = call.visible().await?;
    let captures = store.newest_captures(visible.as_deref(), EXAMPLES).await;
    let captures = captures.map_err(internal)?;
    let mut places = store.locations(&captures).await.map_err(internal)?;
    let links = &call.state.links;
    let examples = captures
        .iter()
        .filter_map(|capture| places.remove(&capture.id))
        .map(|place| media::address(links, &place));
    Ok(Json(json!({
        "data_source": form.text("data_source"),
        "status": "CONNECTING",
        "updated_at": instant(store::now()),
        "example_captures": examples.collect::<Vec<_>>(),
    })))
}
