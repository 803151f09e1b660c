//! `/api/v2/ml/…`: pipelines, algorithms, labels and processing services, with a service that
//! answers and with one that does not.

use axum::Json;
use axum::Router;
use axum::routing::{get, post};
use domain::permission::Role;
use reqwest::Method;
use serde_json::{Value, json};
use store::testing;

use crate::app::{Client, TestApp};

/// What the service offers.
fn offer() -> Value {
    let map = json!({
        "data": [{"index": 0, "label": "Moth"}, {"index": 1, "label": "Fly"}],
        "labels": ["Moth", "Fly"],
    });
    json!({"name": "Service", "pipelines": [{
        "name": "Random", "slug": "random", "version": 1, "description": "d",
        "algorithms": [
            {"name": "Detector", "key": "detector", "task_type": "detection"},
            {"name": "Classifier", "key": "classifier", "task_type": "classification",
             "category_map": map},
        ],
    }]})
}

/// A service on this machine; what it is asked to process it has seen nothing on.
async fn service() -> String {
    let process = |Json(body): Json<Value>| async move {
        Json(json!({
            "pipeline": body["pipeline"], "total_time": 0.5,
            "source_images": body["source_images"], "detections": [],
        }))
    };
    let router = Router::new()
        .route(
            "/readyz",
            get(|| async { Json(json!({"status": ["random"]})) }),
        )
        .route("/info", get(|| async { Json(offer()) }))
        .route("/process", post(process));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}")
}

fn keys(row: &Value) -> Vec<&str> {
    row.as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect()
}

async fn patch(client: &Client<'_>, path: &str, body: Value) -> crate::app::Answer {
    client
        .send(Method::PATCH, path, Some(body.to_string()))
        .await
}

const SERVICES: &str = "/api/v2/ml/processing_services/";
const PIPELINES: &str = "/api/v2/ml/pipelines/";

#[tokio::test]
async fn a_service_is_made_asked_registered_and_deleted() {
    for fresh in testing::grounds().await {
        let app = TestApp::start(&fresh).await;
        let project = app.project("Moths", false).await;
        let staff = app.superuser().await;
        let manager = app.member(&project, Some(Role::ProjectManager)).await;
        let address = format!("{SERVICES}?project_id={}", project.id);
        let new = json!({"name": "PS", "endpoint_url": service().await});
        assert_eq!(
            app.anonymous().post(&address, new.clone()).await.status,
            401
        );
        assert_eq!(manager.post(&address, new.clone()).await.status, 403);
        let missing = json!(["This field is required."]);
        let empty = staff.post(&address, json!({})).await;
        assert_eq!(
            (empty.status.as_u16(), empty.json()),
            (400, json!({"name": missing}))
        );
        let nowhere = staff.post(SERVICES, new.clone()).await;
        assert_eq!(nowhere.json(), json!({"project_id": missing}));
        let blank = staff
            .post(&address, json!({"name": "x", "endpoint_url": ""}))
            .await;
        assert_eq!(
            blank.json(),
            json!({"endpoint_url": ["This field may not be blank."]})
        );

        let made = staff.post(&address, new).await;
        assert_eq!(made.status, 201, "{}", made.text);
        let made = made.json();
        assert_eq!(made["status"]["server_live"], true);
        assert_eq!(made["status"]["pipelines_online"], json!(["random"]));
        assert_eq!(made["status"]["error"], Value::Null);
        let row = &made["instance"];
        let expected = [
            "id",
            "details",
            "name",
            "description",
            "projects",
            "endpoint_url",
            "is_async",
            "pipelines",
            "created_at",
            "updated_at",
            "last_seen",
            "last_seen_live",
            "user_permissions",
        ];
        assert_eq!(keys(row), expected);
        assert_eq!(
            (&row["projects"], &row["is_async"]),
            (&json!([project.id]), &json!(false))
        );
        assert_eq!(row["last_seen_live"], true);

        let one = format!("{SERVICES}{}/", row["id"]);
        let register = format!("{one}register_pipelines/");
        assert_eq!(manager.post(&register, json!({})).await.status, 403);
        let registered = staff.post(&register, json!({})).await.json();
        assert_eq!(registered["success"], true);
        assert_eq!(registered["pipelines_created"], json!(["random"]));
        assert_eq!(
            registered["algorithms_created"],
            json!(["detector", "classifier"])
        );
        let again = staff.post(&register, json!({})).await.json();
        assert_eq!(again["pipelines_created"], json!([]));

        let status = app.anonymous().get(&format!("{one}status/")).await.json();
        assert_eq!(status["request_successful"], true);
        assert_eq!(
            app.anonymous().get(SERVICES).await.json(),
            json!({"project_id": missing})
        );
        let list = app.anonymous().get(&address).await.json();
        assert_eq!(
            (&list["count"], &list["user_permissions"]),
            (&json!(1), &json!([]))
        );
        assert_eq!(list["results"][0]["pipelines"][0]["slug"], "random");
        let renamed = patch(&staff, &one, json!({"name": "Renamed"})).await.json();
        assert_eq!(renamed["name"], "Renamed");
        assert_eq!(patch(&manager, &one, json!({})).await.status, 403);
        assert_eq!(staff.send(Method::DELETE, &one, None).await.status, 204);
        assert_eq!(staff.get(&format!("{one}status/")).await.status, 404);
    }
}

