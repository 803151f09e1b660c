//! Sites and devices: what stations are at and made of. Two tables of the same shape, so one
//! set of methods, told apart by [`PlaceKind`].

use domain::permission::{Create, Delete, Permit, Update};
use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, Order,
    PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, Select,
};

use crate::connection::{Store, StoreError, StoreResult, now};
use crate::entity::{device, site, station};

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
    /// By which of [`PLACE_ORDERS`]; true means descending.
    pub order: Vec<(&'static str, bool)>,
}

/// What a list of places can be ordered by.
pub const PLACE_ORDERS: &[&str] = &["id", "name", "created_at", "updated_at"];

/// The corners that hold all stations of a site: south, west, north, east.
pub type Corners = [f64; 4];

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
        match kind {
            PlaceKind::Site => {
                use site::Column as C;
                let columns = [C::Id, C::Name, C::CreatedAt, C::UpdatedAt];
                let select = narrow(site::Entity::find(), C::ProjectId, filter);
                let count = select.clone().count(&self.db).await?;
                let page = ordered(select, columns, filter);
                let rows = page.limit(limit).offset(offset).all(&self.db).await?;
                Ok((rows.into_iter().map(Place::from).collect(), count))
            }
            PlaceKind::Device => {
                use device::Column as C;
                let columns = [C::Id, C::Name, C::CreatedAt, C::UpdatedAt];
                let select = narrow(device::Entity::find(), C::ProjectId, filter);
                let count = select.clone().count(&self.db).await?;
                let page = ordered(select, columns, filter);
                let rows = page.limit(limit).offset(offset).all(&self.db).await?;
                Ok((rows.into_iter().map(Place::from).collect(), count))
            }
        }
    }

    /// Places by id, for a page of stations.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn places_by_id(&self, kind: PlaceKind, ids: &[i64]) -> StoreResult<Vec<Place>> {
        let ids = ids.iter().copied();
        Ok(match kind {
            PlaceKind::Site => {
                let select = site::Entity::find().filter(site::Column::Id.is_in(ids));
                let rows = select.all(&self.db).await?;
                rows.into_iter().map(Place::from).collect()
            }
            PlaceKind::Device => {
                let select = device::Entity::find().filter(device::Column::Id.is_in(ids));
                let rows = select.all(&self.db).await?;
                rows.into_iter().map(Place::from).collect()
            }
        })
    }

    /// The corners that hold the stations of each of these sites, in one statement; a site
    /// without a station that has coordinates is left out.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn site_corners(&self, sites: &[i64]) -> StoreResult<HashMap<i64, Corners>> {
        use station::Column as C;
        let rows: Vec<(i64, f64, f64, f64, f64)> = station::Entity::find()
            .select_only()
            .column(C::SiteId)
            .column_as(C::Latitude.min(), "south")
            .column_as(C::Longitude.min(), "west")
            .column_as(C::Latitude.max(), "north")
            .column_as(C::Longitude.max(), "east")
            .filter(C::SiteId.is_in(sites.iter().copied()))
            .filter(C::Latitude.is_not_null())
            .filter(C::Longitude.is_not_null())
            .group_by(C::SiteId)
            .into_tuple()
            .all(&self.db)
            .await?;
        Ok(rows
            .into_iter()
            .map(|(id, south, west, north, east)| (id, [south, west, north, east]))
            .collect())
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
        _permit: Permit<Create>,
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
        _permit: Permit<Update>,
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
    pub async fn delete_place(
        &self,
        _permit: Permit<Delete>,
        kind: PlaceKind,
        id: i64,
    ) -> StoreResult<()> {
        let tx = self.write().await?;
        match kind {
            PlaceKind::Site => site::Entity::delete_by_id(id).exec(&*tx).await?,
            PlaceKind::Device => device::Entity::delete_by_id(id).exec(&*tx).await?,
        };
        tx.commit().await
    }
}

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

/// In the order of the filter, and by number. The columns are those of [`PLACE_ORDERS`].
fn ordered<E: EntityTrait, C: ColumnTrait>(
    mut select: Select<E>,
    columns: [C; 4],
    filter: &PlaceFilter,
) -> Select<E> {
    for (name, descending) in &filter.order {
        let order = if *descending { Order::Desc } else { Order::Asc };
        let place = PLACE_ORDERS.iter().position(|known| known == name);
        select = select.order_by(columns[place.unwrap_or(0)], order);
    }
    select.order_by_asc(columns[0])
}
