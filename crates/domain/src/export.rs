//! Exports: in which formats a project's occurrences can be written, and how their files are named.
//! The idea: [`FORMATS`] is the one list; the API's choices, its checks and the job that writes
//! read it (`domain-rules.md` §7).

use unicode_normalization::UnicodeNormalization;

/// A format of exports.
#[derive(Debug, PartialEq, Eq)]
pub struct Format {
    /// Its key in the API.
    pub key: &'static str,
    /// How its files' names end.
    pub extension: &'static str,
}

/// Key of the format that holds whole occurrences as the API shows them.
pub const JSON: &str = "occurrences_api_json";
/// Key of the format with a line of text for each occurrence.
pub const CSV: &str = "occurrences_simple_csv";
/// Key of the format that GBIF and other portals of biodiversity read.
pub const DARWIN_CORE: &str = "occurrences_darwin_core";
/// Key of the format with typed columns, for programs that analyse.
pub const PARQUET: &str = "occurrences_parquet";

/// Every format, in the order of the API's choices: those of the reference first.
pub const FORMATS: &[Format] = &[
    Format {
        key: JSON,
        extension: "json",
    },
    Format {
        key: CSV,
        extension: "csv",
    },
    Format {
        key: DARWIN_CORE,
        extension: "zip",
    },
    Format {
        key: PARQUET,
        extension: "parquet",
    },
];

/// The folder of exports among the files that the server keeps.
pub const FOLDER: &str = "exports";

/// The format with this key, if there is one.
pub fn format(key: &str) -> Option<&'static Format> {
    FORMATS.iter().find(|format| format.key == key)
}

/// Where the file of an export lies: `exports/<slug of the project's name>_export-<id>.<ending>`.
pub fn file_key(project: &str, export: i64, format: &Format) -> String {
    let (slug, extension) = (slug(project), format.extension);
    format!("{FOLDER}/{slug}_export-{export}.{extension}")
}

/// The export whose file this is.
pub fn of_file(name: &str) -> Option<i64> {
    let (_, end) = name.rsplit_once("_export-")?;
    end.split_once('.')?.0.parse().ok()
}

/// The set that an export's filters name, under either of its two names.
pub fn capture_set(filters: &serde_json::Value) -> Option<i64> {
    let named = ["collection_id", "collection"].map(|name| number(filters.get(name)?));
    named.into_iter().flatten().next_back()
}

/// A number that filters hold, also where it was sent as text.
pub fn number(value: &serde_json::Value) -> Option<i64> {
    let text = || value.as_str()?.trim().parse().ok();
    value.as_i64().or_else(text)
}

/// A name as part of an address: ASCII letters, digits and underscores in lower case, the words
/// joined by hyphens. Letters lose their accents; whatever else stands in it is left out.
pub fn slug(name: &str) -> String {
    let mut slug = String::new();
    let mut gap = false;
    for c in name.nfkd() {
        if c.is_ascii_alphanumeric() || c == '_' {
            if gap && !slug.is_empty() {
                slug.push('-');
            }
            gap = false;
            slug.push(c.to_ascii_lowercase());
        } else if c == '-' || c.is_whitespace() {
            gap = true;
        }
    }
    slug.trim_matches('_').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn files_are_named_as_recorded() {
        let Some(csv) = format(CSV) else { return };
        let key = file_key("Test Project 95bee6dc", 1, csv);
        assert_eq!(key, "exports/test-project-95bee6dc_export-1.csv");
        assert_eq!(of_file("test-project-95bee6dc_export-1.csv"), Some(1));
        assert_eq!(of_file("a_export-2_export-30.csv"), Some(30));
        assert_eq!(of_file("moths.csv"), None);
        assert_eq!(file_key("蛾", 7, csv), "exports/_export-7.csv");
    }

    #[test]
    fn slugs_hold_nothing_but_what_is_safe_in_an_address() {
        for (name, expected) in [
            ("  Moths -- of  Panama! ", "moths-of-panama"),
            ("a/b\\..", "ab"),
            ("_x_", "x"),
            ("Forêt d'Été", "foret-dete"),
            ("-", ""),
        ] {
            assert_eq!(slug(name), expected, "{name:?}");
        }
    }

    #[test]
    fn a_set_is_named_by_number_or_text() {
        assert_eq!(capture_set(&json!({"collection_id": 3})), Some(3));
        assert_eq!(capture_set(&json!({"collection": " 4 "})), Some(4));
        assert_eq!(capture_set(&json!({"collection_id": null})), None);
        assert_eq!(capture_set(&json!({"taxa_list_id": 5})), None);
    }
}
