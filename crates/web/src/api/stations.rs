//! `/api/v2/deployments/`: stations, listed, made, shown, edited and deleted (`ui.md` §A.6). Their
//! JSON stands in `stations/shown.rs`, their bodies in `stations/input.rs`, the jobs that are
//! asked for at them in `stations/act.rs`.

use axum::Json;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::routing::{get, post};
use domain::permission::{Action, ProjectFacts};
use rest::allow::{ACTION, DETAIL, LIST};
use rest::page::{Envelope, Page};
use rest::{ApiError, ApiResult, How, JsonBody};
use serde_json::Value;
use store::project::Project;
use store::station::{NewStation, STATION_ORDERS, Station, StationFilter};

use self::fields::{ABOUT, FIELDS, REGROUP, ROW, SYNC, SYNC_ALL};
use self::shown::Around;
use super::internal;
use crate::call::{Call, number};
use crate::media::forget;
use crate::pictures;
use crate::views::{self, Answer, View, view};

pub mod act;
pub mod fields;
mod input;
mod shown;

/// Its addresses.
pub const VIEWS: &[View] = &[
    view(
        "/deployments",
        "Deployment List",
        LIST,
        ABOUT,
        FIELDS,
        || get(list).post(create),
    )
    .shows(ROW)
    .filters(views::PROJECT)
    .orders(STATION_ORDERS)
    .searched()
    .in_root(),
    view(
        "/deployments/{id}",
        "Deployment Instance",
        DETAIL,
        ABOUT,
        FIELDS,
        || get(detail).put(replace).patch(edit).delete(delete),
    )
    .fails(&[409]),
    view(
        "/deployments/sync-all",
        "sync all",
        ACTION,
        SYNC_ALL,
        &[],
        || post(act::sync_all),
    )
    .asks(views::PROJECT)
    .posted(&[(200, Answer::Object(fields::QUEUED))]),
    view("/deployments/{id}/sync", "sync", ACTION, SYNC, &[], || {
        post(act::sync)
    })
    .posted(&[(200, Answer::Object(fields::SYNCING))])
    .fails(&[400]),
    view(
        "/deployments/{id}/regroup-sessions",
        "regroup sessions",
        ACTION,
        REGROUP,
        &[],
        || post(act::regroup),
    )
    .posted(&[(202, Answer::Object(fields::REGROUPING))]),
];

/// A page of stations, by name.
pub async fn list(call: Call) -> ApiResult<Json<Envelope<Value>>> {
    let order = call.query.ordering(STATION_ORDERS);
    let filter = StationFilter {
        search: call.query.search(),
        project_id: call.query.integer("project_id", 0)?,
        visible: call.visible().await?,
        order: order.iter().map(|o| (o.field, o.descending)).collect(),
    };
    let page = Page::read(&call.query);
    let store = call.store();
    let found = store.stations_page(&filter, page.limit, page.offset).await;
    let (stations, count) = found.map_err(internal)?;
    let around = Around::read(&call, &stations).await?;
    let rows = stations.iter().map(|station| around.row(station)).collect();
    let words = call.list_words("deployment").await?;
    Ok(Json(call.envelope("deployments", page, count, rows, words)))
}

/// The station with its project, when the caller may do this with it.
pub async fn find(
    call: &Call,
    id: &str,
    action: Action<'_>,
) -> ApiResult<(Station, Project, ProjectFacts)> {
    let station = call.store().station(number(id)?).await.map_err(internal)?;
    let project = station.project_id.ok_or(ApiError::NotFound)?;
    let (project, facts) = call.project(project).await?;
    call.permit(&facts, action)?;
    Ok((station, project, facts))
}

async fn answer(call: &Call, station: &Station, examples: bool) -> ApiResult<Json<Value>> {
    let around = Around::read(call, std::slice::from_ref(station)).await?;
    around.whole(station, examples).await.map(Json)
}

/// One station.
pub async fn detail(call: Call, Path(id): Path<String>) -> ApiResult<Json<Value>> {
    let (station, ..) = find(&call, &id, Action::View).await?;
    answer(&call, &station, true).await
}

/// Makes a station.
pub async fn create(call: Call, body: JsonBody) -> ApiResult<(StatusCode, Json<Value>)> {
    let read = input::read(&call, body, How::Whole, None).await?;
    let project = read.project.ok_or(ApiError::NotFound)?;
    let facts = input::facts(&call, &project).await?;
    call.permit(&facts, Action::Create("create_deployment"))?;
    let mut more = read.change;
    let folder = format!("projects/{}/stations", project.id);
    more.image = read.image.keep(&call.state.files, &folder).await?;
    let new = NewStation {
        project_id: project.id,
        more,
        ..NewStation::default()
    };
    let station = call.store().create_station(new).await.map_err(internal)?;
    Ok((StatusCode::CREATED, answer(&call, &station, false).await?))
}

/// Replaces what a person may edit (PUT).
pub async fn replace(call: Call, id: Path<String>, body: JsonBody) -> ApiResult<Json<Value>> {
    change(call, id, body, How::Whole).await
}

/// Changes some of what a person may edit (PATCH).
pub async fn edit(call: Call, id: Path<String>, body: JsonBody) -> ApiResult<Json<Value>> {
    change(call, id, body, How::Partial).await
}

async fn change(
    call: Call,
    Path(id): Path<String>,
    body: JsonBody,
    how: How,
) -> ApiResult<Json<Value>> {
    let action = Action::Change("update_deployment");
    let (before, project, facts) = find(&call, &id, action).await?;
    let permit = call.ask(&facts, "deployment")?;
    let read = input::read(&call, body, how, Some(&project)).await?;
    let mut change = read.change;
    let folder = format!("projects/{}/stations", project.id);
    change.image = read.image.keep(&call.state.files, &folder).await?;
    let new_image = change.image.is_some();
    let station = call.store().change_station(permit, before.id, change).await;
    let station = station.map_err(internal)?;
    if new_image {
        pictures::forget_old(&call.state.files, before.image.as_deref()).await;
    }
    answer(&call, &station, false).await
}

/// Deletes a station with its captures.
pub async fn delete(call: Call, Path(id): Path<String>) -> ApiResult<StatusCode> {
    let (station, _, facts) = find(&call, &id, Action::View).await?;
    let permit = call.ask(&facts, "deployment")?;
    let deleted = call.store().delete_station(permit, station.id).await;
    deleted.map_err(internal)?;
    pictures::forget_old(&call.state.files, station.image.as_deref()).await;
    forget::uploads_of(&call.state, station.id).await;
    Ok(StatusCode::NO_CONTENT)
}
