//! `/api/v2/captures/`: lists, one capture, stars, changes, deleting, thumbnails.

use domain::permission::Role;
use reqwest::Method;
use serde_json::{Value, json};
use store::capture::NewCapture;
use store::project::Project;
use store::station::Station;
use store::testing;

use crate::app::{Client, TestApp};
use crate::pages::jpeg;

/// A station with three captures of one night, one of another and one without a time.
pub async fn night(app: &TestApp, project: &Project) -> (Station, Vec<i64>) {
    let station = app.station(project).await;
    let mut ids = Vec::new();
    for (name, size) in [
        ("20220810220000.jpg", (64, 48)),
        ("20220810221000.jpg", (96, 48)),
        ("20220810223000.jpg", (32, 48)),
        ("20220820220000.jpg", (64, 48)),
        ("moth.jpg", (64, 48)),
    ] {
        let picture = jpeg(size.0, size.1);
        let id = app.capture(&station, name, &picture).await;
        ids.push(id);
    }
    let photos = ids.iter().zip(["20220810220000", "20220810221000"]);
    let sized: Vec<NewCapture> = photos
        .zip([900, 500])
        .map(|((_, name), size)| NewCapture {
            path: format!("{name}.jpg"),
            size: Some(size),
            ..Default::default()
        })
        .collect();
    app.store.upsert_captures(&station, &sized).await.unwrap();
    let gap = domain::session::gap(None);
    app.store.regroup(station.id, gap, |_| {}).await.unwrap();
    (station, ids)
}

async fn ids(client: &Client<'_>, path: &str) -> Vec<i64> {
    let list = client.get(path).await;
    assert_eq!(list.status, 200, "{path}: {}", list.text);
    let list = list.json();
    let rows = list["results"].as_array().unwrap();
    rows.iter().map(|row| row["id"].as_i64().unwrap()).collect()
}

/// The keys of an object, in order.
pub fn keys(value: &Value) -> Vec<&str> {
    value
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect()
}

#[tokio::test]
async fn lists_are_filtered_and_ordered_within_a_project() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        let project = app.project("Moths", false).await;
        let draft = app.project("Draft", true).await;
        let (station, all) = night(&app, &project).await;
        let [a, b, c, d, e] = all[..] else { panic!() };
        let basic = app.member(&project, Some(Role::BasicMember)).await;
        let anonymous = app.anonymous();
        let required = json!({"project_id": ["This field is required."]});
        for (path, status, body) in [
            ("/api/v2/captures/", 400, Some(required.clone())),
            (
                "/api/v2/captures/?project_id=abc",
                400,
                Some(json!({"project_id": ["A valid integer is required."]})),
            ),
            ("/api/v2/captures/?project_id=999", 404, None),
        ] {
            let answer = basic.get(path).await;
            assert_eq!(answer.status, status, "{path}");
            if let Some(body) = body {
                assert_eq!(answer.json(), body);
            }
        }
        let hidden = format!("/api/v2/captures/?project_id={}", draft.id);
        assert_eq!(basic.get(&hidden).await.status, 404);
        let list = format!("/api/v2/captures/?project_id={}", project.id);
        app.store.star(project.id, c, true).await.unwrap();
        let set = app.store.star(project.id, a, true).await.unwrap().0;
        let night = app.store.capture(a).await.unwrap().session_id.unwrap();
        for (query, expected) in [
            ("", vec![a, b, c, d, e]),
            ("&ordering=-timestamp", vec![d, c, b, a, e]),
            ("&ordering=-timestamp&limit=2&offset=3", vec![a, e]),
            ("&ordering=-timestamp&limit=2&offset=5", vec![]),
            ("&ordering=size", vec![b, a, c, d, e]),
            ("&ordering=-size", vec![a, b, e, d, c]),
            ("&ordering=-created_at", vec![e, d, c, b, a]),
            ("&ordering=path", vec![a, b, c, d, e]),
            ("&ordering=event__start", vec![a, b, c, d, e]),
            ("&ordering=-event__start", vec![d, c, b, a, e]),
            ("&ordering=-size,-path", vec![a, b, e, d, c]),
            ("&ordering=bogus", vec![a, b, c, d, e]),
            ("&processed=true", vec![]),
            ("&processed=false&limit=1", vec![a]),
            ("&has_detections=true", vec![]),
        ] {
            assert_eq!(
                ids(&anonymous, &format!("{list}{query}")).await,
                expected,
                "{query}"
            );
        }
        let by_station = format!(
            "{list}&deployment={}&ordering=-deployment__name",
            station.id
        );
        let mut dated = ids(&anonymous, &by_station).await;
        dated.retain(|id| *id != e);
        assert_eq!(dated, [d, c, b, a]);
        let by_session = format!("{list}&event={night}");
        assert_eq!(ids(&anonymous, &by_session).await, [a, b, c]);
        let by_set = format!("{list}&collections={set}&ordering=-timestamp");
        assert_eq!(ids(&anonymous, &by_set).await, [c, a]);
        for (query, field, words) in [
            (
                "&deployment=999",
                "deployment",
                "Select a valid choice. That choice is not one of the available choices.",
            ),
            (
                "&collections=999",
                "collections",
                "Select a valid choice. 999 is not one of the available choices.",
            ),
        ] {
            let refused = anonymous.get(&format!("{list}{query}")).await;
            assert_eq!(refused.status, 400);
            assert_eq!(refused.json(), json!({field: [words]}));
        }
        let first = anonymous.get(&format!("{list}&limit=1")).await.json();
        assert_eq!(first["count"], 5);
        assert_eq!(
            keys(&first["results"][0]).join(" "),
            "id details deployment event url path timestamp width height size size_display \
             detections_count occurrences_count taxa_count last_processed project thumbnails \
             user_permissions"
        );
        assert_eq!(first["results"][0]["size_display"], "900\u{a0}bytes");
        assert_eq!(first["results"][0]["occurrences_count"], Value::Null);
        let counted = anonymous
            .get(&format!("{list}&limit=1&with_counts=1"))
            .await;
        assert_eq!(counted.json()["results"][0]["occurrences_count"], 0);
        let item = basic.get(&format!("{list}&limit=1")).await.json();
        let permissions = &item["results"][0]["user_permissions"];
        assert_eq!(*permissions, json!(["star", "run_single_image_ml_job"]));
    }
}

