//! The boxes of occurrences, and the end of an occurrence.

use std::collections::HashMap;

use chrono::NaiveDateTime;
use sea_orm::{ColumnTrait, EntityTrait, FromQueryResult, QueryFilter, QueryOrder, QuerySelect};

use crate::connection::{Store, StoreResult};
use crate::entity::{detection, occurrence};

/// A box in which an individual was seen.
#[derive(Clone, Debug, PartialEq, FromQueryResult)]
pub struct Sighting {
    /// Number of the detection.
    pub id: i64,
    /// The individual.
    pub occurrence_id: i64,
    /// The photograph.
    pub capture_id: i64,
    /// Left edge.
    pub x1: Option<f64>,
    /// Upper edge.
    pub y1: Option<f64>,
    /// Right edge.
    pub x2: Option<f64>,
    /// Lower edge.
    pub y2: Option<f64>,
    /// Of the crop.
    pub path: Option<String>,
    /// When the photograph was taken.
    pub taken_at: Option<NaiveDateTime>,
}

impl Store {
    /// The boxes of these occurrences, the last seen first.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn sightings(&self, occurrences: &[i64]) -> StoreResult<HashMap<i64, Vec<Sighting>>> {
        use detection::Column as C;
        let columns = [
            C::Id,
            C::OccurrenceId,
            C::CaptureId,
            C::X1,
            C::Y1,
            C::X2,
            C::Y2,
            C::Path,
            C::TakenAt,
        ];
        let rows = detection::Entity::find()
            .select_only()
            .columns(columns)
            .filter(C::OccurrenceId.is_in(occurrences.iter().copied()))
            .filter(C::X1.is_not_null())
            .order_by_desc(C::TakenAt)
            .order_by_desc(C::Id)
            .into_model::<Sighting>()
            .all(&self.db)
            .await?;
        let mut of: HashMap<i64, Vec<Sighting>> = HashMap::new();
        for row in rows {
            of.entry(row.occurrence_id).or_default().push(row);
        }
        Ok(of)
    }

    /// Deletes an occurrence with what people said of it; its detections stay without one.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn delete_occurrence(&self, id: i64) -> StoreResult<()> {
        let tx = self.write().await?;
        occurrence::Entity::delete_by_id(id).exec(&*tx).await?;
        tx.commit().await
    }
}
