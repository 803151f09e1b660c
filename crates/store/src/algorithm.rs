//! Algorithms as the API lists and edits them; how a service's registration makes them stands in
//! `pipeline.rs`.

use std::collections::HashMap;

use sea_orm::sea_query::{Alias, Expr, ExprTrait, NullOrdering, Query, SimpleExpr};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, JoinType,
    PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, RelationTrait, Select,
};

use crate::connection::{Store, StoreError, StoreResult, now};
use crate::entity::{algorithm, category_map, pipeline_algorithm, project_pipeline};
use crate::job::list::holds;
use crate::order::{Orders, clash, way};
use crate::pipeline::Algorithm;

/// Which algorithms a list shows.
#[derive(Clone, Debug, Default)]
pub struct AlgorithmFilter {
    /// Only those of pipelines of this project.
    pub project_id: Option<i64>,
    /// Only with this name.
    pub name: Option<String>,
    /// Only with this version.
    pub version: Option<i64>,
    /// Each of these words stands in the name.
    pub search: Vec<String>,
    /// In this order.
    pub order: Orders,
}

/// What a person says of an algorithm; `None` leaves it as it is.
#[derive(Clone, Debug, Default)]
pub struct AlgorithmChange {
    /// Name for people.
    pub name: Option<String>,
    /// Unique key.
    pub key: Option<String>,
    /// What it does.
    pub description: Option<String>,
    /// Where the weights are.
    pub uri: Option<Option<String>>,
    /// Version number.
    pub version: Option<i32>,
    /// Version for people.
    pub version_name: Option<Option<String>>,
    /// What it is good for.
    pub task_type: Option<Option<String>>,
}

const KNOWN: &str = "An algorithm with this key, or with this name and version, exists already.";

