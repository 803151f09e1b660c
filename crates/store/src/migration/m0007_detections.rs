//! Creates the tables occurrence, detection, classification.

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
                .table("occurrence")
                .col(id())
                .col(big_integer_null("project_id"))
                .col(big_integer_null("station_id"))
                .col(big_integer_null("session_id"))
                .col(big_integer_null("determination_id"))
                .col(double_null("determination_score"))
                .col(timestamp_with_time_zone("created_at"))
                .col(timestamp_with_time_zone("updated_at"))
                .foreign_key(&mut reference(
                    "occurrence",
                    "project_id",
                    "project",
                    Cascade,
                ))
                .foreign_key(&mut reference(
                    "occurrence",
                    "station_id",
                    "station",
                    SetNull,
                ))
                .foreign_key(&mut reference(
                    "occurrence",
                    "session_id",
                    "session",
                    SetNull,
                ))
                .foreign_key(&mut reference(
                    "occurrence",
                    "determination_id",
                    "taxon",
                    SetNull,
                ))
                .to_owned(),
        )
        .await?;
        m.create_index(index("occurrence", &["project_id", "determination_score"]))
            .await?;
        m.create_index(index("occurrence", &["station_id"])).await?;
        m.create_index(index("occurrence", &["session_id"])).await?;
        m.create_index(index("occurrence", &["determination_id"]))
            .await?;
        m.create_table(
            Table::create()
                .table("detection")
                .col(id())
                .col(big_integer("capture_id"))
                .col(double_null("x1"))
                .col(double_null("y1"))
                .col(double_null("x2"))
                .col(double_null("y2"))
                .col(string_null("path"))
                .col(timestamp_null("taken_at"))
                .col(timestamp_with_time_zone_null("detected_at"))
                .col(big_integer_null("algorithm_id"))
                .col(big_integer_null("occurrence_id"))
                .col(double_null("score"))
                .col(timestamp_with_time_zone("created_at"))
                .col(timestamp_with_time_zone("updated_at"))
                .foreign_key(&mut reference(
                    "detection",
                    "capture_id",
                    "capture",
                    Cascade,
                ))
                .foreign_key(&mut reference(
                    "detection",
                    "algorithm_id",
                    "algorithm",
                    SetNull,
                ))
                .foreign_key(&mut reference(
                    "detection",
                    "occurrence_id",
                    "occurrence",
                    SetNull,
                ))
                .to_owned(),
        )
        .await?;
        m.create_index(index("detection", &["capture_id"])).await?;
        m.create_index(index("detection", &["algorithm_id"]))
            .await?;
        m.create_index(index("detection", &["occurrence_id"]))
            .await?;
        m.create_table(
            Table::create()
                .table("classification")
                .col(id())
                .col(big_integer("detection_id"))
                .col(big_integer_null("taxon_id"))
                .col(big_integer_null("algorithm_id"))
                .col(big_integer_null("category_map_id"))
                .col(double_null("score"))
                .col(json_binary_null("scores"))
                .col(json_binary_null("logits"))
                .col(boolean("terminal"))
                .col(timestamp_with_time_zone("classified_at"))
                .col(big_integer_null("applied_to_id"))
                .col(timestamp_with_time_zone("created_at"))
                .col(timestamp_with_time_zone("updated_at"))
                .foreign_key(&mut reference(
                    "classification",
                    "detection_id",
                    "detection",
                    Cascade,
                ))
                .foreign_key(&mut reference(
                    "classification",
                    "taxon_id",
                    "taxon",
                    SetNull,
                ))
                .foreign_key(&mut reference(
                    "classification",
                    "algorithm_id",
                    "algorithm",
                    SetNull,
                ))
                .foreign_key(&mut reference(
                    "classification",
                    "category_map_id",
                    "category_map",
                    SetNull,
                ))
                .foreign_key(&mut reference(
                    "classification",
                    "applied_to_id",
                    "classification",
                    SetNull,
                ))
                .to_owned(),
        )
        .await?;
        m.create_index(index("classification", &["detection_id"]))
            .await?;
        m.create_index(index("classification", &["taxon_id"]))
            .await?;
        m.create_index(index("classification", &["algorithm_id"]))
            .await?;
        m.create_index(index("classification", &["category_map_id"]))
            .await?;
        m.create_index(index("classification", &["applied_to_id"]))
            .await?;
        Ok(())
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        for table in ["classification", "detection", "occurrence"] {
            m.drop_table(Table::drop().table(table).to_owned()).await?;
        }
        Ok(())
    }
}
