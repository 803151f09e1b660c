//! A run of a schedule: how it begins and how a step of it begins. The idea: the run, its jobs and
//! the schedule's next time are written in one transaction that moves `next_at` on from what it
//! was, so two processes never begin one twice, and one that dies has begun it wholly or not at all.

use chrono::{DateTime, Utc};
use domain::job::{EXPORT, POPULATE, SYNC, TODAY};
use domain::permission::{Caller, Permit, ProjectFacts, Role, Run};
use domain::schedule::{Step, due_again};
use sea_orm::sea_query::{Expr, ExprTrait, Query};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect, prelude::Json,
};
use serde_json::{Value, json};

use super::{Schedule, ScheduleRun, named};
use crate::connection::{Store, StoreError, StoreResult, Write, now};
use crate::entity::{export, membership, project, schedule, schedule_job, schedule_run, user};
use crate::entity::{station, station::Model as Station};
use crate::job::{Job, NewJob, dispatch};
use crate::log::Level;
use crate::project::Project;

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

/// Who a run acts for, and what of.
pub(super) struct Ground {
    project: Project,
    caller: Caller,
    facts: ProjectFacts,
}

/// Reads who a run acts for. `None` where that person or the project is gone, or the person may
/// not sign in any more.
pub(super) async fn ground(
    tx: &Write,
    row: &Schedule,
    user: Option<i64>,
) -> StoreResult<Option<Ground>> {
    let (Some(project), Some(user)) = (row.project_id, user) else {
        return Ok(None);
    };
    let project = project::Entity::find_by_id(project).one(&**tx).await?;
    let person = user::Entity::find_by_id(user).one(&**tx).await?;
    let (Some(project), Some(person)) = (project, person.filter(|person| person.is_active)) else {
        return Ok(None);
    };
    let member = membership::Entity::find()
        .filter(membership::Column::ProjectId.eq(project.id))
        .filter(membership::Column::UserId.eq(person.id))
        .one(&**tx)
        .await?;
    let facts = ProjectFacts {
        draft: project.draft,
        owner: project.owner_id,
        role: member.and_then(|member| Role::from_key(&member.role)),
    };
    let caller = Caller::User {
        id: person.id,
        superuser: person.is_superuser,
        staff: person.is_staff,
    };
    Ok(Some(Ground {
        project,
        caller,
        facts,
    }))
}

/// Makes the jobs of a step; the inner error is the sentence that says why there are none.
pub(super) async fn make_jobs(
    tx: &Write,
    row: &Schedule,
    run: &ScheduleRun,
    step: &Step,
) -> StoreResult<Result<Vec<Job>, String>> {
    let Some(ground) = ground(tx, row, run.user_id).await? else {
        return Ok(Err(
            "the person with whose rights it acts is gone or may not sign in; whoever saves the \
             schedule takes over"
                .to_owned(),
        ));
    };
    let Some(spec) = step.spec() else {
        return Ok(Err(format!("no kind of job is called \"{}\"", step.kind)));
    };
    if Permit::ask_chain(ground.caller, &ground.facts, [spec.key]).is_err() {
        return Ok(Err(format!(
            "the person with whose rights it acts may not run jobs of the kind \"{}\" in this \
             project",
            spec.name
        )));
    }
    if let Some((field, id)) = named::missing(&**tx, ground.project.id, step)
        .await?
        .first()
    {
        return Ok(Err(format!("its {field} {id} is not there any more")));
    }
    let mut jobs = Vec::new();
    for station in stations(tx, &ground.project, step).await? {
        let new = new_job(tx, row, run, &ground, (step, spec.key), station).await?;
        jobs.push(crate::job::insert(tx, new).await?);
    }
    note(tx, row, run, &jobs).await?;
    Ok(Ok(jobs))
}

