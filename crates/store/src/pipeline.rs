//! Pipelines and their algorithms: finding them, and the settings with which a project runs them.
//! How a service registers what it offers stands in `pipeline/register.rs`.

use std::collections::{BTreeMap, HashMap};

use domain::wire::PipelineConfigResponse;
use sea_orm::sea_query::{Expr, ExprTrait, Query};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel,
    QueryFilter, QueryOrder, QuerySelect, RelationTrait, prelude::Json,
};

use crate::connection::{REGISTERING, Store, StoreError, StoreResult, now};
use crate::entity::{
    algorithm, pipeline, pipeline_algorithm, processing_service, project_pipeline, service_pipeline,
};
use crate::project::Project;

pub mod list;

pub use crate::entity::algorithm::Model as Algorithm;
pub use crate::entity::category_map::Model as CategoryMap;
pub use crate::entity::pipeline::Model as Pipeline;

mod register;
pub mod used;

/// What a registration made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Registered {
    /// Slugs of pipelines that are new.
    pub pipelines_created: Vec<String>,
    /// Keys of algorithms that are new.
    pub algorithms_created: Vec<String>,
}

impl Store {
    /// Registers pipelines of a service for projects, all or nothing.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] with a sentence where a classifier comes without its classes, a
    /// pipeline would get a second detector, or an algorithm's version clashes with a known key.
    pub async fn register_pipelines(
        &self,
        service: i64,
        projects: &[i64],
        configs: &[PipelineConfigResponse],
    ) -> StoreResult<Registered> {
        let tx = self.write().await?;
        tx.take_turn(REGISTERING).await?;
        let made = register::all(&tx, service, projects, configs, None).await?;
        tx.commit().await?;
        Ok(made)
    }

    /// A pull service registers itself: found by its name or made, attached to the project, its
    /// pipelines registered there, and seen just now. Unless `may_change_shared`, what other
    /// projects use stays as it is.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] as [`Store::register_pipelines`], where the name is a push
    /// service's, and where a pipeline of other projects would change.
    pub async fn register_pull_service(
        &self,
        project: i64,
        name: &str,
        configs: &[PipelineConfigResponse],
        may_change_shared: bool,
    ) -> StoreResult<Registered> {
        let tx = self.write().await?;
        tx.take_turn(REGISTERING).await?;
        let service = register::pull_service(&tx, project, name).await?;
        let guard = (!may_change_shared).then_some(project);
        let made = register::all(&tx, service, &[project], configs, guard).await?;
        tx.commit().await?;
        Ok(made)
    }

    /// The pipeline with this id.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], or an error of the database.
    pub async fn pipeline(&self, id: i64) -> StoreResult<Pipeline> {
        pipeline::Entity::find_by_id(id)
            .one(&self.db)
            .await?
            .ok_or(StoreError::NotFound("pipeline"))
    }

