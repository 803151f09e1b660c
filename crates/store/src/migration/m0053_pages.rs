//! Creates the table page: texts that staff write, such as the terms of service.

use sea_orm_migration::{prelude::*, schema::*};

use super::column::{id, unique};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.create_table(
            Table::create()
                .table("page")
                .col(id())
                .col(string("name"))
                .col(string("slug"))
                .col(text_null("content"))
                .col(string_null("link_class"))
                .col(integer("nav_level"))
                .col(integer("nav_order"))
                .col(boolean("published"))
                .col(timestamp_with_time_zone("created_at"))
                .col(timestamp_with_time_zone("updated_at"))
                .to_owned(),
        )
        .await?;
        m.create_index(unique("page", &["slug"])).await
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.drop_table(Table::drop().table("page").to_owned()).await
    }
}
