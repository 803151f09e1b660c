//! `/api/v2/identifications/`: what people say occurrences are (`domain-rules.md` §9). Many at
//! once stand in `identifications/bulk.rs`.

use std::collections::HashMap;

use axum::Json;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::routing::{get, post};
use domain::permission::{Action, ProjectFacts, Role, pipeline_permissions};
use rest::allow::{ACTION, DETAIL, LIST};
use rest::field::{Field, Kind};
use rest::page::{Envelope, Page};
use rest::time::instant;
use rest::{ApiError, ApiResult, Form, How, JsonBody};
use serde_json::{Value, json};
use store::identification::{
    Identification, IdentificationChange, IdentificationFilter, NewIdentification,
};
use store::occurrence::Occurrence;

use super::exports::PERSON;
use super::internal;
use super::taxa::tree::{self, Tree};
use crate::call::{Call, found, number};
use crate::views::{Answer, View, view};

mod bulk;

/// About identifications.
pub const ABOUT: &str = "Identifications: what people say occurrences are.";
const BULK: &str = "Make many identifications at once; each says for itself whether it was made.";

const PATH: &str = "identifications";

const OCCURRENCE: &[Field] = &[
    Field::id(),
    Field::details(),
    Field::shown(
        "determination",
        "Determination",
        Kind::Nested(tree::DETERMINATION),
    )
    .nullable(),
];

/// The fields of an identification.
pub const FIELDS: &[Field] = &[
    Field::id(),
    Field::details(),
    Field::shown("user", "User", Kind::Nested(PERSON)).nullable(),
    Field::shown("occurrence", "Occurrence", Kind::Nested(OCCURRENCE)),
    Field::link("occurrence_id", "Occurrence id", "occurrences").required(),
    Field::shown("taxon", "Taxon", Kind::Nested(tree::FIELDS)).nullable(),
    Field::link("taxon_id", "Taxon id", "taxa").required(),
    Field::new("withdrawn", "Withdrawn", Kind::Boolean),
    AGREED_WITH_PERSON,
    AGREED_WITH_MODEL,
    Field::new("comment", "Comment", Kind::Text(None)).blank(),
    Field::shown("created_at", "Created at", Kind::DateTime),
    Field::shown("updated_at", "Updated at", Kind::DateTime),
];

const AGREED_WITH_PERSON: Field = Field::new(
    "agreed_with_identification_id",
    "Agreed with identification id",
    Kind::Link("identifications"),
)
.nullable();
const AGREED_WITH_MODEL: Field = Field::new(
    "agreed_with_prediction_id",
    "Agreed with prediction id",
    Kind::Link("classifications"),
)
.nullable();

/// What the list can be ordered by.
pub const ORDERS: &[&str] = &["id", "created_at", "updated_at", "user"];

/// What the list can be narrowed by.
pub const FILTERS: &[Field] = &[
    Field::new("project_id", "Project", Kind::Link("projects")),
    Field::new("occurrence", "Occurrence", Kind::Link("occurrences")),
    Field::new("user", "User", Kind::Link("users")),
    Field::new("taxon", "Taxon", Kind::Link("taxa")),
];

/// Its addresses.
pub const VIEWS: &[View] = &[
    view(
        "/identifications",
        "Identification List",
        LIST,
        ABOUT,
        FIELDS,
        || get(list).post(create),
    )
    .filters(FILTERS)
    .orders(ORDERS)
    .in_root(),
    view(
        "/identifications/bulk",
        "Bulk",
        ACTION,
        BULK,
        bulk::FIELDS,
        || post(bulk::create),
    )
    .posted(&[(200, Answer::Object(bulk::MADE))]),
    view(
        "/identifications/{id}",
        "Identification Instance",
        DETAIL,
        ABOUT,
        FIELDS,
        || get(detail).put(replace).patch(edit).delete(delete),
    ),
];

/// People as others see them, by number.
pub async fn people(call: &Call, ids: &[i64]) -> ApiResult<HashMap<i64, Value>> {
    let people = call.store().people(ids).await.map_err(internal)?;
    let shown = people.into_iter().map(|(id, user)| {
        let person = json!({
            "id": id,
            "name": user.name,
            "image": user.image,
            "details": call.addresses.row("users", id),
            "user_permissions": [],
        });
        (id, person)
    });
    Ok(shown.collect())
}

/// What the caller may do with an identification: change it as an identifier; delete it when it
/// is one's own, or as a project manager.
pub fn words(call: &Call, facts: &ProjectFacts, row: &Identification) -> Vec<&'static str> {
    let mut words = Vec::new();
    if facts.grants(call.who.caller(), "update_identification") {
        words.push("update");
    }
    if may_delete(call, facts, row) {
        words.push("delete");
    }
    words
}

