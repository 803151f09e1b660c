//! Detections in the order in which they were saved: what is done with them later walks along their
//! numbers and keeps the last one as its position.

use chrono::{DateTime, Utc};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::Detection;
use crate::connection::{Store, StoreResult};
use crate::entity::detection;

impl Store {
    /// The next detections behind this number, by number, null markers too, up to the first that
    /// was saved only after
    /// `before`: of rows that young, one with a smaller number may still be on its way.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn detections_after(
        &self,
        number: i64,
        before: DateTime<Utc>,
        limit: u64,
    ) -> StoreResult<Vec<Detection>> {
        use detection::Column as C;
        let mut rows = detection::Entity::find()
            .filter(C::Id.gt(number))
            .order_by_asc(C::Id)
            .limit(limit)
            .all(&self.db)
            .await?;
        let young = rows.iter().position(|row| row.created_at >= before);
        rows.truncate(young.unwrap_or(rows.len()));
        Ok(rows)
    }

    /// When the newest detection was saved.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn newest_detection(&self) -> StoreResult<Option<DateTime<Utc>>> {
        let newest = detection::Entity::find()
            .select_only()
            .column(detection::Column::CreatedAt)
            .order_by_desc(detection::Column::Id)
            .limit(1);
        Ok(newest.into_tuple().one(&self.db).await?)
    }
}
