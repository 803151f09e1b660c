//! The API's own description, captures, uploads, capture sets and sessions.

use super::super::target::Of::*;
use super::super::target::Target::*;
use super::heard::*;
use super::{NAME, Row, row};

const TEST: &str = r#"{"test_image": true}"#;
const SET: &str = r#"{"name": "Set $n", "project": $project}"#;
const SET_OF_DRAFT: &str = r#"{"name": "Set $n", "project": $draft}"#;
const MEMBER: &str = r#"{"source_image": $capture}"#;
const PROJECT: &str = "?project_id=$project";
const OF_DRAFT: &str = "?project_id=$draft";

/// One's own, which a stranger does not have.
const OWN: [u16; 10] = [200, 200, 200, 200, 200, 200, 200, 200, 200, 404];

pub const ROWS: &[Row] = &[
    row("GET", "", Nothing, "", ALL),
    row("GET", "/schema", Nothing, "", ALL),
    row("GET", "/docs", Nothing, "", ALL),
    // Captures: they come from storages and uploads.
    row("GET", "/captures", Nothing, "", ALL).query(PROJECT),
    row("GET", "/captures", Nothing, "", DRAFT).query(OF_DRAFT),
    row("POST", "/captures", Nothing, "{}", NOBODY).query(PROJECT),
    row("GET", "/captures/{id}", Capture(Open), "", ALL).query(PROJECT),
    row("GET", "/captures/{id}", Capture(Hidden), "", DRAFT).query(OF_DRAFT),
    row("PUT", "/captures/{id}", Capture(Open), TEST, MANAGERS),
    row("PATCH", "/captures/{id}", Capture(Open), TEST, MANAGERS),
    row("PATCH", "/captures/{id}", Capture(Hidden), TEST, DRAFT),
    row("DELETE", "/captures/{id}", Capture(Open), "", MANAGERS_END),
    row("POST", "/captures/{id}/star", Capture(Open), "", MEMBERS),
    row("POST", "/captures/{id}/star", Capture(Hidden), "", DRAFT),
    row("POST", "/captures/{id}/unstar", Capture(Open), "", MEMBERS),
    row("GET", "/captures/thumbnails", Nothing, "", [405; 10]),
    row("GET", "/captures/thumbnails/{id}", Capture(Open), "", ALL),
    row(
        "GET",
        "/captures/thumbnails/{id}",
        Capture(Hidden),
        "",
        DRAFT,
    ),
    // Uploads: everybody sees their own.
    row("GET", "/captures/upload", Nothing, "", ALL).query(PROJECT),
    row("GET", "/captures/upload", Nothing, "", DRAFT).query(OF_DRAFT),
    row(
        "POST",
        "/captures/upload",
        Nothing,
        "@photo $garden",
        MANAGERS_MAKE,
    ),
    row(
        "POST",
        "/captures/upload",
        Nothing,
        "@photo $shed",
        [201, 201, 403, 403, 403, 403, 403, 403, 403, 401],
    ),
    row("GET", "/captures/upload/{id}", OwnUpload, "", OWN),
    row(
        "GET",
        "/captures/upload/{id}",
        Upload,
        "",
        [404, 404, 200, 404, 404, 404, 404, 404, 404, 404],
    ),
    // A photograph is sent again, not changed.
    row(
        "PUT",
        "/captures/upload/{id}",
        OwnUpload,
        "{}",
        [403, 403, 403, 403, 403, 403, 403, 403, 403, 404],
    ),
    row(
        "PATCH",
        "/captures/upload/{id}",
        OwnUpload,
        "{}",
        [403, 403, 403, 403, 403, 403, 403, 403, 403, 404],
    ),
    row(
        "DELETE",
        "/captures/upload/{id}",
        OwnUpload,
        "",
        [204, 204, 204, 403, 403, 403, 403, 403, 403, 404],
    ),
    // Capture sets.
    row("GET", "/captures/collections", Nothing, "", ALL),
    row("POST", "/captures/collections", Nothing, SET, DATA_MAKE),
    row(
        "POST",
        "/captures/collections",
        Nothing,
        SET_OF_DRAFT,
        [201, 201, 403, 403, 403, 403, 403, 403, 403, 401],
    ),
    row("GET", "/captures/collections/{id}", Set(Open), "", ALL),
    row("GET", "/captures/collections/{id}", Set(Hidden), "", DRAFT),
    row("PUT", "/captures/collections/{id}", Set(Open), SET, DATA),
    row("PATCH", "/captures/collections/{id}", Set(Open), NAME, DATA),
    row(
        "PATCH",
        "/captures/collections/{id}",
        Set(Hidden),
        NAME,
        DRAFT,
    ),
    row(
        "DELETE",
        "/captures/collections/{id}",
        Set(Open),
        "",
        [204, 204, 204, 204, 403, 403, 403, 403, 403, 401],
    ),
    row(
        "POST",
        "/captures/collections/{id}/populate",
        Set(Open),
        "",
        DATA,
    ),
    row(
        "POST",
        "/captures/collections/{id}/populate",
        Set(Hidden),
        "",
        DRAFT,
    ),
    // No role holds these two.
    row(
        "POST",
        "/captures/collections/{id}/add",
        Set(Open),
        MEMBER,
        SUPER,
    ),
    row(
        "POST",
        "/captures/collections/{id}/remove",
        Set(Open),
        MEMBER,
        SUPER,
    ),
    // Sessions: they are made of captures, also by superusers.
    row("GET", "/events", Nothing, "", ALL),
    row(
        "POST",
        "/events",
        Nothing,
        "{}",
        [400, 403, 403, 403, 403, 403, 403, 403, 400, 401],
    ),
    row(
        "POST",
        "/events",
        Nothing,
        r#"{"deployment_id": $garden}"#,
        NOBODY,
    ),
    row("GET", "/events/{id}", Session(Open), "", ALL),
    row("GET", "/events/{id}", Session(Hidden), "", DRAFT),
    row("PUT", "/events/{id}", Session(Open), "{}", NOBODY),
    row("PATCH", "/events/{id}", Session(Open), "{}", NOBODY),
    row("DELETE", "/events/{id}", Session(Open), "", NOBODY),
    row("GET", "/events/{id}/timeline", Session(Open), "", ALL),
    row("GET", "/events/{id}/timeline", Session(Hidden), "", DRAFT),
];
