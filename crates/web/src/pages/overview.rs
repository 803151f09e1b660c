//! A project at a glance: its stations and when each took its last photograph, the newest nights,
//! what runs, what failed of late, and two plots. What has been counted is read, and what has not
//! is read along an index and bounded, so a project of a million captures costs no more.

use askama::Template;
use axum::extract::{Path, RawQuery, State};
use axum::response::Html;
use axum::routing::get;
use chrono::{NaiveDateTime, TimeDelta};
use domain::state::JobState;
use rest::query::Query;
use store::StoreResult;
use store::chart::Hour;
use store::job::Job;
use store::progress::compose;
use store::project::{AT_WORK, Figures};
use store::session::{Night, SessionFilter, SessionOrder};
use store::station::{Station, StationFilter};

use super::at::{At, Part};
use super::bars::Bars;
use super::columns::{Heading, Pager, figure, grouped, page};
use super::jobs::live_address;
use super::jobs::row::Cells;
use super::model::{self, Ago};
use super::sessions::{self, Row as Session};
use super::{PageResult, Route};
use crate::AppState;
use crate::auth::Who;

/// Its addresses.
pub const ROUTES: &[Route] = &[("/projects/{project}", || get(show))];

/// Stations of a page.
const STATIONS: u64 = 20;
/// Sessions that are shown: the newest.
const SESSIONS: u64 = 8;
/// Jobs of each table: the newest.
const JOBS: u64 = 6;
/// Nights of the plot: the newest.
const NIGHTS: usize = 30;
/// Letters of a job's name, and of why it failed.
const LETTERS: usize = 300;
/// Captures that the plot by hour looks at: the newest.
const CAPTURES: u64 = 10_000;

struct StationRow {
    name: String,
    captures_href: String,
    captures: String,
    sessions_href: String,
    sessions: String,
    detections: String,
    last: Option<String>,
}

struct JobRow {
    cells: Cells,
    name: String,
    href: String,
    kind: &'static str,
    when: Ago,
    why: Option<String>,
}