fn may_delete(call: &Call, facts: &ProjectFacts, row: &Identification) -> bool {
    let caller = call.who.caller();
    caller.is_superuser()
        || facts.role_of(caller) == Some(Role::ProjectManager)
        || (caller.id().is_some() && caller.id() == row.user_id)
}

/// Identifications as they are shown, what they point to read once for all.
async fn shown(call: &Call, rows: &[Identification]) -> ApiResult<Vec<Value>> {
    let store = call.store();
    let ids: Vec<i64> = rows.iter().map(|row| row.occurrence_id).collect();
    let occurrences = store.occurrences_by_id(&ids).await.map_err(internal)?;
    let occurrences: HashMap<i64, Occurrence> =
        occurrences.into_iter().map(|row| (row.id, row)).collect();
    let projects: Vec<i64> = occurrences.values().filter_map(|o| o.project_id).collect();
    let facts = call.facts(&projects).await?;
    let users: Vec<i64> = rows.iter().filter_map(|row| row.user_id).collect();
    let people = people(call, &users).await?;
    let taxa = rows.iter().filter_map(|row| row.taxon_id);
    let determined = occurrences.values().filter_map(|o| o.determination_id);
    let tree = Tree::read(call, taxa.chain(determined)).await?;
    let row = |row: &Identification| {
        let occurrence = occurrences.get(&row.occurrence_id);
        let project = occurrence.and_then(|occurrence| occurrence.project_id);
        let facts = project
            .and_then(|id| facts.get(&id))
            .copied()
            .unwrap_or_default();
        let of = json!({
            "id": row.occurrence_id,
            "details": call.addresses.row("occurrences", row.occurrence_id),
            "determination": tree.determination(occurrence.and_then(|o| o.determination_id)),
            "user_permissions": pipeline_permissions(call.who.caller()),
        });
        json!({
            "id": row.id,
            "details": call.addresses.row(PATH, row.id),
            "user": row.user_id.and_then(|id| people.get(&id)),
            "occurrence": of,
            "taxon": tree.taxon(row.taxon_id),
            "withdrawn": row.withdrawn,
            "agreed_with_identification_id": row.agreed_with_identification_id,
            "agreed_with_prediction_id": row.agreed_with_prediction_id,
            "comment": row.comment,
            "created_at": instant(row.created_at),
            "updated_at": instant(row.updated_at),
            "user_permissions": words(call, &facts, row),
        })
    };
    Ok(rows.iter().map(row).collect())
}

async fn answer(call: &Call, row: &Identification) -> ApiResult<Json<Value>> {
    let rows = shown(call, std::slice::from_ref(row)).await?;
    Ok(Json(rows.into_iter().next().unwrap_or_default()))
}

/// A page of identifications.
pub async fn list(call: Call) -> ApiResult<Json<Envelope<Value>>> {
    let filter = IdentificationFilter {
        project_id: call.active_project().await?,
        visible: call.visible().await?,
        occurrence_id: call.query.integer("occurrence", 0)?,
        user_id: call.query.integer("user", 0)?,
        taxon_id: call.query.integer("taxon", 0)?,
        order: call.order(ORDERS),
    };
    let page = Page::read(&call.query);
    let found = call
        .store()
        .identifications(&filter, page.limit, page.offset);
    let (rows, count) = found.await.map_err(internal)?;
    let rows = shown(&call, &rows).await?;
    let words = call.list_words("identification").await?;
    Ok(Json(call.envelope(PATH, page, count, rows, words)))
}

/// The identification and what the rules need to know of its project, where it can be seen.
async fn find(call: &Call, id: &str) -> ApiResult<(Identification, ProjectFacts)> {
    let store = call.store();
    let row = store.identification(number(id)?).await.map_err(internal)?;
    let occurrence = store.occurrence(row.occurrence_id).await;
    let project = occurrence.map_err(internal)?.project_id;
    let (_, facts) = call.project(project.ok_or(ApiError::NotFound)?).await?;
    call.permit(&facts, Action::View)?;
    Ok((row, facts))
}

/// One identification.
pub async fn detail(call: Call, Path(id): Path<String>) -> ApiResult<Json<Value>> {
    let (row, _) = find(&call, &id).await?;
    answer(&call, &row).await
}

