//! The captures that failed in a job: the first of them on its page, all of them on pages of their
//! own.

use askama::Template;
use axum::extract::{Path, RawQuery, State};
use axum::response::Html;
use rest::query::Query;
use store::job::Job;
use store::progress::Counts;
use store::result::Failure;
use store::{Store, StoreResult};

use super::offers::Viewer;
use super::view::REASON;
use crate::AppState;
use crate::auth::Who;
use crate::pages::PageResult;
use crate::pages::at::At;
use crate::pages::columns::{Pager, counted, page};
use crate::pages::model;

/// Failed captures on the job's page.
const FIRST: u64 = 20;
/// Failed captures of a page of their own.
const ROWS: u64 = 50;

/// Some of the captures that failed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FailureList {
    pub failures: Vec<Failure>,
    pub failed: u64,
    pub pipeline: Option<i64>,
    /// Whether the job has ended, so that a retry can be asked for.
    pub ended: bool,
}

impl FailureList {
    async fn read(
        store: &Store,
        job: &Job,
        counts: Counts,
        limit: u64,
        offset: u64,
    ) -> StoreResult<FailureList> {
        let mut failures = match counts.failed {
            0 => Vec::new(),
            _ => store.failures(job, limit, offset).await?,
        };
        for failure in &mut failures {
            failure.reason = model::short(&failure.reason, REASON);
        }
        Ok(FailureList {
            failures,
            failed: counts.failed.max(0).unsigned_abs(),
            pipeline: job.pipeline_id,
            ended: job.job_state().is_final(),
        })
    }

    /// The first of them.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn first(store: &Store, job: &Job, counts: Counts) -> StoreResult<FailureList> {
        FailureList::read(store, job, counts, FIRST, 0).await
    }

    /// Whether there are more than these.
    pub fn more(&self) -> bool {
        self.failed > self.failures.len() as u64
    }

    /// "12 captures".
    pub fn words(&self) -> String {
        counted(self.failed, "capture", "captures")
    }
}

#[derive(Template)]
#[template(path = "job/all_failures.html")]
struct FailuresPage {
    at: At,
    name: String,
    list: FailureList,
    viewer: Viewer,
    pager: Pager,
}

/// All of them, page by page.
pub async fn show(
    State(state): State<AppState>,
    who: Who,
    Path((project, job)): Path<(i64, i64)>,
    RawQuery(query): RawQuery,
) -> PageResult {
    let (job, at) = super::find(&state, &who, project, job).await?;
    let query = Query::parse(query.as_deref().unwrap_or_default());
    let counts = state.store.counts(std::slice::from_ref(&job)).await?;
    let counts = counts.get(&job.id).copied().unwrap_or_default();
    let offset = (page(&query) - 1) * ROWS;
    let list = FailureList::read(&state.store, &job, counts, ROWS, offset).await?;
    let page = FailuresPage {
        viewer: Viewer::of(&at, &job),
        pager: Pager::of(&query, ROWS, list.failed),
        name: model::named(&job.name),
        list,
        at,
    };
    Ok(Html(page.render()?))
}
