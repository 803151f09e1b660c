//! Which algorithms classified a box is read in the index alone: lists of occurrences ask it of as
//! many boxes as a project has.

use sea_orm_migration::prelude::*;

use super::column::index;

#[derive(DeriveMigrationName)]
pub struct Migration;

const COLUMNS: &[&str] = &["detection_id", "algorithm_id"];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.create_index(index("classification", COLUMNS)).await
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        let name = format!("ix_classification_{}", COLUMNS.join("_"));
        let dropped = Index::drop().name(name).table("classification").to_owned();
        m.drop_index(dropped).await
    }
}
