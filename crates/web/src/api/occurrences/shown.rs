//! An occurrence as the API shows it, in lists, as an example and whole. The idea: everything that
//! a page of them points to is read in one statement per table.

use std::collections::HashMap;

use chrono::Duration;
use domain::determination::{IdentificationFacts, best_identification};
use domain::permission::{
    ProjectFacts, capture_permissions, deployment_permissions, pipeline_permissions,
};
use domain::session::{duration_label, session_label, session_name};
use rest::ApiResult;
use rest::time::{instant, naive, seconds};
use serde_json::{Value, json};
use store::identification::Identification;
use store::occurrence::Occurrence;
use store::occurrence::detail::Sighting;
use store::occurrence::prediction::{Prediction, best, tops};
use store::pipeline::Algorithm;
use store::session::Session;
use store::station::Station;

use crate::api::identifications::{people, words};
use crate::api::internal;
use crate::api::ml::algorithms;
use crate::api::taxa::tree::Tree;
use crate::call::Call;
use crate::media;

/// Detections that a whole occurrence shows at most.
const DETECTIONS: u64 = 1000;

/// What a page of occurrences points to.
pub struct Shown<'a> {
    call: &'a Call,
    facts: HashMap<i64, ProjectFacts>,
    stations: HashMap<i64, Station>,
    sessions: HashMap<i64, Session>,
    tree: Tree<'a>,
    predictions: HashMap<i64, Vec<Prediction>>,
    algorithms: HashMap<i64, Algorithm>,
    identifications: HashMap<i64, Vec<Identification>>,
    people: HashMap<i64, Value>,
    sightings: HashMap<i64, Vec<Sighting>>,
}

