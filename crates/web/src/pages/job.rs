//! The page of a job, top to bottom as `look.md` says, and its parts for live viewers. What can be
//! done with the job stands in `job/offers.rs`, how it is done in `job/act.rs`.

use askama::Template;
use axum::extract::{Path, RawQuery, State};
use axum::response::{Html, Response};
use axum::routing::{get, post};
use files::Links;
use rest::query::Query;
use rest::{ApiError, ApiResult};
use store::job::Job;
use store::log::{Level, LogFilter};
use store::{Store, StoreResult};

use super::at::{At, Part};
use super::{PageError, PageResult, Route};
use crate::AppState;
use crate::api::internal;
use crate::auth::Who;
use crate::live::{Fragment, News};
use crate::{joblog, live};
use failures::FailureList;
use lines::{LINES, Lines};
use offers::{Acts, Personal, Standing, Viewer};
use strip::{CaptureView, DRAWN};
use timeline::Timeline;
use view::{JobView, LineView};

mod act;
mod failures;
mod lasted;
mod lines;
pub mod offers;
mod strip;
mod timeline;
mod view;

/// Its addresses.
pub const ROUTES: &[Route] = &[
    ("/projects/{project}/jobs/{job}", || get(show)),
    ("/projects/{project}/jobs/{job}/act", || post(act::act)),
    ("/projects/{project}/jobs/{job}/failures", || {
        get(failures::show)
    }),
    ("/projects/{project}/jobs/{job}/log.txt", || get(log)),
    ("/projects/{project}/jobs/{job}/live", || get(live::stream)),
];

/// Captures in the strip.
const STRIP: usize = 6;

/// Which lines of the log the address asks for.
struct LogView {
    level: &'static str,
    search: String,
    /// Whether any line is left out, so that the log does not follow by itself.
    narrowed: bool,
    /// How many lines fit, of which the newest are shown; only of a log of which some are left out.
    count: u64,
    /// Address of the same lines as a file.
    download: String,
}

/// What everybody sees alike.
struct Shared {
    job: JobView,
    captures: Vec<CaptureView>,
    timeline: Timeline,
    lines: Lines,
    standing: Standing,
    list: FailureList,
}

#[derive(Template)]
#[template(path = "job.html")]
struct JobPage<'a> {
    at: At,
    job: &'a JobView,
    acts: Acts<'a>,
    list: &'a FailureList,
    viewer: &'a Viewer,
    captures: &'a [CaptureView],
    timeline: &'a Timeline,
    lines: &'a [LineView],
    /// How many lines there are, where those that are shown are not all.
    all: Option<&'a str>,
    log: LogView,
}

#[derive(Template)]
#[template(path = "job/state.html")]
struct StatePart<'a> {
    job: &'a JobView,
}

#[derive(Template)]
#[template(path = "job/progress.html")]
struct ProgressPart<'a> {
    job: &'a JobView,
}

#[derive(Template)]
#[template(path = "job/stages.html")]
struct StagesPart<'a> {
    job: &'a JobView,
}

#[derive(Template)]
#[template(path = "job/plot.html")]
struct PlotPart<'a> {
    job: &'a JobView,
}

#[derive(Template)]
#[template(path = "job/captures.html")]
struct CapturesPart<'a> {
    job: &'a JobView,
    captures: &'a [CaptureView],
}

#[derive(Template)]
#[template(path = "job/timeline.html")]
struct TimelinePart<'a> {
    job: &'a JobView,
    timeline: &'a Timeline,
}

#[derive(Template)]
#[template(path = "job/log.html")]
struct LogPart<'a> {
    job: &'a JobView,
    lines: &'a [LineView],
    all: Option<&'a str>,
}

/// The job and where it is, when the caller may see it under this address.
pub async fn find(state: &AppState, who: &Who, project: i64, job: i64) -> ApiResult<(Job, At)> {
    let job = state.store.job(job).await.map_err(internal)?;
    if job.project_id != project {
        return Err(ApiError::NotFound);
    }
    let at = At::open(state, who, project, Part::Jobs).await?;
    Ok((job, at))
}

