//! One capture large: zoom, boxes with labels and scores and who said so, its place in its night,
//! the jobs that had it in their hands, and its star. Its address carries the list that it was
//! opened from, to lead back there.

use askama::Template;
use axum::extract::{Path, RawQuery, State};
use axum::response::{Html, Response};
use axum::routing::{get, post};
use domain::session::session_label;
use domain::storage::Location;
use files::Links;
use rest::size;
use serde_json::json;
use store::capture::{Beside, Capture, Touch, Touched};

use super::act::{Act, Refused};
use super::at::{At, Part};
use super::captures::narrow::tidy;
use super::columns::grouped;
use super::form::Sent;
use super::model::{self, Ago};
use super::{PageError, PageResult, Route, said};
use crate::AppState;
use crate::auth::Who;
use crate::media;
use boxes::BoxView;

mod boxes;

/// Its addresses.
pub const ROUTES: &[Route] = &[
    ("/projects/{project}/captures/{capture}", || get(show)),
    ("/projects/{project}/captures/{capture}/star", || post(star)),
];

/// Boxes that are drawn at most.
const BOXES: u64 = 150;
/// Of them, those that are listed: the surest.
const LISTED: usize = 50;
/// Jobs that are listed: the newest.
const JOBS: usize = 10;
/// The frame that is assumed where a capture's size is not known yet.
const FRAME: (i32, i32) = (4096, 2160);

struct JobRow {
    name: String,
    href: String,
    word: &'static str,
    tone: &'static str,
    became: &'static str,
    why: Option<String>,
    when: Ago,
}

#[derive(Template)]
#[template(path = "capture.html")]
struct CapturePage {
    at: At,
    id: i64,
    taken: String,
    alt: String,
    station: Option<(String, String)>,
    session: Option<(String, String)>,
    path: String,
    size: String,
    processed: Option<Ago>,
    original: Option<String>,
    /// What is shown of it on this page, from this server.
    shown: Option<String>,
    width: i32,
    height: i32,
    font: i32,
    found: String,
    boxes: Vec<BoxView>,
    /// How many boxes there are, are drawn and are listed, where that is not all the same.
    more: Option<(u64, u64, u64)>,
    /// How many of the boxes pass the project's default filters, where not all do.
    passing: Option<i64>,
    place: Option<String>,
    previous: Option<String>,
    next: Option<String>,
    list: String,
    query: String,
    starred: bool,
    may_star: bool,
    jobs: Vec<JobRow>,
    api: String,
}

/// The capture of this project, and the project.
async fn find(
    state: &AppState,
    who: &Who,
    project: i64,
    id: i64,
) -> Result<(At, Capture), PageError> {
    let at = At::open(state, who, project, Part::Captures).await?;
    let capture = state.store.capture(id).await?;
    at.must_own(capture.project_id)?;
    Ok((at, capture))
}

/// A query with its question mark, where there is one.
fn marked(query: &str) -> String {
    match query {
        "" => String::new(),
        query => format!("?{query}"),
    }
}

/// The page.
pub async fn show(
    State(state): State<AppState>,
    who: Who,
    Path((project, id)): Path<(i64, i64)>,
    RawQuery(query): RawQuery,
) -> PageResult {
    let (at, capture) = find(&state, &who, project, id).await?;
    let query = tidy(query.as_deref().unwrap_or_default()).with(&[]);
    let store = &state.store;
    let boxes = store.labelled_boxes(id, BOXES).await?;
    let places = store.locations(std::slice::from_ref(&capture)).await?;
    let beside = store.beside(&capture).await?;
    let (previous, next) = match &beside {
        Some(beside) => (beside.previous, beside.next),
        None => store.beside_at_station(&capture).await?,
    };
    let step = |id: Option<i64>| id.map(|id| at.path(&format!("/captures/{id}{}", marked(&query))));
    let starred = store.starred_among(project, &[id]).await?;
    let touched = store.jobs_that_touched(&capture).await?;
    let (station, session) = around(&state, &at, &capture).await?;
    let known = capture.width.zip(capture.height);
    let (width, height) = known.filter(|(w, h)| *w > 0 && *h > 0).unwrap_or(FRAME);
    let boxes = boxes::views(&at, &boxes);
    let taken = model::taken(capture.taken_at);
    let (all, passing) = (capture.boxes_count, capture.detections_count);
    let page = CapturePage {
        id,
        alt: match &station {
            Some((station, _)) => format!("Capture of {taken} at {station}"),
            None => format!("Capture of {taken}"),
        },
        station,
        session,
        size: worded(&capture),
        processed: capture.last_processed_at.map(Ago::of),
        original: places
            .get(&id)
            .map(|place| media::page_address(&state.links, place)),
        shown: places.get(&id).map(|place| shown(&state.links, id, place)),
        width,
        height,
        font: (width / 110).max(12),
        found: super::captures::found(&capture),
        more: more(all, boxes.len()),
        boxes,
        passing: Some(passing).filter(|passing| *passing < all),
        place: beside.as_ref().map(place),
        previous: step(previous),
        next: step(next),
        list: list(&at, &query, &capture),
        query: marked(&query),
        starred: starred.contains(&id),
        may_star: at.may_change("star_sourceimage"),
        jobs: touched.iter().take(JOBS).map(|job| row(&at, job)).collect(),
        api: format!("/api/v2/captures/{id}/?project_id={project}"),
        path: capture.path,
        taken,
        at,
    };
    Ok(Html(page.render()?))
}

