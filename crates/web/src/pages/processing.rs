//! Processing of a project: services, pipelines, workers and the queue, on one page. What is asked
//! of each stands in a file of its own; this one puts them together.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};

use super::act::Act;
use super::at::{At, Part};
use super::form::Shown;
use super::{PageError, PageResult, Route};
use crate::AppState;
use crate::auth::Who;

mod history;
mod pipeline;
mod queue;
mod service;
mod worker;

use pipeline::PipelineRow;
use queue::QueueView;
use service::ServiceRow;
use worker::Workers;

/// Fields of the form of a service, and of that of a pipeline.
pub const SERVICE_FIELDS: &[&str] = service::FIELDS;
/// See above.
pub const PIPELINE_FIELDS: &[&str] = pipeline::FIELDS;

/// Its addresses.
pub const ROUTES: &[Route] = &[
    ("/projects/{project}/processing", || get(show)),
    ("/projects/{project}/processing/services", || {
        post(service::add)
    }),
    ("/projects/{project}/processing/services/{service}", || {
        get(service::form).post(service::change)
    }),
    (
        "/projects/{project}/processing/services/{service}/{deed}",
        || post(service::act),
    ),
    (
        "/projects/{project}/processing/pipelines/{pipeline}",
        || get(pipeline::form).post(pipeline::change),
    ),
    (
        "/projects/{project}/processing/pipelines/{pipeline}/{deed}",
        || post(pipeline::act),
    ),
    ("/projects/{project}/processing/queue/{deed}", || {
        post(queue::act)
    }),
];

#[derive(Template)]
#[template(path = "processing.html")]
struct ProcessingPage {
    at: At,
    services: Vec<ServiceRow>,
    more_services: u64,
    /// Whether the person may add and change services.
    keeper: bool,
    /// The form for another service.
    new: Shown,
    pipelines: Vec<PipelineRow>,
    other_pipelines: Vec<(i64, String)>,
    more_pipelines: u64,
    /// Whether the person may change how pipelines are used.
    chooser: bool,
    workers: Workers,
    queue: QueueView,
}

/// The page.
pub async fn show(
    State(state): State<AppState>,
    who: Who,
    Path(project): Path<i64>,
    act: Act,
) -> PageResult {
    let at = At::open(&state, &who, project, Part::Processing).await?;
    Ok(Html(
        page(&state, at, &act, Shown::default()).await?.render()?,
    ))
}

async fn page(
    state: &AppState,
    at: At,
    act: &Act,
    new: Shown,
) -> Result<ProcessingPage, PageError> {
    let (services, more_services) = service::rows(state, &at).await?;
    let pipelines = pipeline::rows(state, &at).await?;
    Ok(ProcessingPage {
        services,
        more_services,
        keeper: at.caller().may_write_shared(),
        new,
        pipelines: pipelines.rows,
        other_pipelines: pipelines.others,
        more_pipelines: pipelines.more,
        chooser: at.may_change(pipeline::CHANGE),
        workers: worker::rows(&at, act).await?,
        queue: queue::view(state, &at).await?,
        at,
    })
}

/// The page with a form that was refused.
async fn again(state: &AppState, at: At, act: &Act, new: Shown) -> Result<Response, PageError> {
    Ok(Html(page(state, at, act, new).await?.render()?).into_response())
}
