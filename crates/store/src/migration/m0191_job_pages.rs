//! A project's jobs in each order of their page, and by what it is narrowed by. None of these
//! columns moves while a job runs but for its few changes of state.

use sea_orm_migration::prelude::*;

use super::column::index;

#[derive(DeriveMigrationName)]
pub struct Migration;

const COLUMNS: [&[&str]; 5] = [
    &["project_id", "name", "id"],
    &["project_id", "state", "created_at", "id"],
    &["project_id", "kind", "created_at", "id"],
    &["project_id", "started_at", "id"],
    &["project_id", "finished_at", "id"],
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        for columns in COLUMNS {
            m.create_index(index("job", columns)).await?;
        }
        Ok(())
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        for columns in COLUMNS {
            let name = format!("ix_job_{}", columns.join("_"));
            let drop = Index::drop().name(name).table("job").to_owned();
            m.drop_index(drop).await?;
        }
        Ok(())
    }
}
