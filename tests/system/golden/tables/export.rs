//! Exports.

use serde_json::json;
use store::testing::rows::Row;

use super::Table;

pub const EXPORTS: Table = Table {
    name: "exports_dataexport",
    needs: &[("project_id", "main_project")],
    links: &[("user_id", "users_user")],
    rows: |line| {
        vec![
            Row::new("export")
                .int("id", line.int("id"))
                .int("project_id", line.int("project_id"))
                .int("user_id", line.int("user_id"))
                .text("format", line.text("format"))
                .json("filters", line.json("filters").unwrap_or(json!({})))
                .json(
                    "filters_display",
                    line.json("filters_display").unwrap_or(json!({})),
                )
                .text_or_null("file_url", line.some_text("file_url"))
                .int("record_count", line.int("record_count").unwrap_or(0))
                .int("file_size", line.int("file_size").unwrap_or(0))
                .instant("created_at", line.instant("created_at"))
                .instant("updated_at", line.instant("updated_at")),
        ]
    },
};
