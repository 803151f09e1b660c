//! What classifiers said of detections.

use store::testing::rows::Row;

use super::Table;

pub const CLASSIFICATIONS: Table = Table {
    name: "main_classification",
    needs: &[("detection_id", "main_detection")],
    links: &[
        ("taxon_id", "main_taxon"),
        ("algorithm_id", "ml_algorithm"),
        ("category_map_id", "ml_algorithmcategorymap"),
        ("applied_to_id", "main_classification"),
    ],
    rows: |line| {
        vec![
            Row::new("classification")
                .int("id", line.int("id"))
                .int("detection_id", line.int("detection_id"))
                .int("taxon_id", line.int("taxon_id"))
                .int("algorithm_id", line.int("algorithm_id"))
                .int("category_map_id", line.int("category_map_id"))
                .float("score", line.float("score"))
                .json("scores", line.array("scores"))
                .json("logits", line.array("logits"))
                .bool("terminal", line.bool("terminal"))
                .instant("classified_at", line.instant("timestamp"))
                .int("applied_to_id", line.int("applied_to_id"))
                .instant("created_at", line.instant("created_at"))
                .instant("updated_at", line.instant("updated_at")),
        ]
    },
};
