//! Creates the tables project, membership, service_project, project_pipeline.

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
                .table("project")
                .col(id())
                .col(string("name"))
                .col(text("description"))
                .col(string_null("image"))
                .col(boolean("draft"))
                .col(boolean("active"))
                .col(integer("priority"))
                .col(big_integer_null("owner_id"))
                .col(json_binary("feature_flags"))
                .col(integer("session_time_gap_seconds"))
                .col(double("score_threshold"))
                .col(big_integer_null("default_pipeline_id"))
                .col(timestamp_with_time_zone("created_at"))
                .col(timestamp_with_time_zone("updated_at"))
                .foreign_key(&mut reference("project", "owner_id", "user", SetNull))
                .foreign_key(&mut reference(
                    "project",
                    "default_pipeline_id",
                    "pipeline",
                    SetNull,
                ))
                .to_owned(),
        )
        .await?;
        m.create_index(index("project", &["owner_id"])).await?;
        m.create_index(index("project", &["default_pipeline_id"]))
            .await?;
        m.create_table(
            Table::create()
                .table("membership")
                .col(id())
                .col(big_integer("project_id"))
                .col(big_integer("user_id"))
                .col(string("role"))
                .col(timestamp_with_time_zone("created_at"))
                .col(timestamp_with_time_zone("updated_at"))
                .foreign_key(&mut reference(
                    "membership",
                    "project_id",
                    "project",
                    Cascade,
                ))
                .foreign_key(&mut reference("membership", "user_id", "user", Cascade))
                .to_owned(),
        )
        .await?;
        m.create_index(unique("membership", &["project_id", "user_id"]))
            .await?;
        m.create_index(index("membership", &["user_id"])).await?;
        m.create_table(
            Table::create()
                .table("service_project")
                .col(big_integer("service_id"))
                .col(big_integer("project_id"))
                .primary_key(Index::create().col("service_id").col("project_id"))
                .foreign_key(&mut reference(
                    "service_project",
                    "service_id",
                    "processing_service",
                    Cascade,
                ))
                .foreign_key(&mut reference(
                    "service_project",
                    "project_id",
                    "project",
                    Cascade,
                ))
                .to_owned(),
        )
        .await?;
        m.create_index(index("service_project", &["project_id"]))
            .await?;
        m.create_table(
            Table::create()
                .table("project_pipeline")
                .col(id())
                .col(big_integer("project_id"))
                .col(big_integer("pipeline_id"))
                .col(boolean("enabled"))
                .col(json_binary("config"))
                .col(timestamp_with_time_zone("created_at"))
                .col(timestamp_with_time_zone("updated_at"))
                .foreign_key(&mut reference(
                    "project_pipeline",
                    "project_id",
                    "project",
                    Cascade,
                ))
                .foreign_key(&mut reference(
                    "project_pipeline",
                    "pipeline_id",
                    "pipeline",
                    Cascade,
                ))
                .to_owned(),
        )
        .await?;
        m.create_index(unique("project_pipeline", &["project_id", "pipeline_id"]))
            .await?;
        m.create_index(index("project_pipeline", &["pipeline_id"]))
            .await?;
        Ok(())
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        for table in [
            "project_pipeline",
            "service_project",
            "membership",
            "project",
        ] {
            m.drop_table(Table::drop().table(table).to_owned()).await?;
        }
        Ok(())
    }
}
