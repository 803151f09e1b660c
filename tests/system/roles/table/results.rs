//! What was found, what people say of it, and exports of it. Results are written by jobs alone.

use super::super::target::Of::*;
use super::super::target::Target::*;
use super::heard::*;
use super::{Row, row};

const PROJECT: &str = "?project_id=$project";
const OF_DRAFT: &str = "?project_id=$draft";
const AGREEMENT: &str = "/occurrences/stats/model-agreement";
const IDENTIFIERS: &str = "/occurrences/stats/top-identifiers";
const BOX: &str =
    r#"{"source_image": $capture, "detection_algorithm_id": 1, "bbox": [1, 1, 2, 2]}"#;
const SAID: &str = r#"{"occurrence_id": $occurrence, "taxon_id": $taxon}"#;
const SAID_OF_DRAFT: &str = r#"{"occurrence_id": $unseen, "taxon_id": $taxon}"#;
const COMMENT: &str = r#"{"comment": "c"}"#;
const BULK: &str = r#"{"identifications": [{"occurrence_id": $occurrence, "taxon_id": $taxon}]}"#;
const BULK_OF_DRAFT: &str =
    r#"{"identifications": [{"occurrence_id": $unseen, "taxon_id": $taxon}]}"#;
const EXPORT: &str = r#"{"project": $project, "format": "occurrences_simple_csv"}"#;
const EXPORT_OF_DRAFT: &str = r#"{"project": $draft, "format": "occurrences_simple_csv"}"#;
const FORMAT: &str = r#"{"format": "occurrences_api_json"}"#;

/// Who identifies.
const IDENTIFIERS_MAY: [u16; 10] = [200, 200, 200, 403, 403, 200, 403, 403, 403, 401];

