//! The page of a job, top to bottom as `look.md` says, and its fragments for live viewers.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::{Html, Response};
use axum::routing::get;
use domain::permission::{Action, decide};
use domain::state::JobState;
use files::Links;
use rest::{ApiError, ApiResult};
use store::job::Job;
use store::log::{Line, LogFilter};
use store::progress::{Counts, compose};
use store::project::Project;
use store::result::Failure;
use store::{Store, StoreResult};

use super::model::{self, CaptureView, Plot, Since, StageView};
use super::{PageError, PageResult, Route};
use crate::AppState;
use crate::api::internal;
use crate::auth::{Who, allow};
use crate::{joblog, live};

/// Its addresses.
pub const ROUTES: &[Route] = &[
    ("/projects/{project}/jobs/{job}", || get(show)),
    ("/projects/{project}/jobs/{job}/log.txt", || get(log)),
    ("/projects/{project}/jobs/{job}/live", || get(live::stream)),
];

/// Log lines on the page.
const LINES: u64 = 200;
/// Failed captures on the page.
const FAILURES: u64 = 20;
/// Captures in the strip.
const STRIP: usize = 6;

/// A part of the page that changes by itself.
#[derive(Clone, Debug)]
pub struct Fragment {
    pub id: &'static str,
    pub html: String,
}

struct JobView {
    id: i64,
    project_id: i64,
    name: String,
    kind: String,
    word: &'static str,
    tone: &'static str,
    percent: u8,
    since: Option<Since>,
    by: Option<String>,
    took: Option<String>,
    rate: Option<String>,
    left: Option<String>,
    explanation: Option<&'static str>,
    plot: Option<Plot>,
    errors: Vec<String>,
    stages: Vec<StageView>,
}

struct LineView {
    at: String,
    level: String,
    message: String,
}

/// Everything the page shows of a job.
#[derive(Template)]
#[template(path = "job.html")]
struct JobPage {
    project: String,
    job: JobView,
    failures: Vec<Failure>,
    failed: i64,
    captures: Vec<CaptureView>,
    lines: Vec<LineView>,
}

#[derive(Template)]
#[template(path = "job/state.html")]
struct StatePart<'a> {
    job: &'a JobView,
}

#[derive(Template)]
#[template(path = "job/stages.html")]
struct StagesPart<'a> {
    job: &'a JobView,
}

#[derive(Template)]
#[template(path = "job/failures.html")]
struct FailuresPart<'a> {
    job: &'a JobView,
    failures: &'a [Failure],
    failed: i64,
}

#[derive(Template)]
#[template(path = "job/captures.html")]
struct CapturesPart<'a> {
    job: &'a JobView,
    captures: &'a [CaptureView],
}

#[derive(Template)]
#[template(path = "job/log.html")]
struct LogPart<'a> {
    lines: &'a [LineView],
}

/// The job and its project, when the caller may see them under this address.
pub async fn find(
    state: &AppState,
    who: &Who,
    project: i64,
    job: i64,
) -> ApiResult<(Job, Project)> {
    let job = state.store.job(job).await.map_err(internal)?;
    if job.project_id != project {
        return Err(ApiError::NotFound);
    }
    let project = super::projects::visible(state, who, project).await?;
    Ok((job, project))
}

/// The whole page.
pub async fn show(
    State(state): State<AppState>,
    who: Who,
    Path((project, job)): Path<(i64, i64)>,
) -> PageResult {
    let (job, project) = find(&state, &who, project, job).await?;
    let page = read(&state.store, &state.links, job, project.name).await?;
    Ok(Html(page.render()?))
}

/// The log as plain text, oldest line first.
pub async fn log(
    State(state): State<AppState>,
    who: Who,
    Path((project, job)): Path<(i64, i64)>,
) -> Result<Response, PageError> {
    let (job, _) = find(&state, &who, project, job).await?;
    Ok(joblog::download(&state, job.id, LogFilter::default()))
}

