//! `/api/v2/occurrences/`: individuals as stations see them (`ui.md` §A.8). They are made by jobs
//! and determined by identifications, so all that can be done here is to look and to delete.
//! How they are shown stands in `occurrences/shown.rs`, what is counted over them in `stats.rs`.

use axum::Json;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::routing::get;
use rest::allow::{DETAIL, LIST, READ};
use rest::page::{Envelope, Page};
use rest::{ApiError, ApiResult, JsonBody};
use serde_json::Value;
use store::algorithm::AlgorithmFilter;
use store::occurrence::Occurrence;
use store::occurrence::list::OccurrenceFilter;
use store::project::Project;

use super::ml::algorithms;
use super::taxa::tree::RANKS;
use super::{defaults, internal};
use crate::call::{Call, number};
use crate::views::{Answer, OF_PROJECT, View, view};
use shown::Shown;

pub mod fields;
mod shown;
mod stats;

const PATH: &str = "occurrences";

/// Its addresses.
pub const VIEWS: &[View] = &[
    view(
        "/occurrences/stats/top-identifiers",
        "Top identifiers",
        READ,
        fields::IDENTIFIERS,
        &[],
        || get(stats::identifiers),
    )
    .filters(OF_PROJECT)
    .query(fields::MOST)
    .got(&[Answer::Object(fields::TOP)]),
    view(
        "/occurrences/stats/model-agreement",
        "Model agreement",
        READ,
        fields::AGREEMENT,
        &[],
        || get(stats::agreement),
    )
    .filters(fields::FILTERS)
    .query(fields::COARSEST)
    .got(&[Answer::Object(fields::AGREED)]),
    view(
        "/occurrences",
        "Occurrence List",
        LIST,
        fields::ABOUT,
        fields::FIELDS,
        || get(list).post(create),
    )
    .filters(fields::FILTERS)
    .orders(&OccurrenceFilter::ORDERS)
    .shows(fields::ROW)
    .fails(&[400])
    .refused(&["POST"])
    .in_root(),
    view(
        "/occurrences/algorithms",
        "Algorithms",
        READ,
        fields::ALGORITHMS,
        &[],
        || get(algorithms_of),
    )
    .filters(OF_PROJECT)
    .got(&[Answer::Page(algorithms::FIELDS)]),
    view(
        "/occurrences/{id}",
        "Occurrence Instance",
        DETAIL,
        fields::ABOUT,
        fields::FIELDS,
        || get(detail).put(keep).patch(keep).delete(delete),
    ),
];

/// The filters of the query.
async fn filter(call: &Call, project: &Project) -> ApiResult<OccurrenceFilter> {
    let query = &call.query;
    let ranks: Vec<&'static str> = RANKS.iter().map(|(rank, _)| *rank).collect();
    let flag = |name: &str| {
        let given = query.get(name).filter(|value| !value.is_empty());
        given.map(|_| query.flag(name))
    };
    let numbers = |name: &str| -> ApiResult<Vec<i64>> {
        let values = query
            .values(name)
            .into_iter()
            .flat_map(|text| text.split(','));
        let numbers = values.map(|text| text.trim().parse());
        let numbers: Result<Vec<i64>, _> = numbers.collect();
        numbers.map_err(|_| ApiError::field(name, "A valid integer is required."))
    };
    let set = match query.integer("collection", 0)? {
        Some(set) => Some(set),
        None => query.integer("collection_id", 0)?,
    };
    let mine = flag("verified_by_me").filter(|_| call.who.0.is_some());
    Ok(OccurrenceFilter {
        id: None,
        project_id: Some(project.id),
        visible: None,
        defaults: defaults(call, project),
        station_id: query.integer("deployment", 0)?,
        session_id: query.integer("event", 0)?,
        capture_id: query.integer("detections__source_image", 0)?,
        capture_set_id: set,
        taxon_id: query.integer("taxon", 0)?,
        determination_id: query.integer("determination", 0)?,
        rank: query
            .choice("determination__rank", &ranks)?
            .map(str::to_owned),
        taxa_list_id: query.integer("taxa_list_id", 0)?,
        not_taxa_list_id: query.integer("not_taxa_list_id", 0)?,
        algorithms: numbers("algorithm")?,
        not_algorithms: numbers("not_algorithm")?,
        verified: flag("verified"),
        verified_by: mine.and_then(|yes| Some((call.who.caller().id()?, yes))),
        from_day: query.day("date_start")?,
        to_day: query.day("date_end")?,
        order: call.order(&OccurrenceFilter::ORDERS),
    })
}

