//! What people change about a capture, and deleting it with what hangs on it.

use chrono::NaiveDateTime;
use sea_orm::sea_query::{Expr, ExprTrait, Query};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter,
    QueryOrder, QuerySelect,
};

use super::Capture;
use crate::capture_set;
use crate::connection::{Store, StoreError, StoreResult, Write, again, now};
use crate::entity::{capture, capture_set_member, detection, occurrence};
use crate::station::regroup;

/// New values of a capture; `None` leaves a field as it is.
#[derive(Clone, Debug, Default)]
pub struct CaptureChange {
    /// Path within the storage.
    pub path: Option<String>,
    /// Local time of the station.
    pub taken_at: Option<Option<NaiveDateTime>>,
    /// Pixels.
    pub width: Option<Option<i32>>,
    /// Pixels.
    pub height: Option<Option<i32>>,
    /// Bytes.
    pub size: Option<Option<i64>>,
    /// Whether it only tries something out.
    pub test_image: Option<bool>,
}

impl Store {
    /// Changes a capture.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], [`StoreError::Conflict`] where the station has another capture
    /// with this path, or an error of the database.
    pub async fn change_capture(&self, id: i64, change: CaptureChange) -> StoreResult<Capture> {
        use capture::Column as C;
        let tx = self.write().await?;
        let found = capture::Entity::find_by_id(id).one(&*tx).await?;
        let row = found.ok_or(StoreError::NotFound("capture"))?;
        if let (Some(path), Some(station)) = (&change.path, row.station_id) {
            let same = capture::Entity::find()
                .filter(C::StationId.eq(station))
                .filter(C::Path.eq(path.as_str()))
                .filter(C::Id.ne(id));
            if same.one(&*tx).await?.is_some() {
                let words = "The station has another capture with this path.";
                return Err(StoreError::Conflict(words.to_owned()));
            }
        }
        let moved = change.taken_at.is_some_and(|at| at != row.taken_at);
        let mut row = row.into_active_model();
        if let Some(path) = change.path {
            row.path = Set(path);
        }
        if let Some(at) = change.taken_at {
            row.taken_at = Set(at);
        }
        if let Some(width) = change.width {
            row.width = Set(width);
        }
        if let Some(height) = change.height {
            row.height = Set(height);
        }
        if let Some(size) = change.size {
            row.size = Set(size);
        }
        if let Some(test) = change.test_image {
            row.test_image = Set(test);
        }
        row.updated_at = Set(now());
        let row = row.update(&*tx).await?;
        if let (true, Some(station)) = (moved, row.station_id) {
            regroup::mark(&tx, station).await?;
        }
        tx.commit().await?;
        Ok(row)
    }

    /// Deletes a capture with its detections and its upload, and counts again what it was
    /// counted in; the file stays where it is.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], or an error of the database.
    pub async fn delete_capture(&self, id: i64) -> StoreResult<()> {
        let row = again(|| self.delete_row(id)).await?;
        if let Some(session) = row.session_id {
            self.refresh_session(session).await?;
        }
        if let Some(station) = row.station_id {
            self.refresh_station(station).await?;
        }
        Ok(())
    }

    async fn delete_row(&self, id: i64) -> StoreResult<Capture> {
        let tx = self.write().await?;
        // Sets before captures, as those do who put captures into sets.
        for set in sets_of(&tx, id).await? {
            capture_set::lock(&tx, set).await?;
        }
        let found = capture::Entity::find_by_id(id).lock_exclusive();
        let row = found.one(&*tx).await?;
        let row = row.ok_or(StoreError::NotFound("capture"))?;
        leave_sets(&tx, id).await?;
        let seen: Vec<i64> = detection::Entity::find()
            .select_only()
            .column(detection::Column::OccurrenceId)
            .filter(detection::Column::CaptureId.eq(id))
            .filter(detection::Column::OccurrenceId.is_not_null())
            .into_tuple()
            .all(&*tx)
            .await?;
        capture::Entity::delete_by_id(id).exec(&*tx).await?;
        delete_unseen(&tx, &seen).await?;
        if let (Some(_), Some(station)) = (row.session_id, row.station_id) {
            // Its session may be empty now, or fall into two.
            regroup::mark(&tx, station).await?;
        }
        tx.commit().await?;
        Ok(row)
    }
}

/// The capture sets that hold a capture.
async fn sets_of(tx: &Write, capture: i64) -> StoreResult<Vec<i64>> {
    use capture_set_member::Column as M;
    Ok(capture_set_member::Entity::find()
        .select_only()
        .column(M::CaptureSetId)
        .filter(M::CaptureId.eq(capture))
        .order_by_asc(M::CaptureSetId)
        .into_tuple()
        .all(&**tx)
        .await?)
}

/// Takes a locked capture out of all sets. One is less only where this takes it out: somebody else
/// may have done so meanwhile, and has counted it.
async fn leave_sets(tx: &Write, capture: i64) -> StoreResult<()> {
    use crate::entity::capture_set::{Column as C, Entity as Sets};
    use capture_set_member::Column as M;
    for set in sets_of(tx, capture).await? {
        let gone = capture_set_member::Entity::delete_many()
            .filter(M::CaptureSetId.eq(set))
            .filter(M::CaptureId.eq(capture))
            .exec(&**tx)
            .await?;
        if gone.rows_affected == 0 {
            continue;
        }
        Sets::update_many()
            .col_expr(C::CapturesCount, Expr::col(C::CapturesCount).sub(1))
            .filter(C::Id.eq(set))
            .exec(&**tx)
            .await?;
    }
    Ok(())
}

/// Individuals of whom no detection is left are gone too.
async fn delete_unseen(tx: &Write, occurrences: &[i64]) -> StoreResult<()> {
    for chunk in occurrences.chunks(1000) {
        let left = Query::select()
            .expr(Expr::value(1))
            .from(detection::Entity)
            .and_where(
                Expr::col((detection::Entity, detection::Column::OccurrenceId))
                    .equals((occurrence::Entity, occurrence::Column::Id)),
            )
            .to_owned();
        occurrence::Entity::delete_many()
            .filter(occurrence::Column::Id.is_in(chunk.iter().copied()))
            .filter(Expr::exists(left).not())
            .exec(&**tx)
            .await?;
    }
    crate::occurrence::facts::refresh(tx, occurrences).await
}
