//! Uploads by where they lie: whoever asks for a file is asked for its row.

use sea_orm_migration::prelude::*;

use super::column::index;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.create_index(index("upload", &["path"])).await
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        let drop = Index::drop()
            .name("ix_upload_path")
            .table("upload")
            .to_owned();
        m.drop_index(drop).await
    }
}
