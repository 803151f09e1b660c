//! Creates the table worker.

use sea_orm_migration::{prelude::*, schema::*};

use super::column::{id, reference, unique};
use sea_orm_migration::prelude::ForeignKeyAction::Cascade;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.create_table(
            Table::create()
                .table("worker")
                .col(id())
                .col(big_integer_null("project_id"))
                .col(string("name"))
                .col(string_null("host"))
                .col(string_null("version"))
                .col(timestamp_with_time_zone("last_seen_at"))
                .col(timestamp_with_time_zone("created_at"))
                .foreign_key(&mut reference("worker", "project_id", "project", Cascade))
                .to_owned(),
        )
        .await?;
        m.create_index(unique("worker", &["project_id", "name"]))
            .await?;
        Ok(())
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        for table in ["worker"] {
            m.drop_table(Table::drop().table(table).to_owned()).await?;
        }
        Ok(())
    }
}
