//! `/api/v2/deployments/sites/` and `…/devices/`: two resources of the same shape
//! (`ui.md` §A.6), so one file; only the word and the permission differ.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use domain::permission::{Action, ProjectFacts, decide, list_permissions, object_permissions};
use rest::field::{Field, Kind};
use rest::page::{Envelope, Page};
use rest::query::Query;
use rest::time::instant;
use rest::validate::Input;
use rest::{ApiError, ApiResult, JsonBody};
use serde_json::{Value, json};
use store::StoreError;
use store::place::{Place, PlaceFilter, PlaceKind};

use super::internal;
use super::jobs::{base, content_type};
use crate::AppState;
use crate::auth::{Who, allow};

/// About sites.
pub const SITES: &str = "Places of research, at which stations stand.";
/// About devices.
pub const DEVICES: &str = "Types of camera traps.";

/// The fields of a site or a device.
pub const FIELDS: &[Field] = &[
    Field::id(),
    Field::details(),
    Field::new("name", "Name", Kind::Text(Some(255))).required(),
    Field::new("description", "Description", Kind::Text(None)).blank(),
    Field::new("project", "Project", Kind::Link("projects")).required(),
    Field::shown("created_at", "Created at", Kind::DateTime),
    Field::shown("updated_at", "Updated at", Kind::DateTime),
];

/// The words in which a site differs from a device.
pub trait Named: Send + Sync + 'static {
    /// Which of the two.
    const KIND: PlaceKind;
    /// Its path.
    const PATH: &'static str;
    /// Its word in permissions.
    const MODEL: &'static str;
}

/// Sites.
pub struct Sites;
/// Devices.
pub struct Devices;

impl Named for Sites {
    const KIND: PlaceKind = PlaceKind::Site;
    const PATH: &'static str = "deployments/sites";
    const MODEL: &'static str = "site";
}

impl Named for Devices {
    const KIND: PlaceKind = PlaceKind::Device;
    const PATH: &'static str = "deployments/devices";
    const MODEL: &'static str = "device";
}

fn shown<N: Named>(place: &Place, base: &str, who: &Who, facts: &ProjectFacts) -> Value {
    let mut value = json!({
        "id": place.id,
        "details": format!("{base}/{}/{}/", N::PATH, place.id),
        "name": place.name,
        "description": place.description,
        "project": place.project_id,
    });
    if N::KIND == PlaceKind::Site {
        // The corners of its stations: drawn where stations are served.
        value["boundary_rect"] = Value::Null;
    }
    value["created_at"] = json!(instant(place.created_at));
    value["updated_at"] = json!(instant(place.updated_at));
    value["user_permissions"] = json!(object_permissions(who.caller(), facts, N::MODEL));
    value
}

