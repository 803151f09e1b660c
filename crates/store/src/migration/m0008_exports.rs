//! Creates the table export.

use sea_orm_migration::{prelude::*, schema::*};

use super::column::{id, index, reference};
use sea_orm_migration::prelude::ForeignKeyAction::{Cascade, SetNull};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.create_table(
            Table::create()
                .table("export")
                .col(id())
                .col(big_integer("project_id"))
                .col(big_integer_null("user_id"))
                .col(string("format"))
                .col(json_binary("filters"))
                .col(json_binary("filters_display"))
                .col(string_null("file_url"))
                .col(big_integer("record_count"))
                .col(big_integer("file_size"))
                .col(timestamp_with_time_zone("created_at"))
                .col(timestamp_with_time_zone("updated_at"))
                .foreign_key(&mut reference("export", "project_id", "project", Cascade))
                .foreign_key(&mut reference("export", "user_id", "user", SetNull))
                .to_owned(),
        )
        .await?;
        m.create_index(index("export", &["project_id"])).await?;
        m.create_index(index("export", &["user_id"])).await?;
        Ok(())
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        for table in ["export"] {
            m.drop_table(Table::drop().table(table).to_owned()).await?;
        }
        Ok(())
    }
}
