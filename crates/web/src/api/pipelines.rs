//! Pipelines: those of a project, which workers register (`processing-service.md` §7.5), and all of
//! them with the algorithms and services behind them, to look at (§4, `ui.md`).

use std::collections::HashMap;

use axum::Json;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::routing::get;
use domain::permission::{Action, list_permissions, pipeline_permissions};
use domain::wire::PipelineConfigResponse;
use rest::allow::{DETAIL, LIST};
use rest::document::{self, Member, Shape};
use rest::page::{Envelope, Page};
use rest::time::instant;
use rest::validate::Input;
use rest::{ApiError, ApiResult, JsonBody};
use serde_json::{Value, json};
use store::StoreError;
use store::pipeline::shown::{PipelineFilter, Shown};
use store::pipeline::{Algorithm, CategoryMap, Pipeline};
use store::service::{ONLINE_SECONDS, ProcessingService, ServiceShown, is_online};

use super::internal;
use super::projects::find;
use crate::call::{Call, number};
use crate::views::{PROJECT, View, view};

mod fields;

/// Their addresses.
pub const VIEWS: &[View] = &[
    view(
        "/projects/{id}/pipelines",
        "Project Pipeline List",
        LIST,
        fields::REGISTER,
        fields::REGISTER_FIELDS,
        || get(of_project).post(register),
    )
    .shows(fields::PIPELINE),
    view(
        "/ml/pipelines",
        "Pipeline List",
        LIST,
        fields::PIPELINES,
        fields::PIPELINE,
        || get(list),
    )
    .filters(PROJECT)
    .orders(&ORDERS)
    .searched()
    .in_root(),
    view(
        "/ml/pipelines/{id}",
        "Pipeline Instance",
        DETAIL,
        fields::PIPELINES,
        fields::PIPELINE,
        || get(detail),
    ),
    view(
        "/ml/algorithms",
        "Algorithm List",
        LIST,
        fields::ALGORITHMS,
        fields::ALGORITHM,
        || get(algorithms),
    )
    .filters(PROJECT)
    .orders(&ALGORITHM_ORDERS)
    .in_root(),
    view(
        "/ml/algorithms/{id}",
        "Algorithm Instance",
        DETAIL,
        fields::ALGORITHMS,
        fields::ALGORITHM,
        || get(algorithm),
    ),
    view(
        "/ml/processing_services",
        "Processing Service List",
        LIST,
        fields::SERVICES,
        fields::SERVICE,
        || get(services),
    )
    .filters(PROJECT)
    .in_root(),
    view(
        "/ml/processing_services/{id}",
        "Processing Service Instance",
        DETAIL,
        fields::SERVICES,
        fields::SERVICE,
        || get(service),
    ),
];

/// What pipelines can be ordered by.
const ORDERS: [&str; 4] = ["id", "name", "created_at", "updated_at"];
/// What algorithms can be ordered by.
const ALGORITHM_ORDERS: [&str; 4] = ["name", "version", "created_at", "updated_at"];

const PARAM: Shape = Shape::Model(&[
    Member::required("name", Shape::Text),
    Member::required("key", Shape::Text),
    Member::defaulted("category", Shape::Text),
]);
const STAGE: Shape = Shape::Model(&[
    Member::required("key", Shape::Text),
    Member::required("name", Shape::Text),
    Member::defaulted("params", Shape::List(&PARAM)),
    Member::optional("description", Shape::Text),
]);
const CLASSES: Shape = Shape::Model(&[
    Member::optional("data", Shape::List(&Shape::Map)),
    Member::optional("labels", Shape::List(&Shape::Text)),
    Member::optional("version", Shape::Text),
    Member::optional("description", Shape::Text),
    Member::optional("uri", Shape::Text),
]);
const CONFIGURED: Shape = Shape::Model(&[
    Member::required("name", Shape::Text),
    Member::required("key", Shape::Text),
    Member::optional("description", Shape::Text),
    Member::optional("task_type", Shape::Text),
    Member::optional("version", Shape::Whole),
    Member::optional("version_name", Shape::Text),
    Member::optional("uri", Shape::Text),
    Member::optional("category_map", CLASSES),
]);
const CONFIG: Shape = Shape::Model(&[
    Member::required("name", Shape::Text),
    Member::required("slug", Shape::Text),
    Member::required("version", Shape::Whole),
    Member::optional("description", Shape::Text),
    Member::optional("algorithms", Shape::List(&CONFIGURED)),
    Member::optional("stages", Shape::List(&STAGE)),
]);

