//! Indices for the orders of lists that had to sort a whole project: occurrences by taxon, station,
//! boxes and duration, sessions by what is counted of them, captures that still wait.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::{ConnectionTrait, DbBackend};

#[derive(DeriveMigrationName)]
pub struct Migration;

/// Name, table and columns. Those of taxa and times hold what lists are narrowed by as well, so
/// that no row is looked at on the way.
const INDICES: &[(&str, &str)] = &[
    (
        "ix_occurrence_determinations",
        "occurrence (project_id, determination_id, id, determination_score, boxes_count, last_seen_at)",
    ),
    ("ix_occurrence_stations", "occurrence (station_id, id)"),
    (
        "ix_occurrence_boxes",
        "occurrence (project_id, boxes_count, id)",
    ),
    (
        "ix_capture_taken",
        "capture (project_id, taken_at, id, last_processed_at, boxes_count)",
    ),
    (
        "ix_capture_processed",
        "capture (project_id, last_processed_at, taken_at, id)",
    ),
    ("ix_capture_boxes", "capture (project_id, boxes_count, id)"),
    ("ix_session_ends", "session (project_id, end_at, id)"),
    (
        "ix_session_stations",
        "session (project_id, station_id, id)",
    ),
    (
        "ix_session_captures",
        "session (project_id, captures_count, id)",
    ),
    (
        "ix_session_detections",
        "session (project_id, detections_count, id)",
    ),
    (
        "ix_session_occurrences",
        "session (project_id, occurrences_count, id)",
    ),
    ("ix_session_taxa", "session (project_id, taxa_count, id)"),
    ("ix_session_created", "session (project_id, created_at, id)"),
    ("ix_session_updated", "session (project_id, updated_at, id)"),
];

/// Those whose work others do as well, so that writing costs what it did.
const REPLACED: &[(&str, &str)] = &[
    (
        "ix_occurrence_taxa",
        "occurrence (project_id, determination_id, determination_score, boxes_count, last_seen_at)",
    ),
    (
        "ix_occurrence_project_id_determination_id_determination_score",
        "occurrence (project_id, determination_id, determination_score)",
    ),
    ("ix_occurrence_station_id", "occurrence (station_id)"),
    ("ix_occurrence_session_id", "occurrence (session_id)"),
    (
        "ix_occurrence_project_id_updated_at",
        "occurrence (project_id, updated_at)",
    ),
    (
        "ix_occurrence_seen",
        "occurrence (project_id, first_seen_at, id)",
    ),
    (
        "ix_capture_project_id_taken_at_id",
        "capture (project_id, taken_at, id)",
    ),
    (
        "ix_capture_project_id_last_processed_at_id",
        "capture (project_id, last_processed_at, id)",
    ),
];

const LASTS: &str = "ix_occurrence_lasts";

/// How long an occurrence lasts; SQLite keeps times as text.
const fn duration(backend: DbBackend) -> &'static str {
    match backend {
        DbBackend::Sqlite => "julianday(last_seen_at) - julianday(first_seen_at)",
        _ => "last_seen_at - first_seen_at",
    }
}

async fn all(
    m: &SchemaManager<'_>,
    drop: &[(&str, &str)],
    make: &[(&str, &str)],
) -> Result<(), DbErr> {
    let db = m.get_connection();
    for (name, _) in drop {
        db.execute_unprepared(&format!("DROP INDEX {name}")).await?;
    }
    for (name, on) in make {
        db.execute_unprepared(&format!("CREATE INDEX {name} ON {on}"))
            .await?;
    }
    Ok(())
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        all(m, REPLACED, INDICES).await?;
        let duration = duration(m.get_database_backend());
        let lasts = format!("occurrence (project_id, ({duration}), id)");
        all(m, &[], &[(LASTS, &lasts)]).await
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        all(m, &[(LASTS, "")], &[]).await?;
        all(m, INDICES, REPLACED).await
    }
}
