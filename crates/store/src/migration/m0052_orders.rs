//! Indices behind the orders of projects, the counts of a project's charts and summary, and the
//! example captures of a station.

use sea_orm_migration::prelude::*;

use super::column::index;

#[derive(DeriveMigrationName)]
pub struct Migration;

/// Table and columns.
const INDICES: &[(&str, &[&str])] = &[
    ("occurrence", &["project_id", "updated_at"]),
    (
        "occurrence",
        &["project_id", "determination_id", "determination_score"],
    ),
    (
        "occurrence",
        &["session_id", "determination_id", "determination_score"],
    ),
    ("job", &["project_id", "updated_at"]),
    ("capture", &["station_id", "size"]),
    ("capture", &["station_id", "uploaded_by_id"]),
    ("station", &["project_id", "name"]),
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        for (table, columns) in INDICES {
            m.create_index(index(table, columns)).await?;
        }
        Ok(())
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        for (table, columns) in INDICES {
            let name = format!("ix_{table}_{}", columns.join("_"));
            m.drop_index(Index::drop().name(name).table(*table).to_owned())
                .await?;
        }
        Ok(())
    }
}
