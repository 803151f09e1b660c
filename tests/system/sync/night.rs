//! A night's chain on real photographs in a bucket: what lies there in the morning is captures,
//! sessions, boxes and an archive for portals of biodiversity when the chain has run. The
//! photographs are moved by whole days, so that some of them are of last night.

use std::collections::BTreeSet;
use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::{Days, Utc};
use domain::timestamp::from_file_name;
use serde_json::{Value, json};
use store::capture::Scope;
use store::project::Project;
use store::station::Station;
use store::testing;

use super::bucket::connect;
use super::s3::S3;
use crate::app::{Client, TestApp};

/// Photographs of last night.
const LAST: [&str; 3] = [
    "denmark/20220810232637-00-16.jpg",
    "denmark/20220810232855-00-20.jpg",
    "denmark/20220811005907-00-78.jpg",
];
/// Photographs of the night before, on which nobody is to look.
const BEFORE: [&str; 2] = [
    "sequential/20220728232239-00-69.jpg",
    "sequential/20220728232322-00-70.jpg",
];

/// Where real photographs lie, or `None` where a skip is allowed.
fn photographs() -> Option<PathBuf> {
    let folder = std::env::var_os("HAWKMOTH_PHOTOS_DIR").filter(|dir| !dir.is_empty());
    if folder.is_none() {
        testing::left_out("HAWKMOTH_PHOTOS_DIR is not set: no night of photographs is processed");
    }
    folder.map(PathBuf::from)
}

/// The name that a photograph has when it is of the night that began so many days ago.
fn moved(photograph: &str, ago: u64) -> String {
    let (_, name) = photograph.split_once('/').unwrap();
    let taken = from_file_name(name).unwrap();
    let night = (taken - chrono::Duration::hours(12)).date();
    let since = taken.date() - night;
    let day = Utc::now().date_naive() - Days::new(ago) + since;
    let time = taken.time().format("%H%M%S");
    format!("{}{time}{}", day.format("%Y%m%d"), &name[14..])
}

/// Puts the photographs into a bucket.
fn fill(s3: &S3, folder: &Path) {
    let bucket = s3.bucket("moths", []).join("trap");
    std::fs::create_dir_all(&bucket).unwrap();
    let last = LAST.iter().map(|name| (name, 1));
    for (name, ago) in last.chain(BEFORE.iter().map(|name| (name, 2))) {
        std::fs::copy(folder.join(name), bucket.join(moved(name, ago))).unwrap();
    }
}

/// Serves the built-in detector and makes its pipeline one of the project's; its number.
async fn detector(app: &TestApp, client: &Client<'_>, project: &Project) -> i64 {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let never = std::future::pending();
    tokio::spawn(detector::serve(listener, Default::default(), never));
    let push = app
        .store
        .set_flag(project.id, "async_pipeline_workers", false);
    push.await.unwrap();
    let services = "/api/v2/ml/processing_services/";
    let new = json!({"name": "Detector", "endpoint_url": url, "project": project.id});
    let made = client.post(services, new).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let register = format!(
        "{services}{}/register_pipelines/",
        made.json()["instance"]["id"]
    );
    let registered = client.post(&register, json!({})).await;
    assert_eq!(registered.status, 200, "{}", registered.text);
    let slug = detector::service::PIPELINE;
    let pipeline = app.store.pipeline_by_slug(slug).await.unwrap();
    pipeline.unwrap().id
}

/// A set of last night's captures.
async fn set(client: &Client<'_>, project: &Project) -> i64 {
    let new = json!({"name": "Last night", "project": project.id, "method": "full",
                     "kwargs": {"last_nights": 1}});
    let made = client.post("/api/v2/captures/collections/", new).await;
    assert_eq!(made.status, 201, "{}", made.text);
    made.json()["id"].as_i64().unwrap()
}

