//! Jobs of the kind `data_storage_sync`, on a folder and on a bucket: what lies in a station's
//! storage becomes captures and sessions, once, however often it is read.

use domain::permission::Role;
use serde_json::{Value, json};
use store::job::Job;
use store::station::Station;
use store::testing;

mod bucket;
mod night;
pub mod s3;

use crate::app::{Client, TestApp};
use crate::pages::jpeg;

/// Asks for a sync and waits until it has ended.
async fn sync(app: &TestApp, client: &Client<'_>, station: &Station) -> Job {
    let path = format!("/api/v2/deployments/{}/sync/", station.id);
    let asked = client.post(&path, json!({})).await;
    assert_eq!(asked.status, 200, "{}", asked.text);
    app.ended(asked.json()["job_id"].as_i64().unwrap()).await
}

/// A parameter of a stage of a job, as the API shows it.
async fn param(client: &Client<'_>, job: i64, stage: &str, key: &str) -> Value {
    let shown = client.get(&format!("/api/v2/jobs/{job}/")).await.json();
    let stages = shown["progress"]["stages"].as_array().unwrap().clone();
    let stage = stages.into_iter().find(|s| s["key"] == stage).unwrap();
    let params = stage["params"].as_array().unwrap().clone();
    let param = params.into_iter().find(|p| p["key"] == key).unwrap();
    param["value"].clone()
}

async fn log(client: &Client<'_>, job: i64) -> String {
    let shown = client.get(&format!("/api/v2/jobs/{job}/")).await.json();
    shown["logs"]["stdout"].to_string()
}

#[tokio::test]
async fn a_folder_becomes_captures_and_sessions_once() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        let project = app.project("Moths", false).await;
        let station = app.station(&project).await;
        let manager = app.member(&project, Some(Role::MlDataManager)).await;
        let folder = app.folder.path().join("photographs");
        std::fs::create_dir(folder.join("night")).unwrap();
        for name in [
            "night/20240601220000-00-snapshot.jpg",
            "night/20240601221000-01-snapshot.JPG",
            "20240602220000-00-snapshot.jpg",
        ] {
            std::fs::write(folder.join(name), jpeg(64, 48)).unwrap();
        }
        std::fs::write(folder.join("undated.jpg"), jpeg(8, 8)).unwrap();
        std::fs::write(folder.join("notes.txt"), "hello").unwrap();
        std::fs::write(folder.join("20240601223000-empty.jpg"), "").unwrap();
        app.work();

        for (run, created) in [(1, 2), (2, 0)] {
            let job = sync(&app, &manager, &station).await;
            assert_eq!(job.state, "SUCCESS", "run {run}");
            let stage = "data_storage_sync";
            assert_eq!(param(&manager, job.id, stage, "total_files").await, 4);
            assert_eq!(param(&manager, job.id, stage, "failed").await, 1);
            let stage = "regroup_sessions";
            assert_eq!(param(&manager, job.id, stage, "captures_grouped").await, 3);
            assert_eq!(
                param(&manager, job.id, stage, "events_created").await,
                created
            );
            let log = log(&manager, job.id).await;
            assert!(log.contains("undated.jpg has no time in its name"), "{log}");
        }
        let list = format!("/api/v2/captures/?project_id={}&ordering=path", project.id);
        let captures = manager.get(&list).await.json();
        assert_eq!(captures["count"], 3);
        for capture in captures["results"].as_array().unwrap() {
            let size = (&capture["width"], &capture["height"]);
            assert_eq!(size, (&json!(64), &json!(48)), "{}", capture["path"]);
            assert!(capture["event"]["id"].is_i64());
        }
        let shown = manager
            .get(&format!("/api/v2/deployments/{}/", station.id))
            .await
            .json();
        assert_eq!(shown["captures_count"], 3);
        assert_eq!(shown["data_source_total_files"], 4);
        assert_eq!(shown["events_count"], 2);

        // A photograph that is gone keeps its capture, and the log says so.
        std::fs::remove_file(folder.join("20240602220000-00-snapshot.jpg")).unwrap();
        let job = sync(&app, &manager, &station).await;
        assert_eq!(manager.get(&list).await.json()["count"], 3);
        let log = log(&manager, job.id).await;
        assert!(
            log.contains("The storage holds 2 captures of this station"),
            "{log}"
        );
    }
}

