//! Creates the table service_check: how a processing service answered when it was asked, gathered
//! in slots of five minutes, so that its history is bounded however often it is asked.

use sea_orm_migration::prelude::ForeignKeyAction::Cascade;
use sea_orm_migration::{prelude::*, schema::*};

use super::column::reference;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        let mut key = Index::create()
            .col("service_id")
            .col("slot")
            .primary()
            .to_owned();
        m.create_table(
            Table::create()
                .table("service_check")
                .col(big_integer("service_id"))
                .col(big_integer("slot"))
                .col(integer("answered"))
                .col(integer("failed"))
                .col(double_null("latency"))
                .primary_key(&mut key)
                .foreign_key(&mut reference(
                    "service_check",
                    "service_id",
                    "processing_service",
                    Cascade,
                ))
                .to_owned(),
        )
        .await
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.drop_table(Table::drop().table("service_check").to_owned())
            .await
    }
}
