//! Sites and devices: what stations are at and made of. Two tables of the same shape, so one
//! set of methods, told apart by [`PlaceKind`].

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, PaginatorTrait,
    QueryFilter, QueryOrder, QuerySelect, Select,
};

use crate::connection::{Store, StoreError, StoreResult, now};
use crate::entity::{device, site};

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlaceKind {
    /// A place of research.
    Site,
    /// A type of camera trap.
    Device,
}

/// A site or a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Its number.
    pub id: i64,
    /// Its project.
    pub project_id: Option<i64>,
    /// Name.
    pub name: String,
    /// What it is.
    pub description: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// Which places a list shows.
#[derive(Clone, Debug, Default)]
pub struct PlaceFilter {
    /// Only of this project.
    pub project_id: Option<i64>,
    /// Only of these projects; `None` means all.
    pub visible: Option<Vec<i64>>,
}

impl From<site::Model> for Place {
    fn from(row: site::Model) -> Place {
        Place {
            id: row.id,
            project_id: row.project_id,
            name: row.name,
            description: row.description,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

impl From<device::Model> for Place {
    fn from(row: device::Model) -> Place {
        Place {
            id: row.id,
            project_id: row.project_id,
            name: row.name,
            description: row.description,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

impl Store {
    /// A page of sites or devices by number, and how many there are.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn places(
        &self,
        kind: PlaceKind,
        filter: &PlaceFilter,
        limit: u64,
        offset: u64,
    ) -> StoreResult<(Vec<Place>, u64)> {
        fn narrow<E: EntityTrait, C: ColumnTrait>(
            mut select: Select<E>,
            project: C,
            filter: &PlaceFilter,
        ) -> Select<E> {
            if let Some(id) = filter.project_id {
                select = select.filter(project.eq(id));
            }
            if let Some(ids) = &filter.visible {
                select = select.filter(project.is_in(ids.iter().copied()));
            }
            select
        }
        match kind {
            PlaceKind::Site => {
                let select = narrow(site::Entity::find(), site::Column::ProjectId, filter);
                let count = select.clone().count(&self.db).await?;
                let page = select.order_by_asc(site::Column::Id);
                let rows = page.limit(limit).offset(offset).all(&self.db).await?;
                Ok((rows.into_iter().map(Place::from).collect(), count))
            }
            PlaceKind::Device => {
                let select = narrow(device::Entity::find(), device::Column::ProjectId, filter);
                let count = select.clone().count(&self.db).await?;
                let page = select.order_by_asc(device::Column::Id);
                let rows = page.limit(limit).offset(offset).all(&self.db).await?;
                Ok((rows.into_iter().map(Place::from).collect(), count))
            }
        }
    }

    /// One site or device.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], or an error of the database.
    pub async fn place(&self, kind: PlaceKind, id: i64) -> StoreResult<Place> {
        let found = match kind {
            PlaceKind::Site => site::Entity::find_by_id(id)
                .one(&self.db)
                .await?
                .map(Place::from),
            PlaceKind::Device => device::Entity::find_by_id(id)
                .one(&self.db)
                .await?
                .map(Place::from),
        };
        found.ok_or(StoreError::NotFound("place"))
    }

    /// Makes a site or a device.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn create_place(
        &self,
        kind: PlaceKind,
        project: i64,
        name: &str,
        description: &str,
    ) -> StoreResult<Place> {
        let at = now();
        let tx = self.write().await?;
        let (name, description) = (Set(name.to_owned()), Set(description.to_owned()));
        let place = match kind {
            PlaceKind::Site => Place::from(
                site::ActiveModel {
                    project_id: Set(Some(project)),
                    name,
                    description,
                    created_at: Set(at),
                    updated_at: Set(at),
                    ..Default::default()
                }
                .insert(&*tx)
                .await?,
            ),
            PlaceKind::Device => Place::from(
                device::ActiveModel {
                    project_id: Set(Some(project)),
                    name,
                    description,
                    created_at: Set(at),
                    updated_at: Set(at),
                    ..Default::default()
                }
                .insert(&*tx)
                .await?,
            ),
        };
        tx.commit().await?;
        Ok(place)
    }

    /// Changes the name or description of a site or a device.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], or an error of the database.
    pub async fn change_place(
        &self,
        kind: PlaceKind,
        id: i64,
        name: Option<String>,
        description: Option<String>,
    ) -> StoreResult<Place> {
        let tx = self.write().await?;
        let missing = StoreError::NotFound("place");
        let place = match kind {
            PlaceKind::Site => {
                let row = site::Entity::find_by_id(id).one(&*tx).await?;
                let mut row = row.ok_or(missing)?.into_active_model();
                if let Some(name) = name {
                    row.name = Set(name);
                }
                if let Some(description) = description {
                    row.description = Set(description);
                }
                row.updated_at = Set(now());
                Place::from(row.update(&*tx).await?)
            }
            PlaceKind::Device => {
                let row = device::Entity::find_by_id(id).one(&*tx).await?;
                let mut row = row.ok_or(missing)?.into_active_model();
                if let Some(name) = name {
                    row.name = Set(name);
                }
                if let Some(description) = description {
                    row.description = Set(description);
                }
                row.updated_at = Set(now());
                Place::from(row.update(&*tx).await?)
            }
        };
        tx.commit().await?;
        Ok(place)
    }

    /// Deletes a site or a device; its stations stay.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn delete_place(&self, kind: PlaceKind, id: i64) -> StoreResult<()> {
        let tx = self.write().await?;
        match kind {
            PlaceKind::Site => site::Entity::delete_by_id(id).exec(&*tx).await?,
            PlaceKind::Device => device::Entity::delete_by_id(id).exec(&*tx).await?,
        };
        tx.commit().await
    }
}
