//! Rows as other rows show them: a capture's station, a detection's occurrence, a taxon with its
//! parents. The idea: each small object is written once, with the permissions of its own project.

use std::collections::HashMap;

use domain::permission::{
    JobFacts, ProjectFacts, capture_permissions, capture_set_permissions, deployment_permissions,
    job_permissions, pipeline_permissions, project_permissions,
};
use domain::session::{session_label, session_name};
use domain::storage::Location;
use rest::ApiResult;
use rest::time::{instant, naive};
use serde_json::{Map, Value, json};
use store::capture::{Capture, Found, Seen};
use store::capture_set::CaptureSet;
use store::job::Job;
use store::pipeline::{Algorithm, Pipeline};
use store::project::Project;
use store::session::Session;
use store::station::Station;
use store::taxon::Taxon;

use super::taxa::tree;
use crate::call::Call;
use crate::{media, pictures};

pub mod fields;

/// Writes small objects for one caller.
pub struct Nested<'a> {
    call: &'a Call,
    facts: HashMap<i64, ProjectFacts>,
}

impl<'a> Nested<'a> {
    /// For rows of these projects: a fixed number of statements.
    pub async fn of(
        call: &'a Call,
        projects: impl IntoIterator<Item = i64>,
    ) -> ApiResult<Nested<'a>> {
        let mut ids: Vec<i64> = projects.into_iter().collect();
        ids.sort_unstable();
        ids.dedup();
        let facts = call.facts(&ids).await?;
        Ok(Nested { call, facts })
    }

    /// For rows of one project, whose facts are known.
    pub fn within(call: &'a Call, project: i64, facts: ProjectFacts) -> Nested<'a> {
        let facts = HashMap::from([(project, facts)]);
        Nested { call, facts }
    }

    /// What is known of a project.
    pub fn facts(&self, project: Option<i64>) -> ProjectFacts {
        let known = project.and_then(|id| self.facts.get(&id));
        known.copied().unwrap_or_default()
    }

    fn link(&self, path: &str, id: i64) -> String {
        self.call.addresses.row(path, id)
    }

    /// The address of a list that is narrowed to a row.
    pub fn list(&self, path: &str, filter: &str) -> String {
        let address = self.call.addresses.path(path);
        let sign = if address.contains('?') { '&' } else { '?' };
        format!("{address}{sign}{filter}")
    }

    /// What the caller may do with what belongs to no single project.
    pub fn shared_permissions(&self) -> Value {
        json!(pipeline_permissions(self.call.who.caller()))
    }

    /// A station.
    pub fn station(&self, station: &Station) -> Value {
        let facts = self.facts(station.project_id);
        json!({
            "id": station.id,
            "name": station.name,
            "details": self.link("deployments", station.id),
            "user_permissions": deployment_permissions(self.call.who.caller(), &facts),
        })
    }

    /// A session.
    pub fn session(&self, session: &Session) -> Value {
        let (start, end) = (session.start_at, session.end_at);
        json!({
            "id": session.id,
            "name": session_name(start, end),
            "details": self.link("events", session.id),
            "date_label": session_label(start, end),
            "user_permissions": self.shared_permissions(),
        })
    }

    /// What the caller may do with a capture.
    pub fn capture_permissions(&self, capture: &Capture) -> Value {
        let facts = self.facts(capture.project_id);
        json!(capture_permissions(self.call.who.caller(), &facts))
    }

    /// The address of a capture's photograph.
    pub fn photograph(&self, capture: &Capture, places: &HashMap<i64, Location>) -> Option<String> {
        let place = places.get(&capture.id)?;
        let root = self.call.addresses.root();
        Some(media::address_below(root, &self.call.state.links, place))
    }

    /// The addresses of a capture's thumbnails; none for drafts, whose photographs are not open.
    pub fn thumbnails(&self, capture: &Capture) -> Value {
        let known = capture.project_id.and_then(|id| self.facts.get(&id));
        if known.is_none_or(|facts| facts.draft) {
            return Value::Null;
        }
        let path = format!("captures/thumbnails/{}", capture.id);
        let address = |(label, _): &(&str, u32)| {
            let address = self.list(&path, &format!("label={label}"));
            ((*label).to_owned(), Value::String(address))
        };
        Value::Object(media::thumbnail::SIZES.iter().map(address).collect())
    }

    /// A capture as an example, with or without thumbnails.
    pub fn capture(
        &self,
        capture: &Capture,
        places: &HashMap<i64, Location>,
    ) -> Map<String, Value> {
        let mut map = Map::new();
        map.insert("id".into(), json!(capture.id));
        map.insert("details".into(), json!(self.link("captures", capture.id)));
        map.insert("url".into(), json!(self.photograph(capture, places)));
        map.insert("width".into(), json!(capture.width));
        map.insert("height".into(), json!(capture.height));
        map.insert("timestamp".into(), json!(capture.taken_at.map(naive)));
        map
    }

    /// A job in short.
    pub fn job(&self, job: &Job) -> Value {
        let kind = domain::job::kind(&job.kind);
        let about = JobFacts {
            kind: &job.kind,
            single_capture: job.capture_id.is_some(),
        };
        let facts = self.facts(Some(job.project_id));
        json!({
            "id": job.id,
            "details": self.link("jobs", job.id),
            "status": job.state,
            "job_type": {
                "name": kind.map_or("Unknown", |k| k.name),
                "key": kind.map_or("unknown", |k| k.key),
            },
            "created_at": instant(job.created_at),
            "updated_at": instant(job.updated_at),
            "user_permissions": job_permissions(self.call.who.caller(), &facts, about),
        })
    }

    /// What the caller may do with a capture set.
    pub fn set_permissions(&self, set: &CaptureSet) -> Value {
        let facts = self.facts(Some(set.project_id));
        let starred = set.method == "starred";
        json!(capture_set_permissions(
            self.call.who.caller(),
            &facts,
            starred
        ))
    }

    /// A capture set in short. The words are those of a set that is no set of stars, as recorded.
    pub fn set(&self, set: &CaptureSet) -> Value {
        let facts = self.facts(Some(set.project_id));
        let words = capture_set_permissions(self.call.who.caller(), &facts, false);
        json!({
            "id": set.id,
            "name": set.name,
            "details": self.link("captures/collections", set.id),
            "method": set.method,
            "user_permissions": words,
        })
    }

    /// A box on a capture. `meets` says whether its occurrence passes the default filters.
    pub fn found(&self, found: &Found, meets: Option<bool>) -> Value {
        let detection = &found.detection;
        json!({
            "id": detection.id,
            "details": self.link("detections", detection.id),
            "url": self.crop(detection),
            "width": null,
            "height": null,
            "bbox": bbox(detection),
            "occurrence": found.seen.as_ref().map(|seen| self.seen(seen)),
            "classifications": self.list("classifications", &format!("detection={}", detection.id)),
            "occurrence_meets_criteria": meets,
            "user_permissions": self.shared_permissions(),
        })
    }

    /// The address of what is within a box: cut out when it is first asked for.
    pub fn crop(&self, detection: &store::capture::Detection) -> Option<String> {
        detection.x1?;
        match detection.path.as_deref() {
            Some(path) if path.starts_with("http") => Some(path.to_owned()),
            _ => Some(media::crop::address(&self.call.state.links, detection.id)),
        }
    }

    fn seen(&self, seen: &Seen) -> Value {
        let occurrence = &seen.occurrence;
        json!({
            "id": occurrence.id,
            "details": self.link("occurrences", occurrence.id),
            "determination": seen.determination.as_ref().map(|taxon| tree::flat(self.call, taxon)),
            "determination_score": occurrence.determination_score,
            "user_permissions": self.shared_permissions(),
        })
    }

    /// A taxon with all above it.
    pub fn taxon(&self, taxon: &Taxon, taxa: &HashMap<i64, Taxon>) -> Value {
        tree::whole(self.call, taxon, taxa)
    }

    /// An algorithm.
    pub fn algorithm(&self, algorithm: &Algorithm) -> Value {
        let map = algorithm.category_map_id.map(|id| {
            json!({
                "id": id,
                "details": self.link("ml/labels", id),
                "user_permissions": self.shared_permissions(),
            })
        });
        json!({
            "id": algorithm.id,
            "details": self.link("ml/algorithms", algorithm.id),
            "name": algorithm.name,
            "key": algorithm.key,
            "description": algorithm.description,
            "uri": algorithm.uri,
            "version": algorithm.version,
            "version_name": algorithm.version_name,
            "task_type": algorithm.task_type,
            "category_map": map,
            "category_count": null,
            "created_at": instant(algorithm.created_at),
            "updated_at": instant(algorithm.updated_at),
            "user_permissions": self.shared_permissions(),
        })
    }
}

