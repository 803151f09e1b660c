//! Captures, which Antenna calls source images.

use store::testing::rows::Row;

use super::Table;

pub const CAPTURES: Table = Table {
    name: "main_sourceimage",
    needs: &[
        ("deployment_id", "main_deployment"),
        ("project_id", "main_project"),
    ],
    links: &[("event_id", "main_event"), ("uploaded_by_id", "users_user")],
    rows: |line| {
        vec![
            Row::new("capture")
                .int("id", line.int("id"))
                .int("project_id", line.int("project_id"))
                .int("station_id", line.int("deployment_id"))
                .int("session_id", line.int("event_id"))
                .text("path", line.text("path"))
                .text_or_null("public_base_url", line.some_text("public_base_url"))
                .local("taken_at", line.local("timestamp"))
                .int("width", line.int("width"))
                .int("height", line.int("height"))
                .int("size", line.int("size"))
                .instant("last_modified_at", line.instant("last_modified"))
                .text_or_null("checksum", line.some_text("checksum"))
                .text_or_null("checksum_algorithm", line.some_text("checksum_algorithm"))
                .bool("test_image", line.bool("test_image").unwrap_or(false))
                .int("uploaded_by_id", line.int("uploaded_by_id"))
                .int(
                    "detections_count",
                    line.int("detections_count").unwrap_or(0),
                )
                .instant("created_at", line.instant("created_at"))
                .instant("updated_at", line.instant("updated_at")),
        ]
    },
};
