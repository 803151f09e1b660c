//! `/api/v2/classifications/`: what classifiers said of detections, read only: jobs write them.

use std::collections::HashMap;

use axum::Json;
use axum::extract::Path;
use axum::routing::get;
use domain::permission::Action;
use rest::allow::{DETAIL, LIST};
use rest::field::{Field, Kind};
use rest::page::{Envelope, Page};
use rest::shape;
use rest::time::instant;
use rest::{ApiError, ApiResult};
use serde_json::{Value, json};
use store::detection::{Classification, ClassificationFilter, ResultOrder};
use store::pipeline::Algorithm;
use store::taxon::Taxon;

use super::choice::{row, rows};
use super::nested::{Nested, fields as nested};
use super::taxa::tree;
use super::{internal, only_jobs};
use crate::call::{Call, number};
use crate::views::{View, view};

/// About classifications.
pub const ABOUT: &str = "Classifications: what classifiers said of detections. Earlier ones stay.";

/// Taxa that a classification shows beside the one it chose.
const TOP: usize = 5;

/// What the list can be narrowed by.
const FILTERS: &[Field] = &[
    Field::new("project_id", "Active project", Kind::Link("projects")).required(),
    Field::new("detection", "Detection", Kind::Link("detections")),
    Field::new("algorithm", "Algorithm", Kind::Link("ml/algorithms")),
    Field::new("taxon", "Taxon", Kind::Link("taxa")),
    Field::new(
        "detection__source_image__collections",
        "Capture sets",
        Kind::Links("captures/collections"),
    ),
];

const TOP_N: &[Field] = &[
    Field::shown("taxon", "Taxon", Kind::Nested(tree::FIELDS)),
    Field::shown("score", "Score", Kind::Float),
    Field::shown("logit", "Logit", Kind::Float).nullable(),
];

/// The fields of a classification, in the order of its JSON.
pub const FIELDS: &[Field] = &[
    Field::id(),
    Field::details(),
    Field::shown("taxon", "Taxon", Kind::Nested(tree::FIELDS)).nullable(),
    Field::new("score", "Score", Kind::Float).nullable(),
    Field::shown("algorithm", "Algorithm", Kind::Nested(nested::ALGORITHM)).nullable(),
    Field::new("scores", "Scores", Kind::Floats)
        .nullable()
        .help(
            "The probabilities the model, calibrated by the model maker, likely the softmax output",
        ),
    Field::new("logits", "Logits", Kind::Floats)
        .nullable()
        .help("The raw output of the last fully connected layer of the model"),
    Field::shown("top_n", "Top n", Kind::Rows(TOP_N)),
    nested::APPLIED_TO,
    Field::shown("created_at", "Created at", Kind::DateTime),
    Field::shown("updated_at", "Updated at", Kind::DateTime),
];

/// What a list shows of a classification: what it belongs to by its address.
const ROW: &[Field] = &[
    FIELDS[0],
    FIELDS[1],
    FIELDS[2].holds(shape::ADDRESS),
    FIELDS[3],
    FIELDS[4].holds(shape::ADDRESS),
    FIELDS[8],
    FIELDS[9],
    FIELDS[10],
];