/// The sound parts of a body, and the occurrence it is about: rows that it names must exist, and
/// what was agreed with must be about the same occurrence.
async fn read(
    call: &Call,
    body: JsonBody,
    how: How,
    old: Option<&Identification>,
) -> ApiResult<(Form, Option<Occurrence>)> {
    let mut form = Form::read(FIELDS, body, how)?;
    let store = call.store();
    let id = form
        .integer("occurrence_id")
        .or(old.map(|old| old.occurrence_id));
    let occurrence = match id {
        Some(id) => {
            let occurrence = found(store.occurrence(id).await)?;
            if occurrence.is_none() {
                form.missing("occurrence_id", id);
            }
            occurrence
        }
        None => None,
    };
    if let Some(taxon) = form.integer("taxon_id")
        && found(store.taxon(taxon).await)?.is_none()
    {
        form.missing("taxon_id", taxon);
    }
    let person = form.integer(AGREED_WITH_PERSON.name);
    let model = form.integer(AGREED_WITH_MODEL.name);
    let known = store.agreeable(&some(person), &some(model)).await;
    let (said, found) = known.map_err(internal)?;
    let here = occurrence.as_ref().map(|occurrence| occurrence.id);
    for (field, id, of) in [
        (AGREED_WITH_PERSON.name, person, said),
        (AGREED_WITH_MODEL.name, model, found),
    ] {
        if let Some(id) = id
            && (!of.contains_key(&id) || of.get(&id) != here.as_ref())
        {
            form.missing(field, id);
        }
    }
    form.finish()?;
    Ok((form, occurrence))
}

fn some(id: Option<i64>) -> Vec<i64> {
    id.into_iter().collect()
}

/// Makes an identification; the occurrence is determined anew at once.
pub async fn create(call: Call, body: JsonBody) -> ApiResult<(StatusCode, Json<Value>)> {
    let (form, occurrence) = read(&call, body, How::Whole, None).await?;
    let occurrence = occurrence.ok_or(ApiError::NotFound)?;
    let project = occurrence.project_id.ok_or(ApiError::NotFound)?;
    let (_, facts) = call.project(project).await?;
    call.permit(&facts, Action::Create("create_identification"))?;
    let user = call.who.caller().id().ok_or(ApiError::NotAuthenticated)?;
    let new = NewIdentification {
        occurrence_id: occurrence.id,
        taxon_id: form.integer("taxon_id").unwrap_or_default(),
        comment: form.text("comment").unwrap_or_default(),
        agreed_with_identification_id: form.integer(AGREED_WITH_PERSON.name),
        agreed_with_prediction_id: form.integer(AGREED_WITH_MODEL.name),
    };
    let made = call
        .store()
        .identify(user, &[new])
        .await
        .map_err(internal)?;
    let row = made.first().ok_or(ApiError::NotFound)?;
    Ok((StatusCode::CREATED, answer(&call, row).await?))
}

/// Replaces an identification (PUT).
pub async fn replace(call: Call, id: Path<String>, body: JsonBody) -> ApiResult<Json<Value>> {
    change(call, id, body, How::Whole).await
}

/// Changes an identification (PATCH).
pub async fn edit(call: Call, id: Path<String>, body: JsonBody) -> ApiResult<Json<Value>> {
    change(call, id, body, How::Partial).await
}

async fn change(
    call: Call,
    Path(id): Path<String>,
    body: JsonBody,
    how: How,
) -> ApiResult<Json<Value>> {
    let (old, facts) = find(&call, &id).await?;
    call.permit(&facts, Action::Change("update_identification"))?;
    let (mut form, _) = read(&call, body, how, Some(&old)).await?;
    let other = form.integer("occurrence_id");
    if other.is_some_and(|other| other != old.occurrence_id) {
        form.wrong("occurrence_id", "It cannot be moved to another occurrence.");
    }
    form.finish()?;
    let change = IdentificationChange {
        taxon_id: form.integer("taxon_id"),
        comment: form.text("comment"),
        withdrawn: form.boolean("withdrawn"),
        agreed_with_identification_id: form.change(AGREED_WITH_PERSON.name, Form::integer),
        agreed_with_prediction_id: form.change(AGREED_WITH_MODEL.name, Form::integer),
    };
    let row = call.store().change_identification(old.id, change).await;
    answer(&call, &row.map_err(internal)?).await
}

/// Deletes an identification: one's own, or as a project manager.
pub async fn delete(call: Call, Path(id): Path<String>) -> ApiResult<StatusCode> {
    let (row, facts) = find(&call, &id).await?;
    match (may_delete(&call, &facts, &row), call.who.0.is_some()) {
        (true, _) => {}
        (false, true) => return Err(ApiError::Forbidden),
        (false, false) => return Err(ApiError::NotAuthenticated),
    }
    let deleted = call.store().delete_identification(row.id).await;
    deleted.map_err(internal)?;
    Ok(StatusCode::NO_CONTENT)
}
