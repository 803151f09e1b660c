//! The queue of a project on pages: of each job at work where its images are and since when they
//! wait, and a hand on the tap. A paused job waits for a person: nothing more is handed out, what
//! is out is still taken.

use std::collections::HashMap;

use axum::extract::{Path, State};
use axum::response::Response;
use domain::permission::{Action, JobAction, JobFacts};
use domain::state::JobState;
use rest::ApiError;
use rest::query::Query;
use serde_json::json;
use store::job::Job;
use store::ticket::Depth;

use crate::AppState;
use crate::auth::Who;
use crate::pages::act::Act;
use crate::pages::at::{At, Part};
use crate::pages::columns::{counted, grouped, noun};
use crate::pages::form::Sent;
use crate::pages::jobs::live_address;
use crate::pages::jobs::row::Cells;
use crate::pages::model::{self, Ago};
use crate::pages::{PageError, said};

/// Jobs of a page.
const ROWS: u64 = 20;
/// Jobs that are paused at once, or go on: each is a request of its own.
const ACTED: u64 = 500;

/// Sentences that are said of jobs that could not.
const SAID: usize = 3;
/// Letters of a job's name.
const LETTERS: usize = 120;
/// A job that many of the queue are like.
const ANY: JobFacts<'static> = JobFacts {
    kind: domain::job::ML,
    single_capture: false,
};

/// A job of the queue.
pub struct QueueRow {
    pub cells: Cells,
    pub name: String,
    pub paused: bool,
    pub waiting: String,
    pub leased: String,
    pub dead: String,
    /// Since when the image waits that has waited for the longest.
    pub oldest: Option<Ago>,
    /// Whether the person may pause it, or go on with it.
    pub may: bool,
}

/// The queue.
pub struct QueueView {
    /// The stream that follows the jobs.
    pub live: String,
    pub rows: Vec<QueueRow>,
    /// How many more jobs run or wait, where some do.
    pub more: Option<String>,
    /// Whether the person may act on a row.
    pub acts: bool,
    /// Whether there is a job to pause, and one to go on with.
    pub pausable: bool,
    pub resumable: bool,
}

/// The jobs at work and their images.
pub async fn view(state: &AppState, at: &At) -> Result<QueueView, PageError> {
    let store = &state.store;
    // Before the rows: what is made meanwhile is announced, and shown as well.
    let last = store.last_job(at.project.id).await?;
    let jobs = store.jobs_at_work(Some(at.project.id), ROWS).await?;
    let counts = store.counts(&jobs).await?;
    let deliveries = deliveries(state, at, &jobs).await?;
    let most = |job: &Job| {
        let known = job.pipeline_id.and_then(|id| deliveries.get(&id));
        known.copied().unwrap_or(state.leases.deliveries)
    };
    let depths = store.hands(&jobs, &counts, most).await?;
    let counted = |job: &Job| counts.get(&job.id).copied().unwrap_or_default();
    let depth = |job: &Job| depths.get(&job.id).copied().unwrap_or_default();
    let rows = jobs.iter().map(|job| {
        let cells = Cells::of(job, counted(job));
        row(at, job, cells, depth(job))
    });
    let rows: Vec<QueueRow> = rows.collect();
    let ids: Vec<i64> = jobs.iter().map(|job| job.id).collect();
    // Counted again where more may be there than are shown.
    let more = match rows.len() as u64 {
        ROWS => store.count_at_work(at.project.id).await?,
        _ => 0,
    };
    let more = more.saturating_sub(rows.len() as u64);
    let others = more > 0 && at.may(Action::Job(JobAction::Run, ANY));
    Ok(QueueView {
        live: at.path(&live_address(&Query::default(), last, &ids)),
        pausable: others || rows.iter().any(|row| row.may && !row.paused),
        resumable: others || rows.iter().any(|row| row.may && row.paused),
        more: (more > 0).then(|| {
            let does = noun(more, "runs or waits", "run or wait");
            format!("{} more {does}", grouped(more))
        }),
        acts: rows.iter().any(|row| row.may),
        rows,
    })
}

