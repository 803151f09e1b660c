//! Images of a job by their outcome, the outcome first: whoever saves results names a job and its
//! captures, and PostgreSQL took an index that begins with the job for them where it underrated the
//! job, and read it whole for each batch. The one before goes by itself afterwards, as in `m0173`.

use sea_orm_migration::prelude::*;

use super::column::index;

#[derive(DeriveMigrationName)]
pub struct Migration;

const COLUMNS: &[&str] = &["outcome", "job_id", "run_no", "capture_id"];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.create_index(index("task_result", COLUMNS)).await
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        let name = format!("ix_task_result_{}", COLUMNS.join("_"));
        m.drop_index(Index::drop().name(name).table("task_result").to_owned())
            .await
    }
}
