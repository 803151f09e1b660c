//! Testing a storage source: does it answer, and what lies first below a folder and by a pattern
//! (`domain-rules.md` §3). Nothing found is an answer, not an error; a storage that cannot be
//! asked is one, with its own code.

use std::time::{Duration, Instant};

use axum::Json;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use domain::capture::is_image_key;
use domain::permission::Action;
use domain::storage::{LOCAL, Location, public_url};
use files::{BucketError, Entry, Look, Pattern, Source};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use rest::field::{Field, Kind};
use rest::{ApiResult, Form, How, JsonBody};
use serde_json::{Value, json};
use store::source::StorageSource;

use super::super::internal;
use super::{Place, find, uri};
use crate::call::Call;
use crate::media;

/// What a test takes.
pub const FIELDS: &[Field] = &[
    Field::new("subdir", "Subdir", Kind::Text(Some(255)))
        .nullable()
        .blank(),
    Field::new("regex_filter", "Regex filter", Kind::Text(Some(255)))
        .nullable()
        .blank(),
];

/// Objects that a test looks at, at most.
const MOST: u64 = 10_000;

/// What Python leaves as it is in a query.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'_')
    .remove(b'.')
    .remove(b'-')
    .remove(b'~');

/// Tests a storage source.
pub async fn test(call: Call, Path(id): Path<String>, body: JsonBody) -> ApiResult<Response> {
    let action = Action::Change("test_s3storagesource");
    let (source, _) = find(&call, &id, action).await?;
    let form = Form::read(FIELDS, body, How::Partial)?;
    form.finish()?;
    let subdir = form.text("subdir").unwrap_or_default();
    let regex = form.text("regex_filter").unwrap_or_default();
    let begun = Instant::now();
    let looked = match Pattern::new(&regex) {
        Ok(pattern) => look(&call, &source, &subdir, &pattern).await,
        Err(wrong) => Err(refused(&wrong, &wrong)),
    };
    let look = match looked {
        Ok(look) => look,
        Err(error) => {
            let body = json!({"detail": error.message, "code": error.code});
            return Ok((StatusCode::BAD_REQUEST, Json(body)).into_response());
        }
    };
    let checked = call.store().source_checked(source.id).await;
    checked.map_err(internal)?;
    let answer = told(&call, &source, &look, begun.elapsed(), &subdir, &regex);
    Ok(Json(answer).into_response())
}

fn refused(code: &str, message: &str) -> BucketError {
    BucketError {
        code: code.to_owned(),
        message: message.to_owned(),
    }
}

fn told(
    call: &Call,
    source: &StorageSource,
    look: &Look,
    total: Duration,
    subdir: &str,
    regex: &str,
) -> Value {
    let (code, message) = match (&look.found, look.checked) {
        (Some(_), _) => (None, None),
        (None, 0) => (
            Some("NoFilesFound"),
            Some("No files found at the specified location."),
        ),
        (None, _) => (
            Some("NoMatchingFilesFound"),
            Some("There are files, but none that is a picture and matches."),
        ),
    };
    let subdir = subdir.trim_matches('/');
    let subdir = (!subdir.is_empty()).then_some(subdir);
    let regex = utf8_percent_encode(regex, ENCODED).to_string();
    let regex = (!regex.is_empty()).then_some(regex.as_str());
    json!({
        "connection_successful": true,
        "prefix_exists": look.found.is_some(),
        "latency": look.latency.as_secs_f64(),
        "total_time": total.as_secs_f64(),
        "error_code": code,
        "error_message": message,
        "files_checked": look.checked,
        "first_file_found": look.found.as_ref().and_then(|file| address(call, source, file)),
        "full_uri": uri(&Place::of(source), subdir, regex),
    })
}

/// The address of a file of the source.
fn address(call: &Call, source: &StorageSource, file: &Entry) -> Option<String> {
    if source.kind == LOCAL {
        let place = Location::Folder {
            source: source.id,
            root: source.bucket.clone(),
            key: file.key.clone(),
        };
        return Some(media::address(&call.state.links, &place));
    }
    // Where the storage itself has it, as recorded; a capture's own address is another one.
    let base = match (&source.endpoint_url, &source.public_base_url) {
        (Some(endpoint), _) => format!("{}/{}", endpoint.trim_end_matches('/'), source.bucket),
        (None, Some(base)) => base.trim_end_matches('/').to_owned(),
        (None, None) => return None,
    };
    public_url(&format!("{base}/"), &file.key)
}

async fn look(
    call: &Call,
    source: &StorageSource,
    subdir: &str,
    pattern: &Pattern,
) -> Result<Look, BucketError> {
    let wanted =
        |entry: &Entry| is_image_key(&entry.key) && entry.size > 0 && pattern.finds(&entry.key);
    let place = Source::open(source, &call.state.links.vault())?;
    place
        .look(&Source::prefix(source, subdir), MOST, wanted)
        .await
}
