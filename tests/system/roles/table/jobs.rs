//! Jobs, their tasks and workers: run and changed by who manages data, made by members.

use super::super::target::Target::*;
use super::heard::*;
use super::{NAME, Row, row};

const JOB: &str = r#"{"name": "Job", "delay": 0, "project_id": $project}"#;
const JOB_OF_CAPTURE: &str =
    r#"{"name": "Job", "delay": 0, "project_id": $project, "source_image_single_id": $capture}"#;
const JOB_OF_DRAFT: &str = r#"{"name": "Job", "delay": 0, "project_id": $draft}"#;
const JOB_OF_OTHER: &str = r#"{"name": "Job", "delay": 0, "project_id": $other}"#;
const BULK: &str = r#"{"action": "cancel", "ids": [$id]}"#;
const BULK_DELETE: &str = r#"{"action": "delete", "ids": [$id]}"#;
const PRIORITY: &str = r#"{"priority": 3}"#;
const ONE_TASK: &str = r#"{"batch_size": 1}"#;
const NO_RESULTS: &str = r#"{"results": []}"#;
const NO_RECEIPTS: &str = r#"{"reply_subjects": []}"#;
const NO_PIPELINES: &str = r#"{"processing_service_name": "Worker"}"#;

pub const ROWS: &[Row] = &[
    row("GET", "/jobs", Nothing, "", ALL),
    row("POST", "/jobs", Nothing, JOB, MEMBERS_MAKE),
    row(
        "POST",
        "/jobs",
        Nothing,
        JOB,
        [201, 201, 201, 201, 403, 403, 403, 403, 403, 401],
    )
    .query("?start_now"),
    row("POST", "/jobs", Nothing, JOB_OF_CAPTURE, MEMBERS_MAKE).query("?start_now"),
    row(
        "POST",
        "/jobs",
        Nothing,
        JOB_OF_DRAFT,
        [201, 201, 403, 403, 403, 403, 403, 403, 403, 401],
    ),
    row("POST", "/jobs", Nothing, JOB_OF_OTHER, SUPER_MAKE),
    row("GET", "/jobs/next", Nothing, "", [404; 10]).query("?pipelines=none"),
    row("POST", "/jobs/bulk", Job("ml"), BULK, DATA),
    row("POST", "/jobs/bulk", Job("ml"), BULK_DELETE, SUPER),
    // A stranger is told to sign in before any job is looked at.
    row(
        "POST",
        "/jobs/bulk",
        DraftJob,
        BULK,
        [200, 200, 404, 404, 404, 404, 404, 404, 404, 401],
    ),
    row("GET", "/jobs/{id}", Job("ml"), "", ALL),
    row("GET", "/jobs/{id}", DraftJob, "", DRAFT),
    row("PUT", "/jobs/{id}", Job("ml"), JOB, DATA),
    row("PATCH", "/jobs/{id}", Job("ml"), NAME, DATA),
    row("PATCH", "/jobs/{id}", DraftJob, NAME, DRAFT),
    row("DELETE", "/jobs/{id}", Job("ml"), "", SUPER_END),
    row("POST", "/jobs/{id}/run", Job("ml"), "", DATA),
    row("POST", "/jobs/{id}/run", Job("data_storage_sync"), "", DATA),
    row(
        "POST",
        "/jobs/{id}/run",
        Job("populate_captures_collection"),
        "",
        DATA,
    ),
    row("POST", "/jobs/{id}/run", Job("regroup_events"), "", DATA),
    row("POST", "/jobs/{id}/run", Job("data_export"), "", DATA),
    row("POST", "/jobs/{id}/run", Job("post_processing"), "", SUPER),
    row("POST", "/jobs/{id}/run", Job("unknown"), "", SUPER),
    row("POST", "/jobs/{id}/run", SingleJob, "", MEMBERS),
    row("POST", "/jobs/{id}/run", DraftJob, "", DRAFT),
    row("POST", "/jobs/{id}/retry", Job("ml"), "", DATA),
    row(
        "POST",
        "/jobs/{id}/retry",
        Job("post_processing"),
        "",
        SUPER,
    ),
    row("POST", "/jobs/{id}/retry", SingleJob, "", MEMBERS),
    row("POST", "/jobs/{id}/cancel", Job("ml"), "", DATA),
    row(
        "POST",
        "/jobs/{id}/cancel",
        Job("post_processing"),
        "",
        SUPER,
    ),
    row("POST", "/jobs/{id}/cancel", SingleJob, "", MEMBERS),
    row("GET", "/jobs/{id}/queue", Job("ml"), "", ALL),
    row("GET", "/jobs/{id}/queue", DraftJob, "", DRAFT),
    row("PATCH", "/jobs/{id}/queue", Job("ml"), PRIORITY, DATA),
    row("PATCH", "/jobs/{id}/queue", DraftJob, PRIORITY, DRAFT),
    row("POST", "/jobs/{id}/tasks", PullJob, ONE_TASK, DATA),
    row("POST", "/jobs/{id}/result", PullJob, NO_RESULTS, DATA),
    row("POST", "/jobs/{id}/result", DraftJob, NO_RESULTS, DRAFT),
    row("POST", "/jobs/{id}/extend", PullJob, NO_RECEIPTS, DATA),
    row("POST", "/jobs/{id}/extend", DraftJob, NO_RECEIPTS, DRAFT),
    row("POST", "/jobs/{id}/pause", PullJob, "", DATA),
    row("POST", "/jobs/{id}/resume", PullJob, "", DATA),
    row("GET", "/workers", Nothing, "", ALL),
    row("GET", "/projects/{id}/pipelines", Nothing, "", ALL),
    row("GET", "/projects/{id}/pipelines", Draft, "", DRAFT_SAID),
    row(
        "POST",
        "/projects/{id}/pipelines",
        Nothing,
        NO_PIPELINES,
        DATA_MAKE,
    ),
    row("GET", "/jobs/{id}/failures", Job("ml"), "", ALL),
    row("GET", "/jobs/{id}/failures", DraftJob, "", DRAFT),
    row("GET", "/jobs/{id}/timeline", Job("ml"), "", ALL),
    row("GET", "/jobs/{id}/timeline", DraftJob, "", DRAFT),
    row("GET", "/jobs/{id}/logs", Job("ml"), "", ALL),
    row("GET", "/jobs/{id}/logs", DraftJob, "", DRAFT),
];