/// Longest name of a service and of what it registers, in characters.
const MAX_NAME: usize = 255;

/// Registers a pull service with its pipelines for a project.
pub async fn register(
    call: Call,
    Path(id): Path<String>,
    body: JsonBody,
) -> ApiResult<(StatusCode, Json<Value>)> {
    let (project, _) = find(&call, &id, Action::Register).await?;
    let mut input = Input::new(body)?;
    let name = input.text("processing_service_name", MAX_NAME);
    let configs = configs(&mut input);
    let (Some(name), Some(configs)) = input.finish((name, configs))? else {
        return Err(ApiError::Internal("a checked value is missing".to_owned()));
    };
    let shared = call.who.caller().may_write_shared();
    let made = call
        .store()
        .register_pull_service(project.id, &name, &configs, shared)
        .await;
    let made = match made {
        // Workers show the text of `detail` to the person who started them.
        Err(StoreError::Conflict(why)) => return Err(ApiError::BadRequest(why)),
        other => other.map_err(internal)?,
    };
    let body = json!({
        "timestamp": instant(store::now()),
        "success": true,
        "error": null,
        "pipelines": configs,
        "pipelines_created": made.pipelines_created,
        "algorithms_created": made.algorithms_created,
    });
    Ok((StatusCode::CREATED, Json(body)))
}

/// The pipelines that a body holds; none where it names none.
fn configs(input: &mut Input) -> Option<Vec<PipelineConfigResponse>> {
    if !input.has("pipelines") {
        return Some(Vec::new());
    }
    let value = match input.document("pipelines")? {
        Value::String(text) => match document::from_text(&text) {
            Ok(value) => value,
            Err(faults) => {
                input.errors.put("pipelines", faults);
                return None;
            }
        },
        other => other,
    };
    let mut faults = document::faults(&value, &Shape::List(&CONFIG), &[]);
    if faults.is_empty() {
        match serde_json::from_value::<Vec<PipelineConfigResponse>>(value) {
            Ok(configs) => {
                faults = too_long(&configs);
                if faults.is_empty() {
                    return Some(configs);
                }
            }
            Err(error) => faults.push(json!({
                "loc": ["__root__"], "msg": error.to_string(), "type": "value_error",
            })),
        }
    }
    input.errors.put("pipelines", faults);
    None
}

/// Names that would not fit where they are kept.
fn too_long(configs: &[PipelineConfigResponse]) -> Vec<Value> {
    let mut faults = Vec::new();
    let mut check = |place: Vec<String>, text: &str| {
        let words = if text.chars().count() > MAX_NAME {
            format!("ensure this value has at most {MAX_NAME} characters")
        } else if text.contains('\0') {
            "null characters are not allowed".to_owned()
        } else {
            return;
        };
        faults.push(json!({"loc": place, "msg": words, "type": "value_error"}));
    };
    for (i, config) in configs.iter().enumerate() {
        let at = |name: &str| vec!["__root__".to_owned(), i.to_string(), name.to_owned()];
        check(at("name"), &config.name);
        check(at("slug"), &config.slug);
        for algorithm in &config.algorithms {
            check(at("algorithms"), &algorithm.name);
            check(at("algorithms"), &algorithm.key);
        }
    }
    faults
}

/// The pipelines that a project uses. A project that the caller may not see is refused openly,
/// as the reference does.
pub async fn of_project(call: Call, Path(id): Path<String>) -> ApiResult<Json<Envelope<Value>>> {
    let (project, facts) = call.project(number(&id)?).await?;
    let caller = call.who.caller();
    if !facts.visible_to(caller) {
        return Err(match caller.id() {
            None => ApiError::NotAuthenticated,
            Some(_) => ApiError::Forbidden,
        });
    }
    let words = list_permissions(caller, Some(&facts), "projectpipelineconfig");
    let words = words.into_iter().map(str::to_owned).collect();
    let path = format!("projects/{}/pipelines", project.id);
    page(&call, &path, Some(project.id), words).await
}

/// All pipelines, or those of one project.
pub async fn list(call: Call) -> ApiResult<Json<Envelope<Value>>> {
    let project = known_project(&call).await?;
    let words = call.list_words("pipeline").await?;
    page(&call, "ml/pipelines", project, words).await
}

