//! Photographs that people send ("captures/upload" in the API). An upload and its capture come and
//! go together (`domain-rules.md` §14).

use domain::storage::KEPT;
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, Condition, EntityTrait, JoinType, QueryFilter,
    QueryOrder, QuerySelect, RelationTrait, SqlErr,
};

use crate::capture::{Capture, NewCapture};
use crate::connection::{Store, StoreError, StoreResult, now};
use crate::entity::{capture, upload};
use crate::station::Station;

pub use crate::entity::upload::Model as Upload;

/// Which uploads a list shows.
#[derive(Clone, Debug, Default)]
pub struct UploadFilter {
    /// Only this one.
    pub id: Option<i64>,
    /// Only of this person.
    pub user_id: i64,
    /// Only of this project.
    pub project_id: Option<i64>,
}

impl Store {
    /// Makes a capture of a photograph that a person sent; its path is that of the kept file.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] where the station has a capture with this path; errors of the
    /// database.
    pub async fn create_upload(
        &self,
        station: &Station,
        user: Option<i64>,
        photo: NewCapture,
    ) -> StoreResult<(Upload, Capture)> {
        let at = now();
        let tx = self.write().await?;
        let row = capture::ActiveModel {
            project_id: Set(station.project_id),
            station_id: Set(Some(station.id)),
            path: Set(photo.path.clone()),
            public_base_url: Set(Some(KEPT.to_owned())),
            taken_at: Set(photo.taken_at),
            width: Set(photo.width),
            height: Set(photo.height),
            size: Set(photo.size),
            last_modified_at: Set(photo.last_modified_at),
            checksum: Set(photo.checksum),
            checksum_algorithm: Set(photo.checksum_algorithm),
            test_image: Set(true),
            uploaded_by_id: Set(user),
            detections_count: Set(0),
            created_at: Set(at),
            updated_at: Set(at),
            ..Default::default()
        };
        let capture = row
            .insert(&*tx)
            .await
            .map_err(|error| match error.sql_err() {
                Some(SqlErr::UniqueConstraintViolation(_)) => {
                    StoreError::Conflict("The station has a capture with this path.".to_owned())
                }
                _ => StoreError::Database(error),
            })?;
        let row = upload::ActiveModel {
            path: Set(photo.path),
            station_id: Set(station.id),
            capture_id: Set(capture.id),
            user_id: Set(user),
            created_at: Set(at),
            ..Default::default()
        };
        let upload = row.insert(&*tx).await?;
        crate::station::regroup::mark(&tx, station.id).await?;
        tx.commit().await?;
        self.refresh_station(station.id).await?;
        Ok((upload, capture))
    }

    /// A page of a person's uploads with their captures, the newest first, and how many there
    /// are.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn uploads(
        &self,
        filter: &UploadFilter,
        limit: u64,
        offset: u64,
    ) -> StoreResult<(Vec<(Upload, Capture)>, u64)> {
        let project = filter.project_id;
        let all = Condition::all()
            .add(upload::Column::UserId.eq(filter.user_id))
            .add_option(project.map(|id| capture::Column::ProjectId.eq(id)))
            .add_option(filter.id.map(|id| upload::Column::Id.eq(id)));
        let select = upload::Entity::find()
            .join(JoinType::InnerJoin, upload::Relation::Capture.def())
            .filter(all);
        let count = self.count_rows(select.clone()).await?;
        let page = select.order_by_desc(upload::Column::Id);
        let rows = page.limit(limit).offset(offset).all(&self.db).await?;
        let ids: Vec<i64> = rows.iter().map(|row| row.capture_id).collect();
        let captures = self.captures_by_id(&ids).await?;
        let of = |row: &Upload| captures.iter().find(|c| c.id == row.capture_id).cloned();
        let rows = rows
            .into_iter()
            .filter_map(|row| of(&row).map(|c| (row, c)));
        Ok((rows.collect(), count))
    }

    /// The upload of a capture, if it was sent.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn upload_of(&self, capture: i64) -> StoreResult<Option<Upload>> {
        Ok(upload::Entity::find()
            .filter(upload::Column::CaptureId.eq(capture))
            .one(&self.db)
            .await?)
    }
}
