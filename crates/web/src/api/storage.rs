//! `/api/v2/storage/`: where photographs lie (`ui.md` §A.6, `domain-rules.md` §3). Keys are only
//! ever sent: they are sealed before they reach the store and opened where a bucket is asked.
//! Buckets are made here; a folder of the server is given by whoever runs it, and here only shown
//! and renamed.

use std::path::Path as FilePath;

use axum::Json;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::routing::{get, post};
use domain::permission::{Action, ProjectFacts, storage_permissions};
use domain::storage::{LOCAL, is_public_base};
use rest::allow::{ACTION, DETAIL, LIST};
use rest::field::{Field, Kind};
use rest::page::{Envelope, Page};
use rest::time::instant;
use rest::{ApiError, ApiResult, Form, How, JsonBody};
use serde_json::{Value, json};
use store::source::{SOURCE_ORDERS, SourceChange, SourceFilter, SourceTotals, StorageSource};

use super::internal;
use crate::call::{Call, found, number};
use crate::views::{self, Answer, View, view};

mod test;

/// About storage sources.
pub const ABOUT: &str = "Storage sources: the buckets and folders where photographs lie.";
/// About testing.
pub const TEST: &str = "Whether the storage answers, and what it holds first below a folder \
                        (`subdir`) and by a pattern (`regex_filter`).";

/// The fields of a storage source, in the order of its JSON.
pub const FIELDS: &[Field] = &[
    Field::id(),
    Field::details(),
    Field::new("name", "Name", Kind::Text(Some(255))).required(),
    Field::new("bucket", "Bucket", Kind::Text(Some(255))).required(),
    Field::new("prefix", "Prefix", Kind::Text(Some(255))).blank(),
    secret("access_key", "Access key"),
    secret("secret_key", "Secret key"),
    Field::new("endpoint_url", "Endpoint url", Kind::Text(None))
        .nullable()
        .blank(),
    Field::new("public_base_url", "Public base url", Kind::Text(None))
        .nullable()
        .blank(),
    Field::new("project", "Project", Kind::Link("projects")).required(),
    Field::shown("deployments_count", "Deployments count", Kind::Any),
    Field::shown("total_files_indexed", "Total files indexed", Kind::Any),
    Field::shown(
        "total_size_indexed_display",
        "Total size indexed display",
        Kind::Any,
    ),
    Field::shown("total_size_indexed", "Total size indexed", Kind::Any),
    Field::shown(
        "total_captures_indexed",
        "Total captures indexed",
        Kind::Any,
    ),
    Field::shown("last_checked", "Last checked", Kind::DateTime).nullable(),
    Field::shown("created_at", "Created at", Kind::DateTime),
    Field::shown("updated_at", "Updated at", Kind::DateTime),
];

/// A text that is taken and never shown.
const fn secret(name: &'static str, label: &'static str) -> Field {
    Field {
        write_only: true,
        ..Field::new(name, label, Kind::Text(None)).blank()
    }
}

/// Its addresses.
pub const VIEWS: &[View] = &[
    view(
        "/storage",
        "Storage Source List",
        LIST,
        ABOUT,
        FIELDS,
        || get(list).post(create),
    )
    .filters(views::PROJECT)
    .orders(SOURCE_ORDERS)
    .in_root(),
    view(
        "/storage/{id}",
        "Storage Source Instance",
        DETAIL,
        ABOUT,
        FIELDS,
        || get(detail).put(replace).patch(edit).delete(delete),
    )
    .fails(&[409]),
    view(
        "/storage/{id}/test",
        "test",
        ACTION,
        TEST,
        test::FIELDS,
        || post(test::test),
    )
    .posted(&[(200, Answer::Open)]),
];

/// What is said of a public address that is none.
const NO_PUBLIC_BASE: &str = "Enter a valid URL that begins with http:// or https://.";

/// Its word in permissions.
const MODEL: &str = "s3storagesource";

/// Where the photographs of a source lie, as it is told to people: of a folder only its name,
/// for where it stands on the server is nobody's business.
pub struct Place {
    scheme: &'static str,
    bucket: String,
    prefix: String,
}

impl Place {
    /// The place of a source.
    pub fn of(source: &StorageSource) -> Place {
        let folder = FilePath::new(&source.bucket).file_name();
        let (scheme, bucket) = match folder {
            Some(name) if source.kind == LOCAL => ("folder", name.to_string_lossy().into_owned()),
            None if source.kind == LOCAL => ("folder", "/".to_owned()),
            _ => ("s3", source.bucket.clone()),
        };
        Place {
            scheme,
            bucket,
            prefix: source.prefix.clone(),
        }
    }
}

