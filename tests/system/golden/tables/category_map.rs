//! The classes of classifiers.

use store::testing::rows::Row;

use super::Table;

pub const MAPS: Table = Table {
    name: "ml_algorithmcategorymap",
    needs: &[],
    links: &[],
    rows: |line| {
        vec![
            Row::new("category_map")
                .int("id", line.int("id"))
                .json("data", line.json("data"))
                .json("labels", line.array("labels"))
                .text_or_null("version", line.some_text("version"))
                .text_or_null("description", line.some_text("description"))
                .text_or_null("uri", line.some_text("uri"))
                .instant("created_at", line.instant("created_at"))
                .instant("updated_at", line.instant("updated_at")),
        ]
    },
};
