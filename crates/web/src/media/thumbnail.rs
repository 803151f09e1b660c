//! Thumbnails of captures, made when they are first asked for and kept until the photograph is
//! newer than they are (`domain-rules.md` §14).

use axum::body::Bytes;
use domain::storage::{THUMBNAILS, of_thumbnail, thumbnails_of};
use files::{FilesError, Links};
use image::DynamicImage;
use rest::{ApiError, ApiResult};
use store::capture::Capture;

use super::{gone, original, picture};
use crate::AppState;
use crate::api::internal;

/// The sizes of the API: label, and width in pixels.
pub const SIZES: [(&str, u32); 3] = [("small", 240), ("medium", 1024), ("large", 2560)];
/// The label of the largest size.
pub const LARGEST: &str = SIZES[2].0;
/// The size that pages of this server show.
const PAGE: (&str, u32) = ("page", 480);

/// The address of a capture's thumbnail of this size.
pub fn address(links: &Links, capture: i64, label: &str) -> String {
    links.relative(THUMBNAILS, &name(capture, label))
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

fn name(capture: i64, label: &str) -> String {
    format!("{}/{label}.jpg", thumbnails_of(capture))
}

fn key(capture: i64, label: &str) -> String {
    format!("{THUMBNAILS}/{}", name(capture, label))
}

/// Where all thumbnails of a capture lie that there may be.
pub fn keys(capture: i64) -> impl Iterator<Item = String> {
    let sizes = SIZES.iter().chain([&PAGE]);
    sizes.map(move |(label, _)| key(capture, label))
}

/// What a signed link names: `capture_<id>/<label>.jpg`. One that is kept is shown as it is, as long
/// as there is the capture.
pub async fn show(state: &AppState, rest: &str) -> ApiResult<Bytes> {
    let (capture, label) = of_thumbnail(rest).ok_or(ApiError::NotFound)?;
    let row = state.store.capture(capture).await.map_err(internal)?;
    match state.files.get(&key(capture, label)).await {
        Ok(content) => Ok(content),
        Err(FilesError::NotFound(_)) => make(state, &row, label).await,
        Err(other) => Err(gone(other)),
    }
}

/// Sees to it that the thumbnail is kept and not older than the photograph.
///
/// # Errors
/// 404 with the reason where the photograph cannot be read.
pub async fn refresh(state: &AppState, capture: i64, label: &str) -> ApiResult<()> {
    let row = state.store.capture(capture).await.map_err(internal)?;
    if let Ok(kept) = state.files.head(&key(capture, label)).await {
        let place = original::place(state, &row).await?;
        let written = original::written_at(state, &row, &place).await;
        if written.is_none_or(|at| at <= kept.last_modified) {
            return Ok(());
        }
    }
    make(state, &row, label).await.map(drop)
}

async fn make(state: &AppState, row: &Capture, label: &str) -> ApiResult<Bytes> {
    let width = width(label).ok_or(ApiError::NotFound)?;
    let place = original::place(state, row).await?;
    let original = original::read(state, &place);
    let content = picture::remake(original, move |picture| Ok(shrink(picture, width))).await?;
    // A thumbnail that cannot be kept is still shown.
    let kept = state.files.put(&key(row.id, label), content.clone()).await;
    if let Err(error) = kept {
        tracing::warn!(capture = row.id, %error, "a thumbnail is not kept");
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
