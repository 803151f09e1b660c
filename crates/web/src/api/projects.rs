//! `/api/v2/projects/`: list, make, show, edit, delete (`ui.md` §A.3, `domain-rules.md` §15).
//! Charts (`summary_data`) are empty until the resources that they count are served.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use domain::permission::{
    Action, Caller, ProjectFacts, decide, deployment_permissions, list_permissions,
    project_permissions,
};
use rest::field::{Field, Kind};
use rest::page::{Envelope, Page};
use rest::query::Query;
use rest::time::instant;
use rest::validate::Input;
use rest::{ApiError, ApiResult, JsonBody};
use serde_json::{Value, json};
use store::project::{NewProject, Project, ProjectChange, ProjectFilter};

use super::internal;
use super::jobs::{base, content_type};
use crate::AppState;
use crate::auth::{Who, allow};

/// About projects.
pub const ABOUT: &str = "Projects: what stations, captures, jobs and people belong to.";

/// Rows of a page where nobody says how many (`domain-rules.md` §17).
const ROWS: u64 = 40;

/// The fields of a project, in the order of its JSON.
pub const FIELDS: &[Field] = &[
    Field::id(),
    Field::new("name", "Name", Kind::Text(Some(80))).required(),
    Field::new("description", "Description", Kind::Text(None)).blank(),
    Field::details(),
    Field::shown(
        "deployments_count",
        "Deployments count",
        Kind::Integer(None, None),
    ),
    Field::shown("created_at", "Created at", Kind::DateTime),
    Field::shown("updated_at", "Updated at", Kind::DateTime),
    Field::new("image", "Image", Kind::Image).nullable(),
    Field::new("draft", "Draft", Kind::Boolean)
        .help("Indicates whether this project is in draft mode"),
    Field::shown("deployments", "Deployments", Kind::List),
    Field::shown("owner", "Owner", Kind::Any),
    Field::shown("feature_flags", "Feature flags", Kind::Any),
    Field::shown("settings", "Settings", Kind::Any),
    Field::shown("is_member", "Is member", Kind::Boolean),
];

fn words(list: Vec<&'static str>) -> Value {
    json!(list)
}

fn item(
    project: &Project,
    stations: i64,
    base: &str,
    caller: Caller,
    facts: &ProjectFacts,
) -> Value {
    json!({
        "id": project.id,
        "name": project.name,
        "description": project.description,
        "details": format!("{base}/projects/{}/", project.id),
        "deployments_count": stations,
        "created_at": instant(project.created_at),
        "updated_at": instant(project.updated_at),
        "image": project.image,
        "draft": project.draft,
        "user_permissions": words(project_permissions(caller, facts)),
    })
}

