//! When an occurrence was first and last seen, and how often: what lists of occurrences are ordered
//! by. Fills the columns from what is there.

use sea_orm_migration::{prelude::*, schema::*};

use super::column::index;

#[derive(DeriveMigrationName)]
pub struct Migration;

const ORDERS: [&[&str]; 2] = [
    &["project_id", "first_seen_at", "id"],
    &["project_id", "id"],
];

const FILL: &str = "UPDATE occurrence SET \
    first_seen_at = (SELECT MIN(d.taken_at) FROM detection d WHERE d.occurrence_id = occurrence.id), \
    last_seen_at = (SELECT MAX(d.taken_at) FROM detection d WHERE d.occurrence_id = occurrence.id), \
    boxes_count = (SELECT COUNT(*) FROM detection d \
        WHERE d.occurrence_id = occurrence.id AND d.x1 IS NOT NULL)";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        for column in [
            timestamp_null("first_seen_at"),
            timestamp_null("last_seen_at"),
            big_integer("boxes_count").default(0).take(),
        ] {
            let table = Table::alter().table("occurrence").add_column(column).take();
            m.alter_table(table).await?;
        }
        m.get_connection().execute_unprepared(FILL).await?;
        for columns in ORDERS {
            m.create_index(index("occurrence", columns)).await?;
        }
        Ok(())
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        for columns in ORDERS {
            let name = format!("ix_occurrence_{}", columns.join("_"));
            let dropped = Index::drop().name(name).table("occurrence").to_owned();
            m.drop_index(dropped).await?;
        }
        for column in ["boxes_count", "last_seen_at", "first_seen_at"] {
            let table = Table::alter()
                .table("occurrence")
                .drop_column(column)
                .take();
            m.alter_table(table).await?;
        }
        Ok(())
    }
}
