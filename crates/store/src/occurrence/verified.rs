//! What is counted over what people said: who said the most, and of which occurrences.

use sea_orm::sea_query::{Expr, Func, Query};
use sea_orm::{
    ColumnTrait, EntityTrait, JoinType, Order, QueryFilter, QueryOrder, QuerySelect, RelationTrait,
};

use super::list::OccurrenceFilter;
use crate::connection::{Store, StoreResult};
use crate::entity::{identification, occurrence};

impl Store {
    /// Who identified the most occurrences of a project: person and number, the most first.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn top_identifiers(&self, project: i64, limit: u64) -> StoreResult<Vec<(i64, i64)>> {
        use identification::Column as C;
        let count = || Func::count_distinct(Expr::col((identification::Entity, C::OccurrenceId)));
        let rows = identification::Entity::find()
            .select_only()
            .column(C::UserId)
            .column_as(Expr::expr(count()), "identified")
            .join(
                JoinType::InnerJoin,
                identification::Relation::Occurrence.def(),
            )
            .filter(occurrence::Column::ProjectId.eq(project))
            .filter(C::Withdrawn.eq(false))
            .filter(C::UserId.is_not_null())
            .group_by(C::UserId)
            .order_by(Expr::expr(count()), Order::Desc)
            .order_by_asc(C::UserId)
            .limit(limit)
            .into_tuple::<(i64, i64)>()
            .all(&self.db);
        Ok(rows.await?)
    }

    /// The occurrences of a filter that somebody identified.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn verified_occurrences(&self, filter: &OccurrenceFilter) -> StoreResult<Vec<i64>> {
        let identified = Query::select()
            .column(identification::Column::OccurrenceId)
            .from(identification::Entity)
            .and_where(identification::Column::Withdrawn.eq(false))
            .to_owned();
        let ids = occurrence::Entity::find()
            .select_only()
            .column(occurrence::Column::Id)
            .filter(filter.condition())
            .filter(occurrence::Column::Id.in_subquery(identified))
            .order_by_asc(occurrence::Column::Id)
            .into_tuple::<i64>()
            .all(&self.db);
        Ok(ids.await?)
    }
}
