//! How the work of a job is handed out. The idea: it is settled when the job is made and again
//! when somebody asks for a run, so that what was edited between shows the mode it had, and runs
//! in the right one (`processing-service.md` §10).

use domain::job::{DispatchMode, ML};
use sea_orm::EntityTrait;

use super::Job;
use crate::connection::{StoreError, StoreResult, Write};
use crate::entity::project::{Entity, Model as Project};
use crate::project::flag;

/// The mode of a job of this kind in this project.
pub fn mode(kind: &str, pipeline: Option<i64>, project: &Project) -> DispatchMode {
    if kind != ML || pipeline.is_none() {
        DispatchMode::Internal
    } else if flag(project, "async_pipeline_workers") {
        DispatchMode::AsyncApi
    } else {
        DispatchMode::SyncApi
    }
}

/// The mode of a run that begins now.
pub(crate) async fn now(tx: &Write, job: &Job) -> StoreResult<DispatchMode> {
    let project = Entity::find_by_id(job.project_id).one(&**tx).await?;
    let project = project.ok_or(StoreError::NotFound("project"))?;
    Ok(mode(&job.kind, job.pipeline_id, &project))
}
