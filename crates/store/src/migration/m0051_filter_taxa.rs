//! Creates the table project_filter_taxon: the taxa that a project's default filters ask for or
//! leave out.

use sea_orm_migration::{prelude::*, schema::*};

use super::column::{index, reference};
use sea_orm_migration::prelude::ForeignKeyAction::Cascade;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        const TABLE: &str = "project_filter_taxon";
        m.create_table(
            Table::create()
                .table(TABLE)
                .col(big_integer("project_id"))
                .col(big_integer("taxon_id"))
                .col(boolean("excluded"))
                .primary_key(
                    Index::create()
                        .col("project_id")
                        .col("excluded")
                        .col("taxon_id"),
                )
                .foreign_key(&mut reference(TABLE, "project_id", "project", Cascade))
                .foreign_key(&mut reference(TABLE, "taxon_id", "taxon", Cascade))
                .to_owned(),
        )
        .await?;
        m.create_index(index(TABLE, &["taxon_id"])).await
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        let table = Table::drop().table("project_filter_taxon").to_owned();
        m.drop_table(table).await
    }
}
