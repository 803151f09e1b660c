//! What pull workers need: who holds a ticket, who a worker is and what it worked on last.
//! A machine is named by its user, its own name and its host within a project.

use sea_orm_migration::{prelude::*, schema::*};

use super::column::unique;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        for column in [
            big_integer_null("user_id"),
            big_integer_null("pipeline_id"),
            big_integer_null("job_id"),
        ] {
            let mut column = column;
            let alter = Table::alter()
                .table("worker")
                .add_column(&mut column)
                .to_owned();
            m.alter_table(alter).await?;
        }
        let old = Index::drop()
            .name("ux_worker_project_id_name")
            .table("worker")
            .to_owned();
        m.drop_index(old).await?;
        m.create_index(unique("worker", &["project_id", "user_id", "name", "host"]))
            .await?;
        let holder = Table::alter()
            .table("ticket")
            .add_column(big_integer_null("worker_id"))
            .to_owned();
        m.alter_table(holder).await?;
        // Only tickets in somebody's hands are in it, so feeding does not pay for it.
        m.get_connection()
            .execute_unprepared(
                "CREATE INDEX ix_ticket_worker_id ON ticket (worker_id) WHERE worker_id IS NOT NULL",
            )
            .await?;
        Ok(())
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.drop_index(
            Index::drop()
                .name("ix_ticket_worker_id")
                .table("ticket")
                .to_owned(),
        )
        .await?;
        let holder = Table::alter()
            .table("ticket")
            .drop_column("worker_id")
            .to_owned();
        m.alter_table(holder).await?;
        let new = Index::drop()
            .name("ux_worker_project_id_user_id_name_host")
            .table("worker")
            .to_owned();
        m.drop_index(new).await?;
        for column in ["user_id", "pipeline_id", "job_id"] {
            let alter = Table::alter()
                .table("worker")
                .drop_column(column)
                .to_owned();
            m.alter_table(alter).await?;
        }
        m.create_index(unique("worker", &["project_id", "name"]))
            .await?;
        Ok(())
    }
}
