//! Webhooks: for those who may change a project's settings, and nobody else.

use super::super::target::{Of, Target::*};
use super::heard::*;
use super::{NAME, Row, row};

/// Nobody listens there.
const HOOK: &str = r#"{"name": "Lab $n", "project": $project, "target": "http://127.0.0.1:1/"}"#;
const OF_DRAFT: &str = r#"{"name": "Lab $n", "project": $draft, "target": "http://127.0.0.1:1/"}"#;
/// Whoever makes something in a draft project that is not there for others.
const DRAFT_MAKE: [u16; 10] = [201, 201, 404, 404, 404, 404, 404, 404, 404, 404];

const ONE: &str = "/webhooks/{id}";

pub const ROWS: &[Row] = &[
    row("GET", "/webhooks", Nothing, "", ALL),
    row("POST", "/webhooks", Nothing, HOOK, MANAGERS_MAKE),
    row("POST", "/webhooks", Nothing, OF_DRAFT, DRAFT_MAKE),
    row("GET", ONE, Webhook(Of::Open), "", MANAGERS),
    row("GET", ONE, Webhook(Of::Hidden), "", DRAFT),
    row("PUT", ONE, Webhook(Of::Open), HOOK, MANAGERS),
    row("PATCH", ONE, Webhook(Of::Open), NAME, MANAGERS),
    row("PATCH", ONE, Webhook(Of::Hidden), NAME, DRAFT),
    row("DELETE", ONE, Webhook(Of::Open), "", MANAGERS_END),
    row(
        "POST",
        "/webhooks/{id}/test",
        Webhook(Of::Open),
        "",
        MANAGERS,
    ),
    row(
        "POST",
        "/webhooks/{id}/test",
        Webhook(Of::Hidden),
        "",
        DRAFT,
    ),
    row(
        "GET",
        "/webhooks/{id}/deliveries",
        Webhook(Of::Open),
        "",
        MANAGERS,
    ),
    row(
        "GET",
        "/webhooks/{id}/deliveries",
        Webhook(Of::Hidden),
        "",
        DRAFT,
    ),
    row(
        "POST",
        "/webhooks/{id}/deliveries/{delivery}/redeliver",
        Told(Of::Open),
        "",
        MANAGERS,
    ),
    row(
        "POST",
        "/webhooks/{id}/deliveries/{delivery}/redeliver",
        Told(Of::Hidden),
        "",
        DRAFT,
    ),
];
