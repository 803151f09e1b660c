//! Decoding and encoding pictures: bounded in memory and in how many are decoded at once, and off
//! the threads that answer requests.

use std::io::Cursor;

use axum::body::Bytes;
use image::{DynamicImage, ImageReader};
use rest::{ApiError, ApiResult};
use tokio::sync::Semaphore;

/// Most memory that decoding a photograph may take, in bytes.
const MAX_DECODE: u64 = 512 * 1024 * 1024;
/// Photographs that are decoded at once.
static DECODING: Semaphore = Semaphore::const_new(4);
/// Quality of the pictures that the server makes.
const QUALITY: u8 = 82;

/// Makes one picture of another.
///
/// # Errors
/// 404 with the reason where the original cannot be read.
pub async fn remake(
    original: Bytes,
    change: impl FnOnce(DynamicImage) -> Result<DynamicImage, String> + Send + 'static,
) -> ApiResult<Bytes> {
    let failed = |error: String| ApiError::Internal(error);
    let turn = DECODING.acquire().await;
    let _turn = turn.map_err(|error| failed(error.to_string()))?;
    let work = move || change(decode(&original)?).and_then(|picture| encode(&picture));
    let made = tokio::task::spawn_blocking(work).await;
    let made = made.map_err(|error| failed(error.to_string()))?;
    made.map_err(|why| ApiError::Gone(format!("The photograph cannot be read: {why}.")))
}

fn decode(original: &[u8]) -> Result<DynamicImage, String> {
    let reader = ImageReader::new(Cursor::new(original)).with_guessed_format();
    let mut reader = reader.map_err(|error| error.to_string())?;
    let mut limits = image::Limits::default();
    limits.max_alloc = Some(MAX_DECODE);
    reader.limits(limits);
    reader.decode().map_err(|error| error.to_string())
}

fn encode(picture: &DynamicImage) -> Result<Bytes, String> {
    let mut content = Vec::new();
    let encoder = image::codecs::jpeg::JpegEncoder::new_with_quality(&mut content, QUALITY);
    let written = picture.to_rgb8().write_with_encoder(encoder);
    written.map_err(|error| error.to_string())?;
    Ok(content.into())
}
