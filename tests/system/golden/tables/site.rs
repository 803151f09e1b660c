//! Places of research.

use store::testing::rows::Row;

use super::Table;

pub const SITES: Table = Table {
    name: "main_site",
    needs: &[("project_id", "main_project")],
    links: &[],
    rows: |line| {
        vec![
            Row::new("site")
                .int("id", line.int("id"))
                .int("project_id", line.int("project_id"))
                .text("name", line.text("name"))
                .text("description", line.text("description"))
                .instant("created_at", line.instant("created_at"))
                .instant("updated_at", line.instant("updated_at")),
        ]
    },
};