    /// The pipeline with this slug, if there is one.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn pipeline_by_slug(&self, slug: &str) -> StoreResult<Option<Pipeline>> {
        Ok(pipeline::Entity::find()
            .filter(pipeline::Column::Slug.eq(slug))
            .one(&self.db)
            .await?)
    }

    /// Pipelines by id, for a page of jobs.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn pipelines_by_id(&self, ids: &[i64]) -> StoreResult<BTreeMap<i64, Pipeline>> {
        if ids.is_empty() {
            return Ok(BTreeMap::new());
        }
        let rows = pipeline::Entity::find()
            .filter(pipeline::Column::Id.is_in(ids.iter().copied()))
            .all(&self.db)
            .await?;
        Ok(rows.into_iter().map(|p| (p.id, p)).collect())
    }

    /// The algorithms of a pipeline, by id.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn algorithms_of(&self, pipeline: i64) -> StoreResult<Vec<Algorithm>> {
        algorithms_in(&self.db, pipeline).await
    }

    /// Algorithms by id.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn algorithms_by_id(&self, ids: &[i64]) -> StoreResult<HashMap<i64, Algorithm>> {
        let rows = algorithm::Entity::find()
            .filter(algorithm::Column::Id.is_in(ids.iter().copied()))
            .all(&self.db)
            .await?;
        Ok(rows.into_iter().map(|row| (row.id, row)).collect())
    }

    /// The pipeline that processes a project's uploads at once: the one of its settings, else the
    /// first one that is enabled and offered by a service that was live when last seen.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn default_pipeline(&self, project: &Project) -> StoreResult<Option<i64>> {
        if project.default_pipeline_id.is_some() {
            return Ok(project.default_pipeline_id);
        }
        let online = Query::select()
            .column(service_pipeline::Column::PipelineId)
            .from(service_pipeline::Entity)
            .inner_join(
                processing_service::Entity,
                Expr::col((processing_service::Entity, processing_service::Column::Id)).equals((
                    service_pipeline::Entity,
                    service_pipeline::Column::ServiceId,
                )),
            )
            .and_where(processing_service::Column::LastSeenLive.eq(true))
            .to_owned();
        Ok(project_pipeline::Entity::find()
            .select_only()
            .column(project_pipeline::Column::PipelineId)
            .filter(project_pipeline::Column::ProjectId.eq(project.id))
            .filter(project_pipeline::Column::Enabled.eq(true))
            .filter(project_pipeline::Column::PipelineId.in_subquery(online))
            .order_by_asc(project_pipeline::Column::PipelineId)
            .limit(1)
            .into_tuple()
            .one(&self.db)
            .await?)
    }

    /// The settings with which a project runs a pipeline: the pipeline's own, overlaid key by
    /// key with the project's (`processing-service.md` §5). Always an object.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn pipeline_config(
        &self,
        project: i64,
        pipeline: &Pipeline,
    ) -> StoreResult<serde_json::Map<String, Json>> {
        let own = project_pipeline::Entity::find()
            .filter(project_pipeline::Column::ProjectId.eq(project))
            .filter(project_pipeline::Column::PipelineId.eq(pipeline.id))
            .one(&self.db)
            .await?;
        Ok(settings(pipeline, own.map(|row| row.config)))
    }

    /// Sets a project's own settings of a pipeline.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] where the project does not use the pipeline.
    pub async fn configure_pipeline(
        &self,
        project: i64,
        pipeline: i64,
        config: serde_json::Map<String, Json>,
    ) -> StoreResult<()> {
        let tx = self.write().await?;
        let row = project_pipeline::Entity::find()
            .filter(project_pipeline::Column::ProjectId.eq(project))
            .filter(project_pipeline::Column::PipelineId.eq(pipeline))
            .one(&*tx)
            .await?
            .ok_or(StoreError::NotFound("pipeline of this project"))?;
        let mut row = row.into_active_model();
        row.config = Set(Json::Object(config));
        row.updated_at = Set(now());
        row.update(&*tx).await?;
        tx.commit().await
    }
}

/// The algorithms of a pipeline, read in the caller's transaction.
pub(crate) async fn algorithms_in<C: ConnectionTrait>(
    db: &C,
    pipeline: i64,
) -> StoreResult<Vec<Algorithm>> {
    Ok(algorithm::Entity::find()
        .join_rev(
            sea_orm::JoinType::InnerJoin,
            pipeline_algorithm::Relation::Algorithm.def(),
        )
        .filter(pipeline_algorithm::Column::PipelineId.eq(pipeline))
        .order_by_asc(algorithm::Column::Id)
        .all(db)
        .await?)
}

/// A pipeline's settings with a project's own over them, key by key.
pub(crate) fn settings(pipeline: &Pipeline, own: Option<Json>) -> serde_json::Map<String, Json> {
    let config = pipeline.default_config.as_object();
    let mut config = config.cloned().unwrap_or_default();
    if let Some(Json::Object(over)) = own {
        config.extend(over);
    }
    config
}
