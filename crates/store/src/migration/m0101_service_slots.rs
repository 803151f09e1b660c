//! Creates the tables service_slot (which requests are with a push service, over all processes)
//! and duty (what one process at a time does for all of them).

use sea_orm_migration::prelude::ForeignKeyAction::Cascade;
use sea_orm_migration::{prelude::*, schema::*};

use super::column::reference;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        let key = Index::create()
            .col("service_id")
            .col("number")
            .primary()
            .to_owned();
        m.create_table(
            Table::create()
                .table("service_slot")
                .col(big_integer("service_id"))
                .col(integer("number"))
                .col(big_integer("holder"))
                .col(big_integer("until"))
                .primary_key(&mut key.clone())
                .foreign_key(&mut reference(
                    "service_slot",
                    "service_id",
                    "processing_service",
                    Cascade,
                ))
                .to_owned(),
        )
        .await?;
        m.create_table(
            Table::create()
                .table("duty")
                .col(string("name").primary_key())
                .col(big_integer("due_at"))
                .col(big_integer("position"))
                .to_owned(),
        )
        .await
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        for table in ["duty", "service_slot"] {
            m.drop_table(Table::drop().table(table).to_owned()).await?;
        }
        Ok(())
    }
}
