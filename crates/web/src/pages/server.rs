//! The server itself, for superusers: how it is, who works on it, what its caretaker did. For
//! everybody else there is nothing here.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::{RawQuery, State};
use axum::response::{Html, Response};
use axum::routing::{get, post};
use rest::query::Query;
use rest::{ApiError, ApiResult};
use store::job::hands::Happened;
use store::job::{Job, JobFilter, JobOrder};
use store::progress::compose;

use super::act::Act;
use super::columns::{self, Heading, Pager, grouped, headings};
use super::form::Sent;
use super::jobs::bulk;
use super::model::{self, Ago};
use super::top::Top;
use super::{PageError, PageResult, Route};
use crate::AppState;
use crate::auth::Who;

mod user;

pub use user::FORM as USER_FORM;

/// Its addresses.
pub const ROUTES: &[Route] = &[
    ("/server", || get(show)),
    ("/server/jobs", || get(jobs)),
    ("/server/jobs/bulk", || post(act_on_jobs)),
    ("/server/users", || get(user::list).post(user::add)),
    ("/server/users/{user}/{deed}", || post(user::act)),
];

/// Rows of a page.
const ROWS: u64 = 40;
/// Runners of the page.
const RUNNERS: usize = 100;
/// Letters of a job's name, and of what is told of it.
const LETTERS: usize = 160;
/// Things that happened last.
const LATELY: u64 = 20;
/// Columns of the jobs of all projects, and what sorts by them: what an index gives over all of
/// them, which is the order in which they were made.
const COLUMNS: [(&str, Option<&str>); 6] = [
    ("Job", None),
    ("Project", None),
    ("Kind", None),
    ("State", None),
    ("Done", None),
    ("Made", Some(MADE)),
];
const MADE: &str = "created_at";
/// The order where the address names none.
const NEWEST: &str = "-created_at";
/// What the caretaker does, by words of the timeline.
const CARE: &[&str] = &["rescued", "handed_back"];

/// Goes on for superusers; hides the page from everybody else.
fn for_keepers(who: &Who) -> ApiResult<()> {
    match who.caller().is_superuser() {
        true => Ok(()),
        false => Err(ApiError::NotFound),
    }
}

/// The bar of the server's pages.
struct Bar {
    links: Vec<(&'static str, &'static str, bool)>,
}

impl Bar {
    fn at(here: &str) -> Bar {
        let all = [
            ("Server", "/server"),
            ("Jobs of all projects", "/server/jobs"),
            ("Users", "/server/users"),
        ];
        Bar {
            links: all.map(|(name, path)| (name, path, path == here)).to_vec(),
        }
    }
}

struct Runner {
    name: String,
    jobs: u64,
    beat: Option<Ago>,
}

struct Care {
    job: i64,
    project: i64,
    name: String,
    words: &'static str,
    detail: String,
    at: Ago,
}

struct Upkeep {
    name: String,
    cron: String,
    next: Option<Ago>,
}

#[derive(Template)]
#[template(path = "server.html")]
struct ServerPage {
    bar: Bar,
    version: &'static str,
    database: &'static str,
    size: String,
    /// Room where the server's own files lie, where they lie in a folder.
    room: Option<(String, String)>,
    address: String,
    zone: String,
    /// Jobs that have not ended, by kind and state.
    standing: Standing,
    oldest: Option<Ago>,
    runners: Vec<Runner>,
    care: Vec<Care>,
    upkeep: Vec<Upkeep>,
}

/// The page.
pub async fn show(State(state): State<AppState>, who: Who) -> PageResult {
    for_keepers(&who)?;
    let store = &state.store;
    let runners = store.runners().await?.into_iter().take(RUNNERS);
    let runners = runners.map(|runner| Runner {
        name: runner.name,
        jobs: runner.jobs,
        beat: runner.beat_at.map(Ago::of),
    });
    let care = store.happened_last(CARE, LATELY).await?;
    let upkeep = store.all_upkeep().await?.into_iter().map(|row| Upkeep {
        name: row.name,
        cron: row.cron,
        next: row.next_at.map(Ago::of),
    });
    let room = state.files.room().await;
    let page = ServerPage {
        bar: Bar::at("/server"),
        version: env!("CARGO_PKG_VERSION"),
        database: if store.is_sqlite() {
            "SQLite"
        } else {
            "PostgreSQL"
        },
        size: rest::size::display(store.size().await?),
        room: room.map(|room| (bytes(room.free), bytes(room.total))),
        address: state.links.public_url().to_owned(),
        zone: state.zone.name().to_owned(),
        standing: standing(&state).await?,
        oldest: store.oldest_waiting_job().await?.map(Ago::of),
        runners: runners.collect(),
        care: care.iter().map(told).collect(),
        upkeep: upkeep.collect(),
    };
    Ok(Html(page.render()?))
}

