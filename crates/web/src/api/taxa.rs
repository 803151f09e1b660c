//! `/api/v2/taxa/`: names in the tree of life, and what a project has seen of each (`ui.md` §A.9).
//! Written by staff. Lists of taxa stand in `taxa/lists.rs`, tags in `tags.rs`.

use axum::Json;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::routing::{get, post};
use domain::permission::pipeline_permissions;
use rest::allow::{ACTION, DETAIL, LIST, READ};
use rest::page::{Envelope, Page};
use rest::time::{instant, naive};
use rest::{ApiError, ApiResult, Form, How, JsonBody};
use serde_json::{Value, json};
use store::occurrence::list::OccurrenceFilter;
use store::tag::Tag;
use store::taxon::Taxon;
use store::taxon::change::TaxonChange;
use store::taxon::list::{SeenTaxon, TaxonFilter};

use super::{defaults, internal, occurrences};
use crate::call::{Call, found, number};
use crate::views::{Answer, View, view};
use fields::{ASKED, ASSIGNED, FIELDS, FILTERS, ROW, TAGS};
use tree::{RANKS, Tree};

mod charts;
mod fields;
pub mod lists;
pub mod tree;

/// About taxa.
pub const ABOUT: &str = "Taxa: names in the tree of life, and labels that classifiers return.";
const SUGGEST: &str = "Taxa whose name holds what `q` says, those that begin with it first.";
const ASSIGN: &str = "Give a taxon exactly the tags that `tag_ids` names.";

const PATH: &str = "taxa";

/// Examples of occurrences that a taxon's page shows.
const EXAMPLES: u64 = 10;
/// Suggestions where nobody says how many.
const SUGGESTIONS: u64 = 10;

/// Its addresses.
pub const VIEWS: &[View] = &[
    view("/taxa", "Taxon List", LIST, ABOUT, FIELDS, || {
        get(list).post(create)
    })
    .filters(FILTERS)
    .orders(&TaxonFilter::ORDERS)
    .searched()
    .shows(ROW)
    .in_root(),
    view("/taxa/suggest", "Suggest", READ, SUGGEST, &[], || {
        get(suggest)
    })
    .got(&[Answer::List(tree::SUGGESTION)])
    .query(ASKED),
    view(
        "/taxa/{id}",
        "Taxon Instance",
        DETAIL,
        ABOUT,
        FIELDS,
        || get(detail).put(replace).patch(edit).delete(delete),
    ),
    view(
        "/taxa/{id}/assign_tags",
        "Assign tags",
        ACTION,
        ASSIGN,
        TAGS,
        || post(assign),
    )
    .posted(&[(200, Answer::Object(ASSIGNED))]),
];

fn tags(list: Option<&Vec<Tag>>) -> Value {
    let tags = list.into_iter().flatten();
    tags.map(|tag| json!({"id": tag.id, "name": tag.name}))
        .collect()
}

/// What of the active project is counted; `None` where none is named.
async fn seen(call: &Call) -> ApiResult<Option<OccurrenceFilter>> {
    let Some(id) = call.active_project().await? else {
        return Ok(None);
    };
    let (project, _) = call.project(id).await?;
    let query = &call.query;
    let of = |name: &str, long: &str| match query.integer(name, 0)? {
        Some(id) => Ok(Some(id)),
        None => query.integer(long, 0),
    };
    Ok(Some(OccurrenceFilter {
        project_id: Some(id),
        visible: call.visible().await?,
        defaults: defaults(call, &project),
        session_id: of("event", "occurrences__event")?,
        station_id: of("deployment", "occurrences__deployment")?,
        verified: query
            .get("verified")
            .filter(|v| !v.is_empty())
            .map(|_| query.flag("verified")),
        ..Default::default()
    }))
}

async fn filter(call: &Call) -> ApiResult<TaxonFilter> {
    let ranks: Vec<&'static str> = RANKS.iter().map(|(rank, _)| *rank).collect();
    let query = &call.query;
    let name = query.get("name").filter(|name| !name.is_empty());
    Ok(TaxonFilter {
        id: None,
        seen: seen(call).await?,
        unobserved: query.flag("include_unobserved"),
        visible: call.visible().await?,
        name: name.map(str::to_owned),
        rank: query.choice("rank", &ranks)?.map(str::to_owned),
        parent_id: query.integer("parent", 0)?,
        below: query.integer("taxon", 0)?,
        taxa_list_id: query.integer("taxa_list_id", 0)?,
        not_taxa_list_id: query.integer("not_taxa_list_id", 0)?,
        tag_id: query.integer("tag_id", 0)?,
        not_tag_id: query.integer("not_tag_id", 0)?,
        search: query.search(),
        order: call.order(&TaxonFilter::ORDERS),
    })
}

