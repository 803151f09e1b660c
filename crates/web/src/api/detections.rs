//! `/api/v2/detections/`: what algorithms found on captures, read only: jobs write them.

use std::collections::HashMap;

use axum::Json;
use axum::extract::Path;
use axum::routing::get;
use domain::permission::Action;
use rest::allow::{DETAIL, LIST};
use rest::field::{Field, Kind};
use rest::page::{Envelope, Page};
use rest::shape;
use rest::time::naive;
use rest::{ApiError, ApiResult, Form, How, JsonBody};
use serde_json::{Map, Value, json};
use store::detection::{Detection, DetectionFilter, ResultOrder};

use super::choice::{exists, row};
use super::classifications::Named;
use super::nested::{Nested, bbox, fields as nested};
use super::{internal, only_jobs};
use crate::call::{Call, number};
use crate::views::{View, view};

/// About detections.
pub const ABOUT: &str = "Detections: boxes that algorithms drew around insects on captures.";

/// What the list can be narrowed by.
const FILTERS: &[Field] = &[
    Field::new("project_id", "Active project", Kind::Link("projects")).required(),
    Field::new("source_image", "Capture", Kind::Link("captures")),
    Field::new(
        "detection_algorithm",
        "Algorithm",
        Kind::Link("ml/algorithms"),
    ),
];

/// The fields of a detection, in the order of its JSON.
pub const FIELDS: &[Field] = &[
    Field::id(),
    Field::details(),
    Field::new("bbox", "Bbox", Kind::Any),
    Field::shown("width", "Width", Kind::Any),
    Field::shown("height", "Height", Kind::Any),
    Field::new("occurrence", "Occurrence", Kind::Link("occurrences")).nullable(),
    Field::new("timestamp", "Timestamp", Kind::DateTime).nullable(),
    Field::new("source_image", "Source image", Kind::Link("captures")).required(),
    Field::shown(
        "detection_algorithm",
        "Detection algorithm",
        Kind::Nested(nested::ALGORITHM),
    )
    .nullable(),
    Field::shown("url", "Url", Kind::Any),
    Field::link(
        "detection_algorithm_id",
        "Detection algorithm id",
        "ml/algorithms",
    )
    .required(),
    Field::shown(
        "classifications",
        "Classifications",
        Kind::Rows(nested::CLASSIFICATION),
    ),
];

/// What is shown of a detection: what it belongs to by its address.
const ROW: &[Field] = &[
    FIELDS[0],
    FIELDS[1],
    FIELDS[2],
    FIELDS[3],
    FIELDS[4],
    FIELDS[5].holds(shape::ADDRESS),
    FIELDS[6],
    FIELDS[7].holds(shape::ADDRESS),
    FIELDS[8].holds(shape::ADDRESS),
    FIELDS[9],
    FIELDS[11].sometimes(),
];

/// Its addresses.
pub const VIEWS: &[View] = &[
    view("/detections", "Detection List", LIST, ABOUT, FIELDS, || {
        get(list).post(create)
    })
    .filters(FILTERS)
    .shows(ROW)
    .orders(&ResultOrder::NAMES)
    .fails(&[400])
    .refused(&["POST"])
    .in_root(),
    view(
        "/detections/{id}",
        "Detection Instance",
        DETAIL,
        ABOUT,
        FIELDS,
        || {
            get(detail)
                .put(only_jobs)
                .patch(only_jobs)
                .delete(only_jobs)
        },
    )
    .shows(ROW)
    .refused(&["PUT", "PATCH", "DELETE"]),
];

fn head(nested: &Nested<'_>, call: &Call, detection: &Detection) -> Map<String, Value> {
    let link = |path: &str, id: i64| call.addresses.row(path, id);
    let occurrence = detection.occurrence_id.map(|id| link("occurrences", id));
    let algorithm = detection.algorithm_id.map(|id| link("ml/algorithms", id));
    let mut map = Map::new();
    for (key, value) in [
        ("id", json!(detection.id)),
        ("details", json!(link("detections", detection.id))),
        ("bbox", json!(bbox(detection))),
        ("width", Value::Null),
        ("height", Value::Null),
        ("occurrence", json!(occurrence)),
        ("timestamp", json!(detection.taken_at.map(naive))),
        (
            "source_image",
            json!(link("captures", detection.capture_id)),
        ),
        ("detection_algorithm", json!(algorithm)),
        ("url", json!(nested.crop(detection))),
    ] {
        map.insert(key.into(), value);
    }
    map
}

/// A page of a project's detections, by the time of their captures.
pub async fn list(call: Call) -> ApiResult<Json<Envelope<Value>>> {
    let (project, facts) = call.required_project().await?;
    let (query, store) = (&call.query, call.store());
    let filter = DetectionFilter {
        project_id: project.id,
        capture_id: match row(query, "source_image")? {
            Some(id) => Some(exists("source_image", id, store.capture(id).await)?),
            None => None,
        },
        algorithm_id: row(query, "detection_algorithm")?,
    };
    let order = query.ordering(&ResultOrder::NAMES);
    let order = order.first();
    let order = order.and_then(|by| ResultOrder::from_name(by.field, by.descending));
    let page = Page::read(query);
    let found = store
        .detections_page(&filter, order, page.limit, page.offset)
        .await;
    let (detections, count) = found.map_err(internal)?;
    let nested = Nested::within(&call, project.id, facts);
    let item = |detection: &Detection| {
        let mut map = head(&nested, &call, detection);
        map.insert("user_permissions".into(), nested.shared_permissions());
        Value::Object(map)
    };
    let rows = detections.iter().map(item).collect();
    let words = call.list_words("detection").await?;
    Ok(Json(call.envelope("detections", page, count, rows, words)))
}

/// One detection with its classifications, the newest first.
pub async fn detail(call: Call, Path(id): Path<String>) -> ApiResult<Json<Value>> {
    let store = call.store();
    let detection = store.detection(number(&id)?).await.map_err(internal)?;
    let capture = store
        .capture(detection.capture_id)
        .await
        .map_err(internal)?;
    let project = capture.project_id.ok_or(ApiError::NotFound)?;
    let (project, facts) = call.project(project).await?;
    call.permit(&facts, Action::View)?;
    let nested = Nested::within(&call, project.id, facts);
    let of = store.classifications_of(&[detection.id]).await;
    let mut of: HashMap<i64, Vec<_>> = of.map_err(internal)?;
    let classifications = of.remove(&detection.id).unwrap_or_default();
    let named = Named::read(&call, &classifications).await?;
    let shown: Vec<Value> = classifications
        .iter()
        .map(|row| named.short(&nested, &call, row))
        .collect();
    let mut map = head(&nested, &call, &detection);
    map.insert("classifications".into(), json!(shown));
    map.insert("user_permissions".into(), nested.shared_permissions());
    Ok(Json(Value::Object(map)))
}

/// Refuses: detections are written by jobs.
pub async fn create(call: Call, body: JsonBody) -> ApiResult<Json<Value>> {
    call.permit_shared()?;
    Form::read(FIELDS, body, How::Whole)?.finish()?;
    Err(only_jobs(call, JsonBody::default()).await)
}
