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
        picture::guarded(|| {
            let made = change(picture::decode(&original)?)?;
            picture::encode(&made)
        })
    };
    let made = tokio::task::spawn_blocking(work).await;
    let made = made.map_err(|error| failed(error.to_string()))?;
    made.map_err(|why| ApiError::Gone(format!("The photograph cannot be read: {why}.")))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[tokio::test]
    async fn what_cannot_be_made_is_not_there_and_no_fault_of_ours() {
        let sheet = picture::encode(&DynamicImage::new_rgb8(4, 4)).unwrap();
        let made = remake(sheet.clone(), Ok).await;
        assert_eq!(
            picture::dimensions(&made.unwrap()).ok(),
            Some((4, 4)),
            "one that can be read"
        );
        for refused in [
            remake(sheet, |_| panic!("a decoder has a fault")).await,
            remake(Bytes::from_static(b"no picture"), Ok).await,
        ] {
            let error = refused.unwrap_err();
            assert_eq!(error.status(), 404);
            let words = error.to_string();
            assert!(
                words.starts_with("The photograph cannot be read: "),
                "{words}"
            );
        }
    }
}
