//! `/api/v2/exports/`: the record and its job; the kind that writes the file comes later.

use domain::permission::Role;
use reqwest::Method;
use serde_json::{Value, json};
use store::testing;

use crate::app::TestApp;

const EXPORTS: &str = "/api/v2/exports/";

#[tokio::test]
async fn an_export_is_a_record_with_a_job() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        let project = app.project("Moths", false).await;
        let other = app.project("Flies", false).await;
        app.insects(&project).await;
        let researcher = app.member(&project, Some(Role::Researcher)).await;
        let basic = app.member(&project, Some(Role::BasicMember)).await;
        let new = json!({"project": project.id, "format": "occurrences_simple_csv"});
        assert_eq!(app.anonymous().post(EXPORTS, new.clone()).await.status, 401);
        assert_eq!(basic.post(EXPORTS, new.clone()).await.status, 403);
        let missing = json!(["This field is required."]);
        let empty = researcher.post(EXPORTS, json!({})).await.json();
        assert_eq!(empty, json!({"project": missing, "format": missing}));
        let bad = json!({"project": project.id, "format": "xml", "filters": "x"});
        let bad = researcher.post(EXPORTS, bad).await.json();
        let words = "Expected a dictionary of items but got type \"str\".";
        let expected = json!({
            "format": ["\"xml\" is not a valid choice."], "filters": [words],
        });
        assert_eq!(bad, expected);

        let set = store::capture_set::NewCaptureSet {
            project_id: other.id,
            name: "Theirs".to_owned(),
            method: "full".to_owned(),
            ..Default::default()
        };
        let theirs = app.store.create_capture_set(set.clone()).await.unwrap();
        let ours = store::capture_set::NewCaptureSet {
            project_id: project.id,
            name: "Ours".to_owned(),
            ..set
        };
        let ours = app.store.create_capture_set(ours).await.unwrap();
        let of = |set: i64| {
            json!({"project": project.id, "format": "occurrences_api_json",
                   "filters": {"collection_id": set}})
        };
        let gone = researcher.post(EXPORTS, of(9999)).await;
        assert_eq!(gone.status, 400);
        assert_eq!(gone.json(), json!({"error": "Capture set does not exist."}));
        let wrong = researcher.post(EXPORTS, of(theirs.id)).await.json();
        let words = "Capture set does not belong to the selected project.";
        assert_eq!(wrong, json!({"error": words}));
        let narrow = researcher.post(EXPORTS, of(ours.id)).await.json();
        assert_eq!(narrow["record_count"], 0, "the set is empty");
        let display = json!({"collection": {"id": ours.id, "name": "Ours"}});
        assert_eq!(narrow["filters_display"], display);
        let name = format!("Export occurrences for capture set {}", ours.id);
        assert_eq!(narrow["job"]["name"], json!(name));

        let made = researcher.post(EXPORTS, new).await;
        assert_eq!(made.status, 201, "{}", made.text);
        let made = made.json();
        let expected = [
            "id",
            "user",
            "format",
            "filters",
            "filters_display",
            "job",
            "file_url",
            "record_count",
            "file_size",
            "file_size_display",
            "created_at",
            "updated_at",
            "user_permissions",
        ];
        let keys: Vec<&String> = made.as_object().unwrap().keys().collect();
        assert_eq!(keys, expected);
        assert_eq!(made["record_count"], 6, "whatever the default filters say");
        assert_eq!(made["user_permissions"], json!(["delete"]));
        assert_eq!(made["file_size_display"], Value::Null);
        let job = app.ended(made["job"]["id"].as_i64().unwrap()).await;
        assert_eq!(job.state, "FAILURE", "nothing writes the file yet");
        let log = app.store.job_log(job.id, 50).await.unwrap();
        assert!(
            log.iter()
                .any(|line| line.message.contains("cannot be run"))
        );

        let list = format!("{EXPORTS}?project_id={}&ordering=-created_at", project.id);
        let list = researcher.get(&list).await.json();
        assert_eq!(list["count"], 2);
        assert_eq!(list["results"][0]["id"], made["id"]);
        assert_eq!(list["user_permissions"], json!(["create"]));
        let one = format!("{EXPORTS}{}/", made["id"]);
        let patch = json!({"format": "occurrences_api_json"}).to_string();
        let patched = researcher
            .send(Method::PATCH, &one, Some(patch.clone()))
            .await;
        assert_eq!(patched.status, 403);
        let patched = app
            .superuser()
            .await
            .send(Method::PATCH, &one, Some(patch))
            .await;
        assert_eq!(patched.json()["format"], "occurrences_api_json");
        assert_eq!(basic.send(Method::DELETE, &one, None).await.status, 403);
        assert_eq!(
            researcher.send(Method::DELETE, &one, None).await.status,
            204
        );
        assert_eq!(researcher.get(&one).await.status, 404);
        assert!(app.store.job(job.id).await.is_err(), "its job is gone too");
    }
}