/// A page of sites or devices.
pub async fn list<N: Named>(
    State(state): State<AppState>,
    who: Who,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> ApiResult<Json<Envelope<Value>>> {
    let query = Query::parse(query.as_deref().unwrap_or_default());
    let visible = state.store.visible_projects(who.0.as_ref()).await;
    let filter = PlaceFilter {
        project_id: query.integer("project_id", 0)?,
        visible: visible.map_err(internal)?,
    };
    let page = Page::read(&query);
    let found = state
        .store
        .places(N::KIND, &filter, page.limit, page.offset)
        .await;
    let (places, count) = found.map_err(internal)?;
    let ids: Vec<i64> = places.iter().filter_map(|p| p.project_id).collect();
    let mut facts = std::collections::HashMap::new();
    for project in state.store.projects_by_id(&ids).await.map_err(internal)? {
        facts.insert(project.id, who.facts(&state, &project).await?);
    }
    let base = base(&state, &headers);
    let none = ProjectFacts::default();
    let rows = places.iter().map(|place| {
        let facts = place.project_id.and_then(|id| facts.get(&id));
        shown::<N>(place, &base, &who, facts.unwrap_or(&none))
    });
    let own = filter.project_id.and_then(|id| facts.get(&id));
    let permissions = list_permissions(who.caller(), own, N::MODEL);
    let permissions = permissions.into_iter().map(str::to_owned).collect();
    let url = format!("{base}/{}/", N::PATH);
    let rows = rows.collect();
    Ok(Json(Envelope::new(
        &url,
        &query,
        page,
        count,
        rows,
        permissions,
    )))
}

/// The place, when the caller may do this with it.
async fn find<N: Named>(
    state: &AppState,
    who: &Who,
    id: &str,
    action: &str,
) -> ApiResult<(Place, ProjectFacts)> {
    let id: i64 = id.parse().map_err(|_| ApiError::NotFound)?;
    let place = state.store.place(N::KIND, id).await.map_err(internal)?;
    let project = place.project_id.ok_or(ApiError::NotFound)?;
    let project = state.store.project(project).await.map_err(internal)?;
    let facts = who.facts(state, &project).await?;
    let name = format!("{action}_{}", N::MODEL);
    let action = if action == "view" {
        Action::View
    } else {
        Action::Change(&name)
    };
    allow(decide(who.caller(), &facts, action))?;
    Ok((place, facts))
}

/// One site or device.
pub async fn detail<N: Named>(
    State(state): State<AppState>,
    who: Who,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> ApiResult<Json<Value>> {
    let (place, facts) = find::<N>(&state, &who, &id, "view").await?;
    Ok(Json(shown::<N>(
        &place,
        &base(&state, &headers),
        &who,
        &facts,
    )))
}

/// Makes a site or a device.
pub async fn create<N: Named>(
    State(state): State<AppState>,
    who: Who,
    headers: HeaderMap,
    body: Bytes,
) -> ApiResult<(StatusCode, Json<Value>)> {
    let mut input = Input::new(JsonBody::read(content_type(&headers), &body)?)?;
    let name = input.text("name", 255);
    let description = input.optional_text("description", 100_000);
    let project = match input.key("project") {
        Some(id) => match state.store.project(id).await {
            Ok(project) => Some(project),
            Err(StoreError::NotFound(_)) => {
                input.missing("project", &id.to_string());
                None
            }
            Err(other) => return Err(internal(other)),
        },
        None => None,
    };
    let name = input.finish(name.unwrap_or_default())?;
    let project = project.ok_or(ApiError::NotFound)?;
    let facts = who.facts(&state, &project).await?;
    let action = format!("create_{}", N::MODEL);
    allow(decide(who.caller(), &facts, Action::Create(&action)))?;
    let description = description.unwrap_or_default();
    let made = state
        .store
        .create_place(N::KIND, project.id, &name, &description);
    let place = made.await.map_err(internal)?;
    let body = shown::<N>(&place, &base(&state, &headers), &who, &facts);
    Ok((StatusCode::CREATED, Json(body)))
}

/// Replaces name and description (PUT).
pub async fn replace<N: Named>(
    state: State<AppState>,
    who: Who,
    headers: HeaderMap,
    id: Path<String>,
    body: Bytes,
) -> ApiResult<Json<Value>> {
    change::<N>(state, who, headers, id, body, false).await
}

/// Changes name or description (PATCH).
pub async fn edit<N: Named>(
    state: State<AppState>,
    who: Who,
    headers: HeaderMap,
    id: Path<String>,
    body: Bytes,
) -> ApiResult<Json<Value>> {
    change::<N>(state, who, headers, id, body, true).await
}

async fn change<N: Named>(
    State(state): State<AppState>,
    who: Who,
    headers: HeaderMap,
    Path(id): Path<String>,
    body: Bytes,
    partial: bool,
) -> ApiResult<Json<Value>> {
    let (place, facts) = find::<N>(&state, &who, &id, "update").await?;
    let mut input = Input::new(JsonBody::read(content_type(&headers), &body)?)?;
    let name = (!partial || input.has("name")).then(|| input.text("name", 255));
    let description = input.has("description").then(|| {
        input
            .optional_text("description", 100_000)
            .unwrap_or_default()
    });
    if (!partial || input.has("project"))
        && input
            .key("project")
            .is_some_and(|id| Some(id) != place.project_id)
    {
        let words = "It cannot be moved to another project.";
        input.errors.add("project", words);
    }
    input.finish(())?;
    let changed = state
        .store
        .change_place(N::KIND, place.id, name.flatten(), description)
        .await;
    let place = changed.map_err(internal)?;
    Ok(Json(shown::<N>(
        &place,
        &base(&state, &headers),
        &who,
        &facts,
    )))
}

/// Deletes a site or a device; its stations stay.
pub async fn delete<N: Named>(
    State(state): State<AppState>,
    who: Who,
    Path(id): Path<String>,
) -> ApiResult<StatusCode> {
    let (place, _) = find::<N>(&state, &who, &id, "delete").await?;
    state
        .store
        .delete_place(N::KIND, place.id)
        .await
        .map_err(internal)?;
    Ok(StatusCode::NO_CONTENT)
}
