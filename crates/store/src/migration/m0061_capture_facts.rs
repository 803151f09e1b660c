//! What lists of captures are ordered and filtered by: when a capture was last processed, how many
//! boxes and taxa are on it. Fills the columns from what is there, and indexes them by project.

use sea_orm_migration::{prelude::*, schema::*};

use super::column::index;

#[derive(DeriveMigrationName)]
pub struct Migration;

/// What a project's captures are ordered by besides their time.
const ORDERS: [&[&str]; 7] = [
    &["project_id", "id"],
    &["project_id", "path", "id"],
    &["project_id", "size", "id"],
    &["project_id", "width", "id"],
    &["project_id", "last_processed_at", "id"],
    &["project_id", "detections_count", "id"],
    &["project_id", "taxa_count", "id"],
];

const FILL: &str = "UPDATE capture SET \
    last_processed_at = (SELECT MAX(d.created_at) FROM detection d WHERE d.capture_id = capture.id), \
    boxes_count = (SELECT COUNT(*) FROM detection d WHERE d.capture_id = capture.id AND d.x1 IS NOT NULL), \
    taxa_count = (SELECT COUNT(DISTINCT o.determination_id) FROM detection d \
        JOIN occurrence o ON o.id = d.occurrence_id JOIN project p ON p.id = capture.project_id \
        WHERE d.capture_id = capture.id AND d.x1 IS NOT NULL \
        AND o.determination_score >= p.score_threshold) \
    WHERE EXISTS (SELECT 1 FROM detection d WHERE d.capture_id = capture.id)";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        for column in [
            timestamp_with_time_zone_null("last_processed_at"),
            big_integer("boxes_count").default(0).take(),
            big_integer("taxa_count").default(0).take(),
        ] {
            let table = Table::alter().table("capture").add_column(column).take();
            m.alter_table(table).await?;
        }
        m.get_connection().execute_unprepared(FILL).await?;
        for columns in ORDERS {
            m.create_index(index("capture", columns)).await?;
        }
        Ok(())
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        for columns in ORDERS {
            let name = format!("ix_capture_{}", columns.join("_"));
            let dropped = Index::drop().name(name).table("capture").to_owned();
            m.drop_index(dropped).await?;
        }
        for column in ["taxa_count", "boxes_count", "last_processed_at"] {
            let table = Table::alter().table("capture").drop_column(column).take();
            m.alter_table(table).await?;
        }
        Ok(())
    }
}