fn row(call: &Call, row: &SeenTaxon, list: Option<&Vec<Tag>>) -> Value {
    let taxon = &row.taxon;
    let query = call.query.appended("determination", &taxon.id.to_string());
    let occurrences = format!("{}?{query}", call.addresses.bare("occurrences"));
    json!({
        "id": taxon.id,
        "name": taxon.name,
        "rank": taxon.rank,
        "parent_id": taxon.parent_id,
        "parents": taxon.parents,
        "details": call.addresses.row(PATH, taxon.id),
        "occurrences_count": row.seen.map(|seen| seen.occurrences),
        "verified_count": row.seen.map(|seen| seen.verified),
        "occurrences": occurrences,
        "tags": tags(list),
        "last_detected": row.seen.and_then(|seen| seen.last_seen).map(naive),
        "best_determination_score": row.seen.and_then(|seen| seen.best_score),
        "cover_image_url": taxon.cover_image_url,
        "created_at": instant(taxon.created_at),
        "updated_at": instant(taxon.updated_at),
        "user_permissions": pipeline_permissions(call.who.caller()),
    })
}

/// A page of taxa.
pub async fn list(call: Call) -> ApiResult<Json<Envelope<Value>>> {
    let filter = filter(&call).await?;
    let page = Page::read(&call.query);
    let store = call.store();
    let found = store.taxa_page(&filter, page.limit, page.offset).await;
    let (rows, count) = found.map_err(internal)?;
    let ids: Vec<i64> = rows.iter().map(|row| row.taxon.id).collect();
    let project = filter.seen.as_ref().and_then(|seen| seen.project_id);
    let tags = store.tags_of(&ids, project).await.map_err(internal)?;
    let rows = rows
        .iter()
        .map(|taxon| row(&call, taxon, tags.get(&taxon.taxon.id)));
    let words = call.list_words("taxon").await?;
    Ok(Json(call.envelope(
        PATH,
        page,
        count,
        rows.collect(),
        words,
    )))
}

/// The taxon, where the caller may see a project that works with it or has seen it.
async fn find(call: &Call, id: &str) -> ApiResult<Taxon> {
    let filter = TaxonFilter {
        id: Some(number(id)?),
        visible: call.visible().await?,
        ..Default::default()
    };
    let found = call.store().taxa_page(&filter, 1, 0).await;
    let (rows, _) = found.map_err(internal)?;
    let row = rows.into_iter().next().ok_or(ApiError::NotFound)?;
    Ok(row.taxon)
}

/// The taxon with all that is known of it in the active project.
async fn whole(call: &Call, taxon: &Taxon) -> ApiResult<Value> {
    let store = call.store();
    let seen = seen(call).await?.map(|seen| OccurrenceFilter {
        determination_id: Some(taxon.id),
        ..seen
    });
    let filter = TaxonFilter {
        id: Some(taxon.id),
        unobserved: true,
        seen: seen.clone(),
        ..Default::default()
    };
    let found = store.taxa_page(&filter, 1, 0).await.map_err(internal)?;
    let facts = found.0.first().and_then(|row| row.seen);
    let (events, examples, charts) = match &seen {
        Some(seen) => {
            let events = store.sessions_seen(seen).await.map_err(internal)?;
            let examples = occurrences::examples(call, seen, EXAMPLES).await?;
            (Some(events), examples, charts::draw(call, seen).await?)
        }
        None => (None, Vec::new(), json!([])),
    };
    let project = seen.as_ref().and_then(|seen| seen.project_id);
    let of = store
        .tags_of(&[taxon.id], project)
        .await
        .map_err(internal)?;
    let tree = Tree::read(call, [taxon.id]).await?;
    let facts = seen.is_some().then(|| facts.unwrap_or_default());
    Ok(json!({
        "id": taxon.id,
        "name": taxon.name,
        "rank": taxon.rank,
        "parent": tree.parent(taxon),
        "parents": taxon.parents,
        "details": call.addresses.row(PATH, taxon.id),
        "occurrences_count": facts.map(|facts| facts.occurrences),
        "verified_count": facts.map(|facts| facts.verified),
        "events_count": events,
        "occurrences": examples,
        "gbif_taxon_key": taxon.gbif_key,
        "tags": tags(of.get(&taxon.id)),
        "last_detected": facts.and_then(|facts| facts.last_seen).map(naive),
        "best_determination_score": facts.and_then(|facts| facts.best_score),
        "fieldguide_id": taxon.fieldguide_id,
        "inat_taxon_id": taxon.inat_taxon_id,
        "cover_image_url": taxon.cover_image_url,
        "cover_image_credit": taxon.cover_image_credit,
        "summary_data": charts,
        "common_name_en": taxon.common_name_en,
        "user_permissions": pipeline_permissions(call.who.caller()),
    }))
}

