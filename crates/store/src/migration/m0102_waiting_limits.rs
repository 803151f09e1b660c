//! Adds to a project how long its jobs wait for a worker before they fail; by default for ever.

use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.alter_table(
            Table::alter()
                .table("project")
                .add_column(integer_null("worker_wait_minutes"))
                .to_owned(),
        )
        .await
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.alter_table(
            Table::alter()
                .table("project")
                .drop_column("worker_wait_minutes")
                .to_owned(),
        )
        .await
    }
}
