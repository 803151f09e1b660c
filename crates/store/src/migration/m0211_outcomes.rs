//! Images of a job by their outcome, the outcome first: whoever saves results names a job and its
//! captures, and PostgreSQL took an index that begins with the job for them where it underrated the
//! job, and read it whole for each batch. The one before goes by itself afterwards, as in `m0173`.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::{ConnectionTrait, DbBackend};

#[derive(DeriveMigrationName)]
pub struct Migration;

const NAME: &str = "ix_task_result_outcome_job_id_run_no_capture_id";

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
        let columns = "(outcome, job_id, run_no, capture_id)";
        let sql = format!("CREATE INDEX {how} {NAME} ON task_result {columns}");
        db.execute_unprepared(&sql).await?;
        Ok(())
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        let drop = format!("DROP INDEX IF EXISTS {NAME}");
        m.get_connection().execute_unprepared(&drop).await?;
        Ok(())
    }
}
