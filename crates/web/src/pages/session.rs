//! One session: a night at a station as a timeline of captures and detections with pictures on it,
//! what was seen most, and the nights before and after. A session's captures are few enough to be
//! read whole; what of them is shown is bounded.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Html;
use axum::routing::get;
use chrono::NaiveDateTime;
use domain::session::session_name;
use store::defaults::Defaults;
use store::session::{Moment, Session};

use super::at::{At, Part};
use super::bars::Bars;
use super::columns::{counted, figure};
use super::sessions::{Picture, lasted, times};
use super::{PageResult, Route, model};
use crate::AppState;
use crate::api::sessions::charts::{Interval, intervals};
use crate::auth::Who;
use crate::media::thumbnail;

/// Its addresses.
pub const ROUTES: &[Route] = &[("/projects/{project}/sessions/{session}", || get(show))];

/// Bars of a plot at most.
const BARS: i64 = 72;
/// Lengths of an interval in minutes that read well.
const MINUTES: [i64; 10] = [1, 2, 5, 10, 15, 20, 30, 60, 120, 240];
/// Pictures on the timeline at most, one for each part of the night.
const PICTURES: i32 = 12;
/// Taxa that are named: those seen most.
const TAXA: u64 = 10;

/// A part of the night with the capture on which most was found.
struct Slot {
    picture: Option<Picture>,
    time: String,
    words: String,
}

#[derive(Template)]
#[template(path = "session.html")]
struct SessionPage {
    at: At,
    name: String,
    station: Option<(String, String)>,
    times: String,
    lasted: String,
    figures: Vec<(&'static str, String)>,
    minutes: i64,
    plots: Vec<Bars>,
    slots: Vec<Slot>,
    taxa: Vec<(String, i64)>,
    captures: String,
    before: Option<(String, String)>,
    after: Option<(String, String)>,
    list: String,
    api: String,
}

/// The page.
pub async fn show(
    State(state): State<AppState>,
    who: Who,
    Path((project, id)): Path<(i64, i64)>,
) -> PageResult {
    let at = At::open(&state, &who, project, Part::Sessions).await?;
    let store = &state.store;
    let session = store.session(id).await?;
    at.must_own(session.project_id)?;
    let moments = store.moments(id).await?;
    let station = match session.station_id {
        Some(id) => Some((id, store.station(id).await?.name)),
        None => None,
    };
    let (before, after) = store.nights_beside(&session).await?;
    let defaults = Defaults::of(&at.project);
    let taxa = store.top_taxa_of_session(id, &defaults, TAXA).await?;
    let minutes = minutes_of(&moments);
    let night = |session: &Session| {
        let href = at.path(&format!("/sessions/{}", session.id));
        (session_name(session.start_at, session.end_at), href)
    };
    let list = session.station_id.map(|id| format!("?station={id}"));
    let page = SessionPage {
        name: session_name(session.start_at, session.end_at),
        times: times(&session),
        lasted: lasted(&session),
        station: station.map(|(id, name)| {
            let href = at.path(&format!("/captures?station={id}"));
            (model::named(&name), href)
        }),
        figures: vec![
            figure(session.captures_count, "capture", "captures"),
            figure(session.detections_count, "detection", "detections"),
            figure(session.occurrences_count, "occurrence", "occurrences"),
            figure(session.taxa_count, "taxon", "taxa"),
        ],
        minutes,
        plots: plots(&at, &session, &intervals(&moments, minutes)),
        slots: slots(&state, &at, &session, &moments),
        taxa,
        captures: at.path(&format!("/captures?session={id}")),
        before: before.as_ref().map(night),
        after: after.as_ref().map(night),
        list: at.path(&format!("/sessions{}", list.unwrap_or_default())),
        api: format!("/api/v2/events/{id}/"),
        at,
    };
    Ok(Html(page.render()?))
}

/// How long an interval is, so that a plot has enough of them and not too many.
fn minutes_of(moments: &[Moment]) -> i64 {
    let (Some(first), Some(last)) = (moments.first(), moments.last()) else {
        return MINUTES[0];
    };
    let all = (last.at - first.at).num_minutes();
    let enough = MINUTES.into_iter().find(|minutes| all <= minutes * BARS);
    enough.unwrap_or_else(|| all.div_euclid(BARS) + 1)
}

fn plots(at: &At, session: &Session, intervals: &[Interval<'_>]) -> Vec<Bars> {
    let href = |interval: &Interval<'_>| {
        let time = |time: NaiveDateTime| time.format("%Y-%m-%dT%H:%M:%S").to_string();
        let (from, to) = (time(interval.start), time(interval.end));
        at.path(&format!(
            "/captures?session={}&from={from}&to={to}",
            session.id
        ))
    };
    let bars = |title, number: fn(&Interval<'_>) -> i64| {
        let bar = |interval: &Interval<'_>| {
            let number = number(interval);
            let href = (!interval.moments.is_empty()).then(|| href(interval));
            (interval.start.format("%H:%M").to_string(), number, href)
        };
        Bars::of(title, "From", intervals.iter().map(bar).collect())
    };
    let captures = bars("Captures", |interval| interval.moments.len() as i64);
    let detections = bars("Detections", |interval| interval.detections());
    [captures, detections].into_iter().flatten().collect()
}

