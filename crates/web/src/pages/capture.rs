//! One capture large, with its boxes, labels and scores.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Html;
use axum::routing::get;
use rest::ApiError;

use super::model::CaptureView;
use super::{PageError, PageResult, Route};
use crate::AppState;
use crate::auth::Who;
use crate::media;

/// Its addresses.
pub const ROUTES: &[Route] = &[("/projects/{project}/captures/{capture}", || get(show))];

#[derive(Template)]
#[template(path = "capture.html")]
struct CapturePage {
    project: String,
    station: String,
    path: String,
    original: String,
    nothing: &'static str,
    capture: CaptureView,
}

/// The page.
pub async fn show(
    State(state): State<AppState>,
    who: Who,
    Path((project, id)): Path<(i64, i64)>,
) -> PageResult {
    let project = super::projects::visible(&state, &who, project).await?;
    let capture = state.store.capture(id).await?;
    if capture.project_id != Some(project.id) {
        return Err(PageError::from(ApiError::NotFound));
    }
    let boxes = state.store.boxes(&[id]).await?;
    let boxes = boxes.get(&id).map(Vec::as_slice).unwrap_or_default();
    let places = state
        .store
        .locations(std::slice::from_ref(&capture))
        .await?;
    let station = match capture.station_id {
        Some(id) => state.store.station(id).await?.name,
        None => String::new(),
    };
    let page = CapturePage {
        project: project.name,
        station,
        original: places
            .get(&id)
            .map(|place| media::page_address(&state.links, place))
            .unwrap_or_default(),
        path: capture.path.clone(),
        nothing: "No insect is known on this capture: it was not processed yet, or nothing was found.",
        capture: CaptureView::of(&capture, boxes, &state.links),
    };
    Ok(Html(page.render()?))
}
