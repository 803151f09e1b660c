//! Pictures that people upload for a project, a station or themselves. The idea: a picture is
//! judged by its content, kept under a name that the server made, and shown by a signed link;
//! neither its name nor its type is ever taken from the sender.

use std::io::Cursor;

use axum::body::Bytes;
use files::Links;
use image::{ImageFormat, ImageReader};
use rest::{ApiError, ApiResult, Form};

use crate::AppState;

/// Largest picture, in bytes.
const LARGEST: usize = 10 * 1024 * 1024;

/// Longest side of a picture, in pixels: what a browser can still show.
const LONGEST_SIDE: u32 = 20_000;

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

/// A sound picture.
#[derive(Clone, Debug)]
pub struct Picture {
    content: Bytes,
    ending: &'static str,
}

/// Reads the picture of a form; what is wrong with it is noted there.
pub fn read(form: &mut Form, field: &str) -> Sent {
    let Some(upload) = form.upload(field) else {
        return if form.is_null(field) {
            Sent::Cleared
        } else {
            Sent::Nothing
        };
    };
    let content = upload.bytes.clone();
    let wrong = match judge(&content) {
        Ok(ending) => return Sent::New(Picture { content, ending }),
        Err(wrong) => wrong,
    };
    form.wrong(field, wrong);
    Sent::Nothing
}

/// The ending that suits the content, or what is wrong with it.
fn judge(content: &[u8]) -> Result<&'static str, String> {
    if content.is_empty() {
        return Err("The submitted file is empty.".to_owned());
    }
    if content.len() > LARGEST {
        let most = LARGEST / 1024 / 1024;
        return Err(format!("Ensure this file is no larger than {most} MB."));
    }
    let none = || {
        "Upload a valid image. The file you uploaded was either not an image or a corrupted image."
            .to_owned()
    };
    let reader = ImageReader::new(Cursor::new(content));
    let reader = reader.with_guessed_format().map_err(|_| none())?;
    let ending = match reader.format() {
        Some(ImageFormat::Jpeg) => "jpg",
        Some(ImageFormat::Png) => "png",
        Some(_) => return Err("Upload a JPEG or PNG image.".to_owned()),
        None => return Err(none()),
    };
    let (width, height) = reader.into_dimensions().map_err(|_| none())?;
    if width.max(height) > LONGEST_SIDE {
        return Err(format!(
            "Ensure this image is at most {LONGEST_SIDE} pixels wide and high."
        ));
    }
    Ok(ending)
}

impl Sent {
    /// Keeps a new picture in a folder (such as "projects/3"); the value of the row's column.
    ///
    /// # Errors
    /// 500 where it cannot be kept.
    pub async fn keep(self, state: &AppState, folder: &str) -> ApiResult<Option<Option<String>>> {
        let picture = match self {
            Sent::Nothing => return Ok(None),
            Sent::Cleared => return Ok(Some(None)),
            Sent::New(picture) => picture,
        };
        let key = format!("{folder}/{:032x}.{}", rand::random::<u128>(), picture.ending);
        let name = format!("images/{key}");
        let put = state.files.put(&name, picture.content).await;
        put.map_err(|error| ApiError::Internal(error.to_string()))?;
        Ok(Some(Some(key)))
    }
}

/// Deletes a picture that no row names any more. That it fails costs only the room it takes.
pub async fn forget(state: &AppState, key: Option<&str>) {
    let Some(key) = key.filter(|key| !key.contains("://")) else {
        return;
    };
    if let Err(error) = state.files.delete(&format!("images/{key}")).await {
        tracing::warn!(%error, "a picture is left behind");
    }
}

/// The address of a picture, for whoever may see its row.
pub fn address(links: &Links, key: Option<&str>) -> Option<String> {
    let key = key.filter(|key| !key.is_empty())?;
    // What was imported may lie elsewhere.
    if key.contains("://") {
        return Some(key.to_owned());
    }
    Some(links.absolute("images", key))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::judge;
    use image::{DynamicImage, ImageFormat};
    use std::io::Cursor;

    #[test]
    fn the_content_decides() {
        let picture = DynamicImage::new_rgb8(4, 3);
        for (format, ending) in [(ImageFormat::Png, "png"), (ImageFormat::Jpeg, "jpg")] {
            let mut bytes = Cursor::new(Vec::new());
            picture.write_to(&mut bytes, format).unwrap();
            assert_eq!(judge(bytes.get_ref()), Ok(ending));
            assert!(judge(&bytes.get_ref()[..8]).is_err(), "cut off");
        }
        let words = |bytes: &[u8]| judge(bytes).unwrap_err();
        assert_eq!(words(b""), "The submitted file is empty.");
        assert!(words(b"<svg onload=alert(1)>").starts_with("Upload a valid image."));
        assert_eq!(words(b"GIF89a...."), "Upload a JPEG or PNG image.");
        assert!(words(&vec![0; super::LARGEST + 1]).contains("10 MB"));
    }
}