/// The night in parts of equal length, each with its picture.
fn slots(state: &AppState, at: &At, session: &Session, moments: &[Moment]) -> Vec<Slot> {
    let (Some(first), Some(last)) = (moments.first(), moments.last()) else {
        return Vec::new();
    };
    let count = PICTURES.min(i32::try_from(moments.len()).unwrap_or(PICTURES));
    let part = (last.at - first.at) / count.max(1);
    let mut rest = moments;
    let mut slots = Vec::new();
    for place in 1..=count {
        let end = match place == count {
            true => last.at,
            false => first.at + part * place,
        };
        let within = rest.partition_point(|moment| moment.at <= end);
        let (own, later) = rest.split_at(within);
        rest = later;
        slots.push(slot(state, at, session, end - part, own));
    }
    slots
}

fn slot(
    state: &AppState,
    at: &At,
    session: &Session,
    start: NaiveDateTime,
    moments: &[Moment],
) -> Slot {
    // Of several alike the one in the middle, so that pictures are not crowded at the edges.
    let most = moments.iter().map(|moment| moment.detections).max();
    let top: Vec<&Moment> = moments
        .iter()
        .filter(|moment| Some(moment.detections) == most)
        .collect();
    let Some(top) = top.get(top.len() / 2) else {
        return Slot {
            picture: None,
            time: start.format("%H:%M").to_string(),
            words: "no capture".to_owned(),
        };
    };
    let time = top.at.format("%H:%M").to_string();
    Slot {
        words: match (top.processed, top.detections) {
            (false, _) => "not processed".to_owned(),
            (true, count) => counted(count.unsigned_abs(), "detection", "detections"),
        },
        picture: Some(Picture {
            href: at.path(&format!("/captures/{}?session={}", top.capture, session.id)),
            thumbnail: thumbnail::page_address(&state.links, top.capture),
            alt: format!("Capture of {time}"),
        }),
        time,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeDelta;

    #[test]
    fn a_plot_has_enough_bars_and_not_too_many() {
        let moments = |minutes: i64| {
            let start = NaiveDateTime::default();
            let at = [start, start + TimeDelta::minutes(minutes)];
            at.map(|at| Moment {
                capture: 1,
                at,
                detections: 0,
                processed: true,
            })
        };
        assert_eq!(minutes_of(&[]), 1);
        assert_eq!(minutes_of(&moments(0)), 1);
        assert_eq!(minutes_of(&moments(8 * 60)), 10);
        for minutes in [1, 71, 72, 73, 1000, 100_000] {
            let moments = moments(minutes);
            let step = minutes_of(&moments);
            assert!(intervals(&moments, step).len() as i64 <= BARS, "{minutes}");
        }
    }
}
