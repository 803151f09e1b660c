//! A small file of each format, whole, and what holds for all of them.
#![allow(clippy::unwrap_used)]

use std::io::Read;
use std::path::Path;

use parquet::file::reader::{FileReader, SerializedFileReader};

use super::super::page::example;
use super::find;

/// The bytes of a file with the pages of the example.
pub fn written(key: &str, pages: usize) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    let about = example::about(folder.path());
    let file = std::fs::File::create(&path).unwrap();
    let mut writer = find(key).unwrap().begin(file, about.clone()).unwrap();
    for _ in 0..pages {
        writer.write(&example::page(about.clone())).unwrap();
    }
    writer.end().unwrap();
    std::fs::read(path).unwrap()
}

/// A file of an archive.
pub fn of_archive(name: &str) -> String {
    let archive = std::io::Cursor::new(written(domain::export::DARWIN_CORE, 1));
    let mut archive = zip::ZipArchive::new(archive).unwrap();
    let mut text = String::new();
    let mut file = archive.by_name(name).unwrap();
    file.read_to_string(&mut text).unwrap();
    text
}

#[test]
fn every_format_has_a_writer() {
    let writers: Vec<&str> = super::FORMATS.iter().map(|format| format.key()).collect();
    let known: Vec<&str> = domain::export::FORMATS.iter().map(|f| f.key).collect();
    assert_eq!(writers, known);
}

#[test]
fn a_file_written_again_has_the_same_bytes() {
    for format in domain::export::FORMATS {
        assert_eq!(
            written(format.key, 3),
            written(format.key, 3),
            "{}",
            format.key
        );
    }
}

#[test]
fn a_line_of_csv_holds_what_is_recorded() {
    let text = String::from_utf8(written(domain::export::CSV, 1)).unwrap();
    assert_eq!(text.matches("\r\n").count(), 3);
    insta::assert_snapshot!(text.replace("\r\n", "\n"));
    let empty = String::from_utf8(written(domain::export::CSV, 0)).unwrap();
    assert_eq!(text.lines().next(), empty.lines().next());
}

#[test]
fn a_list_in_json_holds_whole_occurrences() {
    let text = String::from_utf8(written(domain::export::JSON, 1)).unwrap();
    let list: serde_json::Value = serde_json::from_str(&text).unwrap();
    insta::assert_json_snapshot!(list);
    assert_eq!(written(domain::export::JSON, 0), b"[]");
    let pages = written(domain::export::JSON, 2);
    let pages: Vec<serde_json::Value> = serde_json::from_slice(&pages).unwrap();
    assert_eq!((pages.len(), &pages[1]), (4, &pages[3]));
}

#[test]
fn parquet_holds_the_same_values_with_types() {
    let bytes = bytes::Bytes::from(written(domain::export::PARQUET, 1));
    let reader = SerializedFileReader::new(bytes).unwrap();
    let rows = reader.get_row_iter(None).unwrap();
    let rows: Vec<String> = rows.map(|row| row.unwrap().to_string()).collect();
    insta::assert_snapshot!(rows.join("\n"));
    let many = bytes::Bytes::from(written(domain::export::PARQUET, 5001));
    let many = SerializedFileReader::new(many).unwrap();
    let groups: Vec<i64> = many
        .metadata()
        .row_groups()
        .iter()
        .map(|g| g.num_rows())
        .collect();
    assert_eq!(groups, [10_000, 2]);
    let none = bytes::Bytes::from(written(domain::export::PARQUET, 0));
    assert_eq!(SerializedFileReader::new(none).unwrap().num_row_groups(), 0);
}

#[test]
fn an_archive_holds_its_four_files() {
    for name in ["meta.xml", "eml.xml", "occurrence.txt", "multimedia.txt"] {
        insta::assert_snapshot!(name, of_archive(name));
    }
}

#[test]
fn nothing_is_left_on_the_way() {
    let folder = tempfile::tempdir().unwrap();
    let file = std::fs::File::create(folder.path().join("file")).unwrap();
    let about = example::about(folder.path());
    let format = find(domain::export::DARWIN_CORE).unwrap();
    let writer = format.begin(file, about).unwrap();
    let count = |folder: &Path| std::fs::read_dir(folder).unwrap().count();
    assert_eq!(
        count(folder.path()),
        1,
        "pictures wait in a file without a name"
    );
    drop(writer);
}
