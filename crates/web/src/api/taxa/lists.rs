//! `/api/v2/taxa/lists/`: lists of taxa that projects work with (`ui.md` §A.9). Read by all who
//! may see one of its projects, written by any of their members (`domain-rules.md` §10).

use axum::Json;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::routing::{delete as delete_route, get, post};
use domain::permission::{ProjectFacts, object_permissions};
use rest::allow::{ACTION, DETAIL, LIST};
use rest::field::{Field, Kind};
use rest::page::{Envelope, Page};
use rest::time::instant;
use rest::{ApiError, ApiResult, Form, How, JsonBody};
use serde_json::{Value, json};
use store::taxa_list::{TaxaList, TaxaListFilter};

use crate::api::internal;
use crate::call::{Call, found, number};
use crate::views::{self, Answer, View, view};

/// About lists of taxa.
pub const ABOUT: &str = "Lists of taxa that projects work with.";
const ADD: &str = "Put a taxon on the list.";
const REMOVE: &str = "Take a taxon off the list.";

const PATH: &str = "taxa/lists";
const MODEL: &str = "taxalist";

/// The fields of a list.
pub const FIELDS: &[Field] = &[
    Field::id(),
    Field::new("name", "Name", Kind::Text(Some(255))).required(),
    Field::new("description", "Description", Kind::Text(None)).blank(),
    Field::shown("taxa", "Taxa", Kind::Any),
    Field::shown("taxa_count", "Taxa count", Kind::Any),
    Field::shown("projects", "Projects", Kind::Any),
    Field::shown("created_at", "Created at", Kind::DateTime),
    Field::shown("updated_at", "Updated at", Kind::DateTime),
];

const TAXON: &[Field] = &[Field::new("taxon_id", "Taxon id", Kind::Link("taxa")).required()];

/// What the list can be ordered by.
pub const ORDERS: &[&str] = &["id", "name", "created_at", "updated_at"];

const REMOVAL: &str = "DELETE, OPTIONS";

/// Its addresses.
pub const VIEWS: &[View] = &[
    view("/taxa/lists", "Taxa List", LIST, ABOUT, FIELDS, || {
        get(list).post(create)
    })
    .filters(views::OF_PROJECT)
    .orders(ORDERS)
    .asks(views::OF_PROJECT)
    .in_root(),
    view(
        "/taxa/lists/{id}",
        "Taxa List Instance",
        DETAIL,
        ABOUT,
        FIELDS,
        || get(detail).put(replace).patch(edit).delete(delete),
    ),
    view(
        "/taxa/lists/{id}/taxa",
        "Taxa List Taxon List",
        ACTION,
        ADD,
        TAXON,
        || post(add),
    )
    .posted(&[(201, Answer::Object(TAXON))]),
    view(
        "/taxa/lists/{id}/taxa/{taxon}",
        "Taxa List Taxon Instance",
        REMOVAL,
        REMOVE,
        &[],
        || delete_route(remove),
    ),
];

fn may_write(call: &Call, facts: &ProjectFacts) -> bool {
    let caller = call.who.caller();
    caller.is_superuser() || facts.role_of(caller).is_some()
}

/// Lists as they are shown.
async fn shown(call: &Call, lists: &[TaxaList]) -> ApiResult<Vec<Value>> {
    let ids: Vec<i64> = lists.iter().map(|list| list.id).collect();
    let parts = call.store().taxa_list_parts(&ids).await.map_err(internal)?;
    let projects: Vec<i64> = parts.values().flat_map(|(_, ids)| ids.clone()).collect();
    let facts = call.facts(&projects).await?;
    let caller = call.who.caller();
    let row = |list: &TaxaList| {
        let (count, projects) = parts.get(&list.id).cloned().unwrap_or_default();
        let mut words = match caller.is_superuser() {
            true => vec!["update", "delete"],
            false => Vec::new(),
        };
        for facts in projects.iter().filter_map(|id| facts.get(id)) {
            for word in object_permissions(caller, facts, MODEL) {
                if !words.contains(&word) {
                    words.push(word);
                }
            }
        }
        let taxa = call.addresses.bare("taxa");
        json!({
            "id": list.id,
            "name": list.name,
            "description": list.description,
            "taxa": format!("{taxa}?taxa_list_id={}", list.id),
            "taxa_count": count,
            "projects": projects,
            "created_at": instant(list.created_at),
            "updated_at": instant(list.updated_at),
            "user_permissions": words,
        })
    };
    Ok(lists.iter().map(row).collect())
}

async fn answer(call: &Call, list: &TaxaList) -> ApiResult<Json<Value>> {
    let rows = shown(call, std::slice::from_ref(list)).await?;
    Ok(Json(rows.into_iter().next().unwrap_or_default()))
}

