//! `POST` and `GET /projects/{id}/pipelines/`: a worker registers what it can do.

use domain::permission::Role;
use serde_json::{Value, json};
use store::testing;

use super::registration;
use crate::app::TestApp;

#[tokio::test]
async fn a_registration_says_truly_what_it_made() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        let project = app.project("Moths", false).await;
        let worker = app.member(&project, Some(Role::Worker)).await;
        let path = format!("/api/v2/projects/{}/pipelines/", project.id);
        let made = worker.post(&path, registration("one")).await;
        assert_eq!(made.status, 201, "{}", made.text);
        let body = made.json();
        let keys: Vec<&String> = body.as_object().unwrap().keys().collect();
        assert_eq!(
            keys,
            [
                "timestamp",
                "success",
                "error",
                "pipelines",
                "pipelines_created",
                "algorithms_created"
            ]
        );
        assert_eq!(body["pipelines_created"], json!(["one"]));
        assert_eq!(body["algorithms_created"], json!(["boxes", "names"]));
        let pipeline = &body["pipelines"][0];
        let keys: Vec<&String> = pipeline.as_object().unwrap().keys().collect();
        assert_eq!(
            keys,
            [
                "name",
                "slug",
                "version",
                "description",
                "algorithms",
                "stages"
            ]
        );
        let keys: Vec<&String> = pipeline["algorithms"][0]
            .as_object()
            .unwrap()
            .keys()
            .collect();
        assert_eq!(
            keys,
            [
                "name",
                "key",
                "description",
                "task_type",
                "version",
                "version_name",
                "uri",
                "category_map"
            ]
        );
        let again = worker.post(&path, registration("one")).await.json();
        assert_eq!(
            (&again["pipelines_created"], &again["algorithms_created"]),
            (&json!([]), &json!([]))
        );

        let list = app.anonymous().get(&path).await.json();
        assert_eq!(list["count"], 1);
        let row = &list["results"][0];
        let keys: Vec<&String> = row.as_object().unwrap().keys().collect();
        assert_eq!(
            keys,
            [
                "id",
                "details",
                "name",
                "slug",
                "description",
                "algorithms",
                "stages",
                "processing_services",
                "project_pipeline_configs",
                "created_at",
                "updated_at",
                "user_permissions"
            ]
        );
        let service = &row["processing_services"][0];
        assert_eq!(
            (
                &service["is_async"],
                &service["last_seen_live"],
                &service["endpoint_url"]
            ),
            (&json!(true), &json!(true), &Value::Null)
        );
        assert_eq!(row["project_pipeline_configs"][0]["enabled"], true);
    }
}

#[tokio::test]
async fn bodies_and_callers_are_answered_as_recorded() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        let project = app.project("Moths", false).await;
        let user = app.superuser().await;
        let path = format!("/api/v2/projects/{}/pipelines/", project.id);
        let missing = |field: &str| json!({"loc": ["__root__", "0", field], "msg": "field required", "type": "value_error.missing"});
        for (body, expected) in [
            (
                json!({}),
                json!({"processing_service_name": ["This field is required."]}),
            ),
            (
                json!({"processing_service_name": null, "pipelines": []}),
                json!({"processing_service_name": ["This field may not be null."]}),
            ),
            (
                json!({"processing_service_name": "", "pipelines": []}),
                json!({"processing_service_name": ["This field may not be blank."]}),
            ),
            (
                json!({"processing_service_name": "x", "pipelines": [{"name": "a"}]}),
                json!({"pipelines": [missing("slug"), missing("version")]}),
            ),
        ] {
            let answer = user.post(&path, body.clone()).await;
            assert_eq!(
                (answer.status.as_u16(), answer.json()),
                (400, expected),
                "{body}"
            );
        }
        let none = json!({"processing_service_name": "x"});
        assert_eq!(user.post(&path, none.clone()).await.status, 201);
        for (client, status) in [
            (app.anonymous(), 401),
            (app.member(&project, None).await, 403),
            (app.member(&project, Some(Role::BasicMember)).await, 403),
            (app.member(&project, Some(Role::MlDataManager)).await, 201),
        ] {
            assert_eq!(client.post(&path, none.clone()).await.status, status);
        }
        for missing in [
            "/api/v2/projects/999/pipelines/",
            "/api/v2/projects/abc/pipelines/",
        ] {
            assert_eq!(user.post(missing, none.clone()).await.status, 404);
            assert_eq!(user.get(missing).await.status, 404);
        }
        let draft = app.project("Draft", true).await;
        let hidden = format!("/api/v2/projects/{}/pipelines/", draft.id);
        assert_eq!(
            app.member(&project, None).await.get(&hidden).await.status,
            403
        );
        assert_eq!(app.anonymous().get(&hidden).await.status, 401);
    }
}

