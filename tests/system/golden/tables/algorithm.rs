//! The models that pipelines are made of.

use store::testing::rows::Row;

use super::Table;

pub const ALGORITHMS: Table = Table {
    name: "ml_algorithm",
    needs: &[],
    links: &[("category_map_id", "ml_algorithmcategorymap")],
    rows: |line| {
        vec![
            Row::new("algorithm")
                .int("id", line.int("id"))
                .text("key", line.text("key"))
                .text("name", line.text("name"))
                .text("description", line.text("description"))
                .int("version", line.int("version"))
                .text_or_null("version_name", line.some_text("version_name"))
                .text_or_null("task_type", line.some_text("task_type"))
                .text_or_null("uri", line.some_text("uri"))
                .int("category_map_id", line.int("category_map_id"))
                .instant("created_at", line.instant("created_at"))
                .instant("updated_at", line.instant("updated_at")),
        ]
    },
};
