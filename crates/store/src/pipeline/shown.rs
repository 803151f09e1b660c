//! Pipelines, algorithms and services as lists show them: a page of rows and, in one statement
//! per table, what hangs on them.

use std::collections::HashMap;

use sea_orm::sea_query::Query;
use sea_orm::{
    ColumnTrait, EntityTrait, Order, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
};

use super::{Algorithm, CategoryMap, Pipeline};
use crate::connection::{Store, StoreResult};
use crate::entity::{
    algorithm, category_map, pipeline, pipeline_algorithm, processing_service, project_pipeline,
    service_pipeline, service_project,
};
use crate::service::ProcessingService;

pub use crate::entity::project_pipeline::Model as ProjectPipeline;

/// A pipeline with what is shown of it.
#[derive(Clone, Debug)]
pub struct Shown {
    /// The pipeline.
    pub pipeline: Pipeline,
    /// Its algorithms, by name.
    pub algorithms: Vec<Algorithm>,
    /// The services that offer it.
    pub services: Vec<ProcessingService>,
    /// The projects that use it, with their settings.
    pub configs: Vec<ProjectPipeline>,
}

/// Which pipelines a list shows, and in which order.
#[derive(Clone, Debug, Default)]
pub struct PipelineFilter {
    /// Only those that this project uses and has enabled.
    pub project: Option<i64>,
    /// Only with settings of these projects beside them; `None` means all.
    pub visible: Option<Vec<i64>>,
    /// Only with this word in the name or slug.
    pub search: Vec<String>,
    /// By these columns of the API; true means descending.
    pub order: Vec<(String, bool)>,
}

