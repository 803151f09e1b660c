//! An occurrence as the API shows it, in lists and alone (`ui.md` §A.8). Everything a page points
//! to is read in one statement per table.

use std::collections::HashMap;

use domain::determination::{ClassificationFacts, best_prediction};
use domain::permission::ProjectFacts;
use domain::session::duration_label;
use rest::ApiResult;
use rest::time::{instant, naive, seconds};
use serde_json::{Map, Value, json};
use store::detection::{Classification, Detection};
use store::occurrence::Occurrence;
use store::project::Project;
use store::session::Session;
use store::station::Station;
use store::taxon::Taxon;

use super::super::classifications::Named;
use super::super::internal;
use super::super::nested::{Nested, bbox};
use crate::call::Call;

/// How long somebody stayed; who was seen once has no length.
fn label(length: chrono::Duration) -> String {
    match length.is_zero() {
        true => String::new(),
        false => duration_label(length),
    }
}

/// Crops that a list shows of each.
const IMAGES: usize = 3;

/// What a page of occurrences points to.
pub struct Around<'a> {
    call: &'a Call,
    nested: Nested<'a>,
    facts: ProjectFacts,
    sessions: HashMap<i64, Session>,
    stations: HashMap<i64, Station>,
    taxa: HashMap<i64, Taxon>,
    boxes: HashMap<i64, Vec<Detection>>,
    said: HashMap<i64, Vec<Classification>>,
    named: Named,
}

