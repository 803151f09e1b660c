//! `/api/v2/schedules/`: chains of jobs that come round by the clock. Members of a project read
//! them; whoever may make and start a job of every kind in a chain may make, change, run, pause
//! and delete it.

use std::collections::HashMap;

use axum::Json;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::routing::{get, post};
use domain::permission::{
    Action, Permit, ProjectFacts, Run, VIEW_PRIVATE, schedule_list_permissions,
    schedule_permissions,
};
use domain::schedule::Step;
use rest::allow::{ACTION, DETAIL, LIST};
use rest::page::{Envelope, Page};
use rest::time::instant;
use rest::{ApiResult, How, JsonBody};
use serde_json::{Value, json};
use store::schedule::{RunJob, SCHEDULE_ORDERS, Schedule, ScheduleFilter, ScheduleRun};

use super::identifications::people;
use super::internal;
use super::jobs::announce;
use crate::auth::refusal;
use crate::call::{Call, number};
use crate::views::{Answer, View, view};

pub mod fields;
mod input;

const PATH: &str = "schedules";

/// Runs that a schedule's detail shows.
const RUNS: u64 = 10;

/// Its addresses.
pub const VIEWS: &[View] = &[
    view(
        "/schedules",
        "Schedule List",
        LIST,
        fields::ABOUT,
        fields::FIELDS,
        || get(list).post(create),
    )
    .filters(fields::FILTERS)
    .orders(SCHEDULE_ORDERS)
    .searched()
    .in_root()
    .got(&[Answer::Page(fields::ROW)]),
    view(
        "/schedules/{id}",
        "Schedule Instance",
        DETAIL,
        fields::ABOUT,
        fields::FIELDS,
        || get(detail).put(replace).patch(edit).delete(delete),
    ),
    view(
        "/schedules/{id}/run",
        "run",
        ACTION,
        fields::RUN_NOW,
        fields::FIELDS,
        || post(run),
    )
    .takes(&[])
    .posted(&[(200, Answer::Row(fields::FIELDS))]),
    view(
        "/schedules/{id}/pause",
        "Pause",
        ACTION,
        fields::PAUSE,
        fields::FIELDS,
        || post(pause),
    )
    .takes(&[])
    .posted(&[(200, Answer::Row(fields::FIELDS))]),
    view(
        "/schedules/{id}/resume",
        "Resume",
        ACTION,
        fields::RESUME,
        fields::FIELDS,
        || post(resume),
    )
    .takes(&[])
    .posted(&[(200, Answer::Row(fields::FIELDS))]),
];

/// What a page of schedules points to.
struct Around<'a> {
    call: &'a Call,
    facts: HashMap<i64, ProjectFacts>,
    jobs: HashMap<i64, Vec<RunJob>>,
    people: HashMap<i64, Value>,
}

