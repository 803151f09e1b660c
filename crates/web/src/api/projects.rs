//! `/api/v2/projects/`: list, make, show, edit, delete (`ui.md` §A.3, `domain-rules.md` §15).
//! Charts (`summary_data`) are empty until the resources that they count are served.

use crate::views::{View, view};
use axum::Json;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::routing::get;
use domain::permission::{
    Action, ProjectFacts, deployment_permissions, list_permissions, project_permissions,
};
use rest::allow::{DETAIL, LIST};
use rest::field::{Field, Kind};
use rest::page::{Envelope, Page};
use rest::shape::{self, Shape};
use rest::time::instant;
use rest::{ApiError, ApiResult, Form, How, JsonBody};
use serde_json::{Value, json};
use store::project::{NewProject, Project, ProjectChange, ProjectFilter};

use super::internal;
use crate::call::{Call, number};
use crate::pictures;

/// About projects.
pub const ABOUT: &str = "Projects: what stations, captures, jobs and people belong to.";

/// Rows of a page where nobody says how many (`domain-rules.md` §17).
const ROWS: u64 = 40;

/// What the list can be ordered by.
pub const ORDERS: &[&str] = &["name", "created_at", "updated_at"];

/// What the list can be narrowed by.
pub const FILTERS: &[Field] = &[Field::new("user_id", "Member", Kind::Link("users"))];

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
    Field::shown("deployments", "Deployments", Kind::List)
        .holds(Shape::List(&Shape::Object(STATION))),
    Field::shown("summary_data", "Charts", Kind::List)
        .holds(shape::NOTHING)
        .unlisted()
        .sometimes(),
    Field::shown("owner", "Owner", Kind::Any).holds(OWNER),
    Field::shown("feature_flags", "Feature flags", Kind::Any)
        .holds(Shape::Map(&Shape::Of(Kind::Boolean))),
    Field::shown("settings", "Settings", Kind::Any).holds(Shape::Object(SETTINGS)),
    Field::shown("is_member", "Is member", Kind::Boolean),
];

/// What a list shows of a project.
const ROW: &[Field] = &[
    FIELDS[0], FIELDS[1], FIELDS[2], FIELDS[3], FIELDS[4], FIELDS[5], FIELDS[6], FIELDS[7],
    FIELDS[8],
];

const STATION: &[Field] = &[
    Field::id(),
    Field::shown("name", "Name", Kind::Text(None)),
    Field::shown("image", "Image", Kind::Image).nullable(),
    Field::details(),
    Field::shown("latitude", "Latitude", Kind::Float).nullable(),
    Field::shown("longitude", "Longitude", Kind::Float).nullable(),
    Field::shown("events_count", "Sessions", Kind::Integer(None, None)),
    Field::permissions(),
];

const PERSON: &[Field] = &[
    Field::id(),
    Field::shown("name", "Name", Kind::Text(None)),
    Field::shown("image", "Image", Kind::Image).nullable(),
    Field::details(),
    Field::permissions(),
];

const OWNER: Shape = Shape::Or(&[Shape::Object(PERSON), Shape::Null]);

const PIPELINE: &[Field] = &[
    Field::id(),
    Field::shown("name", "Name", Kind::Text(None)),
    Field::details(),
];

const SETTINGS: &[Field] = &[
    Field::shown("default_filters_exclude_taxa", "Taxa left out", Kind::List).holds(shape::NOTHING),
    Field::shown("default_filters_include_taxa", "Taxa shown", Kind::List).holds(shape::NOTHING),
    Field::shown(
        "default_filters_score_threshold",
        "Least score",
        Kind::Float,
    ),
    Field::shown(
        "default_processing_pipeline",
        "Pipeline",
        Kind::Nested(PIPELINE),
    )
    .nullable(),
    Field::shown(
        "session_time_gap_seconds",
        "Gap between sessions",
        Kind::Integer(None, None),
    ),
    Field::permissions(),
];

/// What the query of one project may hold.
const QUERY: &[Field] = &[Field::new(
    "with_charts",
    "Whether charts are shown",
    Kind::Boolean,
)];

/// Its addresses.
pub const VIEWS: &[View] = &[
    view("/projects", "Project List", LIST, ABOUT, FIELDS, || {
        get(list).post(create)
    })
    .filters(FILTERS)
    .orders(ORDERS)
    .in_root()
    .shows(ROW),
    view(
        "/projects/{id}",
        "Project Instance",
        DETAIL,
        ABOUT,
        FIELDS,
        || get(detail).put(replace).patch(edit).delete(delete),
    )
    .query(QUERY),
];

fn words(list: Vec<&'static str>) -> Value {
    json!(list)
}

fn item(call: &Call, project: &Project, stations: i64, facts: &ProjectFacts) -> Value {
    json!({
        "id": project.id,
        "name": project.name,
        "description": project.description,
        "details": call.addresses.row("projects", project.id),
        "deployments_count": stations,
        "created_at": instant(project.created_at),
        "updated_at": instant(project.updated_at),
        "image": project.image,
        "draft": project.draft,
        "user_permissions": words(project_permissions(call.who.caller(), facts)),
    })
}

