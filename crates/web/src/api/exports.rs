//! `/api/v2/exports/`: occurrences written to a file (`ui.md` §A.7, `domain-rules.md` §7). Making
//! one makes the job that writes it; deleting it deletes that job and the file.

use axum::Json;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::routing::get;
use domain::export;
use domain::permission::{Action, ProjectFacts, object_permissions};
use domain::storage::Location;
use queue::Changed;
use rest::allow::{DETAIL, LIST};
use rest::field::{Field, Kind};
use rest::page::{Envelope, Page};
use rest::time::instant;
use rest::{ApiResult, Form, How, JsonBody, size};
use serde_json::{Map, Value, json};
use store::export::{Export, ExportChange, ExportFilter, NewExport, WrongSet};
use store::job::Job;

use super::identifications::people;
use super::internal;
use super::job_json::Around;
use crate::call::{Call, found, number};
use crate::media;
use crate::views::{self, View, view};

/// About exports.
pub const ABOUT: &str = "Occurrences of a project, written to a file.";

const PATH: &str = "exports";
const MODEL: &str = "dataexport";
/// Exports of a project whose files are deleted with it at once.
const MOST: u64 = 10_000;

/// The formats as choices, which stand for themselves.
pub const FORMATS: [(&str, &str); export::FORMATS.len()] = {
    let mut choices = [("", ""); export::FORMATS.len()];
    let mut i = 0;
    while i < choices.len() {
        choices[i] = (export::FORMATS[i].key, export::FORMATS[i].key);
        i += 1;
    }
    choices
};

/// A person as others see one.
pub const PERSON: &[Field] = &[
    Field::id(),
    Field::new("name", "Name of User", Kind::Text(Some(255))),
    Field::new("image", "Image", Kind::Image).nullable(),
    Field::details(),
];

const PROJECT: &[Field] = &[
    Field::id(),
    Field::new("name", "Name", Kind::Text(Some(80))).required(),
    Field::details(),
];

const JOB: &[Field] = &[
    Field::id(),
    Field::new("name", "Name", Kind::Text(Some(255))).required(),
    Field::shown("project", "Project", Kind::Nested(PROJECT)),
    Field::shown("progress", "Progress", Kind::Any),
    Field::new("result", "Result", Kind::Any),
    Field::permissions(),
];

/// The fields of an export.
pub const FIELDS: &[Field] = &[
    Field::id(),
    Field::shown("user", "User", Kind::Nested(PERSON)).nullable(),
    Field::link("project", "Project", "projects").required(),
    Field::new("format", "Format", Kind::Choice(&FORMATS)).required(),
    Field::new("filters", "Filters", Kind::Any).nullable(),
    Field::new("filters_display", "Filters display", Kind::Any).nullable(),
    Field::shown("job", "Job", Kind::Nested(JOB)).nullable(),
    Field::shown("file_url", "File url", Kind::Any),
    Field::new(
        "record_count",
        "Record count",
        Kind::Integer(Some(0), Some(2_147_483_647)),
    ),
    Field::new(
        "file_size",
        "File size",
        Kind::Integer(Some(0), Some(i64::MAX)),
    ),
    Field::shown("file_size_display", "File size display", Kind::Any),
    Field::shown("created_at", "Created at", Kind::DateTime),
    Field::shown("updated_at", "Updated at", Kind::DateTime),
];

/// What the list can be ordered by.
pub const ORDERS: &[&str] = &["id", "format", "created_at", "updated_at"];

/// Its addresses.
pub const VIEWS: &[View] = &[
    view("/exports", "Export List", LIST, ABOUT, FIELDS, || {
        get(list).post(create)
    })
    .filters(views::PROJECT)
    .orders(ORDERS)
    .in_root(),
    view(
        "/exports/{id}",
        "Export Instance",
        DETAIL,
        ABOUT,
        FIELDS,
        || get(detail).put(replace).patch(edit).delete(delete),
    ),
];