#[tokio::test]
async fn a_dead_service_and_one_that_pulls_are_told_apart() {
    for fresh in testing::grounds().await {
        let app = TestApp::start(&fresh).await;
        let project = app.project("Moths", false).await;
        let draft = app.project("Draft", true).await;
        let staff = app.superuser().await;
        let address = format!("{SERVICES}?project_id={}", project.id);
        let dead = json!({"name": "Dead", "endpoint_url": "http://127.0.0.1:1"});
        let made = staff.post(&address, dead).await;
        assert_eq!(made.status, 201, "{}", made.text);
        let made = made.json();
        assert_eq!(made["instance"]["last_seen_live"], false);
        assert_eq!(made["status"]["request_successful"], false);
        let words = made["status"]["error"].as_str().unwrap();
        assert!(
            words.starts_with("Error connecting to http://127.0.0.1:1/readyz: "),
            "{words}"
        );
        let register = format!("{SERVICES}{}/register_pipelines/", made["instance"]["id"]);
        let answer = staff.post(&register, json!({})).await;
        assert_eq!(answer.status, 400);
        assert!(answer.json()["detail"].is_string());

        let made = staff.post(&address, json!({"name": "Pull"})).await.json();
        assert_eq!(made["instance"]["is_async"], true);
        assert_eq!(made["instance"]["last_seen"], Value::Null);
        assert_eq!(made["status"]["server_live"], false);
        let id = made["instance"]["id"].as_i64().unwrap();
        let register = format!("{SERVICES}{id}/register_pipelines/");
        assert_eq!(staff.post(&register, json!({})).await.status, 400);
        app.store.service_seen(id, true, 0.0).await.unwrap();
        let status = staff.get(&format!("{SERVICES}{id}/status/")).await.json();
        assert_eq!(status["server_live"], true);
        let old = json!({"last_seen": "2020-01-01T00:00:00"});
        patch(&staff, &format!("{SERVICES}{id}/"), old).await;
        let status = staff.get(&format!("{SERVICES}{id}/status/")).await.json();
        assert_eq!(status["server_live"], false);
        assert_eq!(status["timestamp"], "2020-01-01T00:00:00");
        let row = staff.get(&format!("{SERVICES}{id}/")).await.json();
        assert_eq!(
            row["last_seen_live"], false,
            "what has been silent is noted"
        );

        let hidden = format!("{SERVICES}?project_id={}", draft.id);
        let made = staff.post(&hidden, json!({"name": "Hidden"})).await.json();
        let one = format!("{SERVICES}{}/", made["instance"]["id"]);
        assert_eq!(app.anonymous().get(&one).await.status, 404);
        assert_eq!(app.anonymous().get(&hidden).await.status, 404);
        let nowhere = format!("{SERVICES}?project_id=999");
        assert_eq!(staff.get(&nowhere).await.status, 404);
    }
}

