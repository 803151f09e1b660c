//! `/api/v2/ml/labels/`: the labels of classifiers in the order of their outputs. Open to all;
//! written by staff. Algorithms are named by their addresses, as the reference does here alone.

use axum::Json;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::routing::get;
use domain::permission::pipeline_permissions;
use rest::allow::{DETAIL, LIST};
use rest::field::{Field, Kind};
use rest::page::{Envelope, Page};
use rest::time::instant;
use rest::{ApiResult, Form, How, JsonBody};
use serde_json::{Value, json};
use store::category_map::{CategoryMapChange, CategoryMapFilter};
use store::pipeline::CategoryMap;

use super::algorithms;
use crate::api::internal;
use crate::call::{Call, number};
use crate::views::{View, view};

/// About category maps.
pub const ABOUT: &str = "Category maps: which label each output of a classifier stands for.";

const PATH: &str = "ml/labels";

/// The fields of a category map.
pub const FIELDS: &[Field] = &[
    Field::id(),
    Field::new("labels", "Labels", Kind::Texts(255))
        .help("A simple list of string labels in the correct index order used by the model."),
    Field::new("data", "Data", Kind::Any)
        .required()
        .help("Complete metadata for each label, such as id, gbif_key, lookup value, source, etc."),
    Field::new("algorithms", "Algorithms", Kind::Any).required(),
    Field::new("version", "Version", Kind::Text(Some(255)))
        .nullable()
        .blank(),
    Field::new("uri", "Uri", Kind::Text(Some(255)))
        .nullable()
        .blank()
        .help("A URI to the category map file. Could be a public web URL or object store path."),
    Field::shown("created_at", "Created at", Kind::DateTime),
    Field::shown("updated_at", "Updated at", Kind::DateTime),
];

/// What the list can be ordered by.
pub const ORDERS: &[&str] = &["id", "version", "created_at", "updated_at"];

/// What the list can be narrowed by.
pub const FILTERS: &[Field] = &[Field::new(
    "algorithms",
    "Algorithms",
    Kind::Link("ml/algorithms"),
)];

/// Its addresses.
pub const VIEWS: &[View] = &[
    view(
        "/ml/labels",
        "Algorithm Category Map List",
        LIST,
        ABOUT,
        FIELDS,
        || get(list).post(create),
    )
    .filters(FILTERS)
    .orders(ORDERS)
    .in_root(),
    view(
        "/ml/labels/{id}",
        "Algorithm Category Map Instance",
        DETAIL,
        ABOUT,
        FIELDS,
        || get(detail).put(replace).patch(edit).delete(delete),
    ),
];

fn shown(call: &Call, map: &CategoryMap, users: &[i64]) -> Value {
    let users = users
        .iter()
        .map(|id| call.addresses.row("ml/algorithms", *id));
    json!({
        "id": map.id,
        "labels": map.labels,
        "data": map.data,
        "algorithms": users.collect::<Vec<_>>(),
        "version": map.version,
        "uri": map.uri,
        "created_at": instant(map.created_at),
        "updated_at": instant(map.updated_at),
        "user_permissions": pipeline_permissions(call.who.caller()),
    })
}

async fn answer(call: &Call, map: &CategoryMap) -> ApiResult<Json<Value>> {
    let users = call
        .store()
        .users_of_maps(&[map.id])
        .await
        .map_err(internal)?;
    let users = users.get(&map.id).map(Vec::as_slice).unwrap_or_default();
    Ok(Json(shown(call, map, users)))
}

/// A page of category maps.
pub async fn list(call: Call) -> ApiResult<Json<Envelope<Value>>> {
    let filter = CategoryMapFilter {
        algorithm: call.query.integer("algorithms", 0)?,
        order: call.order(ORDERS),
    };
    let page = Page::read(&call.query);
    let store = call.store();
    let found = store.category_maps_page(&filter, page.limit, page.offset);
    let (rows, count) = found.await.map_err(internal)?;
    let ids: Vec<i64> = rows.iter().map(|map| map.id).collect();
    let users = store.users_of_maps(&ids).await.map_err(internal)?;
    let rows = rows.iter().map(|map| {
        let users = users.get(&map.id).map(Vec::as_slice).unwrap_or_default();
        shown(&call, map, users)
    });
    let words = call.list_words("algorithmcategorymap").await?;
    Ok(Json(call.envelope(
        PATH,
        page,
        count,
        rows.collect(),
        words,
    )))
}

async fn find(call: &Call, id: &str) -> ApiResult<CategoryMap> {
    let map = call.store().category_map(number(id)?).await;
    map.map_err(internal)
}

/// One category map.
pub async fn detail(call: Call, Path(id): Path<String>) -> ApiResult<Json<Value>> {
    let map = find(&call, &id).await?;
    answer(&call, &map).await
}

async fn read(call: &Call, body: JsonBody, how: How) -> ApiResult<CategoryMapChange> {
    let mut form = Form::read(FIELDS, body, how)?;
    let algorithms = match form.value("algorithms").cloned() {
        Some(value) => named(call, &mut form, &value).await?,
        None => None,
    };
    form.finish()?;
    let labels = form.value("labels").and_then(Value::as_array);
    let labels = labels.map(|list| list.iter().filter_map(Value::as_str).map(str::to_owned));
    Ok(CategoryMapChange {
        data: form.value("data").cloned(),
        labels: labels.map(Iterator::collect),
        version: form.change("version", Form::text),
        uri: form.change("uri", Form::text),
        algorithms,
    })
}

/// The algorithms at these addresses, with the words for what is none.
async fn named(call: &Call, form: &mut Form, value: &Value) -> ApiResult<Option<Vec<i64>>> {
    let Some(list) = value.as_array() else {
        let kind = match value {
            Value::Object(_) => "dict",
            Value::String(_) => "str",
            _ => "int",
        };
        let words = format!("Expected a list of items but got type \"{kind}\".");
        form.wrong("algorithms", words);
        return Ok(None);
    };
    let mut ids = Vec::new();
    for address in list {
        let Some(address) = address.as_str() else {
            form.wrong(
                "algorithms",
                "Incorrect type. Expected URL string, received int.",
            );
            continue;
        };
        match algorithms::at_address(call, address).await? {
            Some(algorithm) => ids.push(algorithm.id),
            None => form.wrong("algorithms", "Invalid hyperlink - No URL match."),
        }
    }
    Ok(Some(ids))
}

/// Makes a category map.
pub async fn create(call: Call, body: JsonBody) -> ApiResult<(StatusCode, Json<Value>)> {
    call.permit_shared()?;
    let new = read(&call, body, How::Whole).await?;
    let map = call
        .store()
        .create_category_map(new)
        .await
        .map_err(internal)?;
    Ok((StatusCode::CREATED, answer(&call, &map).await?))
}

/// Replaces a category map (PUT).
pub async fn replace(call: Call, id: Path<String>, body: JsonBody) -> ApiResult<Json<Value>> {
    change(call, id, body, How::Whole).await
}

/// Changes a category map (PATCH).
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
    let change = read(&call, body, how).await?;
    let map = call.store().change_category_map(old.id, change).await;
    answer(&call, &map.map_err(internal)?).await
}

/// Deletes a category map; its algorithms stay.
pub async fn delete(call: Call, Path(id): Path<String>) -> ApiResult<StatusCode> {
    call.permit_shared()?;
    let map = find(&call, &id).await?;
    let deleted = call.store().delete_category_map(map.id).await;
    deleted.map_err(internal)?;
    Ok(StatusCode::NO_CONTENT)
}
