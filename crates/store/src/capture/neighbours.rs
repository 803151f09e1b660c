//! A capture's place among those of its session: what the session page steps through.

use sea_orm::{
    ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, Select,
};

use super::Capture;
use crate::connection::{Store, StoreResult};
use crate::entity::capture;

/// The captures before and after it, and where it stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Neighbours {
    /// The first one that was taken later.
    pub next: Option<i64>,
    /// The last one that was taken earlier.
    pub previous: Option<i64>,
    /// How many were taken until then, with it.
    pub index: Option<u64>,
    /// How many the session has.
    pub total: Option<u64>,
}

impl Store {
    /// The neighbours of a capture in its session; none where it has no session or time.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn neighbours(&self, of: &Capture) -> StoreResult<Neighbours> {
        use capture::Column as C;
        let (Some(session), Some(at)) = (of.session_id, of.taken_at) else {
            return Ok(Neighbours::default());
        };
        let all = || capture::Entity::find().filter(C::SessionId.eq(session));
        let later = all().filter(C::TakenAt.gt(at));
        let earlier = all().filter(C::TakenAt.lt(at));
        let next = later.order_by_asc(C::TakenAt).order_by_asc(C::Id);
        let previous = earlier.order_by_desc(C::TakenAt).order_by_desc(C::Id);
        let until = all().filter(C::TakenAt.lte(at));
        Ok(Neighbours {
            next: self.first_id(next).await?,
            previous: self.first_id(previous).await?,
            index: Some(until.count(&self.db).await?),
            total: Some(all().count(&self.db).await?),
        })
    }

    async fn first_id(&self, select: Select<capture::Entity>) -> StoreResult<Option<i64>> {
        let first = select.select_only().column(capture::Column::Id).limit(1);
        Ok(first.into_tuple().one(&self.db).await?)
    }
}
