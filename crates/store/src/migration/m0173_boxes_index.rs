//! The index of classifications by their box alone goes, for a wider one begins with it. Apart from
//! the making of that one: both in one transaction would wait for who reads the table and then
//! writes to it, and he for them.

use sea_orm_migration::prelude::*;

use super::column::index;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        let narrow = Index::drop()
            .name("ix_classification_detection_id")
            .table("classification")
            .to_owned();
        m.drop_index(narrow).await
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.create_index(index("classification", &["detection_id"]))
            .await
    }
}
