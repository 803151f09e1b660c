//! The bytes of a photograph, wherever it lies: below a folder, among the files that the server
//! keeps, or at an address.

use axum::body::Bytes;
use chrono::{DateTime, Utc};
use domain::storage::{LOCAL, Location};
use files::{Files, FilesError, photograph};
use rest::{ApiError, ApiResult};
use store::capture::Capture;

use super::gone;
use crate::AppState;
use crate::api::internal;

/// A photograph of a local storage source: `<source>/<key>`.
pub async fn of_source(state: &AppState, rest: &str) -> ApiResult<Bytes> {
    let (source, key) = rest.split_once('/').ok_or(ApiError::NotFound)?;
    let source: i64 = source.parse().map_err(|_| ApiError::NotFound)?;
    let source = state.store.source(source).await.map_err(internal)?;
    if source.kind != LOCAL {
        return Err(ApiError::NotFound);
    }
    let folder = Files::local(source.bucket.as_ref()).map_err(gone)?;
    folder.get(key).await.map_err(gone)
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
    let content = photograph::read(&state.files, place).await;
    content.map_err(|error| match (place, error) {
        (Location::Web { .. }, FilesError::Io(why)) => {
            ApiError::Gone(format!("The photograph cannot be fetched: {why}."))
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
        Location::Web { .. } => return capture.last_modified_at,
    };
    let at = head.ok().map(|entry| entry.last_modified);
    at.max(capture.last_modified_at)
}
