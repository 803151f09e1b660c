//! `/api/v2/jobs/`: making, showing, running and cancelling; lists stand beside.

mod lists;

use domain::permission::Role;
use domain::state::JobState;
use serde_json::{Value, json};
use store::testing;

use crate::app::TestApp;

/// Times, hosts and ids of a body made the same for every run.
fn normal(value: &Value, app: &TestApp) -> Value {
    match value {
        Value::Object(map) => map
            .iter()
            .map(|(key, value)| {
                let value = match (key.as_str(), value) {
                    (k, Value::String(_)) if k.ends_with("_at") => json!("<time>"),
                    _ => normal(value, app),
                };
                (key.clone(), value)
            })
            .collect(),
        Value::Array(list) => list.iter().map(|v| normal(v, app)).collect(),
        Value::String(text) => json!(text.replace(&app.url, "<base>")),
        other => other.clone(),
    }
}

#[tokio::test]
async fn a_job_has_the_recorded_keys_in_the_recorded_order() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        let project = app.project("Moths", false).await;
        let station = app.station(&project).await;
        let set = app
            .store
            .capture_set_by_name(project.id, "All Images")
            .await
            .unwrap()
            .unwrap();
        let user = app.superuser().await;
        let body = json!({
            "name": "A job", "delay": 0, "limit": 3, "shuffle": false,
            "project_id": project.id.to_string(), "deployment_id": station.id,
            "source_image_collection_id": set.id,
        });
        let made = user.post("/api/v2/jobs/", body).await;
        assert_eq!(made.status, 201, "{}", made.text);
        insta::assert_json_snapshot!("job", normal(&made.json(), &app));
        let id = made.json()["id"].as_i64().unwrap();
        for path in [format!("/api/v2/jobs/{id}/"), format!("/api/v2/jobs/{id}")] {
            let shown = user.get(&path).await;
            assert_eq!(shown.json(), made.json());
        }
    }
}

#[tokio::test]
async fn bad_bodies_are_answered_by_field() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        let project = app.project("Moths", false).await;
        let other = app.project("Other", false).await;
        let foreign = app.station(&other).await;
        let user = app.superuser().await;
        let id = project.id;
        let mut seen = Vec::new();
        for body in [
            json!({}),
            json!({"name": "x", "project_id": id}),
            json!({"name": "x", "project_id": 99_999, "delay": 0}),
            json!({"name": "x", "project_id": id, "delay": 2_147_483_648i64}),
            json!({"name": "x", "project_id": id, "delay": -1, "limit": -1}),
            json!({"name": "x", "project_id": id, "delay": 0, "pipeline_id": 99_999, "source_image_single_id": "a"}),
            json!({"name": "x", "project_id": id, "delay": 0, "job_type_key": "bogus"}),
            json!("abc"),
        ] {
            let answer = user.post("/api/v2/jobs/", body).await;
            seen.push(format!("{} {}", answer.status.as_u16(), answer.text));
        }
        insta::assert_snapshot!("bad_bodies", seen.join("\n"));
        let body = json!({"name": "x", "project_id": id, "delay": 0, "deployment_id": foreign.id});
        let answer = user.post("/api/v2/jobs/", body).await;
        assert_eq!(answer.status, 400, "a station of another project");
        let broken = user
            .send(
                reqwest::Method::POST,
                "/api/v2/jobs/",
                Some("{bad".to_owned()),
            )
            .await;
        assert_eq!(broken.status, 400);
        assert!(
            broken.json()["detail"]
                .as_str()
                .unwrap()
                .starts_with("JSON parse error - ")
        );
    }
}

