//! Sessions, which Antenna calls events.

use store::testing::rows::Row;

use super::Table;

pub const SESSIONS: Table = Table {
    name: "main_event",
    needs: &[
        ("deployment_id", "main_deployment"),
        ("project_id", "main_project"),
    ],
    links: &[],
    rows: |line| {
        vec![
            Row::new("session")
                .int("id", line.int("id"))
                .int("project_id", line.int("project_id"))
                .int("station_id", line.int("deployment_id"))
                .day("day", line.local("start").map(|start| start.date()))
                .local("start_at", line.local("start"))
                .local("end_at", line.local("end"))
                .int("captures_count", line.int("captures_count").unwrap_or(0))
                .int(
                    "detections_count",
                    line.int("detections_count").unwrap_or(0),
                )
                .int(
                    "occurrences_count",
                    line.int("occurrences_count").unwrap_or(0),
                )
                .instant("counted_at", line.instant("calculated_fields_updated_at"))
                .instant("created_at", line.instant("created_at"))
                .instant("updated_at", line.instant("updated_at")),
        ]
    },
};
