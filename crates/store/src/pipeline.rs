//! Pipelines and their algorithms, and the one routine that registers what a service offers
//! (`processing-service.md` §4): what is known stays, what is new is added, nothing is unlinked.

use std::collections::{BTreeMap, HashMap};

use domain::capture::needs_category_map;
use domain::wire::{AlgorithmConfigResponse, PipelineConfigResponse};
use sea_orm::sea_query::{Expr, ExprTrait, OnConflict, Query};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, EntityTrait,
    IntoActiveModel, QueryFilter, QueryOrder, QuerySelect, RelationTrait, prelude::Json,
};

use crate::connection::{Store, StoreError, StoreResult, Write, now};
use crate::entity::{
    algorithm, category_map, pipeline, pipeline_algorithm, processing_service, project_pipeline,
    service_pipeline,
};
use crate::project::Project;

pub mod list;

pub use crate::entity::algorithm::Model as Algorithm;
pub use crate::entity::category_map::Model as CategoryMap;
pub use crate::entity::pipeline::Model as Pipeline;

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
    /// [`StoreError::Conflict`] with a sentence where a classifier comes without its classes or
    /// an algorithm's version clashes with a known key.
    pub async fn register_pipelines(
        &self,
        service: i64,
        projects: &[i64],
        configs: &[PipelineConfigResponse],
    ) -> StoreResult<Registered> {
        let tx = self.write().await?;
        let mut made = Registered::default();
        for config in configs {
            let pipeline = put_pipeline(&tx, config, &mut made).await?;
            for project in projects {
                enable(&tx, *project, pipeline).await?;
            }
            link_service(&tx, service, pipeline).await?;
            for algorithm in &config.algorithms {
                let id = put_algorithm(&tx, algorithm, &mut made).await?;
                link_algorithm(&tx, pipeline, id).await?;
            }
        }
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
        let mut config = pipeline
            .default_config
            .as_object()
            .cloned()
            .unwrap_or_default();
        if let Some(Json::Object(over)) = own.map(|row| row.config) {
            config.extend(over);
        }
        Ok(config)
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

async fn put_pipeline(
    tx: &Write,
    config: &PipelineConfigResponse,
    made: &mut Registered,
) -> StoreResult<i64> {
    let version = i32::try_from(config.version)
        .map_err(|_| StoreError::Conflict("version: Ensure this value is smaller.".to_owned()))?;
    let same_name = Condition::all()
        .add(pipeline::Column::Name.eq(&config.name))
        .add(pipeline::Column::Version.eq(version));
    let known = pipeline::Entity::find()
        .filter(
            Condition::any()
                .add(pipeline::Column::Slug.eq(&config.slug))
                .add(same_name),
        )
        .order_by_asc(pipeline::Column::Id)
        .one(&**tx)
        .await?;
    if let Some(known) = known {
        return Ok(known.id);
    }
    let at = now();
    let row = pipeline::ActiveModel {
        slug: Set(config.slug.clone()),
        name: Set(config.name.clone()),
        description: Set(config.description.clone().unwrap_or_default()),
        version: Set(version),
        version_name: Set(String::new()),
        stages: Set(placeholder_stages()),
        default_config: Set(Json::Object(Default::default())),
        created_at: Set(at),
        updated_at: Set(at),
        ..Default::default()
    };
    made.pipelines_created.push(config.slug.clone());
    Ok(row.insert(&**tx).await?.id)
}

/// The one stage of a pipeline whose stages are not stored.
fn placeholder_stages() -> Json {
    serde_json::json!([{
        "key": "default",
        "name": "Default Stage",
        "params": [{"name": "Placeholder", "key": "default", "category": "placeholder", "value": 0}],
    }])
}

async fn enable(tx: &Write, project: i64, pipeline: i64) -> StoreResult<()> {
    use project_pipeline::Column as C;
    let at = now();
    project_pipeline::Entity::insert(project_pipeline::ActiveModel {
        project_id: Set(project),
        pipeline_id: Set(pipeline),
        enabled: Set(true),
        config: Set(Json::Object(Default::default())),
        created_at: Set(at),
        updated_at: Set(at),
        ..Default::default()
    })
    .on_conflict(
        OnConflict::columns([C::ProjectId, C::PipelineId])
            .do_nothing()
            .to_owned(),
    )
    .exec_without_returning(&**tx)
    .await?;
    Ok(())
}

async fn link_service(tx: &Write, service: i64, pipeline: i64) -> StoreResult<()> {
    use service_pipeline::Column as C;
    service_pipeline::Entity::insert(service_pipeline::ActiveModel {
        service_id: Set(service),
        pipeline_id: Set(pipeline),
    })
    .on_conflict(
        OnConflict::columns([C::ServiceId, C::PipelineId])
            .do_nothing()
            .to_owned(),
    )
    .exec_without_returning(&**tx)
    .await?;
    Ok(())
}

async fn link_algorithm(tx: &Write, pipeline: i64, algorithm: i64) -> StoreResult<()> {
    use pipeline_algorithm::Column as C;
    pipeline_algorithm::Entity::insert(pipeline_algorithm::ActiveModel {
        pipeline_id: Set(pipeline),
        algorithm_id: Set(algorithm),
    })
    .on_conflict(
        OnConflict::columns([C::PipelineId, C::AlgorithmId])
            .do_nothing()
            .to_owned(),
    )
    .exec_without_returning(&**tx)
    .await?;
    Ok(())
}

async fn put_algorithm(
    tx: &Write,
    config: &AlgorithmConfigResponse,
    made: &mut Registered,
) -> StoreResult<i64> {
    let version = i32::try_from(config.version).unwrap_or(i32::MAX);
    let known = algorithm::Entity::find()
        .filter(algorithm::Column::Key.eq(&config.key))
        .one(&**tx)
        .await?;
    let at = now();
    let row = match known {
        Some(row) if row.version != version => {
            return Err(StoreError::Conflict(format!(
                "Algorithm {:?} is known in version {}, not {version}. Give a new version a new key.",
                config.key, row.version
            )));
        }
        Some(row) => row,
        None => {
            made.algorithms_created.push(config.key.clone());
            let named = config.version_name.clone();
            algorithm::ActiveModel {
                key: Set(config.key.clone()),
                name: Set(config.name.clone()),
                description: Set(String::new()),
                version: Set(version),
                version_name: Set(Some(named.unwrap_or_else(|| version.to_string()))),
                task_type: Set(config.task_type.clone()),
                uri: Set(config.uri.clone()),
                category_map_id: Set(None),
                created_at: Set(at),
                updated_at: Set(at),
                ..Default::default()
            }
            .insert(&**tx)
            .await?
        }
    };
    complete_algorithm(tx, row, config).await
}

/// Adds the classes where they are missing, and takes over a changed task type or address.
async fn complete_algorithm(
    tx: &Write,
    row: Algorithm,
    config: &AlgorithmConfigResponse,
) -> StoreResult<i64> {
    let id = row.id;
    let mut change = row.clone().into_active_model();
    if row.category_map_id.is_none() {
        let classes = config.category_map.as_ref().filter(|m| !m.data.is_empty());
        match classes {
            Some(map) => {
                let data = serde_json::to_value(&map.data).unwrap_or_default();
                let made = category_map::ActiveModel {
                    data: Set(data),
                    labels: Set(Json::from(map.labels.clone())),
                    version: Set(map.version.clone()),
                    description: Set(map.description.clone()),
                    uri: Set(map.uri.clone()),
                    created_at: Set(now()),
                    updated_at: Set(now()),
                    ..Default::default()
                }
                .insert(&**tx)
                .await?;
                change.category_map_id = Set(Some(made.id));
            }
            None if config.task_type.as_deref().is_some_and(needs_category_map) => {
                return Err(StoreError::Conflict(format!(
                    "Algorithm {:?} is a classifier but comes without a category map.",
                    config.key
                )));
            }
            None => {}
        }
    }
    if config.task_type.is_some() && config.task_type != row.task_type {
        change.task_type = Set(config.task_type.clone());
    }
    if config.uri.is_some() && config.uri != row.uri {
        change.uri = Set(config.uri.clone());
    }
    if change.is_changed() {
        change.updated_at = Set(now());
        change.update(&**tx).await?;
    }
    Ok(id)
}
