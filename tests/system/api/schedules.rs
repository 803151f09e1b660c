//! `/api/v2/schedules/`: chains are written, refused with all messages, run, paused and deleted;
//! who stands for one is whoever saved it last.

use domain::permission::Role;
use reqwest::Method;
use serde_json::{Value, json};
use store::project::Project;
use store::testing;

use crate::app::{Client, TestApp};

const PATH: &str = "/api/v2/schedules/";

fn night(project: &Project, steps: Value) -> Value {
    json!({
        "name": "Night", "project": project.id, "cron": "0 6 * * *",
        "time_zone": "Europe/Berlin", "steps": steps,
    })
}

async fn make(client: &Client<'_>, body: Value) -> Value {
    let made = client.post(PATH, body).await;
    assert_eq!(made.status, 201, "{}", made.text);
    made.json()
}

#[tokio::test]
async fn a_schedule_is_made_run_paused_changed_and_deleted() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        let project = app.project("Moths", false).await;
        let station = app.station(&project).await;
        let me = app.member(&project, Some(Role::MlDataManager)).await;
        let chain = json!([
            {"job_type_key": "regroup_events", "deployment_id": station.id},
            {"job_type_key": "regroup_events", "name": "Once more"},
        ]);
        let made = make(&me, night(&project, chain)).await;
        assert_eq!(made["paused"], false);
        let next = made["next_run"].as_str().unwrap();
        assert!(
            next.ends_with("04:00:00") || next.ends_with("05:00:00"),
            "{next}"
        );
        assert_eq!(
            (&made["last_run"], &made["runs"]),
            (&json!(null), &json!([]))
        );
        assert_eq!(made["steps"][1]["shuffle"], true);
        assert_eq!(made["user_permissions"], json!(["update", "delete", "run"]));
        let one = format!("{PATH}{}/", made["id"]);

        let run = me.post(&format!("{one}run/"), json!({})).await.json();
        let last = &run["last_run"];
        assert_eq!(
            (&last["status"], &last["planned_at"]),
            (&json!("STARTED"), &json!(null))
        );
        assert_eq!(last["jobs"][0]["status"], "PENDING");
        assert_eq!(last["jobs"][0]["step"], 1);
        assert_eq!(last["user"]["id"], made["user"]["id"]);
        // Asked again while it goes on, it answers with that run.
        let again = me.post(&format!("{one}run/"), json!({})).await.json();
        assert_eq!(again["last_run"]["id"], last["id"]);
        assert_eq!(again["runs"].as_array().unwrap().len(), 1);

        app.work();
        let job = last["jobs"][0]["id"].as_i64().unwrap();
        app.ended(job).await;
        let done = loop {
            let row = me.get(&one).await.json();
            if row["last_run"]["status"] != "STARTED" {
                break row;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        };
        let last = &done["last_run"];
        assert_eq!(
            (&last["status"], &last["detail"]),
            (&json!("SUCCESS"), &json!(null))
        );
        let name = format!("Once more ({})", station.name);
        assert_eq!(last["jobs"][1]["name"], json!(name));
        assert!(last["finished_at"].is_string());
        let page = format!("/projects/{}/schedules", project.id);
        let shown = me.get(&page).await;
        for words in ["Night", "0 6 * * *", "Europe/Berlin", "Once more"] {
            assert!(shown.text.contains(words), "{words}: {}", shown.text);
        }
        assert_eq!(app.anonymous().get(&page).await.status, 401);
        let jobs = format!("/projects/{}/jobs", project.id);
        assert!(me.get(&jobs).await.text.contains(&page));
        assert!(!app.anonymous().get(&jobs).await.text.contains(&page));

        let paused = me.post(&format!("{one}pause/"), json!({})).await.json();
        assert_eq!(
            (&paused["paused"], &paused["next_run"]),
            (&json!(true), &json!(null))
        );
        let resumed = me.post(&format!("{one}resume/"), json!({})).await.json();
        assert_eq!(resumed["next_run"], made["next_run"]);
        let changed = me
            .patch(&one, json!({"cron": "@monthly", "time_zone": "UTC"}))
            .await;
        let next = changed.json()["next_run"].clone();
        assert!(next.as_str().unwrap().ends_with("-01T00:00:00"), "{next}");

        assert_eq!(me.send(Method::DELETE, &one, None).await.status, 204);
        assert_eq!(me.get(&one).await.status, 404);
        let left = me.get(&format!("/api/v2/jobs/{job}/")).await;
        assert_eq!(left.status, 200);
    }
}