#[tokio::test]
async fn one_capture_knows_its_neighbours() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        let project = app.project("Moths", false).await;
        let other = app.project("Others", false).await;
        let (_, all) = night(&app, &project).await;
        let anonymous = app.anonymous();
        let path = |id: i64| format!("/api/v2/captures/{id}/");
        let within = |id: i64| format!("{}?project_id={}", path(id), project.id);
        assert_eq!(anonymous.get(&path(all[1])).await.status, 400);
        let elsewhere = format!("{}?project_id={}", path(all[1]), other.id);
        assert_eq!(anonymous.get(&elsewhere).await.status, 404);
        assert_eq!(anonymous.get(&within(999_999)).await.status, 404);
        let one = anonymous.get(&within(all[1])).await;
        assert_eq!(one.status, 200, "{}", one.text);
        let one = one.json();
        assert_eq!(
            keys(&one).join(" "),
            "id details deployment event url path timestamp width height size size_display \
             detections_count occurrences_count taxa_count last_processed detections project \
             uploaded_by test_image jobs collections event_next_capture_id event_prev_capture_id \
             event_current_capture_index event_total_captures thumbnails user_permissions"
        );
        assert_eq!(one["event_prev_capture_id"], all[0]);
        assert_eq!(one["event_next_capture_id"], all[2]);
        assert_eq!(one["event_current_capture_index"], 2);
        assert_eq!(one["event_total_captures"], 3);
        assert_eq!(
            (&one["occurrences_count"], &one["taxa_count"]),
            (&json!(0), &json!(0))
        );
        let timeless = anonymous.get(&within(all[4])).await.json();
        assert_eq!(timeless["event"], Value::Null);
        assert_eq!(timeless["event_total_captures"], Value::Null);
    }
}

