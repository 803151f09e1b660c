//! `/api/v2/deployments/sites/` and `…/devices/`: two resources of the same shape
//! (`ui.md` §A.6), so one file; only the word and the permission differ.

use crate::views::{self, View, view};
use axum::Json;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::routing::get;
use domain::permission::{Action, ProjectFacts, object_permissions};
use rest::allow::{DETAIL, LIST};
use rest::field::{Field, Kind};
use rest::page::{Envelope, Page};
use rest::time::instant;
use rest::{ApiError, ApiResult, Form, How, JsonBody};
use serde_json::{Value, json};
use std::collections::HashMap;
use store::place::{Corners, PLACE_ORDERS, Place, PlaceFilter, PlaceKind};

use super::internal;
use crate::call::{Call, found, number};

/// About sites.
pub const SITES: &str = "Places of research, at which stations stand.";
/// About devices.
pub const DEVICES: &str = "Types of camera traps.";

const ID: Field = Field::id();
const DETAILS: Field = Field::details();
const NAME: Field = Field::new("name", "Name", Kind::Text(Some(80))).required();
const DESCRIPTION: Field = Field::new("description", "Description", Kind::Text(None)).blank();
const PROJECT: Field = Field::new("project", "Project", Kind::Link("projects")).required();
const CREATED: Field = Field::shown("created_at", "Created at", Kind::DateTime);
const UPDATED: Field = Field::shown("updated_at", "Updated at", Kind::DateTime);

/// The fields of a site.
pub const SITE_FIELDS: &[Field] = &[
    ID,
    DETAILS,
    NAME,
    DESCRIPTION,
    PROJECT,
    Field::shown("boundary_rect", "Boundary rect", Kind::Any),
    CREATED,
    UPDATED,
];

/// The fields of a device.
pub const DEVICE_FIELDS: &[Field] = &[ID, DETAILS, NAME, DESCRIPTION, PROJECT, CREATED, UPDATED];

/// Its addresses.
pub const VIEWS: &[View] = &[
    view(
        "/deployments/devices",
        "Device List",
        LIST,
        DEVICES,
        DEVICE_FIELDS,
        || get(list::<Devices>).post(create::<Devices>),
    )
    .filters(views::PROJECT)
    .orders(PLACE_ORDERS)
    .in_root(),
    view(
        "/deployments/devices/{id}",
        "Device Instance",
        DETAIL,
        DEVICES,
        DEVICE_FIELDS,
        || {
            get(detail::<Devices>)
                .put(replace::<Devices>)
                .patch(edit::<Devices>)
                .delete(delete::<Devices>)
        },
    ),
    view(
        "/deployments/sites",
        "Site List",
        LIST,
        SITES,
        SITE_FIELDS,
        || get(list::<Sites>).post(create::<Sites>),
    )
    .filters(views::PROJECT)
    .orders(PLACE_ORDERS)
    .in_root(),
    view(
        "/deployments/sites/{id}",
        "Site Instance",
        DETAIL,
        SITES,
        SITE_FIELDS,
        || {
            get(detail::<Sites>)
                .put(replace::<Sites>)
                .patch(edit::<Sites>)
                .delete(delete::<Sites>)
        },
    ),
];

/// The words in which a site differs from a device.
pub trait Named: Send + Sync + 'static {
    /// Which of the two.
    const KIND: PlaceKind;
    /// Its path.
    const PATH: &'static str;
    /// Its word in permissions.
    const MODEL: &'static str;
    /// Its fields.
    const FIELDS: &'static [Field];
}

/// Sites.
pub struct Sites;
/// Devices.
pub struct Devices;

impl Named for Sites {
    const KIND: PlaceKind = PlaceKind::Site;
    const PATH: &'static str = "deployments/sites";
    const MODEL: &'static str = "site";
    const FIELDS: &'static [Field] = SITE_FIELDS;
}

impl Named for Devices {
    const KIND: PlaceKind = PlaceKind::Device;
    const PATH: &'static str = "deployments/devices";
    const MODEL: &'static str = "device";
    const FIELDS: &'static [Field] = DEVICE_FIELDS;
}

fn shown<N: Named>(
    call: &Call,
    place: &Place,
    corners: Option<&Corners>,
    facts: &ProjectFacts,
) -> Value {
    let mut value = json!({
        "id": place.id,
        "details": call.addresses.row(N::PATH, place.id),
        "name": place.name,
        "description": place.description,
        "project": place.project_id,
    });
    if N::KIND == PlaceKind::Site {
        value["boundary_rect"] = json!(corners);
    }
    value["created_at"] = json!(instant(place.created_at));
    value["updated_at"] = json!(instant(place.updated_at));
    value["user_permissions"] = json!(object_permissions(call.who.caller(), facts, N::MODEL));
    value
}

/// The corners of these places, where they are sites.
async fn corners<N: Named>(call: &Call, places: &[i64]) -> ApiResult<HashMap<i64, Corners>> {
    match N::KIND {
        PlaceKind::Site => call.store().site_corners(places).await.map_err(internal),
        PlaceKind::Device => Ok(HashMap::new()),
    }
}

async fn answer<N: Named>(call: &Call, place: &Place, facts: &ProjectFacts) -> ApiResult<Value> {
    let corners = corners::<N>(call, &[place.id]).await?;
    Ok(shown::<N>(call, place, corners.get(&place.id), facts))
}