impl<'a> Around<'a> {
    /// Reads it all: a fixed number of statements.
    async fn read(
        call: &'a Call,
        schedules: &[Schedule],
        runs: &[&ScheduleRun],
    ) -> ApiResult<Around<'a>> {
        let projects: Vec<i64> = schedules.iter().filter_map(|s| s.project_id).collect();
        let users = schedules.iter().filter_map(|s| s.owner_id);
        let users = users.chain(runs.iter().filter_map(|run| run.user_id));
        let users: Vec<i64> = users.collect();
        let runs: Vec<i64> = runs.iter().map(|run| run.id).collect();
        Ok(Around {
            call,
            facts: call.facts(&projects).await?,
            jobs: call.store().jobs_of_runs(&runs).await.map_err(internal)?,
            people: people(call, &users).await?,
        })
    }

    fn person(&self, id: Option<i64>) -> Option<&Value> {
        self.people.get(&id?)
    }

    /// A schedule, with its last run.
    fn schedule(&self, row: &Schedule, last: Option<&ScheduleRun>) -> Value {
        let facts = row.project_id.and_then(|id| self.facts.get(&id)).copied();
        let chain = row.chain();
        let kinds = chain.iter().map(|step| step.kind.as_str());
        let caller = self.call.who.caller();
        json!({
            "id": row.id,
            "details": self.call.addresses.row(PATH, row.id),
            "name": row.name,
            "project": row.project_id,
            "cron": row.cron,
            "time_zone": row.time_zone,
            "steps": chain,
            "paused": row.is_paused(),
            "next_run": row.next_at.map(instant),
            "last_run": last.map(|run| self.run(run)),
            "user": self.person(row.owner_id),
            "created_at": instant(row.created_at),
            "updated_at": instant(row.updated_at),
            "user_permissions":
                schedule_permissions(caller, &facts.unwrap_or_default(), kinds),
        })
    }

    fn run(&self, run: &ScheduleRun) -> Value {
        let jobs = self
            .jobs
            .get(&run.id)
            .map(Vec::as_slice)
            .unwrap_or_default();
        let jobs: Vec<Value> = jobs.iter().map(|made| self.job(made)).collect();
        json!({
            "id": run.id,
            "planned_at": run.planned_at.map(instant),
            "started_at": instant(run.started_at),
            "finished_at": run.finished_at.map(instant),
            "status": run.run_state().as_job().code(),
            "detail": run.detail,
            "user": self.person(run.user_id),
            "jobs": jobs,
        })
    }

    fn job(&self, made: &RunJob) -> Value {
        json!({
            "id": made.job.id,
            "details": self.call.addresses.row("jobs", made.job.id),
            "name": made.job.name,
            "step": made.step + 1,
            "job_type_key": made.job.kind,
            "status": made.job.state,
        })
    }
}

/// A page of schedules, each with its last run.
pub async fn list(call: Call) -> ApiResult<Json<Envelope<Value>>> {
    let store = call.store();
    let visible = store.scheduling_projects(call.who.0.as_ref()).await;
    let project = call.query.integer("project_id", 0)?;
    let filter = ScheduleFilter {
        project_id: project,
        visible: visible.map_err(internal)?,
        search: call.query.search(),
        order: call.order(SCHEDULE_ORDERS),
    };
    let page = Page::read(&call.query);
    let found = store.schedules(&filter, page.limit, page.offset).await;
    let (rows, count) = found.map_err(internal)?;
    let ids: Vec<i64> = rows.iter().map(|row| row.id).collect();
    let last = store.last_runs(&ids).await.map_err(internal)?;
    let runs: Vec<&ScheduleRun> = last.values().collect();
    let around = Around::read(&call, &rows, &runs).await?;
    let shown = rows
        .iter()
        .map(|row| around.schedule(row, last.get(&row.id)));
    let shown = shown.collect();
    let facts = match project {
        Some(id) => call.facts(&[id]).await?.get(&id).copied(),
        None => None,
    };
    let words = schedule_list_permissions(call.who.caller(), facts.as_ref());
    let words = words.into_iter().map(str::to_owned).collect();
    Ok(Json(call.envelope(PATH, page, count, shown, words)))
}

/// The schedule, when the caller is a member of its project.
async fn find(call: &Call, id: &str) -> ApiResult<(Schedule, ProjectFacts)> {
    let row = call.store().schedule(number(id)?).await.map_err(internal)?;
    let (_, facts) = call.project(row.project_id.unwrap_or_default()).await?;
    call.permit(&facts, Action::Change(VIEW_PRIVATE))?;
    Ok((row, facts))
}

/// The permit for a chain.
fn permit(call: &Call, facts: &ProjectFacts, chain: &[Step]) -> ApiResult<Permit<Run>> {
    let kinds = chain.iter().map(|step| step.kind.as_str());
    Permit::ask_chain(call.who.caller(), facts, kinds).map_err(refusal)
}

/// The schedule, with the permit for what it does.
async fn find_to(call: &Call, id: &str) -> ApiResult<(Schedule, ProjectFacts, Permit<Run>)> {
    let (row, facts) = find(call, id).await?;
    let permit = permit(call, &facts, &row.chain())?;
    Ok((row, facts, permit))
}

/// Whether somebody may edit a schedule.
pub async fn may_update(call: &Call, id: &str) -> bool {
    find_to(call, id).await.is_ok()
}