impl<'a> Around<'a> {
    /// Reads it all.
    pub async fn read(
        call: &'a Call,
        (project, facts): (&Project, ProjectFacts),
        rows: &[Occurrence],
    ) -> ApiResult<Around<'a>> {
        let store = call.store();
        let some = |pick: fn(&Occurrence) -> Option<i64>| -> Vec<i64> {
            rows.iter().filter_map(pick).collect()
        };
        let ids: Vec<i64> = rows.iter().map(|row| row.id).collect();
        let sessions = store.sessions_by_id(&some(|o| o.session_id)).await;
        let stations = store.stations_by_id(&some(|o| o.station_id)).await;
        let stations = stations.map_err(internal)?.into_iter();
        let taxa = store.taxa_by_id(&some(|o| o.determination_id)).await;
        let mut taxa = taxa.map_err(internal)?;
        let parents: Vec<i64> = taxa.values().filter_map(|t| t.parent_id).collect();
        taxa.extend(store.taxa_by_id(&parents).await.map_err(internal)?);
        let boxes = store.boxes_of(&ids).await.map_err(internal)?;
        let drawn: Vec<i64> = boxes.values().flatten().map(|b| b.id).collect();
        let said = store.classifications_of(&drawn).await.map_err(internal)?;
        let all: Vec<Classification> = said.values().flatten().cloned().collect();
        Ok(Around {
            call,
            nested: Nested::within(call, project.id, facts),
            facts,
            sessions: sessions.map_err(internal)?,
            stations: stations.map(|station| (station.id, station)).collect(),
            taxa,
            named: Named::read(call, &all).await?,
            boxes,
            said,
        })
    }

    fn boxes(&self, row: &Occurrence) -> &[Detection] {
        let boxes = self.boxes.get(&row.id);
        boxes.map(Vec::as_slice).unwrap_or_default()
    }

    /// What classifiers said of it, the newest first.
    fn said(&self, row: &Occurrence) -> Vec<&Classification> {
        let of = |detection: &Detection| self.said.get(&detection.id);
        let mut said: Vec<_> = self.boxes(row).iter().filter_map(of).flatten().collect();
        said.sort_by_key(|c| std::cmp::Reverse(c.id));
        said
    }

    /// The predictions that count: of each algorithm those with its highest score.
    fn predictions(&self, row: &Occurrence) -> Vec<&Classification> {
        let said = self.said(row);
        let score = |c: &Classification| c.score.unwrap_or(f64::MIN);
        let is_top = |c: &&Classification| {
            let same = said.iter().filter(|o| o.algorithm_id == c.algorithm_id);
            same.copied().all(|o| score(o) <= score(c))
        };
        said.iter().copied().filter(is_top).collect()
    }

    fn best(&self, row: &Occurrence) -> Option<&Classification> {
        let said = self.said(row);
        let facts: Vec<ClassificationFacts> = said
            .iter()
            .map(|c| ClassificationFacts {
                id: c.id,
                taxon: c.taxon_id,
                algorithm: c.algorithm_id,
                score: c.score,
                terminal: c.terminal,
            })
            .collect();
        let best = best_prediction(&facts)?;
        said.into_iter().find(|c| c.id == best.id)
    }

    /// An occurrence of a list.
    pub fn item(&self, row: &Occurrence) -> Value {
        let mut map = self.head(row);
        map.insert("user_permissions".into(), self.permissions());
        Value::Object(map)
    }

    /// An occurrence alone.
    pub async fn whole(&self, row: &Occurrence) -> ApiResult<Value> {
        let store = self.call.store();
        let ids: Vec<i64> = self.boxes(row).iter().map(|b| b.capture_id).collect();
        let captures = store.captures_by_id(&ids).await.map_err(internal)?;
        let places = store.locations(&captures).await.map_err(internal)?;
        let detections: Vec<Value> = self
            .boxes(row)
            .iter()
            .map(|detection| {
                let capture = captures.iter().find(|c| c.id == detection.capture_id);
                let capture = capture.map(|capture| {
                    let mut map = self.nested.capture(capture, &places);
                    map.shift_remove("timestamp");
                    let permissions = self.nested.capture_permissions(capture);
                    map.insert("user_permissions".into(), permissions);
                    Value::Object(map)
                });
                self.detection(row, detection, capture)
            })
            .collect();
        let predictions = self.predictions(row).into_iter();
        let predictions: Vec<Value> = predictions.map(|c| self.classification(c)).collect();
        let mut map = self.head(row);
        map.insert("determination_id".into(), json!(row.determination_id));
        map.insert("detections".into(), json!(detections));
        map.insert("predictions".into(), json!(predictions));
        map.insert("user_permissions".into(), self.permissions());
        Ok(Value::Object(map))
    }

    /// Whoever may identify may update.
    fn permissions(&self) -> Value {
        let caller = self.call.who.caller();
        match self.facts.grants(caller, "create_identification") {
            true => json!(["update"]),
            false => json!([]),
        }
    }

    fn head(&self, row: &Occurrence) -> Map<String, Value> {
        let session = row.session_id.and_then(|id| self.sessions.get(&id));
        let station = row.station_id.and_then(|id| self.stations.get(&id));
        let taxon = row.determination_id.and_then(|id| self.taxa.get(&id));
        let length = row.last_seen_at.zip(row.first_seen_at).map(|(b, a)| b - a);
        let images = self.boxes(row).iter().take(IMAGES);
        let images: Vec<String> = images.filter_map(|b| self.nested.crop(b)).collect();
        let best = self.best(row);
        let mut map = Map::new();
        for (key, value) in [
            ("id", json!(row.id)),
            (
                "details",
                json!(self.call.addresses.row("occurrences", row.id)),
            ),
            ("event", json!(session.map(|s| self.nested.session(s)))),
            ("deployment", json!(station.map(|s| self.nested.station(s)))),
            (
                "first_appearance_timestamp",
                json!(row.first_seen_at.map(naive)),
            ),
            (
                "first_appearance_time",
                json!(
                    row.first_seen_at
                        .map(|at| at.format("%H:%M:%S").to_string())
                ),
            ),
            ("duration", json!(length.map(seconds))),
            ("duration_label", json!(length.map(label))),
            ("determination", json!(taxon.map(|t| self.determination(t)))),
            ("detections_count", json!(self.boxes(row).len())),
            ("detection_images", json!(images)),
            ("determination_score", json!(row.determination_score)),
            (
                "determination_details",
                json!({
                    "taxon": taxon.map(|t| self.nested.taxon_in_tree(t, &self.taxa)),
                    "identification": null,
                    "prediction": best.map(|c| self.classification(c)),
                    "score": row.determination_score,
                }),
            ),
            (
                "best_machine_prediction",
                json!(best.map(|c| self.best_shown(c))),
            ),
            ("identifications", json!([])),
            ("created_at", json!(instant(row.created_at))),
            ("updated_at", json!(instant(row.updated_at))),
        ] {
            map.insert(key.into(), value);
        }
        map
    }

    /// The determination of a list: with the chain of taxa above it, but nothing to be done.
    fn determination(&self, taxon: &Taxon) -> Value {
        let parent = taxon.parent_id.and_then(|id| self.taxa.get(&id));
        json!({
            "id": taxon.id,
            "name": taxon.name,
            "parent": parent.map(|parent| self.nested.taxon(parent)),
            "rank": taxon.rank,
            "details": self.call.addresses.row("taxa", taxon.id),
            "user_permissions": [],
        })
    }

    fn classification(&self, row: &Classification) -> Value {
        self.named.short(&self.nested, self.call, row)
    }

    fn best_shown(&self, row: &Classification) -> Value {
        let algorithm = self.named.algorithm(&self.nested, row);
        let algorithm = algorithm.map(|mut algorithm| {
            if let Some(map) = algorithm.as_object_mut() {
                for key in [
                    "description",
                    "uri",
                    "task_type",
                    "category_map",
                    "category_count",
                ] {
                    map.shift_remove(key);
                }
            }
            algorithm
        });
        json!({
            "taxon": self.named.taxon(&self.nested, row),
            "algorithm": algorithm,
            "score": row.score,
        })
    }

    fn detection(&self, row: &Occurrence, detection: &Detection, capture: Option<Value>) -> Value {
        let link = |path: &str, id: i64| self.call.addresses.row(path, id);
        let said = self.said.get(&detection.id).into_iter().flatten();
        let said: Vec<Value> = said.map(|c| self.classification(c)).collect();
        json!({
            "id": detection.id,
            "details": link("detections", detection.id),
            "timestamp": detection.taken_at.map(naive),
            "url": self.nested.crop(detection),
            "capture": capture,
            "width": null,
            "height": null,
            "bbox": bbox(detection),
            "occurrence": link("occurrences", row.id),
            "classifications": said,
            "user_permissions": self.nested.shared_permissions(),
        })
    }
}
