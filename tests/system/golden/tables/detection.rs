//! Detections. Antenna keeps the box as a list of four numbers, or null for "nothing found".

use store::testing::rows::Row;

use super::Table;

pub const DETECTIONS: Table = Table {
    name: "main_detection",
    needs: &[("source_image_id", "main_sourceimage")],
    links: &[
        ("occurrence_id", "main_occurrence"),
        ("detection_algorithm_id", "ml_algorithm"),
    ],
    rows: |line| {
        let found = line.json("bbox");
        let side = |at: usize| found.as_ref().and_then(|found| found.get(at)?.as_f64());
        vec![
            Row::new("detection")
                .int("id", line.int("id"))
                .int("capture_id", line.int("source_image_id"))
                .float("x1", side(0))
                .float("y1", side(1))
                .float("x2", side(2))
                .float("y2", side(3))
                .text_or_null("path", line.some_text("path"))
                .local("taken_at", line.local("timestamp"))
                .instant("detected_at", line.instant("detection_time"))
                .int("algorithm_id", line.int("detection_algorithm_id"))
                .int("occurrence_id", line.int("occurrence_id"))
                .float("score", line.float("detection_score"))
                .instant("created_at", line.instant("created_at"))
                .instant("updated_at", line.instant("updated_at")),
        ]
    },
};
