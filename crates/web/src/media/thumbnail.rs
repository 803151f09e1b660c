//! Thumbnails of captures, made when they are first asked for and kept until the photograph is
//! newer than they are (`domain-rules.md` §14).

use axum::body::Bytes;
use files::{FilesError, Links};
use image::DynamicImage;
use rest::{ApiError, ApiResult};

use super::{gone, original, picture};
use crate::AppState;
use crate::api::internal;

/// The sizes of the API: label, and width in pixels.
pub const SIZES: [(&str, u32); 3] = [("small", 240), ("medium", 1024), ("large", 2560)];
/// The size that pages of this server show.
const PAGE: (&str, u32) = ("page", 480);

/// The address of a capture's thumbnail of this size.
pub fn address(links: &Links, capture: i64, label: &str) -> String {
    links.relative("thumbnails", &format!("capture_{capture}/{label}.jpg"))
}

/// The address of the thumbnail that pages show.
pub fn page_address(links: &Links, capture: i64) -> String {
    address(links, capture, PAGE.0)
}

fn width(label: &str) -> Option<u32> {
    let mut sizes = SIZES.iter().chain([&PAGE]);
    sizes
        .find(|(name, _)| *name == label)
        .map(|(_, width)| *width)
}

fn key(capture: i64, label: &str) -> String {
    format!("thumbnails/capture_{capture}/{label}.jpg")
}

/// What a signed link names: `capture_<id>/<label>.jpg`. One that is kept is shown as it is.
pub async fn show(state: &AppState, rest: &str) -> ApiResult<Bytes> {
    let (capture, label) = rest
        .strip_prefix("capture_")
        .and_then(|rest| rest.strip_suffix(".jpg"))
        .and_then(|rest| rest.split_once('/'))
        .ok_or(ApiError::NotFound)?;
    let capture: i64 = capture.parse().map_err(|_| ApiError::NotFound)?;
    match state.files.get(&key(capture, label)).await {
        Ok(content) => Ok(content),
        Err(FilesError::NotFound(_)) => make(state, capture, label).await,
        Err(other) => Err(gone(other)),
    }
}

/// Sees to it that the thumbnail is kept and not older than the photograph.
///
/// # Errors
/// 404 with the reason where the photograph cannot be read.
pub async fn refresh(state: &AppState, capture: i64, label: &str) -> ApiResult<()> {
    if let Ok(kept) = state.files.head(&key(capture, label)).await {
        let row = state.store.capture(capture).await.map_err(internal)?;
        let place = original::place(state, &row).await?;
        let written = original::written_at(state, &row, &place).await;
        if written.is_none_or(|at| at <= kept.last_modified) {
            return Ok(());
        }
    }
    make(state, capture, label).await.map(drop)
}

/// Forgets a capture's thumbnails; what is not there is no error.
pub async fn forget(state: &AppState, capture: i64) {
    for (label, _) in SIZES.iter().chain([&PAGE]) {
        if let Err(error) = state.files.delete(&key(capture, label)).await {
            tracing::warn!(capture, %error, "a thumbnail is not deleted");
        }
    }
}

async fn make(state: &AppState, capture: i64, label: &str) -> ApiResult<Bytes> {
    let width = width(label).ok_or(ApiError::NotFound)?;
    let row = state.store.capture(capture).await.map_err(internal)?;
    let place = original::place(state, &row).await?;
    let original = original::read(state, &place);
    let content = picture::remake(original, move |picture| Ok(shrink(picture, width))).await?;
    // A thumbnail that cannot be kept is still shown.
    let kept = state.files.put(&key(capture, label), content.clone()).await;
    if let Err(error) = kept {
        tracing::warn!(capture, %error, "a thumbnail is not kept");
    }
    Ok(content)
}

/// Never larger than the original.
fn shrink(picture: DynamicImage, width: u32) -> DynamicImage {
    if picture.width() <= width {
        return picture;
    }
    let height = u64::from(width) * u64::from(picture.height());
    let height = height.div_ceil(u64::from(picture.width().max(1)));
    picture.thumbnail(width, u32::try_from(height).unwrap_or(u32::MAX))
}
