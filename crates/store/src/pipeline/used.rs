//! The pipelines that a project uses, also those that it has disabled, and how it uses them.

use domain::permission::{Permit, Update};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter,
    QueryOrder, QuerySelect, prelude::Json,
};

use super::Pipeline;
use super::list::ProjectPipeline;
use crate::connection::{Store, StoreError, StoreResult, now};
use crate::entity::{pipeline, project_pipeline};

/// Pipelines of a project at most.
const MOST: u64 = 500;

/// What is changed of how a project uses a pipeline; `None` leaves it as it is.
#[derive(Clone, Debug, Default)]
pub struct UseChange {
    /// Whether it is offered for new jobs.
    pub enabled: Option<bool>,
    /// Its settings, which lie over the pipeline's own key by key.
    pub config: Option<serde_json::Map<String, Json>>,
}

impl Store {
    /// The pipelines of a project by name, each with how it is used.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn used_pipelines(
        &self,
        project: i64,
    ) -> StoreResult<Vec<(Pipeline, ProjectPipeline)>> {
        let uses = project_pipeline::Entity::find()
            .filter(project_pipeline::Column::ProjectId.eq(project))
            .limit(MOST)
            .all(&self.db)
            .await?;
        let rows = pipeline::Entity::find()
            .filter(pipeline::Column::Id.is_in(uses.iter().map(|used| used.pipeline_id)))
            .order_by_asc(pipeline::Column::Name)
            .order_by_asc(pipeline::Column::Id)
            .all(&self.db)
            .await?;
        let of = |row: Pipeline| {
            let used = uses.iter().find(|used| used.pipeline_id == row.id);
            used.map(|used| (row, used.clone()))
        };
        Ok(rows.into_iter().filter_map(of).collect())
    }

    /// Changes how a project uses a pipeline.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] where the project does not use it.
    pub async fn change_use(
        &self,
        _permit: Permit<Update>,
        project: i64,
        pipeline: i64,
        change: UseChange,
    ) -> StoreResult<ProjectPipeline> {
        let tx = self.write().await?;
        let row = project_pipeline::Entity::find()
            .filter(project_pipeline::Column::ProjectId.eq(project))
            .filter(project_pipeline::Column::PipelineId.eq(pipeline))
            .one(&*tx)
            .await?
            .ok_or(StoreError::NotFound("pipeline of this project"))?;
        let mut row = row.into_active_model();
        if let Some(enabled) = change.enabled {
            row.enabled = Set(enabled);
        }
        if let Some(config) = change.config {
            row.config = Set(Json::Object(config));
        }
        row.updated_at = Set(now());
        let row = row.update(&*tx).await?;
        tx.commit().await?;
        Ok(row)
    }
}
