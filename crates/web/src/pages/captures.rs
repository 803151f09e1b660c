//! The captures of a project as a gallery or a table. What it shows stands in its address
//! (`captures/narrow.rs`), and goes on to the page of one capture, so that one comes back to it.

use std::collections::HashMap;

use askama::Template;
use axum::extract::{Path, RawQuery, State};
use axum::response::Html;
use axum::routing::get;
use store::StoreResult;
use store::capture::Capture;

use super::at::{At, Part};
use super::columns::{Heading, Pager, changed, counted, headings, page};
use super::model::{self, Ago};
use super::{PageResult, Route};
use crate::AppState;
use crate::auth::Who;
use crate::media::thumbnail;
use narrow::{Narrow, NarrowForm, tidy};

pub mod narrow;

/// Its addresses.
pub const ROUTES: &[Route] = &[("/projects/{project}/captures", || get(show))];

/// Captures of a page.
const ROWS: u64 = 50;

/// Orders that the form offers; the table offers more.
const ORDERS: [(&str, &str); 5] = [
    ("-timestamp", "newest first"),
    ("timestamp", "oldest first"),
    ("-boxes", "most detections"),
    ("-last_processed", "last processed"),
    ("path", "path"),
];

struct Item {
    href: String,
    thumbnail: String,
    alt: String,
    taken: String,
    station: Option<String>,
    night: Option<(String, String)>,
    found: String,
    starred: bool,
    processed: Option<Ago>,
    path: String,
}

#[derive(Template)]
#[template(path = "captures.html")]
struct CapturesPage {
    at: At,
    form: NarrowForm,
    wrong: Vec<String>,
    table: bool,
    /// Orders that can be chosen: name in the address, name, whether it is chosen.
    orders: Vec<(&'static str, &'static str, bool)>,
    /// Addresses of both views.
    views: [(&'static str, String, bool); 2],
    headings: Vec<Heading>,
    items: Vec<Item>,
    pager: Pager,
}

/// The page.
pub async fn show(
    State(state): State<AppState>,
    who: Who,
    Path(project): Path<i64>,
    RawQuery(query): RawQuery,
) -> PageResult {
    let at = At::open(&state, &who, project, Part::Captures).await?;
    let query = tidy(query.as_deref().unwrap_or_default());
    let asked = Narrow::read(&state, &at, &query).await?;
    let skip = (page(&query) - 1) * ROWS;
    let (captures, count) = match asked.nothing {
        true => (Vec::new(), 0),
        false => {
            let order = [asked.order];
            let found = state
                .store
                .captures_page(&asked.filter, &order, ROWS, skip)
                .await;
            found?
        }
    };
    let columns = [
        ("Taken", Some("timestamp")),
        ("Station", Some("deployment__name")),
        ("Session", Some("event__start")),
        ("Detections", Some("boxes")),
        ("Processed", Some("last_processed")),
        ("Path", Some("path")),
    ];
    let view = |name: Option<&str>| changed(&query, &[("view", name.map(str::to_owned))]);
    let page = CapturesPage {
        items: items(&state, &at, &captures, &query.with(&[])).await?,
        headings: headings(&query, &columns, &asked.ordering),
        views: [
            ("Gallery", view(None), !asked.table),
            ("Table", view(Some("table")), asked.table),
        ],
        pager: Pager::of(&query, ROWS, count),
        orders: orders(query.get("ordering").unwrap_or_default()),
        table: asked.table,
        wrong: asked.wrong,
        form: asked.form,
        at,
    };
    Ok(Html(page.render()?))
}

/// The captures as they are shown; `list` is the query to come back with.
async fn items(
    state: &AppState,
    at: &At,
    captures: &[Capture],
    list: &str,
) -> StoreResult<Vec<Item>> {
    let some = |pick: fn(&Capture) -> Option<i64>| {
        let mut ids: Vec<i64> = captures.iter().filter_map(pick).collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    };
    let stations = some(|capture| capture.station_id);
    let stations = state.store.stations_by_id(&stations).await?;
    let stations: HashMap<i64, String> = stations
        .into_iter()
        .map(|station| (station.id, model::named(&station.name)))
        .collect();
    let sessions = some(|capture| capture.session_id);
    let sessions = state.store.sessions_by_id(&sessions).await?;
    let ids: Vec<i64> = captures.iter().map(|capture| capture.id).collect();
    let starred = state.store.starred_among(at.project.id, &ids).await?;
    let mark = if list.is_empty() { "" } else { "?" };
    let item = |capture: &Capture| {
        let station = capture.station_id.and_then(|id| stations.get(&id)).cloned();
        let night = capture.session_id.and_then(|id| sessions.get(&id));
        let taken = model::taken(capture.taken_at);
        Item {
            href: at.path(&format!("/captures/{}{mark}{list}", capture.id)),
            thumbnail: thumbnail::page_address(&state.links, capture.id),
            alt: match &station {
                Some(station) => format!("Capture of {taken} at {station}"),
                None => format!("Capture of {taken}"),
            },
            station,
            night: night.map(|session| {
                let href = at.path(&format!("/sessions/{}", session.id));
                (session.day.to_string(), href)
            }),
            found: found(capture),
            starred: starred.contains(&capture.id),
            processed: capture.last_processed_at.map(Ago::of),
            path: capture.path.clone(),
            taken,
        }
    };
    Ok(captures.iter().map(item).collect())
}

fn orders(asked: &str) -> Vec<(&'static str, &'static str, bool)> {
    let orders = ORDERS.into_iter();
    orders
        .map(|(value, name)| (value, name, value == asked))
        .collect()
}

/// How much is on a capture, in words.
pub fn found(capture: &Capture) -> String {
    match (capture.last_processed_at, capture.boxes_count) {
        (None, 0) => "not processed".to_owned(),
        (_, count) => counted(count.unsigned_abs(), "detection", "detections"),
    }
}