/// The whole page.
pub async fn show(
    State(state): State<AppState>,
    who: Who,
    Path((project, job)): Path<(i64, i64)>,
    RawQuery(query): RawQuery,
) -> PageResult {
    let (job, at) = find(&state, &who, project, job).await?;
    let query = Query::parse(query.as_deref().unwrap_or_default());
    let (filter, mut log) = asked_lines(&query);
    let mut shared = read(&state.store, &state.links, &job).await?;
    if log.narrowed {
        let found = state.store.job_log_page(job.id, &filter, LINES, 0).await?;
        shared.lines = Lines {
            newest: LineView::all(found.0),
            all: None,
        };
        log.count = found.1;
    }
    let viewer = Viewer::of(&at, &job);
    let page = JobPage {
        acts: Acts::of(&viewer, &shared.standing),
        list: &shared.list,
        viewer: &viewer,
        job: &shared.job,
        captures: &shared.captures,
        timeline: &shared.timeline,
        lines: &shared.lines.newest,
        all: shared.lines.all.as_deref(),
        log,
        at,
    };
    Ok(Html(page.render()?))
}

/// The log as plain text, oldest line first.
pub async fn log(
    State(state): State<AppState>,
    who: Who,
    Path((project, job)): Path<(i64, i64)>,
    RawQuery(query): RawQuery,
) -> Result<Response, PageError> {
    let (job, _) = find(&state, &who, project, job).await?;
    let query = Query::parse(query.as_deref().unwrap_or_default());
    Ok(joblog::download(&state, job.id, asked_lines(&query).0))
}

/// What the address says of the log.
fn asked_lines(query: &Query) -> (LogFilter, LogView) {
    let least = query.get("level").and_then(Level::from_word);
    let search = query.search();
    let kept = [
        ("level", query.get("level")),
        ("search", query.get("search")),
    ];
    let kept = kept.map(|(name, value)| (name, value.map(str::to_owned)));
    let view = LogView {
        level: least.map_or("", Level::word),
        narrowed: least.is_some() || !search.is_empty(),
        search: query.get("search").unwrap_or_default().to_owned(),
        count: 0,
        download: format!("/log.txt?{}", Query::default().with(&kept)),
    };
    (LogFilter { least, search }, view)
}

/// The parts of a job as it is now.
pub async fn news(store: &Store, links: &Links, job: i64) -> ApiResult<Vec<News>> {
    let job = store.job(job).await.map_err(internal)?;
    let shared = read(store, links, &job).await.map_err(internal)?;
    shared.news().map_err(|e| ApiError::Internal(e.to_string()))
}

impl Shared {
    fn news(self) -> Result<Vec<News>, askama::Error> {
        let job = &self.job;
        let captures = &self.captures;
        let timeline = &self.timeline;
        let log = LogPart {
            job,
            lines: &self.lines.newest,
            all: self.lines.all.as_deref(),
        };
        let log = log.render()?;
        let all = |id, html: String| News::All(Fragment::new(id, html));
        Ok(vec![
            all("state", StatePart { job }.render()?),
            News::Each(Personal::Acts(self.standing)),
            all("progress", ProgressPart { job }.render()?),
            all("stages", StagesPart { job }.render()?),
            all("plot", PlotPart { job }.render()?),
            News::Each(Personal::Failures(self.list)),
            all("captures", CapturesPart { job, captures }.render()?),
            all("timeline", TimelinePart { job, timeline }.render()?),
            all("log", log),
        ])
    }
}

async fn read(store: &Store, links: &Links, job: &Job) -> StoreResult<Shared> {
    let counts = store.counts(std::slice::from_ref(job)).await?;
    let counts = counts.get(&job.id).copied().unwrap_or_default();
    let newest = store.newest_results(job, STRIP).await?;
    let ids: Vec<i64> = newest.iter().map(|c| c.id).collect();
    let boxes = store.boxes(&ids, DRAWN as u64 + 1).await?;
    let none = Vec::new();
    let captures = newest
        .iter()
        .map(|c| CaptureView::of(c, boxes.get(&c.id).unwrap_or(&none), links));
    Ok(Shared {
        job: JobView::read(store, links, job, counts).await?,
        captures: captures.collect(),
        timeline: Timeline::read(store, job.id).await?,
        lines: Lines::read(store, job.id).await?,
        standing: Standing::of(job, counts),
        list: FailureList::first(store, job, counts).await?,
    })
}