fn bytes(number: u64) -> String {
    rest::size::display(i64::try_from(number).unwrap_or(i64::MAX))
}

type Standing = Vec<(String, Vec<InState>)>;

/// Word and tone of a state, and how many jobs are in it.
type InState = (&'static str, &'static str, String);

async fn standing(state: &AppState) -> Result<Standing, PageError> {
    let mut kinds: BTreeMap<&'static str, Vec<InState>> = BTreeMap::new();
    for some in state.store.standing_jobs().await? {
        let kind = domain::job::kind(&some.kind).map_or("Unknown", |kind| kind.name);
        let is = domain::state::JobState::from_code(some.state);
        let is = is.unwrap_or(domain::state::JobState::Unknown);
        let row = (is.word(), model::tone(is), grouped(some.jobs));
        kinds.entry(kind).or_default().push(row);
    }
    let kinds = kinds.into_iter();
    Ok(kinds.map(|(kind, rows)| (kind.to_owned(), rows)).collect())
}

fn told(event: &Happened) -> Care {
    Care {
        job: event.job.id,
        project: event.job.project_id,
        name: model::short(&event.job.name, LETTERS),
        words: match event.what.as_str() {
            "rescued" => "taken from a runner that was silent",
            _ => "given back by a runner that shut down",
        },
        detail: model::short(event.detail.as_deref().unwrap_or_default(), LETTERS),
        at: Ago::of(event.at),
    }
}

struct JobRow {
    id: i64,
    project_id: i64,
    name: String,
    project: String,
    kind: &'static str,
    word: &'static str,
    tone: &'static str,
    percent: u8,
    made: Ago,
}

#[derive(Template)]
#[template(path = "server/jobs.html")]
struct JobsPage {
    bar: Bar,
    rows: Vec<JobRow>,
    headings: Vec<Heading>,
    pager: Pager,
    states: Vec<(&'static str, &'static str, bool)>,
    search: String,
    ordering: &'static str,
    /// The query of this page, to come back to.
    back: String,
    /// Superusers may do everything with every job.
    run: bool,
    remove: bool,
}

/// Jobs of all projects, the newest first unless the address asks for the oldest.
pub async fn jobs(
    State(state): State<AppState>,
    who: Who,
    RawQuery(query): RawQuery,
) -> PageResult {
    for_keepers(&who)?;
    let query = Query::parse(query.as_deref().unwrap_or_default());
    let wanted = query
        .get("status")
        .and_then(domain::state::JobState::from_code);
    let filter = JobFilter {
        state: wanted,
        search: query.search(),
        ..Default::default()
    };
    let offset = (columns::page(&query) - 1) * ROWS;
    let ordering = match query.get("ordering") {
        Some(MADE) => MADE,
        _ => NEWEST,
    };
    let order = (JobOrder::Created, ordering == NEWEST);
    let found = state.store.jobs_page(&filter, order, ROWS, offset).await;
    let (jobs, count) = found?;
    let counts = state.store.counts(&jobs).await?;
    let ids: Vec<i64> = jobs.iter().map(|job| job.project_id).collect();
    let projects = state.store.projects_by_id(&ids).await?;
    let row = |job: &Job| {
        let counts = counts.get(&job.id).copied().unwrap_or_default();
        let progress = compose(job, counts);
        let project = projects.iter().find(|row| row.id == job.project_id);
        JobRow {
            id: job.id,
            project_id: job.project_id,
            name: model::short(&job.name, LETTERS),
            project: project.map_or(String::new(), |row| row.name.clone()),
            kind: domain::job::kind(&job.kind).map_or("Unknown", |kind| kind.name),
            word: job.job_state().word(),
            tone: model::tone(job.job_state()),
            percent: model::percent(progress.summary.progress),
            made: Ago::of(job.created_at),
        }
    };
    let all = domain::state::JobState::ALL.into_iter();
    let page = JobsPage {
        bar: Bar::at("/server/jobs"),
        rows: jobs.iter().map(row).collect(),
        headings: headings(&query, &COLUMNS, ordering),
        pager: Pager::of(&query, ROWS, count),
        back: query.with(&[]),
        ordering,
        run: true,
        remove: true,
        states: all
            .map(|is| (is.code(), is.word(), Some(is) == wanted))
            .collect(),
        search: query.get("search").unwrap_or_default().to_owned(),
    };
    Ok(Html(page.render()?))
}

/// Acts on the selected jobs, of whatever projects, and goes back to the list.
async fn act_on_jobs(
    State(state): State<AppState>,
    who: Who,
    act: Act,
    sent: Sent,
) -> Result<Response, PageError> {
    for_keepers(&who)?;
    let selected = state.store.jobs_by_id(&sent.numbers("ids")).await?;
    let ids = selected.iter().map(|job| job.id).collect();
    let list = format!("{}/server/jobs", Top::root());
    bulk::done(&state, &act, &sent, &list, ids).await
}