/// The address of the picture on the page. What lies elsewhere is not fetched from there: a page
/// would tell another server who looks at what, so its largest thumbnail, made here, is shown.
fn shown(links: &Links, id: i64, place: &Location) -> String {
    match place {
        Location::Folder { .. } | Location::Kept { .. } => media::page_address(links, place),
        Location::Bucket { .. } | Location::Web { .. } => {
            media::thumbnail::address(links, id, media::thumbnail::LARGEST)
        }
    }
}

/// How many boxes there are, are drawn and are listed, where that is not all the same.
fn more(all: i64, drawn: usize) -> Option<(u64, u64, u64)> {
    let (all, listed) = (all.unsigned_abs(), drawn.min(LISTED) as u64);
    (all > listed).then_some((all, drawn as u64, listed))
}

impl CapturePage {
    /// The boxes that are listed.
    fn listed(&self) -> &[BoxView] {
        &self.boxes[..self.boxes.len().min(LISTED)]
    }
}

/// "12 of 240"
fn place(beside: &Beside) -> String {
    format!("{} of {}", grouped(beside.place), grouped(beside.total))
}

/// The list that leads here: the one that it was opened from, or that of its night.
fn list(at: &At, query: &str, capture: &Capture) -> String {
    let night = capture.session_id.map(|id| format!("session={id}"));
    let query = match query {
        "" => night.unwrap_or_default(),
        query => query.to_owned(),
    };
    at.path(&format!("/captures{}", marked(&query)))
}

/// Pixels and bytes, as far as they are known.
fn worded(capture: &Capture) -> String {
    let pixels = capture.width.zip(capture.height);
    let pixels = pixels.map(|(width, height)| format!("{width} × {height} pixels"));
    let bytes = capture.size.map(size::display);
    let both: Vec<String> = pixels.into_iter().chain(bytes).collect();
    both.join(", ")
}

type Named = Option<(String, String)>;

/// The station and the session of a capture, each with where its captures are.
async fn around(state: &AppState, at: &At, capture: &Capture) -> Result<(Named, Named), PageError> {
    let station = match capture.station_id {
        Some(id) => {
            let name = model::named(&state.store.station(id).await?.name);
            Some((name, at.path(&format!("/captures?station={id}"))))
        }
        None => None,
    };
    let session = match capture.session_id {
        Some(id) => {
            let session = state.store.session(id).await?;
            let night = session_label(session.start_at, session.end_at);
            Some((night, at.path(&format!("/sessions/{id}"))))
        }
        None => None,
    };
    Ok((station, session))
}

fn row(at: &At, touched: &Touched) -> JobRow {
    let Touched { job, touch } = touched;
    let (became, why) = match touch {
        Touch::Asked => ("not reached yet", None),
        Touch::Open => ("waits for its result", None),
        Touch::Done => ("processed", None),
        Touch::Failed(why) => ("failed", Some(why.clone())),
    };
    let when = job.finished_at.or(job.started_at).unwrap_or(job.created_at);
    JobRow {
        name: model::named(&job.name),
        href: at.path(&format!("/jobs/{}", job.id)),
        word: job.job_state().word(),
        tone: model::tone(job.job_state()),
        became,
        why,
        when: Ago::of(when),
    }
}

/// Stars the capture or takes its star away, and shows it again.
pub async fn star(
    State(state): State<AppState>,
    who: Who,
    Path((project, id)): Path<(i64, i64)>,
    RawQuery(query): RawQuery,
    act: Act,
    sent: Sent,
) -> Result<Response, PageError> {
    let (at, _) = find(&state, &who, project, id).await?;
    let query = tidy(query.as_deref().unwrap_or_default()).with(&[]);
    let (deed, done) = match sent.ticked("on") {
        true => ("star", "The capture has a star."),
        false => ("unstar", "The capture has no star any more."),
    };
    let answer = act
        .post(&format!("/captures/{id}/{deed}/"), json!({}))
        .await;
    let words = answer.map(|_| done.to_owned()).or_else(Refused::words)?;
    let page = at.path(&format!("/captures/{id}{}", marked(&query)));
    Ok(said::go(&state.links, &page, &words))
}