#[tokio::test]
async fn what_cannot_be_is_refused_with_all_messages() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        let project = app.project("Moths", false).await;
        let other = app.project("Others", false).await;
        let station = app.station(&other).await;
        let theirs = app.store.capture_set_by_name(other.id, "All Images").await;
        let theirs = theirs.unwrap().unwrap().id;
        let me = app.superuser().await;
        let refused = me
            .post(
                PATH,
                json!({
                    "project": project.id, "cron": "0 6 * *", "time_zone": "Mars/Olympus",
                    "steps": [
                        {"job_type_key": "data_storage_sync", "deployment_id": station.id},
                        {"job_type_key": "regroup_events"},
                        {"job_type_key": "sweep"},
                        {"job_type_key": "unknown"},
                        {"job_type_key": "ml", "pipeline_id": 999},
                        {"job_type_key": "data_export", "params": {"format": "xls"}},
                        7,
                        {"job_type_key": "data_export", "params": {
                            "format": "occurrences_parquet", "filters": {"collection_id": theirs}}},
                        {"job_type_key": "post_processing", "params": {
                            "task": "small_size_filter", "config": {"size_threshold": 2}}},
                        {"job_type_key": "post_processing", "params": {"task": "class_masking",
                            "config": {"source_image_collection_id": theirs, "taxa_list_id": 8,
                                       "algorithm_id": 9}}},
                    ],
                }),
            )
            .await;
        assert_eq!(refused.status, 400);
        let body = refused.json();
        assert_eq!(body["name"], json!(["This field is required."]));
        let words = body["cron"][0].as_str().unwrap();
        assert!(words.contains("five fields"), "{words}");
        let words = body["time_zone"][0].as_str().unwrap();
        assert!(words.contains("IANA"), "{words}");
        let missing = |id: i64| json!([format!("Invalid pk \"{id}\" - object does not exist.")]);
        let steps = &body["steps"];
        assert_eq!(steps["0"], json!({"deployment_id": missing(station.id)}));
        assert_eq!(steps.get("1"), None);
        assert_eq!(
            steps["2"],
            json!({"job_type_key": ["\"sweep\" is not a valid choice."]})
        );
        assert_eq!(
            steps["3"],
            json!({"job_type_key": ["Jobs of this kind cannot be scheduled."]})
        );
        assert_eq!(steps["4"]["pipeline_id"], missing(999));
        assert!(steps["4"]["source_image_collection_id"].is_array());
        assert_eq!(
            steps["5"],
            json!({"params": {"format": ["\"xls\" is not a valid choice."]}})
        );
        assert!(steps["6"]["non_field_errors"].is_array());
        let words = "Capture set does not belong to the selected project.";
        assert_eq!(steps["7"], json!({"params": {"filters": [words]}}));
        let config = |which: &str| steps[which]["params"]["config"].clone();
        assert_eq!(
            config("8"),
            json!({
                "source_image_collection_id": ["Name the capture set to look at, or an occurrence \
                                                as occurrence_id."],
                "size_threshold": ["It must be greater than 0 and less than 1."],
            })
        );
        assert_eq!(
            config("9"),
            json!({
                "source_image_collection_id": [
                    format!("There is no capture set {theirs} in this project.")],
                "taxa_list_id": ["There is no taxa list 8."],
                "algorithm_id": ["There is no algorithm 9."],
            })
        );
        for (steps, words) in [
            (json!([]), "This list may not be empty."),
            (json!({}), "Expected a list of items."),
            (json!("no json"), "Expected a list of items."),
        ] {
            let refused = me.post(PATH, night(&project, steps)).await.json();
            assert_eq!(refused, json!({"steps": [words]}));
        }
        let never = json!({"cron": "0 0 30 2 *"});
        let made = make(
            &me,
            night(&project, json!([{"job_type_key": "regroup_events"}])),
        )
        .await;
        let one = format!("{PATH}{}/", made["id"]);
        let refused = me.patch(&one, never).await;
        assert_eq!(refused.status, 400);
        let words = refused.json()["cron"][0].clone();
        assert!(words.as_str().unwrap().contains("never comes round"));
        let moved = me.patch(&one, json!({"project": other.id})).await;
        assert_eq!(
            moved.json(),
            json!({"project": ["It cannot be moved to another project."]})
        );
        // A chain written into a form is JSON.
        let form = r#"[{"job_type_key": "regroup_events", "name": "By form"}]"#;
        let by_form = me.patch(&one, json!({"steps": form})).await.json();
        assert_eq!(by_form["steps"][0]["name"], "By form");
    }
}

