//! The jobs of a project as a table: its filters, order and page stand in the address, its rows
//! follow their jobs by themselves, and several jobs are acted on at once (`jobs/bulk.rs`).

use askama::Template;
use axum::extract::{Path, RawQuery, State};
use axum::response::Html;
use axum::routing::{get, post};
use domain::job::KINDS;
use domain::permission::{Action, JobAction, JobFacts, VIEW_PRIVATE};
use domain::state::JobState;
use rest::query::Query;
use store::StoreResult;
use store::job::{JobFilter, JobOrder};

use super::at::{At, Part};
use super::columns::{Heading, Pager, headings, page};
use super::offered::{self, Offered};
use super::{PageResult, Route};
use crate::AppState;
use crate::auth::Who;
use crate::live;
use row::Row;

pub mod bulk;
pub mod new;
pub mod row;

/// Its addresses.
pub const ROUTES: &[Route] = &[
    ("/projects/{project}/jobs", || get(show)),
    ("/projects/{project}/jobs/bulk", || post(bulk::act)),
    ("/projects/{project}/jobs/live", || get(live::rows::stream)),
    ("/projects/{project}/jobs/new", || {
        get(new::show).post(new::send)
    }),
];

/// Rows of a page.
pub const ROWS: u64 = 50;
/// Choices of a filter at most: two of them stand above a long table.
const CHOICES: u64 = 100;
/// The order where the address names none.
const NEWEST: &str = "-created_at";
/// What the page can be ordered by.
const ORDERS: [(&str, Option<&str>); 8] = [
    ("Job", Some("name")),
    ("Kind", None),
    ("State", Some("status")),
    ("Done", None),
    ("By", None),
    ("Made", Some("created_at")),
    ("Started", Some("started_at")),
    ("Ended", Some("finished_at")),
];
/// The filter for all states that are not the end.
const UNFINISHED: &str = "unfinished";
/// What narrows the list.
const NARROWING: [&str; 6] = ["state", "kind", "pipeline", "station", "mine", "search"];

/// A choice of a filter or a form.
pub struct Choice {
    pub value: String,
    pub name: String,
    pub chosen: bool,
}

/// What the list is narrowed by.
struct Filters {
    search: String,
    states: Vec<Choice>,
    kinds: Vec<Choice>,
    pipelines: Vec<Choice>,
    stations: Vec<Choice>,
    mine: Option<bool>,
    any: bool,
}

#[derive(Template)]
#[template(path = "jobs.html")]
struct JobsPage {
    at: At,
    /// Whether the person may look at the project's schedules.
    schedules: bool,
    make: bool,
    run: bool,
    remove: bool,
    filters: Filters,
    rows: Vec<Row>,
    headings: Vec<Heading>,
    pager: Pager,
    /// The query of this page, to come back to.
    back: String,
    ordering: String,
    live: String,
}

/// The page.
pub async fn show(
    State(state): State<AppState>,
    who: Who,
    Path(project): Path<i64>,
    RawQuery(query): RawQuery,
) -> PageResult {
    let at = At::open(&state, &who, project, Part::Jobs).await?;
    let query = Query::parse(query.as_deref().unwrap_or_default());
    let (ordering, order) = order(&query);
    let filter = filter(&query, project, &who);
    let offset = (page(&query) - 1) * ROWS;
    // Before the rows: what is made meanwhile is announced, and shown as well.
    let last = state.store.last_job(project).await?;
    let (jobs, count) = state.store.jobs_page(&filter, order, ROWS, offset).await?;
    let ids: Vec<i64> = jobs.iter().map(|job| job.id).collect();
    let live = live_address(&query, last, &ids);
    let page = JobsPage {
        schedules: at.may_change(VIEW_PRIVATE),
        make: may_any(&at, JobAction::Create),
        run: may_any(&at, JobAction::Run),
        remove: may_any(&at, JobAction::Delete),
        filters: filters(&state, &query, project, &who).await?,
        rows: row::read(&state.store, &jobs).await?,
        headings: headings(&query, &ORDERS, &ordering),
        pager: Pager::of(&query, ROWS, count),
        back: query.with(&[]),
        live: at.path(&live),
        ordering,
        at,
    };
    Ok(Html(page.render()?))
}

/// The stream that follows these jobs and counts those that are made after the last one, as far as
/// they are in the list with this query.
pub fn live_address(query: &Query, last: i64, ids: &[i64]) -> String {
    let ids: Vec<String> = ids.iter().map(i64::to_string).collect();
    let own = [
        ("page", None),
        ("after", Some(last.to_string())),
        ("ids", Some(ids.join(","))),
    ];
    format!("/jobs/live?{}", query.with(&own))
}