#[tokio::test]
async fn pipelines_are_listed_edited_and_tried() {
    for fresh in testing::grounds().await {
        let app = TestApp::start(&fresh).await;
        let project = app.project("Moths", false).await;
        let staff = app.superuser().await;
        let manager = app.member(&project, Some(Role::ProjectManager)).await;
        let endpoint = service().await;
        let service = app
            .store
            .put_service(project.id, "PS", "", Some(&endpoint))
            .await
            .unwrap();
        app.store.service_seen(service.id, true, 0.1).await.unwrap();
        let offer: domain::wire::ProcessingServiceInfoResponse =
            serde_json::from_value(offer()).unwrap();
        let projects = [project.id];
        let made = app
            .store
            .register_pipelines(service.id, &projects, &offer.pipelines);
        made.await.unwrap();

        let list = app
            .anonymous()
            .get(&format!("{PIPELINES}?project_id={}", project.id))
            .await;
        let list = list.json();
        assert_eq!(
            (&list["count"], &list["user_permissions"]),
            (&json!(1), &json!([]))
        );
        let row = &list["results"][0];
        let expected = [
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
            "user_permissions",
        ];
        assert_eq!(keys(row), expected);
        assert_eq!(
            row["algorithms"][0]["category_map"]["user_permissions"],
            json!([])
        );
        assert_eq!(row["processing_services"][0]["is_async"], false);
        assert_eq!(row["project_pipeline_configs"][0]["enabled"], true);
        assert_eq!(row["stages"][0]["key"], "default");
        let bad = app
            .anonymous()
            .get(&format!("{PIPELINES}?project_id=abc"))
            .await;
        assert_eq!(
            bad.json(),
            json!({"project_id": ["A valid integer is required."]})
        );

        let new = json!({"name": "New", "slug": "new-pipeline", "version": 1});
        assert_eq!(
            app.anonymous().post(PIPELINES, new.clone()).await.status,
            401
        );
        assert_eq!(manager.post(PIPELINES, new.clone()).await.status, 403);
        let missing = json!(["This field is required."]);
        let empty = staff.post(PIPELINES, json!({})).await.json();
        assert_eq!(empty, json!({"name": missing, "slug": missing}));
        let made = staff.post(PIPELINES, new.clone()).await;
        assert_eq!(made.status, 201, "{}", made.text);
        let one = format!("{PIPELINES}{}/", made.json()["id"]);
        let again = staff.post(PIPELINES, new).await.json();
        assert_eq!(
            again,
            json!({"slug": ["pipeline with this slug already exists."]})
        );
        let same = staff
            .post(PIPELINES, json!({"name": "New", "slug": "other"}))
            .await
            .json();
        assert_eq!(
            same,
            json!({"name": ["pipeline with this name already exists."]})
        );
        assert_eq!(
            app.anonymous().get(&one).await.status,
            404,
            "no project uses it"
        );
        assert_eq!(
            patch(&staff, &one, json!({"name": "x"})).await.json()["name"],
            "x"
        );
        assert_eq!(staff.send(Method::DELETE, &one, None).await.status, 204);
        assert_eq!(staff.get(&one).await.status, 404);

        let trial = format!("{PIPELINES}{}/test_process/", row["id"]);
        assert_eq!(manager.post(&trial, json!({})).await.status, 403);
        assert_eq!(
            staff.post(&trial, json!({})).await.status,
            400,
            "there is no capture"
        );
        let station = app.station(&project).await;
        let capture = app.capture(&station, "20250601220000.jpg", b"x").await;
        let tried = staff.post(&trial, json!({})).await;
        assert_eq!(tried.status, 200, "{}", tried.text);
        assert_eq!(tried.json()["source_images"][0]["id"], capture.to_string());
        app.store
            .service_seen(service.id, false, 0.1)
            .await
            .unwrap();
        let offline = staff.post(&trial, json!({})).await;
        let words = "No processing services are online for the pipeline \"Random\".";
        assert_eq!(offline.json(), json!({"detail": words}));
    }
}

