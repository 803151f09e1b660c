//! A capture as the API shows it, in lists and alone (`ui.md` §A.5). Everything a page points to
//! is read in one statement per table.

use std::collections::HashMap;

use domain::permission::ProjectFacts;
use domain::storage::Location;
use rest::ApiResult;
use rest::size;
use rest::time::{instant, naive};
use serde_json::{Map, Value, json};
use store::capture::{Capture, Found, Neighbours};
use store::defaults::Defaults;
use store::project::Project;
use store::session::Session;
use store::station::Station;

use super::super::internal;
use super::super::nested::{self, Nested};
use crate::call::Call;

/// What a page of captures points to.
pub struct Around<'a> {
    nested: Nested<'a>,
    stations: HashMap<i64, Station>,
    sessions: HashMap<i64, Session>,
    places: HashMap<i64, Location>,
    counts: Option<HashMap<i64, (i64, i64)>>,
    found: Option<HashMap<i64, Vec<Found>>>,
    defaults: Defaults,
}

/// What else of each capture is shown.
#[derive(Clone, Copy, Default)]
pub struct More {
    /// How many occurrences and taxa are on it.
    pub counts: bool,
    /// The boxes on it.
    pub detections: bool,
}

impl<'a> Around<'a> {
    /// Reads it all.
    pub async fn read(
        call: &'a Call,
        (project, facts): (&Project, ProjectFacts),
        captures: &[Capture],
        more: More,
    ) -> ApiResult<Around<'a>> {
        let store = call.store();
        let defaults = super::super::defaults(call, project);
        let ids: Vec<i64> = captures.iter().map(|c| c.id).collect();
        let some = |pick: fn(&Capture) -> Option<i64>| {
            let mut ids: Vec<i64> = captures.iter().filter_map(pick).collect();
            ids.sort_unstable();
            ids.dedup();
            ids
        };
        let stations = store.stations_by_id(&some(|c| c.station_id)).await;
        let stations = stations.map_err(internal)?.into_iter();
        let sessions = store.sessions_by_id(&some(|c| c.session_id)).await;
        let counts = match more.counts {
            true => Some(store.valid_on(&ids, &defaults).await.map_err(internal)?),
            false => None,
        };
        let found = match more.detections {
            true => Some(store.found_on(&ids, &defaults).await.map_err(internal)?),
            false => None,
        };
        Ok(Around {
            nested: Nested::within(call, project.id, facts),
            stations: stations.map(|station| (station.id, station)).collect(),
            sessions: sessions.map_err(internal)?,
            places: store.locations(captures).await.map_err(internal)?,
            counts,
            found,
            defaults,
        })
    }

    /// A capture of a list.
    pub fn item(&self, call: &Call, capture: &Capture) -> Value {
        let mut map = self.head(call, capture);
        let processed = capture.last_processed_at.map(instant);
        map.insert("last_processed".into(), json!(processed));
        if self.found.is_some() {
            map.insert("detections".into(), self.detections(capture));
        }
        map.insert("project".into(), json!(capture.project_id));
        self.tail(&mut map, capture);
        Value::Object(map)
    }

    /// A capture alone; `brief` is the answer to a change, which shows no results.
    pub async fn whole(&self, call: &Call, capture: &Capture, brief: bool) -> ApiResult<Value> {
        let store = call.store();
        let jobs = store.jobs_of_capture(capture.id).await.map_err(internal)?;
        let sets = store.sets_with(capture.id).await.map_err(internal)?;
        let mut map = self.head(call, capture);
        let mut neighbours = Neighbours::default();
        if !brief {
            let processed = capture.last_processed_at.map(instant);
            map.insert("last_processed".into(), json!(processed));
            map.insert("detections".into(), self.detections(capture));
            neighbours = store.neighbours(capture).await.map_err(internal)?;
        }
        let jobs: Vec<Value> = jobs.iter().map(|job| self.nested.job(job)).collect();
        let sets: Vec<Value> = sets.iter().map(|set| self.nested.set(set)).collect();
        for (key, value) in [
            ("project", json!(capture.project_id)),
            ("uploaded_by", json!(capture.uploaded_by_id)),
            ("test_image", json!(capture.test_image)),
            ("jobs", json!(jobs)),
            ("collections", json!(sets)),
            ("event_next_capture_id", json!(neighbours.next)),
            ("event_prev_capture_id", json!(neighbours.previous)),
            ("event_current_capture_index", json!(neighbours.index)),
            ("event_total_captures", json!(neighbours.total)),
        ] {
            map.insert(key.into(), value);
        }
        self.tail(&mut map, capture);
        Ok(Value::Object(map))
    }

    fn head(&self, call: &Call, capture: &Capture) -> Map<String, Value> {
        let station = capture.station_id.and_then(|id| self.stations.get(&id));
        let session = capture.session_id.and_then(|id| self.sessions.get(&id));
        let counts = self.counts.as_ref();
        let counts = counts.map(|all| all.get(&capture.id).copied().unwrap_or_default());
        let (occurrences, taxa) = counts.unzip();
        let mut map = Map::new();
        for (key, value) in [
            ("id", json!(capture.id)),
            ("details", json!(call.addresses.row("captures", capture.id))),
            ("deployment", json!(station.map(|s| self.nested.station(s)))),
            ("event", json!(session.map(|s| self.nested.session(s)))),
            ("url", json!(self.nested.photograph(capture, &self.places))),
            ("path", json!(capture.path)),
            ("timestamp", json!(capture.taken_at.map(naive))),
            ("width", json!(capture.width)),
            ("height", json!(capture.height)),
            ("size", json!(capture.size)),
            (
                "size_display",
                json!(size::display(capture.size.unwrap_or(0))),
            ),
            ("detections_count", json!(nested::detections_count(capture))),
            ("occurrences_count", json!(occurrences)),
            ("taxa_count", json!(taxa)),
        ] {
            map.insert(key.into(), value);
        }
        map
    }

    fn tail(&self, map: &mut Map<String, Value>, capture: &Capture) {
        let permissions = self.nested.capture_permissions(capture);
        map.insert("thumbnails".into(), self.nested.thumbnails(capture));
        map.insert("user_permissions".into(), permissions);
    }

    fn detections(&self, capture: &Capture) -> Value {
        let found = self.found.as_ref().and_then(|all| all.get(&capture.id));
        let shown = found.into_iter().flatten().map(|found| {
            let passes = match &found.seen {
                Some(seen) => seen.passes,
                None => self.defaults == Defaults::default(),
            };
            self.nested.found(found, Some(passes))
        });
        Value::Array(shown.collect())
    }
}
