//! Pipelines, algorithms, category maps and processing services: read by all, written by staff.

use super::super::target::Of::*;
use super::super::target::Target::*;
use super::heard::*;
use super::{NAME, Row, row};

const PIPELINE: &str = r#"{"name": "New pipeline $n", "slug": "new-pipeline-$n"}"#;
const ALGORITHM: &str = r#"{"name": "New algorithm $n", "key": "new-algorithm-$n"}"#;
const LABELS: &str = r#"{"labels": ["Moth"], "data": [{"label": "Moth"}], "algorithms": []}"#;
const URI: &str = r#"{"uri": "https://example.org/labels"}"#;
const SERVICE: &str = r#"{"name": "New service $n"}"#;
const SERVICES: &str = "/ml/processing_services";
const ONE_SERVICE: &str = "/ml/processing_services/{id}";
const PROJECT: &str = "?project_id=$project";
const OF_DRAFT: &str = "?project_id=$draft";

/// Staff asks for what cannot be done.
const STAFF_IN_VAIN: [u16; 10] = [400, 403, 403, 403, 403, 403, 403, 403, 400, 401];

pub const ROWS: &[Row] = &[
    row("GET", "/ml/pipelines", Nothing, "", ALL),
    row("POST", "/ml/pipelines", Nothing, PIPELINE, STAFF_MAKE),
    row("GET", "/ml/pipelines/{id}", Pipeline(Open), "", ALL),
    row("GET", "/ml/pipelines/{id}", Pipeline(Hidden), "", DRAFT),
    row(
        "PUT",
        "/ml/pipelines/{id}",
        Pipeline(Open),
        PIPELINE,
        STAFF_CHANGE,
    ),
    row(
        "PATCH",
        "/ml/pipelines/{id}",
        Pipeline(Open),
        NAME,
        STAFF_CHANGE,
    ),
    row(
        "DELETE",
        "/ml/pipelines/{id}",
        Pipeline(Open),
        "",
        STAFF_END,
    ),
    // No service of it is called.
    row(
        "POST",
        "/ml/pipelines/{id}/test_process",
        Pipeline(Open),
        "",
        STAFF_IN_VAIN,
    ),
    row("GET", "/ml/algorithms", Nothing, "", ALL),
    row("POST", "/ml/algorithms", Nothing, ALGORITHM, STAFF_MAKE),
    row("GET", "/ml/algorithms/{id}", Algorithm, "", ALL),
    row(
        "PUT",
        "/ml/algorithms/{id}",
        Algorithm,
        ALGORITHM,
        STAFF_CHANGE,
    ),
    row(
        "PATCH",
        "/ml/algorithms/{id}",
        Algorithm,
        NAME,
        STAFF_CHANGE,
    ),
    row("DELETE", "/ml/algorithms/{id}", Algorithm, "", STAFF_END),
    row("GET", "/ml/labels", Nothing, "", ALL),
    row("POST", "/ml/labels", Nothing, LABELS, STAFF_MAKE),
    row("GET", "/ml/labels/{id}", Labels, "", ALL),
    row("PUT", "/ml/labels/{id}", Labels, LABELS, STAFF_CHANGE),
    row("PATCH", "/ml/labels/{id}", Labels, URI, STAFF_CHANGE),
    row("DELETE", "/ml/labels/{id}", Labels, "", STAFF_END),
    row("GET", SERVICES, Nothing, "", ALL).query(PROJECT),
    row("GET", SERVICES, Nothing, "", DRAFT).query(OF_DRAFT),
    row("POST", SERVICES, Nothing, SERVICE, STAFF_MAKE).query(PROJECT),
    row("GET", ONE_SERVICE, Service(Open), "", ALL),
    row("GET", ONE_SERVICE, Service(Hidden), "", DRAFT),
    row("PUT", ONE_SERVICE, Service(Open), SERVICE, STAFF_CHANGE),
    row("PATCH", ONE_SERVICE, Service(Open), NAME, STAFF_CHANGE),
    row("PATCH", ONE_SERVICE, Service(Hidden), NAME, STAFF_OUTSIDE),
    row("DELETE", ONE_SERVICE, Service(Open), "", STAFF_END),
    row(
        "GET",
        "/ml/processing_services/{id}/status",
        Service(Open),
        "",
        ALL,
    ),
    row(
        "GET",
        "/ml/processing_services/{id}/status",
        Service(Hidden),
        "",
        DRAFT,
    ),
    // It pulls its work and is not asked.
    row(
        "POST",
        "/ml/processing_services/{id}/register_pipelines",
        Service(Open),
        "",
        STAFF_IN_VAIN,
    ),
];
