//! A page of occurrences with everything that the formats write of them. The idea: it is read in one
//! statement per table, and the rules (the best prediction, the identification that decides, the
//! best box) are asked here, so that all formats say the same.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use chrono::{DateTime, Duration, Utc};
use domain::determination::{IdentificationFacts, best_identification};
use domain::storage::{Location, crop_name};
use files::Links;
use rest::Zone;
use store::Store;
use store::capture::Capture;
use store::export::Export;
use store::identification::Identification;
use store::occurrence::Occurrence;
use store::occurrence::detail::Sighting;
use store::occurrence::prediction::{Prediction, best};
use store::pipeline::Algorithm;
use store::project::Project;
use store::session::Session;
use store::station::Station;
use store::taxon::Taxon;
use store::user::User;

/// What holds for the whole file.
pub struct About {
    pub project: Project,
    pub export: Export,
    pub links: Links,
    /// The clock on which instants are told.
    pub zone: Zone,
    /// Where files lie that are needed on the way.
    pub folder: PathBuf,
}

/// Occurrences in the order of the file, and what they point to.
pub struct Page {
    pub about: Arc<About>,
    pub rows: Vec<Occurrence>,
    pub algorithms: HashMap<i64, Algorithm>,
    pub people: HashMap<i64, User>,
    pub captures: HashMap<i64, Capture>,
    stations: HashMap<i64, Station>,
    sessions: HashMap<i64, Session>,
    taxa: HashMap<i64, Taxon>,
    predictions: HashMap<i64, Vec<Prediction>>,
    identifications: HashMap<i64, Vec<Identification>>,
    boxes: HashMap<i64, Vec<Sighting>>,
    places: HashMap<i64, Location>,
}

impl About {
    /// The address of a row in the API.
    pub fn row(&self, path: &str, id: i64) -> String {
        format!("{}/api/v2/{path}/{id}/", self.links.public_url())
    }

    /// An instant as the API tells it.
    pub fn instant(&self, time: DateTime<Utc>) -> String {
        rest::time::naive(self.zone.local(time))
    }

    /// The address of what is within a box: as a service made it, else a link that lasts as long as
    /// a file is kept. It is made of the export's own time, so it is the same in every run.
    pub fn crop(&self, seen: &Sighting) -> String {
        match seen.path.as_deref() {
            Some(path) if path.starts_with("http") => path.to_owned(),
            _ => {
                let name = crop_name(seen.id);
                let since = self.export.created_at;
                self.links.lasting("crops", &name, since)
            }
        }
    }
}

