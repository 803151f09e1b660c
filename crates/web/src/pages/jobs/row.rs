//! A job as a row of the list. The idea: what changes while a job runs stands in cells with names
//! of their own, which are made from the job's row and its counts alone, so that a live list reads
//! nothing else.

use std::collections::HashMap;

use askama::Template;
use domain::job::ML;
use domain::state::JobState;
use store::job::Job;
use store::progress::{Counts, compose};
use store::{Store, StoreResult};

use crate::live::Fragment;
use crate::pages::columns::grouped;
use crate::pages::model::{self, Ago};

/// Letters of a job's name, and of what it works on.
const LETTERS: usize = 120;

/// What changes while a job runs.
pub struct Cells {
    /// The job.
    pub id: i64,
    pub word: &'static str,
    pub tone: &'static str,
    pub paused: bool,
    pub percent: u8,
    pub images: String,
    pub started: Option<Ago>,
    pub ended: Option<Ago>,
}

/// A row of the list.
pub struct Row {
    pub cells: Cells,
    pub name: String,
    pub kind: &'static str,
    /// What it works on: "Station 3 · Moths of Vermont".
    pub on: String,
    pub by: String,
    pub made: Ago,
}

#[derive(Template)]
#[template(path = "jobs/state.html")]
struct State<'a> {
    cells: &'a Cells,
}

#[derive(Template)]
#[template(path = "jobs/done.html")]
struct Done<'a> {
    cells: &'a Cells,
}

#[derive(Template)]
#[template(path = "jobs/started.html")]
struct Started<'a> {
    cells: &'a Cells,
}

#[derive(Template)]
#[template(path = "jobs/ended.html")]
struct Ended<'a> {
    cells: &'a Cells,
}

#[derive(Template)]
#[template(path = "jobs/gone.html")]
struct Gone;

impl Cells {
    /// The cells of a job with these counts.
    pub fn of(job: &Job, counts: Counts) -> Cells {
        let state = job.job_state();
        Cells {
            id: job.id,
            word: state.word(),
            tone: model::tone(state),
            paused: job.paused && matches!(state, JobState::Pending | JobState::Started),
            percent: model::percent(compose(job, counts).summary.progress),
            images: images(job, counts),
            started: job.started_at.map(Ago::of),
            ended: job.finished_at.map(Ago::of),
        }
    }

    /// The cells of these jobs.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn read(store: &Store, jobs: &[Job]) -> StoreResult<Vec<Cells>> {
        let counts = store.counts(jobs).await?;
        let of = |job: &Job| Cells::of(job, counts.get(&job.id).copied().unwrap_or_default());
        Ok(jobs.iter().map(of).collect())
    }

    /// The cells as parts of a page that change by themselves.
    ///
    /// # Errors
    /// A template that fails.
    pub fn fragments(&self) -> Result<[Fragment; 4], askama::Error> {
        let cell =
            |name: &str, html: String| Fragment::new(format!("job-{}-{name}", self.id), html);
        let cells = self;
        Ok([
            cell("state", State { cells }.render()?),
            cell("done", Done { cells }.render()?),
            cell("started", Started { cells }.render()?),
            cell("ended", Ended { cells }.render()?),
        ])
    }
}

/// The row of a job that was deleted says so.
///
/// # Errors
/// A template that fails.
pub fn gone(id: i64) -> Result<Fragment, askama::Error> {
    Ok(Fragment::new(format!("job-{id}-state"), Gone.render()?))
}

/// "1,234 of 2,000 captures · 3 failed", as far as it is known; only ML jobs count captures.
fn images(job: &Job, counts: Counts) -> String {
    let count = |n: i64| grouped(n.max(0).unsigned_abs());
    let seen = counts.done + counts.failed;
    if job.kind != ML || (seen == 0 && job.total.is_none()) {
        return String::new();
    }
    let mut words = match job.total {
        Some(total) => format!("{} of {}", count(seen), count(total)),
        None => count(seen),
    };
    if counts.failed > 0 {
        words.push_str(&format!(", {} failed", count(counts.failed)));
    }
    words
}

/// The rows of a page of jobs: one query for each table that they point to.
///
/// # Errors
/// Errors of the database.
pub async fn read(store: &Store, jobs: &[Job]) -> StoreResult<Vec<Row>> {
    let ids = |pick: fn(&Job) -> Option<i64>| {
        let mut ids: Vec<i64> = jobs.iter().filter_map(pick).collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    };
    let stations = store.stations_by_id(&ids(|job| job.station_id)).await?;
    let stations: HashMap<i64, String> = stations.into_iter().map(|s| (s.id, s.name)).collect();
    let sets = store
        .capture_sets_by_id(&ids(|job| job.capture_set_id))
        .await?;
    let sets: HashMap<i64, String> = sets.into_iter().map(|s| (s.id, s.name)).collect();
    let pipelines = store.pipelines_by_id(&ids(|job| job.pipeline_id)).await?;
    let people = store.people(&ids(|job| job.created_by_id)).await?;
    let cells = Cells::read(store, jobs).await?;
    let row = |(job, cells): (&Job, Cells)| {
        let station = job.station_id.and_then(|id| stations.get(&id).cloned());
        let set = job.capture_set_id.and_then(|id| sets.get(&id).cloned());
        let capture = job.capture_id.map(|id| format!("capture {id}"));
        let pipeline = job.pipeline_id.and_then(|id| pipelines.get(&id));
        let pipeline = pipeline.map(|pipeline| pipeline.name.clone());
        let on: Vec<String> = [set, capture, station, pipeline]
            .into_iter()
            .flatten()
            .collect();
        let by = job.created_by_id.and_then(|id| people.get(&id));
        Row {
            cells,
            name: model::short(&model::named(&job.name), LETTERS),
            kind: domain::job::kind(&job.kind).map_or("Unknown", |kind| kind.name),
            on: model::short(&on.join(" · "), LETTERS),
            by: model::short(&by.map(model::person).unwrap_or_default(), LETTERS / 2),
            made: Ago::of(job.created_at),
        }
    };
    Ok(jobs.iter().zip(cells).map(row).collect())
}
