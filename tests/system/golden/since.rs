//! What has become otherwise since a recorded answer was given, by the tables that were written
//! down at the end. The idea: a row tells when it was made and last changed, and one that an
//! answer shows and no table holds was deleted; so it is decided without a list by hand.

use std::collections::HashMap;
use std::path::Path;

use chrono::{DateTime, NaiveDateTime, TimeZone, Utc};
use chrono_tz::America::New_York;
use serde_json::Value;

use super::known::fits;
use super::sheet;

/// The tables behind addresses; the first that fits counts.
const ADDRESSES: &[(&str, &str)] = &[
    (
        "/api/v2/captures/collections/",
        "main_sourceimagecollection",
    ),
    ("/api/v2/captures/upload/", "main_sourceimageupload"),
    ("/api/v2/captures/", "main_sourceimage"),
    ("/api/v2/classifications/", "main_classification"),
    ("/api/v2/deployments/devices/", "main_device"),
    ("/api/v2/deployments/sites/", "main_site"),
    ("/api/v2/deployments/", "main_deployment"),
    ("/api/v2/detections/", "main_detection"),
    ("/api/v2/events/", "main_event"),
    ("/api/v2/exports/", "exports_dataexport"),
    ("/api/v2/identifications/", "main_identification"),
    ("/api/v2/jobs/", "jobs_job"),
    ("/api/v2/jobs.json", "jobs_job"),
    ("/api/v2/ml/algorithms/", "ml_algorithm"),
    ("/api/v2/ml/labels/", "ml_algorithmcategorymap"),
    ("/api/v2/ml/pipelines/", "ml_pipeline"),
    ("/api/v2/ml/processing_services/", "ml_processingservice"),
    ("/api/v2/occurrences/algorithms/", "ml_algorithm"),
    ("/api/v2/occurrences/", "main_occurrence"),
    ("/api/v2/projects/*/members/", "main_userprojectmembership"),
    ("/api/v2/projects/*/pipelines/", "ml_pipeline"),
    ("/api/v2/projects/", "main_project"),
    ("/api/v2/storage/", "main_s3storagesource"),
    ("/api/v2/taxa/lists/", "main_taxalist"),
    ("/api/v2/taxa/", "main_taxon"),
    ("/api/v2/users/", "users_user"),
];

/// The tables of rows within rows, by the key under which they stand.
const WITHIN: &[(&str, &str)] = &[
    ("algorithm", "ml_algorithm"),
    ("algorithms", "ml_algorithm"),
    ("capture", "main_sourceimage"),
    ("category_map", "ml_algorithmcategorymap"),
    ("classifications", "main_classification"),
    ("collections", "main_sourceimagecollection"),
    ("data_source", "main_s3storagesource"),
    ("deployment", "main_deployment"),
    ("deployments", "main_deployment"),
    ("detections", "main_detection"),
    ("determination", "main_taxon"),
    ("device", "main_device"),
    ("event", "main_event"),
    ("events", "main_event"),
    ("example_captures", "main_sourceimage"),
    ("first_capture", "main_sourceimage"),
    ("job", "jobs_job"),
    ("jobs", "jobs_job"),
    ("occurrence", "main_occurrence"),
    ("parent", "main_taxon"),
    ("parents", "main_taxon"),
    ("pipeline", "ml_pipeline"),
    ("pipelines", "ml_pipeline"),
    ("predictions", "main_classification"),
    ("processing_services", "ml_processingservice"),
    ("project", "main_project"),
    ("research_site", "main_site"),
    ("source_image", "main_sourceimage"),
    ("source_image_collection", "main_sourceimagecollection"),
    ("source_image_single", "main_sourceimage"),
    ("taxon", "main_taxon"),
    ("top_capture", "main_sourceimage"),
    ("user", "users_user"),
];

/// What is counted or gathered over rows of other tables: places, of which the last key decides.
const GATHERED: &[(&str, &[&str])] = &[
    ("event", &["main_event"]),
    ("captures_count", &["main_sourceimage"]),
    ("num_captures", &["main_sourceimage"]),
    ("source_images_with_detections_count", &["main_detection"]),
    ("source_images_processed_count", &["main_detection"]),
    ("occurrences_count", FOUND),
    ("num_occurrences", FOUND),
    ("total_occurrences", FOUND),
    ("taxa_count", FOUND),
    ("last_detected", FOUND),
    ("best_determination_score", FOUND),
    ("top_identifiers", &["main_identification"]),
    ("verified_*", &["main_identification"]),
    ("comparable_count", &["main_identification"]),
    ("agreed_*", &["main_identification"]),
    ("cohens_kappa", &["main_identification"]),
    // The points of a plot.
    (
        "x",
        &["main_sourceimage", "main_detection", "main_occurrence"],
    ),
    (
        "y",
        &["main_sourceimage", "main_detection", "main_occurrence"],
    ),
];
/// What pipelines and people found.
const FOUND: &[&str] = &["main_detection", "main_occurrence", "main_identification"];

/// When rows were made and last changed.
pub struct Since(HashMap<String, HashMap<i64, DateTime<Utc>>>);