/// The stations for which a step makes a job each; `None` is a job for none in particular.
async fn stations(tx: &Write, project: &Project, step: &Step) -> StoreResult<Vec<Option<Station>>> {
    use station::Column as C;
    let named = match step.station_id {
        None if !step.is_everywhere() => return Ok(vec![None]),
        named => named,
    };
    let mut wanted = station::Entity::find().filter(C::ProjectId.eq(project.id));
    match named {
        Some(id) => wanted = wanted.filter(C::Id.eq(id)),
        None if step.kind == SYNC => wanted = wanted.filter(C::SourceId.is_not_null()),
        None => {}
    }
    let found = wanted.order_by_asc(C::Id).all(&**tx).await?;
    Ok(found.into_iter().map(Some).collect())
}

async fn new_job(
    tx: &Write,
    row: &Schedule,
    run: &ScheduleRun,
    ground: &Ground,
    (step, kind): (&Step, &'static str),
    station: Option<Station>,
) -> StoreResult<NewJob> {
    let name = step.job_name(&row.name);
    let name = match &station {
        Some(station) if step.is_everywhere() => format!("{name} ({})", station.name),
        _ => name,
    };
    let user = ground.caller.id();
    let params = match kind {
        // The last night is the one before the run began, however long its first steps took.
        POPULATE => Some(json!({TODAY: row.rhythm()?.day(run.started_at)})),
        EXPORT => None,
        _ => Some(Json::Object(step.params.clone())),
    };
    let export_id = match kind {
        EXPORT => Some(insert_export(tx, ground.project.id, user, step).await?),
        _ => None,
    };
    Ok(NewJob {
        name: name.chars().take(LONGEST_NAME).collect(),
        project_id: ground.project.id,
        kind,
        params,
        delay: 0,
        limit: step.limit,
        shuffle: step.shuffle,
        station_id: station.map(|station| station.id),
        capture_set_id: step.capture_set_id,
        capture_id: None,
        pipeline_id: step.pipeline_id,
        export_id,
        created_by_id: user,
        dispatch_mode: Some(dispatch::mode(kind, step.pipeline_id, &ground.project)),
        start_now: true,
    })
}

/// Longest name of a job, in characters.
const LONGEST_NAME: usize = 255;

/// The record that the job of an export writes to.
async fn insert_export(
    tx: &Write,
    project: i64,
    user: Option<i64>,
    step: &Step,
) -> StoreResult<i64> {
    let format = step.params.get("format").and_then(Value::as_str);
    let given = step.params.get("filters").and_then(Value::as_object);
    let mut filters = given.cloned().unwrap_or_default();
    if let Some(set) = step.capture_set_id {
        filters.insert("collection_id".to_owned(), json!(set));
    }
    let at = now();
    let row = export::ActiveModel {
        project_id: Set(project),
        user_id: Set(user),
        format: Set(format.unwrap_or_default().to_owned()),
        filters: Set(Json::Object(filters.clone())),
        filters_display: Set(Json::Object(filters)),
        file_url: Set(None),
        record_count: Set(0),
        file_size: Set(0),
        created_at: Set(at),
        updated_at: Set(at),
        ..Default::default()
    };
    Ok(row.insert(&**tx).await?.id)
}

/// Notes that a run has made these jobs, there and in their logs.
async fn note(tx: &Write, row: &Schedule, run: &ScheduleRun, jobs: &[Job]) -> StoreResult<()> {
    let of = run.chain().len();
    for job in jobs {
        let made = schedule_job::ActiveModel {
            run_id: Set(run.id),
            step: Set(run.step),
            job_id: Set(Some(job.id)),
            ..Default::default()
        };
        schedule_job::Entity::insert(made)
            .exec_without_returning(&**tx)
            .await?;
        let text = format!(
            "Step {} of {of} of schedule #{} \"{}\"",
            run.step + 1,
            row.id,
            row.name
        );
        crate::log::insert(&**tx, job.id, &[(Level::Info, text)]).await?;
    }
    Ok(())
}
