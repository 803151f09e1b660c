//! What a step names: whether it is there, and of the right project. Asked when a schedule is
//! written and again when the step begins, for what it names may go in between.

use domain::schedule::Step;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, Select};

use crate::connection::{Store, StoreResult};
use crate::entity::{capture_set, project_pipeline, station};

impl Store {
    /// The fields of a step, by their names in the API, that name something which the project does
    /// not have.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn missing_of_step(
        &self,
        project: i64,
        step: &Step,
    ) -> StoreResult<Vec<(&'static str, i64)>> {
        missing(&self.db, project, step).await
    }
}

/// The same within a transaction.
pub(super) async fn missing<C: ConnectionTrait>(
    db: &C,
    project: i64,
    step: &Step,
) -> StoreResult<Vec<(&'static str, i64)>> {
    let mut missing = Vec::new();
    if let Some(id) = step.station_id {
        let found = station::Entity::find_by_id(id);
        let found = found.filter(station::Column::ProjectId.eq(project));
        if !there(db, found).await? {
            missing.push(("deployment_id", id));
        }
    }
    if let Some(id) = step.capture_set_id {
        let found = capture_set::Entity::find_by_id(id);
        let found = found.filter(capture_set::Column::ProjectId.eq(project));
        if !there(db, found).await? {
            missing.push(("source_image_collection_id", id));
        }
    }
    if let Some(id) = step.pipeline_id {
        let found = project_pipeline::Entity::find()
            .filter(project_pipeline::Column::ProjectId.eq(project))
            .filter(project_pipeline::Column::PipelineId.eq(id));
        if !there(db, found).await? {
            missing.push(("pipeline_id", id));
        }
    }
    Ok(missing)
}

async fn there<C: ConnectionTrait, E: EntityTrait>(db: &C, found: Select<E>) -> StoreResult<bool> {
    Ok(found.one(db).await?.is_some())
}