async fn answer(call: &Call, row: &Schedule) -> ApiResult<Json<Value>> {
    let runs = call.store().runs_of_schedule(row.id, RUNS).await;
    let runs = runs.map_err(internal)?;
    let all: Vec<&ScheduleRun> = runs.iter().collect();
    let around = Around::read(call, std::slice::from_ref(row), &all).await?;
    let mut shown = around.schedule(row, runs.first());
    // What the caller may do comes last, as in every answer.
    if let Some(map) = shown.as_object_mut() {
        let may = map.shift_remove("user_permissions").unwrap_or_default();
        map.insert(
            "runs".to_owned(),
            runs.iter().map(|run| around.run(run)).collect(),
        );
        map.insert("user_permissions".to_owned(), may);
    }
    Ok(Json(shown))
}

/// One schedule with its last runs.
pub async fn detail(call: Call, Path(id): Path<String>) -> ApiResult<Json<Value>> {
    let (row, _) = find(&call, &id).await?;
    answer(&call, &row).await
}

/// Makes a schedule.
pub async fn create(call: Call, body: JsonBody) -> ApiResult<(StatusCode, Json<Value>)> {
    let new = input::new(&call, body).await?;
    let (_, facts) = call.project(new.project_id).await?;
    let permit = permit(&call, &facts, &new.steps)?;
    let made = call.store().create_schedule(permit, new).await;
    let answer = answer(&call, &made.map_err(internal)?).await?;
    Ok((StatusCode::CREATED, answer))
}

/// Replaces what a person may edit (PUT).
pub async fn replace(call: Call, id: Path<String>, body: JsonBody) -> ApiResult<Json<Value>> {
    change(call, id, body, How::Whole).await
}

/// Changes some of what a person may edit (PATCH).
pub async fn edit(call: Call, id: Path<String>, body: JsonBody) -> ApiResult<Json<Value>> {
    change(call, id, body, How::Partial).await
}

async fn change(
    call: Call,
    Path(id): Path<String>,
    body: JsonBody,
    how: How,
) -> ApiResult<Json<Value>> {
    let (row, facts, permit_before) = find_to(&call, &id).await?;
    let project = row.project_id.unwrap_or_default();
    let change = input::change(&call, project, body, how).await?;
    // Who takes a chain over, or gives it other steps, must be allowed to run those.
    let permit = match &change.steps {
        Some(steps) => permit(&call, &facts, steps)?,
        None => permit_before,
    };
    let changed = call.store().change_schedule(permit, row.id, change).await;
    answer(&call, &changed.map_err(internal)?).await
}

/// Deletes a schedule; its jobs stay.
pub async fn delete(call: Call, Path(id): Path<String>) -> ApiResult<StatusCode> {
    let (row, _, permit) = find_to(&call, &id).await?;
    let deleted = call.store().delete_schedule(permit, row.id).await;
    deleted.map_err(internal)?;
    Ok(StatusCode::NO_CONTENT)
}

/// Runs a schedule now.
pub async fn run(call: Call, Path(id): Path<String>) -> ApiResult<Json<Value>> {
    let (row, _, permit) = find_to(&call, &id).await?;
    let user = call.who.caller().id();
    let begun = call.store().run_schedule(permit, row.id, user).await;
    for job in &begun.map_err(internal)?.jobs {
        announce(&call.state, job);
    }
    answer(&call, &row).await
}

/// Lets a schedule rest.
pub async fn pause(call: Call, id: Path<String>) -> ApiResult<Json<Value>> {
    hold(call, id, false).await
}

/// Goes on with a schedule that rests.
pub async fn resume(call: Call, id: Path<String>) -> ApiResult<Json<Value>> {
    hold(call, id, true).await
}

async fn hold(call: Call, Path(id): Path<String>, goes_on: bool) -> ApiResult<Json<Value>> {
    let (row, _, permit) = find_to(&call, &id).await?;
    let held = call.store().hold_schedule(permit, row.id, goes_on).await;
    answer(&call, &held.map_err(internal)?).await
}
