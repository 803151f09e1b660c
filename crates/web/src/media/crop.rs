//! What is within a detection's box, cut out of the photograph when it is first asked for and kept
//! (`domain-rules.md` §14).

use axum::body::Bytes;
use domain::storage::crop_name;
use files::{FilesError, Links};
use image::DynamicImage;
use rest::{ApiError, ApiResult};

use super::{gone, original, picture};
use crate::AppState;
use crate::api::internal;

/// The address of a detection's crop.
pub fn address(links: &Links, detection: i64) -> String {
    links.relative("crops", &crop_name(detection))
}

/// What a signed link names: `detection_<id>.jpg`.
pub async fn show(state: &AppState, rest: &str) -> ApiResult<Bytes> {
    let id: i64 = rest
        .strip_prefix("detection_")
        .and_then(|rest| rest.strip_suffix(".jpg"))
        .and_then(|id| id.parse().ok())
        .ok_or(ApiError::NotFound)?;
    let key = format!("crops/{}", crop_name(id));
    match state.files.get(&key).await {
        Ok(content) => return Ok(content),
        Err(FilesError::NotFound(_)) => {}
        Err(other) => return Err(gone(other)),
    }
    let detection = state.store.detection(id).await.map_err(internal)?;
    let edges = crate::api::nested::bbox(&detection).ok_or(ApiError::NotFound)?;
    let capture = state.store.capture(detection.capture_id).await;
    let capture = capture.map_err(internal)?;
    let place = original::place(state, &capture).await?;
    let original = original::read(state, &place).await?;
    let content = picture::remake(original, move |picture| cut(&picture, edges)).await?;
    if let Err(error) = state.files.put(&key, content.clone()).await {
        tracing::warn!(%error, "a crop is not kept");
    }
    Ok(content)
}

/// Whole pixels, within the frame.
fn cut(picture: &DynamicImage, edges: [f64; 4]) -> Result<DynamicImage, String> {
    let within = |edge: f64, most: u32| {
        let edge = edge.trunc().clamp(0.0, f64::from(most));
        edge as u32 // between 0 and `most`
    };
    let (width, height) = (picture.width(), picture.height());
    let (left, right) = (within(edges[0], width), within(edges[2], width));
    let (upper, lower) = (within(edges[1], height), within(edges[3], height));
    if right <= left || lower <= upper {
        return Err("the box has no pixels in it".to_owned());
    }
    Ok(picture.crop_imm(left, upper, right - left, lower - upper))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crops_stay_within_the_frame() {
        let picture = DynamicImage::new_rgb8(10, 8);
        let size = |edges| cut(&picture, edges).map(|crop| (crop.width(), crop.height()));
        assert_eq!(size([1.9, 2.0, 4.0, 5.5]), Ok((3, 3)));
        assert_eq!(size([-5.0, -5.0, 50.0, 50.0]), Ok((10, 8)));
        for none in [[4.0, 4.0, 4.0, 5.0], [20.0, 1.0, 30.0, 2.0], [f64::NAN; 4]] {
            assert!(size(none).is_err(), "{none:?}");
        }
    }
}
