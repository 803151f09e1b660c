//! Adds to a station since when its captures wait to be put into sessions again; NULL: they do not.

use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.alter_table(
            Table::alter()
                .table("station")
                .add_column(timestamp_with_time_zone_null("regroup_due_at"))
                .to_owned(),
        )
        .await
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.alter_table(
            Table::alter()
                .table("station")
                .drop_column("regroup_due_at")
                .to_owned(),
        )
        .await
    }
}
