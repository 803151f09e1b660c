//! Jobs of post-processing, and jobs of which there is one per target: how they are asked for.

use domain::permission::Role;
use serde_json::{Value, json};
use store::testing;

use crate::app::TestApp;

const JOBS: &str = "/api/v2/jobs/";

fn body(project: i64, params: Value) -> Value {
    json!({
        "name": "Post", "delay": 0, "project_id": project, "job_type_key": "post_processing",
        "params": params,
    })
}

#[tokio::test]
async fn settings_are_refused_by_their_place_before_there_is_a_job() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        let project = app.project("Moths", false).await;
        let other = app.project("Others", false).await;
        let set = app.store.capture_set_by_name(other.id, "All Images").await;
        let elsewhere = set.unwrap().unwrap().id;
        let user = app.superuser().await;
        let set = "source_image_collection_id";
        let of = |task: &str, config: Value| json!({"task": task, "config": config});
        let cases = [
            (
                json!([]),
                json!(["Expected an object: {\"task\": …, \"config\": {…}}."]),
            ),
            (json!({}), json!({"task": ["This field is required."]})),
            (
                of("sweep", json!({})),
                json!({"task": ["\"sweep\" is not a valid choice."]}),
            ),
            (
                of("small_size_filter", json!({set: 1, "size_threshold": 5})),
                json!({"config": {
                    "size_threshold": ["It must be greater than 0 and less than 1."]}}),
            ),
            (
                of("small_size_filter", json!({set: elsewhere})),
                json!({"config": {
                    set: [format!("There is no capture set {elsewhere} in this project.")]}}),
            ),
            (
                of(
                    "class_masking",
                    json!({"occurrence_id": 5, "taxa_list_id": 6, "algorithm_id": 7}),
                ),
                json!({"config": {
                    "occurrence_id": ["There is no occurrence 5 in this project."],
                    "taxa_list_id": ["There is no taxa list 6."],
                    "algorithm_id": ["There is no algorithm 7."]}}),
            ),
        ];
        for (params, expected) in cases {
            let refused = user.post(JOBS, body(project.id, params)).await;
            assert_eq!(refused.status, 400, "{}", refused.text);
            assert_eq!(refused.json(), json!({"params": expected}));
        }
        assert_eq!(user.get(JOBS).await.json()["count"], 0);
        // As recorded: without any it is made, and fails when it starts.
        let bare = user.post(JOBS, body(project.id, Value::Null)).await;
        assert_eq!(bare.status, 201, "{}", bare.text);
        let path = format!("{JOBS}{}/", bare.json()["id"]);
        let bad = json!({"params": {"task": "sweep"}});
        assert_eq!(user.patch(&path, bad).await.status, 400);
    }
}

#[tokio::test]
async fn a_job_is_made_with_its_params_and_run_by_a_superuser() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        let project = app.project("Moths", false).await;
        let manager = app.member(&project, Some(Role::ProjectManager)).await;
        let user = app.superuser().await;
        let set = app
            .store
            .capture_set_by_name(project.id, "All Images")
            .await;
        let config = json!({"source_image_collection_id": set.unwrap().unwrap().id});
        let params = json!({"task": "small_size_filter", "config": config});
        let new = body(project.id, params.clone());
        let started = format!("{JOBS}?start_now=1");
        assert_eq!(manager.post(&started, new.clone()).await.status, 403);
        let made = user.post(&started, new).await;
        assert_eq!(made.status, 201, "{}", made.text);
        assert!(made.json().get("params").is_none(), "it is only sent");
        let id = made.json()["id"].as_i64().unwrap();
        assert_eq!(app.store.job(id).await.unwrap().params, params);
        let run = format!("{JOBS}{id}/run/");
        assert_eq!(manager.post(&run, json!({})).await.status, 403);
        app.work();
        assert_eq!(app.ended(id).await.state, "SUCCESS");
        let shown = user.get(&format!("{JOBS}{id}/")).await.json();
        let stage = &shown["progress"]["stages"][0];
        let names: Vec<&str> = stage["params"]
            .as_array()
            .unwrap()
            .iter()
            .map(|param| param["key"].as_str().unwrap())
            .collect();
        let expected = [
            "detections_checked",
            "detections_flagged",
            "occurrences_updated",
        ];
        assert_eq!(names, expected);
    }
}

#[tokio::test]
async fn asking_again_is_answered_with_the_job_that_waits() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        let project = app.project("Moths", false).await;
        let station = app.station(&project).await;
        let user = app.superuser().await;
        let set = app
            .store
            .capture_set_by_name(project.id, "All Images")
            .await;
        let set = set.unwrap().unwrap().id;
        for path in [
            format!("/api/v2/deployments/{}/sync/", station.id),
            format!("/api/v2/deployments/{}/regroup-sessions/", station.id),
            format!("/api/v2/captures/collections/{set}/populate/"),
        ] {
            let first = user.post(&path, json!({})).await.json();
            let second = user.post(&path, json!({})).await.json();
            assert_eq!(first["job_id"], second["job_id"], "{path}");
        }
        let new = json!({
            "name": "Sync", "delay": 0, "project_id": project.id, "deployment_id": station.id,
            "job_type_key": "data_storage_sync",
        });
        let joined = user.post(&format!("{JOBS}?start_now=1"), new.clone()).await;
        assert_eq!(joined.status, 200, "{}", joined.text);
        let joined = joined.json();
        let expected = format!("Sync captures for deployment {}", station.id);
        assert_eq!(joined["name"], expected);
        let made = user.post(JOBS, new).await;
        assert_eq!(made.status, 201, "it does not start: {}", made.text);
        for act in ["run", "retry"] {
            let path = format!("{JOBS}{}/{act}/", made.json()["id"]);
            let answer = user.post(&path, json!({})).await;
            assert_eq!(answer.status, 200, "{}", answer.text);
            assert_eq!(answer.json()["id"], joined["id"], "{act}");
        }
    }
}

#[tokio::test]
async fn a_capture_that_is_moved_finds_its_session_by_itself() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        let project = app.project("Moths", false).await;
        let station = app.station(&project).await;
        let user = app.superuser().await;
        app.work();
        let one = app.capture(&station, "20240601220000.jpg", b"x").await;
        let two = app.capture(&station, "20240601220500.jpg", b"x").await;
        // Whatever is set of the station: captures without a session are owed one.
        let path = format!("/api/v2/deployments/{}/", station.id);
        let saved = user.patch(&path, json!({"name": "Meadow"})).await;
        assert_eq!(saved.status, 200, "{}", saved.text);
        let sessions = async |expected: &[i64]| {
            for _ in 0..400 {
                let days = app.store.sessions_of(station.id).await.unwrap();
                let counts: Vec<i64> = days.iter().map(|day| day.captures_count).collect();
                if counts == expected {
                    return days;
                }
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            }
            panic!("no sessions of {expected:?}");
        };
        sessions(&[2]).await;
        let path = format!("/api/v2/captures/{one}/?project_id={}", project.id);
        let moved = json!({"timestamp": "2024-06-09T22:00:00"});
        let moved = user.patch(&path, moved).await;
        assert_eq!(moved.status, 200, "{}", moved.text);
        let days = sessions(&[1, 1]).await;
        assert_eq!(days[1].day.to_string(), "2024-06-09");
        let path = format!("/api/v2/captures/{two}/?project_id={}", project.id);
        assert_eq!(user.delete(&path).await.status, 204);
        assert_eq!(sessions(&[1]).await[0].day.to_string(), "2024-06-09");
    }
}