/// A page of a project's occurrences.
pub async fn list(call: Call) -> ApiResult<Json<Envelope<Value>>> {
    let (project, _) = call.required_project().await?;
    let filter = filter(&call, &project).await?;
    let page = Page::read(&call.query);
    let found = call
        .store()
        .occurrences_page(&filter, page.limit, page.offset);
    let (rows, count) = found.await.map_err(internal)?;
    let shown = Shown::read(&call, &rows).await?;
    let rows = rows.iter().map(|row| shown.row(row)).collect();
    let words = call.list_words("occurrence").await?;
    Ok(Json(call.envelope(PATH, page, count, rows, words)))
}

/// The occurrence, where the caller may see it: with a project in the query, by that project's
/// default filters.
async fn find(call: &Call, id: &str) -> ApiResult<Occurrence> {
    let mut filter = OccurrenceFilter {
        id: Some(number(id)?),
        visible: call.visible().await?,
        ..Default::default()
    };
    if let Some(project) = call.active_project().await? {
        let (project, _) = call.project(project).await?;
        filter.project_id = Some(project.id);
        filter.defaults = defaults(call, &project);
    }
    let found = call.store().occurrences_page(&filter, 1, 0).await;
    let (rows, _) = found.map_err(internal)?;
    rows.into_iter().next().ok_or(ApiError::NotFound)
}

async fn whole(call: &Call, row: &Occurrence) -> ApiResult<Json<Value>> {
    let shown = Shown::read(call, std::slice::from_ref(row)).await?;
    shown.whole(row).await.map(Json)
}

/// One occurrence with its detections, predictions and identifications.
pub async fn detail(call: Call, Path(id): Path<String>) -> ApiResult<Json<Value>> {
    let row = find(&call, &id).await?;
    whole(&call, &row).await
}

/// Occurrences are made where something is found, not by hand.
pub async fn create(call: Call, _body: JsonBody) -> ApiResult<Json<Value>> {
    call.permit_shared()?;
    let words = "Occurrences are made by jobs, from what pipelines find.";
    Err(ApiError::BadRequest(words.to_owned()))
}

/// Nothing of an occurrence can be written: it is shown as it is.
pub async fn keep(call: Call, Path(id): Path<String>, _body: JsonBody) -> ApiResult<Json<Value>> {
    call.permit_shared()?;
    let row = find(&call, &id).await?;
    whole(&call, &row).await
}

/// Deletes an occurrence; its detections stay without one.
pub async fn delete(call: Call, Path(id): Path<String>) -> ApiResult<StatusCode> {
    call.permit_shared()?;
    let row = find(&call, &id).await?;
    let deleted = call.store().delete_occurrence(row.id).await;
    deleted.map_err(internal)?;
    Ok(StatusCode::NO_CONTENT)
}

/// The algorithms of a project, to narrow its occurrences by.
pub async fn algorithms_of(call: Call) -> ApiResult<Json<Envelope<Value>>> {
    let (project, _) = call.required_project().await?;
    let filter = AlgorithmFilter {
        project_id: Some(project.id),
        ..Default::default()
    };
    let page = Page::read(&call.query);
    let found = call
        .store()
        .algorithms_page(&filter, page.limit, page.offset);
    let (rows, count) = found.await.map_err(internal)?;
    let counts = algorithms::counts(&call, &rows).await?;
    let rows = rows.iter().map(|row| {
        let count = row.category_map_id.and_then(|id| counts.get(&id));
        algorithms::shown(&call, row, count.copied())
    });
    let words = call.list_words("occurrence").await?;
    let path = "occurrences/algorithms";
    Ok(Json(call.envelope(
        path,
        page,
        count,
        rows.collect(),
        words,
    )))
}

/// The occurrences of a filter with the highest scores, as examples.
pub async fn examples(call: &Call, filter: &OccurrenceFilter, most: u64) -> ApiResult<Vec<Value>> {
    let found = call.store().occurrences_page(filter, most, 0).await;
    let (rows, _) = found.map_err(internal)?;
    let shown = Shown::read(call, &rows).await?;
    Ok(rows.iter().map(|row| shown.example(row)).collect())
}
