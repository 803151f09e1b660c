//! From the bytes of a photograph to its pixels, or one clear sentence. The idea: whatever comes,
//! memory and work are bounded before anything is decoded.
//!
//! Boxes are in the frame of the picture *as it is stored*: the rotation that EXIF asks for is
//! read and reported, not applied, because the reference platform cuts crops out of raw pixels.

use std::io::Cursor;

use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits, Rgb, RgbImage};

/// Most pixels of a picture that is decoded.
pub const MAX_PIXELS: u64 = 100_000_000;
/// Most memory that decoding may take, in bytes.
const MAX_MEMORY: u64 = 1024 * 1024 * 1024;

/// Why a picture cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// Neither JPEG nor PNG.
    #[error("the file is neither a JPEG nor a PNG picture")]
    UnknownFormat,
    /// More than [`MAX_PIXELS`].
    #[error("the picture has {0} x {1} pixels; at most {max} million are read", max = MAX_PIXELS / 1_000_000)]
    TooLarge(u32, u32),
    /// Damaged or cut off.
    #[error("the picture cannot be read: {0}")]
    Damaged(String),
}

/// A decoded picture.
#[derive(Debug)]
pub struct Picture {
    /// Its pixels as they are stored; transparent ones lie on white.
    pub pixels: RgbImage,
    /// True when its metadata asks for a rotation or mirroring, which was not applied.
    pub turned: bool,
}

/// Decodes a JPEG or PNG picture of any colour type.
///
/// # Errors
/// [`DecodeError`]; never panics.
pub fn decode(bytes: &[u8]) -> Result<Picture, DecodeError> {
    // The decoders are other people's code in the face of bytes from anywhere: should one of
    // them panic, it costs this picture only.
    std::panic::catch_unwind(|| read(bytes))
        .unwrap_or_else(|_| Err(DecodeError::Damaged("its decoder gave up".to_owned())))
}

fn read(bytes: &[u8]) -> Result<Picture, DecodeError> {
    let damaged = |e: image::ImageError| DecodeError::Damaged(e.to_string());
    let mut reader = ImageReader::new(Cursor::new(bytes))
        .with_guessed_format()
        .map_err(|e| DecodeError::Damaged(e.to_string()))?;
    match reader.format() {
        Some(ImageFormat::Png) => {}
        Some(ImageFormat::Jpeg) if is_cut_off(bytes) => {
            let words = "it stops before its end; perhaps it was not copied completely";
            return Err(DecodeError::Damaged(words.to_owned()));
        }
        Some(ImageFormat::Jpeg) => {}
        _ => return Err(DecodeError::UnknownFormat),
    }
    let mut limits = Limits::default();
    limits.max_alloc = Some(MAX_MEMORY);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(damaged)?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > MAX_PIXELS {
        return Err(DecodeError::TooLarge(width, height));
    }
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let picture = DynamicImage::from_decoder(decoder).map_err(damaged)?;
    Ok(Picture {
        pixels: on_white(picture),
        turned: orientation != Orientation::NoTransforms,
    })
}

/// True for a JPEG file without its end marker. The decoder would fill what is missing with
/// grey, and a half-copied photograph would count as one with few insects.
fn is_cut_off(bytes: &[u8]) -> bool {
    // Segments up to the start of the scan are skipped by their lengths, because a thumbnail
    // within them has an end marker of its own.
    let mut at = 2;
    while let Some(&[0xff, kind, high, low]) = bytes.get(at..at + 4) {
        if kind == 0xff {
            at += 1;
            continue;
        }
        at += 2 + usize::from(u16::from_be_bytes([high, low]));
        if kind == 0xda {
            break;
        }
    }
    let scan = bytes.get(at..).unwrap_or_default();
    !scan.windows(2).any(|pair| pair == [0xff, 0xd9])
}

