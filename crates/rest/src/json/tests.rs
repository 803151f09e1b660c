//! The complaints word for word, as Python 3.11 makes them, and that no text is too much.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;
use proptest::prelude::*;

#[test]
fn complaints_are_word_for_word() {
    let long = format!("[{}", "[".repeat(10_000));
    for (text, words) in [
        (
            "{bad",
            Some("Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"),
        ),
        (
            "{\"name\": \"x\",",
            Some("Expecting property name enclosed in double quotes: line 1 column 14 (char 13)"),
        ),
        ("x", Some("Expecting value: line 1 column 1 (char 0)")),
        ("  ", Some("Expecting value: line 1 column 3 (char 2)")),
        (
            "{\"a\"}",
            Some("Expecting ':' delimiter: line 1 column 5 (char 4)"),
        ),
        (
            "{\"a\": }",
            Some("Expecting value: line 1 column 7 (char 6)"),
        ),
        (
            "{\"a\": 1\n \"b\": 2}",
            Some("Expecting ',' delimiter: line 2 column 2 (char 9)"),
        ),
        (
            "[1, 2",
            Some("Expecting ',' delimiter: line 1 column 6 (char 5)"),
        ),
        ("[1,", Some("Expecting value: line 1 column 4 (char 3)")),
        ("{} {}", Some("Extra data: line 1 column 4 (char 3)")),
        ("01", Some("Extra data: line 1 column 2 (char 1)")),
        ("1.", Some("Extra data: line 1 column 2 (char 1)")),
        ("1e+", Some("Extra data: line 1 column 2 (char 1)")),
        ("-", Some("Expecting value: line 1 column 1 (char 0)")),
        (
            "[\"ä",
            Some("Unterminated string starting at: line 1 column 2 (char 1)"),
        ),
        (
            "[\"ä\\",
            Some("Unterminated string starting at: line 1 column 2 (char 1)"),
        ),
        (
            "[\"ä\\x\"]",
            Some("Invalid \\escape: line 1 column 4 (char 3)"),
        ),
        (
            "[\"\\u12g4\"]",
            Some("Invalid \\uXXXX escape: line 1 column 4 (char 3)"),
        ),
        (
            "\"a\tb\"",
            Some("Invalid control character at: line 1 column 3 (char 2)"),
        ),
        (
            "[NaN]",
            Some("Out of range float values are not JSON compliant: 'NaN'"),
        ),
        (
            "-Infinity",
            Some("Out of range float values are not JSON compliant: '-Infinity'"),
        ),
        (
            "\u{feff}{}",
            Some("Unexpected UTF-8 BOM (decode using utf-8-sig): line 1 column 1 (char 0)"),
        ),
        ("\"\\ud800\"", None),
        ("1e999", None),
        (&long, None),
    ] {
        assert_eq!(complaint(text.as_bytes()).as_deref(), words, "{text:.20}");
    }
}

#[test]
fn bytes_that_are_no_text_are_named() {
    for (bytes, words) in [
        (
            &b"{\"name\":\"\xff\"}"[..],
            "byte 0xff in position 9: invalid start byte",
        ),
        (b"\x80", "byte 0x80 in position 0: invalid start byte"),
        (
            b"\"\xc3\"",
            "byte 0xc3 in position 1: invalid continuation byte",
        ),
        (
            b"\xe2\x82x",
            "bytes in position 0-1: invalid continuation byte",
        ),
        (
            b"\"\xe2\x82",
            "bytes in position 1-2: unexpected end of data",
        ),
    ] {
        let expected = format!("'utf-8' codec can't decode {words}");
        assert_eq!(complaint(bytes), Some(expected));
    }
}

#[test]
fn numbers_are_found_as_they_are_written() {
    let text =
        r#"{"\u0061": 99999999999999999999999, "b": {"c": 1}, "d": [2], "e": -1.50, "f": "3"}"#;
    let found = numbers(text);
    let expected = [("a", "99999999999999999999999"), ("e", "-1.50")];
    let expected = expected.map(|(name, number)| (name.to_owned(), number.to_owned()));
    assert_eq!(found, expected);
}

proptest! {
    #[test]
    fn what_serde_reads_is_not_complained_about(text in "[\\[\\]{},:\"a\\\\u0-2.eE+ -]{0,12}|[ -~]{0,20}") {
        if serde_json::from_str::<serde_json::Value>(&text).is_ok() {
            prop_assert_eq!(complaint(text.as_bytes()), None);
        }
    }

    #[test]
    fn no_bytes_are_too_much(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
        if complaint(&bytes).is_none() {
            prop_assert!(std::str::from_utf8(&bytes).is_ok());
        }
    }
}
