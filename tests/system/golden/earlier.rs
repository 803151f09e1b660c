//! What rows were before the recording changed them. The idea: the tables hold the last of all
//! states; where an earlier answer shows another one, the column and the instant of its change
//! stand here, and everything else is the row itself.

use chrono::{DateTime, Utc};
use domain::state::JobState;

use super::sheet::Line;

/// A column that was changed.
struct Change {
    table: &'static str,
    id: i64,
    /// When, in UTC on the day of the recording.
    at: &'static str,
    column: &'static str,
    /// What it held before.
    before: &'static str,
}

const fn change(
    table: &'static str,
    id: i64,
    at: &'static str,
    column: &'static str,
    before: &'static str,
) -> Change {
    Change {
        table,
        id,
        at,
        column,
        before,
    }
}

const FIRST_UPLOAD: &str = "13:39:35.3";

const CHANGES: &[Change] = &[
    // Sessions of this station were made by the first upload, and its files came later.
    change("main_deployment", 6, FIRST_UPLOAD, "events_count", "0"),
    change("main_deployment", 6, FIRST_UPLOAD, "captures_count", "24"),
    change("main_deployment", 6, FIRST_UPLOAD, "occurrences_count", "0"),
    change("main_deployment", 6, FIRST_UPLOAD, "taxa_count", "0"),
    change(
        "main_deployment",
        6,
        FIRST_UPLOAD,
        "first_capture_timestamp",
        "2025-06-02 02:00:00+00",
    ),
    change(
        "main_deployment",
        6,
        FIRST_UPLOAD,
        "last_capture_timestamp",
        "2025-06-02 05:50:00+00",
    ),
    change(
        "main_project",
        1,
        "13:39:12.78",
        "updated_at",
        "2026-11-23 13:13:12.908338+00",
    ),
    // Cancelled jobs that the reference forgot, until its health check found them.
    change("jobs_job", 73, "13:45:00", "status", "PENDING"),
    change("jobs_job", 88, "13:45:00", "status", "PENDING"),
    change("main_sourceimage", 1, "13:39:31.4", "test_image", "f"),
    // Two people identified it.
    change("main_occurrence", 1, "13:40:30.17", "determination_id", "9"),
    change(
        "main_occurrence",
        1,
        "13:40:30.17",
        "determination_score",
        "1",
    ),
];

/// What occurrences were before a filter of small sizes said "Not identifiable": taxon and score
/// of the best class.
const UNFILTERED: &[(i64, &str, &str)] = &[
    (1, "3", "0.88"),
    (2, "3", "0.78"),
    (3, "2", "0.85"),
    (4, "2", "0.91"),
    (5, "6", "0.76"),
    (6, "6", "0.88"),
    (7, "2", "0.82"),
    (8, "6", "0.79"),
    (9, "6", "0.86"),
    (10, "6", "0.76"),
];

/// When that filter ran.
const FILTERED: &str = "13:36:10.6";

/// Makes a line of a table what it was at this instant.
pub fn restore(table: &str, line: &mut Line, instant: DateTime<Utc>) {
    let id = line.known("id").and_then(|id| id.parse::<i64>().ok());
    if table == "jobs_job" && line.instant("finished_at").is_some_and(|end| end > instant) {
        line.clear("finished_at");
        line.set("updated_at", &line.text("started_at"));
        line.set("status", JobState::Started.code());
    }
    if table == "main_occurrence" && instant < at(FILTERED) {
        for (occurrence, taxon, score) in UNFILTERED {
            if Some(*occurrence) == id {
                line.set("determination_id", taxon);
                line.set("determination_score", score);
            }
        }
        return;
    }
    for change in CHANGES {
        if change.table == table && Some(change.id) == id && instant < at(change.at) {
            line.set(change.column, change.before);
        }
    }
}

/// An instant of the day of the recording.
pub fn at(time: &str) -> DateTime<Utc> {
    format!("2026-11-23T{time}Z").parse().unwrap()
}
