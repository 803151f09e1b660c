//! The queue of a project on pages: of each job at work where its images are and since when they
//! wait, and a hand on the tap. A paused job waits for a person: nothing more is handed out, what
//! is out is still taken.

use std::collections::HashMap;

use axum::extract::{Path, State};
use axum::response::Response;
use domain::permission::{Action, JobAction, JobFacts};
use domain::state::JobState;
use rest::ApiError;
use serde_json::json;
use store::job::Job;
use store::ticket::Depth;

use crate::AppState;
use crate::auth::Who;
use crate::pages::act::Act;
use crate::pages::at::{At, Part};
use crate::pages::columns::{counted, grouped, noun};
use crate::pages::form::Sent;
use crate::pages::model::{self, Ago};
use crate::pages::{PageError, said};

/// Jobs of a page.
const ROWS: u64 = 50;

/// A job of the queue.
pub struct QueueRow {
    pub id: i64,
    pub name: String,
    pub word: &'static str,
    pub tone: &'static str,
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
    pub rows: Vec<QueueRow>,
    /// Whether there is a job to pause, and one to go on with.
    pub pausable: bool,
    pub resumable: bool,
}

/// The jobs at work and their images.
pub async fn view(state: &AppState, at: &At) -> Result<QueueView, PageError> {
    let store = &state.store;
    let jobs = store.jobs_at_work(Some(at.project.id), ROWS).await?;
    let counts = store.counts(&jobs).await?;
    let deliveries = deliveries(state, at, &jobs).await?;
    let most = |job: &Job| {
        let known = job.pipeline_id.and_then(|id| deliveries.get(&id));
        known.copied().unwrap_or(state.leases.deliveries)
    };
    let depths = store.hands(&jobs, &counts, most).await?;
    let rows: Vec<QueueRow> = jobs
        .iter()
        .map(|job| row(at, job, depths.get(&job.id).copied().unwrap_or_default()))
        .collect();
    Ok(QueueView {
        pausable: rows.iter().any(|row| row.may && !row.paused),
        resumable: rows.iter().any(|row| row.may && row.paused),
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

fn row(at: &At, job: &Job, depth: Depth) -> QueueRow {
    let state = job.job_state();
    let since = job.started_at.unwrap_or(job.created_at);
    QueueRow {
        id: job.id,
        name: job.name.clone(),
        word: state.word(),
        tone: model::tone(state),
        paused: job.paused,
        waiting: grouped(depth.waiting),
        leased: grouped(depth.leased),
        dead: grouped(depth.dead),
        oldest: (depth.waiting > 0).then(|| Ago::of(since)),
        may: steerable(at, job),
    }
}

/// Pauses or goes on with a job, or with all of them that the page shows.
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
    let ids = match sent.number("job") {
        Some(id) => vec![id],
        None => {
            let jobs = state.store.jobs_at_work(Some(project), ROWS).await?;
            let which = |job: &Job| job.paused != pause && steerable(&at, job);
            jobs.iter()
                .filter(|job| which(job))
                .map(|job| job.id)
                .collect()
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
    for sentence in wrong {
        words += &format!(" {sentence}");
    }
    Ok(said::go(
        &state.links,
        &at.path("/processing#queue"),
        &words,
    ))
}
