//! Creates the tables job, job_log, ticket, task_result, job_progress, job_rate.

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
                .table("job")
                .col(id())
                .col(big_integer("project_id"))
                .col(string("name"))
                .col(string("kind"))
                .col(json_binary("params"))
                .col(integer("delay"))
                .col(integer_null("limit"))
                .col(boolean("shuffle"))
                .col(big_integer_null("station_id"))
                .col(big_integer_null("capture_set_id"))
                .col(big_integer_null("capture_id"))
                .col(big_integer_null("pipeline_id"))
                .col(big_integer_null("export_id"))
                .col(big_integer_null("created_by_id"))
                .col(string("dispatch_mode"))
                .col(string("state"))
                .col(boolean("paused"))
                .col(integer("priority"))
                .col(big_integer("generation"))
                .col(big_integer("run_no"))
                .col(string("feed_mode"))
                .col(big_integer("feed_cursor"))
                .col(big_integer("sent_cursor"))
                .col(big_integer("fed"))
                .col(big_integer("kept"))
                .col(big_integer_null("total"))
                .col(big_integer_null("expected"))
                .col(string("receipt_key"))
                .col(string_null("owner"))
                .col(big_integer("claim_no"))
                .col(integer("rescues"))
                .col(timestamp_with_time_zone_null("beat_at"))
                .col(json_binary("stages"))
                .col(json_binary("errors"))
                .col(json_binary_null("result"))
                .col(timestamp_with_time_zone("created_at"))
                .col(timestamp_with_time_zone("updated_at"))
                .col(timestamp_with_time_zone_null("scheduled_at"))
                .col(timestamp_with_time_zone_null("started_at"))
                .col(timestamp_with_time_zone_null("finished_at"))
                .foreign_key(&mut reference("job", "project_id", "project", Cascade))
                .foreign_key(&mut reference("job", "station_id", "station", SetNull))
                .foreign_key(&mut reference(
                    "job",
                    "capture_set_id",
                    "capture_set",
                    SetNull,
                ))
                .foreign_key(&mut reference("job", "capture_id", "capture", SetNull))
                .foreign_key(&mut reference("job", "pipeline_id", "pipeline", SetNull))
                .foreign_key(&mut reference("job", "export_id", "export", Cascade))
                .foreign_key(&mut reference("job", "created_by_id", "user", SetNull))
                .to_owned(),
        )
        .await?;
        m.create_index(index("job", &["project_id", "created_at"]))
            .await?;
        m.create_index(index("job", &["state", "priority", "id"]))
            .await?;
        m.create_index(index("job", &["station_id"])).await?;
        m.create_index(index("job", &["capture_set_id"])).await?;
        m.create_index(index("job", &["capture_id"])).await?;
        m.create_index(index("job", &["pipeline_id"])).await?;
        m.create_index(index("job", &["export_id"])).await?;
        m.create_index(index("job", &["created_by_id"])).await?;
        m.create_table(
            Table::create()
                .table("job_log")
                .col(id())
                .col(big_integer("job_id"))
                .col(string("level"))
                .col(text("message"))
                .col(timestamp_with_time_zone("created_at"))
                .foreign_key(&mut reference("job_log", "job_id", "job", Cascade))
                .to_owned(),
        )
        .await?;
        m.create_index(index("job_log", &["job_id", "id"])).await?;
        m.create_table(
            Table::create()
                .table("ticket")
                .col(big_integer("job_id"))
                .col(big_integer("capture_id"))
                .col(big_integer("generation"))
                .col(big_integer("visible_at"))
                .col(integer("deliveries"))
                .primary_key(Index::create().col("job_id").col("capture_id"))
                .foreign_key(&mut reference("ticket", "job_id", "job", Cascade))
                .to_owned(),
        )
        .await?;
        m.create_index(index("ticket", &["job_id", "visible_at"]))
            .await?;
        m.create_table(
            Table::create()
                .table("task_result")
                .col(big_integer("job_id"))
                .col(big_integer("run_no"))
                .col(integer("stage"))
                .col(big_integer("capture_id"))
                .col(big_integer("generation"))
                .col(integer("outcome"))
                .col(integer("deliveries"))
                .col(text_null("reason"))
                .primary_key(
                    Index::create()
                        .col("job_id")
                        .col("run_no")
                        .col("stage")
                        .col("capture_id"),
                )
                .foreign_key(&mut reference("task_result", "job_id", "job", Cascade))
                .to_owned(),
        )
        .await?;
        m.create_index(index("task_result", &["job_id", "run_no", "outcome"]))
            .await?;
        m.create_table(
            Table::create()
                .table("job_progress")
                .col(big_integer("job_id"))
                .col(big_integer("generation"))
                .col(integer("stage"))
                .col(big_integer("shard"))
                .col(big_integer("done"))
                .col(big_integer("failed"))
                .col(big_integer("captures"))
                .col(big_integer("detections"))
                .col(big_integer("classifications"))
                .primary_key(
                    Index::create()
                        .col("job_id")
                        .col("generation")
                        .col("stage")
                        .col("shard"),
                )
                .foreign_key(&mut reference("job_progress", "job_id", "job", Cascade))
                .to_owned(),
        )
        .await?;
        m.create_table(
            Table::create()
                .table("job_rate")
                .col(big_integer("job_id"))
                .col(big_integer("generation"))
                .col(big_integer("slot"))
                .col(big_integer("shard"))
                .col(big_integer("images"))
                .primary_key(
                    Index::create()
                        .col("job_id")
                        .col("generation")
                        .col("slot")
                        .col("shard"),
                )
                .foreign_key(&mut reference("job_rate", "job_id", "job", Cascade))
                .to_owned(),
        )
        .await?;
        Ok(())
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        for table in [
            "job_rate",
            "job_progress",
            "task_result",
            "ticket",
            "job_log",
            "job",
        ] {
            m.drop_table(Table::drop().table(table).to_owned()).await?;
        }
        Ok(())
    }
}