#[tokio::test]
async fn an_export_of_a_schedule_is_shown_like_one_made_by_hand() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        let project = app.project("Moths", false).await;
        let set = app
            .store
            .capture_set_by_name(project.id, "All Images")
            .await;
        let set = set.unwrap().unwrap().id;
        let me = app.superuser().await;
        let format = "occurrences_simple_csv";
        let filters = json!({"collection_id": set, "taxa_list_id": 77});
        let by_hand = json!({"project": project.id, "format": format, "filters": filters});
        let by_hand = me.post("/api/v2/exports/", by_hand).await.json();
        let display = json!({"collection": {"id": set, "name": "All Images"},
                             "taxa_list": {"id": 77, "name": null}});
        assert_eq!(by_hand["filters_display"], display);
        let chain = json!([{
            "job_type_key": "data_export", "source_image_collection_id": set,
            "params": {"format": format, "filters": {"taxa_list_id": 77}},
        }]);
        let made = make(&me, night(&project, chain)).await;
        let run = format!("{PATH}{}/run/", made["id"]);
        assert_eq!(me.post(&run, json!({})).await.status, 200);
        let list = format!("/api/v2/exports/?project_id={}&ordering=-id", project.id);
        let list = me.get(&list).await.json();
        assert_eq!(list["count"], 2);
        for field in ["filters", "filters_display"] {
            assert_eq!(list["results"][0][field], by_hand[field], "{field}");
        }
    }
}

#[tokio::test]
async fn whoever_saves_a_schedule_stands_for_it() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        let project = app.project("Moths", false).await;
        app.station(&project).await;
        let data = app.member(&project, Some(Role::MlDataManager)).await;
        let basic = app.member(&project, Some(Role::BasicMember)).await;
        let boss = app.member(&project, Some(Role::ProjectManager)).await;
        let made = make(
            &data,
            night(&project, json!([{"job_type_key": "regroup_events"}])),
        )
        .await;
        let one = format!("{PATH}{}/", made["id"]);
        let seen = basic.get(&one).await.json();
        assert_eq!(seen["user_permissions"], json!([]));
        assert_eq!(basic.patch(&one, json!({"name": "Mine"})).await.status, 403);
        let list = basic
            .get(&format!("{PATH}?project_id={}", project.id))
            .await
            .json();
        assert_eq!(
            (&list["count"], &list["user_permissions"]),
            (&json!(1), &json!([]))
        );
        let list = data
            .get(&format!("{PATH}?project_id={}", project.id))
            .await
            .json();
        assert_eq!(list["user_permissions"], json!(["create"]));
        assert_eq!(app.anonymous().get(PATH).await.json()["count"], 0);
        // Nobody may put in what they may not run themselves.
        let set = app
            .store
            .capture_set_by_name(project.id, "All Images")
            .await;
        let config = json!({"source_image_collection_id": set.unwrap().unwrap().id});
        let post = json!([{"job_type_key": "post_processing",
                           "params": {"task": "small_size_filter", "config": config}}]);
        assert_eq!(boss.patch(&one, json!({"steps": post})).await.status, 403);
        let taken = boss.patch(&one, json!({"name": "Ours"})).await.json();
        assert_ne!(taken["user"]["id"], made["user"]["id"]);
        assert_eq!(taken["name"], "Ours");
        assert_eq!(
            data.get(&format!("{PATH}?search=our")).await.json()["count"],
            1
        );
    }
}

#[tokio::test]
async fn the_last_nights_of_a_capture_set_are_a_number() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        let project = app.project("Moths", false).await;
        let me = app.superuser().await;
        let set = |nights: Value| {
            json!({"name": "Last night", "project": project.id, "method": "full",
                   "kwargs": {"last_nights": nights}})
        };
        let path = "/api/v2/captures/collections/";
        let made = me.post(path, set(json!(1))).await;
        assert_eq!(made.status, 201, "{}", made.text);
        assert_eq!(made.json()["kwargs"], json!({"last_nights": 1}));
        let refused = me.post(path, set(json!(0))).await;
        assert_eq!(refused.status, 400);
        assert!(refused.json()["kwargs"]["last_nights"].is_array());
    }
}
