//! PostgreSQL keeps no statistics of the jobs of tickets: it would take a job that came after them for
//! one without images, and look for a batch among all its tickets. What it has kept goes when the
//! column is given its type once more, for which nothing is written anew.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        alter(m, "SET STATISTICS 0").await?;
        alter(m, "TYPE bigint").await
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        alter(m, "SET STATISTICS -1").await
    }
}

async fn alter(m: &SchemaManager<'_>, what: &str) -> Result<(), DbErr> {
    if m.get_database_backend() != DbBackend::Postgres {
        return Ok(());
    }
    let alter = format!("ALTER TABLE ticket ALTER COLUMN job_id {what}");
    m.get_connection().execute_unprepared(&alter).await?;
    Ok(())
}
