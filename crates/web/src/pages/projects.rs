//! The first page: the projects that the person may see, with how much each holds and what runs in
//! it; and the check that all pages below a project begin with.

use askama::Template;
use axum::extract::{RawQuery, State};
use axum::response::Html;
use axum::routing::get;
use domain::permission::{Action, decide};
use rest::ApiResult;
use rest::query::Query;
use store::project::{Figures, Project, ProjectFilter};

use super::columns::{Heading, Pager, grouped, headings, page};
use super::{PageResult, Route, model};
use crate::AppState;
use crate::api::internal;
use crate::auth::{Who, allow};

/// Its addresses.
pub const ROUTES: &[Route] = &[("/", || get(home))];

/// Rows of a page.
const ROWS: u64 = 50;
/// What the table can be sorted by.
const ORDERS: [&str; 3] = ["name", "last_capture_timestamp", "last_job_updated_at"];
/// How much of a description stands in the table, in letters.
const ABOUT: usize = 200;

struct Row {
    id: i64,
    name: String,
    about: String,
    draft: bool,
    stations: String,
    captures: String,
    last: Option<String>,
    running: i64,
}

#[derive(Template)]
#[template(path = "home.html")]
struct HomePage {
    rows: Vec<Row>,
    search: String,
    ordering: String,
    headings: Vec<Heading>,
    pager: Pager,
}

/// The page.
pub async fn home(
    State(state): State<AppState>,
    who: Who,
    RawQuery(query): RawQuery,
) -> PageResult {
    let query = Query::parse(query.as_deref().unwrap_or_default());
    let order = query.ordering(&ORDERS);
    let search = query.get("q").unwrap_or_default().trim().to_owned();
    let filter = ProjectFilter {
        visible: state.store.visible_projects(who.0.as_ref()).await?,
        search: search.split_whitespace().map(str::to_owned).collect(),
        order: order.iter().map(|by| (by.field, by.descending)).collect(),
        ..ProjectFilter::default()
    };
    let skip = (page(&query) - 1) * ROWS;
    let (projects, count) = state.store.projects_page(&filter, ROWS, skip).await?;
    let ids: Vec<i64> = projects.iter().map(|project| project.id).collect();
    let figures = state.store.project_figures(&ids).await?;
    let figures = |id: i64| figures.get(&id).copied().unwrap_or_default();
    let ordering = query.get("ordering").unwrap_or_default().to_owned();
    let columns = [
        ("Project", Some("name")),
        ("Stations", None),
        ("Captures", None),
        ("Last capture", Some("last_capture_timestamp")),
        ("Jobs", Some("last_job_updated_at")),
    ];
    let page = HomePage {
        rows: projects
            .into_iter()
            .map(|project| row(figures(project.id), project))
            .collect(),
        headings: headings(&query, &columns, &ordering),
        pager: Pager::of(&query, ROWS, count),
        search,
        ordering,
    };
    Ok(Html(page.render()?))
}

fn row(figures: Figures, project: Project) -> Row {
    let number = |number: i64| grouped(number.unsigned_abs());
    let mut about: String = project.description.chars().take(ABOUT).collect();
    if about.len() < project.description.len() {
        about.push('…');
    }
    Row {
        id: project.id,
        name: model::named(&project.name),
        about,
        draft: project.draft,
        stations: number(figures.stations),
        captures: number(figures.captures),
        last: figures.last_capture_at.map(model::minute),
        running: figures.running,
    }
}

/// The project, when the caller may see it.
pub async fn visible(state: &AppState, who: &Who, id: i64) -> ApiResult<Project> {
    let project = state.store.project(id).await.map_err(internal)?;
    let facts = who.facts(state, &project).await?;
    allow(decide(who.caller(), &facts, Action::View))?;
    Ok(project)
}
