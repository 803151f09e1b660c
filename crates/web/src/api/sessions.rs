//! `/api/v2/events/`: sessions, with their timeline and charts (`ui.md` §A.8, `domain-rules.md`
//! §4). They are made by grouping a station's captures and only read here.

use axum::Json;
use axum::extract::Path;
use axum::routing::get;
use domain::permission::{Action, ProjectFacts};
use domain::session::{duration_label, session_label, session_name};
use rest::allow::{DETAIL, LIST, READ};
use rest::page::{Envelope, Page};
use rest::time::{instant, naive, seconds};
use rest::zone::Zone;
use rest::{ApiError, ApiResult, Form, How, JsonBody};
use serde_json::{Map, Value, json};
use store::capture::Capture;
use store::defaults::Defaults;
use store::project::Project;
use store::session::{Moment, Session, SessionFilter, SessionOrder};

use super::choice::{exists, row};
use super::nested::Nested;
use super::{defaults, internal, only_jobs};
use crate::call::{Call, number};
use crate::views::{Answer, View, view};

pub mod charts;
pub mod fields;

/// Taxa in the chart of those seen most.
const TOP_TAXA: u64 = 10;

/// Its addresses.
pub const VIEWS: &[View] = &[
    view(
        "/events",
        "Event List",
        LIST,
        fields::ABOUT,
        fields::FIELDS,
        || get(list).post(create),
    )
    .filters(fields::FILTERS)
    .orders(&SessionOrder::NAMES)
    .refused(&["POST"])
    .in_root()
    .shows(fields::ROW),
    view(
        "/events/{id}",
        "Event Instance",
        DETAIL,
        fields::ABOUT,
        fields::FIELDS,
        || {
            get(detail)
                .put(only_jobs)
                .patch(only_jobs)
                .delete(only_jobs)
        },
    )
    .filters(fields::ONE)
    .refused(&["PUT", "PATCH", "DELETE"]),
    view(
        "/events/{id}/timeline",
        "timeline",
        READ,
        fields::TIMELINE,
        &[],
        || get(timeline),
    )
    .filters(fields::TIMELINE_FILTERS)
    .got(&[Answer::Open]),
];

fn head(nested: &Nested<'_>, call: &Call, session: &Session, station: Value) -> Map<String, Value> {
    let (start, end) = (session.start_at, session.end_at);
    let length = end.unwrap_or_else(|| Zone::current().local(store::now())) - start;
    let mut map = Map::new();
    for (key, value) in [
        ("id", json!(session.id)),
        ("name", json!(session_name(start, end))),
        ("details", json!(call.addresses.row("events", session.id))),
        ("deployment", station),
        ("start", json!(naive(start))),
        ("end", json!(end.map(naive))),
        ("day", json!(session.day)),
        ("date_label", json!(session_label(start, end))),
        ("duration", json!(seconds(length))),
        ("duration_label", json!(duration_label(length))),
        ("captures_count", json!(session.captures_count)),
        ("detections_count", json!(session.detections_count)),
        ("occurrences_count", json!(session.occurrences_count)),
    ] {
        map.insert(key.into(), value);
    }
    map.insert("user_permissions".into(), nested.shared_permissions());
    map
}

/// What every session ends with; the permissions come last.
fn tail(map: &mut Map<String, Value>, session: &Session) {
    map.insert("created_at".into(), json!(instant(session.created_at)));
    map.insert("updated_at".into(), json!(instant(session.updated_at)));
    let permissions = map.shift_remove("user_permissions");
    map.insert("user_permissions".into(), permissions.unwrap_or_default());
}

