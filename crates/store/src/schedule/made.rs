//! The jobs of a step. The idea: whatever could be asked when the schedule was written is asked
//! again now, within the transaction that makes them: who it acts for, what they may do, and
//! whether everything that the step names is there.

use domain::job::{EXPORT, POPULATE, SYNC, TODAY};
use domain::permission::{Caller, Permit, ProjectFacts};
use domain::schedule::Step;
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QueryOrder, prelude::Json};
use serde_json::{Value, json};

use super::{Schedule, ScheduleRun, named};
use crate::connection::{StoreResult, Write};
use crate::entity::{project, schedule_job, user};
use crate::entity::{station, station::Model as Station};
use crate::export::{self, NewExport};
use crate::job::target::insert_or_join;
use crate::job::{Job, NewJob, dispatch};
use crate::log::Level;
use crate::project::{Project, facts_in};

/// Who a run acts for, and what of.
struct Ground {
    project: Project,
    caller: Caller,
    facts: ProjectFacts,
}

/// Reads who a run acts for. `None` where that person or the project is gone, or the person may
/// not sign in any more.
async fn ground(tx: &Write, row: &Schedule, user: Option<i64>) -> StoreResult<Option<Ground>> {
    let (Some(project), Some(user)) = (row.project_id, user) else {
        return Ok(None);
    };
    let project = project::Entity::find_by_id(project).one(&**tx).await?;
    let person = user::Entity::find_by_id(user).one(&**tx).await?;
    let (Some(project), Some(person)) = (project, person.filter(|person| person.is_active)) else {
        return Ok(None);
    };
    let facts = facts_in(&**tx, &project, Some(&person)).await?;
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
        // Where somebody has the same done already, the step is that job.
        jobs.push(insert_or_join(tx, new).await?.job);
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
    // A set that is gone by now is a matter for the job, which says so and fails.
    let named = export::named(&**tx, project, &filters).await?;
    let filters = Json::Object(filters);
    let new = NewExport {
        project_id: project,
        user_id: user,
        format: format.unwrap_or_default().to_owned(),
        filters_display: named.map_or_else(|_| filters.clone(), |named| named.display),
        filters,
        ..NewExport::default()
    };
    // How many it holds is counted by its job.
    Ok(export::insert(tx, &new, 0).await?.id)
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
