//! Category maps: the labels of classifiers, which model has which, and their upkeep by hand.

use std::collections::HashMap;

use sea_orm::sea_query::Query;
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, PaginatorTrait,
    QueryFilter, QueryOrder, QuerySelect, prelude::Json,
};

use crate::connection::{Store, StoreError, StoreResult, Write, now};
use crate::entity::{algorithm, category_map};
use crate::order::{Orders, ordered};
use crate::pipeline::CategoryMap;

/// Which category maps a list shows.
#[derive(Clone, Debug, Default)]
pub struct CategoryMapFilter {
    /// Only that of this algorithm.
    pub algorithm: Option<i64>,
    /// In this order.
    pub order: Orders,
}

/// What a person says of a category map; `None` leaves it as it is.
#[derive(Clone, Debug, Default)]
pub struct CategoryMapChange {
    /// One object per class.
    pub data: Option<Json>,
    /// Labels in the order of the model's outputs.
    pub labels: Option<Vec<String>>,
    /// Version of the list.
    pub version: Option<Option<String>>,
    /// Where the list comes from.
    pub uri: Option<Option<String>>,
    /// Which algorithms use it.
    pub algorithms: Option<Vec<i64>>,
}

impl Store {
    /// One page of category maps, and how many there are in all.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn category_maps_page(
        &self,
        filter: &CategoryMapFilter,
        limit: u64,
        offset: u64,
    ) -> StoreResult<(Vec<CategoryMap>, u64)> {
        use category_map::Column as C;
        let mut select = category_map::Entity::find();
        if let Some(id) = filter.algorithm {
            let of_algorithm = Query::select()
                .column(algorithm::Column::CategoryMapId)
                .from(algorithm::Entity)
                .and_where(algorithm::Column::Id.eq(id))
                .to_owned();
            select = select.filter(C::Id.in_subquery(of_algorithm));
        }
        let count = select.clone().count(&self.db).await?;
        let column = |name: &str| match name {
            "id" => Some(C::Id),
            "created_at" => Some(C::CreatedAt),
            "updated_at" => Some(C::UpdatedAt),
            "version" => Some(C::Version),
            _ => None,
        };
        let rows = ordered(select, &filter.order, column, C::Id);
        let rows = rows.limit(limit).offset(offset).all(&self.db).await?;
        Ok((rows, count))
    }

    /// The category map with this id.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], or an error of the database.
    pub async fn category_map(&self, id: i64) -> StoreResult<CategoryMap> {
        let row = category_map::Entity::find_by_id(id).one(&self.db).await?;
        row.ok_or(StoreError::NotFound("category map"))
    }

    /// Which algorithms use these category maps.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn users_of_maps(&self, maps: &[i64]) -> StoreResult<HashMap<i64, Vec<i64>>> {
        let rows: Vec<(i64, i64)> = algorithm::Entity::find()
            .select_only()
            .column(algorithm::Column::CategoryMapId)
            .column(algorithm::Column::Id)
            .filter(algorithm::Column::CategoryMapId.is_in(maps.iter().copied()))
            .order_by_asc(algorithm::Column::Id)
            .into_tuple()
            .all(&self.db)
            .await?;
        let mut users: HashMap<i64, Vec<i64>> = HashMap::new();
        for (map, algorithm) in rows {
            users.entry(map).or_default().push(algorithm);
        }
        Ok(users)
    }

    /// Makes a category map.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn create_category_map(&self, new: CategoryMapChange) -> StoreResult<CategoryMap> {
        let at = now();
        let tx = self.write().await?;
        let row = category_map::ActiveModel {
            data: Set(new.data.unwrap_or_else(|| Json::Array(Vec::new()))),
            labels: Set(Json::from(new.labels.unwrap_or_default())),
            version: Set(new.version.flatten()),
            description: Set(None),
            uri: Set(new.uri.flatten()),
            created_at: Set(at),
            updated_at: Set(at),
            ..Default::default()
        };
        let row = row.insert(&*tx).await?;
        use_by(&tx, row.id, new.algorithms).await?;
        tx.commit().await?;
        Ok(row)
    }

    /// Changes a category map.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], or an error of the database.
    pub async fn change_category_map(
        &self,
        id: i64,
        change: CategoryMapChange,
    ) -> StoreResult<CategoryMap> {
        let tx = self.write().await?;
        let row = category_map::Entity::find_by_id(id).one(&*tx).await?;
        let mut row = row
            .ok_or(StoreError::NotFound("category map"))?
            .into_active_model();
        if let Some(data) = change.data {
            row.data = Set(data);
        }
        if let Some(labels) = change.labels {
            row.labels = Set(Json::from(labels));
        }
        if let Some(version) = change.version {
            row.version = Set(version);
        }
        if let Some(uri) = change.uri {
            row.uri = Set(uri);
        }
        row.updated_at = Set(now());
        let row = row.update(&*tx).await?;
        use_by(&tx, id, change.algorithms).await?;
        tx.commit().await?;
        Ok(row)
    }

    /// Deletes a category map; its algorithms stay without classes.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn delete_category_map(&self, id: i64) -> StoreResult<()> {
        let tx = self.write().await?;
        category_map::Entity::delete_by_id(id).exec(&*tx).await?;
        tx.commit().await
    }
}

/// Gives the map to exactly these algorithms.
async fn use_by(tx: &Write, map: i64, algorithms: Option<Vec<i64>>) -> StoreResult<()> {
    let Some(ids) = algorithms else {
        return Ok(());
    };
    let give = |to: Option<i64>| {
        algorithm::Entity::update_many().set(algorithm::ActiveModel {
            category_map_id: Set(to),
            ..Default::default()
        })
    };
    use algorithm::Column as C;
    give(None)
        .filter(C::CategoryMapId.eq(map))
        .filter(C::Id.is_not_in(ids.iter().copied()))
        .exec(&**tx)
        .await?;
    give(Some(map)).filter(C::Id.is_in(ids)).exec(&**tx).await?;
    Ok(())
}
