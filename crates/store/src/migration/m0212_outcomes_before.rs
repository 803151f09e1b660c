//! The index of a job's images by their outcome that began with the job goes.

use sea_orm_migration::prelude::*;

use super::column::index;

#[derive(DeriveMigrationName)]
pub struct Migration;

const COLUMNS: &[&str] = &["job_id", "run_no", "outcome"];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        let name = format!("ix_task_result_{}", COLUMNS.join("_"));
        m.drop_index(Index::drop().name(name).table("task_result").to_owned())
            .await
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.create_index(index("task_result", COLUMNS)).await
    }
}