/// A page of sessions, the earliest first.
pub async fn list(call: Call) -> ApiResult<Json<Envelope<Value>>> {
    let (query, store) = (&call.query, call.store());
    let filter = SessionFilter {
        project_id: query.integer("project_id", 0)?,
        visible: call.visible().await?,
        station_id: match row(query, "deployment")? {
            Some(id) => Some(exists("deployment", id, store.station(id).await)?),
            None => None,
        },
    };
    let order: Vec<(SessionOrder, bool)> = query
        .ordering(&SessionOrder::NAMES)
        .iter()
        .filter_map(|by| Some((SessionOrder::from_name(by.field)?, by.descending)))
        .collect();
    let page = Page::read(query);
    let found = store
        .sessions_page(&filter, &order, page.limit, page.offset)
        .await;
    let (sessions, count) = found.map_err(internal)?;
    let rows = items(&call, &sessions).await?;
    let words = call.list_words("event").await?;
    Ok(Json(call.envelope("events", page, count, rows, words)))
}

async fn items(call: &Call, sessions: &[Session]) -> ApiResult<Vec<Value>> {
    let store = call.store();
    let ids: Vec<i64> = sessions.iter().map(|s| s.id).collect();
    let stations: Vec<i64> = sessions.iter().filter_map(|s| s.station_id).collect();
    let stations = store.stations_by_id(&stations).await.map_err(internal)?;
    let examples = store.examples(&ids).await.map_err(internal)?;
    let places = store.locations(&examples).await.map_err(internal)?;
    let nested = Nested::of(call, sessions.iter().filter_map(|s| s.project_id)).await?;
    let item = |session: &Session| {
        let station = stations.iter().find(|s| Some(s.id) == session.station_id);
        let station = json!(station.map(|s| nested.station(s)));
        let mut map = head(&nested, call, session, station);
        let own = examples.iter().filter(|c| c.session_id == Some(session.id));
        let shown: Vec<Value> = own
            .map(|capture| {
                let mut map = nested.capture(capture, &places);
                map.insert("thumbnails".into(), nested.thumbnails(capture));
                map.insert(
                    "user_permissions".into(),
                    nested.capture_permissions(capture),
                );
                Value::Object(map)
            })
            .collect();
        let captures = nested.list("captures", &format!("event={}", session.id));
        map.insert("taxa_count".into(), json!(session.taxa_count));
        map.insert("captures".into(), json!(captures));
        map.insert("example_captures".into(), json!(shown));
        tail(&mut map, session);
        Value::Object(map)
    };
    Ok(sessions.iter().map(item).collect())
}

async fn find(call: &Call, id: &str) -> ApiResult<(Session, Project, ProjectFacts)> {
    let session = call.store().session(number(id)?).await.map_err(internal)?;
    let project = session.project_id.ok_or(ApiError::NotFound)?;
    let (project, facts) = call.project(project).await?;
    call.permit(&facts, Action::View)?;
    Ok((session, project, facts))
}

/// One session with its first capture and its charts.
pub async fn detail(call: Call, Path(id): Path<String>) -> ApiResult<Json<Value>> {
    let (session, project, facts) = find(&call, &id).await?;
    let store = call.store();
    let nested = Nested::within(&call, project.id, facts);
    let station = match session.station_id {
        Some(id) => json!(nested.station(&store.station(id).await.map_err(internal)?)),
        None => Value::Null,
    };
    let moments = store.moments(session.id).await.map_err(internal)?;
    let filters = defaults(&call, &project);
    let taxa = store
        .top_taxa_of_session(session.id, &filters, TOP_TAXA)
        .await;
    let taxa = taxa.map_err(internal)?;
    let counts = || moments.iter().map(|m| m.detections);
    let captures = format!("event={}&ordering=timestamp", session.id);
    let first = first_capture(&call, &nested, moments.first()).await?;
    let offset = page_offset(&call, &session, &moments).await?;
    let mut map = head(&nested, &call, &session, station);
    for (key, value) in [
        (
            "stats",
            json!({
                "detections_max_count": counts().max(),
                "detections_min_count": counts().min(),
            }),
        ),
        ("taxa_count", json!(session.taxa_count)),
        ("captures", json!(nested.list("captures", &captures))),
        ("first_capture", first),
        ("summary_data", charts::charts(&moments, &taxa)),
        ("capture_page_offset", json!(offset)),
    ] {
        map.insert(key.into(), value);
    }
    tail(&mut map, &session);
    Ok(Json(Value::Object(map)))
}

