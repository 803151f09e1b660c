//! `/api/v2/projects/`: list, make, show, edit, delete (`ui.md` §A.3, `domain-rules.md` §15).
//! Bodies are read in `projects/input.rs`, charts drawn in `projects/charts.rs`.

use axum::Json;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::routing::get;
use domain::permission::{
    Action, Delete, Permit, ProjectFacts, Update, Verb, deployment_permissions, list_permissions,
    project_permissions,
};
use rest::allow::{DETAIL, LIST, READ};
use rest::page::{Envelope, Page};
use rest::time::instant;
use rest::{ApiError, ApiResult, How, JsonBody};
use serde_json::{Value, json};
use store::project::{NewProject, PROJECT_ORDERS, Project, ProjectFilter};

use self::fields::{ABOUT, CHARTS, FIELDS, FILTERS, ROW};
use super::exports;
use super::internal;
use super::nested;
use super::taxa::tree;
use crate::call::{Call, number};
use crate::media::forget;
use crate::pictures;
use crate::views::{Answer, View, view};

pub mod charts;
pub mod fields;
mod input;

/// Rows of a page where nobody says how many (`domain-rules.md` §17).
const ROWS: u64 = 40;

/// Its addresses.
pub const VIEWS: &[View] = &[
    view("/projects", "Project List", LIST, ABOUT, FIELDS, || {
        get(list).post(create)
    })
    .shows(ROW)
    .filters(FILTERS)
    .orders(PROJECT_ORDERS)
    .searched()
    .in_root(),
    view(
        "/projects/{id}",
        "Project Instance",
        DETAIL,
        ABOUT,
        FIELDS,
        || get(detail).put(replace).patch(edit).delete(delete),
    )
    .query(fields::QUERY)
    .fails(&[409]),
    view("/projects/{id}/charts", "charts", READ, CHARTS, &[], || {
        get(charts::charts)
    })
    .got(&[Answer::Open]),
];

fn item(call: &Call, project: &Project, stations: i64, facts: &ProjectFacts) -> Value {
    json!({
        "id": project.id,
        "name": project.name,
        "description": project.description,
        "details": call.addresses.row("projects", project.id),
        "deployments_count": stations,
        "created_at": instant(project.created_at),
        "updated_at": instant(project.updated_at),
        "image": pictures::address(&call.state.links, project.image.as_deref()),
        "draft": project.draft,
        "user_permissions": project_permissions(call.who.caller(), facts),
    })
}

