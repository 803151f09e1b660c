//! What a person may set of a station, and its deletion.

use domain::permission::{Delete, Permit, Update};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter,
    QuerySelect,
};

use super::Station;
use crate::connection::{Store, StoreError, StoreResult, now};
use crate::entity::station;

/// New values of a station; `None` leaves a field as it is.
#[derive(Clone, Debug, Default)]
pub struct StationChange {
    /// Name.
    pub name: Option<String>,
    /// What it is.
    pub description: Option<String>,
    /// Key of its picture.
    pub image: Option<Option<String>>,
    /// Degrees north.
    pub latitude: Option<Option<f64>>,
    /// Degrees east.
    pub longitude: Option<Option<f64>>,
    /// The place of research where it stands.
    pub site_id: Option<Option<i64>>,
    /// The type of camera trap.
    pub device_id: Option<Option<i64>>,
    /// Where its photographs lie.
    pub source_id: Option<Option<i64>>,
    /// Folder within the source.
    pub source_subdir: Option<Option<String>>,
    /// Pattern that keys of photographs must match.
    pub source_regex: Option<Option<String>>,
}

impl StationChange {
    pub(crate) fn set(self, row: &mut station::ActiveModel) {
        fn set<T: Into<sea_orm::Value>>(field: &mut sea_orm::ActiveValue<T>, to: Option<T>) {
            if let Some(to) = to {
                *field = Set(to);
            }
        }
        set(&mut row.name, self.name);
        set(&mut row.description, self.description);
        set(&mut row.image, self.image);
        set(&mut row.latitude, self.latitude);
        set(&mut row.longitude, self.longitude);
        set(&mut row.site_id, self.site_id);
        set(&mut row.device_id, self.device_id);
        set(&mut row.source_id, self.source_id);
        set(&mut row.source_subdir, self.source_subdir);
        set(&mut row.source_regex, self.source_regex);
    }
}

impl Store {
    /// Edits a station.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], or an error of the database.
    pub async fn change_station(
        &self,
        _permit: Permit<Update>,
        id: i64,
        change: StationChange,
    ) -> StoreResult<Station> {
        // Before the transaction, for a station may have a million captures: what changes one of
        // them meanwhile says so itself.
        let owed = self.needs_regroup(id).await?;
        let tx = self.write().await?;
        let row = station::Entity::find_by_id(id)
            .lock_exclusive()
            .one(&*tx)
            .await?;
        let mut row = row
            .ok_or(StoreError::NotFound("station"))?
            .into_active_model();
        change.set(&mut row);
        row.updated_at = Set(now());
        let row = row.update(&*tx).await?;
        if owed {
            super::regroup::mark(&tx, id).await?;
        }
        tx.commit().await?;
        Ok(row)
    }

    /// Deletes a station with its captures and sessions.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], or an error of the database.
    pub async fn delete_station(&self, _permit: Permit<Delete>, id: i64) -> StoreResult<()> {
        let tx = self.write().await?;
        // Its occurrences would else stay without detections, station and session.
        crate::entity::occurrence::Entity::delete_many()
            .filter(crate::entity::occurrence::Column::StationId.eq(id))
            .exec(&*tx)
            .await?;
        let done = station::Entity::delete_by_id(id).exec(&*tx).await?;
        if done.rows_affected == 0 {
            return Err(StoreError::NotFound("station"));
        }
        tx.commit().await
    }
}
