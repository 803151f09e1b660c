//! The jobs of a project as a table, newest first.

use askama::Template;
use axum::extract::{Path, RawQuery, State};
use axum::response::Html;
use axum::routing::get;
use domain::permission::VIEW_PRIVATE;
use rest::query::Query;
use store::job::JobFilter;
use store::progress::compose;

use super::model;
use super::{PageResult, Route};
use crate::AppState;
use crate::auth::Who;

/// Its addresses.
pub const ROUTES: &[Route] = &[("/projects/{project}/jobs", || get(show))];

/// Rows of a page.
const ROWS: u64 = 50;

struct Row {
    id: i64,
    name: String,
    kind: &'static str,
    word: &'static str,
    tone: &'static str,
    percent: u8,
    made: String,
    made_iso: String,
}

#[derive(Template)]
#[template(path = "jobs.html")]
struct JobsPage {
    project: String,
    project_id: i64,
    /// Whether the person may look at the project's schedules.
    schedules: bool,
    rows: Vec<Row>,
    newer: Option<u64>,
    older: Option<u64>,
}

/// The page.
pub async fn show(
    State(state): State<AppState>,
    who: Who,
    Path(project): Path<i64>,
    RawQuery(query): RawQuery,
) -> PageResult {
    let project = super::projects::visible(&state, &who, project).await?;
    let facts = who.facts(&state, &project).await?;
    let schedules = facts.grants(who.caller(), VIEW_PRIVATE);
    let query = Query::parse(query.as_deref().unwrap_or_default());
    let page = query.number("page").unwrap_or(1).clamp(1, 1_000_000) as u64;
    let filter = JobFilter {
        project_id: Some(project.id),
        ..Default::default()
    };
    let (jobs, count) = state.store.jobs(&filter, ROWS, (page - 1) * ROWS).await?;
    let counts = state.store.counts(&jobs).await?;
    let rows = jobs
        .iter()
        .map(|job| {
            let progress = compose(job, counts.get(&job.id).copied().unwrap_or_default());
            Row {
                id: job.id,
                name: job.name.clone(),
                kind: domain::job::kind(&job.kind).map_or("Unknown", |k| k.name),
                word: job.job_state().word(),
                tone: model::tone(job.job_state()),
                percent: model::percent(progress.summary.progress),
                made: model::exact(job.created_at),
                made_iso: job.created_at.to_rfc3339(),
            }
        })
        .collect();
    let page = JobsPage {
        project: project.name,
        project_id: project.id,
        schedules,
        rows,
        newer: (page > 1).then(|| page - 1),
        older: (page * ROWS < count).then(|| page + 1),
    };
    Ok(Html(page.render()?))
}