#[tokio::test]
async fn what_other_projects_use_stays_as_it_is() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        let (ours, theirs) = (
            app.project("Ours", false).await,
            app.project("Theirs", false).await,
        );
        let us = app.member(&ours, Some(Role::Worker)).await;
        let path = |id: i64| format!("/api/v2/projects/{id}/pipelines/");
        assert_eq!(
            us.post(&path(ours.id), registration("shared")).await.status,
            201
        );
        let they = app.member(&theirs, Some(Role::MlDataManager)).await;
        // To use it as it is harms nobody.
        assert_eq!(
            they.post(&path(theirs.id), registration("shared"))
                .await
                .status,
            201
        );
        let mut more = registration("shared");
        more["pipelines"][0]["algorithms"] =
            json!([{"name": "More", "key": "more", "task_type": "tracking"}]);
        let refused = they.post(&path(theirs.id), more.clone()).await;
        assert_eq!(refused.status, 400);
        assert!(
            refused.json()["detail"]
                .as_str()
                .unwrap()
                .contains("used by other projects")
        );
        let mut other = registration("shared");
        other["pipelines"][0]["algorithms"][0]["task_type"] = json!("classification");
        assert_eq!(they.post(&path(theirs.id), other).await.status, 400);
        // A second detector would break every later save, whoever registers it.
        let mut second = more.clone();
        second["pipelines"][0]["algorithms"][0]["task_type"] = json!("detection");
        let user = app.superuser().await;
        let refused = user.post(&path(theirs.id), second).await;
        assert_eq!(refused.status, 400);
        assert!(
            refused.json()["detail"]
                .as_str()
                .unwrap()
                .contains("cannot get a second one")
        );
        let pipeline = app.store.pipeline_by_slug("shared").await.unwrap().unwrap();
        assert_eq!(
            app.store.algorithms_of(pipeline.id).await.unwrap().len(),
            2,
            "nothing has changed"
        );
        assert_eq!(user.post(&path(theirs.id), more).await.status, 201);
        // A name with an address behind it is somebody else's.
        app.store
            .put_service(ours.id, "Pushed", "", Some("http://127.0.0.1:1/"))
            .await
            .unwrap();
        let taken = json!({"processing_service_name": "Pushed", "pipelines": []});
        assert_eq!(us.post(&path(ours.id), taken).await.status, 400);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_may_register_the_same_at_once() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        let project = app.project("Moths", false).await;
        let user = app.superuser().await;
        let path = format!("/api/v2/projects/{}/pipelines/", project.id);
        let all = (0..8).map(|_| user.post(&path, registration("same")));
        let answers = futures_util::future::join_all(all).await;
        assert!(
            answers.iter().all(|a| a.status == 201),
            "{}",
            answers[0].text
        );
        let made = answers
            .iter()
            .filter(|a| a.json()["pipelines_created"] == json!(["same"]));
        assert_eq!(made.count(), 1);
        let list = user.get(&path).await.json();
        assert_eq!(
            (
                &list["count"],
                list["results"][0]["processing_services"]
                    .as_array()
                    .unwrap()
                    .len()
            ),
            (&json!(1), 1)
        );
    }
}
