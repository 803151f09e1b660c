//! Creates the tables category_map, algorithm, pipeline, pipeline_algorithm, processing_service,
//! service_pipeline.

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
                .table("category_map")
                .col(id())
                .col(json_binary("data"))
                .col(json_binary("labels"))
                .col(string_null("version"))
                .col(text_null("description"))
                .col(string_null("uri"))
                .col(timestamp_with_time_zone("created_at"))
                .col(timestamp_with_time_zone("updated_at"))
                .to_owned(),
        )
        .await?;
        m.create_table(
            Table::create()
                .table("algorithm")
                .col(id())
                .col(string_uniq("key"))
                .col(string("name"))
                .col(text("description"))
                .col(integer("version"))
                .col(string_null("version_name"))
                .col(string_null("task_type"))
                .col(string_null("uri"))
                .col(big_integer_null("category_map_id"))
                .col(timestamp_with_time_zone("created_at"))
                .col(timestamp_with_time_zone("updated_at"))
                .foreign_key(&mut reference(
                    "algorithm",
                    "category_map_id",
                    "category_map",
                    SetNull,
                ))
                .to_owned(),
        )
        .await?;
        m.create_index(unique("algorithm", &["name", "version"]))
            .await?;
        m.create_index(index("algorithm", &["category_map_id"]))
            .await?;
        m.create_table(
            Table::create()
                .table("pipeline")
                .col(id())
                .col(string_uniq("slug"))
                .col(string("name"))
                .col(text("description"))
                .col(integer("version"))
                .col(string("version_name"))
                .col(json_binary("stages"))
                .col(json_binary("default_config"))
                .col(timestamp_with_time_zone("created_at"))
                .col(timestamp_with_time_zone("updated_at"))
                .to_owned(),
        )
        .await?;
        m.create_index(unique("pipeline", &["name", "version"]))
            .await?;
        m.create_table(
            Table::create()
                .table("pipeline_algorithm")
                .col(big_integer("pipeline_id"))
                .col(big_integer("algorithm_id"))
                .primary_key(Index::create().col("pipeline_id").col("algorithm_id"))
                .foreign_key(&mut reference(
                    "pipeline_algorithm",
                    "pipeline_id",
                    "pipeline",
                    Cascade,
                ))
                .foreign_key(&mut reference(
                    "pipeline_algorithm",
                    "algorithm_id",
                    "algorithm",
                    Cascade,
                ))
                .to_owned(),
        )
        .await?;
        m.create_index(index("pipeline_algorithm", &["algorithm_id"]))
            .await?;
        m.create_table(
            Table::create()
                .table("processing_service")
                .col(id())
                .col(string("name"))
                .col(text("description"))
                .col(string_null("endpoint_url"))
                .col(timestamp_with_time_zone_null("last_seen_at"))
                .col(boolean_null("last_seen_live"))
                .col(double_null("last_seen_latency"))
                .col(timestamp_with_time_zone("created_at"))
                .col(timestamp_with_time_zone("updated_at"))
                .to_owned(),
        )
        .await?;
        m.create_table(
            Table::create()
                .table("service_pipeline")
                .col(big_integer("service_id"))
                .col(big_integer("pipeline_id"))
                .primary_key(Index::create().col("service_id").col("pipeline_id"))
                .foreign_key(&mut reference(
                    "service_pipeline",
                    "service_id",
                    "processing_service",
                    Cascade,
                ))
                .foreign_key(&mut reference(
                    "service_pipeline",
                    "pipeline_id",
                    "pipeline",
                    Cascade,
                ))
                .to_owned(),
        )
        .await?;
        m.create_index(index("service_pipeline", &["pipeline_id"]))
            .await?;
        Ok(())
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        for table in [
            "service_pipeline",
            "processing_service",
            "pipeline_algorithm",
            "pipeline",
            "algorithm",
            "category_map",
        ] {
            m.drop_table(Table::drop().table(table).to_owned()).await?;
        }
        Ok(())
    }
}
