//! Creates the table login: the sessions of people who are signed in to the pages.

use sea_orm_migration::{prelude::*, schema::*};

use super::column::{id, index, reference};
use sea_orm_migration::prelude::ForeignKeyAction::Cascade;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.create_table(
            Table::create()
                .table("login")
                .col(id())
                .col(big_integer("user_id"))
                .col(string_uniq("digest"))
                .col(timestamp_with_time_zone("created_at"))
                .col(timestamp_with_time_zone("expires_at"))
                .foreign_key(&mut reference("login", "user_id", "user", Cascade))
                .to_owned(),
        )
        .await?;
        m.create_index(index("login", &["user_id"])).await?;
        m.create_index(index("login", &["expires_at"])).await?;
        Ok(())
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.drop_table(Table::drop().table("login").to_owned()).await
    }
}