/// The address of a station's photographs in words: `s3://bucket/prefix/subdir/?regex=…`.
pub fn uri(place: &Place, subdir: Option<&str>, regex: Option<&str>) -> String {
    let mut uri = format!("{}://{}", place.scheme, place.bucket);
    let prefix = place.prefix.trim_matches('/');
    if !prefix.is_empty() {
        uri += &format!("/{prefix}");
    }
    if let Some(subdir) = subdir {
        uri += &format!("/{}", subdir.trim_matches('/'));
    }
    uri.push('/');
    if let Some(regex) = regex {
        uri += &format!("?regex={regex}");
    }
    uri
}

fn shown(call: &Call, source: &StorageSource, totals: SourceTotals, facts: &ProjectFacts) -> Value {
    let place = Place::of(source);
    json!({
        "id": source.id,
        "details": call.addresses.row("storage", source.id),
        "name": source.name,
        "bucket": place.bucket,
        "prefix": place.prefix,
        "endpoint_url": source.endpoint_url,
        "public_base_url": source.public_base_url,
        "project": source.project_id,
        "deployments_count": totals.stations,
        "total_files_indexed": totals.files,
        "total_size_indexed_display": rest::size::display(totals.bytes.unwrap_or(0)),
        "total_size_indexed": totals.bytes,
        "total_captures_indexed": totals.captures,
        "last_checked": source.last_checked_at.map(instant),
        "created_at": instant(source.created_at),
        "updated_at": instant(source.updated_at),
        "user_permissions": storage_permissions(call.who.caller(), facts),
    })
}

/// A page of storage sources.
pub async fn list(call: Call) -> ApiResult<Json<Envelope<Value>>> {
    let order = call.query.ordering(SOURCE_ORDERS);
    let filter = SourceFilter {
        project_id: call.query.integer("project_id", 0)?,
        visible: call.visible().await?,
        order: order.iter().map(|o| (o.field, o.descending)).collect(),
    };
    let page = Page::read(&call.query);
    let store = call.store();
    let found = store.sources_page(&filter, page.limit, page.offset).await;
    let (sources, count) = found.map_err(internal)?;
    let ids: Vec<i64> = sources.iter().map(|source| source.id).collect();
    let totals = store.source_totals(&ids).await.map_err(internal)?;
    let projects: Vec<i64> = sources.iter().filter_map(|s| s.project_id).collect();
    let facts = call.facts(&projects).await?;
    let rows = sources.iter().map(|source| {
        let facts = source.project_id.and_then(|id| facts.get(&id)).copied();
        let totals = totals.get(&source.id).copied().unwrap_or_default();
        shown(&call, source, totals, &facts.unwrap_or_default())
    });
    let rows = rows.collect();
    let words = call.list_words(MODEL).await?;
    Ok(Json(call.envelope("storage", page, count, rows, words)))
}

/// The source, when the caller may do this with it.
pub async fn find(
    call: &Call,
    id: &str,
    action: Action<'_>,
) -> ApiResult<(StorageSource, ProjectFacts)> {
    let source = call.store().source(number(id)?).await.map_err(internal)?;
    let project = source.project_id.ok_or(ApiError::NotFound)?;
    let (_, facts) = call.project(project).await?;
    call.permit(&facts, action)?;
    Ok((source, facts))
}

async fn answer(
    call: &Call,
    source: &StorageSource,
    facts: &ProjectFacts,
) -> ApiResult<Json<Value>> {
    let totals = call.store().source_totals(&[source.id]).await;
    let totals = totals.map_err(internal)?;
    let totals = totals.get(&source.id).copied().unwrap_or_default();
    Ok(Json(shown(call, source, totals, facts)))
}

/// One storage source.
pub async fn detail(call: Call, Path(id): Path<String>) -> ApiResult<Json<Value>> {
    let (source, facts) = find(&call, &id, Action::View).await?;
    answer(&call, &source, &facts).await
}

/// The values of a body; secrets are sealed here and go no further.
fn values(call: &Call, form: &Form) -> SourceChange {
    let vault = call.state.links.vault();
    let sealed = |name| form.text(name).map(|secret| vault.close(&secret));
    // An address without anything in it is none.
    let address = |form: &Form, name: &str| form.text(name).filter(|text| !text.is_empty());
    SourceChange {
        name: form.text("name"),
        bucket: form.text("bucket"),
        prefix: form.text("prefix"),
        endpoint_url: form.change("endpoint_url", address),
        public_base_url: form.change("public_base_url", address),
        access_key: sealed("access_key"),
        secret_key: sealed("secret_key"),
    }
}