#[tokio::test]
async fn who_may_make_run_and_see_jobs() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        let project = app.project("Moths", false).await;
        let draft = app.project("Draft", true).await;
        let body = |project: i64| json!({"name": "x", "delay": 0, "project_id": project});
        let roles = [
            (None, 403, 403),
            (Some(Role::BasicMember), 201, 403),
            (Some(Role::Identifier), 201, 403),
            (Some(Role::MlDataManager), 201, 201),
            (Some(Role::ProjectManager), 201, 201),
        ];
        for (role, create, start) in roles {
            let client = app.member(&project, role).await;
            let made = client.post("/api/v2/jobs/", body(project.id)).await;
            assert_eq!(made.status.as_u16(), create, "{role:?} {}", made.text);
            let started = client
                .post("/api/v2/jobs/?start_now", body(project.id))
                .await;
            assert_eq!(started.status.as_u16(), start, "{role:?} {}", started.text);
        }
        let made = app.store.jobs(&Default::default(), 100, 0).await.unwrap().1;
        assert_eq!(made, 6, "a refused start leaves no job behind");
        let anonymous = app.anonymous();
        assert_eq!(
            anonymous
                .post("/api/v2/jobs/", body(project.id))
                .await
                .status,
            401
        );
        let admin = app.superuser().await;
        let hidden = admin.post("/api/v2/jobs/", body(draft.id)).await.json()["id"]
            .as_i64()
            .unwrap();
        let hidden = format!("/api/v2/jobs/{hidden}/");
        assert_eq!(anonymous.get(&hidden).await.status, 404);
        assert_eq!(admin.get(&hidden).await.status, 200);
        assert_eq!(anonymous.get("/api/v2/jobs/").await.json()["count"], 6);
        assert_eq!(admin.get("/api/v2/jobs/").await.json()["count"], 7);
        let manager = app.member(&project, Some(Role::ProjectManager)).await;
        assert_eq!(
            manager
                .post(&format!("{hidden}run/"), json!({}))
                .await
                .status,
            404
        );
    }
}

#[tokio::test]
async fn a_job_is_run_ended_and_cancelled() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        let project = app.project("Moths", false).await;
        let user = app.superuser().await;
        let set = app
            .store
            .capture_set_by_name(project.id, "All Images")
            .await
            .unwrap()
            .unwrap();
        let body = json!({
            "name": "Fill", "delay": 0, "project_id": project.id,
            "source_image_collection_id": set.id, "job_type_key": "populate_captures_collection",
        });
        let made = user.post("/api/v2/jobs/", body.clone()).await.json();
        assert_eq!(
            (&made["status"], &made["dispatch_mode"]),
            (&json!("CREATED"), &json!("internal"))
        );
        let id = made["id"].as_i64().unwrap();
        let path = format!("/api/v2/jobs/{id}");
        let cancelled = user
            .post(&format!("{path}/cancel/"), json!({}))
            .await
            .json();
        assert_eq!(cancelled["status"], "REVOKED");
        let again = user.post(&format!("{path}/cancel"), json!({})).await.json();
        assert_eq!(
            again["status"], "REVOKED",
            "cancelling twice changes nothing"
        );
        let run = user.post(&format!("{path}/run/"), json!({})).await.json();
        assert_eq!(
            (&run["status"], &run["progress"]["summary"]["status"]),
            (&json!("PENDING"), &json!("PENDING"))
        );
        assert_eq!(
            user.post(&format!("{path}/run/"), json!({})).await.status,
            409
        );
        app.work();
        assert_eq!(app.ended(id).await.job_state(), JobState::Success);
        let shown = user.get(&path).await.json();
        assert!(shown["duration"].as_str().unwrap().parse::<f64>().unwrap() >= 0.0);
        let newest = shown["logs"]["stdout"][0].as_str().unwrap();
        assert!(
            newest.ends_with("(SUCCESS)") && newest.starts_with("[20"),
            "{newest}"
        );
        let started = user.post("/api/v2/jobs/?start_now", body).await.json();
        assert_eq!(started["status"], "PENDING");
        app.ended(started["id"].as_i64().unwrap()).await;
        assert_eq!(
            user.post("/api/v2/jobs/9999/run/", json!({})).await.status,
            404
        );
        assert_eq!(user.get("/api/v2/jobs/abc/").await.status, 404);
        let wrong = user.get(&format!("{path}/run/")).await;
        assert_eq!(
            (
                wrong.status.as_u16(),
                wrong.headers["allow"].to_str().unwrap()
            ),
            (405, "POST, OPTIONS")
        );
    }
}

