//! How a run of a schedule goes on: when the jobs of its step have ended, the next step begins or
//! the run ends. The idea: nothing is told that a job ended, it is looked for; so a chain moves on
//! whoever ended its job, and also when the process that ended it died.

use domain::schedule::{Move, next_move};
use domain::state::JobState;
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter,
    QueryOrder, QuerySelect,
};

use super::made::make_jobs;
use super::run::{Begun, RunState};
use super::{Schedule, ScheduleRun};
use crate::connection::{Store, StoreError, StoreResult, Write, now};
use crate::entity::{job, schedule, schedule_job, schedule_run};
use crate::job::Job;
use crate::log::Level;

impl Store {
    /// The runs that go on: those that [`Store::advance_run`] should look at.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn going_runs(&self) -> StoreResult<Vec<i64>> {
        Ok(schedule_run::Entity::find()
            .select_only()
            .column(schedule_run::Column::Id)
            .filter(schedule_run::Column::State.eq(RunState::Going.word()))
            .order_by_asc(schedule_run::Column::Id)
            .into_tuple()
            .all(&self.db)
            .await?)
    }

    /// Moves a run on: begins its next step, or ends it. `None` where there is nothing to do yet,
    /// or another process has done it. Any process may call it at any time.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn advance_run(&self, id: i64) -> StoreResult<Option<Begun>> {
        let seen = schedule_run::Entity::find_by_id(id).one(&self.db).await?;
        let Some(seen) = seen else { return Ok(None) };
        let jobs = jobs_of_step(&self.db, &seen).await?;
        // Most looks end here, without a write.
        if jobs.next(&seen) == Move::Wait {
            return Ok(None);
        }
        let tx = self.write().await?;
        let row = schedule::Entity::find_by_id(seen.schedule_id)
            .lock_exclusive()
            .one(&*tx)
            .await?;
        let run = schedule_run::Entity::find_by_id(id)
            .lock_exclusive()
            .one(&*tx)
            .await?;
        let (Some(row), Some(run)) = (row, run) else {
            return Ok(None); // deleted meanwhile
        };
        if run.run_state() != RunState::Going || run.step != seen.step {
            return Ok(None);
        }
        let jobs = jobs_of_step(&*tx, &run).await?;
        let begun = match jobs.next(&run) {
            Move::Wait => return Ok(None), // somebody has retried one of them
            Move::Begin(step) => go_on(&tx, &row, run, step).await?,
            Move::Done => ended(&tx, run, None).await?,
            Move::Broken => break_off(&tx, &row, run, &jobs).await?,
        };
        tx.commit().await?;
        Ok(Some(begun))
    }
}

/// Begins the steps from this one on, up to the first that makes a job.
pub(super) async fn go_on(
    tx: &Write,
    row: &Schedule,
    mut run: ScheduleRun,
    mut step: usize,
) -> StoreResult<Begun> {
    let chain = run.chain();
    while let Some(next) = chain.get(step) {
        let mut at = run.into_active_model();
        at.step = Set(place(step)?);
        run = at.update(&**tx).await?;
        match make_jobs(tx, row, &run, next).await? {
            Ok(jobs) if jobs.is_empty() => step += 1,
            Ok(jobs) => return Ok(Begun { run, jobs }),
            Err(reason) => {
                let at = step + 1;
                let why = format!("Step {at} of {} was not begun: {reason}.", chain.len());
                return ended(tx, run, Some(why)).await;
            }
        }
    }
    ended(tx, run, None).await
}

fn place(step: usize) -> StoreResult<i32> {
    i32::try_from(step).map_err(|error| StoreError::Unreadable(error.to_string()))
}

/// The jobs of a run's present step.
struct StepJobs {
    jobs: Vec<Job>,
    gone: usize,
}

impl StepJobs {
    fn next(&self, run: &ScheduleRun) -> Move {
        let states: Vec<JobState> = self.jobs.iter().map(Job::job_state).collect();
        let step = usize::try_from(run.step).unwrap_or_default();
        next_move(run.chain().len(), step, &states, self.gone)
    }
}

async fn jobs_of_step<C: sea_orm::ConnectionTrait>(
    db: &C,
    run: &ScheduleRun,
) -> StoreResult<StepJobs> {
    let rows = schedule_job::Entity::find()
        .find_also_related(job::Entity)
        .filter(schedule_job::Column::RunId.eq(run.id))
        .filter(schedule_job::Column::Step.eq(run.step))
        .order_by_asc(schedule_job::Column::Id)
        .all(db)
        .await?;
    let all = rows.len();
    let jobs: Vec<Job> = rows.into_iter().filter_map(|(_, job)| job).collect();
    let gone = all - jobs.len();
    Ok(StepJobs { jobs, gone })
}

/// Ends a run because a job of its step did not succeed, and says so in that job's log.
async fn break_off(
    tx: &Write,
    row: &Schedule,
    run: ScheduleRun,
    step: &StepJobs,
) -> StoreResult<Begun> {
    let (at, of) = (run.step + 1, run.chain().len());
    let failed = step.jobs.iter();
    let failed: Vec<&Job> = failed
        .filter(|job| job.job_state() != JobState::Success)
        .collect();
    let left = of.saturating_sub(usize::try_from(at).unwrap_or_default());
    for job in &failed {
        let text = format!(
            "Schedule #{} \"{}\" ends here: {left} further steps are not begun",
            row.id, row.name
        );
        crate::log::insert(&**tx, job.id, &[(Level::Error, text)]).await?;
    }
    let what = match failed.first() {
        Some(job) => format!("job {} ended as {}", job.label(), job.state),
        None => "a job of it was deleted".to_owned(),
    };
    let others = match failed.len() {
        0 | 1 => String::new(),
        many => format!(", and {} others", many - 1),
    };
    let why = format!("Step {at} of {of}: {what}{others}.");
    ended(tx, run, Some(why)).await
}

/// Ends a run, with the reason why it was broken off.
async fn ended(tx: &Write, run: ScheduleRun, why: Option<String>) -> StoreResult<Begun> {
    let state = match why {
        None => RunState::Done,
        Some(_) => RunState::Broken,
    };
    let mut row = run.into_active_model();
    row.state = Set(state.word().to_owned());
    row.detail = Set(why);
    row.finished_at = Set(Some(now()));
    let run = row.update(&**tx).await?;
    let jobs = Vec::new();
    Ok(Begun { run, jobs })
}
