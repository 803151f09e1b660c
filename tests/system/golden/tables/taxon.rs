//! Taxa, and the projects in which they were seen.

use serde_json::json;
use store::testing::rows::Row;

use super::Table;

pub const TAXA: Table = Table {
    name: "main_taxon",
    needs: &[],
    links: &[("parent_id", "main_taxon")],
    rows: |line| {
        vec![
            Row::new("taxon")
                .int("id", line.int("id"))
                .text("name", line.text("name"))
                .text("rank", line.text("rank"))
                .int("parent_id", line.int("parent_id"))
                .bool("active", line.bool("active"))
                .json(
                    "search_names",
                    line.array("search_names").unwrap_or(json!([])),
                )
                .json("parents", line.json("parents_json").unwrap_or(json!([])))
                .int("gbif_key", line.int("gbif_taxon_key"))
                .text_or_null("common_name_en", line.some_text("common_name_en"))
                .instant("created_at", line.instant("created_at"))
                .instant("updated_at", line.instant("updated_at")),
        ]
    },
};

pub const OF_PROJECTS: Table = Table {
    name: "main_taxon_projects",
    needs: &[("taxon_id", "main_taxon"), ("project_id", "main_project")],
    links: &[],
    rows: |line| {
        vec![
            Row::new("taxon_project")
                .int("taxon_id", line.int("taxon_id"))
                .int("project_id", line.int("project_id")),
        ]
    },
};
