//! Schedules: what comes round by the clock, its runs and their jobs. The table of the first
//! sketch, which nothing ever wrote to, makes room; upkeep that was a duty begins anew.

use sea_orm_migration::{prelude::*, schema::*};

use super::column::{id, index, reference, unique};
use sea_orm_migration::prelude::ForeignKeyAction::{Cascade, SetNull};
use sea_orm_migration::sea_orm::TransactionTrait;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        // On one connection: another one of SQLite's could still know the indexes of the table
        // that goes, and refuse those of the same names.
        let tx = m.get_connection().begin().await?;
        make(&SchemaManager::new(&tx)).await?;
        tx.commit().await
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        let tx = m.get_connection().begin().await?;
        let m = SchemaManager::new(&tx);
        for table in ["schedule_job", "schedule_run", "schedule"] {
            m.drop_table(Table::drop().table(table).to_owned()).await?;
        }
        MigrationTrait::up(&super::m0010_schedules::Migration, &m).await?;
        tx.commit().await
    }
}

async fn make(m: &SchemaManager<'_>) -> Result<(), DbErr> {
    m.drop_table(Table::drop().table("schedule").to_owned())
        .await?;
    m.create_table(
        Table::create()
            .table("schedule")
            .col(id())
            .col(big_integer_null("project_id"))
            .col(string_null("upkeep"))
            .col(string("name"))
            .col(string("cron"))
            .col(string("time_zone"))
            .col(json_binary("steps"))
            .col(big_integer_null("owner_id"))
            .col(timestamp_with_time_zone_null("next_at"))
            .col(timestamp_with_time_zone("created_at"))
            .col(timestamp_with_time_zone("updated_at"))
            .foreign_key(&mut reference("schedule", "project_id", "project", Cascade))
            .foreign_key(&mut reference("schedule", "owner_id", "user", SetNull))
            .to_owned(),
    )
    .await?;
    m.create_index(unique("schedule", &["upkeep"])).await?;
    m.create_index(index("schedule", &["next_at"])).await?;
    m.create_index(index("schedule", &["project_id"])).await?;
    m.create_index(index("schedule", &["owner_id"])).await?;
    create_runs(m).await?;
    let sql = "DELETE FROM duty WHERE name = 'service_health'";
    m.get_connection().execute_unprepared(sql).await?;
    Ok(())
}

async fn create_runs(m: &SchemaManager<'_>) -> Result<(), DbErr> {
    m.create_table(
        Table::create()
            .table("schedule_run")
            .col(id())
            .col(big_integer("schedule_id"))
            .col(timestamp_with_time_zone_null("planned_at"))
            .col(big_integer_null("user_id"))
            .col(json_binary("steps"))
            .col(integer("step"))
            .col(string("state"))
            .col(text_null("detail"))
            .col(timestamp_with_time_zone("started_at"))
            .col(timestamp_with_time_zone_null("finished_at"))
            .foreign_key(&mut reference(
                "schedule_run",
                "schedule_id",
                "schedule",
                Cascade,
            ))
            .foreign_key(&mut reference("schedule_run", "user_id", "user", SetNull))
            .to_owned(),
    )
    .await?;
    m.create_index(index("schedule_run", &["schedule_id", "id"]))
        .await?;
    m.create_index(index("schedule_run", &["state"])).await?;
    m.create_index(index("schedule_run", &["user_id"])).await?;
    m.create_table(
        Table::create()
            .table("schedule_job")
            .col(id())
            .col(big_integer("run_id"))
            .col(integer("step"))
            .col(big_integer_null("job_id"))
            .foreign_key(&mut reference(
                "schedule_job",
                "run_id",
                "schedule_run",
                Cascade,
            ))
            .foreign_key(&mut reference("schedule_job", "job_id", "job", SetNull))
            .to_owned(),
    )
    .await?;
    m.create_index(index("schedule_job", &["run_id", "id"]))
        .await?;
    m.create_index(index("schedule_job", &["job_id"])).await
}
