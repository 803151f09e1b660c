//! Occurrences: individuals as stations see them ("occurrences" in the API).

use sea_orm::sea_query::NullOrdering;
use sea_orm::{ColumnTrait, EntityTrait, Order, QueryFilter, QueryOrder, QuerySelect};

use crate::connection::{Store, StoreError, StoreResult};
use crate::entity::{detection, occurrence};

pub mod detail;
pub mod determination;
pub mod facts;
pub mod list;
mod order;
pub mod prediction;
pub mod verified;

pub use crate::entity::occurrence::Model as Occurrence;

impl Store {
    /// The occurrence with this id.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], or an error of the database.
    pub async fn occurrence(&self, id: i64) -> StoreResult<Occurrence> {
        occurrence::Entity::find_by_id(id)
            .one(&self.db)
            .await?
            .ok_or(StoreError::NotFound("occurrence"))
    }

    /// Occurrences by id, in no order.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn occurrences_by_id(&self, ids: &[i64]) -> StoreResult<Vec<Occurrence>> {
        let mut found = Vec::new();
        for chunk in ids.chunks(1000) {
            let select = occurrence::Entity::find()
                .filter(occurrence::Column::Id.is_in(chunk.iter().copied()));
            found.extend(select.all(&self.db).await?);
        }
        Ok(found)
    }

    /// The capture on which an occurrence was first seen.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn first_capture_of(&self, occurrence: i64) -> StoreResult<Option<i64>> {
        use detection::Column as D;
        Ok(detection::Entity::find()
            .select_only()
            .column(D::CaptureId)
            .filter(D::OccurrenceId.eq(occurrence))
            .order_by_with_nulls(D::TakenAt, Order::Asc, NullOrdering::Last)
            .order_by_asc(D::Id)
            .limit(1)
            .into_tuple()
            .one(&self.db)
            .await?)
    }
}
