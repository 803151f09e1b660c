//! What a person may edit on a job (`domain-rules.md` §16): its name at any time, the rest while
//! nobody works on it, because a running job has chosen its captures by what stood there.

use domain::permission::{Permit, Update};
use domain::state::JobState;
use sea_orm::{ActiveModelTrait, ActiveValue::Set, IntoActiveModel, prelude::Json};

use super::event::{What, record};
use super::{Job, life};
use crate::connection::{Store, StoreError, StoreResult, now};

/// New values; `None` leaves a field as it is.
#[derive(Clone, Debug, Default)]
pub struct JobChange {
    /// Name.
    pub name: Option<String>,
    /// Seconds to wait.
    pub delay: Option<i32>,
    /// At most so many captures.
    pub limit: Option<Option<i32>>,
    /// In random order.
    pub shuffle: Option<bool>,
    /// Station.
    pub station_id: Option<Option<i64>>,
    /// Capture set.
    pub capture_set_id: Option<Option<i64>>,
    /// One capture.
    pub capture_id: Option<Option<i64>>,
    /// Pipeline.
    pub pipeline_id: Option<Option<i64>>,
    /// Kind, by key.
    pub kind: Option<&'static str>,
    /// What the kind needs beside the columns.
    pub params: Option<Json>,
}

impl JobChange {
    /// True when more than the name would change.
    fn touches_work(&self, job: &Job) -> bool {
        fn differs<T: PartialEq>(new: &Option<T>, old: &T) -> bool {
            new.as_ref().is_some_and(|new| new != old)
        }
        differs(&self.delay, &job.delay)
            || differs(&self.limit, &job.limit)
            || differs(&self.shuffle, &job.shuffle)
            || differs(&self.station_id, &job.station_id)
            || differs(&self.capture_set_id, &job.capture_set_id)
            || differs(&self.capture_id, &job.capture_id)
            || differs(&self.pipeline_id, &job.pipeline_id)
            || differs(&self.params, &job.params)
            || self.kind.is_some_and(|kind| kind != job.kind)
    }
}

impl Store {
    /// Edits a job. Its stages stay: they are those of its last run, and the next one opens its
    /// own.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] where somebody works on it and more than the name would change.
    pub async fn change_job(
        &self,
        _permit: Permit<Update>,
        id: i64,
        change: JobChange,
    ) -> StoreResult<Job> {
        let tx = self.write().await?;
        let job = life::lock(&tx, id).await?;
        let at_work = matches!(
            job.job_state(),
            JobState::Pending | JobState::Started | JobState::Canceling
        );
        let work = change.touches_work(&job);
        if at_work && work {
            return Err(StoreError::Conflict(
                "Only the name of a running job can be changed.".to_owned(),
            ));
        }
        let mut row = job.clone().into_active_model();
        if let Some(name) = change.name {
            row.name = Set(name);
        }
        if work {
            let delay = change.delay.unwrap_or(job.delay);
            let pipeline = change.pipeline_id.unwrap_or(job.pipeline_id);
            let kind = change.kind.unwrap_or(&job.kind);
            row.kind = Set(kind.to_owned());
            row.delay = Set(delay);
            row.pipeline_id = Set(pipeline);
            row.limit = Set(change.limit.unwrap_or(job.limit));
            row.shuffle = Set(change.shuffle.unwrap_or(job.shuffle));
            row.station_id = Set(change.station_id.unwrap_or(job.station_id));
            row.capture_set_id = Set(change.capture_set_id.unwrap_or(job.capture_set_id));
            row.capture_id = Set(change.capture_id.unwrap_or(job.capture_id));
            row.params = Set(change.params.unwrap_or_else(|| job.params.clone()));
        }
        row.updated_at = Set(now());
        let after = row.update(&*tx).await?;
        let changed = changed(&job, &after);
        if !changed.is_empty() {
            let detail = Some(changed.join(", "));
            record(&tx, id, &after.state, What::Edited, detail).await?;
        }
        tx.commit().await?;
        Ok(after)
    }
}

/// The names of the fields that differ, as the API calls them.
fn changed(before: &Job, after: &Job) -> Vec<&'static str> {
    let fields = [
        ("name", before.name != after.name),
        ("delay", before.delay != after.delay),
        ("limit", before.limit != after.limit),
        ("shuffle", before.shuffle != after.shuffle),
        ("deployment", before.station_id != after.station_id),
        (
            "source_image_collection",
            before.capture_set_id != after.capture_set_id,
        ),
        ("source_image_single", before.capture_id != after.capture_id),
        ("pipeline", before.pipeline_id != after.pipeline_id),
        ("params", before.params != after.params),
        ("job_type", before.kind != after.kind),
    ];
    let differing = fields.into_iter().filter(|(_, differs)| *differs);
    differing.map(|(name, _)| name).collect()
}