/// How often the images of each of these jobs' pipelines are handed out at most.
async fn deliveries(
    state: &AppState,
    at: &At,
    jobs: &[Job],
) -> Result<HashMap<i64, i32>, PageError> {
    let mut ids: Vec<i64> = jobs.iter().filter_map(|job| job.pipeline_id).collect();
    ids.sort_unstable();
    ids.dedup();
    let used = state.store.used_pipelines(at.project.id).await?;
    let known = used
        .iter()
        .filter(|(pipeline, _)| ids.contains(&pipeline.id));
    let most = known.map(|(pipeline, used)| {
        let settings = super::pipeline::settings(pipeline, used);
        (pipeline.id, state.leases.overlaid(&settings).deliveries)
    });
    Ok(most.collect())
}

/// Whether a job's images can be held back and whether the person may.
fn steerable(at: &At, job: &Job) -> bool {
    let facts = JobFacts {
        kind: &job.kind,
        single_capture: job.capture_id.is_some(),
    };
    let running = matches!(job.job_state(), JobState::Started | JobState::Pending);
    running && job.kind == domain::job::ML && at.may(Action::Job(JobAction::Run, facts))
}

fn row(at: &At, job: &Job, cells: Cells, depth: Depth) -> QueueRow {
    let since = job.started_at.unwrap_or(job.created_at);
    QueueRow {
        cells,
        name: model::short(&job.name, LETTERS),
        paused: job.paused,
        waiting: grouped(depth.waiting),
        leased: grouped(depth.leased),
        dead: grouped(depth.dead),
        oldest: (depth.waiting > 0).then(|| Ago::of(since)),
        may: steerable(at, job),
    }
}

/// Pauses or goes on with a job, or with all of them.
pub async fn act(
    State(state): State<AppState>,
    who: Who,
    Path((project, deed)): Path<(i64, String)>,
    act: Act,
    sent: Sent,
) -> Result<Response, PageError> {
    let at = At::open(&state, &who, project, Part::Processing).await?;
    let pause = match deed.as_str() {
        "pause" => true,
        "resume" => false,
        _ => return Err(ApiError::NotFound.into()),
    };
    let mut left = 0;
    let ids = match sent.number("job") {
        Some(id) => vec![id],
        None => {
            let (jobs, count) = state.store.jobs_to_steer(project, !pause, ACTED).await?;
            left = count.saturating_sub(jobs.len() as u64);
            let jobs = jobs.iter().filter(|job| steerable(&at, job));
            jobs.map(|job| job.id).collect()
        }
    };
    let (mut done, mut wrong) = (0, Vec::new());
    for id in &ids {
        match act.post(&format!("/jobs/{id}/{deed}/"), json!({})).await {
            Ok(_) => done += 1,
            // It has ended meanwhile.
            Err(refused) => wrong.push(refused.words()?),
        }
    }
    let mut words = match (ids.as_slice(), pause) {
        ([id], true) if done == 1 => format!(
            "Job {id} is paused: no image is handed out until somebody resumes it. Results of \
             what is out are still taken."
        ),
        ([id], false) if done == 1 => format!("Images of job {id} are handed out again."),
        (_, pause) => {
            let does = match pause {
                true => noun(done, "is paused", "are paused"),
                false => noun(done, "goes on", "go on"),
            };
            format!("{} {does}.", counted(done, "job", "jobs"))
        }
    };
    words += &rest(left, pause);
    for sentence in wrong.into_iter().take(SAID) {
        words += &format!(" {sentence}");
    }
    Ok(said::go(
        &state.links,
        &at.path("/processing#queue"),
        &words,
    ))
}

/// What is said of the jobs that were not reached.
fn rest(left: u64, pause: bool) -> String {
    let (who, s) = match left {
        0 => return String::new(),
        1 => ("One other".to_owned(), "s"),
        many => (format!("{} others", grouped(many)), ""),
    };
    match pause {
        true => format!(" {who} still hand{s} out images; press again to pause more."),
        false => format!(" {who} still rest{s}; press again to go on with more."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_reached_is_said() {
        assert_eq!(rest(0, true), "");
        assert!(rest(1, false).starts_with(" One other still rests;"));
        assert!(rest(1234, true).starts_with(" 1,234 others still hand out images;"));
    }
}
