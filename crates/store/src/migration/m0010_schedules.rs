//! Creates the table schedule.

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
                .table("schedule")
                .col(id())
                .col(big_integer("project_id"))
                .col(string("name"))
                .col(string("kind"))
                .col(json_binary("params"))
                .col(string("cron"))
                .col(boolean("enabled"))
                .col(timestamp_with_time_zone_null("next_at"))
                .col(big_integer_null("last_job_id"))
                .col(timestamp_with_time_zone("created_at"))
                .col(timestamp_with_time_zone("updated_at"))
                .foreign_key(&mut reference("schedule", "project_id", "project", Cascade))
                .foreign_key(&mut reference("schedule", "last_job_id", "job", SetNull))
                .to_owned(),
        )
        .await?;
        m.create_index(index("schedule", &["enabled", "next_at"]))
            .await?;
        m.create_index(index("schedule", &["project_id"])).await?;
        m.create_index(index("schedule", &["last_job_id"])).await?;
        Ok(())
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        for table in ["schedule"] {
            m.drop_table(Table::drop().table(table).to_owned()).await?;
        }
        Ok(())
    }
}
