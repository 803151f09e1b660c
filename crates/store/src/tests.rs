//! Tests of the store through its public methods, each on a fresh SQLite and, where there is a
//! server, on a fresh PostgreSQL database; here is what they build on.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod away;
mod bounded;
mod captures;
mod copies;
mod crossings;
mod exports;
mod jobs;
mod lists;
mod nights;
mod people;
mod rooms;
mod schedules;
mod schema;
mod sessions;
mod sets;
mod settings;
mod standing;
mod stations;
mod statistics;
mod webhooks;

use chrono::NaiveDateTime;
use sea_orm::{ActiveModelTrait, ActiveValue::Set};

use crate::Store;
use crate::capture::{Capture, NewCapture, Scope};
use crate::entity::{algorithm, classification, detection, occurrence, taxon};
use crate::now;
use crate::project::{NewProject, Project};
use crate::station::{NewStation, Station};

pub(crate) async fn project(store: &Store) -> Project {
    let new = NewProject {
        name: "Moths".to_owned(),
        ..Default::default()
    };
    store.create_project(new).await.unwrap()
}

pub(crate) async fn station(store: &Store, project: &Project) -> Station {
    let new = NewStation {
        project_id: project.id,
        name: "Meadow".to_owned(),
        ..Default::default()
    };
    store.create_station(new).await.unwrap()
}

/// `2022-08-10 22:00:00`
pub(crate) fn t(text: &str) -> NaiveDateTime {
    NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S").unwrap()
}

pub(crate) fn photo(path: &str, taken_at: Option<&str>) -> NewCapture {
    NewCapture {
        path: path.to_owned(),
        taken_at: taken_at.map(t),
        size: Some(1000),
        ..Default::default()
    }
}

/// All captures of a station, in the order of their ids.
pub(crate) async fn all(store: &Store, station: &Station) -> Vec<Capture> {
    let scope = Scope::Station(station.id);
    let ids = store.capture_ids_after(&scope, 0, 1_000_000).await.unwrap();
    let mut rows = store.captures_by_id(&ids).await.unwrap();
    rows.sort_by_key(|c| c.id);
    rows
}

pub(crate) async fn algorithm(store: &Store, key: &str, task: &str) -> algorithm::Model {
    algorithm::ActiveModel {
        key: Set(key.to_owned()),
        name: Set(key.to_owned()),
        description: Set(String::new()),
        version: Set(1),
        task_type: Set(Some(task.to_owned())),
        created_at: Set(now()),
        updated_at: Set(now()),
        ..Default::default()
    }
    .insert(&store.db)
    .await
    .unwrap()
}

/// A detection, or with `edges` `None` a null marker.
pub(crate) async fn detection(
    store: &Store,
    capture: i64,
    algorithm: i64,
    edges: Option<[f64; 4]>,
    occurrence: Option<i64>,
) -> i64 {
    let row = detection::ActiveModel {
        capture_id: Set(capture),
        x1: Set(edges.map(|e| e[0])),
        y1: Set(edges.map(|e| e[1])),
        x2: Set(edges.map(|e| e[2])),
        y2: Set(edges.map(|e| e[3])),
        algorithm_id: Set(Some(algorithm)),
        occurrence_id: Set(occurrence),
        created_at: Set(now()),
        updated_at: Set(now()),
        ..Default::default()
    };
    row.insert(&store.db).await.unwrap().id
}

pub(crate) async fn classification(
    store: &Store,
    detection: i64,
    algorithm: i64,
    taxon: Option<i64>,
    score: f64,
    terminal: bool,
) {
    let row = classification::ActiveModel {
        detection_id: Set(detection),
        algorithm_id: Set(Some(algorithm)),
        taxon_id: Set(taxon),
        score: Set(Some(score)),
        terminal: Set(terminal),
        classified_at: Set(now()),
        created_at: Set(now()),
        updated_at: Set(now()),
        ..Default::default()
    };
    row.insert(&store.db).await.unwrap();
}

pub(crate) async fn occurrence(store: &Store, station: &Station, session: Option<i64>) -> i64 {
    let row = occurrence::ActiveModel {
        project_id: Set(station.project_id),
        station_id: Set(Some(station.id)),
        session_id: Set(session),
        created_at: Set(now()),
        updated_at: Set(now()),
        ..Default::default()
    };
    row.insert(&store.db).await.unwrap().id
}

pub(crate) async fn taxon(store: &Store, name: &str) -> i64 {
    let row = taxon::ActiveModel {
        name: Set(name.to_owned()),
        rank: Set("SPECIES".to_owned()),
        active: Set(true),
        search_names: Set(serde_json::json!([])),
        parents: Set(serde_json::json!([])),
        created_at: Set(now()),
        updated_at: Set(now()),
        ..Default::default()
    };
    row.insert(&store.db).await.unwrap().id
}
