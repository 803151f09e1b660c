//! `/api/v2/ml/processing_services/`: who runs pipelines (`processing-service.md` §3, §4, §12).
//! Written by staff; what is asked of a service itself stands in `processing_services/probe.rs`.

use axum::Json;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::routing::{get, post};
use domain::permission::pipeline_permissions;
use rest::allow::{ACTION, DETAIL, LIST, READ};
use rest::field::{Field, Kind};
use rest::page::{Envelope, Page};
use rest::time::instant;
use rest::{ApiError, ApiResult, Form, How, JsonBody};
use serde_json::{Value, json};
use store::service::list::{ServiceChange, ServiceFilter, ServiceParts};
use store::service::{ONLINE_SECONDS, ProcessingService, is_online};

use crate::api::{internal, nested};
use crate::call::{Call, found, number};
use crate::views::{Answer, View, view};

mod probe;

/// About services.
pub const ABOUT: &str = "Processing services: those with an address are called, the others pull \
their work.";
const STATUS: &str = "Whether a service is ready, and for which pipelines.";
const REGISTER: &str = "Ask a service what it offers, and register it for all its projects.";

const PATH: &str = "ml/processing_services";

/// The fields of a service.
pub const FIELDS: &[Field] = &[
    Field::id(),
    Field::details(),
    Field::new("name", "Name", Kind::Text(Some(255))).required(),
    Field::new("description", "Description", Kind::Text(None)).blank(),
    Field::shown("projects", "Projects", Kind::Any),
    Field::new("endpoint_url", "Endpoint url", Kind::Text(Some(1024))).nullable(),
    Field::shown("is_async", "Is async", Kind::Boolean),
    Field::shown(
        "pipelines",
        "Pipelines",
        Kind::Rows(nested::fields::PIPELINE),
    ),
    Field::shown("created_at", "Created at", Kind::DateTime),
    Field::shown("updated_at", "Updated at", Kind::DateTime),
    Field::new("last_seen", "Last seen", Kind::DateTime).nullable(),
    Field::new("last_seen_live", "Last seen live", Kind::Boolean).nullable(),
];

const MADE: &[Field] = &[
    Field::shown("instance", "The service", Kind::Nested(FIELDS)),
    Field::shown("status", "Whether it is ready", Kind::Nested(probe::STATUS)),
];

/// What the list can be ordered by.
pub const ORDERS: &[&str] = &["id", "name", "created_at", "updated_at"];

/// What the list can be narrowed by.
pub const FILTERS: &[Field] = &[
    Field::new("project_id", "Project", Kind::Link("projects")).required(),
    Field::new("projects", "Projects", Kind::Link("projects")),
];

/// Its addresses.
pub const VIEWS: &[View] = &[
    view(
        "/ml/processing_services",
        "Processing Service List",
        LIST,
        ABOUT,
        FIELDS,
        || get(list).post(create),
    )
    .filters(FILTERS)
    .orders(ORDERS)
    .posted(&[(201, Answer::Object(MADE))])
    .asks(crate::views::PROJECT)
    .in_root(),
    view(
        "/ml/processing_services/{id}",
        "Processing Service Instance",
        DETAIL,
        ABOUT,
        FIELDS,
        || get(detail).put(replace).patch(edit).delete(delete),
    ),
    view(
        "/ml/processing_services/{id}/status",
        "Status",
        READ,
        STATUS,
        &[],
        || get(probe::status),
    )
    .got(&[Answer::Object(probe::STATUS)]),
    view(
        "/ml/processing_services/{id}/register_pipelines",
        "Register pipelines",
        ACTION,
        REGISTER,
        &[],
        || post(probe::register),
    )
    .posted(&[(
        200,
        Answer::Object(crate::api::pipelines::fields::REGISTERED),
    )])
    .fails(&[400]),
];

/// Signs of life of a service.
pub struct Signs {
    /// Whether it fetches its work instead of being sent it.
    pub pulls: bool,
    /// Whether it lives; one that pulls does as long as it was heard of within a minute.
    pub live: Option<bool>,
}

impl Signs {
    /// Of this service.
    pub fn of(service: &ProcessingService) -> Signs {
        let pulls = service.endpoint_url.as_ref().is_none_or(String::is_empty);
        let minute = chrono::Duration::seconds(ONLINE_SECONDS);
        let live = match pulls {
            true => service.last_seen_live.map(|_| is_online(service, minute)),
            false => service.last_seen_live,
        };
        Signs { pulls, live }
    }
}

fn shown(call: &Call, service: &ProcessingService, parts: &ServiceParts) -> Value {
    let signs = Signs::of(service);
    let pipelines = parts.pipelines.get(&service.id).into_iter().flatten();
    json!({
        "id": service.id,
        "details": call.addresses.row(PATH, service.id),
        "name": service.name,
        "description": service.description,
        "projects": parts.projects.get(&service.id).cloned().unwrap_or_default(),
        "endpoint_url": service.endpoint_url,
        "is_async": signs.pulls,
        "pipelines": pipelines.map(|p| nested::pipeline(call, p)).collect::<Vec<_>>(),
        "created_at": instant(service.created_at),
        "updated_at": instant(service.updated_at),
        "last_seen": service.last_seen_at.map(instant),
        "last_seen_live": signs.live,
        "user_permissions": pipeline_permissions(call.who.caller()),
    })
}

