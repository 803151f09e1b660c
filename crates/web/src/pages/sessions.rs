//! The sessions of a project as a table: nights of its stations with what they brought, each with
//! its first and last picture.

use std::collections::HashMap;

use askama::Template;
use axum::extract::{Path, RawQuery, State};
use axum::response::Html;
use axum::routing::get;
use domain::session::session_label;
use rest::query::Query;
use store::StoreResult;
use store::session::{Session, SessionFilter, SessionOrder};

use super::at::{At, Part};
use super::columns::{Heading, Pager, grouped, headings, page};
use super::offered::{self, MOST};
use super::{PageResult, Route, model};
use crate::AppState;
use crate::auth::Who;
use crate::media::thumbnail;

/// Its addresses.
pub const ROUTES: &[Route] = &[("/projects/{project}/sessions", || get(show))];

/// Rows of a page.
const ROWS: u64 = 50;
/// Columns of the table, and what sorts by them.
const COLUMNS: [(&str, Option<&str>); 5] = [
    ("Night", Some("start")),
    ("Station", Some("deployment")),
    ("Captures", Some("captures_count")),
    ("Detections", Some("detections_count")),
    ("Lasted", None),
];

/// A small picture that leads to its capture.
pub struct Picture {
    pub href: String,
    pub thumbnail: String,
    pub alt: String,
}

/// A night of a station.
pub struct Row {
    pub href: String,
    pub night: String,
    pub times: String,
    pub station: Option<(String, String)>,
    pub captures: String,
    pub detections: String,
    pub lasted: String,
    pub pictures: Vec<Picture>,
}

/// A choice of a filter.
pub struct Choice {
    pub value: i64,
    pub name: String,
    pub chosen: bool,
}

#[derive(Template)]
#[template(path = "sessions.html")]
struct SessionsPage {
    at: At,
    stations: Vec<Choice>,
    narrowed: bool,
    wrong: Vec<String>,
    ordering: String,
    headings: Vec<Heading>,
    sessions: Vec<Row>,
    pager: Pager,
}

/// The page.
pub async fn show(
    State(state): State<AppState>,
    who: Who,
    Path(project): Path<i64>,
    RawQuery(query): RawQuery,
) -> PageResult {
    let at = At::open(&state, &who, project, Part::Sessions).await?;
    let query = Query::parse(query.as_deref().unwrap_or_default());
    let mut wrong = Vec::new();
    let given = query.get("station").filter(|text| !text.is_empty());
    let asked: Option<i64> = given.and_then(|text| text.parse().ok());
    let stations = offered::stations(&state.store, project, MOST, asked.as_slice()).await?;
    let station = asked.filter(|id| stations.has(*id));
    if let (Some(given), None) = (given, station) {
        wrong.push(format!(
            "station: this project has no station “{given}”; sessions of all stations are shown."
        ));
    }
    let filter = SessionFilter {
        project_id: Some(project),
        station_id: station,
        ..SessionFilter::default()
    };
    let ordering = query.get("ordering").unwrap_or("-start").to_owned();
    let asked = query.ordering(&SessionOrder::NAMES).into_iter().next();
    let asked = asked.and_then(|by| Some((named(by.field)?, by.descending)));
    let newest = SessionOrder::from_name("start").map(|start| (start, true));
    let order: Vec<(SessionOrder, bool)> = asked.or(newest).into_iter().collect();
    let skip = (page(&query) - 1) * ROWS;
    let found = state.store.sessions_page(&filter, &order, ROWS, skip).await;
    let (found, count) = found?;
    let choices = stations.all.into_iter().map(|(value, name)| Choice {
        value,
        name,
        chosen: station == Some(value),
    });
    let page = SessionsPage {
        stations: choices.collect(),
        narrowed: station.is_some(),
        wrong,
        headings: headings(&query, &COLUMNS, &ordering),
        ordering: query.get("ordering").unwrap_or_default().to_owned(),
        sessions: rows(&state, &at, &found).await?,
        pager: Pager::of(&query, ROWS, count),
        at,
    };
    Ok(Html(page.render()?))
}

/// The order with this name in an address. People look for a station by its name, where the API
/// knows its number.
fn named(field: &str) -> Option<SessionOrder> {
    match field {
        "deployment" => Some(SessionOrder::STATION_NAME),
        other => SessionOrder::from_name(other),
    }
}

/// These sessions as rows of the table.
pub async fn rows(state: &AppState, at: &At, sessions: &[Session]) -> StoreResult<Vec<Row>> {
    let ids: Vec<i64> = sessions.iter().map(|session| session.id).collect();
    let ends = state.store.first_and_last(&ids).await?;
    let mut stations: Vec<i64> = sessions.iter().filter_map(|s| s.station_id).collect();
    stations.sort_unstable();
    stations.dedup();
    let stations = state.store.stations_by_id(&stations).await?;
    let names: HashMap<i64, String> = stations
        .into_iter()
        .map(|station| (station.id, model::named(&station.name)))
        .collect();
    let row = |session: &Session| {
        let night = session_label(session.start_at, session.end_at);
        let pictures = ends.get(&session.id).map(|(first, last)| {
            let mut both = vec![(*first, "First"), (*last, "Last")];
            both.truncate(if first == last { 1 } else { 2 });
            let shown = both.into_iter().map(|(id, which)| Picture {
                href: at.path(&format!("/captures/{id}?session={}", session.id)),
                thumbnail: thumbnail::address(&state.links, id, "small"),
                alt: format!("{which} capture of {night}"),
            });
            shown.collect()
        });
        let station = session.station_id.and_then(|id| {
            let href = at.path(&format!("/sessions?station={id}"));
            Some((names.get(&id)?.clone(), href))
        });
        Row {
            href: at.path(&format!("/sessions/{}", session.id)),
            times: times(session),
            station,
            captures: number(session.captures_count),
            detections: number(session.detections_count),
            lasted: lasted(session),
            pictures: pictures.unwrap_or_default(),
            night,
        }
    };
    Ok(sessions.iter().map(row).collect())
}

/// From when until when a session lasted.
pub fn times(session: &Session) -> String {
    let start = session.start_at.format("%H:%M");
    match session.end_at {
        Some(end) => format!("{start}–{}", end.format("%H:%M")),
        None => start.to_string(),
    }
}

/// How long a session lasted, where it has ended.
pub fn lasted(session: &Session) -> String {
    let lasted = session.end_at.map(|end| end - session.start_at);
    lasted.map_or_else(String::new, model::lasted)
}

fn number(number: i64) -> String {
    grouped(number.unsigned_abs())
}

/// Headings of a table of sessions that cannot be sorted.
pub fn plain_headings() -> Vec<Heading> {
    let plain = |(name, _): &(&'static str, Option<&str>)| Heading {
        name,
        href: None,
        sorted: None,
    };
    COLUMNS.iter().map(plain).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stations_are_in_the_order_of_their_names() {
        let by = |field: &str| named(field).map(|order| format!("{order:?}"));
        assert_eq!(
            by("deployment"),
            Some(format!("{:?}", SessionOrder::STATION_NAME))
        );
        assert_ne!(by("start"), by("deployment"));
        assert_eq!(by("moon"), None);
    }
}