#[tokio::test]
async fn a_job_is_edited_and_deleted() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        let project = app.project("Moths", false).await;
        let other = app.project("Other", false).await;
        let user = app.superuser().await;
        let body = json!({"name": "x", "delay": 0, "project_id": project.id});
        let id = user.post("/api/v2/jobs/", body).await.json()["id"].clone();
        let path = format!("/api/v2/jobs/{id}/");
        let send = |method: reqwest::Method, body: Value| {
            let (user, path) = (&user, &path);
            async move { user.send(method, path, Some(body.to_string())).await }
        };
        let patch = reqwest::Method::PATCH;
        let put = reqwest::Method::PUT;
        let renamed = send(patch.clone(), json!({"name": "y", "status": "SUCCESS"}))
            .await
            .json();
        assert_eq!(
            (&renamed["name"], &renamed["status"]),
            (&json!("y"), &json!("CREATED"))
        );
        // The stages are those of the last run; the next one opens its own.
        let delayed = send(patch.clone(), json!({"delay": 4})).await.json();
        assert_eq!(
            (&delayed["delay"], &delayed["progress"]["stages"]),
            (&json!(4), &json!([]))
        );
        let null = send(patch.clone(), json!({"name": null})).await;
        assert_eq!(
            null.json(),
            json!({"name": ["This field may not be null."]})
        );
        let moved = send(patch.clone(), json!({"project_id": other.id})).await;
        assert_eq!(
            (moved.status.as_u16(), moved.json()["project_id"].is_array()),
            (400, true)
        );
        let bare = send(put.clone(), json!({"name": "z"})).await;
        let missing = json!(["This field is required."]);
        assert_eq!(
            bare.json(),
            json!({"delay": missing, "project_id": missing})
        );
        let whole = send(
            put,
            json!({"name": "z", "delay": 1, "project_id": project.id}),
        )
        .await;
        assert_eq!(
            (whole.status.as_u16(), &whole.json()["delay"]),
            (200, &json!(1))
        );
        let member = app.member(&project, Some(Role::ProjectManager)).await;
        let refused = member.send(reqwest::Method::DELETE, &path, None).await;
        assert_eq!(refused.status, 403, "only superusers delete jobs");
        assert_eq!(
            user.send(reqwest::Method::DELETE, &path, None).await.status,
            204
        );
        assert_eq!(
            user.send(reqwest::Method::DELETE, &path, None).await.status,
            404
        );
    }
}

#[tokio::test]
async fn what_has_no_place_in_the_json_is_served_beside_it() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        let project = app.project("Moths", false).await;
        let user = app.superuser().await;
        let body = json!({"name": "fails", "delay": 0, "project_id": project.id});
        let made = user.post("/api/v2/jobs/?start_now", body).await.json();
        app.work();
        let id = made["id"].as_i64().unwrap();
        assert_eq!(app.ended(id).await.job_state(), JobState::Failure);
        let path = format!("/api/v2/jobs/{id}");
        let queue = user.get(&format!("{path}/queue/")).await.json();
        assert_eq!(
            (&queue["waiting"], &queue["paused"]),
            (&json!(0), &json!(false))
        );
        assert_eq!(
            user.get(&format!("{path}/failures/")).await.json()["count"],
            0
        );
        let errors = user.get(&format!("{path}/logs/?level=ERROR")).await.json();
        assert_eq!(errors["count"], 1);
        let text = user
            .get(&format!("{path}/logs/?download=1&search=pipeline"))
            .await;
        assert!(text.text.contains("No pipeline specified"), "{}", text.text);
        let bulk = user
            .post(
                "/api/v2/jobs/bulk/",
                json!({"action": "retry", "ids": [id, 999]}),
            )
            .await
            .json();
        assert_eq!(
            (&bulk["results"][0]["ok"], &bulk["results"][1]["code"]),
            (&json!(true), &json!(404))
        );
        app.ended(id).await;
        let bad = user
            .post(
                "/api/v2/jobs/bulk/",
                json!({"action": "explode", "ids": []}),
            )
            .await;
        assert_eq!(
            bad.json(),
            json!({"action": ["\"explode\" is not a valid choice."]})
        );
    }
}
