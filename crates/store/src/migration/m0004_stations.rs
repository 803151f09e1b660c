//! Creates the tables site, device, storage_source, station.

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
                .table("site")
                .col(id())
                .col(big_integer_null("project_id"))
                .col(string("name"))
                .col(text("description"))
                .col(timestamp_with_time_zone("created_at"))
                .col(timestamp_with_time_zone("updated_at"))
                .foreign_key(&mut reference("site", "project_id", "project", Cascade))
                .to_owned(),
        )
        .await?;
        m.create_index(index("site", &["project_id"])).await?;
        m.create_table(
            Table::create()
                .table("device")
                .col(id())
                .col(big_integer_null("project_id"))
                .col(string("name"))
                .col(text("description"))
                .col(timestamp_with_time_zone("created_at"))
                .col(timestamp_with_time_zone("updated_at"))
                .foreign_key(&mut reference("device", "project_id", "project", Cascade))
                .to_owned(),
        )
        .await?;
        m.create_index(index("device", &["project_id"])).await?;
        m.create_table(
            Table::create()
                .table("storage_source")
                .col(id())
                .col(big_integer_null("project_id"))
                .col(string("name"))
                .col(string("kind"))
                .col(string("bucket"))
                .col(string("prefix"))
                .col(string_null("region"))
                .col(string_null("endpoint_url"))
                .col(string_null("public_base_url"))
                .col(text("access_key"))
                .col(text("secret_key"))
                .col(big_integer_null("total_files"))
                .col(big_integer_null("total_size"))
                .col(timestamp_with_time_zone_null("last_checked_at"))
                .col(timestamp_with_time_zone("created_at"))
                .col(timestamp_with_time_zone("updated_at"))
                .foreign_key(&mut reference(
                    "storage_source",
                    "project_id",
                    "project",
                    Cascade,
                ))
                .to_owned(),
        )
        .await?;
        m.create_index(index("storage_source", &["project_id"]))
            .await?;
        m.create_table(
            Table::create()
                .table("station")
                .col(id())
                .col(big_integer_null("project_id"))
                .col(string("name"))
                .col(text("description"))
                .col(string_null("image"))
                .col(double_null("latitude"))
                .col(double_null("longitude"))
                .col(big_integer_null("site_id"))
                .col(big_integer_null("device_id"))
                .col(big_integer_null("source_id"))
                .col(string_null("source_subdir"))
                .col(string_null("source_regex"))
                .col(big_integer_null("source_total_files"))
                .col(big_integer_null("source_total_size"))
                .col(timestamp_with_time_zone_null("source_checked_at"))
                .col(big_integer("captures_count"))
                .col(big_integer("sessions_count"))
                .col(big_integer("detections_count"))
                .col(big_integer("occurrences_count"))
                .col(big_integer("taxa_count"))
                .col(timestamp_null("first_capture_at"))
                .col(timestamp_null("last_capture_at"))
                .col(string_null("regroup_lock"))
                .col(timestamp_with_time_zone_null("regroup_lock_until"))
                .col(timestamp_with_time_zone("created_at"))
                .col(timestamp_with_time_zone("updated_at"))
                .foreign_key(&mut reference("station", "project_id", "project", Cascade))
                .foreign_key(&mut reference("station", "site_id", "site", SetNull))
                .foreign_key(&mut reference("station", "device_id", "device", SetNull))
                .foreign_key(&mut reference(
                    "station",
                    "source_id",
                    "storage_source",
                    SetNull,
                ))
                .to_owned(),
        )
        .await?;
        m.create_index(index("station", &["project_id"])).await?;
        m.create_index(index("station", &["site_id"])).await?;
        m.create_index(index("station", &["device_id"])).await?;
        m.create_index(index("station", &["source_id"])).await?;
        Ok(())
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        for table in ["station", "storage_source", "device", "site"] {
            m.drop_table(Table::drop().table(table).to_owned()).await?;
        }
        Ok(())
    }
}
