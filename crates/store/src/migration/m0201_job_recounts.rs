//! Creates the table job_recount (ended jobs whose sessions and stations are to be counted again).

use sea_orm_migration::prelude::ForeignKeyAction::Cascade;
use sea_orm_migration::{prelude::*, schema::*};

use super::column::reference;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.create_table(
            Table::create()
                .table("job_recount")
                .col(big_integer("job_id").primary_key())
                .col(big_integer("position"))
                .foreign_key(&mut reference("job_recount", "job_id", "job", Cascade))
                .to_owned(),
        )
        .await
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.drop_table(Table::drop().table("job_recount").to_owned())
            .await
    }
}
