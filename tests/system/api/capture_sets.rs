//! `/api/v2/captures/collections/`: capture sets.

use domain::permission::Role;
use reqwest::Method;
use serde_json::{Value, json};
use store::testing;

use super::captures::{keys, night};
use crate::app::TestApp;

const PATH: &str = "/api/v2/captures/collections/";

#[tokio::test]
async fn sets_are_made_shown_changed_and_deleted() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        let project = app.project("Moths", false).await;
        let draft = app.project("Draft", true).await;
        let basic = app.member(&project, Some(Role::BasicMember)).await;
        let manager = app.member(&project, Some(Role::MlDataManager)).await;
        let new = json!({
            "name": "S", "project": project.id, "method": "interval", "description": "d",
            "kwargs": {"minute_interval": "10", "max_num": null, "deployment_ids": [1], "bogus": 1},
        });
        assert_eq!(app.anonymous().post(PATH, new.clone()).await.status, 401);
        assert_eq!(basic.post(PATH, new.clone()).await.status, 403);
        let made = manager.post(PATH, new).await;
        assert_eq!(made.status, 201, "{}", made.text);
        let made = made.json();
        assert_eq!(
            made["kwargs"],
            json!({"minute_interval": 10, "deployment_ids": [1]})
        );
        assert_eq!(made["source_images_count"], Value::Null);
        assert_eq!(
            keys(&made).join(" "),
            "id details name project method kwargs source_images source_images_count \
             source_images_with_detections_count source_images_processed_count \
             occurrences_count taxa_count description jobs created_at updated_at user_permissions"
        );
        assert_eq!(
            made["user_permissions"],
            json!(["update", "delete", "populate"])
        );
        let one = format!("{PATH}{}/", made["id"]);
        let shown = app.anonymous().get(&one).await.json();
        assert_eq!(
            (&shown["source_images_count"], &shown["taxa_count"]),
            (&json!(0), &json!(0))
        );

        let change = |body: Value| Some(body.to_string());
        let put = change(json!({"name": "S2", "project": project.id}));
        let kept = manager.send(Method::PUT, &one, put).await.json();
        assert_eq!(
            (&kept["name"], &kept["method"]),
            (&json!("S2"), &json!("interval"))
        );
        assert_eq!(kept["kwargs"], made["kwargs"], "what is not sent stays");
        let moved = change(json!({"project": draft.id}));
        assert_eq!(manager.send(Method::PATCH, &one, moved).await.status, 400);
        assert_eq!(basic.send(Method::DELETE, &one, None).await.status, 403);
        assert_eq!(manager.send(Method::DELETE, &one, None).await.status, 204);
        assert_eq!(manager.get(&one).await.status, 404);
    }
}

#[tokio::test]
async fn wrong_settings_are_told_where_they_stand() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        let project = app.project("Moths", false).await;
        let manager = app.member(&project, Some(Role::MlDataManager)).await;
        let empty = manager.post(PATH, json!({})).await;
        let missing = json!(["This field is required."]);
        assert_eq!(empty.json(), json!({"name": missing, "project": missing}));
        let bad = json!({"name": "x", "project": 999, "method": "bogus", "kwargs": {"size": "x"}});
        let bad = manager.post(PATH, bad).await;
        assert_eq!(
            bad.json(),
            json!({
                "method": ["\"bogus\" is not a valid choice."],
                "kwargs": {"size": ["A valid integer is required."]},
                "project": ["Invalid pk \"999\" - object does not exist."],
            })
        );
        let kwargs = json!({"date_start": "10.8.2022", "event_ids": [1, "x"]});
        let dates = json!({"name": "x", "project": project.id, "kwargs": kwargs});
        let dates = manager.post(PATH, dates).await;
        let words = "Invalid date format. Use YYYY-MM-DD format.";
        let told = json!({"1": ["A valid integer is required."]});
        assert_eq!(
            dates.json(),
            json!({"kwargs": {"event_ids": told, "date_start": [words]}})
        );
    }
}

