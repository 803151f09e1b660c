//! The index behind the usual order of jobs: the newest first, of all projects.

use sea_orm_migration::prelude::*;

use super::column::index;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.create_index(index("job", &["created_at", "id"])).await
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        let drop = Index::drop()
            .name("ix_job_created_at_id")
            .table("job")
            .to_owned();
        m.drop_index(drop).await
    }
}
