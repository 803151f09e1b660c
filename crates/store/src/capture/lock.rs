//! Locks on captures. The idea: whoever writes many of them takes their locks first and in the order
//! of their ids, so that two who write the same ones wait for each other and never in a circle; and
//! takes them as locks that leave rows free to point to a capture meanwhile. On SQLite every writer
//! has its turn already.

use std::collections::HashMap;

use chrono::NaiveDateTime;
use sea_orm::sea_query::{Asterisk, Expr, Func, IntoIden, LockType, Query};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbBackend, EntityTrait, FromQueryResult, Order,
    QueryFilter, QueryOrder, QuerySelect,
};

use crate::connection::{StoreResult, Write};
use crate::entity::capture::{self, Column as C};

/// Where and when a capture was taken: what its detections and occurrences repeat of it.
#[derive(Clone, Copy, Debug, FromQueryResult)]
pub(crate) struct Taken {
    pub id: i64,
    pub project_id: Option<i64>,
    pub station_id: Option<i64>,
    pub session_id: Option<i64>,
    pub taken_at: Option<NaiveDateTime>,
}

/// Locks these captures: two jobs may save the same ones at once. `ids` ascend, so that this holds
/// from one chunk to the next too.
pub(crate) async fn lock_captures(tx: &Write, ids: &[i64]) -> StoreResult<HashMap<i64, Taken>> {
    let mut found = HashMap::new();
    for chunk in ids.chunks(1000) {
        let rows = capture::Entity::find()
            .select_only()
            .columns([C::Id, C::ProjectId, C::StationId, C::SessionId, C::TakenAt])
            .filter(C::Id.is_in(chunk.iter().copied()))
            .order_by_asc(C::Id)
            .lock(LockType::NoKeyUpdate)
            .into_model::<Taken>()
            .all(&**tx)
            .await?;
        found.extend(rows.into_iter().map(|c| (c.id, c)));
    }
    Ok(found)
}

/// Locks the captures of which this holds, for a statement that would take their locks in whatever
/// order it finds them.
pub(crate) async fn lock_those(tx: &Write, which: Condition) -> StoreResult<()> {
    if tx.get_database_backend() != DbBackend::Postgres {
        return Ok(());
    }
    let locked = Query::select()
        .column(C::Id)
        .from(capture::Entity)
        .cond_where(which)
        .order_by(C::Id, Order::Asc)
        .lock(LockType::NoKeyUpdate)
        .to_owned();
    let count = Query::select()
        .expr(Func::count(Expr::col(Asterisk)))
        .from_subquery(locked, "locked".into_iden())
        .to_owned();
    tx.query_one(&count).await?;
    Ok(())
}