pub const ROWS: &[Row] = &[
    row("GET", "/detections", Nothing, "", ALL).query(PROJECT),
    row("GET", "/detections", Nothing, "", DRAFT).query(OF_DRAFT),
    row(
        "POST",
        "/detections",
        Nothing,
        "{}",
        [400, 403, 403, 403, 403, 403, 403, 403, 400, 401],
    ),
    row("POST", "/detections", Nothing, BOX, NOBODY),
    row("GET", "/detections/{id}", Found(Open), "", ALL),
    row("GET", "/detections/{id}", Found(Hidden), "", DRAFT),
    row("PUT", "/detections/{id}", Found(Open), "{}", NOBODY),
    row("PATCH", "/detections/{id}", Found(Open), "{}", NOBODY),
    row("DELETE", "/detections/{id}", Found(Open), "", NOBODY),
    row("GET", "/classifications", Nothing, "", ALL).query(PROJECT),
    row("GET", "/classifications", Nothing, "", DRAFT).query(OF_DRAFT),
    row("POST", "/classifications", Nothing, "{}", NOBODY),
    row("GET", "/classifications/{id}", Found(Open), "", ALL),
    row("GET", "/classifications/{id}", Found(Hidden), "", DRAFT),
    row("PUT", "/classifications/{id}", Found(Open), "{}", NOBODY),
    row("PATCH", "/classifications/{id}", Found(Open), "{}", NOBODY),
    row("DELETE", "/classifications/{id}", Found(Open), "", NOBODY),
    // Occurrences: staff may send what changes nothing, and delete.
    row("GET", "/occurrences", Nothing, "", ALL).query(PROJECT),
    row("GET", "/occurrences", Nothing, "", DRAFT).query(OF_DRAFT),
    row(
        "POST",
        "/occurrences",
        Nothing,
        "{}",
        [400, 403, 403, 403, 403, 403, 403, 403, 400, 401],
    ),
    row("GET", "/occurrences/{id}", Found(Open), "", ALL),
    row("GET", "/occurrences/{id}", Found(Hidden), "", DRAFT),
    row("PUT", "/occurrences/{id}", Found(Open), "{}", STAFF_CHANGE),
    row(
        "PATCH",
        "/occurrences/{id}",
        Found(Open),
        "{}",
        STAFF_CHANGE,
    ),
    row("DELETE", "/occurrences/{id}", Found(Open), "", STAFF_END),
    row(
        "DELETE",
        "/occurrences/{id}",
        Found(Hidden),
        "",
        [204, 403, 403, 403, 403, 403, 403, 403, 404, 401],
    ),
    row("GET", "/occurrences/algorithms", Nothing, "", ALL).query(PROJECT),
    row("GET", "/occurrences/algorithms", Nothing, "", DRAFT).query(OF_DRAFT),
    row("GET", AGREEMENT, Nothing, "", ALL).query(PROJECT),
    row("GET", AGREEMENT, Nothing, "", DRAFT).query(OF_DRAFT),
    row("GET", IDENTIFIERS, Nothing, "", ALL).query(PROJECT),
    row("GET", IDENTIFIERS, Nothing, "", DRAFT).query(OF_DRAFT),
    // Identifications.
    row("GET", "/identifications", Nothing, "", ALL),
    row(
        "POST",
        "/identifications",
        Nothing,
        SAID,
        [201, 201, 201, 403, 403, 201, 403, 403, 403, 401],
    ),
    row(
        "POST",
        "/identifications",
        Nothing,
        SAID_OF_DRAFT,
        [201, 201, 403, 403, 403, 403, 403, 403, 403, 401],
    ),
    row(
        "POST",
        "/identifications/bulk",
        Nothing,
        BULK,
        IDENTIFIERS_MAY,
    ),
    row(
        "POST",
        "/identifications/bulk",
        Nothing,
        BULK_OF_DRAFT,
        DRAFT_SAID,
    ),
    row(
        "GET",
        "/identifications/{id}",
        Identification(Open),
        "",
        ALL,
    ),
    row(
        "GET",
        "/identifications/{id}",
        Identification(Hidden),
        "",
        DRAFT,
    ),
    row(
        "PUT",
        "/identifications/{id}",
        Identification(Open),
        SAID,
        IDENTIFIERS_MAY,
    ),
    row(
        "PATCH",
        "/identifications/{id}",
        Identification(Open),
        COMMENT,
        IDENTIFIERS_MAY,
    ),
    row(
        "PATCH",
        "/identifications/{id}",
        Identification(Hidden),
        COMMENT,
        DRAFT,
    ),
    row(
        "DELETE",
        "/identifications/{id}",
        Identification(Open),
        "",
        MANAGERS_END,
    ),
    // One's own, whatever the role.
    row(
        "DELETE",
        "/identifications/{id}",
        OwnIdentification,
        "",
        [204, 204, 204, 204, 204, 204, 204, 204, 204, 401],
    ),
    // Exports.
    row("GET", "/exports", Nothing, "", ALL),
    row(
        "POST",
        "/exports",
        Nothing,
        EXPORT,
        [201, 201, 201, 403, 201, 403, 403, 403, 403, 401],
    ),
    row(
        "POST",
        "/exports",
        Nothing,
        EXPORT_OF_DRAFT,
        [201, 201, 403, 403, 403, 403, 403, 403, 403, 401],
    ),
    row("GET", "/exports/{id}", Export(Open), "", ALL),
    row("GET", "/exports/{id}", Export(Hidden), "", DRAFT),
    row("PUT", "/exports/{id}", Export(Open), EXPORT, SUPER),
    row("PATCH", "/exports/{id}", Export(Open), FORMAT, SUPER),
    row(
        "PATCH",
        "/exports/{id}",
        Export(Hidden),
        FORMAT,
        [200, 403, 404, 404, 404, 404, 404, 404, 404, 404],
    ),
    row(
        "DELETE",
        "/exports/{id}",
        Export(Open),
        "",
        [204, 204, 204, 403, 204, 403, 403, 403, 403, 401],
    ),
];
