//! `/api/v2/captures/upload/`: photographs that people send.

use std::io::Cursor;
use std::time::Duration;

use domain::permission::Role;
use futures_util::FutureExt;
use image::ImageFormat;
use reqwest::Method;
use serde_json::{Value, json};
use store::project::Project;
use store::testing;
use store::upload::UploadFilter;

use crate::app::{Answer, Client, TestApp};
use crate::pages::jpeg;

const PATH: &str = "/api/v2/captures/upload/";

/// Sends a file; `None` sends none.
async fn send(
    client: &Client<'_>,
    query: &str,
    file: Option<(&str, Vec<u8>)>,
    station: &str,
) -> Answer {
    let file = file.map(|(name, bytes)| ("image", name, bytes));
    let path = format!("{PATH}?{query}");
    client.send_file(&path, ("deployment", station), file).await
}

async fn station(app: &TestApp, project: &Project) -> i64 {
    let new = store::station::NewStation {
        project_id: project.id,
        name: "Garden".to_owned(),
        ..Default::default()
    };
    app.store.create_station(new).await.unwrap().id
}

#[tokio::test]
async fn a_photograph_becomes_a_capture_in_its_session() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        let project = app.project("Moths", false).await;
        let manager = app.member(&project, Some(Role::ProjectManager)).await;
        let station = station(&app, &project).await.to_string();
        let name = "20240601220000-00-snapshot.jpg";
        let picture = jpeg(64, 48);
        let made = send(&manager, "", Some((name, picture.clone())), &station).await;
        assert_eq!(made.status, 201, "{}", made.text);
        let made = made.json();
        let photo = &made["source_image"];
        assert_eq!(photo["timestamp"], "2024-06-01T22:00:00");
        assert_eq!(
            (&photo["width"], &photo["height"]),
            (&json!(64), &json!(48))
        );
        assert_eq!(photo["event_id"], Value::Null, "it is regrouped afterwards");
        let address = made["image"].as_str().unwrap();
        assert_eq!(
            address,
            format!("{}/media/example_captures/{station}/{name}", app.url)
        );
        let shown = reqwest::get(address).await.unwrap();
        assert_eq!(shown.headers()["content-type"], "image/jpeg");
        assert_eq!(shown.bytes().await.unwrap(), picture);

        let again = send(
            &manager,
            "process_now=false",
            Some((name, picture)),
            &station,
        )
        .await;
        let again = again.json();
        assert_ne!(again["image"], made["image"], "no file is overwritten");
        let capture = app
            .store
            .capture(photo["id"].as_i64().unwrap())
            .await
            .unwrap();
        assert!(capture.session_id.is_some());
        assert_eq!(capture.checksum_algorithm.as_deref(), Some("md5"));
        assert_eq!((capture.test_image, capture.size.is_some()), (true, true));

        let one = format!("/api/v2/captures/{}/", photo["id"]);
        let edit = async |body: Value| {
            let body = Some(body.to_string());
            manager.send(Method::PATCH, &one, body).await
        };
        let moved = edit(json!({"path": "exports/moths_export-1.csv"})).await;
        let words = "An uploaded photograph stays where it is.";
        assert_eq!(moved.json(), json!({ "path": [words] }));
        let same = edit(json!({"path": capture.path, "test_image": true})).await;
        assert_eq!(same.status, 200, "{}", same.text);

        let list = format!("{PATH}?project_id={}", project.id);
        assert_eq!(manager.get(PATH).await.status, 400);
        assert_eq!(manager.get(&list).await.json()["count"], 2);
        assert_eq!(app.anonymous().get(&list).await.json()["count"], 0);
        let one = format!("{PATH}{}/?project_id={}", made["id"], project.id);
        assert_eq!(
            manager.get(&one).await.json()["source_image"]["event_id"],
            json!(capture.session_id)
        );
        let other = app.superuser().await;
        assert_eq!(other.get(&one).await.status, 404, "only one's own are seen");
        assert_eq!(manager.send(Method::DELETE, &one, None).await.status, 204);
        assert_eq!(reqwest::get(address).await.unwrap().status(), 404);
        let gone = format!(
            "/api/v2/captures/{}/?project_id={}",
            photo["id"], project.id
        );
        assert_eq!(manager.get(&gone).await.status, 404);
    }
}

#[tokio::test]
async fn photographs_of_every_kind_are_taken_and_shown() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        let project = app.project("Moths", false).await;
        let manager = app.member(&project, Some(Role::ProjectManager)).await;
        let station = station(&app, &project).await.to_string();
        for (name, kind) in [
            ("a.gif", ImageFormat::Gif),
            ("a.webp", ImageFormat::WebP),
            ("a.bmp", ImageFormat::Bmp),
            ("a.tif", ImageFormat::Tiff),
        ] {
            let mut sheet = Cursor::new(Vec::new());
            let picture = image::RgbImage::new(300, 20);
            picture.write_to(&mut sheet, kind).unwrap();
            let made = send(&manager, "", Some((name, sheet.into_inner())), &station).await;
            assert_eq!(made.status, 201, "{name}: {}", made.text);
            let made = made.json();
            let photo = &made["source_image"];
            assert_eq!(
                (&photo["width"], &photo["height"]),
                (&json!(300), &json!(20))
            );
            let small = format!("capture_{}/small.jpg", photo["id"]);
            let small = app.tools.links.relative("thumbnails", &small);
            let small = reqwest::get(format!("{}{small}", app.url)).await.unwrap();
            let small = image::load_from_memory(&small.bytes().await.unwrap()).unwrap();
            assert_eq!((small.width(), small.height()), (240, 16), "{name}");
        }
    }
}

