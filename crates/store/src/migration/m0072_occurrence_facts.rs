//! What lists of occurrences are narrowed and ordered by stands in the row itself, so that an
//! index serves them: how many boxes, when first and last seen.

use sea_orm_migration::{prelude::*, schema::*};

use super::column::index;

#[derive(DeriveMigrationName)]
pub struct Migration;

/// Each ends with the columns of the usual filter, so that counting reads the index alone.
const INDICES: &[&[&str]] = &[
    &["project_id", "first_seen_at"],
    &["project_id", "created_at"],
    &["project_id", "updated_at"],
    &["project_id", "detections_count"],
    &[
        "project_id",
        "determination_id",
        "determination_score",
        "detections_count",
        "last_seen_at",
    ],
    &[
        "project_id",
        "determination_score",
        "determination_id",
        "detections_count",
    ],
    &["determination_id", "project_id"],
];

/// The rows that are there get their facts from their detections.
const FILL: &str = "UPDATE occurrence SET \
    detections_count = (SELECT COUNT(*) FROM detection d \
        WHERE d.occurrence_id = occurrence.id AND d.x1 IS NOT NULL), \
    first_seen_at = (SELECT MIN(d.taken_at) FROM detection d \
        WHERE d.occurrence_id = occurrence.id AND d.x1 IS NOT NULL), \
    last_seen_at = (SELECT MAX(d.taken_at) FROM detection d \
        WHERE d.occurrence_id = occurrence.id AND d.x1 IS NOT NULL)";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        for mut column in [
            integer("detections_count").default(0).take(),
            timestamp_null("first_seen_at"),
            timestamp_null("last_seen_at"),
        ] {
            let add = Table::alter()
                .table("occurrence")
                .add_column(&mut column)
                .to_owned();
            m.alter_table(add).await?;
        }
        m.get_connection().execute_unprepared(FILL).await?;
        for columns in INDICES {
            m.create_index(index("occurrence", columns)).await?;
        }
        Ok(())
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        for columns in INDICES {
            let name = format!("ix_occurrence_{}", columns.join("_"));
            m.drop_index(Index::drop().name(name).table("occurrence").to_owned())
                .await?;
        }
        for column in ["detections_count", "first_seen_at", "last_seen_at"] {
            let drop = Table::alter()
                .table("occurrence")
                .drop_column(column)
                .to_owned();
            m.alter_table(drop).await?;
        }
        Ok(())
    }
}