async fn answer(call: &Call, service: &ProcessingService) -> ApiResult<Value> {
    let parts = call.store().service_parts(&[service.id]).await;
    Ok(shown(call, service, &parts.map_err(internal)?))
}

/// A page of services of a project.
pub async fn list(call: Call) -> ApiResult<Json<Envelope<Value>>> {
    let (project, _) = call.required_project().await?;
    let mut projects = vec![project.id];
    projects.extend(call.query.integer("projects", 0)?);
    let filter = ServiceFilter {
        id: None,
        projects,
        visible: call.visible().await?,
        order: call.order(ORDERS),
    };
    let page = Page::read(&call.query);
    let store = call.store();
    let found = store.services_page(&filter, page.limit, page.offset);
    let (rows, count) = found.await.map_err(internal)?;
    let ids: Vec<i64> = rows.iter().map(|service| service.id).collect();
    let parts = store.service_parts(&ids).await.map_err(internal)?;
    let rows = rows.iter().map(|service| shown(&call, service, &parts));
    let words = call.list_words("processingservice").await?;
    Ok(Json(call.envelope(
        PATH,
        page,
        count,
        rows.collect(),
        words,
    )))
}

/// The service, where the caller may see one of its projects.
async fn find(call: &Call, id: &str) -> ApiResult<ProcessingService> {
    let filter = ServiceFilter {
        id: Some(number(id)?),
        visible: call.visible().await?,
        ..Default::default()
    };
    let found = call.store().services_page(&filter, 1, 0).await;
    let (rows, _) = found.map_err(internal)?;
    rows.into_iter().next().ok_or(ApiError::NotFound)
}

/// The service, for those who may write it.
async fn writable(call: &Call, id: &str) -> ApiResult<ProcessingService> {
    call.permit_shared()?;
    find(call, id).await
}

/// One service.
pub async fn detail(call: Call, Path(id): Path<String>) -> ApiResult<Json<Value>> {
    let service = find(&call, &id).await?;
    answer(&call, &service).await.map(Json)
}

fn read(form: &Form) -> ServiceChange {
    let last_seen = form.change("last_seen", |form, name| {
        rest::time::read(&form.text(name)?).map(|time| time.and_utc())
    });
    ServiceChange {
        name: form.text("name"),
        description: form.text("description"),
        endpoint_url: form.change("endpoint_url", Form::text),
        last_seen,
        last_seen_live: form.change("last_seen_live", Form::boolean),
    }
}

/// Makes a service for the active project, and asks at once whether it is ready.
pub async fn create(call: Call, body: JsonBody) -> ApiResult<(StatusCode, Json<Value>)> {
    call.permit_shared()?;
    let named = ["project_id", "project"].map(|key| body.value.get(key).and_then(whole));
    let form = Form::read(FIELDS, body, How::Whole)?;
    form.finish()?;
    let id = call.query.integer("project_id", 0)?;
    let id = id.or(named[0]).or(named[1]);
    let id = id.ok_or_else(|| ApiError::field("project_id", "This field is required."))?;
    let project = found(call.store().project(id).await)?.ok_or(ApiError::NotFound)?;
    let new = ServiceChange {
        last_seen: None,
        last_seen_live: None,
        ..read(&form)
    };
    let service = call.store().create_service(project.id, new).await;
    let service = service.map_err(internal)?;
    let status = probe::ask(&call, &service).await?;
    let service = call.store().service(service.id).await.map_err(internal)?;
    let body = json!({"instance": answer(&call, &service).await?, "status": status});
    Ok((StatusCode::CREATED, Json(body)))
}

fn whole(value: &Value) -> Option<i64> {
    value
        .as_i64()
        .or_else(|| value.as_str()?.trim().parse().ok())
}

/// Replaces a service (PUT).
pub async fn replace(call: Call, id: Path<String>, body: JsonBody) -> ApiResult<Json<Value>> {
    change(call, id, body, How::Whole).await
}

/// Changes a service (PATCH).
pub async fn edit(call: Call, id: Path<String>, body: JsonBody) -> ApiResult<Json<Value>> {
    change(call, id, body, How::Partial).await
}

async fn change(
    call: Call,
    Path(id): Path<String>,
    body: JsonBody,
    how: How,
) -> ApiResult<Json<Value>> {
    let old = writable(&call, &id).await?;
    let form = Form::read(FIELDS, body, how)?;
    form.finish()?;
    let service = call.store().change_service(old.id, read(&form)).await;
    answer(&call, &service.map_err(internal)?).await.map(Json)
}

/// Deletes a service; its pipelines stay.
pub async fn delete(call: Call, Path(id): Path<String>) -> ApiResult<StatusCode> {
    let service = writable(&call, &id).await?;
    let deleted = call.store().delete_service(service.id).await;
    deleted.map_err(internal)?;
    Ok(StatusCode::NO_CONTENT)
}
