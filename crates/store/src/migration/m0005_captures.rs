//! Creates the tables session, capture, capture_set, capture_set_member.

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
                .table("session")
                .col(id())
                .col(big_integer_null("project_id"))
                .col(big_integer_null("station_id"))
                .col(date("day"))
                .col(timestamp("start_at"))
                .col(timestamp_null("end_at"))
                .col(big_integer("captures_count"))
                .col(big_integer("detections_count"))
                .col(big_integer("occurrences_count"))
                .col(timestamp_with_time_zone_null("counted_at"))
                .col(timestamp_with_time_zone("created_at"))
                .col(timestamp_with_time_zone("updated_at"))
                .foreign_key(&mut reference("session", "project_id", "project", Cascade))
                .foreign_key(&mut reference("session", "station_id", "station", Cascade))
                .to_owned(),
        )
        .await?;
        m.create_index(unique("session", &["station_id", "day"]))
            .await?;
        m.create_index(index("session", &["project_id", "start_at"]))
            .await?;
        m.create_table(
            Table::create()
                .table("capture")
                .col(id())
                .col(big_integer_null("project_id"))
                .col(big_integer_null("station_id"))
                .col(big_integer_null("session_id"))
                .col(string("path"))
                .col(string_null("public_base_url"))
                .col(timestamp_null("taken_at"))
                .col(integer_null("width"))
                .col(integer_null("height"))
                .col(big_integer_null("size"))
                .col(timestamp_with_time_zone_null("last_modified_at"))
                .col(string_null("checksum"))
                .col(string_null("checksum_algorithm"))
                .col(boolean("test_image"))
                .col(big_integer_null("uploaded_by_id"))
                .col(big_integer("detections_count"))
                .col(timestamp_with_time_zone("created_at"))
                .col(timestamp_with_time_zone("updated_at"))
                .foreign_key(&mut reference("capture", "project_id", "project", Cascade))
                .foreign_key(&mut reference("capture", "station_id", "station", Cascade))
                .foreign_key(&mut reference("capture", "session_id", "session", SetNull))
                .foreign_key(&mut reference("capture", "uploaded_by_id", "user", SetNull))
                .to_owned(),
        )
        .await?;
        m.create_index(unique("capture", &["station_id", "path"]))
            .await?;
        m.create_index(index("capture", &["project_id", "taken_at", "id"]))
            .await?;
        m.create_index(index("capture", &["session_id", "taken_at", "id"]))
            .await?;
        m.create_index(index("capture", &["station_id", "taken_at", "id"]))
            .await?;
        m.create_index(index("capture", &["uploaded_by_id"]))
            .await?;
        m.create_table(
            Table::create()
                .table("capture_set")
                .col(id())
                .col(big_integer("project_id"))
                .col(string("name"))
                .col(text("description"))
                .col(string("method"))
                .col(json_binary("kwargs"))
                .col(timestamp_with_time_zone("created_at"))
                .col(timestamp_with_time_zone("updated_at"))
                .foreign_key(&mut reference(
                    "capture_set",
                    "project_id",
                    "project",
                    Cascade,
                ))
                .to_owned(),
        )
        .await?;
        m.create_index(index("capture_set", &["project_id"]))
            .await?;
        m.create_table(
            Table::create()
                .table("capture_set_member")
                .col(big_integer("capture_set_id"))
                .col(big_integer("capture_id"))
                .primary_key(Index::create().col("capture_set_id").col("capture_id"))
                .foreign_key(&mut reference(
                    "capture_set_member",
                    "capture_set_id",
                    "capture_set",
                    Cascade,
                ))
                .foreign_key(&mut reference(
                    "capture_set_member",
                    "capture_id",
                    "capture",
                    Cascade,
                ))
                .to_owned(),
        )
        .await?;
        m.create_index(index("capture_set_member", &["capture_id"]))
            .await?;
        Ok(())
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        for table in ["capture_set_member", "capture_set", "capture", "session"] {
            m.drop_table(Table::drop().table(table).to_owned()).await?;
        }
        Ok(())
    }
}