async fn first_capture(
    call: &Call,
    nested: &Nested<'_>,
    first: Option<&Moment>,
) -> ApiResult<Value> {
    let Some(first) = first else {
        return Ok(Value::Null);
    };
    let store = call.store();
    let capture = store.capture(first.capture).await.map_err(internal)?;
    let places = store.locations(std::slice::from_ref(&capture)).await;
    let places = places.map_err(internal)?;
    let all = Defaults::default(); // whether they pass is not shown here
    let mut found = store
        .found_on(&[capture.id], &all)
        .await
        .map_err(internal)?;
    let found = found.remove(&capture.id).unwrap_or_default();
    let found: Vec<Value> = found
        .iter()
        .map(|found| nested.found(found, None))
        .collect();
    let mut map = nested.capture(&capture, &places);
    map.insert("detections_count".into(), json!(capture.detections_count));
    map.insert("detections".into(), json!(found));
    map.insert("thumbnails".into(), nested.thumbnails(&capture));
    map.insert(
        "user_permissions".into(),
        nested.capture_permissions(&capture),
    );
    Ok(Value::Object(map))
}

/// Where the capture or the occurrence that the query names stands in the session.
async fn page_offset(
    call: &Call,
    session: &Session,
    moments: &[Moment],
) -> ApiResult<Option<usize>> {
    let store = call.store();
    let mut wanted = call.query.integer("capture", 0)?;
    if let (None, Some(id)) = (wanted, call.query.integer("occurrence", 0)?) {
        wanted = store.first_capture_of(id).await.map_err(internal)?;
    }
    let Some(wanted) = wanted else {
        return Ok(None);
    };
    let capture: Option<Capture> = crate::call::found(store.capture(wanted).await)?;
    let capture = capture.filter(|c| c.session_id == Some(session.id));
    let at = capture.and_then(|c| c.taken_at);
    Ok(at.map(|at| moments.partition_point(|m| m.at < at)))
}

/// A session in intervals.
pub async fn timeline(call: Call, Path(id): Path<String>) -> ApiResult<Json<Value>> {
    let minutes = call.query.integer("resolution_minutes", 1)?.unwrap_or(1);
    let (session, _, facts) = find(&call, &id).await?;
    let nested = Nested::within(&call, session.project_id.unwrap_or(0), facts);
    let moments = call.store().moments(session.id).await.map_err(internal)?;
    let intervals = charts::intervals(&moments, minutes);
    let capture = |moment: Option<&Moment>| {
        moment.map(|moment| {
            json!({
                "id": moment.capture,
                "details": call.addresses.row("captures", moment.capture),
                "user_permissions": nested.shared_permissions(),
            })
        })
    };
    let item = |interval: &charts::Interval<'_>| {
        let count = interval.moments.len();
        let detections = interval.detections();
        let average = i64::try_from(count).unwrap_or(1).max(1);
        json!({
            "start": naive(interval.start),
            "end": naive(interval.end),
            "first_capture": capture(interval.moments.first()),
            "top_capture": capture(interval.top()),
            "captures_count": count,
            "detections_count": detections,
            "detections_avg": detections / average,
            "was_processed": interval.moments.iter().any(|m| m.processed),
        })
    };
    let data: Vec<Value> = intervals.iter().map(item).collect();
    let meta = charts::meta(&intervals, minutes);
    Ok(Json(json!({"data": data, "meta": meta})))
}

/// Refuses: sessions are made of captures.
pub async fn create(call: Call, body: JsonBody) -> ApiResult<Json<Value>> {
    call.permit_shared()?;
    Form::read(fields::FIELDS, body, How::Whole)?.finish()?;
    Err(only_jobs(call, JsonBody::default()).await)
}