/// The exports as they are shown, each thing that they point to read once for all.
async fn shown(call: &Call, exports: &[Export]) -> ApiResult<Vec<Value>> {
    let store = call.store();
    let ids: Vec<i64> = exports.iter().map(|export| export.id).collect();
    let jobs = store.jobs_of_exports(&ids).await.map_err(internal)?;
    let list: Vec<Job> = jobs.values().cloned().collect();
    let around = Around::read(call, &list).await?;
    let projects: Vec<i64> = exports.iter().map(|export| export.project_id).collect();
    let facts = call.facts(&projects).await?;
    let users: Vec<i64> = exports.iter().filter_map(|export| export.user_id).collect();
    let people = people(call, &users).await?;
    let row = |export: &Export| {
        let facts = facts.get(&export.project_id).copied().unwrap_or_default();
        let file = key(export).map(|key| {
            let (key, open) = (key.to_owned(), !facts.draft);
            let place = Location::Kept { key, open };
            let address = media::page_address(&call.state.links, &place);
            call.addresses.file(&address)
        });
        json!({
            "id": export.id,
            "user": export.user_id.and_then(|id| people.get(&id)),
            "format": export.format,
            "filters": export.filters,
            "filters_display": export.filters_display,
            "job": jobs.get(&export.id).map(|job| nested(around.job(job, &[]))),
            "file_url": file,
            "record_count": export.record_count,
            "file_size": export.file_size,
            "file_size_display": (export.file_size > 0).then(|| size::display(export.file_size)),
            "created_at": instant(export.created_at),
            "updated_at": instant(export.updated_at),
            "user_permissions": object_permissions(call.who.caller(), &facts, MODEL),
        })
    };
    Ok(exports.iter().map(row).collect())
}

/// Where an export's file lies among those that the server keeps.
fn key(export: &Export) -> Option<&str> {
    export.file_url.as_deref()?.strip_prefix("/media/")
}

/// The keys of the files of a project's exports; those of more than it may have by hand are left to
/// the sweep.
///
/// # Errors
/// Errors of the store.
pub async fn files_of(call: &Call, project: i64) -> ApiResult<Vec<String>> {
    let filter = ExportFilter {
        project_id: Some(project),
        ..ExportFilter::default()
    };
    let rows = call.store().exports(&filter, MOST, 0).await;
    let (rows, _) = rows.map_err(internal)?;
    Ok(rows.iter().filter_map(key).map(str::to_owned).collect())
}

/// Of a job, what stands in an export.
fn nested(mut job: Value) -> Value {
    let keys = [
        "id",
        "name",
        "project",
        "progress",
        "result",
        "user_permissions",
    ];
    let part = keys.map(|key| (key.to_owned(), job[key].take()));
    Value::Object(part.into_iter().collect())
}

async fn answer(call: &Call, export: &Export) -> ApiResult<Json<Value>> {
    let rows = shown(call, std::slice::from_ref(export)).await?;
    Ok(Json(rows.into_iter().next().unwrap_or_default()))
}

/// A page of exports.
pub async fn list(call: Call) -> ApiResult<Json<Envelope<Value>>> {
    let filter = ExportFilter {
        project_id: call.query.integer("project_id", 0)?,
        visible: call.visible().await?,
        order: call.order(ORDERS),
    };
    let page = Page::read(&call.query);
    let found = call.store().exports(&filter, page.limit, page.offset);
    let (rows, count) = found.await.map_err(internal)?;
    let rows = shown(&call, &rows).await?;
    let words = call.list_words(MODEL).await?;
    Ok(Json(call.envelope(PATH, page, count, rows, words)))
}

/// The export, when the caller may do this with it.
async fn find(call: &Call, id: &str, action: Action<'_>) -> ApiResult<(Export, ProjectFacts)> {
    let export = call.store().export(number(id)?).await.map_err(internal)?;
    let (_, facts) = call.project(export.project_id).await?;
    call.permit(&facts, action)?;
    Ok((export, facts))
}

/// One export.
pub async fn detail(call: Call, Path(id): Path<String>) -> ApiResult<Json<Value>> {
    let (export, _) = find(&call, &id, Action::View).await?;
    answer(&call, &export).await
}

/// The filters as an object; null counts as none.
fn filters(form: &mut Form) -> Map<String, Value> {
    match form.value("filters").cloned() {
        Some(Value::Object(map)) => map,
        None | Some(Value::Null) => Map::new(),
        Some(other) => {
            let kind = match other {
                Value::String(_) => "str",
                Value::Array(_) => "list",
                Value::Bool(_) => "bool",
                _ => "int",
            };
            let words = format!("Expected a dictionary of items but got type \"{kind}\".");
            form.wrong("filters", words);
            Map::new()
        }
    }
}

