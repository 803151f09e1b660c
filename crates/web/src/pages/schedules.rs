//! The schedules of a project as a table: when each comes round, its chain, and how its last run
//! went, with its jobs. For members, as over the API.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Html;
use axum::routing::get;
use chrono::{DateTime, Utc};
use domain::permission::{Action, VIEW_PRIVATE, decide};
use store::schedule::{RunJob, Schedule, ScheduleFilter, ScheduleRun};

use super::{PageResult, Route, model};
use crate::AppState;
use crate::auth::{Who, allow};

/// Its addresses.
pub const ROUTES: &[Route] = &[("/projects/{project}/schedules", || get(show))];

/// Schedules of a page.
const ROWS: u64 = 200;

struct Time {
    text: String,
    iso: String,
}

struct Job {
    id: i64,
    name: String,
    word: &'static str,
    tone: &'static str,
}

struct Row {
    name: String,
    cron: String,
    zone: String,
    chain: String,
    next: Option<Time>,
    last: Option<Last>,
}

struct Last {
    word: &'static str,
    tone: &'static str,
    began: Time,
    detail: Option<String>,
    jobs: Vec<Job>,
}

#[derive(Template)]
#[template(path = "schedules.html")]
struct SchedulesPage {
    project: String,
    project_id: i64,
    rows: Vec<Row>,
}

/// The page.
pub async fn show(State(state): State<AppState>, who: Who, Path(project): Path<i64>) -> PageResult {
    let project = super::projects::visible(&state, &who, project).await?;
    let facts = who.facts(&state, &project).await?;
    allow(decide(who.caller(), &facts, Action::Change(VIEW_PRIVATE)))?;
    let filter = ScheduleFilter {
        project_id: Some(project.id),
        ..Default::default()
    };
    let (schedules, _) = state.store.schedules(&filter, ROWS, 0).await?;
    let ids: Vec<i64> = schedules.iter().map(|row| row.id).collect();
    let last = state.store.last_runs(&ids).await?;
    let runs: Vec<i64> = last.values().map(|run| run.id).collect();
    let jobs = state.store.jobs_of_runs(&runs).await?;
    let rows = schedules.iter().map(|schedule| {
        let run = last.get(&schedule.id);
        let made = run.and_then(|run| jobs.get(&run.id));
        row(schedule, run, made.map(Vec::as_slice).unwrap_or_default())
    });
    let page = SchedulesPage {
        rows: rows.collect(),
        project: project.name,
        project_id: project.id,
    };
    Ok(Html(page.render()?))
}

fn row(schedule: &Schedule, last: Option<&ScheduleRun>, jobs: &[RunJob]) -> Row {
    let chain = schedule.chain();
    let names = chain.iter().map(|step| match step.name.as_str() {
        "" => step.spec().map_or("Unknown", |spec| spec.name),
        name => name,
    });
    Row {
        name: schedule.name.clone(),
        cron: schedule.cron.clone(),
        zone: schedule.time_zone.clone(),
        chain: names.collect::<Vec<_>>().join(" → "),
        next: schedule.next_at.map(time),
        last: last.map(|run| Last {
            word: run.run_state().as_job().word(),
            tone: model::tone(run.run_state().as_job()),
            began: time(run.started_at),
            detail: run.detail.clone(),
            jobs: jobs.iter().map(job).collect(),
        }),
    }
}

fn job(made: &RunJob) -> Job {
    let state = made.job.job_state();
    Job {
        id: made.job.id,
        name: made.job.name.clone(),
        word: state.word(),
        tone: model::tone(state),
    }
}

fn time(at: DateTime<Utc>) -> Time {
    Time {
        text: model::exact(at),
        iso: at.to_rfc3339(),
    }
}