#[tokio::test]
async fn a_photograph_that_is_called_a_page_does_nothing() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        let project = app.project("Moths", false).await;
        let manager = app.member(&project, Some(Role::ProjectManager)).await;
        let station = station(&app, &project).await.to_string();
        let made = send(&manager, "", Some(("a.html", jpeg(8, 8))), &station).await;
        assert_eq!(made.status, 201, "{}", made.text);
        let made = made.json();
        let shown = reqwest::get(made["image"].as_str().unwrap()).await.unwrap();
        let policy = shown.headers()["content-security-policy"].to_str().unwrap();
        assert!(
            policy.contains("sandbox") && !policy.contains("allow"),
            "{policy}"
        );
    }
}

#[tokio::test]
async fn what_cannot_be_taken_is_said() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        let project = app.project("Moths", false).await;
        let manager = app.member(&project, Some(Role::ProjectManager)).await;
        let basic = app.member(&project, Some(Role::BasicMember)).await;
        let station = station(&app, &project).await.to_string();
        let photo = || Some(("20240601220000.jpg", jpeg(8, 8)));
        assert_eq!(
            send(&app.anonymous(), "", photo(), &station).await.status,
            401
        );
        assert_eq!(send(&basic, "", photo(), &station).await.status, 403);
        let invalid = "Upload a valid image. The file you uploaded was either not an image or a \
                       corrupted image.";
        let large = vec![0; 30 * 1024 * 1024 + 1];
        for (file, station, field, words) in [
            (None, station.as_str(), "image", "No file was submitted."),
            (
                Some(("a.jpg", Vec::new())),
                &station,
                "image",
                "The submitted file is empty.",
            ),
            (
                Some(("a.jpg", b"hello".to_vec())),
                &station,
                "image",
                invalid,
            ),
            (
                Some(("a.jpg", large)),
                &station,
                "image",
                "The file is larger than 30 MB.",
            ),
            (
                photo(),
                "999",
                "deployment",
                "Invalid pk \"999\" - object does not exist.",
            ),
        ] {
            let refused = send(&manager, "", file, station).await;
            assert_eq!(refused.status, 400);
            assert_eq!(refused.json(), json!({field: [words]}));
        }
        let json = manager
            .post(PATH, json!({"image": "x", "deployment": station}))
            .await;
        let words = "The submitted data was not a file. Check the encoding type on the form.";
        assert_eq!(json.json(), json!({"image": [words]}));
    }
}

#[tokio::test]
async fn an_upload_to_a_draft_is_seen_by_its_link_alone() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        let project = app.project("Draft", true).await;
        let manager = app.member(&project, Some(Role::ProjectManager)).await;
        let station = station(&app, &project).await.to_string();
        let made = send(&manager, "", Some(("picture.jpg", jpeg(8, 8))), &station).await;
        assert_eq!(made.status, 201, "{}", made.text);
        let made = made.json();
        let address = made["image"].as_str().unwrap().to_owned();
        assert_eq!(reqwest::get(&address).await.unwrap().status(), 200);
        let bare = address.split('?').next().unwrap();
        assert_eq!(reqwest::get(bare).await.unwrap().status(), 404);
        let timestamp = made["source_image"]["timestamp"].as_str();
        assert!(
            timestamp.is_some(),
            "a photograph without a time was taken now"
        );
    }
}

/// The same request is given up at each of its steps in turn.
#[tokio::test]
async fn an_upload_whose_sender_goes_away_is_kept_with_its_file() {
    let fresh = testing::fresh_sqlite().await;
    let mut state = None;
    let keep = |own: web::AppState| {
        state = Some(own.clone());
        own
    };
    let app = TestApp::start_with(&fresh, keep).await;
    let router = web::router(state.unwrap());
    let project = app.project("Moths", false).await;
    let station = station(&app, &project).await;
    app.superuser().await;
    let user = app.store.user_by_email("super@example.org").await;
    let user = user.unwrap().unwrap();
    let token = app.store.create_token(user.id, "sender").await.unwrap();
    for steps in 0..60 {
        let part = |about: &str| format!("--b\r\nContent-Disposition: form-data; {about}\r\n\r\n");
        let mut body = part("name=\"deployment\"") + &format!("{station}\r\n");
        body += &part(&format!("name=\"image\"; filename=\"{steps}.jpg\""));
        let body = [body.as_bytes(), &jpeg(8, 8), b"\r\n--b--\r\n"].concat();
        let request = axum::http::Request::post(PATH)
            .header("Authorization", format!("Token {token}"))
            .header("Content-Type", "multipart/form-data; boundary=b");
        let request = request.body(axum::body::Body::from(body)).unwrap();
        let mut answer = std::pin::pin!(web::answer(&router, request));
        for _ in 0..steps {
            if answer.as_mut().now_or_never().is_some() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
    let filter = UploadFilter {
        user_id: user.id,
        ..UploadFilter::default()
    };
    for round in 0.. {
        let (rows, _) = app.store.uploads(&filter, 100, 0).await.unwrap();
        let mut without = Vec::new();
        for (_, capture) in &rows {
            if !app.tools.files.exists(&capture.path).await.unwrap() {
                without.push(&capture.path);
            }
        }
        if !rows.is_empty() && without.is_empty() {
            break;
        }
        assert!(
            round < 200,
            "of {} these have no file: {without:?}",
            rows.len()
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
