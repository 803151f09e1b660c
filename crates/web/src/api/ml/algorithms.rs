//! `/api/v2/ml/algorithms/`: the models that pipelines are made of (`ui.md` §A.7). Open to all;
//! written by staff.

use std::collections::HashMap;

use axum::Json;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::routing::get;
use domain::permission::pipeline_permissions;
use rest::allow::{DETAIL, LIST};
use rest::field::{Field, Kind};
use rest::page::{Envelope, Page};
use rest::shape;
use rest::time::instant;
use rest::{ApiResult, Form, How, JsonBody};
use serde_json::{Value, json};
use store::algorithm::{AlgorithmChange, AlgorithmFilter};
use store::pipeline::Algorithm;

use crate::api::internal;
use crate::api::nested::fields;
use crate::call::{Call, found, number};
use crate::views::{View, view};

/// About algorithms.
pub const ABOUT: &str = "Models: what draws boxes, names classes, or does something else.";

/// Where it stands below the root.
const PATH: &str = "ml/algorithms";

/// Bounds of a whole number in the API.
pub const INT: Kind = Kind::Integer(Some(-2_147_483_648), Some(2_147_483_647));

const MAP: &[Field] = &[Field::id(), Field::details()];

/// The fields of an algorithm.
pub const FIELDS: &[Field] = &[
    Field::id(),
    Field::details(),
    Field::new("name", "Name", Kind::Text(Some(255))).required(),
    Field::new("key", "Key", Kind::Slug(255)).required(),
    Field::new("description", "Description", Kind::Text(None)).blank(),
    Field::new("uri", "Uri", Kind::Text(Some(255)))
        .nullable()
        .blank()
        .help("A URI to the weights or model details. Could be a public web URL or object store path."),
    Field::new("version", "Version", INT)
        .help("An internal, sortable and incrementable version number for the model."),
    Field::new("version_name", "Version name", Kind::Text(Some(255)))
        .nullable()
        .blank(),
    // What services register is shown as they say it.
    Field::new("task_type", "Task type", Kind::Choice(fields::TASKS))
        .nullable()
        .holds(shape::TEXT),
    Field::shown("category_map", "Category map", Kind::Nested(MAP)).nullable(),
    Field::shown("category_count", "Category count", Kind::Any),
    Field::shown("created_at", "Created at", Kind::DateTime),
    Field::shown("updated_at", "Updated at", Kind::DateTime),
];

/// What the list can be ordered by.
pub const ORDERS: &[&str] = &[
    "id",
    "name",
    "version",
    "task_type",
    "category_count",
    "created_at",
    "updated_at",
];

/// What the list can be narrowed by.
pub const FILTERS: &[Field] = &[
    Field::new("name", "Name", Kind::Text(None)),
    Field::new("version", "Version", Kind::Integer(None, None)),
    Field::new("project_id", "Project", Kind::Link("projects")),
];

/// Its addresses.
pub const VIEWS: &[View] = &[
    view(
        "/ml/algorithms",
        "Algorithm List",
        LIST,
        ABOUT,
        FIELDS,
        || get(list).post(create),
    )
    .filters(FILTERS)
    .orders(ORDERS)
    .searched()
    .in_root(),
    view(
        "/ml/algorithms/{id}",
        "Algorithm Instance",
        DETAIL,
        ABOUT,
        FIELDS,
        || get(detail).put(replace).patch(edit).delete(delete),
    ),
];

/// An algorithm as it is shown; `count` is how many classes it knows, where that was asked for.
pub fn shown(call: &Call, algorithm: &Algorithm, count: Option<i64>) -> Value {
    let words = pipeline_permissions(call.who.caller());
    let map = algorithm.category_map_id.map(|id| {
        json!({
            "id": id,
            "details": call.addresses.row("ml/labels", id),
            "user_permissions": words,
        })
    });
    json!({
        "id": algorithm.id,
        "details": call.addresses.row(PATH, algorithm.id),
        "name": algorithm.name,
        "key": algorithm.key,
        "description": algorithm.description,
        "uri": algorithm.uri,
        "version": algorithm.version,
        "version_name": algorithm.version_name,
        "task_type": algorithm.task_type,
        "category_map": map,
        "category_count": count,
        "created_at": instant(algorithm.created_at),
        "updated_at": instant(algorithm.updated_at),
        "user_permissions": words,
    })
}

/// How many classes these algorithms know, by category map.
pub async fn counts(call: &Call, algorithms: &[Algorithm]) -> ApiResult<HashMap<i64, i64>> {
    let maps: Vec<i64> = algorithms
        .iter()
        .filter_map(|a| a.category_map_id)
        .collect();
    call.store().category_counts(&maps).await.map_err(internal)
}

async fn with_count(call: &Call, algorithm: &Algorithm) -> ApiResult<Json<Value>> {
    let counts = counts(call, std::slice::from_ref(algorithm)).await?;
    let count = algorithm.category_map_id.and_then(|id| counts.get(&id));
    Ok(Json(shown(call, algorithm, count.copied())))
}

