//! Webhooks: whom a project tells what becomes of its jobs, and what was and is to be told.

use sea_orm_migration::prelude::ForeignKeyAction::{Cascade, SetNull};
use sea_orm_migration::{prelude::*, schema::*};

use super::column::{id, index, reference, unique};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        create_webhooks(m).await?;
        create_deliveries(m).await
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        for table in ["webhook_delivery", "webhook"] {
            m.drop_table(Table::drop().table(table).to_owned()).await?;
        }
        Ok(())
    }
}

async fn create_webhooks(m: &SchemaManager<'_>) -> Result<(), DbErr> {
    m.create_table(
        Table::create()
            .table("webhook")
            .col(id())
            .col(big_integer("project_id"))
            .col(string("name"))
            .col(string("kind"))
            .col(string("target"))
            .col(text("secret"))
            .col(json_binary("events"))
            .col(boolean("only_failures"))
            .col(integer("no_worker_minutes"))
            .col(boolean("enabled"))
            .col(timestamp_with_time_zone("created_at"))
            .col(timestamp_with_time_zone("updated_at"))
            .foreign_key(&mut reference("webhook", "project_id", "project", Cascade))
            .to_owned(),
    )
    .await?;
    m.create_index(index("webhook", &["project_id"])).await
}

async fn create_deliveries(m: &SchemaManager<'_>) -> Result<(), DbErr> {
    m.create_table(
        Table::create()
            .table("webhook_delivery")
            .col(id())
            .col(big_integer("webhook_id"))
            .col(string("key"))
            .col(string("event"))
            .col(big_integer_null("job_id"))
            .col(json_binary("payload"))
            .col(string("state"))
            .col(integer("attempts"))
            .col(timestamp_with_time_zone_null("next_at"))
            .col(integer_null("status"))
            .col(text_null("reason"))
            .col(timestamp_with_time_zone("created_at"))
            .col(timestamp_with_time_zone_null("sent_at"))
            .col(timestamp_with_time_zone_null("finished_at"))
            .foreign_key(&mut reference(
                "webhook_delivery",
                "webhook_id",
                "webhook",
                Cascade,
            ))
            .foreign_key(&mut reference("webhook_delivery", "job_id", "job", SetNull))
            .to_owned(),
    )
    .await?;
    m.create_index(unique("webhook_delivery", &["key"])).await?;
    m.create_index(index("webhook_delivery", &["webhook_id", "id"]))
        .await?;
    m.create_index(index("webhook_delivery", &["job_id"]))
        .await?;
    // What is due: only what waits has a next time.
    m.create_index(index("webhook_delivery", &["next_at"]))
        .await?;
    m.create_index(index("webhook_delivery", &["created_at"]))
        .await
}
