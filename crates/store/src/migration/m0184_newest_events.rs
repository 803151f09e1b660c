//! The index behind what happened last to any job: the newest events of a kind, of all projects.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::{ConnectionTrait, DbBackend};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    /// On PostgreSQL made beside those who write, which no transaction can.
    fn use_transaction(&self) -> Option<bool> {
        Some(false)
    }

    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        let db = m.get_connection();
        let how = match db.get_database_backend() {
            DbBackend::Postgres => "CONCURRENTLY IF NOT EXISTS",
            _ => "IF NOT EXISTS",
        };
        let sql = format!("CREATE INDEX {how} ix_job_event_what_id ON job_event (what, id)");
        db.execute_unprepared(&sql).await?;
        Ok(())
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        let drop = "DROP INDEX IF EXISTS ix_job_event_what_id";
        m.get_connection().execute_unprepared(drop).await?;
        Ok(())
    }
}
