//! Lists of taxa, what they hold and the projects that use them.

use store::testing::rows::Row;

use super::Table;

pub const LISTS: Table = Table {
    name: "main_taxalist",
    needs: &[],
    links: &[],
    rows: |line| {
        vec![
            Row::new("taxa_list")
                .int("id", line.int("id"))
                .text("name", line.text("name"))
                .text("description", line.text("description"))
                .instant("created_at", line.instant("created_at"))
                .instant("updated_at", line.instant("updated_at")),
        ]
    },
};

pub const MEMBERS: Table = Table {
    name: "main_taxalist_taxa",
    needs: &[("taxalist_id", "main_taxalist"), ("taxon_id", "main_taxon")],
    links: &[],
    rows: |line| {
        vec![
            Row::new("taxa_list_taxon")
                .int("taxa_list_id", line.int("taxalist_id"))
                .int("taxon_id", line.int("taxon_id")),
        ]
    },
};

pub const OF_PROJECTS: Table = Table {
    name: "main_taxalist_projects",
    needs: &[
        ("taxalist_id", "main_taxalist"),
        ("project_id", "main_project"),
    ],
    links: &[],
    rows: |line| {
        vec![
            Row::new("taxa_list_project")
                .int("taxa_list_id", line.int("taxalist_id"))
                .int("project_id", line.int("project_id")),
        ]
    },
};