impl Since {
    pub fn read(root: &Path) -> Since {
        let tables = ADDRESSES.iter().chain(WITHIN).map(|(_, table)| *table);
        let gathered = GATHERED.iter().flat_map(|(_, tables)| *tables);
        let mut found = HashMap::new();
        for table in tables.chain(gathered.copied()) {
            let lines = sheet::read(root, table);
            let last = |line: &sheet::Line| {
                let known = line.known("updated_at").is_some();
                let changed = known.then(|| line.instant("updated_at")).flatten();
                line.made().max(changed).unwrap_or_default()
            };
            let rows = lines
                .iter()
                .map(|line| (line.int("id").unwrap(), last(line)));
            found.insert(table.to_owned(), rows.collect());
        }
        Since(found)
    }

    /// Whether the row was made, changed or deleted after this.
    fn row(&self, table: &str, id: i64, moment: DateTime<Utc>) -> bool {
        self.0[table].get(&id).is_none_or(|last| *last > moment)
    }

    /// Whether any row of the table was made or changed after this.
    fn any(&self, table: &str, moment: DateTime<Utc>) -> bool {
        self.0[table].values().any(|last| *last > moment)
    }

    /// Whether the row that an address names was: the last number in it.
    pub fn named(&self, path: &str, moment: DateTime<Utc>) -> bool {
        let path = path.split('?').next().unwrap_or_default();
        let mut numbers = path.split(['/', '.']).filter_map(|part| part.parse().ok());
        let named = table_of(path).zip(numbers.next_back());
        named.is_some_and(|(table, id)| self.row(table, id, moment))
    }

    /// Both lists less the rows that were made, changed or deleted since; none where the whole
    /// list can be compared.
    pub fn kept(
        &self,
        path: &str,
        moment: DateTime<Utc>,
        recorded: &Value,
        ours: &Value,
    ) -> Option<(Value, Value)> {
        let table = table_of(path.split('?').next()?)?;
        let ids = |list: &Value| -> Option<Vec<i64>> {
            let rows = list["results"].as_array()?.iter();
            Some(rows.filter_map(|row| row["id"].as_i64()).collect())
        };
        let (theirs, here) = (ids(recorded)?, ids(ours)?);
        let gone = theirs.iter().any(|id| !self.0[table].contains_key(id));
        if !gone && !self.any(table, moment) {
            return None;
        }
        let stays =
            |id: i64| theirs.contains(&id) && here.contains(&id) && !self.row(table, id, moment);
        let less = |list: &Value| {
            let mut list = list.clone();
            if let Some(rows) = list["results"].as_array_mut() {
                rows.retain(|row| row["id"].as_i64().is_some_and(stays));
            }
            for key in ["count", "next", "previous"] {
                list[key] = Value::Null;
            }
            list
        };
        Some((less(recorded), less(ours)))
    }

    /// Whether what stands at a place of an answer is told by rows that became otherwise since.
    pub fn place(&self, at: &str, path: &str, moment: DateTime<Utc>, bodies: [&Value; 2]) -> bool {
        let key = at.rsplit('.').find(|part| part.parse::<usize>().is_err());
        key.is_some_and(|key| self.gathered(key, moment))
            || bodies
                .iter()
                .any(|body| self.on_the_way(at, path, moment, body))
    }

    /// Whether a list is in the order of something that rows of later change.
    pub fn reordered(&self, path: &str, moment: DateTime<Utc>) -> bool {
        let query = path.split_once('?').map_or("", |(_, query)| query);
        let orders = query
            .split('&')
            .filter_map(|part| part.strip_prefix("ordering="));
        let mut keys = orders.flat_map(|order| order.split(','));
        keys.any(|key| self.gathered(key.trim_start_matches('-'), moment))
    }

    /// Whether what stands under a key is gathered over rows of later.
    fn gathered(&self, key: &str, moment: DateTime<Utc>) -> bool {
        let over = GATHERED.iter().find(|(k, _)| fits(k, key));
        let over = over.map_or(&[][..], |(_, tables)| *tables);
        over.iter().any(|table| self.any(table, moment))
    }

    /// Whether a row that holds the place did.
    fn on_the_way(&self, at: &str, path: &str, moment: DateTime<Utc>, body: &Value) -> bool {
        let mut table = table_of(path.split('?').next().unwrap_or_default());
        let mut value = Some(body);
        for part in at.split('.') {
            let Some(holds) = value else { return false };
            let row = holds["id"].as_i64().zip(table);
            if row.is_some_and(|(id, table)| self.row(table, id, moment)) {
                return true;
            }
            if let Ok(number) = part.parse::<usize>() {
                value = holds.get(number);
                continue;
            }
            value = holds.get(part);
            if part != "results" {
                let within = WITHIN.iter().find(|(key, _)| *key == part);
                table = within.map(|(_, table)| *table);
            }
        }
        false
    }
}

fn table_of(path: &str) -> Option<&'static str> {
    let found = ADDRESSES
        .iter()
        .find(|(address, _)| fits(&format!("{address}*"), path));
    found.map(|(_, table)| *table)
}

/// The latest instant at which an answer says that a row was made or changed.
pub fn told(answer: &Value) -> Option<DateTime<Utc>> {
    match answer {
        Value::Array(items) => items.iter().filter_map(told).max(),
        Value::Object(fields) => fields.iter().filter_map(said).max(),
        _ => None,
    }
}

fn said((key, value): (&String, &Value)) -> Option<DateTime<Utc>> {
    if key != "created_at" && key != "updated_at" {
        return told(value);
    }
    let local: NaiveDateTime = value.as_str()?.parse().ok()?;
    Some(New_York.from_local_datetime(&local).single()?.to_utc())
}
