//! A run of a schedule and how it begins. The idea: the run, its jobs and
//! the schedule's next time are written in one transaction that moves `next_at` on from what it
//! was, so two processes never begin one twice, and one that dies has begun all of it or nothing.

use chrono::{DateTime, Utc};
use domain::permission::{Permit, Run};
use domain::schedule::{Step, due_again};
use domain::state::JobState;
use sea_orm::sea_query::{Expr, ExprTrait, Query};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect,
};

use super::{Schedule, ScheduleRun};
use crate::connection::{Store, StoreError, StoreResult, Write, now};
use crate::entity::{schedule, schedule_run};
use crate::job::Job;

/// How a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunState {
    /// A job of it waits or runs.
    Going,
    /// Every step has succeeded.
    Done,
    /// It was broken off; its detail says why.
    Broken,
}

impl RunState {
    /// The word in the database.
    pub const fn word(self) -> &'static str {
        match self {
            RunState::Going => "going",
            RunState::Done => "done",
            RunState::Broken => "broken",
        }
    }

    /// A run is shown as a job that stands so.
    pub const fn as_job(self) -> JobState {
        match self {
            RunState::Going => JobState::Started,
            RunState::Done => JobState::Success,
            RunState::Broken => JobState::Failure,
        }
    }
}

impl ScheduleRun {
    /// The chain as it was when the run began.
    pub fn chain(&self) -> Vec<Step> {
        serde_json::from_value(self.steps.clone()).unwrap_or_default()
    }

    /// How it stands.
    pub fn run_state(&self) -> RunState {
        let all = [RunState::Going, RunState::Done];
        let found = all.into_iter().find(|state| state.word() == self.state);
        found.unwrap_or(RunState::Broken)
    }
}

/// What began.
#[derive(Clone, Debug)]
pub struct Begun {
    /// The run.
    pub run: ScheduleRun,
    /// Jobs that were made just now and wait for a runner.
    pub jobs: Vec<Job>,
}

impl Store {
    /// Schedules that should begin: they are due, and no run of theirs goes on. Where one does,
    /// the next one begins behind it, once.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn due_schedules(&self) -> StoreResult<Vec<Schedule>> {
        use schedule::Column as C;
        let going = Query::select()
            .expr(Expr::val(1))
            .from(schedule_run::Entity)
            .and_where(
                Expr::col((schedule_run::Entity, schedule_run::Column::ScheduleId))
                    .equals((schedule::Entity, C::Id)),
            )
            .and_where(schedule_run::Column::State.eq(RunState::Going.word()))
            .to_owned();
        Ok(schedule::Entity::find()
            .filter(C::ProjectId.is_not_null())
            .filter(C::NextAt.lte(now()))
            .filter(Expr::exists(going).not())
            .order_by_asc(C::NextAt)
            .all(&self.db)
            .await?)
    }

    /// Begins a schedule that was seen to be due, with the rights of its owner, and moves it on to
    /// its first time after now: what it missed is made up by this one run. `None` where another
    /// process was faster, it was changed or paused meanwhile, or a run of it goes on.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn begin_due(&self, seen: &Schedule) -> StoreResult<Option<Begun>> {
        let at = now();
        let next = due_again(&seen.rhythm()?, at);
        let tx = self.write().await?;
        if !move_on(&tx, seen, next).await? || going(&tx, seen.id).await?.is_some() {
            return Ok(None);
        }
        // As it is now, under the lock: somebody may have edited its chain.
        let row = lock(&tx, seen.id).await?;
        let user = row.owner_id;
        let begun = begin(&tx, &row, seen.next_at, user).await?;
        tx.commit().await?;
        Ok(Some(begun))
    }

    /// Begins a schedule now, with the rights of whoever asks; when it comes round stays as it is.
    /// While a run of it goes on, no other one begins: the answer is that run, without new jobs.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], or an error of the database.
    pub async fn run_schedule(
        &self,
        _permit: Permit<Run>,
        id: i64,
        user: Option<i64>,
    ) -> StoreResult<Begun> {
        let tx = self.write().await?;
        let row = lock(&tx, id).await?;
        if let Some(run) = going(&tx, id).await? {
            let jobs = Vec::new();
            return Ok(Begun { run, jobs });
        }
        let begun = begin(&tx, &row, None, user).await?;
        tx.commit().await?;
        Ok(begun)
    }
}

/// Reads a schedule and locks it against every other change.
pub(super) async fn lock(tx: &Write, id: i64) -> StoreResult<Schedule> {
    schedule::Entity::find_by_id(id)
        .filter(schedule::Column::ProjectId.is_not_null())
        .lock_exclusive()
        .one(&**tx)
        .await?
        .ok_or(StoreError::NotFound("schedule"))
}

/// Moves a row on from the time that was seen; false where somebody else has.
pub(super) async fn move_on(
    tx: &Write,
    seen: &Schedule,
    next: Option<DateTime<Utc>>,
) -> StoreResult<bool> {
    use schedule::Column as C;
    let done = schedule::Entity::update_many()
        .col_expr(C::NextAt, Expr::value(next))
        .filter(C::Id.eq(seen.id))
        .filter(C::NextAt.eq(seen.next_at))
        .exec(&**tx)
        .await?;
    Ok(done.rows_affected > 0)
}

/// The run of a schedule that goes on, if there is one.
async fn going(tx: &Write, id: i64) -> StoreResult<Option<ScheduleRun>> {
    Ok(schedule_run::Entity::find()
        .filter(schedule_run::Column::ScheduleId.eq(id))
        .filter(schedule_run::Column::State.eq(RunState::Going.word()))
        .one(&**tx)
        .await?)
}

async fn begin(
    tx: &Write,
    row: &Schedule,
    planned: Option<DateTime<Utc>>,
    user: Option<i64>,
) -> StoreResult<Begun> {
    let run = schedule_run::ActiveModel {
        schedule_id: Set(row.id),
        planned_at: Set(planned),
        user_id: Set(user),
        steps: Set(row.steps.clone()),
        step: Set(0),
        state: Set(RunState::Going.word().to_owned()),
        detail: Set(None),
        started_at: Set(now()),
        finished_at: Set(None),
        ..Default::default()
    };
    let run = run.insert(&**tx).await?;
    super::chain::go_on(tx, row, run, 0).await
}