#[tokio::test]
async fn captures_are_starred_changed_and_deleted_by_those_who_may() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        let project = app.project("Moths", false).await;
        let (_, all) = night(&app, &project).await;
        let basic = app.member(&project, Some(Role::BasicMember)).await;
        let manager = app.member(&project, Some(Role::ProjectManager)).await;
        let one = format!("/api/v2/captures/{}/", all[0]);
        assert_eq!(
            app.anonymous()
                .post(&format!("{one}star/"), json!({}))
                .await
                .status,
            401
        );
        let starred = basic.post(&format!("{one}star/"), json!({})).await.json();
        assert_eq!(starred["total_images"], 1);
        let again = basic.post(&format!("{one}star/"), json!({})).await.json();
        assert_eq!(again, starred, "a star is set once");
        let other = format!("/api/v2/captures/{}/star/", all[1]);
        assert_eq!(
            basic.post(&other, json!({})).await.json()["total_images"],
            2
        );
        let gone = basic.post(&format!("{one}unstar/"), json!({})).await.json();
        assert_eq!(gone["total_images"], 1);

        let change = |body: Value| Some(body.to_string());
        let test = change(json!({"test_image": true, "timestamp": "2022-08-10T22:01:00"}));
        assert_eq!(
            basic.send(Method::PATCH, &one, test.clone()).await.status,
            403
        );
        let changed = manager.send(Method::PATCH, &one, test).await;
        assert_eq!(changed.status, 200, "{}", changed.text);
        let changed = changed.json();
        assert_eq!(
            (&changed["test_image"], &changed["width"]),
            (&json!(true), &Value::Null)
        );
        assert_eq!(changed["timestamp"], "2022-08-10T22:01:00");
        let taken = change(json!({"path": "20220810221000.jpg"}));
        assert_eq!(manager.send(Method::PATCH, &one, taken).await.status, 409);
        let wrong = change(json!({"width": "x", "project": 999}));
        let wrong = manager.send(Method::PATCH, &one, wrong).await;
        assert_eq!(wrong.status, 400);
        assert_eq!(keys(&wrong.json()), ["width", "project"]);

        assert_eq!(
            manager.post("/api/v2/captures/", json!({})).await.status,
            403
        );
        assert_eq!(basic.send(Method::DELETE, &one, None).await.status, 403);
        assert_eq!(manager.send(Method::DELETE, &one, None).await.status, 204);
        assert_eq!(manager.send(Method::DELETE, &one, None).await.status, 404);
        let list = format!("/api/v2/captures/?project_id={}", project.id);
        assert_eq!(manager.get(&list).await.json()["count"], 4);
        let session = app.store.capture(all[1]).await.unwrap().session_id.unwrap();
        let session = app.store.session(session).await.unwrap();
        assert_eq!(session.captures_count, 2, "its session is counted again");
    }
}

/// Fetches an address without following it.
async fn ask(app: &TestApp, path: &str) -> reqwest::Response {
    let client = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    client
        .get(format!("{}{path}", app.url))
        .send()
        .await
        .unwrap()
}

#[tokio::test]
async fn thumbnails_are_made_kept_and_made_anew() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        let project = app.project("Moths", false).await;
        let station = app.station(&project).await;
        let name = "20220810220000.jpg";
        let id = app.capture(&station, name, &jpeg(1200, 600)).await;
        let bad = app.capture(&station, "20220810220100.jpg", b"no").await;
        let path =
            |id: i64, label: &str| format!("/api/v2/captures/thumbnails/{id}/?label={label}");
        let width = async |label: &str| {
            let answer = ask(&app, &path(id, label)).await;
            assert_eq!(answer.status(), 302);
            assert_eq!(answer.headers()["cache-control"], "private, max-age=300");
            let address = answer.headers()["location"].to_str().unwrap().to_owned();
            let shown = ask(&app, &address).await;
            assert_eq!(shown.status(), 200);
            let picture = image::load_from_memory(&shown.bytes().await.unwrap()).unwrap();
            picture.width()
        };
        for _ in 0..2 {
            assert_eq!(width("small").await, 240);
            assert_eq!(width("medium").await, 1024);
            assert_eq!(width("large").await, 1200, "never larger than the original");
        }
        let photograph = app.folder.path().join("photographs").join(name);
        std::fs::write(&photograph, jpeg(100, 50)).unwrap();
        let later = std::time::SystemTime::now() + std::time::Duration::from_secs(60);
        let file = std::fs::File::options()
            .append(true)
            .open(&photograph)
            .unwrap();
        file.set_modified(later).unwrap();
        assert_eq!(width("small").await, 100, "the photograph is newer");

        assert_eq!(ask(&app, &path(id, "huge")).await.status(), 400);
        assert_eq!(ask(&app, &path(999_999, "small")).await.status(), 404);
        let damaged = ask(&app, &path(bad, "small")).await;
        assert_eq!(damaged.status(), 404);
        let words = damaged.text().await.unwrap();
        assert!(words.contains("The photograph cannot be read"), "{words}");
        let list = app.anonymous().get("/api/v2/captures/thumbnails/").await;
        assert_eq!(list.status, 405);
        assert_eq!(
            list.json()["detail"],
            "Listing thumbnails is not supported; request a single capture's thumbnail by pk."
        );

        let hidden = app.project("Draft", true).await;
        let station = app.station(&hidden).await;
        let id = app
            .capture(&station, "20220811220000.jpg", &jpeg(10, 10))
            .await;
        assert_eq!(ask(&app, &path(id, "small")).await.status(), 404);
        let list = format!("/api/v2/captures/?project_id={}", hidden.id);
        let shown = app.superuser().await.get(&list).await.json();
        assert_eq!(shown["results"][0]["thumbnails"], Value::Null);
    }
}
