//! What people said of occurrences.

use store::testing::rows::Row;

use super::Table;

pub const IDENTIFICATIONS: Table = Table {
    name: "main_identification",
    needs: &[("occurrence_id", "main_occurrence")],
    links: &[
        ("taxon_id", "main_taxon"),
        ("user_id", "users_user"),
        ("agreed_with_identification_id", "main_identification"),
        ("agreed_with_prediction_id", "main_classification"),
    ],
    rows: |line| {
        vec![
            Row::new("identification")
                .int("id", line.int("id"))
                .int("occurrence_id", line.int("occurrence_id"))
                .int("taxon_id", line.int("taxon_id"))
                .int("user_id", line.int("user_id"))
                .text("comment", line.text("comment"))
                .bool("withdrawn", line.bool("withdrawn"))
                .int(
                    "agreed_with_identification_id",
                    line.int("agreed_with_identification_id"),
                )
                .int(
                    "agreed_with_prediction_id",
                    line.int("agreed_with_prediction_id"),
                )
                .instant("created_at", line.instant("created_at"))
                .instant("updated_at", line.instant("updated_at")),
        ]
    },
};
