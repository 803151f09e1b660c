//! `/api/v2/tags/`: words that a project puts on taxa (`ui.md` §A.9). Written by staff.

use axum::Json;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::routing::get;
use domain::permission::{Action, pipeline_permissions, project_permissions};
use rest::allow::{DETAIL, LIST};
use rest::field::{Field, Kind};
use rest::page::{Envelope, Page};
use rest::{ApiError, ApiResult, Form, How, JsonBody};
use serde_json::{Value, json};
use store::tag::{Tag, TagFilter};

use super::internal;
use crate::call::{Call, found, number};
use crate::views::{View, view};

/// About tags.
pub const ABOUT: &str = "Tags: words that a project puts on taxa.";

const PATH: &str = "tags";

const PROJECT: &[Field] = &[
    Field::id(),
    Field::new("name", "Name", Kind::Text(Some(80))).required(),
    Field::details(),
];

/// The fields of a tag.
pub const FIELDS: &[Field] = &[
    Field::id(),
    Field::new("name", "Name", Kind::Text(Some(255))).required(),
    Field::shown("project", "Project", Kind::Nested(PROJECT)).nullable(),
    Field::link("project_id", "Project id", "projects").required(),
    Field {
        write_only: true,
        ..Field::new("taxa_ids", "Taxa ids", Kind::Links("taxa"))
    },
    Field::shown("taxa", "Taxa", Kind::Any),
];

/// What the list can be ordered by.
pub const ORDERS: &[&str] = &["id", "name", "created_at", "updated_at"];

/// What the list can be narrowed by.
pub const FILTERS: &[Field] = &[
    Field::new("project_id", "Project", Kind::Link("projects")),
    Field::new("taxa", "Taxa", Kind::Link("taxa")),
];

/// Its addresses.
pub const VIEWS: &[View] = &[
    view("/tags", "Tag List", LIST, ABOUT, FIELDS, || {
        get(list).post(create)
    })
    .filters(FILTERS)
    .orders(ORDERS)
    .in_root(),
    view("/tags/{id}", "Tag Instance", DETAIL, ABOUT, FIELDS, || {
        get(detail).put(replace).patch(edit).delete(delete)
    }),
];

async fn shown(call: &Call, tags: &[Tag]) -> ApiResult<Vec<Value>> {
    let ids: Vec<i64> = tags.iter().filter_map(|tag| tag.project_id).collect();
    let projects = call.store().projects_by_id(&ids).await.map_err(internal)?;
    let facts = call.facts_of(&projects).await?;
    let caller = call.who.caller();
    let row = |tag: &Tag| {
        let project = projects
            .iter()
            .find(|project| Some(project.id) == tag.project_id);
        let project = project.map(|project| {
            let facts = facts.get(&project.id).copied().unwrap_or_default();
            json!({
                "id": project.id,
                "name": project.name,
                "details": call.addresses.row("projects", project.id),
                "user_permissions": project_permissions(caller, &facts),
            })
        });
        let taxa = call.addresses.bare("taxa");
        json!({
            "id": tag.id,
            "name": tag.name,
            "project": project,
            "taxa": format!("{taxa}?tag_id={}", tag.id),
            "user_permissions": pipeline_permissions(caller),
        })
    };
    Ok(tags.iter().map(row).collect())
}

async fn answer(call: &Call, tag: &Tag) -> ApiResult<Json<Value>> {
    let rows = shown(call, std::slice::from_ref(tag)).await?;
    Ok(Json(rows.into_iter().next().unwrap_or_default()))
}

/// A page of tags.
pub async fn list(call: Call) -> ApiResult<Json<Envelope<Value>>> {
    let filter = TagFilter {
        project_id: call.active_project().await?,
        visible: call.visible().await?,
        taxon_id: call.query.integer("taxa", 0)?,
        order: call.order(ORDERS),
    };
    let page = Page::read(&call.query);
    let found = call.store().tags(&filter, page.limit, page.offset).await;
    let (rows, count) = found.map_err(internal)?;
    let rows = shown(&call, &rows).await?;
    let words = call.list_words("tag").await?;
    Ok(Json(call.envelope(PATH, page, count, rows, words)))
}

/// The tag, where the caller may see its project.
async fn find(call: &Call, id: &str) -> ApiResult<Tag> {
    let tag = call.store().tag(number(id)?).await.map_err(internal)?;
    let (_, facts) = call
        .project(tag.project_id.ok_or(ApiError::NotFound)?)
        .await?;
    call.permit(&facts, Action::View)?;
    Ok(tag)
}

/// One tag.
pub async fn detail(call: Call, Path(id): Path<String>) -> ApiResult<Json<Value>> {
    let tag = find(&call, &id).await?;
    answer(&call, &tag).await
}

/// The sound parts of a body; named rows must exist.
async fn read(call: &Call, body: JsonBody, how: How) -> ApiResult<Form> {
    let mut form = Form::read(FIELDS, body, how)?;
    if let Some(project) = form.integer("project_id")
        && found(call.store().project(project).await)?.is_none()
    {
        form.missing("project_id", project);
    }
    let taxa = form.keys("taxa_ids").unwrap_or_default();
    let known = call.store().taxa_by_id(&taxa).await.map_err(internal)?;
    for taxon in taxa.iter().filter(|taxon| !known.contains_key(taxon)) {
        form.missing("taxa_ids", *taxon);
    }
    Ok(form)
}

/// Makes a tag.
pub async fn create(call: Call, body: JsonBody) -> ApiResult<(StatusCode, Json<Value>)> {
    call.permit_shared()?;
    let form = read(&call, body, How::Whole).await?;
    form.finish()?;
    let project = form.integer("project_id").ok_or(ApiError::NotFound)?;
    let (name, taxa) = (form.text("name"), form.keys("taxa_ids"));
    let (name, taxa) = (name.unwrap_or_default(), taxa.unwrap_or_default());
    let tag = call.store().create_tag(project, &name, &taxa).await;
    let answer = answer(&call, &tag.map_err(internal)?).await?;
    Ok((StatusCode::CREATED, answer))
}

/// Replaces a tag (PUT).
pub async fn replace(call: Call, id: Path<String>, body: JsonBody) -> ApiResult<Json<Value>> {
    change(call, id, body, How::Whole).await
}

/// Changes a tag (PATCH).
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
    let tag = find(&call, &id).await?;
    let mut form = read(&call, body, how).await?;
    let other = form.integer("project_id");
    if other.is_some() && other != tag.project_id {
        form.wrong("project_id", "It cannot be moved to another project.");
    }
    form.finish()?;
    let (name, taxa) = (form.text("name"), form.keys("taxa_ids"));
    let changed = call.store().change_tag(tag.id, name, taxa).await;
    answer(&call, &changed.map_err(internal)?).await
}

/// Deletes a tag.
pub async fn delete(call: Call, Path(id): Path<String>) -> ApiResult<StatusCode> {
    call.permit_shared()?;
    let tag = find(&call, &id).await?;
    let deleted = call.store().delete_tag(tag.id).await;
    deleted.map_err(internal)?;
    Ok(StatusCode::NO_CONTENT)
}
