//! The pages, their live stream and the photographs behind signed links.

use domain::permission::Permit;
use std::io::Cursor;
use std::time::Duration;

use futures_util::StreamExt;
use image::{ImageFormat, RgbImage};
use serde_json::json;
use store::job::NewJob;
use store::testing;

use crate::app::TestApp;

mod above;
mod field;
mod jobs;
mod large;
mod live;
mod log;
mod stages;
mod top;
mod weight;
mod wrong;

pub(crate) fn jpeg(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    let picture = RgbImage::from_fn(width, height, |x, y| image::Rgb([x as u8, y as u8, 200]));
    picture.write_to(&mut bytes, ImageFormat::Jpeg).unwrap();
    bytes.into_inner()
}

async fn job(app: &TestApp, project: i64, name: &str) -> i64 {
    let new = NewJob {
        name: name.to_owned(),
        project_id: project,
        kind: domain::job::POPULATE,
        ..Default::default()
    };
    app.store.create_job(new).await.unwrap().id
}

#[tokio::test]
async fn a_job_page_shows_the_job_and_escapes_what_people_wrote() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        let project = app.project("Moths & more", false).await;
        let id = job(&app, project.id, "<script>alert(1)</script>").await;
        let page = app
            .anonymous()
            .get(&format!("/projects/{}/jobs/{id}", project.id))
            .await;
        assert_eq!(page.status, 200);
        assert!(
            page.headers["content-type"]
                .to_str()
                .unwrap()
                .starts_with("text/html")
        );
        assert!(!page.text.contains("<script>alert"));
        for words in [
            "Populate capture set",
            "Created",
            "Nobody has started it yet",
            "Moths &#38; more",
        ] {
            assert!(page.text.contains(words), "{words} is missing");
        }
        let list = app
            .anonymous()
            .get(&format!("/projects/{}/jobs", project.id))
            .await;
        assert!(
            list.text
                .contains(&format!("/projects/{}/jobs/{id}", project.id))
        );
        assert!(app.anonymous().get("/").await.text.contains("Moths"));
        let log = app
            .anonymous()
            .get(&format!("/projects/{}/jobs/{id}/log.txt", project.id))
            .await;
        assert_eq!(log.headers["content-type"], "text/plain; charset=utf-8");
    }
}

#[tokio::test]
async fn what_is_hidden_or_missing_is_a_page_too() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        let draft = app.project("Draft", true).await;
        let open = app.project("Open", false).await;
        let id = job(&app, draft.id, "Secret").await;
        for path in [
            format!("/projects/{}/jobs/{id}", draft.id),
            format!("/projects/{}/jobs/{id}", open.id),
            format!("/projects/{}/jobs/{id}/live", draft.id),
            format!("/projects/{}/jobs/{id}/log.txt", draft.id),
            format!("/projects/{}/jobs", draft.id),
            "/projects/9999/jobs".to_owned(),
            "/nowhere".to_owned(),
        ] {
            let page = app.anonymous().get(&path).await;
            assert_eq!(page.status, 404, "{path}");
            assert!(!page.text.contains("Secret"), "{path}");
        }
        let admin = app.superuser().await;
        assert_eq!(
            admin
                .get(&format!("/projects/{}/jobs/{id}", draft.id))
                .await
                .status,
            200
        );
        let api = app.anonymous().get("/api/v2/nowhere/").await;
        assert_eq!(api.text, r#"{"detail":"Not found."}"#);
    }
}

#[tokio::test]
async fn our_pages_run_no_script_but_their_own() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        let project = app.project("Moths", false).await;
        let id = job(&app, project.id, "Night").await;
        let here = format!("/projects/{}", project.id);
        for path in [
            "/".to_owned(),
            "/login".to_owned(),
            "/nowhere".to_owned(),
            here.clone(),
            format!("{here}/captures"),
            format!("{here}/jobs"),
            format!("{here}/jobs/{id}"),
            "/api/v2/jobs/".to_owned(),
            "/api/v2/docs/".to_owned(),
        ] {
            let page = app.anonymous().accepting(&path, "text/html").await;
            let policy = page.headers["content-security-policy"].to_str().unwrap();
            for rule in [
                "default-src 'self'",
                "object-src 'none'",
                "base-uri 'none'",
                "form-action 'self'",
                "frame-ancestors 'none'",
            ] {
                assert!(policy.contains(rule), "{path}: {policy}");
            }
            assert!(!policy.contains("script-src"), "{path}: {policy}");
            // What the policy would not let run is not there.
            assert!(!page.text.contains("<script>"), "{path}");
            assert!(!page.text.contains(" onclick="), "{path}");
        }
        let json = app.anonymous().get("/api/v2/jobs/").await;
        assert!(!json.headers.contains_key("content-security-policy"));
    }
}

#[tokio::test]
async fn pages_come_in_the_colours_that_were_chosen() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        let client = reqwest::Client::new();
        for (cookie, page) in [
            (
                "a=b; hawkmoth_theme=dark",
                "<html lang=\"en\" data-theme=\"dark\">",
            ),
            (
                "hawkmoth_theme=light",
                "<html lang=\"en\" data-theme=\"light\">",
            ),
            ("hawkmoth_theme=\"><script>", "<html lang=\"en\">"),
            ("theme=dark", "<html lang=\"en\">"),
        ] {
            for path in ["/", "/nowhere"] {
                let call = client.get(format!("{}{path}", app.url));
                let answer = call.header("Cookie", cookie).send().await.unwrap();
                let text = answer.text().await.unwrap();
                assert!(text.contains(page), "{cookie}: {text}");
            }
        }
    }
}

