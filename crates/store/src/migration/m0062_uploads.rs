//! Creates the table upload: photographs that people sent.

use sea_orm_migration::{prelude::*, schema::*};

use super::column::{id, index, reference, unique};
use sea_orm_migration::prelude::ForeignKeyAction::{Cascade, SetNull};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.create_table(
            Table::create()
                .table("upload")
                .col(id())
                .col(string("path"))
                .col(big_integer("station_id"))
                .col(big_integer("capture_id"))
                .col(big_integer_null("user_id"))
                .col(timestamp_with_time_zone("created_at"))
                .foreign_key(&mut reference("upload", "station_id", "station", Cascade))
                .foreign_key(&mut reference("upload", "capture_id", "capture", Cascade))
                .foreign_key(&mut reference("upload", "user_id", "user", SetNull))
                .to_owned(),
        )
        .await?;
        m.create_index(unique("upload", &["capture_id"])).await?;
        m.create_index(index("upload", &["station_id"])).await?;
        m.create_index(index("upload", &["user_id", "id"])).await
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.drop_table(Table::drop().table("upload").to_owned()).await
    }
}
