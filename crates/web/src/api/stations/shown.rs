//! A station as the API shows it, in a list and alone (`ui.md` §A.6). Everything that a page of
//! stations points to is read in one statement per table.

use std::collections::HashMap;

use domain::permission::{
    ProjectFacts, capture_permissions, deployment_permissions, object_permissions,
    pipeline_permissions, storage_permissions,
};
use domain::session::session_name;
use rest::ApiResult;
use rest::time::{instant, naive};
use serde_json::{Map, Value, json};
use store::capture::Capture;
use store::job::Job;
use store::place::{Place, PlaceKind};
use store::project::Project;
use store::session::Session;
use store::station::Station;

use super::super::internal;
use super::super::nested::{self, Nested};
use super::super::storage::{Place as Lies, uri};
use crate::call::Call;
use crate::{media, pictures};

/// Jobs that a station shows: the newest.
const JOBS: i64 = 10;

/// Captures that a station shows.
const CAPTURES: u64 = 10;

/// What a page of stations points to.
pub struct Around<'a> {
    call: &'a Call,
    projects: HashMap<i64, Project>,
    nested: Nested<'a>,
    devices: HashMap<i64, Place>,
    sites: HashMap<i64, Place>,
    jobs: HashMap<i64, Vec<Job>>,
}

impl<'a> Around<'a> {
    /// Reads it all.
    pub async fn read(call: &'a Call, stations: &[Station]) -> ApiResult<Around<'a>> {
        let ids = |pick: fn(&Station) -> Option<i64>| {
            let mut ids: Vec<i64> = stations.iter().filter_map(pick).collect();
            ids.sort_unstable();
            ids.dedup();
            ids
        };
        let store = call.store();
        let jobs = store.jobs_of_stations(&ids(|s| Some(s.id)), JOBS).await;
        let jobs = jobs.map_err(internal)?;
        let projects = store.projects_by_id(&ids(|s| s.project_id)).await;
        // A job may belong to another project, and what one may do with it is decided there.
        let of_jobs = jobs.values().flatten().map(|job| job.project_id);
        let nested = Nested::of(call, ids(|s| s.project_id).into_iter().chain(of_jobs)).await?;
        let places = async |kind, ids: Vec<i64>| {
            let places = store.places_by_id(kind, &ids).await.map_err(internal)?;
            let by_id = places.into_iter().map(|place| (place.id, place));
            ApiResult::Ok(by_id.collect::<HashMap<_, _>>())
        };
        Ok(Around {
            projects: by_id(projects.map_err(internal)?),
            nested,
            devices: places(PlaceKind::Device, ids(|s| s.device_id)).await?,
            sites: places(PlaceKind::Site, ids(|s| s.site_id)).await?,
            jobs,
            call,
        })
    }

    fn facts(&self, station: &Station) -> ProjectFacts {
        self.nested.facts(station.project_id)
    }

    fn place(&self, place: Option<&Place>, path: &str, model: &str, of: &Station) -> Value {
        let Some(place) = place else {
            return Value::Null;
        };
        let caller = self.call.who.caller();
        json!({
            "id": place.id,
            "name": place.name,
            "details": self.call.addresses.row(path, place.id),
            "user_permissions": object_permissions(caller, &self.facts(of), model),
        })
    }

    /// What a list and a station alone have in common, without what the caller may do.
    fn common(&self, station: &Station, sessions: Value) -> Map<String, Value> {
        let (call, id) = (self.call, station.id);
        let facts = self.facts(station);
        let project = station.project_id.and_then(|id| self.projects.get(&id));
        let jobs = self.jobs.get(&id).into_iter().flatten();
        let jobs: Vec<Value> = jobs.map(|job| self.nested.job(job)).collect();
        let day = |time: Option<chrono::NaiveDateTime>| time.map(|t| t.date().to_string());
        let device = station.device_id.and_then(|id| self.devices.get(&id));
        let site = station.site_id.and_then(|id| self.sites.get(&id));
        let occurrences = call.addresses.bare("occurrences");
        let value = json!({
            "id": id,
            "name": station.name,
            "details": call.addresses.row("deployments", id),
            "image": pictures::address(&call.state.links, station.image.as_deref()),
            "events": sessions,
            "occurrences": format!("{occurrences}?deployment={id}"),
            "events_count": station.sessions_count,
            "captures_count": station.captures_count,
            "occurrences_count": station.occurrences_count,
            "taxa_count": station.taxa_count,
            "project": project.map(|project| nested::project(call, project, &facts)),
            "created_at": instant(station.created_at),
            "updated_at": instant(station.updated_at),
            "latitude": station.latitude,
            "longitude": station.longitude,
            "first_date": day(station.first_capture_at),
            "last_date": day(station.last_capture_at),
            "device": self.place(device, "deployments/devices", "device", station),
            "research_site": self.place(site, "deployments/sites", "site", station),
            "jobs": jobs,
            "data_source_connected": station.source_id.is_some(),
        });
        match value {
            Value::Object(map) => map,
            _ => Map::new(),
        }
    }

    fn permissions(&self, station: &Station) -> Value {
        let caller = self.call.who.caller();
        json!(deployment_permissions(caller, &self.facts(station)))
    }

    /// A station of a list.
    pub fn row(&self, station: &Station) -> Value {
        let sessions = self.call.addresses.bare("events");
        let sessions = json!(format!("{sessions}?deployment={}", station.id));
        let mut map = self.common(station, sessions);
        map.insert("user_permissions".into(), self.permissions(station));
        Value::Object(map)
    }

    fn sessions(&self, sessions: &[Session]) -> Value {
        let call = self.call;
        let shown = |session: &Session| {
            json!({
                "id": session.id,
                "name": session_name(session.start_at, session.end_at),
                "details": call.addresses.row("events", session.id),
                "occurrences_count": session.occurrences_count,
                // Counted in the lists of sessions only, as in the reference.
                "taxa_count": 0,
                "user_permissions": pipeline_permissions(call.who.caller()),
            })
        };
        sessions.iter().map(shown).collect()
    }

    async fn captures(&self, station: &Station, captures: &[Capture]) -> ApiResult<Value> {
        let call = self.call;
        let mut places = call.store().locations(captures).await.map_err(internal)?;
        let facts = self.facts(station);
        let shown = |capture: &Capture| {
            let url = places.remove(&capture.id);
            let session = capture.session_id.map(|id| {
                json!({
                    "id": id,
                    "details": call.addresses.row("events", id),
                    "user_permissions": pipeline_permissions(call.who.caller()),
                })
            });
            json!({
                "id": capture.id,
                "details": call.addresses.row("captures", capture.id),
                "url": url.map(|place| media::address(&call.state.links, &place)),
                "width": capture.width,
                "height": capture.height,
                "timestamp": capture.taken_at.map(naive),
                "event": session,
                "user_permissions": capture_permissions(call.who.caller(), &facts),
            })
        };
        Ok(captures.iter().map(shown).collect())
    }

    /// Its storage source, and the address of its photographs there.
    async fn source(&self, station: &Station) -> ApiResult<(Value, Value)> {
        let Some(id) = station.source_id else {
            return Ok((Value::Null, Value::Null));
        };
        let source = self.call.store().source(id).await.map_err(internal)?;
        let subdir = station.source_subdir.as_deref();
        let place = Lies::of(&source);
        let uri = uri(&place, subdir, station.source_regex.as_deref());
        let caller = self.call.who.caller();
        let shown = json!({
            "id": id,
            "name": source.name,
            "details": self.call.addresses.row("storage", id),
            "user_permissions": storage_permissions(caller, &self.facts(station)),
            "uri": uri,
        });
        Ok((shown, json!(uri)))
    }

    /// A station alone. Captures that show it by example stand only where it is read, not where
    /// it has just been written.
    pub async fn whole(&self, station: &Station, examples: bool) -> ApiResult<Value> {
        let store = self.call.store();
        let sessions = store.sessions_of(station.id).await.map_err(internal)?;
        let uploaded = store.uploaded_captures(station.id, CAPTURES).await;
        let (source, uri) = self.source(station).await?;
        let size = station.source_total_size;
        let mut more = json!({
            "data_source": source,
            "data_source_uri": uri,
            "data_source_total_files": station.source_total_files.unwrap_or(0),
            "data_source_total_size": size,
            "data_source_total_size_display": rest::size::display(size.unwrap_or(0)),
            "data_source_last_checked": station.source_checked_at.map(instant),
            "data_source_subdir": station.source_subdir,
            "data_source_regex": station.source_regex,
            "description": station.description,
        });
        if examples {
            let largest = store.largest_captures(station.id, CAPTURES).await;
            let largest = largest.map_err(internal)?;
            more["example_captures"] = self.captures(station, &largest).await?;
        }
        let uploaded = uploaded.map_err(internal)?;
        more["manually_uploaded_captures"] = self.captures(station, &uploaded).await?;
        more["user_permissions"] = self.permissions(station);
        let mut map = self.common(station, self.sessions(&sessions));
        if let Value::Object(more) = more {
            map.extend(more);
        }
        Ok(Value::Object(map))
    }
}

fn by_id(projects: Vec<Project>) -> HashMap<i64, Project> {
    projects.into_iter().map(|p| (p.id, p)).collect()
}
