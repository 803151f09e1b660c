//! What pipelines find, written straight into the tables: for tests that need many of it and do
//! not ask how it came about.

use store::capture::Capture;
use store::testing::rows::{Row, insert};

use crate::app::TestApp;

/// A box on a capture, named by one classifier and determined as that taxon. The three rows have
/// the same id, which the test chooses.
#[derive(Clone, Copy)]
pub struct Found {
    pub id: i64,
    pub taxon: i64,
    pub algorithm: i64,
}

impl TestApp {
    /// Writes what was found on a capture.
    pub async fn found(&self, capture: &Capture, found: Found) {
        let now = store::now();
        let at = capture.taken_at;
        let rows = [
            Row::new("occurrence")
                .int("project_id", capture.project_id)
                .int("station_id", capture.station_id)
                .int("session_id", capture.session_id)
                .int("determination_id", found.taxon)
                .float("determination_score", 0.9)
                .local("first_seen_at", at)
                .local("last_seen_at", at)
                .int("boxes_count", 1),
            Row::new("detection")
                .int("capture_id", capture.id)
                .float("x1", 1.0)
                .float("y1", 1.0)
                .float("x2", 9.0)
                .float("y2", 9.0)
                .local("taken_at", at)
                .int("algorithm_id", found.algorithm)
                .int("occurrence_id", found.id),
            Row::new("classification")
                .int("detection_id", found.id)
                .int("taxon_id", found.taxon)
                .int("algorithm_id", found.algorithm)
                .float("score", 0.9)
                .bool("terminal", true)
                .instant("classified_at", now),
        ];
        let rows = rows.map(|row| {
            row.int("id", found.id)
                .instant("created_at", now)
                .instant("updated_at", now)
        });
        insert(&self.store, &rows).await.unwrap();
    }
}
