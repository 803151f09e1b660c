//! Creates the table transfer: how far a copy into this database, or an import, has come.

use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.create_table(
            Table::create()
                .table("transfer")
                .col(string("step").primary_key())
                .col(string("source"))
                .col(big_integer("position"))
                .col(big_integer("seen"))
                .col(big_integer("written"))
                .col(json_binary("lost"))
                .col(boolean("done"))
                .to_owned(),
        )
        .await
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.drop_table(Table::drop().table("transfer").to_owned())
            .await
    }
}
