//! One sync, regroup or populate per target at a time: whoever asks for one while another waits or
//! runs is answered with that one. The idea: all who make such a job wait then take the same turn,
//! within the transaction that makes it, so two processes cannot both find nobody there.

use domain::job::{POPULATE, REGROUP, SYNC};
use domain::state::JobState;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};

use super::{Job, NewJob};
use crate::connection::{STARTING, Store, StoreResult, Write};
use crate::entity::job;

/// What became of asking for a job.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The job that was made, or the one that does already what was asked for.
    pub job: Job,
    /// True where it was made.
    pub made: bool,
}

/// What a job works on, where one at a time must be enough.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Target {
    column: job::Column,
    id: i64,
}

impl Target {
    /// Of a kind of job with this station and capture set.
    pub(crate) fn of(kind: &str, station: Option<i64>, set: Option<i64>) -> Option<Target> {
        let (column, id) = match kind {
            SYNC | REGROUP => (job::Column::StationId, station),
            POPULATE => (job::Column::CaptureSetId, set),
            _ => return None,
        };
        id.map(|id| Target { column, id })
    }

    /// The job of these kinds that waits or runs for it, other than `except`. Nobody else can
    /// start one before this transaction ends.
    pub(crate) async fn busy(
        self,
        tx: &Write,
        kinds: &[&str],
        except: Option<i64>,
    ) -> StoreResult<Option<Job>> {
        tx.take_turn(STARTING).await?;
        let live = [JobState::Pending, JobState::Started].map(JobState::code);
        let mut select = job::Entity::find()
            .filter(self.column.eq(self.id))
            .filter(job::Column::Kind.is_in(kinds.iter().copied()))
            .filter(job::Column::State.is_in(live))
            .order_by_asc(job::Column::Id);
        if let Some(id) = except {
            select = select.filter(job::Column::Id.ne(id));
        }
        Ok(select.one(&**tx).await?)
    }
}

/// The other job that does what this one would do, if there is one.
pub(crate) async fn twin(tx: &Write, job: &Job) -> StoreResult<Option<Job>> {
    match Target::of(&job.kind, job.station_id, job.capture_set_id) {
        Some(target) => target.busy(tx, &[&job.kind], Some(job.id)).await,
        None => Ok(None),
    }
}

/// Makes a job within a transaction, unless one that is to start at once has a twin already.
pub(crate) async fn insert_or_join(tx: &Write, new: NewJob) -> StoreResult<Asked> {
    let target = Target::of(new.kind, new.station_id, new.capture_set_id);
    if let (true, Some(target)) = (new.start_now, target)
        && let Some(job) = target.busy(tx, &[new.kind], None).await?
    {
        return Ok(Asked { job, made: false });
    }
    let job = super::insert(tx, new).await?;
    Ok(Asked { job, made: true })
}

impl Store {
    /// Makes a job as [`Store::create_job`] does, and says whether it was made or had been
    /// asked for before.
    ///
    /// # Errors
    /// As [`Store::create_job`].
    pub async fn ask_for_job(&self, new: NewJob) -> StoreResult<Asked> {
        let tx = self.write().await?;
        let asked = insert_or_join(&tx, new).await?;
        tx.commit().await?;
        Ok(asked)
    }
}