/// A page of sites or devices.
pub async fn list<N: Named>(call: Call) -> ApiResult<Json<Envelope<Value>>> {
    let order = call.query.ordering(PLACE_ORDERS);
    let filter = PlaceFilter {
        project_id: call.query.integer("project_id", 0)?,
        visible: call.visible().await?,
        order: order.iter().map(|o| (o.field, o.descending)).collect(),
    };
    let page = Page::read(&call.query);
    let store = call.store();
    let found = store
        .places(N::KIND, &filter, page.limit, page.offset)
        .await;
    let (places, count) = found.map_err(internal)?;
    let ids: Vec<i64> = places.iter().filter_map(|p| p.project_id).collect();
    let facts = call.facts(&ids).await?;
    let ids: Vec<i64> = places.iter().map(|place| place.id).collect();
    let corners = corners::<N>(&call, &ids).await?;
    let rows = places.iter().map(|place| {
        let facts = place.project_id.and_then(|id| facts.get(&id)).copied();
        let corners = corners.get(&place.id);
        shown::<N>(&call, place, corners, &facts.unwrap_or_default())
    });
    let words = call.list_words(N::MODEL).await?;
    Ok(Json(call.envelope(
        N::PATH,
        page,
        count,
        rows.collect(),
        words,
    )))
}

/// The place, when the caller may do this with it.
async fn find<N: Named>(
    call: &Call,
    id: &str,
    action: Action<'_>,
) -> ApiResult<(Place, ProjectFacts)> {
    let place = call.store().place(N::KIND, number(id)?).await;
    let place = place.map_err(internal)?;
    let (_, facts) = call
        .project(place.project_id.ok_or(ApiError::NotFound)?)
        .await?;
    call.permit(&facts, action)?;
    Ok((place, facts))
}

/// One site or device.
pub async fn detail<N: Named>(call: Call, Path(id): Path<String>) -> ApiResult<Json<Value>> {
    let (place, facts) = find::<N>(&call, &id, Action::View).await?;
    answer::<N>(&call, &place, &facts).await.map(Json)
}

/// Makes a site or a device.
pub async fn create<N: Named>(call: Call, body: JsonBody) -> ApiResult<(StatusCode, Json<Value>)> {
    let mut form = Form::read(N::FIELDS, body, How::Whole)?;
    let project = match form.integer("project") {
        Some(id) => {
            let project = found(call.store().project(id).await)?;
            if project.is_none() {
                form.missing("project", id);
            }
            project
        }
        None => None,
    };
    form.finish()?;
    let project = project.ok_or(ApiError::NotFound)?;
    let facts = call.who.facts(&call.state, &project).await?;
    let permit = call.ask(&facts, N::MODEL)?;
    let (name, description) = (form.text("name"), form.text("description"));
    let (name, description) = (name.unwrap_or_default(), description.unwrap_or_default());
    let made = call
        .store()
        .create_place(permit, N::KIND, project.id, &name, &description);
    let place = made.await.map_err(internal)?;
    let body = answer::<N>(&call, &place, &facts).await?;
    Ok((StatusCode::CREATED, Json(body)))
}

/// Replaces name and description (PUT).
pub async fn replace<N: Named>(
    call: Call,
    id: Path<String>,
    body: JsonBody,
) -> ApiResult<Json<Value>> {
    change::<N>(call, id, body, How::Whole).await
}

/// Changes name or description (PATCH).
pub async fn edit<N: Named>(
    call: Call,
    id: Path<String>,
    body: JsonBody,
) -> ApiResult<Json<Value>> {
    change::<N>(call, id, body, How::Partial).await
}

async fn change<N: Named>(
    call: Call,
    Path(id): Path<String>,
    body: JsonBody,
    how: How,
) -> ApiResult<Json<Value>> {
    let (place, facts) = find::<N>(&call, &id, Action::View).await?;
    let permit = call.ask(&facts, N::MODEL)?;
    let mut form = Form::read(N::FIELDS, body, how)?;
    let other = form.integer("project");
    if other.is_some() && other != place.project_id {
        form.wrong("project", "It cannot be moved to another project.");
    }
    form.finish()?;
    let (name, description) = (form.text("name"), form.text("description"));
    let changed = call
        .store()
        .change_place(permit, N::KIND, place.id, name, description);
    let place = changed.await.map_err(internal)?;
    answer::<N>(&call, &place, &facts).await.map(Json)
}

/// Whether somebody may edit a site or a device.
pub async fn may_update<N: Named>(call: &Call, id: &str) -> bool {
    let action = format!("update_{}", N::MODEL);
    find::<N>(call, id, Action::Change(&action)).await.is_ok()
}

/// Deletes a site or a device; its stations stay.
pub async fn delete<N: Named>(call: Call, Path(id): Path<String>) -> ApiResult<StatusCode> {
    let (place, facts) = find::<N>(&call, &id, Action::View).await?;
    let permit = call.ask(&facts, N::MODEL)?;
    let deleted = call.store().delete_place(permit, N::KIND, place.id).await;
    deleted.map_err(internal)?;
    Ok(StatusCode::NO_CONTENT)
}
