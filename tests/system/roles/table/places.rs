//! Stations, storages, sites and devices: the project manager's.

use super::super::target::Target::*;
use super::heard::*;
use super::{NAME, Row, row};

const PLACE: &str = r#"{"name": "Place $n", "project": $project}"#;
const STATION: &str = r#"{"name": "Station $n", "project_id": $project}"#;
const SOURCE: &str = r#"{"name": "Source $n", "bucket": "moths", "project": $project}"#;

pub const ROWS: &[Row] = &[
    row("GET", "/deployments", Nothing, "", ALL),
    row("POST", "/deployments", Nothing, STATION, MANAGERS_MAKE),
    row("GET", "/deployments/{id}", Station, "", ALL),
    row("GET", "/deployments/{id}", DraftStation, "", DRAFT),
    row("PUT", "/deployments/{id}", Station, STATION, MANAGERS),
    row("PATCH", "/deployments/{id}", Station, NAME, MANAGERS),
    row("PATCH", "/deployments/{id}", DraftStation, NAME, DRAFT),
    row("DELETE", "/deployments/{id}", Station, "", MANAGERS_END),
    row(
        "POST",
        "/deployments/{id}/sync",
        Station,
        "",
        [400, 400, 400, 400, 403, 403, 403, 403, 403, 401],
    ),
    row("POST", "/deployments/sync-all", Nothing, "", DATA).query("?project_id=$project"),
    row(
        "POST",
        "/deployments/{id}/regroup-sessions",
        Station,
        "",
        [202, 202, 202, 403, 403, 403, 403, 403, 403, 401],
    ),
    row("GET", "/storage", Nothing, "", ALL),
    row("POST", "/storage", Nothing, SOURCE, MANAGERS_MAKE),
    row("GET", "/storage/{id}", Source, "", ALL),
    // The source is a folder, and a folder is not moved.
    row(
        "PUT",
        "/storage/{id}",
        Source,
        SOURCE,
        [400, 400, 400, 403, 403, 403, 403, 403, 403, 401],
    ),
    row("PATCH", "/storage/{id}", Source, NAME, MANAGERS),
    row("DELETE", "/storage/{id}", Source, "", MANAGERS_END),
    row("POST", "/storage/{id}/test", Source, "", MANAGERS),
    row("GET", "/projects/{id}/charts", Nothing, "", ALL),
    row("GET", "/projects/{id}/charts", Draft, "", DRAFT),
    row("GET", "/status/summary", Nothing, "", ALL).query("?project_id=$project"),
    row(
        "POST",
        "/status/storage",
        Nothing,
        r#"{"data_source": "x"}"#,
        ALL,
    ),
    // Sites and devices.
    row("GET", "/deployments/sites", Nothing, "", ALL),
    row("POST", "/deployments/sites", Nothing, PLACE, MANAGERS_MAKE),
    row("GET", "/deployments/sites/{id}", Site, "", ALL),
    row("GET", "/deployments/sites/{id}", DraftSite, "", DRAFT),
    row("PUT", "/deployments/sites/{id}", Site, PLACE, MANAGERS),
    row("PATCH", "/deployments/sites/{id}", Site, NAME, MANAGERS),
    row("PATCH", "/deployments/sites/{id}", DraftSite, NAME, DRAFT),
    row("DELETE", "/deployments/sites/{id}", Site, "", MANAGERS_END),
    row("GET", "/deployments/devices", Nothing, "", ALL),
    row(
        "POST",
        "/deployments/devices",
        Nothing,
        PLACE,
        MANAGERS_MAKE,
    ),
    row("GET", "/deployments/devices/{id}", Device, "", ALL),
    row("PUT", "/deployments/devices/{id}", Device, PLACE, MANAGERS),
    row("PATCH", "/deployments/devices/{id}", Device, NAME, MANAGERS),
    row(
        "DELETE",
        "/deployments/devices/{id}",
        Device,
        "",
        MANAGERS_END,
    ),
];
