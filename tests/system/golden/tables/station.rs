//! Stations, which Antenna calls deployments.

use store::testing::rows::Row;

use super::Table;

pub const STATIONS: Table = Table {
    name: "main_deployment",
    needs: &[("project_id", "main_project")],
    links: &[
        ("research_site_id", "main_site"),
        ("device_id", "main_device"),
        ("data_source_id", "main_s3storagesource"),
    ],
    rows: |line| {
        vec![
            Row::new("station")
                .int("id", line.int("id"))
                .int("project_id", line.int("project_id"))
                .text("name", line.text("name"))
                .text("description", line.text("description"))
                .text_or_null("image", line.some_text("image"))
                .float("latitude", line.float("latitude"))
                .float("longitude", line.float("longitude"))
                .int("site_id", line.int("research_site_id"))
                .int("device_id", line.int("device_id"))
                .int("source_id", line.int("data_source_id"))
                .text_or_null("source_subdir", line.some_text("data_source_subdir"))
                .text_or_null("source_regex", line.some_text("data_source_regex"))
                .int("source_total_files", line.int("data_source_total_files"))
                .int("source_total_size", line.int("data_source_total_size"))
                .instant(
                    "source_checked_at",
                    line.instant("data_source_last_checked"),
                )
                .int("captures_count", line.int("captures_count").unwrap_or(0))
                .int("sessions_count", line.int("events_count").unwrap_or(0))
                .int(
                    "detections_count",
                    line.int("detections_count").unwrap_or(0),
                )
                .int(
                    "occurrences_count",
                    line.int("occurrences_count").unwrap_or(0),
                )
                .int("taxa_count", line.int("taxa_count").unwrap_or(0))
                .local("first_capture_at", line.local("first_capture_timestamp"))
                .local("last_capture_at", line.local("last_capture_timestamp"))
                .instant("created_at", line.instant("created_at"))
                .instant("updated_at", line.instant("updated_at")),
        ]
    },
};