/// One taxon.
pub async fn detail(call: Call, Path(id): Path<String>) -> ApiResult<Json<Value>> {
    let taxon = find(&call, &id).await?;
    whole(&call, &taxon).await.map(Json)
}

/// Taxa to choose from while somebody types; open to all.
pub async fn suggest(call: Call) -> ApiResult<Json<Vec<Value>>> {
    let text = call.query.get("q").unwrap_or_default().trim().to_owned();
    if text.is_empty() {
        return Ok(Json(Vec::new()));
    }
    let limit = Page::read_or(&call.query, SUGGESTIONS).limit;
    let taxa = call
        .store()
        .suggest_taxa(&text, limit)
        .await
        .map_err(internal)?;
    let tree = Tree::read(&call, taxa.iter().map(|taxon| taxon.id)).await?;
    Ok(Json(
        taxa.iter().map(|taxon| tree.suggestion(taxon)).collect(),
    ))
}

/// What a body says of a taxon; its name must not be taken, and it cannot stand below itself.
async fn read(
    call: &Call,
    body: JsonBody,
    how: How,
    old: Option<&Taxon>,
) -> ApiResult<TaxonChange> {
    let mut form = Form::read(FIELDS, body, how)?;
    let store = call.store();
    let name = form.text("name");
    if let Some(name) = &name {
        let taken = store.taxon_named(name).await.map_err(internal)?;
        if taken.is_some_and(|taken| Some(taken.id) != old.map(|old| old.id)) {
            form.wrong("name", "taxon with this name already exists.");
        }
    }
    if let Some(parent) = form.integer("parent_id") {
        if found(store.taxon(parent).await)?.is_none() {
            form.missing("parent_id", parent);
        } else if let Some(old) = old
            && store.stands_below(old.id, parent).await.map_err(internal)?
        {
            form.wrong("parent_id", "A taxon cannot stand below itself.");
        }
    }
    form.finish()?;
    Ok(TaxonChange {
        name,
        rank: form.text("rank"),
        parent_id: form.change("parent_id", Form::integer),
        common_name_en: form.change("common_name_en", Form::text),
        gbif_key: form.change("gbif_taxon_key", Form::integer),
        inat_taxon_id: form.change("inat_taxon_id", Form::integer),
        fieldguide_id: form.change("fieldguide_id", Form::text),
        cover_image_url: form.change("cover_image_url", Form::text),
        cover_image_credit: form.change("cover_image_credit", Form::text),
    })
}

/// Makes a taxon, for the active project where one is named.
pub async fn create(call: Call, body: JsonBody) -> ApiResult<(StatusCode, Json<Value>)> {
    call.permit_shared()?;
    let new = read(&call, body, How::Whole, None).await?;
    let project = call.active_project().await?;
    let taxon = call
        .store()
        .create_taxon(new, project)
        .await
        .map_err(internal)?;
    let mut answer = whole(&call, &taxon).await?;
    if let Some(map) = answer.as_object_mut() {
        map.shift_remove("occurrences");
        map.insert("occurrences_count".into(), json!(0));
        map.insert("events_count".into(), json!(0));
    }
    Ok((StatusCode::CREATED, Json(answer)))
}

/// Replaces a taxon (PUT).
pub async fn replace(call: Call, id: Path<String>, body: JsonBody) -> ApiResult<Json<Value>> {
    change(call, id, body, How::Whole).await
}

/// Changes a taxon (PATCH).
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
    let old = call.store().taxon(number(&id)?).await.map_err(internal)?;
    let change = read(&call, body, how, Some(&old)).await?;
    let taxon = call.store().change_taxon(old.id, change).await;
    whole(&call, &taxon.map_err(internal)?).await.map(Json)
}

/// Deletes a taxon.
pub async fn delete(call: Call, Path(id): Path<String>) -> ApiResult<StatusCode> {
    call.permit_shared()?;
    let taxon = call.store().taxon(number(&id)?).await.map_err(internal)?;
    let deleted = call.store().delete_taxon(taxon.id).await;
    deleted.map_err(internal)?;
    Ok(StatusCode::NO_CONTENT)
}

/// Gives a taxon exactly these tags.
pub async fn assign(call: Call, Path(id): Path<String>, body: JsonBody) -> ApiResult<Json<Value>> {
    call.permit_shared()?;
    let taxon = call.store().taxon(number(&id)?).await.map_err(internal)?;
    let mut form = Form::read(TAGS, body, How::Whole)?;
    let ids = form.keys("tag_ids").unwrap_or_default();
    for id in &ids {
        if found(call.store().tag(*id).await)?.is_none() {
            form.missing("tag_ids", *id);
        }
    }
    form.finish()?;
    let assigned = call.store().assign_tags(taxon.id, &ids).await;
    assigned.map_err(internal)?;
    Ok(Json(json!({"taxon_id": taxon.id, "assigned_tag_ids": ids})))
}