/// Notes a public address that browsers would not fetch photographs from: pages link to what is
/// below it, and a link may be a script.
fn check_public(form: &mut Form) {
    let sent = form.text("public_base_url");
    if sent.is_some_and(|base| !base.is_empty() && !is_public_base(&base)) {
        form.wrong("public_base_url", NO_PUBLIC_BASE);
    }
}

/// Makes a storage source of a bucket.
pub async fn create(call: Call, body: JsonBody) -> ApiResult<(StatusCode, Json<Value>)> {
    let mut form = Form::read(FIELDS, body, How::Whole)?;
    let mut project = None;
    if let Some(id) = form.integer("project") {
        project = found(call.store().project(id).await)?;
        if project.is_none() {
            form.missing("project", id);
        }
    }
    check_public(&mut form);
    form.finish()?;
    let project = project.ok_or(ApiError::NotFound)?;
    let facts = call.who.facts(&call.state, &project).await?;
    let permit = call.ask(&facts, MODEL)?;
    let made = call
        .store()
        .create_bucket_source(permit, project.id, values(&call, &form));
    let source = made.await.map_err(internal)?;
    Ok((StatusCode::CREATED, answer(&call, &source, &facts).await?))
}

/// Replaces what a person may edit (PUT).
pub async fn replace(call: Call, id: Path<String>, body: JsonBody) -> ApiResult<Json<Value>> {
    change(call, id, body, How::Whole).await
}

/// Changes some of what a person may edit (PATCH).
pub async fn edit(call: Call, id: Path<String>, body: JsonBody) -> ApiResult<Json<Value>> {
    change(call, id, body, How::Partial).await
}

async fn change(
    call: Call,
    Path(id): Path<String>,
    body: JsonBody,
    how: How,
) -> ApiResult<Json<Value>> {
    let (source, facts) = find(&call, &id, Action::View).await?;
    let permit = call.ask(&facts, MODEL)?;
    let mut form = Form::read(FIELDS, body, how)?;
    let named = form.integer("project");
    if named.is_some() && named != source.project_id {
        form.wrong("project", "It cannot be moved to another project.");
    }
    let is_folder = source.kind == LOCAL;
    if is_folder {
        keep_folder(&source, &mut form);
    }
    check_public(&mut form);
    form.finish()?;
    let mut change = values(&call, &form);
    if is_folder {
        // Nothing else of a bucket means anything to a folder.
        change = SourceChange {
            name: change.name,
            ..SourceChange::default()
        };
    }
    let source = call.store().change_source(permit, source.id, change).await;
    answer(&call, &source.map_err(internal)?, &facts).await
}

/// A folder stays the folder that it is: else whoever may edit a source could read any file of
/// the server.
fn keep_folder(source: &StorageSource, form: &mut Form) {
    let place = Place::of(source);
    for (field, is) in [("bucket", &place.bucket), ("prefix", &place.prefix)] {
        if form.text(field).is_some_and(|sent| sent != **is) {
            let words = "This is a folder of the server; who runs the server sets it.";
            form.wrong(field, words);
        }
    }
}

/// Deletes a storage source; its stations stay, without one.
pub async fn delete(call: Call, Path(id): Path<String>) -> ApiResult<StatusCode> {
    let (source, facts) = find(&call, &id, Action::View).await?;
    let permit = call.ask(&facts, MODEL)?;
    let deleted = call.store().delete_source(permit, source.id).await;
    deleted.map_err(internal)?;
    Ok(StatusCode::NO_CONTENT)
}

#[cfg(test)]
mod tests {
    use super::{Place, uri};

    #[test]
    fn places_read_as_recorded() {
        let place = |prefix: &str| Place {
            scheme: "s3",
            bucket: "ami-test".to_owned(),
            prefix: prefix.to_owned(),
        };
        let regex = Some(r".*\.jpg");
        for (prefix, subdir, regex, text) in [
            (
                "95bee6dc",
                Some("/"),
                regex,
                r"s3://ami-test/95bee6dc//?regex=.*\.jpg",
            ),
            ("95bee6dc", None, None, "s3://ami-test/95bee6dc/"),
            ("/a/b/", Some("/c/"), None, "s3://ami-test/a/b/c/"),
            ("", None, None, "s3://ami-test/"),
        ] {
            assert_eq!(uri(&place(prefix), subdir, regex), text);
        }
    }
}
