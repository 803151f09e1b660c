//! Indices for what lists of occurrences are narrowed and ordered by.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::{ConnectionTrait, DbBackend};

use super::column::index;

#[derive(DeriveMigrationName)]
pub struct Migration;

/// Name, columns. PostgreSQL reads an index backwards with nulls at the other end, hence the
/// words in the last one: the newest come first, those without a time last.
const INDICES: &[(&str, &str)] = &[
    (
        "ix_occurrence_scored",
        "project_id, determination_score DESC, id, determination_id, boxes_count",
    ),
    (
        "ix_occurrence_taxa",
        "project_id, determination_id, determination_score, boxes_count, last_seen_at",
    ),
    ("ix_occurrence_determined", "determination_id, project_id"),
    ("ix_occurrence_created", "project_id, created_at, id"),
    ("ix_occurrence_updated", "project_id, updated_at, id"),
    (
        "ix_occurrence_seen",
        "project_id, first_seen_at NULLS FIRST, id",
    ),
];

/// Those whose work the ones above do as well.
const REPLACED: &[&[&str]] = &[
    &["project_id", "determination_score"],
    &["determination_id"],
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        for (name, columns) in INDICES {
            let nulls = m.get_database_backend() == DbBackend::Postgres;
            let columns = match nulls {
                true => (*columns).to_owned(),
                false => columns.replace(" NULLS FIRST", ""), // their place on SQLite anyway
            };
            let create = format!("CREATE INDEX {name} ON occurrence ({columns})");
            m.get_connection().execute_unprepared(&create).await?;
        }
        for columns in REPLACED {
            let name = format!("ix_occurrence_{}", columns.join("_"));
            let drop = Index::drop().name(name).table("occurrence").to_owned();
            m.drop_index(drop).await?;
        }
        Ok(())
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        for columns in REPLACED {
            m.create_index(index("occurrence", columns)).await?;
        }
        for (name, _) in INDICES {
            let drop = Index::drop().name(*name).table("occurrence").to_owned();
            m.drop_index(drop).await?;
        }
        Ok(())
    }
}