impl Store {
    /// A page of pipelines, and how many there are in all.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn pipelines_shown(
        &self,
        filter: &PipelineFilter,
        limit: u64,
        offset: u64,
    ) -> StoreResult<(Vec<Shown>, u64)> {
        use pipeline::Column as C;
        let mut select = pipeline::Entity::find();
        if let Some(project) = filter.project {
            let used = Query::select()
                .column(project_pipeline::Column::PipelineId)
                .from(project_pipeline::Entity)
                .and_where(project_pipeline::Column::ProjectId.eq(project))
                .and_where(project_pipeline::Column::Enabled.eq(true))
                .to_owned();
            select = select.filter(C::Id.in_subquery(used));
        }
        for word in &filter.search {
            let holds = crate::job::list::holds;
            select = select.filter(
                sea_orm::Condition::any()
                    .add(holds((pipeline::Entity, C::Name), word))
                    .add(holds((pipeline::Entity, C::Slug), word)),
            );
        }
        let count = select.clone().count(&self.db).await?;
        for (name, descending) in &filter.order {
            let column = match name.as_str() {
                "name" => C::Name,
                "created_at" => C::CreatedAt,
                "updated_at" => C::UpdatedAt,
                _ => C::Id,
            };
            let order = if *descending { Order::Desc } else { Order::Asc };
            select = select.order_by(column, order);
        }
        let rows = select
            .order_by_asc(C::Id)
            .limit(limit)
            .offset(offset)
            .all(&self.db)
            .await?;
        Ok((self.with_all(rows, filter).await?, count))
    }

    /// One pipeline as lists show it.
    ///
    /// # Errors
    /// [`crate::StoreError::NotFound`], or an error of the database.
    pub async fn pipeline_shown(&self, id: i64, filter: &PipelineFilter) -> StoreResult<Shown> {
        let row = self.pipeline(id).await?;
        let mut shown = self.with_all(vec![row], filter).await?;
        shown.pop().ok_or(crate::StoreError::NotFound("pipeline"))
    }

    async fn with_all(
        &self,
        rows: Vec<Pipeline>,
        filter: &PipelineFilter,
    ) -> StoreResult<Vec<Shown>> {
        let ids: Vec<i64> = rows.iter().map(|p| p.id).collect();
        let links = pipeline_algorithm::Entity::find()
            .filter(pipeline_algorithm::Column::PipelineId.is_in(ids.iter().copied()))
            .all(&self.db)
            .await?;
        let known: HashMap<i64, Algorithm> = algorithm::Entity::find()
            .filter(algorithm::Column::Id.is_in(links.iter().map(|l| l.algorithm_id)))
            .all(&self.db)
            .await?
            .into_iter()
            .map(|a| (a.id, a))
            .collect();
        let mut algorithms: HashMap<i64, Vec<Algorithm>> = HashMap::new();
        for link in &links {
            let own = algorithms.entry(link.pipeline_id).or_default();
            own.extend(known.get(&link.algorithm_id).cloned());
        }
        let mut services = self.services_by_pipeline(&ids, filter.project).await?;
        let mut configs: HashMap<i64, Vec<ProjectPipeline>> = HashMap::new();
        for config in self.configs_of(&ids, filter).await? {
            configs.entry(config.pipeline_id).or_default().push(config);
        }
        let shown = rows.into_iter().map(|pipeline| {
            let mut own = algorithms.remove(&pipeline.id).unwrap_or_default();
            // By bytes, as the reference's database sorts.
            own.sort_by(|a, b| (&a.name, a.version).cmp(&(&b.name, b.version)));
            Shown {
                algorithms: own,
                services: services.remove(&pipeline.id).unwrap_or_default(),
                configs: configs.remove(&pipeline.id).unwrap_or_default(),
                pipeline,
            }
        });
        Ok(shown.collect())
    }

    async fn services_by_pipeline(
        &self,
        pipelines: &[i64],
        project: Option<i64>,
    ) -> StoreResult<HashMap<i64, Vec<ProcessingService>>> {
        let links = service_pipeline::Entity::find()
            .filter(service_pipeline::Column::PipelineId.is_in(pipelines.iter().copied()))
            .all(&self.db)
            .await?;
        let mut select = processing_service::Entity::find()
            .filter(processing_service::Column::Id.is_in(links.iter().map(|l| l.service_id)))
            .order_by_asc(processing_service::Column::Id);
        if let Some(project) = project {
            let there = Query::select()
                .column(service_project::Column::ServiceId)
                .from(service_project::Entity)
                .and_where(service_project::Column::ProjectId.eq(project))
                .to_owned();
            select = select.filter(processing_service::Column::Id.in_subquery(there));
        }
        let mut by_pipeline: HashMap<i64, Vec<ProcessingService>> = HashMap::new();
        for service in select.all(&self.db).await? {
            for link in links.iter().filter(|l| l.service_id == service.id) {
                let list = by_pipeline.entry(link.pipeline_id).or_default();
                list.push(service.clone());
            }
        }
        Ok(by_pipeline)
    }

    async fn configs_of(
        &self,
        pipelines: &[i64],
        filter: &PipelineFilter,
    ) -> StoreResult<Vec<ProjectPipeline>> {
        use project_pipeline::Column as C;
        let mut select = project_pipeline::Entity::find()
            .filter(C::PipelineId.is_in(pipelines.iter().copied()))
            .order_by_asc(C::Id);
        if let Some(project) = filter.project {
            select = select.filter(C::ProjectId.eq(project));
        }
        if let Some(visible) = &filter.visible {
            select = select.filter(C::ProjectId.is_in(visible.iter().copied()));
        }
        Ok(select.all(&self.db).await?)
    }

    /// A page of algorithms, of one project or of all, and how many there are.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn algorithms_shown(
        &self,
        project: Option<i64>,
        order: &[(String, bool)],
        limit: u64,
        offset: u64,
    ) -> StoreResult<(Vec<Algorithm>, u64)> {
        use algorithm::Column as C;
        let mut select = algorithm::Entity::find();
        if let Some(project) = project {
            let used = Query::select()
                .column(pipeline_algorithm::Column::AlgorithmId)
                .from(pipeline_algorithm::Entity)
                .and_where(
                    pipeline_algorithm::Column::PipelineId.in_subquery(
                        Query::select()
                            .column(project_pipeline::Column::PipelineId)
                            .from(project_pipeline::Entity)
                            .and_where(project_pipeline::Column::ProjectId.eq(project))
                            .to_owned(),
                    ),
                )
                .to_owned();
            select = select.filter(C::Id.in_subquery(used));
        }
        let count = select.clone().count(&self.db).await?;
        for (name, descending) in order {
            let column = match name.as_str() {
                "name" => C::Name,
                "version" => C::Version,
                "updated_at" => C::UpdatedAt,
                _ => C::CreatedAt,
            };
            let order = if *descending { Order::Desc } else { Order::Asc };
            select = select.order_by(column, order);
        }
        let rows = select
            .order_by_asc(C::Id)
            .limit(limit)
            .offset(offset)
            .all(&self.db)
            .await?;
        Ok((rows, count))
    }

    /// The algorithm with this id.
    ///
    /// # Errors
    /// [`crate::StoreError::NotFound`], or an error of the database.
    pub async fn algorithm(&self, id: i64) -> StoreResult<Algorithm> {
        algorithm::Entity::find_by_id(id)
            .one(&self.db)
            .await?
            .ok_or(crate::StoreError::NotFound("algorithm"))
    }

    /// Lists of classes by id.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn category_maps(&self, ids: &[i64]) -> StoreResult<HashMap<i64, CategoryMap>> {
        let rows = category_map::Entity::find()
            .filter(category_map::Column::Id.is_in(ids.iter().copied()))
            .all(&self.db)
            .await?;
        Ok(rows.into_iter().map(|m| (m.id, m)).collect())
    }
}
