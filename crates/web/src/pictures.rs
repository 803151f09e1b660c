//! Pictures that people upload, of themselves and of what is theirs. What a file is, its content
//! decides, not its name; it is kept under a name of our own and shown behind a signed link.

use std::io::Cursor;

use bytes::Bytes;
use files::{Files, Links, picture};
use image::{ImageFormat, ImageReader};
use rest::{ApiError, ApiResult, Form, Upload};

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
    let picture = judge(upload).await?;
    let picture = picture.map_err(|words| ApiError::field("image", words))?;
    picture.keep(files, folder).await
}

/// A sound picture that is not kept yet.
#[derive(Clone, Debug)]
pub struct Picture {
    content: Bytes,
    ending: &'static str,
}

impl Picture {
    async fn keep(self, files: &Files, folder: &str) -> ApiResult<String> {
        let key = format!("{folder}/{:016x}.{}", rand::random::<u64>(), self.ending);
        let name = format!("pictures/{key}");
        let kept = files.put(&name, self.content).await;
        kept.map_err(|error| ApiError::Internal(error.to_string()))?;
        Ok(key)
    }
}

/// What a form says about a picture.
#[derive(Clone, Debug, Default)]
pub enum Sent {
    /// Nothing: it stays as it is.
    #[default]
    Nothing,
    /// That there is to be none.
    Cleared,
    /// A new one.
    New(Picture),
}

/// Reads the picture of a form; what is wrong with it is noted there.
///
/// # Errors
/// Where it cannot be looked at.
pub async fn read(form: &mut Form, field: &str) -> ApiResult<Sent> {
    let Some(upload) = form.upload(field).cloned() else {
        return Ok(match form.is_null(field) {
            true => Sent::Cleared,
            false => Sent::Nothing,
        });
    };
    Ok(match judge(&upload).await? {
        Ok(picture) => Sent::New(picture),
        Err(words) => {
            form.wrong(field, words);
            Sent::Nothing
        }
    })
}

impl Sent {
    /// Keeps a new picture below a folder; the value of the row's column.
    ///
    /// # Errors
    /// 500 where it cannot be kept.
    pub async fn keep(self, files: &Files, folder: &str) -> ApiResult<Option<Option<String>>> {
        Ok(match self {
            Sent::Nothing => None,
            Sent::Cleared => Some(None),
            Sent::New(picture) => Some(Some(picture.keep(files, folder).await?)),
        })
    }
}

/// The picture that was sent, or what is wrong with it.
async fn judge(upload: &Upload) -> ApiResult<Result<Picture, &'static str>> {
    if upload.bytes.is_empty() {
        return Ok(Err("The submitted file is empty."));
    }
    if upload.bytes.len() > MAX {
        return Ok(Err("Ensure this file is no larger than 5 MB."));
    }
    let content = upload.bytes.clone();
    let Some(ending) = looked_at(move || ending(&content)).await? else {
        return Ok(Err(BAD));
    };
    let content = upload.bytes.clone();
    Ok(Ok(Picture { content, ending }))
}

/// Looks at a picture beside the tasks that answer; at which a decoder panics is none.
async fn looked_at<T: Send + 'static>(
    look: impl FnOnce() -> Option<T> + Send + 'static,
) -> ApiResult<Option<T>> {
    let look = move || picture::guarded(|| Ok(look())).ok().flatten();
    let looked = tokio::task::spawn_blocking(look).await;
    looked.map_err(|error| ApiError::Internal(error.to_string()))
}

/// The ending for a picture that can be decoded and is of a kind that is kept.
fn ending(content: &Bytes) -> Option<&'static str> {
    let mut reader = ImageReader::new(Cursor::new(content))
        .with_guessed_format()
        .ok()?;
    let ending = match reader.format()? {
        ImageFormat::Jpeg => "jpg",
        ImageFormat::Png => "png",
        _ => return None,
    };
    let mut limits = image::Limits::default();
    limits.max_alloc = Some(MAX_DECODE);
    reader.limits(limits);
    reader.decode().ok()?;
    Some(ending)
}

/// Deletes a picture that nobody shows any more.
pub async fn forget(files: &Files, key: &str) {
    if let Err(error) = files.delete(&format!("pictures/{key}")).await {
        tracing::warn!(%error, "a picture stays behind");
    }
}

/// Deletes the picture that a row had, where it was one of ours.
pub async fn forget_old(files: &Files, key: Option<&str>) {
    if let Some(key) = key.filter(|key| !key.is_empty() && !key.contains("://")) {
        forget(files, key).await;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn sent(bytes: impl Into<Bytes>) -> Upload {
        Upload {
            name: "me.png".to_owned(),
            bytes: bytes.into(),
        }
    }

    #[tokio::test]
    async fn what_cannot_be_decoded_is_refused_in_words() {
        let drawn = |kind| {
            let mut bytes = Cursor::new(Vec::new());
            let picture = image::DynamicImage::new_rgb8(3, 2);
            picture.write_to(&mut bytes, kind).unwrap();
            bytes.into_inner()
        };
        for (kind, ending) in [(ImageFormat::Jpeg, "jpg"), (ImageFormat::Png, "png")] {
            let judged = judge(&sent(drawn(kind))).await.unwrap();
            assert_eq!(judged.unwrap().ending, ending);
        }
        let cut = drawn(ImageFormat::Png)[..40].to_vec();
        for bad in [b"no picture".to_vec(), cut] {
            assert_eq!(judge(&sent(bad)).await.unwrap().unwrap_err(), BAD);
        }
        let panics = || -> Option<()> { panic!("a decoder has a fault") };
        assert_eq!(looked_at(panics).await.unwrap(), None);
    }
}