/// Each number once.
fn once(ids: impl Iterator<Item = i64>) -> Vec<i64> {
    let mut ids: Vec<i64> = ids.collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

impl Page {
    /// Reads what these occurrences point to.
    pub async fn read(
        store: &Store,
        about: Arc<About>,
        rows: Vec<Occurrence>,
    ) -> anyhow::Result<Page> {
        let ids: Vec<i64> = rows.iter().map(|row| row.id).collect();
        let predictions = store.predictions_of(&ids).await?;
        let identifications = store.identifications_of(&ids).await?;
        let boxes = store.sightings(&ids).await?;
        let captures = once(boxes.values().flatten().map(|seen| seen.capture_id));
        let captures = store.captures_by_id(&captures).await?;
        let said = || identifications.values().flatten();
        let guessed = || predictions.values().flatten();
        let determined = rows.iter().filter_map(|row| row.determination_id);
        let named = said().filter_map(|said| said.taxon_id);
        let taxa = once(
            determined
                .chain(named)
                .chain(guessed().filter_map(|p| p.taxon_id)),
        );
        let mut taxa = store.taxa_by_id(&taxa).await?;
        let above = once(taxa.values().filter_map(|taxon| taxon.parent_id));
        taxa.extend(store.taxa_by_id(&above).await?);
        let stations = once(rows.iter().filter_map(|row| row.station_id));
        let stations = store.stations_by_id(&stations).await?;
        let sessions = once(rows.iter().filter_map(|row| row.session_id));
        let algorithms = once(guessed().filter_map(|p| p.algorithm_id));
        let people = once(said().filter_map(|said| said.user_id));
        Ok(Page {
            stations: stations.into_iter().map(|s| (s.id, s)).collect(),
            sessions: store.sessions_by_id(&sessions).await?,
            algorithms: store.algorithms_by_id(&algorithms).await?,
            people: store.people(&people).await?,
            places: store.locations(&captures).await?,
            captures: captures.into_iter().map(|c| (c.id, c)).collect(),
            about,
            rows,
            taxa,
            predictions,
            identifications,
            boxes,
        })
    }

    pub fn station(&self, row: &Occurrence) -> Option<&Station> {
        self.stations.get(&row.station_id?)
    }

    pub fn session(&self, row: &Occurrence) -> Option<&Session> {
        self.sessions.get(&row.session_id?)
    }

    pub fn taxon(&self, id: Option<i64>) -> Option<&Taxon> {
        self.taxa.get(&id?)
    }

    pub fn algorithm(&self, id: Option<i64>) -> Option<&Algorithm> {
        self.algorithms.get(&id?)
    }

    pub fn person(&self, id: Option<i64>) -> Option<&User> {
        self.people.get(&id?)
    }

    /// What classifiers say of it.
    pub fn predictions(&self, row: &Occurrence) -> &[Prediction] {
        self.predictions.get(&row.id).map_or(&[], Vec::as_slice)
    }

    /// The best of that.
    pub fn best(&self, row: &Occurrence) -> Option<&Prediction> {
        best(self.predictions(row))
    }

    /// What people say it is, the newest first.
    pub fn said(&self, row: &Occurrence) -> &[Identification] {
        self.identifications.get(&row.id).map_or(&[], Vec::as_slice)
    }

    /// The identification that decides.
    pub fn standing(&self, row: &Occurrence) -> Option<&Identification> {
        let said = self.said(row);
        let facts = said.iter().filter_map(|said| {
            Some(IdentificationFacts {
                id: said.id,
                taxon: said.taxon_id?,
                created_at: said.created_at.naive_utc(),
                withdrawn: said.withdrawn,
            })
        });
        let facts: Vec<IdentificationFacts> = facts.collect();
        let best = best_identification(&facts)?.id;
        said.iter().find(|said| said.id == best)
    }

    /// Its boxes, the last seen first.
    pub fn boxes(&self, row: &Occurrence) -> &[Sighting] {
        self.boxes.get(&row.id).map_or(&[], Vec::as_slice)
    }

    /// The box with the highest score of a classification; of those alike the oldest.
    pub fn best_box(&self, row: &Occurrence) -> Option<&Sighting> {
        let score = |seen: &Sighting| {
            let of = |p: &&Prediction| p.detection_id == seen.id;
            let scores = self.predictions(row).iter().filter(of);
            let scores = scores.filter_map(|p| p.score);
            scores.fold(f64::NEG_INFINITY, f64::max)
        };
        let better = |a: &&Sighting, b: &&Sighting| {
            let by_score = score(a).total_cmp(&score(b));
            by_score.then(b.id.cmp(&a.id))
        };
        self.boxes(row).iter().max_by(better)
    }

    /// Where the photograph of a capture can be had by anybody, for ever: no signed links.
    pub fn public_photograph(&self, capture: i64) -> Option<String> {
        let place = self.places.get(&capture)?;
        let public = matches!(
            place,
            Location::Web { .. } | Location::Kept { open: true, .. }
        );
        public.then(|| self.about.links.photograph(place))
    }

    /// The address of a photograph, signed where it must be.
    pub fn photograph(&self, capture: i64) -> Option<String> {
        let lasting = |folder: &str, key: &str| {
            let since = self.about.export.created_at;
            self.about.links.lasting(folder, key, since)
        };
        match self.places.get(&capture)? {
            Location::Folder { source, key, .. } | Location::Bucket { source, key } => {
                Some(lasting(&format!("captures/{source}"), key))
            }
            Location::Kept { key, open: false } => {
                let (folder, name) = key.split_once('/')?;
                Some(lasting(folder, name))
            }
            _ => self.public_photograph(capture),
        }
    }

    /// From the first photograph on which it was seen to the last.
    pub fn duration(&self, row: &Occurrence) -> Option<Duration> {
        Some(row.last_seen_at? - row.first_seen_at?)
    }
}

#[cfg(test)]
pub mod example;
