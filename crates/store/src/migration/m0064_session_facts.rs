//! What lists of sessions are ordered by and show: taxa, and the largest photograph of each.

use sea_orm_migration::{prelude::*, schema::*};

use super::column::index;

#[derive(DeriveMigrationName)]
pub struct Migration;

const LARGEST: &[&str] = &["session_id", "size", "id"];

const FILL: &str = "UPDATE session SET taxa_count = \
    (SELECT COUNT(DISTINCT o.determination_id) FROM occurrence o \
        JOIN project p ON p.id = o.project_id \
        WHERE o.session_id = session.id AND o.determination_score >= p.score_threshold)";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        let column = big_integer("taxa_count").default(0).take();
        let table = Table::alter().table("session").add_column(column).take();
        m.alter_table(table).await?;
        m.get_connection().execute_unprepared(FILL).await?;
        m.create_index(index("capture", LARGEST)).await
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        let name = format!("ix_capture_{}", LARGEST.join("_"));
        let dropped = Index::drop().name(name).table("capture").to_owned();
        m.drop_index(dropped).await?;
        let table = Table::alter()
            .table("session")
            .drop_column("taxa_count")
            .take();
        m.alter_table(table).await
    }
}
