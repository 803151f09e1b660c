//! `/media/…`: photographs, thumbnails, crops and exports behind signed links (`domain-rules.md`
//! §14). Who has a link may see what it names; without one only uploads and exports of projects that
//! are no drafts are served, whose addresses the API gives to everybody.

use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::export::FOLDER;
use domain::storage::{CROPS, Location, THUMBNAILS};
use files::{FilesError, Links};
use rest::query::Query;
use rest::{ApiError, ApiResult};

use crate::AppState;
use crate::api::internal;
use original::Original;

pub mod crop;
mod export;
pub mod forget;
pub mod original;
mod picture;
pub mod thumbnail;

pub use domain::storage::UPLOADS;

/// What a file that somebody sent may do where a browser opens it by itself: be looked at.
const INERT: &str = "default-src 'none'; style-src 'unsafe-inline'; sandbox";

/// The address of a photograph for browsers and services.
pub fn address(links: &Links, place: &Location) -> String {
    links.photograph(place)
}

/// The address of a photograph for a caller who knows this server under `root`.
pub fn address_below(root: &str, links: &Links, place: &Location) -> String {
    let address = page_address(links, place);
    match address.starts_with('/') {
        true => format!("{root}{address}"),
        false => address,
    }
}

/// The address of a photograph for pages of this server.
pub fn page_address(links: &Links, place: &Location) -> String {
    let address = links.photograph(place);
    match address.strip_prefix(links.public_url()) {
        Some(path) => path.to_owned(),
        None => address,
    }
}

/// Shows what a signed link names.
pub async fn show(
    State(state): State<AppState>,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
) -> ApiResult<Response> {
    let query = Query::parse(query.as_deref().unwrap_or_default());
    let (kind, rest) = name.split_once('/').ok_or(ApiError::NotFound)?;
    let vouched = match query.get("signature") {
        Some(signature) => {
            let expires = query.number("expires").unwrap_or(0);
            let verified = state.links.verify(&name, expires, signature);
            verified.map_err(|error| ApiError::Gone(format!("{error}.")))?;
            true
        }
        None if [UPLOADS, FOLDER].contains(&kind) => false,
        None => return Err(ApiError::Gone("this link is not valid.".to_owned())),
    };
    // Whatever is kept is shown for the sake of a row: without it, the file is on its way out.
    if kind == FOLDER {
        export::allow(&state, rest, vouched).await?;
        return export::show(&state, &name).await;
    }
    let content = match kind {
        "captures" => match original::of_source(&state, rest).await? {
            Original::Here(content) => content,
            Original::There(link) => return Ok(elsewhere(link)),
        },
        UPLOADS => {
            allow(&state, &name, vouched).await?;
            state.files.get(&name).await.map_err(gone)?
        }
        THUMBNAILS => thumbnail::show(&state, rest).await?,
        CROPS => crop::show(&state, rest).await?,
        "pictures" => state.files.get(&name).await.map_err(gone)?,
        _ => return Err(ApiError::NotFound),
    };
    // The name of an uploaded picture changes with the picture.
    let keep = match kind {
        "pictures" => "private, max-age=604800, immutable",
        _ => "private, max-age=86400",
    };
    Ok(picture(&name, content, keep))
}

/// Goes on where the upload is a capture's, and unless a signature vouches for who asks, one of a
/// project that is no draft.
async fn allow(state: &AppState, key: &str, vouched: bool) -> ApiResult<()> {
    let capture = state.store.capture_of_upload(key).await.map_err(internal)?;
    let capture = capture.ok_or(ApiError::NotFound)?;
    if vouched {
        return Ok(());
    }
    let project = capture.project_id.ok_or(ApiError::NotFound)?;
    let project = state.store.project(project).await.map_err(internal)?;
    match project.draft {
        true => Err(ApiError::NotFound),
        false => Ok(()),
    }
}

/// The way to a photograph that the storage itself hands out.
fn elsewhere(link: String) -> Response {
    let headers = [
        (header::LOCATION, link),
        (header::CACHE_CONTROL, "private, max-age=86400".to_owned()),
    ];
    (StatusCode::FOUND, headers).into_response()
}

/// A picture by the ending of its name, which whoever sent it chose: so that one that is called a
/// page, or holds a script as SVG does, can do nothing in ours.
fn picture(name: &str, content: Bytes, keep: &str) -> Response {
    let kind = mime_guess::from_path(name).first_or_octet_stream();
    let headers = [
        (header::CONTENT_TYPE, kind.as_ref().to_owned()),
        (header::CACHE_CONTROL, keep.to_owned()),
        (header::CONTENT_SECURITY_POLICY, INERT.to_owned()),
    ];
    (headers, content).into_response()
}

/// An error of the files as an answer: the reason stands in it.
fn gone(error: FilesError) -> ApiError {
    match error {
        FilesError::NotFound(_) => ApiError::Gone("The file is not there any more.".to_owned()),
        FilesError::Denied(_) => ApiError::NotFound,
        FilesError::Io(why) => ApiError::Gone(format!("The file cannot be read: {why}.")),
    }
}