/// A page of projects.
pub async fn list(
    State(state): State<AppState>,
    who: Who,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> ApiResult<Json<Envelope<Value>>> {
    let query = Query::parse(query.as_deref().unwrap_or_default());
    let member = query.integer("user_id", 0)?;
    let own = who.caller().id();
    if member.is_some() && member != own && !who.caller().is_superuser() {
        return Err(ApiError::Forbidden);
    }
    let visible = state.store.visible_projects(who.0.as_ref()).await;
    let order = query.ordering(&["name", "created_at", "updated_at"]);
    let filter = ProjectFilter {
        visible: visible.map_err(internal)?,
        member,
        order: order.iter().map(|o| (o.field, o.descending)).collect(),
    };
    let page = Page::read_or(&query, ROWS);
    let found = state
        .store
        .projects_page(&filter, page.limit, page.offset)
        .await;
    let (projects, count) = found.map_err(internal)?;
    let ids: Vec<i64> = projects.iter().map(|p| p.id).collect();
    let stations = state.store.station_counts(&ids).await.map_err(internal)?;
    let roles = match who.0.as_ref() {
        Some(user) => state.store.roles_of(user.id).await.map_err(internal)?,
        None => Vec::new(),
    };
    let base = base(&state, &headers);
    let rows = projects.iter().map(|project| {
        let role = roles.iter().find(|(id, _)| *id == project.id).map(|r| r.1);
        let facts = ProjectFacts {
            draft: project.draft,
            owner: project.owner_id,
            role,
        };
        let stations = stations.get(&project.id).copied().unwrap_or(0);
        item(project, stations, &base, who.caller(), &facts)
    });
    let permissions = list_permissions(who.caller(), None, "project");
    let permissions = permissions.into_iter().map(str::to_owned).collect();
    let url = format!("{base}/projects/");
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

/// The project that an address names, when the caller may do this there.
pub async fn find(
    state: &AppState,
    who: &Who,
    id: &str,
    action: Action<'_>,
) -> ApiResult<(Project, ProjectFacts)> {
    let id: i64 = id.parse().map_err(|_| ApiError::NotFound)?;
    let project = state.store.project(id).await.map_err(internal)?;
    let facts = who.facts(state, &project).await?;
    allow(decide(who.caller(), &facts, action))?;
    Ok((project, facts))
}

async fn whole(
    state: &AppState,
    who: &Who,
    headers: &HeaderMap,
    project: &Project,
    charts: bool,
) -> ApiResult<Value> {
    let base = base(state, headers);
    let caller = who.caller();
    let facts = who.facts(state, project).await?;
    let stations = state.store.stations(project.id).await.map_err(internal)?;
    let shown = stations.iter().map(|s| {
        json!({
            "id": s.id,
            "name": s.name,
            "image": s.image,
            "details": format!("{base}/deployments/{}/", s.id),
            "latitude": s.latitude,
            "longitude": s.longitude,
            "events_count": s.sessions_count,
            "user_permissions": words(deployment_permissions(caller, &facts)),
        })
    });
    let owner = match project.owner_id {
        Some(id) => {
            let owner = state.store.user(id).await.map_err(internal)?;
            json!({
                "id": owner.id,
                "name": owner.name,
                "image": owner.image,
                "details": format!("{base}/users/{id}/"),
                "user_permissions": [],
            })
        }
        None => Value::Null,
    };
    let default_pipeline = match project.default_pipeline_id {
        Some(id) => {
            let p = state.store.pipeline(id).await.map_err(internal)?;
            json!({"id": p.id, "name": p.name, "details": format!("{base}/ml/pipelines/{id}/")})
        }
        None => Value::Null,
    };
    let count = i64::try_from(stations.len()).unwrap_or(i64::MAX);
    let mut value = item(project, count, &base, caller, &facts);
    let permissions = value["user_permissions"].take();
    if let Some(map) = value.as_object_mut() {
        map.shift_remove("user_permissions");
        map.insert("deployments".into(), shown.collect());
        if charts {
            map.insert("summary_data".into(), json!([]));
        }
        map.insert("owner".into(), owner);
        map.insert("feature_flags".into(), project.feature_flags.clone());
        let settings = json!({
            "default_filters_exclude_taxa": [],
            "default_filters_include_taxa": [],
            "default_filters_score_threshold": project.score_threshold,
            "default_processing_pipeline": default_pipeline,
            "session_time_gap_seconds": project.session_time_gap_seconds,
            "user_permissions": permissions.clone(),
        });
        map.insert("settings".into(), settings);
        map.insert("is_member".into(), json!(facts.role_of(caller).is_some()));
        map.insert("user_permissions".into(), permissions);
    }
    Ok(value)
}

/// One project.
pub async fn detail(
    State(state): State<AppState>,
    who: Who,
    headers: HeaderMap,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> ApiResult<Json<Value>> {
    let (project, _) = find(&state, &who, &id, Action::View).await?;
    let query = Query::parse(query.as_deref().unwrap_or_default());
    let charts = query.flag_or("with_charts", true);
    whole(&state, &who, &headers, &project, charts)
        .await
        .map(Json)
}

/// Makes a project with its defaults; its maker owns it. Superusers only.
pub async fn create(
    State(state): State<AppState>,
    who: Who,
    headers: HeaderMap,
    body: Bytes,
) -> ApiResult<(StatusCode, Json<Value>)> {
    let mut input = Input::new(JsonBody::read(content_type(&headers), &body)?)?;
    let name = input.text("name", 80);
    let description = input.optional_text("description", 100_000);
    let draft = input.boolean("draft", false);
    let name = input.finish(name.unwrap_or_default())?;
    let owner = who.0.as_ref().ok_or(ApiError::NotAuthenticated)?;
    if !owner.is_superuser {
        return Err(ApiError::Forbidden);
    }
    let new = NewProject {
        name,
        description: description.unwrap_or_default(),
        owner_id: Some(owner.id),
        draft: draft.unwrap_or(false),
        with_defaults: true,
    };
    let project = state.store.create_project(new).await.map_err(internal)?;
    let answer = whole(&state, &who, &headers, &project, false).await?;
    Ok((StatusCode::CREATED, Json(answer)))
}

/// Replaces what a person may edit (PUT).
pub async fn replace(
    state: State<AppState>,
    who: Who,
    headers: HeaderMap,
    id: Path<String>,
    body: Bytes,
) -> ApiResult<Json<Value>> {
    change(state, who, headers, id, body, false).await
}

/// Changes some of what a person may edit (PATCH).
pub async fn edit(
    state: State<AppState>,
    who: Who,
    headers: HeaderMap,
    id: Path<String>,
    body: Bytes,
) -> ApiResult<Json<Value>> {
    change(state, who, headers, id, body, true).await
}

async fn change(
    State(state): State<AppState>,
    who: Who,
    headers: HeaderMap,
    Path(id): Path<String>,
    body: Bytes,
    partial: bool,
) -> ApiResult<Json<Value>> {
    let (project, _) = find(&state, &who, &id, Action::Change("update_project")).await?;
    let mut input = Input::new(JsonBody::read(content_type(&headers), &body)?)?;
    let mut change = ProjectChange::default();
    if !partial || input.has("name") {
        change.name = input.text("name", 80);
    }
    if input.has("description") {
        change.description = Some(
            input
                .optional_text("description", 100_000)
                .unwrap_or_default(),
        );
    }
    if input.has("draft") {
        change.draft = input.boolean("draft", false);
    }
    input.finish(())?;
    let project = state.store.change_project(project.id, change).await;
    let project = project.map_err(internal)?;
    whole(&state, &who, &headers, &project, false)
        .await
        .map(Json)
}

/// Deletes a project with everything in it.
pub async fn delete(
    State(state): State<AppState>,
    who: Who,
    Path(id): Path<String>,
) -> ApiResult<StatusCode> {
    let (project, _) = find(&state, &who, &id, Action::Change("delete_project")).await?;
    state
        .store
        .delete_project(project.id)
        .await
        .map_err(internal)?;
    Ok(StatusCode::NO_CONTENT)
}