/// What is said of a capture set that cannot be exported.
pub(super) fn words(wrong: WrongSet) -> &'static str {
    match wrong {
        WrongSet::Missing => "Capture set does not exist.",
        WrongSet::Elsewhere => "Capture set does not belong to the selected project.",
    }
}

/// Makes an export and starts the job that writes it.
pub async fn create(call: Call, body: JsonBody) -> ApiResult<(StatusCode, Json<Value>)> {
    let mut form = Form::read(FIELDS, body, How::Whole)?;
    let filters = filters(&mut form);
    let project = match form.integer("project") {
        Some(id) => {
            let project = found(call.store().project(id).await)?;
            if project.is_none() {
                form.missing("project", id);
            }
            project
        }
        None => None,
    };
    form.finish()?;
    let project = project.ok_or(rest::ApiError::NotFound)?;
    let facts = call.who.facts(&call.state, &project).await?;
    call.permit(&facts, Action::Create("create_dataexport"))?;
    let named = call.store().named_filters(project.id, &filters).await;
    let named = match named.map_err(internal)? {
        Ok(named) => named,
        Err(why) => {
            let why = json!({"error": words(why)});
            return Ok((StatusCode::BAD_REQUEST, Json(why)));
        }
    };
    let job_name = match named.capture_set_id {
        Some(set) => format!("Export occurrences for capture set {set}"),
        None => "Export occurrences".to_owned(),
    };
    let new = NewExport {
        project_id: project.id,
        user_id: call.who.caller().id(),
        format: form.text("format").unwrap_or_default(),
        filters: Value::Object(filters),
        filters_display: named.display,
        capture_set_id: named.capture_set_id,
        job_name,
    };
    let (export, job) = call.store().create_export(new).await.map_err(internal)?;
    call.state.bus.publish(Changed {
        job: job.id,
        waiting: true,
    });
    Ok((StatusCode::CREATED, answer(&call, &export).await?))
}

/// Replaces what may be changed of an export (PUT).
pub async fn replace(call: Call, id: Path<String>, body: JsonBody) -> ApiResult<Json<Value>> {
    change(call, id, body, How::Whole).await
}

/// Changes some of what may be changed of an export (PATCH).
pub async fn edit(call: Call, id: Path<String>, body: JsonBody) -> ApiResult<Json<Value>> {
    change(call, id, body, How::Partial).await
}

async fn change(
    call: Call,
    Path(id): Path<String>,
    body: JsonBody,
    how: How,
) -> ApiResult<Json<Value>> {
    let (export, _) = find(&call, &id, Action::Change("update_dataexport")).await?;
    let mut form = Form::read(FIELDS, body, how)?;
    let sent = form.has("filters");
    let filters = filters(&mut form);
    let other = form.integer("project");
    if other.is_some_and(|other| other != export.project_id) {
        form.wrong("project", "It cannot be moved to another project.");
    }
    form.finish()?;
    let filters = match sent {
        true => {
            let named = call.store().named_filters(export.project_id, &filters);
            let named = named.await.map_err(internal)?;
            let named = named.map_err(|why| rest::ApiError::field("filters", words(why)))?;
            Some((Value::Object(filters), named.display))
        }
        false => None,
    };
    let change = ExportChange {
        format: form.text("format"),
        filters,
        record_count: form.integer("record_count"),
        file_size: form.integer("file_size"),
    };
    let export = call.store().change_export(export.id, change).await;
    answer(&call, &export.map_err(internal)?).await
}

/// Deletes an export with its job and its file.
pub async fn delete(call: Call, Path(id): Path<String>) -> ApiResult<StatusCode> {
    let (export, _) = find(&call, &id, Action::Change("delete_dataexport")).await?;
    let deleted = call.store().delete_export(export.id).await;
    deleted.map_err(internal)?;
    if let Some(key) = key(&export)
        && let Err(error) = call.state.files.delete(key).await
    {
        tracing::warn!(%error, key, "the file of a deleted export stays");
    }
    Ok(StatusCode::NO_CONTENT)
}
