//! What is within a detection's box: cut out of the photograph when it is first asked for and kept,
//! unless a worker process has cut it ahead of time (`domain-rules.md` §14).

use axum::body::Bytes;
use domain::storage::{CROPS, crop_key, crop_name, of_crop};
use files::picture::cut;
use files::{FilesError, Links};
use rest::{ApiError, ApiResult};

use super::{gone, original, picture};
use crate::AppState;
use crate::api::internal;

/// The address of a detection's crop.
pub fn address(links: &Links, detection: i64) -> String {
    links.relative(CROPS, &crop_name(detection))
}

/// What a signed link names: `detection_<id>.jpg`. One that is kept is shown as it is, as long as
/// there is the detection.
pub async fn show(state: &AppState, rest: &str) -> ApiResult<Bytes> {
    let id = of_crop(rest).ok_or(ApiError::NotFound)?;
    let detection = state.store.detection(id).await.map_err(internal)?;
    let key = crop_key(id);
    match state.files.get(&key).await {
        Ok(content) => return Ok(content),
        Err(FilesError::NotFound(_)) => {}
        Err(other) => return Err(gone(other)),
    }
    let edges = crate::api::nested::bbox(&detection).ok_or(ApiError::NotFound)?;
    let capture = state.store.capture(detection.capture_id).await;
    let capture = capture.map_err(internal)?;
    let place = original::place(state, &capture).await?;
    let original = original::read(state, &place);
    let content = picture::remake(original, move |whole| cut(&whole, edges)).await?;
    if let Err(error) = state.files.put(&key, content.clone()).await {
        tracing::warn!(%error, "a crop is not kept");
    }
    Ok(content)
}
