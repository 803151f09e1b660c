//! The pipelines of a project as their list shows them: a page of rows and, in one statement per
//! table, what hangs on them.

use std::collections::HashMap;

use sea_orm::sea_query::Query;
use sea_orm::{
    ColumnTrait, EntityTrait, Order, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
};

use super::{Algorithm, Pipeline};
use crate::connection::{Store, StoreResult};
use crate::entity::{
    algorithm, pipeline, pipeline_algorithm, processing_service, project_pipeline,
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

impl Store {
    /// A page of the pipelines that a project uses and has enabled, and how many there are.
    /// `order` holds columns of the API; true means descending.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn pipelines_of(
        &self,
        project: i64,
        order: &[(&str, bool)],
        limit: u64,
        offset: u64,
    ) -> StoreResult<(Vec<Shown>, u64)> {
        use pipeline::Column as C;
        let used = Query::select()
            .column(project_pipeline::Column::PipelineId)
            .from(project_pipeline::Entity)
            .and_where(project_pipeline::Column::ProjectId.eq(project))
            .and_where(project_pipeline::Column::Enabled.eq(true))
            .to_owned();
        let mut select = pipeline::Entity::find().filter(C::Id.in_subquery(used));
        let count = select.clone().count(&self.db).await?;
        for (name, descending) in order {
            let column = match *name {
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
        Ok((self.with_all(rows, project).await?, count))
    }

    async fn with_all(&self, rows: Vec<Pipeline>, project: i64) -> StoreResult<Vec<Shown>> {
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
        let mut services = self.services_by_pipeline(&ids, project).await?;
        let mut configs: HashMap<i64, Vec<ProjectPipeline>> = HashMap::new();
        for config in self.configs_of(&ids, project).await? {
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
        project: i64,
    ) -> StoreResult<HashMap<i64, Vec<ProcessingService>>> {
        let links = service_pipeline::Entity::find()
            .filter(service_pipeline::Column::PipelineId.is_in(pipelines.iter().copied()))
            .all(&self.db)
            .await?;
        let there = Query::select()
            .column(service_project::Column::ServiceId)
            .from(service_project::Entity)
            .and_where(service_project::Column::ProjectId.eq(project))
            .to_owned();
        let services = processing_service::Entity::find()
            .filter(processing_service::Column::Id.is_in(links.iter().map(|l| l.service_id)))
            .filter(processing_service::Column::Id.in_subquery(there))
            .order_by_asc(processing_service::Column::Id)
            .all(&self.db)
            .await?;
        let mut by_pipeline: HashMap<i64, Vec<ProcessingService>> = HashMap::new();
        for service in services {
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
        project: i64,
    ) -> StoreResult<Vec<ProjectPipeline>> {
        use project_pipeline::Column as C;
        Ok(project_pipeline::Entity::find()
            .filter(C::PipelineId.is_in(pipelines.iter().copied()))
            .filter(C::ProjectId.eq(project))
            .order_by_asc(C::Id)
            .all(&self.db)
            .await?)
    }
}
