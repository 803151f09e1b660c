//! Making pictures of pictures for those who ask: bounded in how many are decoded at once, and off
//! the threads that answer requests. How it is done stands in `files::picture`.

use axum::body::Bytes;
use files::picture::{self, PictureError};
use image::DynamicImage;
use rest::{ApiError, ApiResult};
use tokio::sync::Semaphore;

/// Photographs that are decoded at once.
static DECODING: Semaphore = Semaphore::const_new(4);

/// Makes one picture of another.
///
/// # Errors
/// 404 with the reason where the original cannot be read.
pub async fn remake(
    original: Bytes,
    change: impl FnOnce(DynamicImage) -> Result<DynamicImage, PictureError> + Send + 'static,
) -> ApiResult<Bytes> {
    let failed = |error: String| ApiError::Internal(error);
    let turn = DECODING.acquire().await;
    let _turn = turn.map_err(|error| failed(error.to_string()))?;
    let work = move || {
        picture::decode(&original)
            .and_then(change)
            .and_then(|made| picture::encode(&made))
    };
    let made = tokio::task::spawn_blocking(work).await;
    let made = made.map_err(|error| failed(error.to_string()))?;
    made.map_err(|why| ApiError::Gone(format!("The photograph cannot be read: {why}.")))
}
