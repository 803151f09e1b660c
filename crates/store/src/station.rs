//! Stations: making and finding them ("deployment" in the API). Lists of them stand in
//! `station/list.rs`, who may regroup their captures and when in `station/regroup.rs`.

use chrono::{DateTime, Utc};
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QueryOrder,
};

use crate::connection::{Store, StoreError, StoreResult, now};
use crate::entity::station;

pub use crate::entity::station::Model as Station;

pub mod change;
pub mod list;
pub mod regroup;

pub use change::StationChange;
pub use list::{STATION_ORDERS, StationFilter};

/// What a person gives to make a station.
#[derive(Clone, Debug, Default)]
pub struct NewStation {
    /// The project.
    pub project_id: i64,
    /// Name.
    pub name: String,
    /// Degrees north.
    pub latitude: Option<f64>,
    /// Degrees east.
    pub longitude: Option<f64>,
    /// Where its photographs lie.
    pub source_id: Option<i64>,
    /// All else that a person may set.
    pub more: StationChange,
}

/// A station with nothing in it.
pub(crate) fn fresh(
    project: i64,
    name: &str,
    latitude: Option<f64>,
    longitude: Option<f64>,
) -> station::ActiveModel {
    let at = now();
    station::ActiveModel {
        project_id: Set(Some(project)),
        name: Set(name.to_owned()),
        description: Set(String::new()),
        latitude: Set(latitude),
        longitude: Set(longitude),
        captures_count: Set(0),
        sessions_count: Set(0),
        detections_count: Set(0),
        occurrences_count: Set(0),
        taxa_count: Set(0),
        created_at: Set(at),
        updated_at: Set(at),
        ..Default::default()
    }
}

impl Store {
    /// Makes a station.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn create_station(&self, new: NewStation) -> StoreResult<Station> {
        let tx = self.write().await?;
        let mut row = station::ActiveModel {
            source_id: Set(new.source_id),
            ..fresh(new.project_id, &new.name, new.latitude, new.longitude)
        };
        new.more.set(&mut row);
        let station = row.insert(&*tx).await?;
        tx.commit().await?;
        Ok(station)
    }

    /// The station with this id.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], or an error of the database.
    pub async fn station(&self, id: i64) -> StoreResult<Station> {
        station::Entity::find_by_id(id)
            .one(&self.db)
            .await?
            .ok_or(StoreError::NotFound("station"))
    }

    /// The stations of a project, by name.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn stations(&self, project: i64) -> StoreResult<Vec<Station>> {
        Ok(station::Entity::find()
            .filter(station::Column::ProjectId.eq(project))
            .order_by_asc(station::Column::Name)
            .order_by_asc(station::Column::Id)
            .all(&self.db)
            .await?)
    }

    /// The oldest station of a project with this name, if there is one.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn station_by_name(&self, project: i64, name: &str) -> StoreResult<Option<Station>> {
        Ok(station::Entity::find()
            .filter(station::Column::ProjectId.eq(project))
            .filter(station::Column::Name.eq(name))
            .order_by_asc(station::Column::Id)
            .one(&self.db)
            .await?)
    }

    /// Stations by id, for a page of jobs.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn stations_by_id(&self, ids: &[i64]) -> StoreResult<Vec<Station>> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        Ok(station::Entity::find()
            .filter(station::Column::Id.is_in(ids.iter().copied()))
            .all(&self.db)
            .await?)
    }

    /// The oldest station whose photographs lie in this source.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn station_of_source(&self, source: i64) -> StoreResult<Option<Station>> {
        Ok(station::Entity::find()
            .filter(station::Column::SourceId.eq(source))
            .order_by_asc(station::Column::Id)
            .one(&self.db)
            .await?)
    }

    /// Writes down what a look into a station's storage found so far: files and bytes are only
    /// ever raised (`domain-rules.md` §3), for a later look starts counting from nothing.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn update_source_totals(
        &self,
        station: i64,
        files: i64,
        bytes: i64,
        checked_at: DateTime<Utc>,
    ) -> StoreResult<()> {
        use station::Column as C;
        let raised = |column: C, to: i64| {
            let smaller = Expr::col(column).is_null().or(Expr::col(column).lt(to));
            Expr::case(smaller, to).finally(Expr::col(column))
        };
        let tx = self.write().await?;
        station::Entity::update_many()
            .col_expr(
                C::SourceTotalFiles,
                raised(C::SourceTotalFiles, files).into(),
            )
            .col_expr(C::SourceTotalSize, raised(C::SourceTotalSize, bytes).into())
            .col_expr(C::SourceCheckedAt, Expr::value(checked_at))
            .filter(C::Id.eq(station))
            .exec(&*tx)
            .await?;
        tx.commit().await
    }
}
