//! `/api/v2/occurrences/`: individuals as stations saw them (`ui.md` §A.8), read only; what people
//! say of them comes with identifications.

use axum::Json;
use axum::extract::Path;
use axum::routing::get;
use chrono::NaiveDate;
use domain::permission::{Action, ProjectFacts};
use rest::allow::{DETAIL, LIST, READ};
use rest::page::{Envelope, Page};
use rest::query::Query;
use rest::{ApiError, ApiResult};
use serde_json::{Value, json};
use store::occurrence::{Occurrence, OccurrenceFilter, OccurrenceOrder};
use store::project::Project;

use super::choice::row;
use super::nested::Nested;
use super::{defaults, internal, only_jobs};
use crate::call::{Call, number};
use crate::views::{View, view};

pub mod fields;
pub mod shown;

use shown::Around;

/// Statistics.
pub const STATS: &[View] = &[view(
    "/occurrences/stats/top-identifiers",
    "Top Identifiers",
    READ,
    fields::TOP,
    &[],
    || get(top_identifiers),
)
.filters(fields::ONE)];

/// Its addresses.
pub const VIEWS: &[View] = &[
    view(
        "/occurrences",
        "Occurrence List",
        LIST,
        fields::ABOUT,
        fields::FIELDS,
        || get(list).post(only_jobs),
    )
    .filters(fields::FILTERS)
    .orders(&OccurrenceOrder::NAMES)
    .in_root(),
    view(
        "/occurrences/algorithms",
        "algorithms",
        READ,
        fields::ALGORITHMS,
        &[],
        || get(algorithms),
    )
    .filters(fields::ONE),
    view(
        "/occurrences/{id}",
        "Occurrence Instance",
        DETAIL,
        fields::ABOUT,
        fields::FIELDS,
        || {
            get(detail)
                .put(only_jobs)
                .patch(only_jobs)
                .delete(only_jobs)
        },
    ),
];

fn day(query: &Query, name: &str) -> ApiResult<Option<NaiveDate>> {
    let Some(text) = query.get(name).filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    let words = "Date has wrong format. Use one of these formats instead: YYYY-MM-DD.";
    match NaiveDate::parse_from_str(text, "%Y-%m-%d") {
        Ok(day) => Ok(Some(day)),
        Err(_) => Err(ApiError::field(name, words)),
    }
}

async fn read_filter(call: &Call, project: &Project) -> ApiResult<OccurrenceFilter> {
    let query = &call.query;
    let taxa = match row(query, "taxon")? {
        Some(taxon) => Some(
            call.store()
                .taxon_with_below(taxon)
                .await
                .map_err(internal)?,
        ),
        None => None,
    };
    let set = match row(query, "collection")? {
        Some(set) => Some(set),
        None => row(query, "collection_id")?,
    };
    Ok(OccurrenceFilter {
        project_id: project.id,
        defaults: defaults(call, project),
        station_id: row(query, "deployment")?,
        session_id: row(query, "event")?,
        capture_id: row(query, "detections__source_image")?,
        set_id: set,
        taxa,
        algorithm_id: row(query, "algorithm")?,
        not_algorithm_id: row(query, "not_algorithm")?,
        taxa_list_id: row(query, "taxa_list_id")?,
        not_taxa_list_id: row(query, "not_taxa_list_id")?,
        from: day(query, "date_start")?,
        until: day(query, "date_end")?,
    })
}

/// A page of a project's occurrences that pass its default filters, the surest first.
pub async fn list(call: Call) -> ApiResult<Json<Envelope<Value>>> {
    let (project, facts) = call.required_project().await?;
    let filter = read_filter(&call, &project).await?;
    let order = call.query.ordering(&OccurrenceOrder::NAMES);
    let order = order
        .first()
        .and_then(|by| Some((OccurrenceOrder::from_name(by.field)?, by.descending)));
    let page = Page::read(&call.query);
    let store = call.store();
    let found = store
        .occurrences_page(&filter, order, page.limit, page.offset)
        .await;
    let (occurrences, count) = found.map_err(internal)?;
    let around = Around::read(&call, (&project, facts), &occurrences).await?;
    let rows = occurrences.iter().map(|row| around.item(row)).collect();
    let words = call.list_words("occurrence").await?;
    Ok(Json(call.envelope("occurrences", page, count, rows, words)))
}

async fn find(call: &Call, id: &str) -> ApiResult<(Occurrence, Project, ProjectFacts)> {
    let row = call
        .store()
        .occurrence(number(id)?)
        .await
        .map_err(internal)?;
    let project = row.project_id.ok_or(ApiError::NotFound)?;
    let (project, facts) = call.project(project).await?;
    call.permit(&facts, Action::View)?;
    Ok((row, project, facts))
}

/// One occurrence with its boxes and what was predicted of it.
pub async fn detail(call: Call, Path(id): Path<String>) -> ApiResult<Json<Value>> {
    let (row, project, facts) = find(&call, &id).await?;
    let around = Around::read(&call, (&project, facts), std::slice::from_ref(&row)).await?;
    Ok(Json(around.whole(&row).await?))
}

/// The algorithms whose results the project has: what the list can be narrowed by.
pub async fn algorithms(call: Call) -> ApiResult<Json<Envelope<Value>>> {
    let (project, facts) = call.required_project().await?;
    let page = Page::read(&call.query);
    let all = call.store().algorithms_in_project(project.id).await;
    let all = all.map_err(internal)?;
    let nested = Nested::within(&call, project.id, facts);
    let count = all.len() as u64;
    let skip = usize::try_from(page.offset).unwrap_or(usize::MAX);
    let take = usize::try_from(page.limit).unwrap_or(usize::MAX);
    let rows = all.iter().skip(skip).take(take);
    let rows = rows.map(|algorithm| nested.algorithm(algorithm)).collect();
    let words = call.list_words("occurrence").await?;
    Ok(Json(call.envelope(
        "occurrences/algorithms",
        page,
        count,
        rows,
        words,
    )))
}

/// Who identified most; nobody yet, for identifications are not served.
pub async fn top_identifiers(call: Call) -> ApiResult<Json<Value>> {
    let (project, _) = call.required_project().await?;
    Ok(Json(
        json!({"project_id": project.id, "top_identifiers": []}),
    ))
}
