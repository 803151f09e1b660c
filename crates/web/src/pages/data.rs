//! Data of a project: where its photographs come from, which of them are chosen, what comes round by
//! the clock, and what leaves as files. For members. What is done with each stands in a file of its
//! own; this one puts them together.

use askama::Template;
use axum::extract::{Path, RawQuery, State};
use axum::response::Html;
use axum::routing::{get, post};
use rest::query::Query;

use super::at::{At, Part};
use super::columns::Pager;
use super::form::Shown;
use super::jobs::Choice;
use super::offered::{self, MOST};
use super::{PageResult, Route};
use crate::AppState;
use crate::auth::Who;

mod export;
mod preview;
mod set;
mod source;

pub use set::FORM as SET_FORM;
pub use source::FORM as SOURCE_FORM;

use export::ExportRow;
use set::SetRow;
use source::SourceRow;

/// Its addresses.
pub const ROUTES: &[Route] = &[
    ("/projects/{project}/data", || get(show)),
    ("/projects/{project}/data/sources/new", || {
        get(source::new).post(source::add)
    }),
    ("/projects/{project}/data/sources/{source}", || {
        get(source::form).post(source::change)
    }),
    ("/projects/{project}/data/sources/{source}/{deed}", || {
        post(source::act)
    }),
    ("/projects/{project}/data/sets/new", || {
        get(set::new).post(set::add)
    }),
    ("/projects/{project}/data/sets/{set}", || {
        get(set::form).post(set::change)
    }),
    ("/projects/{project}/data/sets/{set}/{deed}", || {
        post(set::act)
    }),
    ("/projects/{project}/data/exports", || post(export::add)),
    ("/projects/{project}/data/exports/{export}/remove", || {
        post(export::remove)
    }),
];

#[derive(Template)]
#[template(path = "data.html")]
struct DataPage {
    at: At,
    sources: Vec<SourceRow>,
    more_sources: u64,
    /// Whether the person may add sources, and test them.
    keeper: bool,
    tester: bool,
    sets: Vec<SetRow>,
    pager: Pager,
    /// Whether the person may make sets, and fill them.
    chooser: bool,
    filler: bool,
    schedules: u64,
    exports: Vec<ExportRow>,
    more_exports: u64,
    /// Whether the person may make exports, and remove them.
    exporter: bool,
    remover: bool,
    formats: Vec<(&'static str, &'static str)>,
    /// Sets that an export can be narrowed to, and how many others there are.
    choices: Vec<Choice>,
    more_choices: u64,
    form: Shown,
}

/// The page.
pub async fn show(
    State(state): State<AppState>,
    who: Who,
    Path(project): Path<i64>,
    RawQuery(query): RawQuery,
) -> PageResult {
    let at = At::open(&state, &who, project, Part::Data).await?;
    let query = Query::parse(query.as_deref().unwrap_or_default());
    page(&state, at, &query, Shown::default()).await
}

/// The page, with the form of an export that may have been refused.
async fn page(state: &AppState, at: At, query: &Query, form: Shown) -> PageResult {
    let (sources, more_sources) = source::rows(state, &at).await?;
    let (sets, pager) = set::rows(state, &at, query).await?;
    let (exports, more_exports) = export::rows(state, &at).await?;
    let filter = store::schedule::ScheduleFilter {
        project_id: Some(at.project.id),
        ..Default::default()
    };
    let (_, schedules) = state.store.schedules(&filter, 1, 0).await?;
    let chosen: Option<i64> = form.value("set").trim().parse().ok();
    let offered = offered::sets(&state.store, at.project.id, MOST, chosen.as_slice()).await?;
    let choice = |(id, name): (i64, String)| Choice {
        value: id.to_string(),
        name,
        chosen: chosen == Some(id),
    };
    let page = DataPage {
        sources,
        more_sources,
        keeper: at.may_make("create_s3storagesource"),
        tester: at.may_change("test_s3storagesource"),
        chooser: at.may_make("create_sourceimagecollection"),
        filler: at.may_change("populate_sourceimagecollection"),
        exporter: at.may_make("create_dataexport"),
        remover: at.may_change("delete_dataexport"),
        more_choices: offered.more,
        choices: offered.all.into_iter().map(choice).collect(),
        formats: export::formats(),
        sets,
        pager,
        schedules,
        exports,
        more_exports,
        form,
        at,
    };
    Ok(Html(page.render()?))
}