/// Its addresses.
pub const VIEWS: &[View] = &[
    view(
        "/classifications",
        "Classification List",
        LIST,
        ABOUT,
        FIELDS,
        || get(list).post(only_jobs),
    )
    .filters(FILTERS)
    .shows(ROW)
    .orders(&ResultOrder::NAMES)
    .refused(&["POST"])
    .in_root(),
    view(
        "/classifications/{id}",
        "Classification Instance",
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
    .refused(&["PUT", "PATCH", "DELETE"]),
];

/// The taxa and algorithms that classifications name, read once for all of them.
pub struct Named {
    taxa: HashMap<i64, Taxon>,
    algorithms: HashMap<i64, Algorithm>,
    origins: HashMap<i64, Classification>,
}

impl Named {
    /// Reads them.
    pub async fn read(call: &Call, rows: &[Classification]) -> ApiResult<Named> {
        let store = call.store();
        let origins: Vec<i64> = rows.iter().filter_map(|row| row.applied_to_id).collect();
        let origins = store.classifications_by_id(&origins).await;
        let origins = origins.map_err(internal)?;
        let all = || rows.iter().chain(origins.values());
        let algorithms: Vec<i64> = all().filter_map(|row| row.algorithm_id).collect();
        let algorithms = store.algorithms_by_id(&algorithms).await;
        let taxa: Vec<i64> = rows.iter().filter_map(|row| row.taxon_id).collect();
        let mut taxa = store.taxa_by_id(&taxa).await.map_err(internal)?;
        let parents: Vec<i64> = taxa.values().filter_map(|t| t.parent_id).collect();
        taxa.extend(store.taxa_by_id(&parents).await.map_err(internal)?);
        Ok(Named {
            taxa,
            algorithms: algorithms.map_err(internal)?,
            origins,
        })
    }

    /// Its taxon.
    pub fn taxon(&self, nested: &Nested<'_>, row: &Classification) -> Option<Value> {
        let taxon = self.taxa.get(&row.taxon_id?)?;
        Some(nested.taxon(taxon, &self.taxa))
    }

    /// Its algorithm.
    pub fn algorithm(&self, nested: &Nested<'_>, row: &Classification) -> Option<Value> {
        Some(nested.algorithm(self.algorithms.get(&row.algorithm_id?)?))
    }

    fn origin(&self, nested: &Nested<'_>, row: &Classification) -> Option<Value> {
        let origin = self.origins.get(&row.applied_to_id?)?;
        Some(json!({
            "id": origin.id,
            "created_at": instant(origin.created_at),
            "algorithm": self.algorithm(nested, origin),
        }))
    }

    /// A classification as its detection shows it.
    pub fn short(&self, nested: &Nested<'_>, call: &Call, row: &Classification) -> Value {
        json!({
            "id": row.id,
            "details": call.addresses.row("classifications", row.id),
            "taxon": self.taxon(nested, row),
            "score": row.score,
            "terminal": row.terminal,
            "algorithm": self.algorithm(nested, row),
            "applied_to": self.origin(nested, row),
            "created_at": instant(row.created_at),
            "user_permissions": [],
        })
    }
}

/// A page of a project's classifications, the newest first.
pub async fn list(call: Call) -> ApiResult<Json<Envelope<Value>>> {
    let (project, facts) = call.required_project().await?;
    let (query, store) = (&call.query, call.store());
    let filter = ClassificationFilter {
        project_id: project.id,
        detection_id: row(query, "detection")?,
        algorithm_id: row(query, "algorithm")?,
        taxon_id: row(query, "taxon")?,
        sets: rows(query, "detection__source_image__collections")?,
    };
    let order = query.ordering(&ResultOrder::NAMES);
    let order = order.first();
    let order = order.and_then(|by| ResultOrder::from_name(by.field, by.descending));
    let page = Page::read(query);
    let found = store
        .classifications_page(&filter, order, page.limit, page.offset)
        .await;
    let (found, count) = found.map_err(internal)?;
    let nested = Nested::within(&call, project.id, facts);
    let link = |path: &str, id: Option<i64>| id.map(|id| call.addresses.row(path, id));
    let item = |row: &Classification| {
        json!({
            "id": row.id,
            "details": link("classifications", Some(row.id)),
            "taxon": link("taxa", row.taxon_id),
            "score": row.score,
            "algorithm": link("ml/algorithms", row.algorithm_id),
            "applied_to": row.applied_to_id,
            "created_at": instant(row.created_at),
            "updated_at": instant(row.updated_at),
            "user_permissions": nested.shared_permissions(),
        })
    };
    let rows = found.iter().map(item).collect();
    let words = call.list_words("classification").await?;
    Ok(Json(call.envelope(
        "classifications",
        page,
        count,
        rows,
        words,
    )))
}

/// One classification with its scores and the taxa that came next.
pub async fn detail(call: Call, Path(id): Path<String>) -> ApiResult<Json<Value>> {
    let store = call.store();
    let row = store.classification(number(&id)?).await.map_err(internal)?;
    let detection = store.detection(row.detection_id).await.map_err(internal)?;
    let capture = store
        .capture(detection.capture_id)
        .await
        .map_err(internal)?;
    let project = capture.project_id.ok_or(ApiError::NotFound)?;
    let (project, facts) = call.project(project).await?;
    call.permit(&facts, Action::View)?;
    let nested = Nested::within(&call, project.id, facts);
    let named = Named::read(&call, std::slice::from_ref(&row)).await?;
    let top = store.top_labels(&row, TOP).await.map_err(internal)?;
    let top: Vec<Value> = top
        .iter()
        .map(|label| {
            let taxon = label.taxon.as_ref();
            json!({
                "taxon": taxon.map(|taxon| nested.taxon(taxon, &label.above)),
                "score": label.score,
                "logit": label.logit,
            })
        })
        .collect();
    Ok(Json(json!({
        "id": row.id,
        "details": call.addresses.row("classifications", row.id),
        "taxon": named.taxon(&nested, &row),
        "score": row.score,
        "algorithm": named.algorithm(&nested, &row),
        "scores": row.scores,
        "logits": row.logits,
        "top_n": top,
        "applied_to": named.origin(&nested, &row),
        "created_at": instant(row.created_at),
        "updated_at": instant(row.updated_at),
        "user_permissions": nested.shared_permissions(),
    })))
}
