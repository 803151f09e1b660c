//! The bytes of a photograph, wherever it lies: below a folder, in a bucket, among the files that
//! the server keeps, or at an address. Who fetches one of a bucket is sent on to the storage with a
//! link that it signs, so that no photograph goes through this server.

use std::time::Duration;

use axum::body::Bytes;
use chrono::{DateTime, Utc};
use domain::storage::{LOCAL, Location};
use files::{BucketError, Files, FilesError, Photographs, Source};
use rest::{ApiError, ApiResult};
use store::capture::Capture;

use super::gone;
use crate::AppState;
use crate::api::internal;

/// How long the storage's own link is good: longer than browsers may keep the way to it.
const GOOD_FOR: Duration = Duration::from_secs(7 * 24 * 3600);

/// A photograph of a storage source.
pub enum Original {
    /// Its bytes.
    Here(Bytes),
    /// Where it is to be had.
    There(String),
}

/// A photograph of a storage source: `<source>/<key>`.
pub async fn of_source(state: &AppState, rest: &str) -> ApiResult<Original> {
    let (source, key) = rest.split_once('/').ok_or(ApiError::NotFound)?;
    let source: i64 = source.parse().map_err(|_| ApiError::NotFound)?;
    let source = state.store.source(source).await.map_err(internal)?;
    if source.kind == LOCAL {
        let folder = Files::local(source.bucket.as_ref()).map_err(gone)?;
        let content = folder.get_within(key, files::MAX_FETCH).await;
        return content.map_err(gone).map(Original::Here);
    }
    let bucket = Source::open(&source, &state.links.vault()).map_err(refused)?;
    let link = bucket.presigned(key, GOOD_FOR).await.map_err(refused)?;
    let link = link.ok_or(ApiError::NotFound)?;
    Ok(Original::There(link.to_string()))
}

/// What a bucket says instead of a photograph.
fn refused(error: BucketError) -> ApiError {
    ApiError::Gone(format!("The storage gives nothing: {error}"))
}

/// The place of a capture's photograph.
pub async fn place(state: &AppState, capture: &Capture) -> ApiResult<Location> {
    let captures = std::slice::from_ref(capture);
    let mut places = state.store.locations(captures).await.map_err(internal)?;
    places.remove(&capture.id).ok_or_else(|| {
        ApiError::Gone("The photograph has no address: its station has no storage.".to_owned())
    })
}

/// The photograph.
pub async fn read(state: &AppState, place: &Location) -> ApiResult<Bytes> {
    let photographs = Photographs {
        store: state.store.clone(),
        vault: state.links.vault(),
        kept: state.files.clone(),
    };
    let content = photographs.read(place).await;
    content.map_err(|error| match (place, error) {
        (Location::Web { .. }, FilesError::Io(why)) => {
            ApiError::Gone(format!("The photograph cannot be fetched: {why}."))
        }
        (Location::Bucket { .. }, FilesError::Io(why)) => {
            ApiError::Gone(format!("The storage gives nothing: {why}"))
        }
        (_, error) => gone(error),
    })
}

/// When the photograph was last written, where that can be told without reading it.
pub async fn written_at(
    state: &AppState,
    capture: &Capture,
    place: &Location,
) -> Option<DateTime<Utc>> {
    let head = match place {
        Location::Folder { root, key, .. } => Files::local(root.as_ref()).ok()?.head(key).await,
        Location::Kept { key, .. } => state.files.head(key).await,
        Location::Web { .. } | Location::Bucket { .. } => return capture.last_modified_at,
    };
    let at = head.ok().map(|entry| entry.last_modified);
    at.max(capture.last_modified_at)
}
