//! Adds to a job whether its tasks lie in a stream outside of the database, and creates the table
//! job_stream (what was last seen of that stream).

use sea_orm_migration::prelude::ForeignKeyAction::Cascade;
use sea_orm_migration::{prelude::*, schema::*};

use super::column::reference;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.alter_table(
            Table::alter()
                .table("job")
                .add_column(boolean("in_stream").default(false))
                .to_owned(),
        )
        .await?;
        m.create_table(
            Table::create()
                .table("job_stream")
                .col(big_integer("job_id").primary_key())
                .col(big_integer("generation"))
                .col(big_integer("waiting"))
                .col(big_integer("leased"))
                .col(integer("sweeps"))
                .col(big_integer("swept_at"))
                .foreign_key(&mut reference("job_stream", "job_id", "job", Cascade))
                .to_owned(),
        )
        .await
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.drop_table(Table::drop().table("job_stream").to_owned())
            .await?;
        m.alter_table(
            Table::alter()
                .table("job")
                .drop_column("in_stream")
                .to_owned(),
        )
        .await
    }
}