/// A page of a project's lists.
pub async fn list(call: Call) -> ApiResult<Json<Envelope<Value>>> {
    let (project, _) = call.required_project().await?;
    let filter = TaxaListFilter {
        id: None,
        project_id: Some(project.id),
        visible: call.visible().await?,
        order: call.order(ORDERS),
    };
    let page = Page::read(&call.query);
    let found = call.store().taxa_lists(&filter, page.limit, page.offset);
    let (rows, count) = found.await.map_err(internal)?;
    let rows = shown(&call, &rows).await?;
    let words = call.list_words(MODEL).await?;
    Ok(Json(call.envelope(PATH, page, count, rows, words)))
}

/// The list, where the caller may see one of its projects.
async fn find(call: &Call, id: &str) -> ApiResult<TaxaList> {
    let filter = TaxaListFilter {
        id: Some(number(id)?),
        visible: call.visible().await?,
        ..Default::default()
    };
    let found = call.store().taxa_lists(&filter, 1, 0).await;
    let (rows, _) = found.map_err(internal)?;
    rows.into_iter().next().ok_or(ApiError::NotFound)
}

/// The list, for members of one of its projects.
async fn writable(call: &Call, id: &str) -> ApiResult<TaxaList> {
    let list = find(call, id).await?;
    let parts = call.store().taxa_list_parts(&[list.id]).await;
    let parts = parts.map_err(internal)?;
    let projects = parts.get(&list.id).map(|(_, ids)| ids.clone());
    let facts = call.facts(&projects.unwrap_or_default()).await?;
    let may = call.who.caller().is_superuser() || facts.values().any(|f| may_write(call, f));
    permit(call, may)?;
    Ok(list)
}

fn permit(call: &Call, may: bool) -> ApiResult<()> {
    match (may, call.who.0.is_some()) {
        (true, _) => Ok(()),
        (false, true) => Err(ApiError::Forbidden),
        (false, false) => Err(ApiError::NotAuthenticated),
    }
}

/// One list.
pub async fn detail(call: Call, Path(id): Path<String>) -> ApiResult<Json<Value>> {
    let list = find(&call, &id).await?;
    answer(&call, &list).await
}

/// Makes a list for the active project.
pub async fn create(call: Call, body: JsonBody) -> ApiResult<(StatusCode, Json<Value>)> {
    let (project, facts) = call.required_project().await?;
    permit(&call, may_write(&call, &facts))?;
    let form = Form::read(FIELDS, body, How::Whole)?;
    form.finish()?;
    let (name, about) = (form.text("name"), form.text("description"));
    let (name, about) = (name.unwrap_or_default(), about.unwrap_or_default());
    let made = call.store().create_taxa_list(project.id, &name, &about);
    let list = made.await.map_err(internal)?;
    Ok((StatusCode::CREATED, answer(&call, &list).await?))
}

/// Replaces name and description (PUT).
pub async fn replace(call: Call, id: Path<String>, body: JsonBody) -> ApiResult<Json<Value>> {
    change(call, id, body, How::Whole).await
}

/// Changes name or description (PATCH).
pub async fn edit(call: Call, id: Path<String>, body: JsonBody) -> ApiResult<Json<Value>> {
    change(call, id, body, How::Partial).await
}

async fn change(
    call: Call,
    Path(id): Path<String>,
    body: JsonBody,
    how: How,
) -> ApiResult<Json<Value>> {
    let list = writable(&call, &id).await?;
    let form = Form::read(FIELDS, body, how)?;
    form.finish()?;
    let (name, about) = (form.text("name"), form.text("description"));
    let changed = call.store().change_taxa_list(list.id, name, about).await;
    answer(&call, &changed.map_err(internal)?).await
}

/// Deletes a list; its taxa stay.
pub async fn delete(call: Call, Path(id): Path<String>) -> ApiResult<StatusCode> {
    let list = writable(&call, &id).await?;
    let deleted = call.store().delete_taxa_list(list.id).await;
    deleted.map_err(internal)?;
    Ok(StatusCode::NO_CONTENT)
}

/// Puts a taxon on a list.
pub async fn add(
    call: Call,
    Path(id): Path<String>,
    body: JsonBody,
) -> ApiResult<(StatusCode, Json<Value>)> {
    let list = writable(&call, &id).await?;
    let mut form = Form::read(TAXON, body, How::Whole)?;
    let taxon = form.integer("taxon_id").unwrap_or_default();
    if form.has("taxon_id") && found(call.store().taxon(taxon).await)?.is_none() {
        form.missing("taxon_id", taxon);
    }
    form.finish()?;
    let added = call.store().list_taxon(list.id, taxon).await;
    if !added.map_err(internal)? {
        let words = "Taxon is already in this taxa list.";
        return Err(ApiError::general(words));
    }
    Ok((StatusCode::CREATED, Json(json!({"taxon_id": taxon}))))
}

/// Takes a taxon off a list.
pub async fn remove(
    call: Call,
    Path((id, taxon)): Path<(String, String)>,
) -> ApiResult<StatusCode> {
    let list = writable(&call, &id).await?;
    let removed = call.store().unlist_taxon(list.id, number(&taxon)?).await;
    match removed.map_err(internal)? {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(ApiError::NotFound),
    }
}
