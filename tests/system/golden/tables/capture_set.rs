//! Capture sets and what they hold.

use serde_json::json;
use store::testing::rows::Row;

use super::Table;

pub const SETS: Table = Table {
    name: "main_sourceimagecollection",
    needs: &[("project_id", "main_project")],
    links: &[],
    rows: |line| {
        vec![
            Row::new("capture_set")
                .int("id", line.int("id"))
                .int("project_id", line.int("project_id"))
                .text("name", line.text("name"))
                .text("description", line.text("description"))
                .text("method", line.text("method"))
                .json("kwargs", line.json("kwargs").unwrap_or(json!({})))
                .instant("created_at", line.instant("created_at"))
                .instant("updated_at", line.instant("updated_at")),
        ]
    },
};

pub const MEMBERS: Table = Table {
    name: "main_sourceimagecollection_images",
    needs: &[
        ("sourceimagecollection_id", "main_sourceimagecollection"),
        ("sourceimage_id", "main_sourceimage"),
    ],
    links: &[],
    rows: |line| {
        vec![
            Row::new("capture_set_member")
                .int("capture_set_id", line.int("sourceimagecollection_id"))
                .int("capture_id", line.int("sourceimage_id")),
        ]
    },
};