/// The project that the query names; an unknown one does not narrow the list.
async fn known_project(call: &Call) -> ApiResult<Option<i64>> {
    let Some(id) = call.query.integer("project_id", 0)? else {
        return Ok(None);
    };
    match call.store().project(id).await {
        Ok(project) => Ok(Some(project.id)),
        Err(StoreError::NotFound(_)) => Ok(None),
        Err(other) => Err(internal(other)),
    }
}

async fn page(
    call: &Call,
    path: &str,
    project: Option<i64>,
    words: Vec<String>,
) -> ApiResult<Json<Envelope<Value>>> {
    let page = Page::read(&call.query);
    let filter = PipelineFilter {
        project,
        visible: call.visible().await?,
        search: call.query.search(),
        order: order(call, &ORDERS),
    };
    let store = call.store();
    let found = store.pipelines_shown(&filter, page.limit, page.offset);
    let (rows, count) = found.await.map_err(internal)?;
    let rows = rows.iter().map(|row| shown(call, row)).collect();
    Ok(Json(call.envelope(path, page, count, rows, words)))
}

fn order(call: &Call, names: &[&'static str]) -> Vec<(String, bool)> {
    let by = call.query.ordering(names);
    by.iter()
        .map(|by| (by.field.to_owned(), by.descending))
        .collect()
}

/// One pipeline.
pub async fn detail(call: Call, Path(id): Path<String>) -> ApiResult<Json<Value>> {
    let filter = PipelineFilter {
        project: known_project(&call).await?,
        visible: call.visible().await?,
        ..Default::default()
    };
    let row = call.store().pipeline_shown(number(&id)?, &filter).await;
    Ok(Json(shown(&call, &row.map_err(internal)?)))
}

fn words(call: &Call) -> Vec<&'static str> {
    pipeline_permissions(call.who.caller())
}

fn shown(call: &Call, row: &Shown) -> Value {
    let p = &row.pipeline;
    let services = row.services.iter().map(|service| brief(call, service));
    let algorithms = row.algorithms.iter();
    let configs = row.configs.iter().map(|config| {
        json!({
            "id": config.id,
            "project": call.addresses.row("projects", config.project_id),
            "pipeline": call.addresses.row("ml/pipelines", config.pipeline_id),
            "enabled": config.enabled,
            "config": config.config,
            "user_permissions": words(call),
        })
    });
    json!({
        "id": p.id,
        "details": call.addresses.row("ml/pipelines", p.id),
        "name": p.name,
        "slug": p.slug,
        "description": p.description,
        "algorithms": algorithms.map(|a| described(call, a, None)).collect::<Vec<_>>(),
        "stages": p.stages,
        "processing_services": services.collect::<Vec<_>>(),
        "project_pipeline_configs": configs.collect::<Vec<_>>(),
        "created_at": instant(p.created_at),
        "updated_at": instant(p.updated_at),
        "user_permissions": words(call),
    })
}

/// A service as a pipeline shows it.
fn brief(call: &Call, s: &ProcessingService) -> Value {
    json!({
        "name": s.name,
        "id": s.id,
        "details": call.addresses.row("ml/processing_services", s.id),
        "endpoint_url": s.endpoint_url,
        "is_async": pulls(s),
        "last_seen": s.last_seen_at.map(instant),
        "last_seen_live": live(s),
        "created_at": instant(s.created_at),
        "updated_at": instant(s.updated_at),
        "user_permissions": words(call),
    })
}

fn pulls(service: &ProcessingService) -> bool {
    service.endpoint_url.as_ref().is_none_or(String::is_empty)
}

/// A pull service is live as long as it was heard of within a minute.
fn live(service: &ProcessingService) -> Option<bool> {
    let minute = chrono::Duration::seconds(ONLINE_SECONDS);
    match pulls(service) {
        true => service.last_seen_live.map(|_| is_online(service, minute)),
        false => service.last_seen_live,
    }
}

