//! The jobs that had a capture in their hands. The idea: which they were is not asked of the
//! results, which have no order by capture; the newest jobs that may have had it are few, and of
//! each its key says what became of the capture in its last run.

use std::collections::{BTreeMap, HashMap};

use domain::job::ML;
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::Capture;
use crate::connection::{Store, StoreResult};
use crate::entity::{capture_set_member, job, task_result};
use crate::job::{Job, feed};

/// Jobs of each scope that are looked at: the newest.
const NEWEST: u64 = 40;
/// Sets of a capture that are looked at: the newest.
const SETS: u64 = 20;

/// What became of a capture in a job's last run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Touch {
    /// It is about this capture alone, and has not come to it.
    Asked,
    /// It was handed out, or waits to be.
    Open,
    /// Its result was saved.
    Done,
    /// It failed, for this reason.
    Failed(String),
}

/// A job with what it did to a capture.
#[derive(Clone, Debug)]
pub struct Touched {
    /// The job.
    pub job: Job,
    /// What became of the capture.
    pub touch: Touch,
}

impl Store {
    /// The newest jobs that processed a capture or are about it alone, the newest first.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn jobs_that_touched(&self, capture: &Capture) -> StoreResult<Vec<Touched>> {
        use capture_set_member::Column as M;
        let sets: Vec<i64> = capture_set_member::Entity::find()
            .select_only()
            .column(M::CaptureSetId)
            .filter(M::CaptureId.eq(capture.id))
            .order_by_desc(M::CaptureSetId)
            .limit(SETS)
            .into_tuple()
            .all(&self.db)
            .await?;
        let mut scopes = vec![job::Column::CaptureId.eq(capture.id)];
        let station = capture.station_id;
        scopes.extend(station.map(|id| job::Column::StationId.eq(id)));
        scopes.extend(sets.into_iter().map(|id| job::Column::CaptureSetId.eq(id)));
        let mut jobs: BTreeMap<i64, Job> = BTreeMap::new();
        for scope in scopes {
            let newest = job::Entity::find()
                .filter(scope)
                .filter(job::Column::Kind.eq(ML))
                .order_by_desc(job::Column::Id)
                .limit(NEWEST);
            let found = newest.all(&self.db).await?;
            jobs.extend(found.into_iter().map(|job| (job.id, job)));
        }
        let results = self.results_on(capture.id, &jobs).await?;
        let touched = jobs.into_values().rev().filter_map(|job| {
            let alone = job.capture_id == Some(capture.id);
            let touch = results.get(&job.id).cloned();
            let touch = touch.or_else(|| alone.then_some(Touch::Asked))?;
            Some(Touched { job, touch })
        });
        Ok(touched.collect())
    }

    async fn results_on(
        &self,
        capture: i64,
        jobs: &BTreeMap<i64, Job>,
    ) -> StoreResult<HashMap<i64, Touch>> {
        use task_result::Column as R;
        if jobs.is_empty() {
            return Ok(HashMap::new());
        }
        let of = |job: &Job| {
            Condition::all()
                .add(R::JobId.eq(job.id))
                .add(R::RunNo.eq(job.run_no))
                .add(R::Stage.eq(feed::PROCESS))
                .add(R::CaptureId.eq(capture))
        };
        let any = jobs
            .values()
            .fold(Condition::any(), |any, job| any.add(of(job)));
        let rows = task_result::Entity::find()
            .filter(any)
            .all(&self.db)
            .await?;
        let touch = |row: task_result::Model| match row.outcome {
            feed::DONE => Touch::Done,
            feed::FAILED => Touch::Failed(row.reason.unwrap_or_default()),
            _ => Touch::Open,
        };
        let rows = rows.into_iter();
        Ok(rows.map(|row| (row.job_id, touch(row))).collect())
    }
}
