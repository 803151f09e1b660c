//! Steering a job without changing its state: pause, resume, priority. Only the lease looks at
//! the pause, so saving, finalising and cancelling go on (`protocol.md` §2).

use domain::permission::{Permit, Run, Update};
use domain::state::JobState;
use sea_orm::{ActiveModelTrait, ActiveValue::Set, EntityTrait, IntoActiveModel};

use super::event::{What, record};
use super::{Job, life};
use crate::connection::{Store, StoreError, StoreResult, Write, now};
use crate::entity::user;
use crate::log::Level;
use crate::origin::Origin;

/// " by Ann", where somebody asks who has a name to show.
async fn by_whom(tx: &Write) -> StoreResult<String> {
    let Some(id) = Origin::current().user else {
        return Ok(String::new());
    };
    let user = user::Entity::find_by_id(id).one(&**tx).await?;
    let name = user.map(|user| user.name.trim().to_owned());
    let name = name.filter(|name| !name.is_empty());
    Ok(name.map_or(String::new(), |name| format!(" by {name}")))
}

impl Store {
    /// Stops or goes on with handing out a job's images. To say it twice changes nothing.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] for a job that does not run; a rescued one counts as running.
    pub async fn pause_job(&self, _permit: Permit<Run>, id: i64, paused: bool) -> StoreResult<Job> {
        let tx = self.write().await?;
        let job = life::lock(&tx, id).await?;
        if !matches!(job.job_state(), JobState::Started | JobState::Pending) {
            return Err(StoreError::Conflict(format!(
                "A job that is {} cannot be paused or resumed.",
                job.state
            )));
        }
        if job.paused == paused {
            return Ok(job);
        }
        let mut row = job.into_active_model();
        row.paused = Set(paused);
        row.updated_at = Set(now());
        let after = row.update(&*tx).await?;
        let by = by_whom(&tx).await?;
        let text = match paused {
            true => format!("Paused{by}: no image is handed out until the job is resumed"),
            false => format!("Resumed{by}"),
        };
        crate::log::insert(&*tx, id, &[(Level::Info, text)]).await?;
        let what = match paused {
            true => What::Paused,
            false => What::Resumed,
        };
        record(&tx, id, &after.state, what, None).await?;
        tx.commit().await?;
        Ok(after)
    }

    /// Sets a job's priority; jobs with a higher one are claimed and handed out first.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], errors of the database.
    pub async fn prioritise_job(
        &self,
        _permit: Permit<Update>,
        id: i64,
        priority: i32,
    ) -> StoreResult<Job> {
        let tx = self.write().await?;
        let job = life::lock(&tx, id).await?;
        let mut row = job.into_active_model();
        row.priority = Set(priority);
        row.updated_at = Set(now());
        let after = row.update(&*tx).await?;
        let detail = Some(format!("priority {priority}"));
        record(&tx, id, &after.state, What::Edited, detail).await?;
        tx.commit().await?;
        Ok(after)
    }
}
