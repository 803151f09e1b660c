//! Creates the tables job_event, job_request, and the columns for traces of jobs and log lines.

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
                .table("job_event")
                .col(id())
                .col(big_integer("job_id"))
                .col(string("what"))
                .col(string("state"))
                .col(big_integer_null("user_id"))
                .col(text_null("detail"))
                .col(timestamp_with_time_zone("created_at"))
                .foreign_key(&mut reference("job_event", "job_id", "job", Cascade))
                .foreign_key(&mut reference("job_event", "user_id", "user", SetNull))
                .to_owned(),
        )
        .await?;
        m.create_index(index("job_event", &["job_id", "id"]))
            .await?;
        m.create_index(index("job_event", &["user_id"])).await?;
        m.create_table(
            Table::create()
                .table("job_request")
                .col(id())
                .col(big_integer("user_id"))
                .col(string("key"))
                .col(string("digest"))
                .col(big_integer_null("job_id"))
                .col(text_null("answer"))
                .col(timestamp_with_time_zone("created_at"))
                .foreign_key(&mut reference("job_request", "user_id", "user", Cascade))
                .foreign_key(&mut reference("job_request", "job_id", "job", SetNull))
                .to_owned(),
        )
        .await?;
        m.create_index(unique("job_request", &["user_id", "key"]))
            .await?;
        m.create_index(index("job_request", &["job_id"])).await?;
        m.create_index(index("job_request", &["created_at"]))
            .await?;
        // SQLite adds one column at a time.
        for (table, column) in COLUMNS {
            m.alter_table(
                Table::alter()
                    .table(table)
                    .add_column(string_null(column))
                    .to_owned(),
            )
            .await?;
        }
        Ok(())
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        for (table, column) in COLUMNS {
            m.alter_table(Table::alter().table(table).drop_column(column).to_owned())
                .await?;
        }
        for table in ["job_request", "job_event"] {
            m.drop_table(Table::drop().table(table).to_owned()).await?;
        }
        Ok(())
    }
}

const COLUMNS: [(&str, &str); 3] = [
    ("job", "trace_id"),
    ("job_log", "trace_id"),
    ("job_log", "span_id"),
];