#[tokio::test]
async fn algorithms_and_their_labels_are_open_to_all_and_written_by_staff() {
    for fresh in testing::grounds().await {
        let app = TestApp::start(&fresh).await;
        let project = app.project("Moths", false).await;
        let staff = app.superuser().await;
        let twice = "/api/v2/ml/algorithms/?ordering=category_count,-category_count";
        assert_eq!(staff.get(twice).await.status, 200);
        let basic = app.member(&project, Some(Role::BasicMember)).await;
        let algorithms = "/api/v2/ml/algorithms/";
        let new = json!({"name": "New algo", "key": "new-algo", "version": 1});
        assert_eq!(basic.post(algorithms, new.clone()).await.status, 403);
        let made = staff.post(algorithms, new.clone()).await;
        assert_eq!(made.status, 201, "{}", made.text);
        let made = made.json();
        assert_eq!(
            (&made["task_type"], &made["version_name"]),
            (&json!("unknown"), &json!("1"))
        );
        let again = staff.post(algorithms, new).await.json();
        assert_eq!(
            again,
            json!({"key": ["algorithm with this key already exists."]})
        );
        let same = staff
            .post(algorithms, json!({"name": "New algo", "key": "other"}))
            .await
            .json();
        let words = "The fields name, version must make a unique set.";
        assert_eq!(same, json!({"non_field_errors": [words]}));
        let bad = json!({"name": "x", "key": "a b", "task_type": "none"});
        let bad = staff.post(algorithms, bad).await.json();
        assert_eq!(bad["task_type"], json!(["\"none\" is not a valid choice."]));
        assert!(bad["key"].is_array());

        let labels = "/api/v2/ml/labels/";
        let missing = json!(["This field is required."]);
        let empty = staff.post(labels, json!({})).await.json();
        assert_eq!(empty, json!({"data": missing, "algorithms": missing}));
        let new = json!({"labels": ["a", "b"], "data": [{"label": "a"}, {"label": "b"}],
                         "algorithms": [made["details"]]});
        let map = staff.post(labels, new).await;
        assert_eq!(map.status, 201, "{}", map.text);
        let map = map.json();
        let expected = [
            "id",
            "labels",
            "data",
            "algorithms",
            "version",
            "uri",
            "created_at",
            "updated_at",
            "user_permissions",
        ];
        assert_eq!(keys(&map), expected);
        assert_eq!(map["algorithms"], json!([made["details"]]));
        let bad = json!({"labels": [[]], "algorithms": ["http://h/api/v2/jobs/1/"]});
        let bad = patch(&staff, &format!("{labels}{}/", map["id"]), bad)
            .await
            .json();
        assert_eq!(bad["labels"], json!({"0": ["Not a valid string."]}));
        assert_eq!(
            bad["algorithms"],
            json!(["Invalid hyperlink - No URL match."])
        );

        let other = json!({"name": "A detector", "key": "d", "task_type": "detection"});
        staff.post(algorithms, other).await;
        let list = app
            .anonymous()
            .get(&format!("{algorithms}?ordering=-category_count"))
            .await;
        let list = list.json();
        let counts: Vec<&Value> = list["results"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| &row["category_count"])
            .collect();
        assert_eq!(counts, [&json!(2), &Value::Null], "nulls come last");
        let found = app
            .anonymous()
            .get(&format!("{algorithms}?search=ALGO"))
            .await
            .json();
        assert_eq!(found["count"], 1);
        let found = format!("{algorithms}?project_id={}", project.id);
        assert_eq!(
            basic.get(&found).await.json()["count"],
            0,
            "no pipeline of it uses one"
        );
        let one = format!("{algorithms}{}/", made["id"]);
        assert_eq!(basic.get(&one).await.json()["category_count"], 2);
        assert_eq!(staff.send(Method::DELETE, &one, None).await.status, 204);
        let map = staff.get(&format!("{labels}{}/", map["id"])).await.json();
        assert_eq!(map["algorithms"], json!([]));
    }
}
