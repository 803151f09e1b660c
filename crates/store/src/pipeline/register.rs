//! The one routine that registers what a service offers (`processing-service.md` §4): what is
//! known stays, what is new is added, nothing is unlinked. The idea: pipelines are shared by all
//! projects, so a registration that would break somebody else's is refused with a sentence
//! (`do-not-copy.md` 10), and two at once take turns.

use domain::capture::{is_detector, needs_category_map};
use domain::wire::{AlgorithmConfigResponse, PipelineConfigResponse};
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, Condition, EntityTrait, IntoActiveModel,
    PaginatorTrait, QueryFilter, QueryOrder, prelude::Json,
};

use super::{Algorithm, Registered, algorithms_in};
use crate::connection::{StoreError, StoreResult, Write, now};
use crate::entity::{
    algorithm, category_map, pipeline, pipeline_algorithm, processing_service, project_pipeline,
    service_pipeline, service_project,
};

/// Registers all of it. With `guard`, only that project's own pipelines may change.
pub(super) async fn all(
    tx: &Write,
    service: i64,
    projects: &[i64],
    configs: &[PipelineConfigResponse],
    guard: Option<i64>,
) -> StoreResult<Registered> {
    let mut made = Registered::default();
    for config in configs {
        let (pipeline, fresh) = put_pipeline(tx, config, &mut made).await?;
        let guard = guard.filter(|_| !fresh);
        for project in projects {
            enable(tx, *project, pipeline).await?;
        }
        link_service(tx, service, pipeline).await?;
        for algorithm in &config.algorithms {
            let id = put_algorithm(tx, algorithm, guard, &mut made).await?;
            add_algorithm(tx, config, pipeline, id, guard).await?;
        }
    }
    Ok(made)
}

/// Finds the pull service with this name or makes it, attaches it, and marks it as seen.
pub(super) async fn pull_service(tx: &Write, project: i64, name: &str) -> StoreResult<i64> {
    use service_project::Column as C;
    let at = now();
    let known = processing_service::Entity::find()
        .filter(processing_service::Column::Name.eq(name))
        .order_by_asc(processing_service::Column::Id)
        .one(&**tx)
        .await?;
    let pushed =
        |s: &processing_service::Model| s.endpoint_url.as_ref().is_some_and(|u| !u.is_empty());
    let id = match known {
        Some(row) if pushed(&row) => {
            return Err(StoreError::Conflict(format!(
                "The processing service {name:?} has an address and is pushed to. Register under another name."
            )));
        }
        Some(row) => {
            let id = row.id;
            let mut row = row.into_active_model();
            row.last_seen_at = Set(Some(at));
            row.last_seen_live = Set(Some(true));
            row.update(&**tx).await?;
            id
        }
        None => {
            let row = processing_service::ActiveModel {
                name: Set(name.to_owned()),
                description: Set(String::new()),
                endpoint_url: Set(None),
                last_seen_at: Set(Some(at)),
                last_seen_live: Set(Some(true)),
                last_seen_latency: Set(None),
                created_at: Set(at),
                updated_at: Set(at),
                ..Default::default()
            };
            row.insert(&**tx).await?.id
        }
    };
    service_project::Entity::insert(service_project::ActiveModel {
        service_id: Set(id),
        project_id: Set(project),
    })
    .on_conflict(
        OnConflict::columns([C::ServiceId, C::ProjectId])
            .do_nothing()
            .to_owned(),
    )
    .exec_without_returning(&**tx)
    .await?;
    Ok(id)
}

/// Links an algorithm, unless that would break the pipeline or change somebody else's.
async fn add_algorithm(
    tx: &Write,
    config: &PipelineConfigResponse,
    pipeline: i64,
    id: i64,
    guard: Option<i64>,
) -> StoreResult<()> {
    let linked = algorithms_in(&**tx, pipeline).await?;
    if linked.iter().any(|a| a.id == id) {
        return Ok(());
    }
    if let Some(project) = guard
        && pipeline_is_shared(tx, pipeline, project).await?
    {
        return Err(StoreError::Conflict(format!(
            "Pipeline {:?} is used by other projects and has other algorithms. Register under another slug.",
            config.slug
        )));
    }
    let draws = |a: &Algorithm| a.task_type.as_deref().is_some_and(is_detector);
    let own = algorithm::Entity::find_by_id(id).one(&**tx).await?;
    if let (Some(first), Some(second)) = (linked.iter().find(|a| draws(a)), own.filter(draws)) {
        return Err(StoreError::Conflict(format!(
            "Pipeline {:?} has the detector {:?} and cannot get a second one, {:?}.",
            config.slug, first.key, second.key
        )));
    }
    link_algorithm(tx, pipeline, id).await
}

async fn pipeline_is_shared(tx: &Write, pipeline: i64, project: i64) -> StoreResult<bool> {
    let others = project_pipeline::Entity::find()
        .filter(project_pipeline::Column::PipelineId.eq(pipeline))
        .filter(project_pipeline::Column::ProjectId.ne(project))
        .count(&**tx)
        .await?;
    Ok(others > 0)
}

async fn algorithm_is_shared(tx: &Write, algorithm: i64, project: i64) -> StoreResult<bool> {
    let pipelines = pipeline_algorithm::Entity::find()
        .filter(pipeline_algorithm::Column::AlgorithmId.eq(algorithm))
        .all(&**tx)
        .await?;
    for link in pipelines {
        if pipeline_is_shared(tx, link.pipeline_id, project).await? {
            return Ok(true);
        }
    }
    Ok(false)
}

async fn put_pipeline(
    tx: &Write,
    config: &PipelineConfigResponse,
    made: &mut Registered,
) -> StoreResult<(i64, bool)> {
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
        return Ok((known.id, false));
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
    Ok((row.insert(&**tx).await?.id, true))
}

/// The one stage of a pipeline whose stages are not stored.
pub(super) fn placeholder_stages() -> Json {
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
    guard: Option<i64>,
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
    if let Some(project) = guard
        && config.task_type.is_some()
        && config.task_type != row.task_type
        && algorithm_is_shared(tx, row.id, project).await?
    {
        return Err(StoreError::Conflict(format!(
            "Algorithm {:?} is used by other projects as {:?}. Give it another key.",
            config.key,
            row.task_type.unwrap_or_default()
        )));
    }
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