/// Runs a chain now; its run, when it has ended.
async fn run(client: &Client<'_>, project: &Project, steps: Value) -> Value {
    let new = json!({"name": "Morning", "project": project.id, "cron": "0 6 * * *",
                     "time_zone": "UTC", "steps": steps});
    let made = client.post("/api/v2/schedules/", new).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let one = format!("/api/v2/schedules/{}/", made.json()["id"]);
    let begun = client.post(&format!("{one}run/"), json!({})).await;
    assert_eq!(begun.status, 200, "{}", begun.text);
    for _ in 0..6000 {
        let run = client.get(&one).await.json()["last_run"].clone();
        if run["status"] != "STARTED" {
            return run;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the chain does not end");
}

/// The lines of a table of an archive, in columns, without the first.
fn table(archive: &[u8], name: &str) -> Vec<Vec<String>> {
    let mut zip = zip::ZipArchive::new(Cursor::new(archive)).unwrap();
    let mut text = String::new();
    let mut file = zip.by_name(name).unwrap();
    file.read_to_string(&mut text).unwrap();
    let columns = |line: &str| line.split('\t').map(str::to_owned).collect();
    text.lines().skip(1).map(columns).collect()
}

/// Every occurrence of a project, whatever its default filters say.
async fn occurrences(client: &Client<'_>, project: &Project) -> Vec<Value> {
    let list = format!(
        "/api/v2/occurrences/?project_id={}&apply_defaults=false&classification_threshold=0.0\
         &limit=1000",
        project.id
    );
    let list = client.get(&list).await.json();
    let rows = list["results"].as_array().unwrap().clone();
    assert_eq!(list["count"], rows.len());
    rows
}

/// What the last step wrote is what the API shows.
async fn archived(client: &Client<'_>, project: &Project, set: i64) {
    let exports = format!("/api/v2/exports/?project_id={}", project.id);
    let export = client.get(&exports).await.json()["results"][0].clone();
    let display = json!({"collection": {"id": set, "name": "Last night"}});
    assert_eq!(export["filters_display"], display);
    let link = export["file_url"].as_str().unwrap();
    let archive = reqwest::get(link).await.unwrap().bytes().await.unwrap();
    assert_eq!(export["file_size"], archive.len());
    let shown = occurrences(client, project).await;
    assert_eq!(export["record_count"], shown.len());
    let link = |row: &Value| row["details"].as_str().unwrap().to_owned();
    let shown_at: BTreeSet<String> = shown.iter().map(link).collect();
    let lines = table(&archive, "occurrence.txt");
    let written: BTreeSet<String> = lines.iter().map(|line| line[0].clone()).collect();
    assert_eq!(lines.len(), shown.len());
    assert_eq!(written, shown_at);
    let boxes: u64 = shown
        .iter()
        .map(|row| row["detections_count"].as_u64().unwrap())
        .sum();
    assert!(boxes > 0, "the detector finds insects on real photographs");
    assert_eq!(table(&archive, "multimedia.txt").len() as u64, boxes);
}

async fn chain(app: &TestApp, station: &Station, project: &Project) {
    let client = app.superuser().await;
    let pipeline = detector(app, &client, project).await;
    let set = set(&client, project).await;
    let chosen = "source_image_collection_id";
    let steps = json!([
        {"job_type_key": "data_storage_sync", "deployment_id": station.id},
        {"job_type_key": "regroup_events", "deployment_id": station.id},
        {"job_type_key": "populate_captures_collection", chosen: set},
        {"job_type_key": "ml", chosen: set, "pipeline_id": pipeline},
        {"job_type_key": "data_export", chosen: set,
         "params": {"format": domain::export::DARWIN_CORE}},
    ]);
    let run = run(&client, project, steps.clone()).await;
    assert_eq!(run["detail"], json!(null));
    assert_eq!(run["status"], "SUCCESS");
    let jobs = run["jobs"].as_array().unwrap();
    let kinds: Vec<&Value> = jobs.iter().map(|job| &job["job_type_key"]).collect();
    let asked: Vec<&Value> = steps
        .as_array()
        .unwrap()
        .iter()
        .map(|step| &step["job_type_key"])
        .collect();
    assert_eq!(kinds, asked);

    let store = &app.store;
    let captures = store.station(station.id).await.unwrap().captures_count;
    assert_eq!(captures as usize, LAST.len() + BEFORE.len());
    assert_eq!(store.count_sessions(project.id).await.unwrap(), 2);
    let paths = async |scope: Scope| {
        let ids = store.capture_ids_after(&scope, i64::MIN, 100).await;
        let rows = store.captures_by_id(&ids.unwrap()).await.unwrap();
        let rows = rows.into_iter();
        rows.map(|row| (row.path, row.last_processed_at.is_some()))
            .collect::<BTreeSet<(String, bool)>>()
    };
    let of = |names: &[&str], ago: u64, looked: bool| {
        let names = names
            .iter()
            .map(|name| (format!("trap/{}", moved(name, ago)), looked));
        names.collect::<BTreeSet<(String, bool)>>()
    };
    let (last, before) = (of(&LAST, 1, true), of(&BEFORE, 2, false));
    assert_eq!(paths(Scope::Set(set)).await, last, "one night of two");
    let all = paths(Scope::Station(station.id)).await;
    assert_eq!(all, last.union(&before).cloned().collect());
    archived(&client, project, set).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_nights_chain_leads_from_a_bucket_to_an_archive() {
    let Some(folder) = photographs() else {
        return;
    };
    for fresh in testing::fresh().await {
        let s3 = S3::new().await;
        fill(&s3, &folder);
        let app = TestApp::start(&fresh).await;
        let project = app.project("Moths", false).await;
        let station = app.station(&project).await;
        let source = json!({"endpoint_url": s3.endpoint, "bucket": "moths"});
        connect(&app.superuser().await, &station, source).await;
        app.work();
        chain(&app, &station, &project).await;
    }
}