/// An algorithm; lists of algorithms count its classes, pipelines do not.
fn described(call: &Call, a: &Algorithm, classes: Option<&HashMap<i64, CategoryMap>>) -> Value {
    let map = a.category_map_id.map(|id| {
        json!({
            "id": id,
            "details": call.addresses.row("ml/labels", id),
            "user_permissions": words(call),
        })
    });
    let count = a.category_map_id.and_then(|id| {
        let labels = classes?.get(&id)?.labels.as_array()?.len();
        Some(labels)
    });
    json!({
        "id": a.id,
        "details": call.addresses.row("ml/algorithms", a.id),
        "name": a.name,
        "key": a.key,
        "description": a.description,
        "uri": a.uri,
        "version": a.version,
        "version_name": a.version_name,
        "task_type": a.task_type,
        "category_map": map,
        "category_count": count,
        "created_at": instant(a.created_at),
        "updated_at": instant(a.updated_at),
        "user_permissions": words(call),
    })
}

/// All algorithms, or those of one project's pipelines.
pub async fn algorithms(call: Call) -> ApiResult<Json<Envelope<Value>>> {
    let page = Page::read(&call.query);
    let project = known_project(&call).await?;
    let order = order(&call, &ALGORITHM_ORDERS);
    let store = call.store();
    let found = store.algorithms_shown(project, &order, page.limit, page.offset);
    let (rows, count) = found.await.map_err(internal)?;
    let maps: Vec<i64> = rows.iter().filter_map(|a| a.category_map_id).collect();
    let maps = store.category_maps(&maps).await.map_err(internal)?;
    let rows = rows.iter().map(|a| described(&call, a, Some(&maps)));
    let words = call.list_words("algorithm").await?;
    let rows = rows.collect();
    Ok(Json(call.envelope(
        "ml/algorithms",
        page,
        count,
        rows,
        words,
    )))
}

/// One algorithm.
pub async fn algorithm(call: Call, Path(id): Path<String>) -> ApiResult<Json<Value>> {
    let store = call.store();
    let row = store.algorithm(number(&id)?).await.map_err(internal)?;
    let maps: Vec<i64> = row.category_map_id.into_iter().collect();
    let maps = store.category_maps(&maps).await.map_err(internal)?;
    Ok(Json(described(&call, &row, Some(&maps))))
}

/// The services of a project.
pub async fn services(call: Call) -> ApiResult<Json<Envelope<Value>>> {
    let page = Page::read(&call.query);
    let Some(project) = call.query.integer("project_id", 0)? else {
        return Err(ApiError::field("project_id", "This field is required."));
    };
    let store = call.store();
    let found = store.services_page(project, page.limit, page.offset).await;
    let (rows, count) = found.map_err(internal)?;
    let visible = call.visible().await?;
    let rows = rows.iter().map(|s| whole(&call, s, visible.as_deref()));
    let rows = rows.collect();
    let words = call.list_words("processingservice").await?;
    let path = "ml/processing_services";
    Ok(Json(call.envelope(path, page, count, rows, words)))
}

/// One service.
pub async fn service(call: Call, Path(id): Path<String>) -> ApiResult<Json<Value>> {
    let row = call.store().service_shown(number(&id)?).await;
    let visible = call.visible().await?;
    Ok(Json(whole(
        &call,
        &row.map_err(internal)?,
        visible.as_deref(),
    )))
}

fn whole(call: &Call, row: &ServiceShown, visible: Option<&[i64]>) -> Value {
    let s = &row.service;
    let seen = |id: &&i64| visible.is_none_or(|ids| ids.contains(id));
    json!({
        "id": s.id,
        "details": call.addresses.row("ml/processing_services", s.id),
        "name": s.name,
        "description": s.description,
        "projects": row.projects.iter().filter(seen).collect::<Vec<_>>(),
        "endpoint_url": s.endpoint_url,
        "is_async": pulls(s),
        "pipelines": row.pipelines.iter().map(|p| named(call, p)).collect::<Vec<_>>(),
        "created_at": instant(s.created_at),
        "updated_at": instant(s.updated_at),
        "last_seen": s.last_seen_at.map(instant),
        "last_seen_live": live(s),
        "user_permissions": words(call),
    })
}

fn named(call: &Call, p: &Pipeline) -> Value {
    json!({
        "id": p.id,
        "details": call.addresses.row("ml/pipelines", p.id),
        "name": p.name,
        "slug": p.slug,
        "description": p.description,
        "version": p.version,
        "version_name": p.version_name,
        "created_at": instant(p.created_at),
        "updated_at": instant(p.updated_at),
        "user_permissions": words(call),
    })
}