#[tokio::test]
async fn captures_are_put_in_taken_out_and_counted() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        let project = app.project("Moths", false).await;
        let other = app.project("Others", false).await;
        let (_, all) = night(&app, &project).await;
        let root = app.superuser().await;
        let manager = app.member(&project, Some(Role::ProjectManager)).await;
        let list = format!("{PATH}?project_id={}&ordering=-id", project.id);
        let made = json!({"name": "S", "project": project.id});
        let set = root.post(PATH, made).await.json();
        let add = format!("{PATH}{}/add/", set["id"]);
        let body = json!({"source_image": all[0]});
        assert_eq!(manager.post(&add, body.clone()).await.status, 403);
        for _ in 0..2 {
            let added = root.post(&add, body.clone()).await.json();
            assert_eq!(added, json!({"collection": set["id"], "total_images": 1}));
        }
        let missing = root.post(&add, json!({})).await.json();
        assert_eq!(
            missing,
            json!({"source_image": ["This field is required."]})
        );
        let unknown = root.post(&add, json!({"source_image": 99_999})).await;
        assert_eq!(unknown.status, 404);
        assert_eq!(
            unknown.json()["detail"],
            "SourceImage with id 99999 not found"
        );
        let (_, elsewhere) = night(&app, &other).await;
        let foreign = json!({"source_image": elsewhere[0]});
        assert_eq!(root.post(&add, foreign).await.status, 404);
        let item = root.get(&list).await.json()["results"][0].clone();
        assert_eq!(item["source_images_count"], 1);
        assert_eq!(item["source_images_processed_count"], 0);
        assert_eq!(item["occurrences_count"], Value::Null);
        let counted = root.get(&format!("{list}&with_counts=1")).await.json();
        assert_eq!(counted["results"][0]["occurrences_count"], 0);
        assert_eq!(root.get(&format!("{PATH}?with_counts=1")).await.status, 400);
        assert_eq!(
            root.get(&format!("{list}&method=manual")).await.json()["count"],
            0
        );
        assert_eq!(root.get(&format!("{list}&method=bogus")).await.status, 400);
        let capture = format!("/api/v2/captures/{}/", all[0]);
        assert_eq!(root.send(Method::DELETE, &capture, None).await.status, 204);
        let item = root.get(&list).await.json()["results"][0].clone();
        assert_eq!(
            item["source_images_count"], 0,
            "a deleted capture is in no set"
        );
    }
}

/// A method with its settings, how its job ends, and how many captures the set holds then: none
/// means all of the night.
const METHODS: &[(&str, &str, &str, Option<usize>)] = &[
    ("full", "{}", "SUCCESS", None),
    (
        "full",
        r#"{"hour_start": 3, "hour_end": 4}"#,
        "SUCCESS",
        Some(0),
    ),
    ("full", r#"{"deployment_ids": []}"#, "SUCCESS", Some(0)),
    (
        "full",
        r#"{"research_site_ids": [999999]}"#,
        "SUCCESS",
        Some(0),
    ),
    ("random", r#"{"size": 1, "seed": 5}"#, "SUCCESS", Some(1)),
    ("stratified_random", r#"{"size": 2}"#, "SUCCESS", Some(2)),
    (
        "interval",
        r#"{"minute_interval": 100000}"#,
        "SUCCESS",
        Some(1),
    ),
    (
        "interval",
        r#"{"minute_interval": 0, "max_num": 2}"#,
        "SUCCESS",
        Some(2),
    ),
    (
        "common_combined",
        r#"{"max_num": 2, "shuffle": false}"#,
        "SUCCESS",
        Some(2),
    ),
    (
        "random_from_each_event",
        r#"{"num_each": 1}"#,
        "SUCCESS",
        Some(2),
    ),
    (
        "last_and_random_from_each_event",
        r#"{"num_each": 1}"#,
        "SUCCESS",
        Some(3),
    ),
    (
        "greatest_file_size_from_each_event",
        "{}",
        "SUCCESS",
        Some(2),
    ),
    ("manual", r#"{"image_ids": [999999]}"#, "SUCCESS", Some(0)),
    ("manual", "{}", "FAILURE", Some(0)),
    ("starred", "{}", "SUCCESS", Some(0)),
    ("random", r#"{"minute_interval": 3}"#, "FAILURE", Some(0)),
    ("random", r#"{"size": -3}"#, "FAILURE", Some(0)),
];

#[tokio::test]
async fn a_set_is_filled_by_a_job() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        let project = app.project("Moths", false).await;
        let (_, all) = night(&app, &project).await;
        let manager = app.member(&project, Some(Role::MlDataManager)).await;
        let basic = app.member(&project, Some(Role::BasicMember)).await;
        app.work();
        for (method, kwargs, state, count) in METHODS {
            let kwargs: Value = serde_json::from_str(kwargs).unwrap();
            let new = json!({
                "name": method, "project": project.id, "method": method, "kwargs": kwargs,
            });
            let set = manager.post(PATH, new).await.json();
            let one = format!("{PATH}{}/", set["id"]);
            let populate = format!("{one}populate/");
            assert_eq!(basic.post(&populate, json!({})).await.status, 403);
            let started = manager.post(&populate, json!({})).await;
            assert_eq!(started.status, 200, "{}", started.text);
            assert_eq!(started.json()["project_id"], project.id);
            let job = started.json()["job_id"].as_i64().unwrap();
            let ended = app.ended(job).await;
            assert_eq!(ended.state, *state, "{method} {kwargs}");
            let shown = manager.get(&one).await.json();
            assert_eq!(shown["jobs"][0]["id"], job);
            let count = count.unwrap_or(all.len());
            assert_eq!(shown["source_images_count"], count, "{method} {kwargs}");
            assert_eq!(shown["kwargs"], kwargs);
        }
    }
}