/// The list that a stream belongs to: the query of its first page.
pub fn list_of(query: &Query) -> String {
    query.with(&[("page", None), ("after", None), ("ids", None)])
}

/// Whether the query narrows the list.
pub fn is_narrowed(query: &Query) -> bool {
    NARROWING.iter().any(|name| !query.values(name).is_empty())
}

/// Whether the person may do this with jobs of some kind.
pub fn may_any(at: &At, action: JobAction) -> bool {
    let mut facts = KINDS.iter().flat_map(|kind| {
        [false, true].map(|single_capture| JobFacts {
            kind: kind.key,
            single_capture,
        })
    });
    facts.any(|facts| at.may(Action::Job(action, facts)))
}

/// The order that the address names: its name, and what it means.
fn order(query: &Query) -> (String, (JobOrder, bool)) {
    let asked = query.get("ordering").unwrap_or(NEWEST);
    let sorts = |name: &str| ORDERS.iter().any(|(_, field)| *field == Some(name));
    let name = asked.strip_prefix('-').unwrap_or(asked);
    match JobOrder::from_name(name).filter(|_| sorts(name)) {
        Some(by) => (asked.to_owned(), (by, asked.starts_with('-'))),
        None => (NEWEST.to_owned(), (JobOrder::Created, true)),
    }
}

/// What the address narrows the list by; what it cannot mean narrows nothing.
pub fn filter(query: &Query, project: i64, who: &Who) -> JobFilter {
    let state = query.get("state").unwrap_or_default();
    let mine = query.flag("mine").then(|| who.caller().id()).flatten();
    let kind = query.get("kind").and_then(domain::job::kind);
    JobFilter {
        project_id: Some(project),
        state: JobState::from_code(state),
        incomplete: state == UNFINISHED,
        kind: kind.map(|kind| kind.key.to_owned()),
        pipeline_id: query.number("pipeline"),
        station_id: query.number("station"),
        created_by_id: mine,
        search: query.search(),
        ..Default::default()
    }
}

async fn filters(state: &AppState, query: &Query, project: i64, who: &Who) -> StoreResult<Filters> {
    let choice = |field: &str, value: String, name: String| Choice {
        chosen: query.get(field) == Some(value.as_str()),
        value,
        name,
    };
    let (pipeline, station) = (query.number("pipeline"), query.number("station"));
    let (pipeline, station) = (pipeline.as_slice(), station.as_slice());
    let store = &state.store;
    let pipelines = offered::pipelines(store, project, CHOICES, pipeline).await?;
    let stations = offered::stations(store, project, CHOICES, station).await?;
    let numbered = |offered: Offered, chosen: &[i64]| -> Vec<Choice> {
        let choice = |(id, name): (i64, String)| Choice {
            value: id.to_string(),
            name,
            chosen: chosen.contains(&id),
        };
        offered.kept(chosen).all.into_iter().map(choice).collect()
    };
    let seen = [
        JobState::Created,
        JobState::Pending,
        JobState::Started,
        JobState::Canceling,
        JobState::Success,
        JobState::Failure,
        JobState::Revoked,
    ];
    let states = seen.map(|state| (state.code().to_owned(), state.word().to_owned()));
    let unfinished = (UNFINISHED.to_owned(), "Not ended".to_owned());
    let states = std::iter::once(unfinished).chain(states);
    let kinds = KINDS.iter().filter(|kind| !kind.stages.is_empty());
    Ok(Filters {
        search: query.get("search").unwrap_or_default().to_owned(),
        states: states.map(|(v, n)| choice("state", v, n)).collect(),
        kinds: kinds
            .map(|kind| choice("kind", kind.key.to_owned(), kind.name.to_owned()))
            .collect(),
        pipelines: numbered(pipelines, pipeline),
        stations: numbered(stations, station),
        mine: who.0.as_ref().map(|_| query.flag("mine")),
        any: is_narrowed(query),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_means_nothing_is_the_newest_first() {
        let order = |text: &str| order(&Query::parse(text));
        let newest = (NEWEST.to_owned(), (JobOrder::Created, true));
        assert_eq!(order(""), newest);
        assert_eq!(order("ordering=project"), newest, "no column of the page");
        assert_eq!(order("ordering=--name"), newest);
        assert_eq!(
            order("ordering=-name"),
            ("-name".to_owned(), (JobOrder::Name, true))
        );
        let filter = filter(
            &Query::parse("state=NONSENSE&kind=x&pipeline=seven&mine=1"),
            3,
            &Who(None),
        );
        assert!(filter.state.is_none() && filter.kind.is_none() && filter.pipeline_id.is_none());
        assert!(
            filter.created_by_id.is_none(),
            "nobody has no jobs of their own"
        );
        assert_eq!(filter.project_id, Some(3));
    }
}