/// A page of projects.
pub async fn list(call: Call) -> ApiResult<Json<Envelope<Value>>> {
    let (query, caller) = (&call.query, call.who.caller());
    let member = query.integer("user_id", 0)?;
    if member.is_some() && member != caller.id() && !caller.is_superuser() {
        return Err(ApiError::Forbidden);
    }
    let order = query.ordering(ORDERS);
    let filter = ProjectFilter {
        visible: call.visible().await?,
        member,
        order: order.iter().map(|o| (o.field, o.descending)).collect(),
    };
    let page = Page::read_or(query, ROWS);
    let store = call.store();
    let found = store.projects_page(&filter, page.limit, page.offset).await;
    let (projects, count) = found.map_err(internal)?;
    let ids: Vec<i64> = projects.iter().map(|p| p.id).collect();
    let stations = store.station_counts(&ids).await.map_err(internal)?;
    let facts = call.facts_of(&projects).await?;
    let rows = projects.iter().map(|project| {
        let facts = facts.get(&project.id).copied().unwrap_or_default();
        let stations = stations.get(&project.id).copied().unwrap_or(0);
        item(&call, project, stations, &facts)
    });
    let words = list_permissions(caller, None, "project");
    let words = words.into_iter().map(str::to_owned).collect();
    let rows = rows.collect();
    Ok(Json(call.envelope("projects", page, count, rows, words)))
}

/// The project that an address names, when the caller may do this there.
pub async fn find(call: &Call, id: &str, action: Action<'_>) -> ApiResult<(Project, ProjectFacts)> {
    let (project, facts) = call.project(number(id)?).await?;
    call.permit(&facts, action)?;
    Ok((project, facts))
}

async fn whole(call: &Call, project: &Project, charts: bool) -> ApiResult<Value> {
    let (store, caller) = (call.store(), call.who.caller());
    let facts = call.who.facts(&call.state, project).await?;
    let stations = store.stations(project.id).await.map_err(internal)?;
    let shown = stations.iter().map(|s| {
        json!({
            "id": s.id,
            "name": s.name,
            "image": s.image,
            "details": call.addresses.row("deployments", s.id),
            "latitude": s.latitude,
            "longitude": s.longitude,
            "events_count": s.sessions_count,
            "user_permissions": words(deployment_permissions(caller, &facts)),
        })
    });
    let count = i64::try_from(stations.len()).unwrap_or(i64::MAX);
    let mut value = item(call, project, count, &facts);
    let permissions = value["user_permissions"].take();
    let owner = owner(call, project).await?;
    let settings = settings(call, project, &permissions).await?;
    if let Some(map) = value.as_object_mut() {
        map.shift_remove("user_permissions");
        map.insert("deployments".into(), shown.collect());
        if charts {
            map.insert("summary_data".into(), json!([]));
        }
        map.insert("owner".into(), owner);
        map.insert("feature_flags".into(), project.feature_flags.clone());
        map.insert("settings".into(), settings);
        map.insert("is_member".into(), json!(facts.role_of(caller).is_some()));
        map.insert("user_permissions".into(), permissions);
    }
    Ok(value)
}

async fn owner(call: &Call, project: &Project) -> ApiResult<Value> {
    let Some(id) = project.owner_id else {
        return Ok(Value::Null);
    };
    let owner = call.store().user(id).await.map_err(internal)?;
    Ok(json!({
        "id": owner.id,
        "name": owner.name,
        "image": pictures::address(&call.state.links, owner.image.as_deref()),
        "details": call.addresses.row("users", id),
        "user_permissions": [],
    }))
}

async fn settings(call: &Call, project: &Project, permissions: &Value) -> ApiResult<Value> {
    let pipeline = match project.default_pipeline_id {
        Some(id) => {
            let p = call.store().pipeline(id).await.map_err(internal)?;
            let details = call.addresses.row("ml/pipelines", id);
            json!({"id": p.id, "name": p.name, "details": details})
        }
        None => Value::Null,
    };
    Ok(json!({
        "default_filters_exclude_taxa": [],
        "default_filters_include_taxa": [],
        "default_filters_score_threshold": project.score_threshold,
        "default_processing_pipeline": pipeline,
        "session_time_gap_seconds": project.session_time_gap_seconds,
        "user_permissions": permissions,
    }))
}

/// One project.
pub async fn detail(call: Call, Path(id): Path<String>) -> ApiResult<Json<Value>> {
    let (project, _) = find(&call, &id, Action::View).await?;
    let charts = call.query.flag_or("with_charts", true);
    whole(&call, &project, charts).await.map(Json)
}

/// Makes a project with its defaults; its maker owns it. Superusers only.
pub async fn create(call: Call, body: JsonBody) -> ApiResult<(StatusCode, Json<Value>)> {
    let form = Form::read(FIELDS, body, How::Whole)?;
    form.finish()?;
    let owner = call.who.0.as_ref().ok_or(ApiError::NotAuthenticated)?;
    if !owner.is_superuser {
        return Err(ApiError::Forbidden);
    }
    let new = NewProject {
        name: form.text("name").unwrap_or_default(),
        description: form.text("description").unwrap_or_default(),
        owner_id: Some(owner.id),
        draft: form.boolean("draft").unwrap_or(false),
        with_defaults: true,
    };
    let project = call.store().create_project(new).await.map_err(internal)?;
    let answer = whole(&call, &project, false).await?;
    Ok((StatusCode::CREATED, Json(answer)))
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
    let (project, _) = find(&call, &id, Action::Change("update_project")).await?;
    let form = Form::read(FIELDS, body, how)?;
    form.finish()?;
    let change = ProjectChange {
        name: form.text("name"),
        description: form.text("description"),
        draft: form.boolean("draft"),
    };
    let project = call.store().change_project(project.id, change).await;
    whole(&call, &project.map_err(internal)?, false)
        .await
        .map(Json)
}

/// Deletes a project with everything in it.
pub async fn delete(call: Call, Path(id): Path<String>) -> ApiResult<StatusCode> {
    let (project, _) = find(&call, &id, Action::Change("delete_project")).await?;
    let deleted = call.store().delete_project(project.id).await;
    deleted.map_err(internal)?;
    Ok(StatusCode::NO_CONTENT)
}