/// What is still to be done before there is something to see.
struct Step {
    done: bool,
    words: &'static str,
    /// Where it is done, and what the link says.
    link: Option<(String, &'static str)>,
}

#[derive(Template)]
#[template(path = "overview.html")]
struct OverviewPage {
    at: At,
    figures: Vec<(&'static str, String)>,
    steps: Vec<Step>,
    stations: Vec<StationRow>,
    pager: Pager,
    headings: Vec<Heading>,
    sessions: Vec<Session>,
    /// The stream that follows what runs.
    live: String,
    running: Vec<JobRow>,
    more_running: Option<i64>,
    failed: Vec<JobRow>,
    plots: Vec<Bars>,
}

/// The page.
pub async fn show(
    State(state): State<AppState>,
    who: Who,
    Path(project): Path<i64>,
    RawQuery(query): RawQuery,
) -> PageResult {
    let at = At::open(&state, &who, project, Part::Overview).await?;
    let query = Query::parse(query.as_deref().unwrap_or_default());
    let store = &state.store;
    let figures = store.project_figures(&[project]).await?;
    let figures = figures.get(&project).copied().unwrap_or_default();
    let filter = StationFilter {
        project_id: Some(project),
        order: vec![("last_capture_timestamp", true)],
        ..StationFilter::default()
    };
    let skip = (page(&query) - 1) * STATIONS;
    let (stations, count) = store.stations_page(&filter, STATIONS, skip).await?;
    // Before the rows: what is made meanwhile is announced, and shown as well.
    let last = store.last_job(project).await?;
    let running = store.latest_jobs(project, &AT_WORK, JOBS).await?;
    let ids: Vec<i64> = running.iter().map(|job| job.id).collect();
    let failed = store
        .latest_jobs(project, &[JobState::Failure], JOBS)
        .await?;
    let nights = store.nights(project, NIGHTS).await?;
    let hours = store.hours_of_newest(project, CAPTURES).await?;
    let page = OverviewPage {
        figures: facts(&figures),
        steps: steps(&at, &figures),
        stations: stations.iter().map(|row| station(&at, row)).collect(),
        pager: Pager::of(&query, STATIONS, count),
        headings: sessions::plain_headings(),
        sessions: newest_sessions(&state, &at).await?,
        live: at.path(&live_address(&Query::default(), last, &ids)),
        more_running: Some(figures.running).filter(|all| *all > running.len() as i64),
        running: jobs(&state, &at, &running).await?,
        failed: jobs(&state, &at, &failed).await?,
        plots: plots(&at, &nights, hours),
        at,
    };
    Ok(Html(page.render()?))
}

fn number(number: i64) -> String {
    grouped(number.unsigned_abs())
}

fn facts(figures: &Figures) -> Vec<(&'static str, String)> {
    vec![
        figure(figures.stations, "station", "stations"),
        figure(figures.sessions, "session", "sessions"),
        figure(figures.captures, "capture", "captures"),
    ]
}

fn station(at: &At, station: &Station) -> StationRow {
    let below = |part: &str| at.path(&format!("/{part}?station={}", station.id));
    StationRow {
        name: model::named(&station.name),
        captures_href: below("captures"),
        captures: number(station.captures_count),
        sessions_href: below("sessions"),
        sessions: number(station.sessions_count),
        detections: number(station.detections_count),
        last: station.last_capture_at.map(model::minute),
    }
}

async fn newest_sessions(state: &AppState, at: &At) -> StoreResult<Vec<Session>> {
    let filter = SessionFilter {
        project_id: Some(at.project.id),
        ..SessionFilter::default()
    };
    let newest: Vec<(SessionOrder, bool)> = SessionOrder::from_name("start")
        .map(|start| (start, true))
        .into_iter()
        .collect();
    let (rows, _) = state
        .store
        .sessions_page(&filter, &newest, SESSIONS, 0)
        .await?;
    sessions::rows(state, at, &rows).await
}

async fn jobs(state: &AppState, at: &At, jobs: &[Job]) -> StoreResult<Vec<JobRow>> {
    let counts = state.store.counts(jobs).await?;
    let row = |job: &Job| {
        let counts = counts.get(&job.id).copied().unwrap_or_default();
        let progress = compose(job, counts);
        let when = [job.finished_at, job.started_at, job.scheduled_at];
        let when = when.into_iter().flatten().next().unwrap_or(job.created_at);
        JobRow {
            cells: Cells::of(job, counts),
            name: model::short(&model::named(&job.name), LETTERS),
            href: at.path(&format!("/jobs/{}", job.id)),
            kind: domain::job::kind(&job.kind).map_or("Unknown", |kind| kind.name),
            when: Ago::of(when),
            why: progress.errors.last().map(|why| model::short(why, LETTERS)),
        }
    };
    Ok(jobs.iter().map(row).collect())
}

fn plots(at: &At, nights: &[Night], mut hours: Vec<Hour>) -> Vec<Bars> {
    // Its times and not its day: a night goes on past midnight.
    let captures = nights.iter().map(|night| {
        let time = |time: NaiveDateTime| time.format("%Y-%m-%dT%H:%M:%S").to_string();
        // To the end of the second in which the last capture was taken.
        let end = night.end + TimeDelta::milliseconds(999);
        let (from, to) = (time(night.start), time(end));
        let href = at.path(&format!("/captures?from={from}&to={to}"));
        (night.day.to_string(), night.captures, Some(href))
    });
    // A night begins at noon, so that it is not cut in two.
    hours.sort_by_key(|hour| (hour.hour + 12) % 24);
    let detections = hours.iter().map(|hour| {
        let average = tenths(hour.detections, hour.days);
        (format!("{:02}:00", hour.hour), average, None)
    });
    let plots = [
        Bars::of("Captures per night", "Night", captures.collect()),
        Bars::of_tenths("Detections per hour", "Hour", detections.collect()),
    ];
    plots.into_iter().flatten().collect()
}

/// The average of a sum over so many days, in tenths: a few in a month are more than none.
fn tenths(sum: i64, days: i64) -> i64 {
    let days = days.max(1);
    sum.saturating_mul(10).saturating_add(days / 2) / days
}

/// What to do in a project without captures, where each step is done, and which are done.
fn steps(at: &At, figures: &Figures) -> Vec<Step> {
    if figures.captures > 0 {
        return Vec::new();
    }
    let project = at.project.id;
    let api = |path: &str| format!("/api/v2/{path}/?project_id={project}");
    let may = |codename: &str, href: String, words| at.may_make(codename).then_some((href, words));
    vec![
        Step {
            done: false,
            words: "Add the storage: a bucket or a folder that holds photographs.",
            link: may(
                "create_s3storagesource",
                at.path("/data"),
                "Storage of this project",
            ),
        },
        Step {
            done: figures.stations > 0,
            words: "Add a station: where a camera stands, and in which folder of a storage its \
                    photographs lie.",
            link: may("create_deployment", api("deployments"), "Add a station"),
        },
        Step {
            done: false,
            words: "Sync the station: a job lists its folder and writes a capture for each \
                    photograph. Nights follow by themselves.",
            link: may("create_job", at.path("/jobs"), "Jobs of this project"),
        },
        Step {
            done: false,
            words: "Or upload single photographs to a station, without any storage.",
            link: may(
                "create_sourceimageupload",
                api("captures/upload"),
                "Upload a photograph",
            ),
        },
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_detections_are_more_than_none() {
        assert_eq!(tenths(3, 10), 3);
        assert_eq!(tenths(5, 3), 17);
        assert_eq!((tenths(0, 0), tenths(7, 0)), (0, 70));
    }
}