/// How many boxes lists show; none is known of a capture that was never processed.
pub fn detections_count(capture: &Capture) -> Option<i64> {
    capture.last_processed_at.map(|_| capture.detections_count)
}

/// The edges of a box: left, upper, right, lower.
pub fn bbox(detection: &store::capture::Detection) -> Option<[f64; 4]> {
    Some([detection.x1?, detection.y1?, detection.x2?, detection.y2?])
}

/// A project inside another row.
pub fn project(call: &Call, project: &Project, facts: &ProjectFacts) -> Value {
    json!({
        "id": project.id,
        "name": project.name,
        "image": pictures::address(&call.state.links, project.image.as_deref()),
        "details": call.addresses.row("projects", project.id),
        "user_permissions": project_permissions(call.who.caller(), facts),
    })
}

/// A pipeline inside another row.
pub fn pipeline(call: &Call, pipeline: &Pipeline) -> Value {
    json!({
        "id": pipeline.id,
        "details": call.addresses.row("ml/pipelines", pipeline.id),
        "name": pipeline.name,
        "slug": pipeline.slug,
        "description": pipeline.description,
        "version": pipeline.version,
        "version_name": pipeline.version_name,
        "created_at": instant(pipeline.created_at),
        "updated_at": instant(pipeline.updated_at),
        "user_permissions": pipeline_permissions(call.who.caller()),
    })
}