impl Store {
    /// One page of algorithms, and how many there are in all.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn algorithms_page(
        &self,
        filter: &AlgorithmFilter,
        limit: u64,
        offset: u64,
    ) -> StoreResult<(Vec<Algorithm>, u64)> {
        let select = filter.select();
        let count = select.clone().count(&self.db).await?;
        let rows = self.in_order(select, &filter.order);
        let rows = rows.limit(limit).offset(offset).all(&self.db).await?;
        Ok((rows, count))
    }

    fn in_order(
        &self,
        mut select: Select<algorithm::Entity>,
        orders: &Orders,
    ) -> Select<algorithm::Entity> {
        use algorithm::Column as C;
        let mut joined = false;
        for (name, descending) in orders {
            let column = match *name {
                "id" => C::Id,
                "name" => C::Name,
                "version" => C::Version,
                "task_type" => C::TaskType,
                "created_at" => C::CreatedAt,
                "updated_at" => C::UpdatedAt,
                "category_count" => {
                    let count = self.length_of_labels();
                    // Named twice, it is still joined once.
                    if !joined {
                        let map = algorithm::Relation::CategoryMap.def();
                        select = select.join(JoinType::LeftJoin, map);
                        joined = true;
                    }
                    select =
                        select.order_by_with_nulls(count, way(*descending), NullOrdering::Last);
                    continue;
                }
                _ => continue,
            };
            select = select.order_by_with_nulls(column, way(*descending), NullOrdering::Last);
        }
        select.order_by_asc(C::Id)
    }

    /// How many labels a category map has: counted by the database, for the lists of large
    /// models are long.
    fn length_of_labels(&self) -> SimpleExpr {
        let labels = Expr::col((category_map::Entity, category_map::Column::Labels));
        let function = match self.is_sqlite() {
            true => "json_array_length",
            false => "jsonb_array_length",
        };
        sea_orm::sea_query::Func::cust(Alias::new(function))
            .arg(labels)
            .into()
    }

    /// How many labels each of these category maps has.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn category_counts(&self, maps: &[i64]) -> StoreResult<HashMap<i64, i64>> {
        let count = self.length_of_labels().cast_as(Alias::new("bigint"));
        let rows: Vec<(i64, Option<i64>)> = category_map::Entity::find()
            .select_only()
            .column(category_map::Column::Id)
            .column_as(count, "labels_count")
            .filter(category_map::Column::Id.is_in(maps.iter().copied()))
            .into_tuple()
            .all(&self.db)
            .await?;
        let counted = rows
            .into_iter()
            .filter_map(|(id, count)| Some((id, count?)));
        Ok(counted.collect())
    }

    /// The algorithm with this id.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], or an error of the database.
    pub async fn algorithm(&self, id: i64) -> StoreResult<Algorithm> {
        let row = algorithm::Entity::find_by_id(id).one(&self.db).await?;
        row.ok_or(StoreError::NotFound("algorithm"))
    }

    /// The algorithm with this key, if there is one.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn algorithm_by_key(&self, key: &str) -> StoreResult<Option<Algorithm>> {
        let found = algorithm::Entity::find().filter(algorithm::Column::Key.eq(key));
        Ok(found.one(&self.db).await?)
    }

    /// The algorithm with this name and version, if there is one.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn algorithm_named(
        &self,
        name: &str,
        version: i32,
    ) -> StoreResult<Option<Algorithm>> {
        let found = algorithm::Entity::find()
            .filter(algorithm::Column::Name.eq(name))
            .filter(algorithm::Column::Version.eq(version));
        Ok(found.one(&self.db).await?)
    }

    /// Makes an algorithm.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] where its key or its name and version are taken.
    pub async fn create_algorithm(&self, new: AlgorithmChange) -> StoreResult<Algorithm> {
        let at = now();
        let version = new.version.unwrap_or(1);
        let named = new.version_name.flatten();
        let task = new.task_type.unwrap_or_else(|| Some("unknown".to_owned()));
        let row = algorithm::ActiveModel {
            key: Set(new.key.unwrap_or_default()),
            name: Set(new.name.unwrap_or_default()),
            description: Set(new.description.unwrap_or_default()),
            version: Set(version),
            version_name: Set(Some(named.unwrap_or_else(|| version.to_string()))),
            task_type: Set(task),
            uri: Set(new.uri.flatten()),
            category_map_id: Set(None),
            created_at: Set(at),
            updated_at: Set(at),
            ..Default::default()
        };
        let tx = self.write().await?;
        let row = row.insert(&*tx).await.map_err(|e| clash(e, KNOWN))?;
        tx.commit().await?;
        Ok(row)
    }

    /// Changes an algorithm.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`StoreError::Conflict`] where its new key or its name and
    /// version are taken.
    pub async fn change_algorithm(
        &self,
        id: i64,
        change: AlgorithmChange,
    ) -> StoreResult<Algorithm> {
        let tx = self.write().await?;
        let row = algorithm::Entity::find_by_id(id).one(&*tx).await?;
        let mut row = row
            .ok_or(StoreError::NotFound("algorithm"))?
            .into_active_model();
        if let Some(name) = change.name {
            row.name = Set(name);
        }
        if let Some(key) = change.key {
            row.key = Set(key);
        }
        if let Some(description) = change.description {
            row.description = Set(description);
        }
        if let Some(uri) = change.uri {
            row.uri = Set(uri);
        }
        if let Some(version) = change.version {
            row.version = Set(version);
        }
        if let Some(named) = change.version_name {
            row.version_name = Set(named);
        }
        if let Some(task) = change.task_type {
            row.task_type = Set(task);
        }
        row.updated_at = Set(now());
        let row = row.update(&*tx).await.map_err(|e| clash(e, KNOWN))?;
        tx.commit().await?;
        Ok(row)
    }

    /// Deletes an algorithm; what it found stays, without its name.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn delete_algorithm(&self, id: i64) -> StoreResult<()> {
        let tx = self.write().await?;
        algorithm::Entity::delete_by_id(id).exec(&*tx).await?;
        tx.commit().await
    }
}

impl AlgorithmFilter {
    fn select(&self) -> Select<algorithm::Entity> {
        use algorithm::Column as C;
        let mut select = algorithm::Entity::find();
        if let Some(project) = self.project_id {
            let of_project = Query::select()
                .column(pipeline_algorithm::Column::AlgorithmId)
                .from(pipeline_algorithm::Entity)
                .inner_join(
                    project_pipeline::Entity,
                    Expr::col((
                        project_pipeline::Entity,
                        project_pipeline::Column::PipelineId,
                    ))
                    .equals((
                        pipeline_algorithm::Entity,
                        pipeline_algorithm::Column::PipelineId,
                    )),
                )
                .and_where(project_pipeline::Column::ProjectId.eq(project))
                .to_owned();
            select = select.filter(C::Id.in_subquery(of_project));
        }
        if let Some(name) = &self.name {
            select = select.filter(C::Name.eq(name));
        }
        if let Some(version) = self.version {
            select = select.filter(C::Version.eq(version));
        }
        for word in &self.search {
            select = select.filter(holds((algorithm::Entity, C::Name), word));
        }
        select
    }
}
