//! Settings of a project, its switches, its picture, its charts, and the orders of projects.

use domain::permission::Role;
use reqwest::Method;
use serde_json::{Value, json};
use store::testing;

use crate::app::{TestApp, keys, png};

#[tokio::test]
async fn settings_are_nested_in_json_and_dotted_in_forms() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        let project = app.project("Moths", false).await;
        let manager = app.member(&project, Some(Role::ProjectManager)).await;
        let one = format!("/api/v2/projects/{}/", project.id);
        let shown = manager.get(&one).await.json()["settings"].clone();
        let wanted = [
            "default_filters_exclude_taxa",
            "default_filters_include_taxa",
            "default_filters_score_threshold",
            "default_processing_pipeline",
            "session_time_gap_seconds",
            "user_permissions",
        ];
        assert_eq!(keys(&shown), wanted);
        assert_eq!(shown["session_time_gap_seconds"], 7200);

        let taxon = testing::taxon(&app.store, "Vanessa atalanta").await;
        let change = json!({"settings": {
            "session_time_gap_seconds": 600, "default_filters_score_threshold": 0.3,
            "default_filters_include_taxa_ids": [taxon, taxon],
        }});
        let changed = manager.patch(&one, change).await;
        assert_eq!(changed.status, 200, "{}", changed.text);
        let settings = changed.json()["settings"].clone();
        assert_eq!(settings["session_time_gap_seconds"], 600);
        assert_eq!(settings["default_filters_score_threshold"], 0.3);
        assert_eq!(
            settings["default_filters_include_taxa"][0]["name"],
            "Vanessa atalanta"
        );
        assert_eq!(settings["default_filters_exclude_taxa"], json!([]));
        let gone = json!(["Invalid pk \"999\" - object does not exist."]);
        let bad = json!({"settings": {
            "default_processing_pipeline_id": 999, "session_time_gap_seconds": "x",
            "default_filters_exclude_taxa_ids": [999],
        }});
        let expected = json!({"settings": {
            "session_time_gap_seconds": ["A valid integer is required."],
            "default_processing_pipeline_id": gone, "default_filters_exclude_taxa_ids": gone,
        }});
        let refused = manager.patch(&one, bad).await.json();
        assert_eq!(
            refused["settings"].as_object().unwrap().len(),
            3,
            "{refused}"
        );
        for (field, words) in expected["settings"].as_object().unwrap() {
            assert_eq!(&refused["settings"][field], words);
        }

        // Shown where it is set, for recorded answers do not have it.
        let wait = async |minutes: Value| {
            let change = json!({"settings": {"worker_wait_minutes": minutes}});
            let answer = manager.patch(&one, change).await;
            (
                answer.status.as_u16(),
                answer.json()["settings"]["worker_wait_minutes"].clone(),
            )
        };
        assert_eq!(wait(json!(45)).await, (200, json!(45)));
        let shown = manager.get(&one).await.json()["settings"]["worker_wait_minutes"].clone();
        assert_eq!(shown, 45);
        for (bad, words) in [
            (json!(0), "Ensure this value is greater than or equal to 1."),
            (json!("soon"), "A valid integer is required."),
        ] {
            assert_eq!(wait(bad).await, (400, json!([words])));
        }
        assert_eq!(wait(Value::Null).await, (200, Value::Null));

        let fields = [
            ("name", "Renamed"),
            ("settings.session_time_gap_seconds", "900"),
        ];
        let picture = png();
        let files = [("image", "x.png", picture.as_slice())];
        let sent = manager.form(Method::PATCH, &one, &fields, &files).await;
        assert_eq!(sent.status, 200, "{}", sent.text);
        let sent = sent.json();
        assert_eq!(
            (&sent["name"], &sent["draft"]),
            (&json!("Renamed"), &json!(false))
        );
        assert_eq!(sent["settings"]["session_time_gap_seconds"], 900);
        assert_eq!(sent["settings"]["default_filters_score_threshold"], 0.3);
        let image = sent["image"].as_str().unwrap();
        assert_eq!(app.anonymous().get(image).await.status, 200);
        let listed = app.anonymous().get("/api/v2/projects/").await.json();
        assert_eq!(listed["results"][0]["image"], image);
        let emptied = json!({"settings": {"default_filters_include_taxa_ids": []}});
        let emptied = manager.patch(&one, emptied).await.json();
        assert_eq!(
            emptied["settings"]["default_filters_include_taxa"],
            json!([])
        );
    }
}

