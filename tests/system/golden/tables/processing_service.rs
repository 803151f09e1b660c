//! Processing services, the pipelines they offer and the projects that use them.

use store::testing::rows::Row;

use super::Table;
use crate::golden::service;
use crate::golden::sheet::Line;

pub const SERVICES: Table = Table {
    name: "ml_processingservice",
    needs: &[],
    links: &[],
    rows: |line| {
        vec![
            Row::new("processing_service")
                .int("id", line.int("id"))
                .text("name", line.text("name"))
                .text("description", line.text("description"))
                .instant("last_seen_at", line.instant("last_seen"))
                .bool("last_seen_live", line.bool("last_seen_live"))
                .float("last_seen_latency", line.float("last_seen_latency"))
                .instant("created_at", line.instant("created_at"))
                .instant("updated_at", line.instant("updated_at")),
        ]
    },
};

/// Adds the address: that of the recorded service is where it answers now.
pub fn complete(line: &Line, row: Row, address: &str) -> Row {
    if row.table != "processing_service" {
        return row;
    }
    let known = line.some_text("endpoint_url");
    let now = known.map(|known| known.replace(service::ADDRESS, address));
    row.text_or_null("endpoint_url", now)
}

pub const PIPELINES: Table = Table {
    name: "ml_processingservice_pipelines",
    needs: &[
        ("processingservice_id", "ml_processingservice"),
        ("pipeline_id", "ml_pipeline"),
    ],
    links: &[],
    rows: |line| {
        vec![
            Row::new("service_pipeline")
                .int("service_id", line.int("processingservice_id"))
                .int("pipeline_id", line.int("pipeline_id")),
        ]
    },
};

pub const PROJECTS: Table = Table {
    name: "ml_processingservice_projects",
    needs: &[
        ("processingservice_id", "ml_processingservice"),
        ("project_id", "main_project"),
    ],
    links: &[],
    rows: |line| {
        vec![
            Row::new("service_project")
                .int("service_id", line.int("processingservice_id"))
                .int("project_id", line.int("project_id")),
        ]
    },
};