/// A page of projects.
pub async fn list(call: Call) -> ApiResult<Json<Envelope<Value>>> {
    let (query, caller) = (&call.query, call.who.caller());
    let member = query.integer("user_id", 0)?;
    if member.is_some() && member != caller.id() {
        return Err(ApiError::ForbiddenBecause(
            "You can only view your projects",
        ));
    }
    let order = query.ordering(PROJECT_ORDERS);
    let filter = ProjectFilter {
        search: call.query.search(),
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

/// The project that an address names, with the permit to do this with it.
async fn find_to<V: Verb>(call: &Call, id: &str) -> ApiResult<(Project, Permit<V>)> {
    let (project, facts) = call.project(number(id)?).await?;
    let permit = call.ask(&facts, "project")?;
    Ok((project, permit))
}

async fn whole(call: &Call, project: &Project, charts: bool) -> ApiResult<Value> {
    let (store, caller) = (call.store(), call.who.caller());
    let facts = call.who.facts(&call.state, project).await?;
    let stations = store.stations(project.id).await.map_err(internal)?;
    let links = &call.state.links;
    let shown = stations.iter().map(|s| {
        json!({
            "id": s.id,
            "name": s.name,
            "image": pictures::address(links, s.image.as_deref()),
            "details": call.addresses.row("deployments", s.id),
            "latitude": s.latitude,
            "longitude": s.longitude,
            "events_count": s.sessions_count,
            "user_permissions": deployment_permissions(caller, &facts),
        })
    });
    let count = i64::try_from(stations.len()).unwrap_or(i64::MAX);
    let mut value = item(call, project, count, &facts);
    let permissions = value["user_permissions"].take();
    let owner = owner(call, project).await?;
    let settings = settings(call, project, &permissions).await?;
    let charts = match charts {
        true => Some(charts::draw(call, project).await?),
        false => None,
    };
    let is_member = caller.is_superuser() || facts.role_of(caller).is_some();
    if let Some(map) = value.as_object_mut() {
        map.shift_remove("user_permissions");
        map.insert("deployments".into(), shown.collect());
        if let Some(charts) = charts {
            map.insert("summary_data".into(), charts);
        }
        map.insert("owner".into(), owner);
        map.insert("feature_flags".into(), switches(project));
        map.insert("settings".into(), settings);
        map.insert("is_member".into(), json!(is_member));
        map.insert("user_permissions".into(), permissions);
    }
    Ok(value)
}

/// The switches, the known ones first and in their order.
fn switches(project: &Project) -> Value {
    let mut flags = store::project::flags();
    if let Some(set) = project.feature_flags.as_object() {
        flags.extend(set.clone());
    }
    Value::Object(flags)
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
    let store = call.store();
    let pipeline = match project.default_pipeline_id {
        Some(id) => {
            let pipeline = store.pipeline(id).await.map_err(internal)?;
            nested::pipeline(call, &pipeline)
        }
        None => Value::Null,
    };
    let taxa = store.filter_taxa(project.id).await.map_err(internal)?;
    let shown = |list: &[_]| -> Value {
        let rows = list.iter().map(|taxon| tree::flat(call, taxon));
        rows.collect()
    };
    let mut settings = json!({
        "default_filters_exclude_taxa": shown(&taxa.exclude),
        "default_filters_include_taxa": shown(&taxa.include),
        "default_filters_score_threshold": project.score_threshold,
        "default_processing_pipeline": pipeline,
        "session_time_gap_seconds": project.session_time_gap_seconds,
    });
    if let Some(minutes) = project.worker_wait_minutes {
        settings[fields::WAIT] = json!(minutes);
    }
    settings["user_permissions"] = permissions.clone();
    Ok(settings)
}

/// One project.
pub async fn detail(call: Call, Path(id): Path<String>) -> ApiResult<Json<Value>> {
    let (project, _) = find(&call, &id, Action::View).await?;
    let charts = call.query.flag_or("with_charts", true);
    whole(&call, &project, charts).await.map(Json)
}

/// Makes a project with its defaults; its maker owns it. Superusers only.
pub async fn create(call: Call, body: JsonBody) -> ApiResult<(StatusCode, Json<Value>)> {
    let (more, image) = input::read(&call, body, How::Whole, None).await?;
    let owner = input::may_create(&call)?;
    let new = NewProject {
        owner_id: Some(owner),
        with_defaults: true,
        more,
        ..NewProject::default()
    };
    let mut project = call.store().create_project(new).await.map_err(internal)?;
    // The picture's place has the project's number in it.
    let folder = format!("projects/{}", project.id);
    if let Some(image) = image.keep(&call.state.files, &folder).await? {
        let change = store::project::ProjectChange {
            image: Some(image),
            ..Default::default()
        };
        let facts = call.who.facts(&call.state, &project).await?;
        let permit = call.ask(&facts, "project")?;
        let changed = call
            .store()
            .change_project(permit, project.id, change)
            .await;
        project = changed.map_err(internal)?;
    }
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
    let (before, permit) = find_to::<Update>(&call, &id).await?;
    let (mut change, image) = input::read(&call, body, how, Some(&before)).await?;
    let folder = format!("projects/{}", before.id);
    change.image = image.keep(&call.state.files, &folder).await?;
    let new_image = change.image.is_some();
    let project = call.store().change_project(permit, before.id, change).await;
    let project = project.map_err(internal)?;
    if new_image {
        pictures::forget_old(&call.state.files, before.image.as_deref()).await;
    }
    whole(&call, &project, false).await.map(Json)
}

/// Deletes a project with everything in it.
pub async fn delete(call: Call, Path(id): Path<String>) -> ApiResult<StatusCode> {
    let (project, permit) = find_to::<Delete>(&call, &id).await?;
    let stations = call.store().stations(project.id).await.map_err(internal)?;
    let exports = exports::files_of(&call, project.id).await?;
    let deleted = call.store().delete_project(permit, project.id).await;
    deleted.map_err(internal)?;
    let images = stations.iter().map(|station| station.image.as_deref());
    for image in images.chain([project.image.as_deref()]) {
        pictures::forget_old(&call.state.files, image).await;
    }
    forget::these(&call.state, exports).await;
    for station in &stations {
        forget::uploads_of(&call.state, station.id).await;
    }
    Ok(StatusCode::NO_CONTENT)
}
