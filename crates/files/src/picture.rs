//! Decoding, cutting and encoding pictures, bounded in memory. All of it is work for the processor:
//! callers keep it off the threads that answer requests.

use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};

use bytes::Bytes;
use image::{DynamicImage, ImageReader};

/// Most memory that decoding a photograph may take, in bytes.
const MAX_DECODE: u64 = 512 * 1024 * 1024;
/// Most pixels of one: not every decoder knows that bound, and grey ones become three colours later.
const MAX_PIXELS: u64 = 150_000_000;
/// Quality of the pictures that the server makes.
const QUALITY: u8 = 82;

/// Why a picture cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct PictureError(String);

fn failed(error: impl std::fmt::Display) -> PictureError {
    PictureError(error.to_string())
}

/// Works on a picture. The decoders are other people's code in the face of bytes from anywhere:
/// should one of them panic, it costs this picture only.
///
/// # Errors
/// [`PictureError`] where the work fails or panics.
pub fn guarded<T>(work: impl FnOnce() -> Result<T, PictureError>) -> Result<T, PictureError> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| Err(failed("its decoder gave up")))
}

fn reader(content: &[u8]) -> Result<ImageReader<Cursor<&[u8]>>, PictureError> {
    let reader = ImageReader::new(Cursor::new(content)).with_guessed_format();
    let mut reader = reader.map_err(failed)?;
    let mut limits = image::Limits::default();
    limits.max_alloc = Some(MAX_DECODE);
    reader.limits(limits);
    Ok(reader)
}

/// Reads a picture, whatever its name says it is; of several in one file the first.
///
/// # Errors
/// [`PictureError`] for what is no picture or too large.
pub fn decode(content: &[u8]) -> Result<DynamicImage, PictureError> {
    guarded(|| {
        let (width, height) = reader(content)?.into_dimensions().map_err(failed)?;
        if u64::from(width) * u64::from(height) > MAX_PIXELS {
            let most = MAX_PIXELS / 1_000_000;
            return Err(failed(format!(
                "it has {width} x {height} pixels, and at most {most} million are read"
            )));
        }
        reader(content)?.decode().map_err(failed)
    })
}

/// Width and height of a picture, of which the beginning may be enough.
///
/// # Errors
/// [`PictureError`] for what is no picture, or where its size stands further behind.
pub fn dimensions(content: &[u8]) -> Result<(u32, u32), PictureError> {
    guarded(|| reader(content)?.into_dimensions().map_err(failed))
}

/// Writes a picture as JPEG.
///
/// # Errors
/// [`PictureError`].
pub fn encode(picture: &DynamicImage) -> Result<Bytes, PictureError> {
    let mut content = Vec::new();
    let encoder = image::codecs::jpeg::JpegEncoder::new_with_quality(&mut content, QUALITY);
    let written = picture.to_rgb8().write_with_encoder(encoder);
    written.map_err(failed)?;
    Ok(content.into())
}

/// Cuts out what is between these edges (left, upper, right, lower): whole pixels, within the
/// frame.
///
/// # Errors
/// [`PictureError`] where there are no pixels between them.
pub fn cut(picture: &DynamicImage, edges: [f64; 4]) -> Result<DynamicImage, PictureError> {
    let within = |edge: f64, most: u32| {
        let edge = edge.trunc().clamp(0.0, f64::from(most));
        edge as u32 // between 0 and `most`
    };
    let (width, height) = (picture.width(), picture.height());
    let (left, right) = (within(edges[0], width), within(edges[2], width));
    let (upper, lower) = (within(edges[1], height), within(edges[3], height));
    if right <= left || lower <= upper {
        return Err(failed("the box has no pixels in it"));
    }
    Ok(picture.crop_imm(left, upper, right - left, lower - upper))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use image::ImageFormat;

    use super::*;

    #[test]
    fn a_decoder_that_panics_costs_one_picture() {
        let gave_up = PictureError("its decoder gave up".to_owned());
        let none: Result<(), PictureError> = guarded(|| panic!("a decoder has a fault"));
        assert_eq!(none, Err(gave_up));
        assert_eq!(guarded(|| Ok(1)), Ok(1));
    }

    #[test]
    fn the_size_stands_at_the_beginning() {
        let noise = |x: u32, y: u32| image::Rgb([x * 7, y * 13, x * y].map(|v| (v % 256) as u8));
        let picture = image::RgbImage::from_fn(200, 150, noise);
        let content = encode(&picture.into()).unwrap_or_default();
        assert_eq!(dimensions(&content[..content.len() / 2]), Ok((200, 150)));
        assert!(dimensions(b"no picture").is_err() && dimensions(b"").is_err());
    }

    /// What a station may hold and a server can show.
    const KINDS: [ImageFormat; 6] = [
        ImageFormat::Jpeg,
        ImageFormat::Png,
        ImageFormat::Gif,
        ImageFormat::WebP,
        ImageFormat::Bmp,
        ImageFormat::Tiff,
    ];

    fn drawn(kind: ImageFormat) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        let sheet = image::RgbImage::from_pixel(40, 30, image::Rgb([200, 60, 20]));
        sheet.write_to(&mut bytes, kind).unwrap();
        bytes.into_inner()
    }

    #[test]
    fn every_kind_that_is_synced_is_read() {
        for kind in KINDS {
            let content = drawn(kind);
            assert_eq!(dimensions(&content), Ok((40, 30)), "{kind:?}");
            let picture = decode(&content).unwrap().to_rgb8();
            let [r, g, b] = picture.get_pixel(20, 15).0;
            let near = |one: u8, other: u8| one.abs_diff(other) < 12;
            let right = near(r, 200) && near(g, 60) && near(b, 20);
            assert!(right, "{kind:?}: {r} {g} {b}");
        }
    }

    /// Heads that promise more than there is memory for.
    #[test]
    fn what_would_be_too_large_is_not_begun() {
        let at = |content: &[u8], head: &[u8]| {
            let found = content.windows(head.len()).position(|one| one == head);
            found.unwrap() + head.len()
        };
        let side = 60_000_u32.to_le_bytes();
        let mut gif = drawn(ImageFormat::Gif);
        gif[6..10].copy_from_slice(&[0xff; 4]);
        let mut webp = drawn(ImageFormat::WebP);
        let from = at(&webp, b"VP8L") + 5;
        webp[from..from + 4].copy_from_slice(&[0xff, 0xff, 0xff, 0x0f]);
        let mut bmp = drawn(ImageFormat::Bmp);
        bmp[18..22].copy_from_slice(&side);
        bmp[22..26].copy_from_slice(&side);
        let mut tiff = drawn(ImageFormat::Tiff);
        for head in [[0, 1, 4, 0, 1, 0, 0, 0], [1, 1, 4, 0, 1, 0, 0, 0]] {
            let from = at(&tiff, &head);
            tiff[from..from + 4].copy_from_slice(&side);
        }
        let words = decode(&gif).unwrap_err().to_string();
        assert!(words.contains("at most 150 million"), "{words}");
        // Some are noticed sooner, by their decoders.
        for content in [webp, bmp, tiff] {
            assert!(decode(&content).is_err());
        }
    }

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