#[tokio::test]
async fn only_what_the_station_asks_for_is_read() {
    let fresh = testing::fresh_sqlite().await;
    let app = TestApp::start(&fresh).await;
    let project = app.project("Moths", false).await;
    let station = app.station(&project).await;
    let manager = app.superuser().await;
    let folder = app.folder.path().join("photographs");
    for night in ["a", "b"] {
        std::fs::create_dir(folder.join(night)).unwrap();
        for name in ["20240601220000-snapshot.jpg", "20240601221000-motion.jpg"] {
            std::fs::write(folder.join(night).join(name), jpeg(8, 8)).unwrap();
        }
    }
    app.work();
    let one = format!("/api/v2/deployments/{}/", station.id);
    let narrow = json!({"data_source_subdir": "/a/", "data_source_regex": "snapshot\\.jpg$"});
    let changed = manager.patch(&one, narrow).await;
    assert_eq!(changed.status, 200, "{}", changed.text);
    let job = sync(&app, &manager, &station).await;
    assert_eq!(job.state, "SUCCESS");
    let captures = format!("/api/v2/captures/?project_id={}", project.id);
    let captures = manager.get(&captures).await.json();
    assert_eq!(captures["count"], 1);
    assert_eq!(
        captures["results"][0]["path"],
        "a/20240601220000-snapshot.jpg"
    );

    let elsewhere = json!({"data_source_subdir": "nowhere", "data_source_regex": ""});
    assert_eq!(manager.patch(&one, elsewhere).await.status, 200);
    let job = sync(&app, &manager, &station).await;
    assert_eq!(
        job.state, "SUCCESS",
        "a folder that is not there holds nothing"
    );
    assert_eq!(
        param(&manager, job.id, "data_storage_sync", "total_files").await,
        0
    );
}

#[tokio::test]
async fn what_cannot_be_read_is_a_failure_with_a_sentence() {
    let fresh = testing::fresh_sqlite().await;
    let app = TestApp::start(&fresh).await;
    let project = app.project("Moths", false).await;
    let station = app.station(&project).await;
    let manager = app.superuser().await;
    app.work();
    let source = station.source_id.unwrap();
    std::fs::remove_dir_all(app.folder.path().join("photographs")).unwrap();
    let job = sync(&app, &manager, &station).await;
    assert_eq!(job.state, "FAILURE");
    let words = log(&manager, job.id).await;
    assert!(words.contains("The folder cannot be read."), "{words}");

    let bare = json!({"data_source_id": null});
    let one = format!("/api/v2/deployments/{}/", station.id);
    assert_eq!(manager.patch(&one, bare).await.status, 200);
    for (body, sentence) in [
        (json!({}), "The job has no station."),
        (
            json!({"deployment_id": station.id}),
            "Deployment must have a data source",
        ),
    ] {
        let mut new = json!({
            "name": "Sync", "delay": 0, "project_id": project.id,
            "job_type_key": "data_storage_sync",
        });
        new.as_object_mut()
            .unwrap()
            .extend(body.as_object().unwrap().clone());
        let made = manager.post("/api/v2/jobs/?start_now", new).await;
        assert_eq!(made.status, 201, "{}", made.text);
        let job = app.ended(made.json()["id"].as_i64().unwrap()).await;
        assert_eq!(job.state, "FAILURE");
        let words = log(&manager, job.id).await;
        assert!(words.contains(sentence), "{words}");
    }
    assert!(app.store.source(source).await.is_ok());
}
