//! What an uploaded photograph is, told from its bytes and its name (`domain-rules.md` §2, §14):
//! the picture's size, its checksum, and when it was taken.

use std::io::Cursor;

use axum::body::Bytes;
use chrono::NaiveDateTime;
use domain::timestamp;
use exif::{In, Tag, Value};
use files::picture;
use md5::{Digest, Md5};
use rest::zone::Zone;
use store::capture::NewCapture;

/// Reads a photograph; `None` where it is no picture of a kind that is known. The content
/// decides, not the name.
pub fn read(name: &str, bytes: &Bytes) -> Option<NewCapture> {
    let (width, height) = picture::dimensions(bytes).ok()?;
    let written = || picture::guarded(|| Ok(exif_time(bytes))).ok().flatten();
    let taken_at = timestamp::from_file_name(name)
        .or_else(written)
        .unwrap_or_else(|| Zone::current().local(store::now()));
    Some(NewCapture {
        path: name.to_owned(),
        taken_at: Some(taken_at),
        size: i64::try_from(bytes.len()).ok(),
        last_modified_at: Some(store::now()),
        checksum: Some(hex::encode(Md5::digest(bytes))),
        checksum_algorithm: Some("md5".to_owned()),
        width: i32::try_from(width).ok(),
        height: i32::try_from(height).ok(),
    })
}

/// The time that the camera wrote into the file: when it was taken, else when it was written.
fn exif_time(bytes: &Bytes) -> Option<NaiveDateTime> {
    let mut content = Cursor::new(bytes.as_ref());
    let exif = exif::Reader::new().read_from_container(&mut content).ok()?;
    let time = |tag| {
        let Value::Ascii(texts) = &exif.get_field(tag, In::PRIMARY)?.value else {
            return None;
        };
        let text = std::str::from_utf8(texts.first()?).ok()?;
        timestamp::parse_exif(text)
    };
    time(Tag::DateTimeOriginal).or_else(|| time(Tag::DateTime))
}

/// A name that is safe as a key: letters, digits, dots, dashes and underscores.
pub fn safe_name(name: &str) -> String {
    let safe = |c: char| match c {
        c if c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_') => Some(c),
        ' ' => Some('_'),
        _ => None,
    };
    let name: String = name.chars().filter_map(safe).take(150).collect();
    match name.trim_start_matches('.') {
        "" => "photograph.jpg".to_owned(),
        name => name.to_owned(),
    }
}

/// The same name with seven digits by chance before its last dot.
pub fn another_name(name: &str, chance: u32) -> String {
    let chance = chance & 0x0fff_ffff;
    match name.rsplit_once('.') {
        Some((stem, kind)) => format!("{stem}_{chance:07x}.{kind}"),
        None => format!("{name}_{chance:07x}"),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// A JPEG whose EXIF says when it was taken.
    fn dated(text: &str) -> Bytes {
        let mut jpeg = Vec::new();
        let encoder = image::codecs::jpeg::JpegEncoder::new(&mut jpeg);
        image::DynamicImage::new_rgb8(6, 4)
            .write_with_encoder(encoder)
            .unwrap();
        let field = exif::Field {
            tag: Tag::DateTimeOriginal,
            ifd_num: In::PRIMARY,
            value: Value::Ascii(vec![text.as_bytes().to_vec()]),
        };
        let mut writer = exif::experimental::Writer::new();
        writer.push_field(&field);
        let mut block = Cursor::new(Vec::new());
        writer.write(&mut block, false).unwrap();
        let block = block.into_inner();
        let length = u16::try_from(block.len() + 8).unwrap().to_be_bytes();
        let segment = [&[0xff, 0xe1][..], &length, b"Exif\0\0", &block].concat();
        let bytes = [&jpeg[..2], &segment, &jpeg[2..]].concat();
        bytes.into()
    }

    #[test]
    fn the_name_comes_before_what_the_camera_wrote() {
        let bytes = dated("2023:07:02 03:04:05");
        let at = |name| read(name, &bytes).unwrap().taken_at.unwrap().to_string();
        assert_eq!(at("moth.jpg"), "2023-07-02 03:04:05");
        assert_eq!(at("20220810231507.jpg"), "2022-08-10 23:15:07");
        let photo = read("moth.png", &bytes).unwrap();
        assert_eq!((photo.width, photo.height), (Some(6), Some(4)));
        assert_eq!(photo.checksum.unwrap().len(), 32);
    }

    #[test]
    fn what_is_no_picture_is_told_by_its_content() {
        assert_eq!(read("moth.jpg", &Bytes::from_static(b"hello")), None);
        assert_eq!(read("moth.jpg", &Bytes::from_static(b"\xff\xd8\xff")), None);
    }

    #[test]
    fn names_lead_nowhere_else() {
        assert_eq!(safe_name("a b/../ü?.jpg"), "a_b...jpg");
        assert_eq!(safe_name("..."), "photograph.jpg");
        assert_eq!(another_name("a.b.jpg", 10), "a.b_000000a.jpg");
    }
}
