//! Occurrences with what they were determined as.

use store::testing::rows::Row;

use super::Table;

pub const OCCURRENCES: Table = Table {
    name: "main_occurrence",
    needs: &[("project_id", "main_project")],
    links: &[
        ("deployment_id", "main_deployment"),
        ("event_id", "main_event"),
        ("determination_id", "main_taxon"),
    ],
    rows: |line| {
        vec![
            Row::new("occurrence")
                .int("id", line.int("id"))
                .int("project_id", line.int("project_id"))
                .int("station_id", line.int("deployment_id"))
                .int("session_id", line.int("event_id"))
                .int("determination_id", line.int("determination_id"))
                .float("determination_score", line.float("determination_score"))
                .instant("created_at", line.instant("created_at"))
                .instant("updated_at", line.instant("updated_at")),
        ]
    },
};
