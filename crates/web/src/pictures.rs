//! Pictures that people upload, of themselves and of what is theirs. What a file is, its content
//! decides, not its name; it is kept under a name of our own and shown behind a signed link.

use std::io::Cursor;

use bytes::Bytes;
use files::{Files, Links};
use image::{ImageFormat, ImageReader};
use rest::{ApiError, ApiResult, Upload};

/// Largest picture, in bytes.
const MAX: usize = 5 * 1024 * 1024;
/// Most memory that decoding it may take, in bytes.
const MAX_DECODE: u64 = 256 * 1024 * 1024;
/// What is no picture, in the words of Django REST framework.
const BAD: &str =
    "Upload a valid image. The file you uploaded was either not an image or a corrupted image.";

/// The address of a picture, where there is one.
pub fn address(links: &Links, key: Option<&str>) -> Option<String> {
    let key = key.filter(|key| !key.is_empty())?;
    // What an importer or another server kept may be an address already.
    if key.starts_with("http://") || key.starts_with("https://") {
        return Some(key.to_owned());
    }
    Some(links.absolute("pictures", key))
}

/// Keeps an upload below a folder; its key.
///
/// # Errors
/// 400 on the field `image` for what is no JPEG or PNG, or too large.
pub async fn keep(files: &Files, folder: &str, upload: &Upload) -> ApiResult<String> {
    if upload.bytes.is_empty() {
        return Err(ApiError::field("image", "The submitted file is empty."));
    }
    if upload.bytes.len() > MAX {
        let words = "Ensure this file is no larger than 5 MB.";
        return Err(ApiError::field("image", words));
    }
    let content = upload.bytes.clone();
    let kind = tokio::task::spawn_blocking(move || kind(&content)).await;
    let kind = kind.map_err(|error| ApiError::Internal(error.to_string()))?;
    let ending = match kind {
        Some(ImageFormat::Jpeg) => "jpg",
        Some(ImageFormat::Png) => "png",
        _ => return Err(ApiError::field("image", BAD)),
    };
    let key = format!("{folder}/{:016x}.{ending}", rand::random::<u64>());
    let kept = files
        .put(&format!("pictures/{key}"), upload.bytes.clone())
        .await;
    kept.map_err(|error| ApiError::Internal(error.to_string()))?;
    Ok(key)
}

/// The format of a picture that can be decoded.
fn kind(content: &Bytes) -> Option<ImageFormat> {
    let mut reader = ImageReader::new(Cursor::new(content))
        .with_guessed_format()
        .ok()?;
    let kind = reader.format()?;
    let mut limits = image::Limits::default();
    limits.max_alloc = Some(MAX_DECODE);
    reader.limits(limits);
    reader.decode().ok()?;
    Some(kind)
}

/// Deletes a picture that nobody shows any more.
pub async fn forget(files: &Files, key: &str) {
    if let Err(error) = files.delete(&format!("pictures/{key}")).await {
        tracing::warn!(%error, "a picture stays behind");
    }
}
