//! Slots: how many requests are with a push service at once, over all jobs of all processes. The
//! idea: a slot is a row with an end, taken by a guarded upsert and kept by moving its end, so a
//! process that dies gives its slots back by being silent.

use std::collections::HashSet;
use std::time::Duration;

use sea_orm::sea_query::{Expr, ExprTrait, OnConflict};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryTrait, SqlErr,
};

use crate::connection::{Store, StoreError, StoreResult, Write, clock, clock_in};
use crate::entity::service_slot;

/// One slot of a service, held by whoever has this value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    service: i64,
    number: i32,
    holder: i64,
}

impl Store {
    /// Takes a slot of a service that has so many, for this time; `None` where all are taken.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn take_slot(
        &self,
        service: i64,
        most: u32,
        time: Duration,
    ) -> StoreResult<Option<Slot>> {
        use service_slot::Column as C;
        let taken: HashSet<i32> = service_slot::Entity::find()
            .filter(C::ServiceId.eq(service))
            .filter(C::Until.gt(clock()))
            .all(&self.db)
            .await?
            .into_iter()
            .map(|slot| slot.number)
            .collect();
        let most = i32::try_from(most).unwrap_or(i32::MAX);
        let mut free = (0..most)
            .filter(|number| !taken.contains(number))
            .peekable();
        if free.peek().is_none() {
            return Ok(None);
        }
        let holder = rand::random();
        let tx = self.write().await?;
        // Somebody may have been faster: then the next one.
        for number in free {
            let slot = Slot {
                service,
                number,
                holder,
            };
            match take(&tx, slot, clock_in(time)).await {
                Ok(false) => {}
                Ok(true) => {
                    tx.commit().await?;
                    return Ok(Some(slot));
                }
                Err(StoreError::NotFound(_)) => break,
                Err(other) => return Err(other),
            }
        }
        Ok(None)
    }

    /// Keeps a slot for this time from now on; false where it was lost.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn keep_slot(&self, slot: Slot, time: Duration) -> StoreResult<bool> {
        self.set_slot(slot, clock_in(time)).await
    }

    /// Gives a slot back.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn free_slot(&self, slot: Slot) -> StoreResult<()> {
        self.set_slot(slot, 0).await.map(drop)
    }

    async fn set_slot(&self, slot: Slot, until: i64) -> StoreResult<bool> {
        use service_slot::Column as C;
        let tx = self.write().await?;
        let done = service_slot::Entity::update_many()
            .col_expr(C::Until, Expr::value(until))
            .filter(C::ServiceId.eq(slot.service))
            .filter(C::Number.eq(slot.number))
            .filter(C::Holder.eq(slot.holder))
            .exec(&*tx)
            .await?;
        tx.commit().await?;
        Ok(done.rows_affected > 0)
    }
}

/// Takes this slot if it is free. Fails as not found where the service was deleted meanwhile.
async fn take(tx: &Write, slot: Slot, until: i64) -> StoreResult<bool> {
    use service_slot::Column as C;
    let free = Expr::col((service_slot::Entity, C::Until)).lte(clock());
    let row = service_slot::ActiveModel {
        service_id: Set(slot.service),
        number: Set(slot.number),
        holder: Set(slot.holder),
        until: Set(until),
    };
    let mut insert = service_slot::Entity::insert(row)
        .on_conflict(
            OnConflict::columns([C::ServiceId, C::Number])
                .update_columns([C::Holder, C::Until])
                .action_and_where(free)
                .to_owned(),
        )
        .into_query();
    insert.returning_col(C::Number);
    match tx.query_all(&insert).await {
        Ok(rows) => Ok(!rows.is_empty()),
        Err(error) => match error.sql_err() {
            Some(SqlErr::ForeignKeyConstraintViolation(_)) => {
                Err(StoreError::NotFound("processing service"))
            }
            _ => Err(error.into()),
        },
    }
}
