//! An archive against the standard: `meta.xml` by its XML schema, its terms by the standard's list,
//! and the tables by what `meta.xml` says of them.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::io::ErrorKind;
use std::process::Command;

use super::super::tests::of_archive;
use super::terms::{MEDIA, OCCURRENCE};
use super::{clean, heading};

/// The schema of `meta.xml` and the terms of the standard, as TDWG publishes them (CC BY 4.0).
const STANDARD: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/darwin_core");

/// The terms of GBIF's extension for simple multimedia that are not those of Darwin Core.
const MULTIMEDIA: &[&str] = &[
    "type",
    "format",
    "identifier",
    "references",
    "title",
    "description",
    "source",
    "audience",
    "created",
    "creator",
    "contributor",
    "publisher",
    "license",
    "rightsHolder",
];

/// Runs `xmllint` on a text; false where there is none and none is asked for.
fn lint(text: &str, arguments: &[&str]) -> bool {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("text.xml");
    std::fs::write(&file, text).unwrap();
    let linted = Command::new("xmllint").args(arguments).arg(&file).output();
    match linted {
        Ok(output) => {
            let words = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{words}\n{text}");
            true
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {
            store::testing::left_out("xmllint (libxml2-utils) is missing: no archive is checked");
            false
        }
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn meta_xml_is_valid_by_the_standards_schema() {
    let schema = format!("{STANDARD}/tdwg_dwc_text.xsd");
    lint(
        &of_archive("meta.xml"),
        &["--nonet", "--noout", "--schema", &schema],
    );
}

#[test]
fn eml_xml_is_sound_and_its_parts_come_in_the_order_of_the_schema() {
    let text = of_archive("eml.xml");
    lint(&text, &["--nonet", "--noout"]);
    let parts = [
        "<alternateIdentifier>",
        "<title ",
        "<creator>",
        "<metadataProvider>",
        "<pubDate>",
        "<language>",
        "<abstract>",
        "<contact>",
        "<methods>",
    ];
    let places: Vec<usize> = parts.iter().map(|part| text.find(part).unwrap()).collect();
    assert!(places.is_sorted(), "{places:?}");
}

#[test]
fn every_term_is_one_of_the_standard_and_stands_once() {
    let known = std::fs::read_to_string(format!("{STANDARD}/terms.txt")).unwrap();
    let known: Vec<&str> = known
        .lines()
        .filter(|line| !line.starts_with('#'))
        .collect();
    let mut seen = Vec::new();
    for term in OCCURRENCE {
        assert!(known.contains(&term.uri), "{}", term.uri);
        assert!(!seen.contains(&term.uri), "{}", term.uri);
        seen.push(term.uri);
    }
    for term in MEDIA {
        let name = term.uri.strip_prefix("http://purl.org/dc/terms/").unwrap();
        assert!(MULTIMEDIA.contains(&name), "{name}");
    }
}

#[test]
fn every_line_has_the_columns_of_its_heading_and_pictures_name_their_occurrence() {
    let occurrences = of_archive("occurrence.txt");
    let pictures = of_archive("multimedia.txt");
    assert!(occurrences.starts_with(&heading("", OCCURRENCE)));
    assert!(pictures.starts_with(&heading("coreid", MEDIA)));
    let width = |line: &str| line.split('\t').count();
    assert!(
        occurrences
            .lines()
            .all(|line| width(line) == OCCURRENCE.len())
    );
    assert!(pictures.lines().all(|line| width(line) == MEDIA.len() + 1));
    let first = |line: &str| line.split('\t').next().unwrap_or_default().to_owned();
    let ids: Vec<String> = occurrences.lines().skip(1).map(first).collect();
    assert_eq!(pictures.lines().count(), 4);
    assert!(
        pictures
            .lines()
            .skip(1)
            .all(|line| ids.contains(&first(line)))
    );
}

#[test]
fn no_text_breaks_a_line() {
    assert_eq!(clean(" a\tb\r\nc\u{0}\u{ffff} "), "a b  c");
}