impl<'a> Shown<'a> {
    /// Reads it all.
    pub async fn read(call: &'a Call, rows: &[Occurrence]) -> ApiResult<Shown<'a>> {
        let store = call.store();
        let ids: Vec<i64> = rows.iter().map(|row| row.id).collect();
        let of = |pick: fn(&Occurrence) -> Option<i64>| -> Vec<i64> {
            rows.iter().filter_map(pick).collect()
        };
        let facts = call.facts(&of(|row| row.project_id)).await?;
        let stations = store.stations_by_id(&of(|row| row.station_id)).await;
        let sessions = store.sessions_by_id(&of(|row| row.session_id)).await;
        let predictions = store.predictions_of(&ids).await.map_err(internal)?;
        let identifications = store.identifications_of(&ids).await.map_err(internal)?;
        let said = || predictions.values().flatten();
        let models: Vec<i64> = said().filter_map(|p| p.algorithm_id).collect();
        let users = identifications.values().flatten().filter_map(|i| i.user_id);
        let people = people(call, &users.collect::<Vec<_>>()).await?;
        let determined = rows.iter().filter_map(|row| row.determination_id);
        let named = identifications
            .values()
            .flatten()
            .filter_map(|i| i.taxon_id);
        let guessed = said().filter_map(|p| p.taxon_id);
        let tree = Tree::read(call, determined.chain(named).chain(guessed)).await?;
        let stations = stations.map_err(internal)?;
        Ok(Shown {
            call,
            facts,
            stations: stations.into_iter().map(|s| (s.id, s)).collect(),
            sessions: sessions.map_err(internal)?,
            tree,
            algorithms: store.algorithms_by_id(&models).await.map_err(internal)?,
            predictions,
            identifications,
            people,
            sightings: store.sightings(&ids).await.map_err(internal)?,
        })
    }

    fn facts(&self, row: &Occurrence) -> ProjectFacts {
        let facts = row.project_id.and_then(|id| self.facts.get(&id));
        facts.copied().unwrap_or_default()
    }

    fn shared(&self) -> Value {
        json!(pipeline_permissions(self.call.who.caller()))
    }

    fn link(&self, path: &str, id: i64) -> String {
        self.call.addresses.row(path, id)
    }

    fn session(&self, row: &Occurrence) -> Option<Value> {
        let session = self.sessions.get(&row.session_id?)?;
        let (start, end) = (session.start_at, session.end_at);
        Some(json!({
            "id": session.id,
            "name": session_name(start, end),
            "details": self.link("events", session.id),
            "date_label": session_label(start, end),
            "user_permissions": self.shared(),
        }))
    }

    fn station(&self, row: &Occurrence) -> Option<Value> {
        let station = self.stations.get(&row.station_id?)?;
        let caller = self.call.who.caller();
        Some(json!({
            "id": station.id,
            "name": station.name,
            "details": self.link("deployments", station.id),
            "user_permissions": deployment_permissions(caller, &self.facts(row)),
        }))
    }

    /// An algorithm in the few words of the best prediction.
    fn algorithm_name(&self, id: Option<i64>) -> Option<Value> {
        let algorithm = self.algorithms.get(&id?)?;
        Some(json!({
            "id": algorithm.id,
            "details": self.link("ml/algorithms", algorithm.id),
            "name": algorithm.name,
            "key": algorithm.key,
            "version": algorithm.version,
            "version_name": algorithm.version_name,
            "created_at": instant(algorithm.created_at),
            "updated_at": instant(algorithm.updated_at),
            "user_permissions": self.shared(),
        }))
    }

    fn algorithm(&self, id: Option<i64>) -> Option<Value> {
        let algorithm = self.algorithms.get(&id?)?;
        Some(algorithms::shown(self.call, algorithm, None))
    }

    fn prediction(&self, row: &Occurrence, p: &Prediction) -> Value {
        let all = self.predictions.get(&row.id).into_iter().flatten();
        let source = p
            .applied_to_id
            .and_then(|id| all.clone().find(|o| o.id == id));
        let applied = source.map(|source| {
            json!({
                "id": source.id,
                "created_at": instant(source.created_at),
                "algorithm": self.algorithm(source.algorithm_id),
            })
        });
        json!({
            "id": p.id,
            "details": self.link("classifications", p.id),
            "taxon": self.tree.taxon(p.taxon_id),
            "score": p.score,
            "terminal": p.terminal,
            "algorithm": self.algorithm(p.algorithm_id),
            "applied_to": applied,
            "created_at": instant(p.created_at),
            "user_permissions": [],
        })
    }

    fn identification(&self, row: &Occurrence, said: &Identification) -> Value {
        json!({
            "id": said.id,
            "details": self.link("identifications", said.id),
            "taxon": self.tree.taxon(said.taxon_id),
            "user": said.user_id.and_then(|id| self.people.get(&id)),
            "withdrawn": said.withdrawn,
            "comment": said.comment,
            "created_at": instant(said.created_at),
            "user_permissions": words(self.call, &self.facts(row), said),
        })
    }

    /// The identification that decides.
    fn standing(&self, row: &Occurrence) -> Option<&Identification> {
        let said = self.identifications.get(&row.id)?;
        let facts: Vec<IdentificationFacts> = said
            .iter()
            .filter_map(|said| {
                Some(IdentificationFacts {
                    id: said.id,
                    taxon: said.taxon_id?,
                    created_at: said.created_at.naive_utc(),
                    withdrawn: said.withdrawn,
                })
            })
            .collect();
        let best = best_identification(&facts)?.id;
        said.iter().find(|said| said.id == best)
    }

    fn duration(&self, row: &Occurrence) -> Option<Duration> {
        Some(row.last_seen_at? - row.first_seen_at?)
    }

    fn duration_label(&self, row: &Occurrence) -> Option<String> {
        let duration = self.duration(row)?;
        Some(match duration.is_zero() {
            true => String::new(),
            false => duration_label(duration),
        })
    }

    /// What it is determined as, and by whom.
    fn details(&self, row: &Occurrence) -> Value {
        let best = self.predictions.get(&row.id).and_then(|list| best(list));
        let standing = self.standing(row);
        json!({
            "taxon": self.tree.taxon(row.determination_id),
            "identification": standing.map(|said| self.identification(row, said)),
            "prediction": best.map(|best| self.prediction(row, best)),
            "score": row.determination_score,
        })
    }

    /// The address of what is within the box: as a service made it, else cut out when asked for.
    fn crop(&self, seen: &Sighting) -> String {
        match seen.path.as_deref() {
            Some(path) if path.starts_with("http") => path.to_owned(),
            _ => media::crop::address(&self.call.state.links, seen.id),
        }
    }

    fn images(&self, row: &Occurrence) -> Vec<String> {
        let seen = self.sightings.get(&row.id).into_iter().flatten();
        seen.map(|seen| self.crop(seen)).collect()
    }

    /// The occurrence in a list.
    pub fn row(&self, row: &Occurrence) -> Value {
        let best = self.predictions.get(&row.id).and_then(|list| best(list));
        let best = best.map(|best| {
            json!({
                "taxon": self.tree.taxon(best.taxon_id),
                "algorithm": self.algorithm_name(best.algorithm_id),
                "score": best.score,
            })
        });
        let said = self.identifications.get(&row.id).into_iter().flatten();
        let first = row.first_seen_at;
        let may = self
            .facts(row)
            .grants(self.call.who.caller(), "create_identification");
        json!({
            "id": row.id,
            "details": self.link("occurrences", row.id),
            "event": self.session(row),
            "deployment": self.station(row),
            "first_appearance_timestamp": first.map(naive),
            "first_appearance_time": first.map(|at| at.format("%H:%M:%S").to_string()),
            "duration": self.duration(row).map(seconds),
            "duration_label": self.duration_label(row),
            "determination": self.tree.determination(row.determination_id),
            "detections_count": row.boxes_count,
            "detection_images": self.images(row),
            "determination_score": row.determination_score,
            "determination_details": self.details(row),
            "best_machine_prediction": best,
            "identifications": said.map(|s| self.identification(row, s)).collect::<Vec<_>>(),
            "created_at": instant(row.created_at),
            "updated_at": instant(row.updated_at),
            "user_permissions": if may { vec!["update"] } else { Vec::new() },
        })
    }

    /// The occurrence as an example of its taxon.
    pub fn example(&self, row: &Occurrence) -> Value {
        let predictions = self.predictions.get(&row.id);
        let best = predictions
            .and_then(|list| best(list))
            .map(|p| p.detection_id);
        let seen = self.sightings.get(&row.id).into_iter().flatten();
        let seen = seen
            .clone()
            .find(|s| Some(s.id) == best)
            .or(seen.clone().next());
        let detection = seen.map(|seen| {
            json!({
                "id": seen.id,
                "url": self.crop(seen),
                "timestamp": seen.taken_at.map(naive),
                "details": self.link("detections", seen.id),
                "width": null,
                "height": null,
                "user_permissions": self.shared(),
            })
        });
        json!({
            "id": row.id,
            "details": self.link("occurrences", row.id),
            "deployment": self.station(row),
            "event": self.session(row),
            "determination_score": row.determination_score,
            "determination": self.tree.determination(row.determination_id),
            "best_detection": detection,
            "detections_count": row.boxes_count,
            "duration": self.duration(row).map(seconds),
            "duration_label": self.duration_label(row),
            "first_appearance_timestamp": row.first_seen_at.map(naive),
            "last_appearance_timestamp": row.last_seen_at.map(naive),
            "user_permissions": self.shared(),
        })
    }

    /// The occurrence with its detections and what was said of each.
    pub async fn whole(&self, row: &Occurrence) -> ApiResult<Value> {
        let mut value = self.row(row);
        let detections = self.detections(row).await?;
        let all = self.predictions.get(&row.id).cloned().unwrap_or_default();
        let tops = tops(all);
        let predictions: Vec<Value> = tops.iter().map(|p| self.prediction(row, p)).collect();
        if let Some(map) = value.as_object_mut() {
            let words = map.shift_remove("user_permissions");
            map.insert("determination_id".into(), json!(row.determination_id));
            map.insert("detections".into(), detections);
            map.insert("predictions".into(), json!(predictions));
            map.insert("user_permissions".into(), words.unwrap_or_default());
        }
        Ok(value)
    }

    async fn detections(&self, row: &Occurrence) -> ApiResult<Value> {
        let store = self.call.store();
        let seen = self.sightings.get(&row.id).cloned().unwrap_or_default();
        let most = usize::try_from(DETECTIONS).unwrap_or(usize::MAX);
        let seen: Vec<Sighting> = seen.into_iter().take(most).collect();
        let ids: Vec<i64> = seen.iter().map(|seen| seen.capture_id).collect();
        let captures = store.captures_by_id(&ids).await.map_err(internal)?;
        let places = store.locations(&captures).await.map_err(internal)?;
        let words = capture_permissions(self.call.who.caller(), &self.facts(row));
        let shown = seen.iter().map(|seen| {
            let capture = captures
                .iter()
                .find(|capture| capture.id == seen.capture_id);
            let place = places.get(&seen.capture_id);
            let url = place.map(|place| media::address(&self.call.state.links, place));
            let capture = capture.map(|capture| {
                json!({
                    "id": capture.id,
                    "details": self.link("captures", capture.id),
                    "url": url,
                    "width": capture.width,
                    "height": capture.height,
                    "user_permissions": words,
                })
            });
            let mut said: Vec<&Prediction> = self
                .predictions
                .get(&row.id)
                .into_iter()
                .flatten()
                .filter(|p| p.detection_id == seen.id)
                .collect();
            said.sort_by_key(|p| std::cmp::Reverse(p.id));
            json!({
                "id": seen.id,
                "details": self.link("detections", seen.id),
                "timestamp": seen.taken_at.map(naive),
                "url": self.crop(seen),
                "capture": capture,
                "width": null,
                "height": null,
                "bbox": [seen.x1, seen.y1, seen.x2, seen.y2],
                "occurrence": self.link("occurrences", row.id),
                "classifications": said.iter().map(|p| self.prediction(row, p)).collect::<Vec<_>>(),
                "user_permissions": self.shared(),
            })
        });
        Ok(shown.collect())
    }
}
