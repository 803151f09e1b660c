//! What Hawkmoth counts itself: boxes and taxa of captures, facts of occurrences, sessions,
//! stations and sets. Antenna's own numbers are not taken over, as they follow other moments and
//! may be out of date there; these are counted when all rows are here.

use domain::storage::KEPT;
use sea_orm::sea_query::{Alias, Expr, ExprTrait, Query};
use sea_orm::{ConnectionTrait, Order};

use super::{Heard, TABLES, step};
use crate::connection::{Store, StoreResult};

/// Captures counted in one transaction.
const BATCH: u64 = 500;
/// Under which name the place of the count stands.
const STEP: &str = "antenna counts";

/// Counts again, unless nothing has come since that was done.
pub(super) async fn count_again(store: &Store, source: &str, heard: Heard<'_>) -> StoreResult<()> {
    let mut seen = 0;
    for table in TABLES {
        seen += step::place(store, &table.about().step(), source)
            .await?
            .seen;
    }
    let mut place = step::place(store, STEP, source).await?;
    if place.seen == seen && place.done {
        return Ok(());
    }
    if place.seen != seen {
        (place.seen, place.position, place.written, place.done) = (seen, i64::MIN, 0, false);
    }
    // Uploads lay among the files that Antenna kept, and are to lie among ours.
    let kept = format!(
        "UPDATE capture SET public_base_url = '{KEPT}' WHERE EXISTS (SELECT 1 FROM upload \
         WHERE upload.capture_id = capture.id AND upload.path = capture.path)"
    );
    let tx = store.write().await?;
    tx.execute_unprepared(&kept).await?;
    tx.commit().await?;
    loop {
        let ids = ids(store, "capture", place.position, BATCH).await?;
        let Some(last) = ids.last() else { break };
        store.recount_captures(&ids).await?;
        place.position = *last;
        place.written += ids.len() as i64;
        write(store, &place).await?;
        heard("counts of captures", place.written);
    }
    for session in every(store, "session").await? {
        store.refresh_session(session).await?;
    }
    for station in every(store, "station").await? {
        store.refresh_station(station).await?;
    }
    store.recount_sets().await?;
    place.done = true;
    write(store, &place).await
}

async fn write(store: &Store, place: &step::Step) -> StoreResult<()> {
    let tx = store.write().await?;
    step::keep(&tx, place).await?;
    tx.commit().await
}

async fn every(store: &Store, table: &'static str) -> StoreResult<Vec<i64>> {
    ids(store, table, i64::MIN, i64::MAX as u64).await
}

async fn ids(store: &Store, table: &'static str, after: i64, limit: u64) -> StoreResult<Vec<i64>> {
    let id = || Expr::col(Alias::new("id"));
    let mut select = Query::select();
    select
        .column(Alias::new("id"))
        .from(Alias::new(table))
        .and_where(id().gt(after))
        .order_by(Alias::new("id"), Order::Asc)
        .limit(limit);
    let rows = store.db.query_all(&select).await?;
    let ids = rows.iter().map(|row| row.try_get("", "id"));
    Ok(ids.collect::<Result<_, _>>()?)
}
