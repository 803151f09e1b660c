//! Making pictures of pictures for those who ask: bounded in how many are in memory and decoded at
//! once, and off the threads that answer requests. How it is done stands in `files::picture`.

use std::time::Duration;

use axum::body::Bytes;
use files::picture::{self, PictureError};
use image::DynamicImage;
use rest::{ApiError, ApiResult};
use tokio::sync::{Semaphore, SemaphorePermit};

/// Photographs that are read, or wait to be decoded, at once: more than are decoded, so that a slow
/// storage does not keep those of others waiting.
const READ: usize = 12;
static READING: Semaphore = Semaphore::const_new(READ);
/// How long one is waited for: a storage that has died would keep all places.
const PATIENCE: Duration = Duration::from_secs(20);
/// Photographs that are decoded at once.
static DECODING: Semaphore = Semaphore::const_new(4);

/// Makes one picture of another, which is read when its turn comes.
///
/// # Errors
/// 404 with the reason where the original cannot be read.
pub async fn remake(
    original: impl Future<Output = ApiResult<Bytes>>,
    change: impl FnOnce(DynamicImage) -> Result<DynamicImage, PictureError> + Send + 'static,
) -> ApiResult<Bytes> {
    let room = turn(&READING).await?;
    let read = tokio::time::timeout(PATIENCE, original).await;
    let original = read.map_err(|_| ApiError::Gone("The storage is too slow.".to_owned()))??;
    // They are had until the work is done, also where nobody waits for it any more.
    let held = (room, turn(&DECODING).await?);
    let work = move || {
        let _held = held;
        picture::guarded(|| {
            let made = change(picture::decode(&original)?)?;
            picture::encode(&made)
        })
    };
    let made = tokio::task::spawn_blocking(work).await;
    let made = made.map_err(|error| ApiError::Internal(error.to_string()))?;
    made.map_err(|why| ApiError::Gone(format!("The photograph cannot be read: {why}.")))
}

async fn turn(places: &'static Semaphore) -> ApiResult<SemaphorePermit<'static>> {
    let turn = places.acquire().await;
    turn.map_err(|error| ApiError::Internal(error.to_string()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::future::{pending, ready};
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures_util::FutureExt;

    use super::*;

    #[tokio::test]
    async fn what_cannot_be_made_is_not_there_and_no_fault_of_ours() {
        let sheet = picture::encode(&DynamicImage::new_rgb8(4, 4)).unwrap();
        let made = remake(ready(Ok(sheet.clone())), Ok).await;
        assert_eq!(
            picture::dimensions(&made.unwrap()).ok(),
            Some((4, 4)),
            "one that can be read"
        );
        for refused in [
            remake(ready(Ok(sheet)), |_| panic!("a decoder has a fault")).await,
            remake(ready(Ok(Bytes::from_static(b"no picture"))), Ok).await,
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

    #[tokio::test]
    async fn what_has_no_turn_is_not_read_yet() {
        let begun = &AtomicUsize::new(0);
        let slow = || async move {
            begun.fetch_add(1, Ordering::Relaxed);
            pending::<ApiResult<Bytes>>().await
        };
        let made = (0..READ * 3).map(|_| Box::pin(remake(slow(), Ok)));
        let mut made: Vec<_> = made.collect();
        for one in &mut made {
            assert!(one.now_or_never().is_none());
        }
        let begun = begun.load(Ordering::Relaxed);
        assert!((1..=READ).contains(&begun), "{begun}");
    }
}
