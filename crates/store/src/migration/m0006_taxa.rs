//! Creates the tables taxon, taxa_list, taxa_list_taxon.

use sea_orm_migration::{prelude::*, schema::*};

use super::column::{id, index, reference};
use sea_orm_migration::prelude::ForeignKeyAction::{Cascade, SetNull};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.create_table(
            Table::create()
                .table("taxon")
                .col(id())
                .col(string_uniq("name"))
                .col(string("rank"))
                .col(big_integer_null("parent_id"))
                .col(boolean("active"))
                .col(json_binary("search_names"))
                .col(json_binary("parents"))
                .col(big_integer_null("gbif_key"))
                .col(string_null("common_name_en"))
                .col(timestamp_with_time_zone("created_at"))
                .col(timestamp_with_time_zone("updated_at"))
                .foreign_key(&mut reference("taxon", "parent_id", "taxon", SetNull))
                .to_owned(),
        )
        .await?;
        m.create_index(index("taxon", &["parent_id"])).await?;
        m.create_table(
            Table::create()
                .table("taxa_list")
                .col(id())
                .col(string("name"))
                .col(text("description"))
                .col(timestamp_with_time_zone("created_at"))
                .col(timestamp_with_time_zone("updated_at"))
                .to_owned(),
        )
        .await?;
        m.create_index(index("taxa_list", &["name"])).await?;
        m.create_table(
            Table::create()
                .table("taxa_list_taxon")
                .col(big_integer("taxa_list_id"))
                .col(big_integer("taxon_id"))
                .primary_key(Index::create().col("taxa_list_id").col("taxon_id"))
                .foreign_key(&mut reference(
                    "taxa_list_taxon",
                    "taxa_list_id",
                    "taxa_list",
                    Cascade,
                ))
                .foreign_key(&mut reference(
                    "taxa_list_taxon",
                    "taxon_id",
                    "taxon",
                    Cascade,
                ))
                .to_owned(),
        )
        .await?;
        m.create_index(index("taxa_list_taxon", &["taxon_id"]))
            .await?;
        Ok(())
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        for table in ["taxa_list_taxon", "taxa_list", "taxon"] {
            m.drop_table(Table::drop().table(table).to_owned()).await?;
        }
        Ok(())
    }
}