/// The fragments of a job as it is now.
pub async fn fragments(store: &Store, links: &Links, job: i64) -> ApiResult<Vec<Fragment>> {
    let job = store.job(job).await.map_err(internal)?;
    let page = read(store, links, job, String::new())
        .await
        .map_err(internal)?;
    let render = |id, html: Result<String, askama::Error>| {
        let html = html.map_err(|e| ApiError::Internal(e.to_string()))?;
        Ok(Fragment { id, html })
    };
    let job = &page.job;
    [
        render("state", StatePart { job }.render()),
        render("stages", StagesPart { job }.render()),
        render(
            "failures",
            FailuresPart {
                job,
                failures: &page.failures,
                failed: page.failed,
            }
            .render(),
        ),
        render(
            "captures",
            CapturesPart {
                job,
                captures: &page.captures,
            }
            .render(),
        ),
        render("log", LogPart { lines: &page.lines }.render()),
    ]
    .into_iter()
    .collect()
}

async fn read(store: &Store, links: &Links, job: Job, project: String) -> StoreResult<JobPage> {
    let counts = store.counts(std::slice::from_ref(&job)).await?;
    let counts = counts.get(&job.id).copied().unwrap_or_default();
    let slots = store.rate(&job).await?;
    let by = match job.created_by_id {
        Some(id) => store.user(id).await.ok().map(|user| match user.name {
            name if name.is_empty() => format!("user {id}"),
            name => name,
        }),
        None => None,
    };
    let newest = store.newest_results(&job, STRIP).await?;
    let ids: Vec<i64> = newest.iter().map(|c| c.id).collect();
    let boxes = store.boxes(&ids).await?;
    let none = Vec::new();
    Ok(JobPage {
        project,
        failures: store.failures(&job, FAILURES, 0).await?,
        failed: counts.failed,
        captures: newest
            .iter()
            .map(|c| CaptureView::of(c, boxes.get(&c.id).unwrap_or(&none), links))
            .collect(),
        lines: store
            .job_log(job.id, LINES)
            .await?
            .into_iter()
            .map(LineView::of)
            .collect(),
        job: JobView::of(&job, counts, &slots, by),
    })
}

impl LineView {
    fn of(line: Line) -> LineView {
        LineView {
            at: model::exact(line.at),
            level: line.level,
            message: line.message,
        }
    }
}

impl JobView {
    fn of(job: &Job, counts: Counts, slots: &[(i64, i64)], by: Option<String>) -> JobView {
        let state = job.job_state();
        let progress = compose(job, counts);
        let rate = model::rate(job, slots, counts, store::now());
        let left = job.total.map(|total| total - counts.done - counts.failed);
        let left = left
            .zip(rate)
            .filter(|(left, _)| *left > 0 && !state.is_final());
        let took = job.started_at.zip(job.finished_at);
        JobView {
            id: job.id,
            project_id: job.project_id,
            name: job.name.clone(),
            kind: domain::job::kind(&job.kind)
                .map_or("Unknown", |k| k.name)
                .to_owned(),
            word: state.word(),
            tone: model::tone(state),
            percent: model::percent(progress.summary.progress),
            since: Since::of(job),
            by,
            took: took.map(|(start, end)| model::span(end - start)),
            rate: rate.map(|r| format!("{r:.1}")),
            left: left.map(|(images, rate)| {
                let seconds = (images as f64 / rate).ceil() as i64;
                model::span(chrono::Duration::seconds(seconds))
            }),
            explanation: explanation(job),
            plot: Plot::of(slots),
            errors: progress.errors.clone(),
            stages: progress.stages.iter().map(StageView::of).collect(),
        }
    }
}

/// What a state means for the person who waits.
fn explanation(job: &Job) -> Option<&'static str> {
    match job.job_state() {
        JobState::Created => Some("Nobody has started it yet."),
        JobState::Pending => Some("It starts as soon as a worker process is free."),
        JobState::Started if job.total == Some(0) => Some("There is nothing to process."),
        JobState::Canceling => Some("It stops as soon as its worker has heard of it."),
        _ => None,
    }
}

/// Whether somebody may see a project: used by all pages below one.
pub(super) fn may_see(who: &Who, facts: &domain::permission::ProjectFacts) -> ApiResult<()> {
    allow(decide(who.caller(), facts, Action::View))
}