#[tokio::test]
async fn viewers_hear_of_changes() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        let project = app.project("Moths", false).await;
        let set = app
            .store
            .capture_set_by_name(project.id, "All Images")
            .await
            .unwrap()
            .unwrap();
        let new = NewJob {
            name: "Fill".to_owned(),
            project_id: project.id,
            kind: domain::job::POPULATE,
            capture_set_id: Some(set.id),
            ..Default::default()
        };
        let id = app.store.create_job(new).await.unwrap().id;
        let url = format!("{}/projects/{}/jobs/{id}/live", app.url, project.id);
        let answer = reqwest::get(url).await.unwrap();
        assert_eq!(answer.headers()["content-type"], "text/event-stream");
        let mut chunks = answer.bytes_stream();
        app.store.enqueue_job(Permit::BY_PROGRAM, id).await.unwrap();
        app.work();
        let mut heard = String::new();
        let listen = async {
            while !(heard.contains("Created") && heard.contains("state success")) {
                let chunk = chunks.next().await.unwrap().unwrap();
                heard.push_str(&String::from_utf8_lossy(&chunk));
            }
        };
        let in_time = tokio::time::timeout(Duration::from_secs(60), listen).await;
        assert!(in_time.is_ok(), "the end was never heard of: {heard}");
    }
}

#[tokio::test]
async fn photographs_are_shown_to_those_who_have_the_link() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        let project = app.project("Moths", false).await;
        let station = app.station(&project).await;
        let picture = jpeg(1200, 700);
        let good = app
            .capture(&station, "20220810231507 ü#%.jpg", &picture)
            .await;
        let bad = app
            .capture(&station, "20220810231600.jpg", b"no picture")
            .await;
        let page = app
            .anonymous()
            .get(&format!("/projects/{}/captures/{good}", project.id))
            .await;
        assert_eq!(page.status, 200, "{}", page.text);
        assert!(page.text.contains("2022-08-10 23:15:07"));
        let link = page
            .text
            .split("<img src=\"")
            .nth(1)
            .unwrap()
            .split('"')
            .next()
            .unwrap();
        let link = link.replace("&#38;", "&").replace("&amp;", "&");
        let shown = reqwest::get(format!("{}{link}", app.url)).await.unwrap();
        assert_eq!(shown.status(), 200);
        assert_eq!(shown.headers()["content-type"], "image/jpeg");
        assert!(shown.headers().contains_key("cache-control"));
        assert_eq!(shown.bytes().await.unwrap(), picture);
        let forged = [
            link.replace("20220810231507", "20220810231600"),
            link.split('?').next().unwrap().to_owned(),
            link.replace("expires=", "expires=9"),
            "/media/captures/1/../../etc/passwd".to_owned(),
        ];
        for forged in forged {
            assert_eq!(app.anonymous().get(&forged).await.status, 404, "{forged}");
        }
        let thumbnail = |id: i64| {
            app.tools
                .links
                .relative("thumbnails", &format!("capture_{id}/small.jpg"))
        };
        for _ in 0..2 {
            let small = reqwest::get(format!("{}{}", app.url, thumbnail(good)))
                .await
                .unwrap();
            let small = image::load_from_memory(&small.bytes().await.unwrap()).unwrap();
            assert_eq!((small.width(), small.height()), (240, 140));
        }
        let damaged = app.anonymous().get(&thumbnail(bad)).await;
        assert_eq!(damaged.status, 404);
        assert!(
            damaged.json()["detail"]
                .as_str()
                .unwrap()
                .contains("cannot be read")
        );
        let unknown = app
            .tools
            .links
            .relative("thumbnails", "capture_x/small.jpg");
        assert_eq!(app.anonymous().get(&unknown).await.status, 404);
    }
}

#[tokio::test]
async fn style_and_script_come_from_the_program() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        for (name, kind) in [
            ("hawkmoth.css", "text/css"),
            ("hawkmoth.js", "text/javascript"),
            ("icon.svg", "image/svg+xml"),
        ] {
            let file = app.anonymous().get(&format!("/assets/{name}")).await;
            assert_eq!(file.status, 200);
            assert!(
                file.headers["content-type"]
                    .to_str()
                    .unwrap()
                    .starts_with(kind)
            );
            let tag = file.headers["etag"].to_str().unwrap().to_owned();
            let again = reqwest::Client::new()
                .get(format!("{}/assets/{name}", app.url))
                .header("If-None-Match", tag)
                .send()
                .await
                .unwrap();
            assert_eq!(again.status(), 304);
        }
        assert_eq!(
            app.anonymous().get("/assets/../Cargo.toml").await.status,
            404
        );
        assert_eq!(
            json!(
                app.anonymous()
                    .get("/assets/none.css")
                    .await
                    .status
                    .as_u16()
            ),
            404
        );
    }
}
