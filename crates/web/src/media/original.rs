//! The bytes of a photograph, wherever it lies: below a folder, among the files that the server
//! keeps, or at an address.

use std::sync::LazyLock;
use std::time::Duration;

use axum::body::Bytes;
use chrono::{DateTime, Utc};
use domain::storage::{LOCAL, Location};
use files::Files;
use rest::{ApiError, ApiResult};
use store::capture::Capture;

use super::gone;
use crate::AppState;
use crate::api::internal;

/// Largest photograph that is fetched from an address, in bytes.
const MAX_FETCH: usize = 100 * 1024 * 1024;

static CLIENT: LazyLock<Option<reqwest::Client>> = LazyLock::new(|| {
    let builder = reqwest::Client::builder()
        .connect_timeout(Duration::from_secs(5))
        .timeout(Duration::from_secs(30));
    builder.build().ok()
});

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
    match place {
        Location::Folder { root, key, .. } => {
            let folder = Files::local(root.as_ref()).map_err(gone)?;
            folder.get(key).await.map_err(gone)
        }
        Location::Kept { key, .. } => state.files.get(key).await.map_err(gone),
        Location::Web { url } => fetch(url).await,
    }
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

async fn fetch(url: &str) -> ApiResult<Bytes> {
    let failed = |why: String| ApiError::Gone(format!("The photograph cannot be fetched: {why}."));
    let client = CLIENT
        .as_ref()
        .ok_or_else(|| ApiError::Internal("there is no HTTP client".to_owned()))?;
    let answer = client.get(url).send().await;
    let mut answer = answer.map_err(|error| failed(error.without_url().to_string()))?;
    if !answer.status().is_success() {
        return Err(failed(format!("the storage answers {}", answer.status())));
    }
    let mut bytes = Vec::new();
    loop {
        let piece = answer.chunk().await;
        match piece.map_err(|error| failed(error.without_url().to_string()))? {
            None => return Ok(bytes.into()),
            Some(piece) if bytes.len() + piece.len() > MAX_FETCH => {
                return Err(failed("it is too large".to_owned()));
            }
            Some(piece) => bytes.extend_from_slice(&piece),
        }
    }
}
