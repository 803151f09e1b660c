//! What stays behind: tables of Antenna's that hold rows for which Hawkmoth has no place. The idea:
//! all tables of the database are looked at, so also one that nobody here has heard of is named.

use sea_orm::DatabaseConnection;

use super::{Lost, TABLES, source};
use crate::connection::{Store, StoreResult};
use crate::transfer;

/// What Django and its parts keep for themselves, and what is read into roles.
const MACHINERY: &[&str] = &[
    "auth_group",
    "auth_group_permissions",
    "auth_permission",
    "django_admin_log",
    "django_celery_beat_periodictasks",
    "django_content_type",
    "django_migrations",
    "django_session",
    "django_site",
    "guardian_groupobjectpermission",
];

/// Why some tables stay; the others have no counterpart.
const REASONS: &[(&str, &str)] = &[
    (
        "main_sourceimagethumbnail",
        "left out: thumbnails are made again when first looked at",
    ),
    (
        "guardian_userobjectpermission",
        "left out: rights come from roles, not for one person and thing",
    ),
    (
        "users_user_user_permissions",
        "left out: rights come from roles, not for one person and thing",
    ),
    (
        "django_celery_beat_periodictask",
        "left out: upkeep is built in; make schedules anew",
    ),
    (
        "django_celery_beat_crontabschedule",
        "left out: upkeep is built in; make schedules anew",
    ),
    (
        "django_celery_beat_intervalschedule",
        "left out: upkeep is built in; make schedules anew",
    ),
];

/// Tables with rows that stay behind.
pub(super) async fn behind(from: &DatabaseConnection) -> StoreResult<Vec<Lost>> {
    let sql = "SELECT 0::bigint AS n, table_name::text AS word FROM information_schema.tables \
               WHERE table_schema = current_schema() AND table_type = 'BASE TABLE' ORDER BY 2";
    let mut lost = Vec::new();
    for (_, table) in source::pairs(from, sql).await? {
        let brought = TABLES.iter().any(|known| known.about().name == table);
        if brought || MACHINERY.contains(&table.as_str()) {
            continue;
        }
        let count = transfer::count(from, &table).await?;
        if count > 0 {
            let known = REASONS.iter().find(|(name, _)| *name == table);
            lost.push(Lost {
                reason: known
                    .map_or("left out: there is no such thing here", |(_, reason)| {
                        reason
                    })
                    .to_owned(),
                table,
                count,
                ids: Vec::new(),
            });
        }
    }
    Ok(lost)
}

/// Sessions whose first capture now lies on another day than Antenna said: the sign of a wrong
/// time zone.
pub(super) async fn shifted(store: &Store) -> StoreResult<Option<Lost>> {
    let sql = "SELECT CAST(COUNT(*) AS BIGINT) AS n FROM \"session\" WHERE day <> DATE(start_at)";
    let count = transfer::number(&store.db, sql).await?;
    Ok((count > 0).then(|| Lost {
        table: "main_event".to_owned(),
        reason: "begin on another day than Antenna says: is --antenna-time-zone its own?"
            .to_owned(),
        count,
        ids: Vec::new(),
    }))
}
