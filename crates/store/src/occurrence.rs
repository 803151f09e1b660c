//! Occurrences: individuals as stations see them ("occurrences" in the API).

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use crate::connection::{Store, StoreError, StoreResult};
use crate::entity::occurrence;

pub mod detail;
pub mod determination;
pub mod facts;
pub mod list;
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
}
