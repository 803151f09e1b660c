//! The first page: the projects that the person may see; and the check that all pages below a
//! project begin with.

use askama::Template;
use axum::extract::State;
use axum::response::Html;
use axum::routing::get;
use domain::permission::{Action, decide};
use rest::ApiResult;
use store::project::Project;

use super::{PageResult, Route};
use crate::AppState;
use crate::api::internal;
use crate::auth::{Who, allow};

/// Its addresses.
pub const ROUTES: &[Route] = &[("/", || get(home))];

#[derive(Template)]
#[template(path = "home.html")]
struct HomePage {
    projects: Vec<Project>,
}

/// The page.
pub async fn home(State(state): State<AppState>, who: Who) -> PageResult {
    let visible = state.store.visible_projects(who.0.as_ref()).await?;
    let projects = state.store.projects(visible.as_deref(), 200).await?;
    Ok(Html(HomePage { projects }.render()?))
}

/// The project, when the caller may see it.
pub async fn visible(state: &AppState, who: &Who, id: i64) -> ApiResult<Project> {
    let project = state.store.project(id).await.map_err(internal)?;
    let facts = who.facts(state, &project).await?;
    allow(decide(who.caller(), &facts, Action::View))?;
    Ok(project)
}
