//! The schedules of a project as a table: when each comes round, its chain, and how its last run
//! went, with its jobs; its form stands in `schedules/form.rs`. For members, as over the API.

use askama::Template;
use axum::extract::{Path, RawQuery, State};
use axum::response::{Html, Response};
use axum::routing::{get, post};
use domain::permission::{Action, JobAction, JobFacts};
use domain::schedule::SCHEDULED;
use rest::ApiError;
use rest::query::Query;
use serde_json::json;
use store::schedule::{RunJob, Schedule, ScheduleFilter, ScheduleRun};

use super::act::{Act, Refused};
use super::at::{At, Part};
use super::columns::{Pager, page};
use super::model::Ago;
use super::offered::NAME;
use super::{PageError, PageResult, Route, model, said};
use crate::AppState;
use crate::auth::Who;

mod form;
mod picks;

pub use form::FORM;

/// Its addresses.
pub const ROUTES: &[Route] = &[
    ("/projects/{project}/schedules", || get(show)),
    ("/projects/{project}/schedules/new", || {
        get(form::new).post(form::add)
    }),
    ("/projects/{project}/schedules/{schedule}", || {
        get(form::form).post(form::change)
    }),
    ("/projects/{project}/schedules/{schedule}/{deed}", || {
        post(deed)
    }),
];

/// Schedules of a page.
const ROWS: u64 = 30;
/// Jobs of a run that are shown: the first.
const JOBS: usize = 4;
/// Letters of a name, and of a chain.
const LETTERS: usize = 120;

struct Job {
    id: i64,
    name: String,
    word: &'static str,
    tone: &'static str,
}

struct Row {
    id: i64,
    name: String,
    cron: String,
    zone: String,
    chain: String,
    next: Option<Ago>,
    last: Option<Last>,
    /// Whether the person may change, run and pause it.
    may: bool,
}

struct Last {
    word: &'static str,
    tone: &'static str,
    began: Ago,
    detail: Option<String>,
    jobs: Vec<Job>,
    /// How many jobs it has beside these.
    more: usize,
}

#[derive(Template)]
#[template(path = "schedules.html")]
struct SchedulesPage {
    at: At,
    /// Whether the person may make one.
    maker: bool,
    rows: Vec<Row>,
    pager: Pager,
}

/// The page.
pub async fn show(
    State(state): State<AppState>,
    who: Who,
    Path(project): Path<i64>,
    RawQuery(query): RawQuery,
) -> PageResult {
    let at = At::open(&state, &who, project, Part::Data).await?;
    let query = Query::parse(query.as_deref().unwrap_or_default());
    let filter = ScheduleFilter {
        project_id: Some(at.project.id),
        ..Default::default()
    };
    let skip = (page(&query) - 1) * ROWS;
    let (schedules, count) = state.store.schedules(&filter, ROWS, skip).await?;
    let ids: Vec<i64> = schedules.iter().map(|row| row.id).collect();
    let last = state.store.last_runs(&ids).await?;
    let runs: Vec<i64> = last.values().map(|run| run.id).collect();
    let jobs = state.store.jobs_of_runs(&runs).await?;
    let rows = schedules.iter().map(|schedule| {
        let run = last.get(&schedule.id);
        let made = run.and_then(|run| jobs.get(&run.id));
        row(
            &at,
            schedule,
            run,
            made.map(Vec::as_slice).unwrap_or_default(),
        )
    });
    let page = SchedulesPage {
        rows: rows.collect(),
        pager: Pager::of(&query, ROWS, count),
        maker: may_make(&at),
        at,
    };
    Ok(Html(page.render()?))
}

fn row(at: &At, schedule: &Schedule, last: Option<&ScheduleRun>, jobs: &[RunJob]) -> Row {
    let chain = schedule.chain();
    let names = chain.iter().map(|step| match step.name.as_str() {
        "" => step.spec().map_or("Unknown", |spec| spec.name),
        name => name,
    });
    Row {
        may: form::may_change(at, &chain),
        id: schedule.id,
        name: model::short(&schedule.name, LETTERS),
        cron: schedule.cron.clone(),
        zone: schedule.time_zone.clone(),
        chain: model::short(&names.collect::<Vec<_>>().join(" → "), LETTERS),
        next: schedule.next_at.map(Ago::of),
        last: last.map(|run| Last {
            word: run.run_state().as_job().word(),
            tone: model::tone(run.run_state().as_job()),
            began: Ago::of(run.started_at),
            detail: run.detail.as_ref().map(|why| model::short(why, LETTERS)),
            jobs: jobs.iter().take(JOBS).map(job).collect(),
            more: jobs.len().saturating_sub(JOBS),
        }),
    }
}

fn job(made: &RunJob) -> Job {
    let state = made.job.job_state();
    Job {
        id: made.job.id,
        name: model::short(&made.job.name, NAME),
        word: state.word(),
        tone: model::tone(state),
    }
}

/// Whether the person may make and start a job of some kind that can be scheduled.
fn may_make(at: &At) -> bool {
    SCHEDULED.iter().any(|takes| {
        let job = JobFacts {
            kind: takes.kind,
            single_capture: false,
        };
        at.may(Action::Job(JobAction::CreateAndStart, job))
    })
}

/// Runs a schedule now, lets it rest or go on, or removes it.
pub async fn deed(
    State(state): State<AppState>,
    who: Who,
    Path((project, id, deed)): Path<(i64, i64, String)>,
    act: Act,
) -> Result<Response, PageError> {
    let at = At::open(&state, &who, project, Part::Data).await?;
    let schedule = form::find(&state, &at, id).await?;
    let (path, name) = (format!("/schedules/{id}/"), &schedule.name);
    let (done, words) = match deed.as_str() {
        "run" => (
            act.post(&format!("{path}run/"), json!({})).await,
            format!("{name} runs now."),
        ),
        "pause" => (
            act.post(&format!("{path}pause/"), json!({})).await,
            format!("{name} rests: it does not come round until somebody resumes it."),
        ),
        "resume" => (
            act.post(&format!("{path}resume/"), json!({})).await,
            format!("{name} goes on."),
        ),
        "remove" => (
            act.delete(&path).await,
            format!("{name} was removed; its jobs stay."),
        ),
        _ => return Err(ApiError::NotFound.into()),
    };
    let words = done.map(|_| words).or_else(Refused::words)?;
    Ok(said::go(&state.links, &at.path("/schedules"), &words))
}
