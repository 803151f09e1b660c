//! Schedules: read by members, made and run by those who may run every kind of job in their
//! chains.

use super::super::target::{Of, Target::*};
use super::heard::*;
use super::{NAME, Row, row};

/// What who manages data may run, and what only superusers may.
const CHAIN: &str = r#"{"name": "Night $n", "project": $project, "cron": "0 6 * * *",
    "steps": [{"job_type_key": "data_storage_sync"}, {"job_type_key": "regroup_events"}]}"#;
const POST: &str = r#"{"name": "Night $n", "project": $project, "cron": "0 6 * * *",
    "steps": [{"job_type_key": "post_processing",
               "params": {"task": "small_size_filter", "config": {"occurrence_id": $occurrence}}}]}"#;
const OF_DRAFT: &str = r#"{"name": "Night $n", "project": $draft, "cron": "0 6 * * *",
    "steps": [{"job_type_key": "data_storage_sync"}]}"#;

/// Who manages data and removes something.
const DATA_END: [u16; 10] = [204, 204, 204, 204, 403, 403, 403, 403, 403, 401];

pub const ROWS: &[Row] = &[
    row("GET", "/schedules", Nothing, "", ALL),
    row("POST", "/schedules", Nothing, CHAIN, DATA_MAKE),
    row("POST", "/schedules", Nothing, POST, SUPER_MAKE),
    row(
        "POST",
        "/schedules",
        Nothing,
        OF_DRAFT,
        [201, 201, 403, 403, 403, 403, 403, 403, 403, 401],
    ),
    row("GET", "/schedules/{id}", Schedule(Of::Open), "", MEMBERS),
    row("GET", "/schedules/{id}", Schedule(Of::Hidden), "", DRAFT),
    row("PUT", "/schedules/{id}", Schedule(Of::Open), CHAIN, DATA),
    row("PATCH", "/schedules/{id}", Schedule(Of::Open), NAME, DATA),
    row("PATCH", "/schedules/{id}", Schedule(Of::Open), POST, SUPER),
    row(
        "PATCH",
        "/schedules/{id}",
        Schedule(Of::Hidden),
        NAME,
        DRAFT,
    ),
    row(
        "DELETE",
        "/schedules/{id}",
        Schedule(Of::Open),
        "",
        DATA_END,
    ),
    row("POST", "/schedules/{id}/run", Schedule(Of::Open), "", DATA),
    row(
        "POST",
        "/schedules/{id}/run",
        Schedule(Of::Hidden),
        "",
        DRAFT,
    ),
    row(
        "POST",
        "/schedules/{id}/pause",
        Schedule(Of::Open),
        "",
        DATA,
    ),
    row(
        "POST",
        "/schedules/{id}/resume",
        Schedule(Of::Open),
        "",
        DATA,
    ),
];