/// Eight bits of red, green and blue; what is transparent shows the white sheet.
fn on_white(picture: DynamicImage) -> RgbImage {
    if !picture.color().has_alpha() {
        return picture.into_rgb8();
    }
    let picture = picture.into_rgba8();
    RgbImage::from_fn(picture.width(), picture.height(), |x, y| {
        let [r, g, b, a] = picture.get_pixel(x, y).0.map(u32::from);
        let over = |v: u32| u8::try_from((v * a + 255 * (255 - a) + 127) / 255).unwrap_or(u8::MAX);
        Rgb([over(r), over(g), over(b)])
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use image::{Luma, LumaA, Rgba};
    use proptest::prelude::*;

    fn png(picture: DynamicImage) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        picture.write_to(&mut bytes, ImageFormat::Png).unwrap();
        bytes.into_inner()
    }

    #[test]
    fn all_colour_types_are_read() {
        let grey = DynamicImage::ImageLuma8(image::GrayImage::from_pixel(3, 2, Luma([100])));
        let deep = DynamicImage::ImageLuma16(image::ImageBuffer::from_pixel(3, 2, Luma([25_700])));
        let glass =
            DynamicImage::ImageRgba8(image::RgbaImage::from_pixel(3, 2, Rgba([0, 0, 0, 0])));
        let veil = DynamicImage::ImageLumaA8(image::ImageBuffer::from_pixel(3, 2, LumaA([0, 128])));
        for (picture, value) in [(grey, 100), (deep, 100), (glass, 255), (veil, 127)] {
            let read = decode(&png(picture)).unwrap().pixels;
            assert_eq!(read.get_pixel(1, 1).0, [value; 3]);
        }
    }

    fn jpeg(width: u32, height: u32) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        let picture = RgbImage::from_fn(width, height, |x, y| {
            let v = u8::try_from((x * 7 + y * 13) % 256).unwrap();
            Rgb([v, 255 - v, 90])
        });
        picture.write_to(&mut bytes, ImageFormat::Jpeg).unwrap();
        bytes.into_inner()
    }

    #[test]
    fn what_cannot_be_read_is_said_in_a_sentence() {
        let whole = png(DynamicImage::new_rgb8(200, 100));
        let cut = &whole[..whole.len() / 2];
        assert!(matches!(decode(b""), Err(DecodeError::UnknownFormat)));
        assert!(matches!(decode(b"GIF89a"), Err(DecodeError::UnknownFormat)));
        assert!(matches!(
            decode(b"<html>no"),
            Err(DecodeError::UnknownFormat)
        ));
        assert!(matches!(decode(cut), Err(DecodeError::Damaged(_))));
        let mut huge = png(DynamicImage::new_rgb8(1, 1));
        huge[16..24].copy_from_slice(&[0, 0, 0x75, 0x30, 0, 0, 0x75, 0x30]);
        let error = decode(&huge).unwrap_err();
        assert!(matches!(
            error,
            DecodeError::TooLarge(..) | DecodeError::Damaged(_)
        ));
    }

    #[test]
    fn a_photograph_copied_by_half_is_damaged_not_half_empty() {
        let whole = jpeg(300, 200);
        assert_eq!(decode(&whole).unwrap().pixels.dimensions(), (300, 200));
        for share in [30, 60, 90, 99] {
            let cut = decode(&whole[..whole.len() * share / 100]);
            assert!(
                matches!(cut, Err(DecodeError::Damaged(_))),
                "{share} %: {cut:?}"
            );
        }
    }

    #[test]
    fn a_jpeg_of_too_many_pixels_is_refused_before_it_is_decoded() {
        let mut huge = jpeg(8, 8);
        let frame = huge.windows(2).position(|w| w == [0xff, 0xc0]).unwrap();
        huge[frame + 5..frame + 9].copy_from_slice(&[0x75, 0x30, 0x75, 0x30]);
        let error = decode(&huge).unwrap_err();
        assert!(
            matches!(error, DecodeError::TooLarge(30_000, 30_000)),
            "{error}"
        );
    }

    #[test]
    fn four_inks_become_three_colours() {
        let read = decode(include_bytes!("../tests/data/cmyk.jpg"))
            .unwrap()
            .pixels;
        for (x, y, wanted) in [(11, 9, [150, 40, 30]), (28, 20, [220, 220, 215])] {
            for (got, wanted) in read.get_pixel(x, y).0.into_iter().zip(wanted) {
                assert!(
                    i32::from(got).abs_diff(wanted) < 25,
                    "{got} is not {wanted}"
                );
            }
        }
    }

    #[test]
    fn a_rotation_is_reported_and_not_applied() {
        let turned = decode(include_bytes!("../tests/data/turned.jpg")).unwrap();
        assert!(turned.turned);
        assert_eq!(turned.pixels.dimensions(), (32, 24));
        assert!(!decode(&jpeg(32, 24)).unwrap().turned);
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..600), kind in 0..3usize) {
            let head: &[u8] = [&b""[..], &b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"[..], &b"\xff\xd8\xff\xe0"[..]][kind];
            let _ = decode(&[head, &bytes].concat());
        }
    }
}