#[tokio::test]
async fn only_superusers_turn_switches() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        let project = app.project("Moths", false).await;
        let one = format!("/api/v2/projects/{}/", project.id);
        let change = json!({"feature_flags": {"tags": true}});
        let manager = app.member(&project, Some(Role::ProjectManager)).await;
        let passed_over = manager.patch(&one, change.clone()).await.json();
        assert_eq!(passed_over["feature_flags"]["tags"], false);
        let admin = app.superuser().await;
        let turned = admin.patch(&one, change).await.json();
        assert_eq!(turned["feature_flags"]["tags"], true);
        assert_eq!(
            turned["feature_flags"]["async_pipeline_workers"], true,
            "the others stay"
        );
        let bad = admin
            .patch(&one, json!({"feature_flags": {"tags": "yes"}}))
            .await;
        assert_eq!(bad.status, 400);
        let form = [("name", "New"), ("settings.session_time_gap_seconds", "60")];
        let made = admin
            .form(Method::POST, "/api/v2/projects/", &form, &[])
            .await;
        assert_eq!(made.status, 201, "{}", made.text);
        assert_eq!(made.json()["settings"]["session_time_gap_seconds"], 60);
    }
}

#[tokio::test]
async fn charts_tell_hours_and_months() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        let project = app.project("Moths", false).await;
        let station = app.station(&project).await;
        for name in [
            "20220810220000.jpg",
            "20220810220500.jpg",
            "20220811010000.jpg",
        ] {
            app.capture(&station, name, b"x").await;
        }
        let gap = chrono::Duration::hours(2);
        app.store.regroup(station.id, gap, |_| ()).await.unwrap();
        app.capture(&station, "20220901220000.jpg", b"x").await; // in no session yet
        let at = format!("/api/v2/projects/{}/", project.id);
        let charts = app.anonymous().get(&format!("{at}charts")).await.json();
        let data = charts["summary_data"].clone();
        let titles: Vec<&Value> = data
            .as_array()
            .unwrap()
            .iter()
            .map(|c| &c["title"])
            .collect();
        assert_eq!(titles, ["Captures", "Occurrences", "Taxa"]);
        let hours = &data[0]["plots"][0];
        assert_eq!(keys(hours), ["title", "data", "type"]);
        let expected = json!({
            "x": ["10:00 PM", "1:00 AM"], "y": [2.0, 1.0], "ticktext": ["10:00 PM", "1:00 AM"],
        });
        assert_eq!(hours["data"], expected);
        let months = &data[0]["plots"][1]["data"];
        assert_eq!(months["y"], json!([0, 0, 0, 0, 0, 0, 0, 3, 1, 0, 0, 0]));
        assert_eq!(data[2]["plots"][0]["orientation"], "h");
        assert_eq!(app.anonymous().get(&at).await.json()["summary_data"], data);
    }
}

#[tokio::test]
async fn projects_are_ordered_by_what_happened_last() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        let quiet = app.project("Quiet", false).await;
        let busy = app.project("Busy", false).await;
        let station = app.station(&busy).await;
        app.capture(&station, "20220810220000.jpg", b"x").await;
        app.store.refresh_station(station.id).await.unwrap();
        let new = store::job::NewJob {
            project_id: busy.id,
            kind: domain::job::REGROUP,
            station_id: Some(station.id),
            ..Default::default()
        };
        app.store.create_job(new).await.unwrap();
        let first = async |query: &str| {
            let list = app
                .anonymous()
                .get(&format!("/api/v2/projects/{query}"))
                .await
                .json();
            list["results"][0]["id"].as_i64().unwrap()
        };
        assert_eq!(first("").await, quiet.id, "the oldest first");
        for order in ["last_capture_timestamp", "last_job_updated_at"] {
            for sign in ["", "-"] {
                let query = format!("?ordering={sign}{order}");
                assert_eq!(first(&query).await, busy.id, "nulls last: {query}");
            }
        }
        assert_eq!(
            first("?ordering=last_occurrence_updated_at").await,
            quiet.id,
            "both null"
        );
        assert_eq!(first("?ordering=name").await, busy.id);
        let words = "You can only view your projects";
        let other = app
            .superuser()
            .await
            .get("/api/v2/projects/?user_id=999")
            .await;
        assert_eq!(
            (other.status.as_u16(), other.json()),
            (403, json!({"detail": words}))
        );
    }
}

#[tokio::test]
async fn nothing_is_left_of_a_deleted_project() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        let project = app.project("Moths", false).await;
        let station = app.station(&project).await;
        let capture = app.capture(&station, "20220810220000.jpg", b"x").await;
        let admin = app.superuser().await;
        let at = format!("/api/v2/projects/{}/", project.id);
        assert_eq!(admin.delete(&at).await.status, 204);
        assert!(app.store.capture(capture).await.is_err());
        for list in ["deployments", "storage", "deployments/sites"] {
            let list = admin.get(&format!("/api/v2/{list}/")).await.json();
            assert_eq!(list["count"], 0);
        }
    }
}
