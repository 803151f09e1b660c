//! What stands in an occurrence's own row so that lists are quick: how many boxes, first and last
//! time. Always counted anew from its detections, in the transaction that changes those.

use sea_orm::sea_query::{Expr, ExprTrait, Func, FunctionCall, Query};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::connection::{Store, StoreResult, Write};
use crate::entity::{detection, occurrence};

/// Occurrences counted in one transaction.
const BATCH: u64 = 1000;

/// Something about the boxes of an occurrence.
fn of_boxes(what: FunctionCall) -> Expr {
    let select = Query::select()
        .expr(what)
        .from(detection::Entity)
        .and_where(
            Expr::col((detection::Entity, detection::Column::OccurrenceId))
                .equals((occurrence::Entity, occurrence::Column::Id)),
        )
        .and_where(Expr::col((detection::Entity, detection::Column::X1)).is_not_null())
        .to_owned();
    Expr::SubQuery(None, Box::new(select.into()))
}

/// Counts again what these occurrences consist of.
pub(crate) async fn refresh(tx: &Write, occurrences: &[i64]) -> StoreResult<()> {
    use occurrence::Column as C;
    let taken = || Expr::col((detection::Entity, detection::Column::TakenAt));
    let count = Func::count(Expr::col((detection::Entity, detection::Column::Id)));
    for chunk in occurrences.chunks(1000) {
        occurrence::Entity::update_many()
            .col_expr(C::BoxesCount, of_boxes(count.clone()))
            .col_expr(C::FirstSeenAt, of_boxes(Func::min(taken())))
            .col_expr(C::LastSeenAt, of_boxes(Func::max(taken())))
            .filter(C::Id.is_in(chunk.iter().copied()))
            .exec(&**tx)
            .await?;
    }
    Ok(())
}

impl Store {
    /// Counts again what all occurrences consist of: for rows that were brought in from elsewhere.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn recount_occurrences(&self) -> StoreResult<()> {
        let mut after = i64::MIN;
        loop {
            let ids: Vec<i64> = occurrence::Entity::find()
                .select_only()
                .column(occurrence::Column::Id)
                .filter(occurrence::Column::Id.gt(after))
                .order_by_asc(occurrence::Column::Id)
                .limit(BATCH)
                .into_tuple()
                .all(&self.db)
                .await?;
            let Some(last) = ids.last() else {
                return Ok(());
            };
            after = *last;
            let tx = self.write().await?;
            refresh(&tx, &ids).await?;
            tx.commit().await?;
        }
    }
}