/// A page of algorithms.
pub async fn list(call: Call) -> ApiResult<Json<Envelope<Value>>> {
    let filter = AlgorithmFilter {
        project_id: call.active_project().await?,
        name: call
            .query
            .get("name")
            .filter(|n| !n.is_empty())
            .map(str::to_owned),
        version: call.query.integer("version", i64::MIN)?,
        search: call.query.search(),
        order: call.order(ORDERS),
    };
    let page = Page::read(&call.query);
    let found = call
        .store()
        .algorithms_page(&filter, page.limit, page.offset);
    let (rows, count) = found.await.map_err(internal)?;
    let counts = counts(&call, &rows).await?;
    let rows = rows.iter().map(|algorithm| {
        let count = algorithm.category_map_id.and_then(|id| counts.get(&id));
        shown(&call, algorithm, count.copied())
    });
    let words = call.list_words("algorithm").await?;
    Ok(Json(call.envelope(
        PATH,
        page,
        count,
        rows.collect(),
        words,
    )))
}

async fn find(call: &Call, id: &str) -> ApiResult<Algorithm> {
    call.store().algorithm(number(id)?).await.map_err(internal)
}

/// One algorithm.
pub async fn detail(call: Call, Path(id): Path<String>) -> ApiResult<Json<Value>> {
    let algorithm = find(&call, &id).await?;
    with_count(&call, &algorithm).await
}

/// What a body says of an algorithm; key, and name with version, must not be taken.
async fn read(
    call: &Call,
    body: JsonBody,
    how: How,
    old: Option<&Algorithm>,
) -> ApiResult<AlgorithmChange> {
    let mut form = Form::read(FIELDS, body, how)?;
    let key = form.text("key");
    let taken = match &key {
        Some(key) => call.store().algorithm_by_key(key).await.map_err(internal)?,
        None => None,
    };
    if taken.is_some_and(|taken| Some(taken.id) != old.map(|old| old.id)) {
        form.wrong("key", "algorithm with this key already exists.");
    }
    form.finish()?;
    let version = form.integer("version").and_then(|v| i32::try_from(v).ok());
    let change = AlgorithmChange {
        name: form.text("name"),
        key,
        description: form.text("description"),
        uri: form.change("uri", Form::text),
        version,
        version_name: form.change("version_name", Form::text),
        task_type: form.change("task_type", Form::text),
    };
    let name = change.name.as_ref().or(old.map(|old| &old.name));
    let version = change.version.or(old.map(|old| old.version)).unwrap_or(1);
    let taken = match name {
        Some(name) => call
            .store()
            .algorithm_named(name, version)
            .await
            .map_err(internal)?,
        None => None,
    };
    if taken.is_some_and(|taken| Some(taken.id) != old.map(|old| old.id)) {
        let words = "The fields name, version must make a unique set.";
        return Err(rest::ApiError::general(words));
    }
    Ok(change)
}

/// Makes an algorithm.
pub async fn create(call: Call, body: JsonBody) -> ApiResult<(StatusCode, Json<Value>)> {
    call.permit_shared()?;
    let new = read(&call, body, How::Whole, None).await?;
    let algorithm = call.store().create_algorithm(new).await.map_err(internal)?;
    Ok((StatusCode::CREATED, with_count(&call, &algorithm).await?))
}

/// Replaces an algorithm (PUT).
pub async fn replace(call: Call, id: Path<String>, body: JsonBody) -> ApiResult<Json<Value>> {
    change(call, id, body, How::Whole).await
}

/// Changes an algorithm (PATCH).
pub async fn edit(call: Call, id: Path<String>, body: JsonBody) -> ApiResult<Json<Value>> {
    change(call, id, body, How::Partial).await
}

async fn change(
    call: Call,
    Path(id): Path<String>,
    body: JsonBody,
    how: How,
) -> ApiResult<Json<Value>> {
    call.permit_shared()?;
    let old = find(&call, &id).await?;
    let change = read(&call, body, how, Some(&old)).await?;
    let algorithm = call.store().change_algorithm(old.id, change).await;
    with_count(&call, &algorithm.map_err(internal)?).await
}

/// Deletes an algorithm; what it found stays.
pub async fn delete(call: Call, Path(id): Path<String>) -> ApiResult<StatusCode> {
    call.permit_shared()?;
    let algorithm = find(&call, &id).await?;
    let deleted = call.store().delete_algorithm(algorithm.id).await;
    deleted.map_err(internal)?;
    Ok(StatusCode::NO_CONTENT)
}

/// The algorithm that an address of ours names, where it exists.
pub async fn at_address(call: &Call, address: &str) -> ApiResult<Option<Algorithm>> {
    let path = address.split('?').next().unwrap_or_default();
    let mut parts = path.trim_end_matches('/').rsplit('/');
    let id = parts.next().and_then(|id| id.parse().ok());
    match (id, parts.next(), parts.next()) {
        (Some(id), Some("algorithms"), Some("ml")) => found(call.store().algorithm(id).await),
        _ => Ok(None),
    }
}
