//! The index of a job's images by their outcome that began with the job goes. And PostgreSQL keeps
//! no statistics of the jobs of tickets: it would take a job that came after them for one without
//! images, and look for a batch among all tickets of it.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

use super::column::index;

#[derive(DeriveMigrationName)]
pub struct Migration;

const COLUMNS: &[&str] = &["job_id", "run_no", "outcome"];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        let name = format!("ix_task_result_{}", COLUMNS.join("_"));
        m.drop_index(Index::drop().name(name).table("task_result").to_owned())
            .await?;
        kept(m, 0).await
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.create_index(index("task_result", COLUMNS)).await?;
        kept(m, -1).await
    }
}

/// How much is kept of the jobs of tickets; -1 is as much as of any column.
async fn kept(m: &SchemaManager<'_>, target: i32) -> Result<(), DbErr> {
    if m.get_database_backend() != DbBackend::Postgres {
        return Ok(());
    }
    let alter = format!("ALTER TABLE ticket ALTER COLUMN job_id SET STATISTICS {target}");
    m.get_connection().execute_unprepared(&alter).await?;
    Ok(())
}
