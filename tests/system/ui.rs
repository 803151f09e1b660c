//! `serve --ui`: a built web client beside the API. The folder stands for any single-page app: a
//! first page, a script with a digest in its name, one compressed beforehand.

use std::path::Path;

use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use serde_json::json;
use store::testing;

use crate::app::TestApp;
use crate::browser::{Driver, shown};

/// What the client's script does: it reads the address that it was opened at, and asks the API.
const SCRIPT: &str = "\
fetch('/api/v2/projects?limit=40').then(answer => answer.json()).then(list => {
  document.body.innerText = `${location.pathname} ${list.results[0].name}`;
});\n";

fn built(folder: &Path) {
    let write = |name: &str, content: &str| {
        let file = folder.join(name);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, content).unwrap();
    };
    let page = "<!doctype html><title>Client</title><body><script type=module src=/assets/index-B3kPq9_x.js></script>";
    write("index.html", page);
    write("assets/index-B3kPq9_x.js", SCRIPT);
    write("assets/large-C4lQr0_y.js", &"// moths\n".repeat(5000));
    write("assets/ready-D5mRs1_z.css", "body { color: black }");
    write("assets/ready-D5mRs1_z.css.br", "compressed beforehand");
    write("robots.txt", "User-agent: *\n");
    std::fs::write(folder.with_extension("secret"), "not in the folder").unwrap();
}

/// A request that says what it can unpack; the answer's body is not unpacked.
async fn get(app: &TestApp, path: &str, accepts: &str) -> (StatusCode, HeaderMap, Vec<u8>) {
    let url = format!("{}{path}", app.url);
    let call = reqwest::Client::new()
        .get(url)
        .header("Accept-Encoding", accepts);
    let answer = call.send().await.unwrap();
    let (status, headers) = (answer.status(), answer.headers().clone());
    (status, headers, answer.bytes().await.unwrap().to_vec())
}

async fn started(fresh: &testing::Fresh, folder: &Path) -> TestApp {
    built(folder);
    TestApp::start_with(fresh, |state| state.beside(folder)).await
}

#[tokio::test]
async fn addresses_without_a_file_are_the_first_page() {
    let fresh = testing::fresh_sqlite().await;
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("client");
    let app = started(&fresh, &folder).await;
    for path in [
        "/",
        "/projects/1/jobs/5",
        "/projects/1/occurrences?taxon=3",
        "/auth/login",
        "/auth/reset-password-confirm?uid=a&token=b",
    ] {
        let (status, headers, body) = get(&app, path, "identity").await;
        assert_eq!(status, 200, "{path}");
        assert_eq!(headers["content-type"], "text/html", "{path}");
        assert_eq!(headers["cache-control"], "no-cache", "{path}");
        // What it may load and run is the client's to say.
        assert!(!headers.contains_key("content-security-policy"), "{path}");
        assert!(body.starts_with(b"<!doctype html><title>Client"), "{path}");
    }
    for path in [
        "/assets/gone-B3kPq9_x.js",
        "/logo.svg",
        "/..%2fclient.secret",
        "/%2e%2e/client.secret",
    ] {
        let (_, _, body) = get(&app, path, "identity").await;
        let body = String::from_utf8_lossy(&body).into_owned();
        assert!(!body.contains("not in the folder"), "{path}: {body}");
    }
    let (status, ..) = get(&app, "/assets/gone-B3kPq9_x.js", "identity").await;
    assert_eq!(status, 404);
    let posted = app.anonymous().post("/projects/1", json!({})).await;
    assert_eq!(posted.status, 405);
}

#[tokio::test]
async fn files_are_compressed_and_kept() {
    let fresh = testing::fresh_sqlite().await;
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("client");
    let app = started(&fresh, &folder).await;
    let large = "/assets/large-C4lQr0_y.js";
    for (accepts, encoding) in [("gzip", "gzip"), ("gzip, br", "br")] {
        let (status, headers, body) = get(&app, large, accepts).await;
        assert_eq!(
            (status.as_u16(), &headers["content-encoding"]),
            (200, &encoding.parse().unwrap())
        );
        assert!(body.len() < 1000, "{} bytes", body.len());
        assert_eq!(
            headers["cache-control"],
            "public, max-age=31536000, immutable"
        );
        assert_eq!(headers["content-type"], "text/javascript");
    }
    let (_, headers, body) = get(&app, large, "identity").await;
    assert!(!headers.contains_key("content-encoding"));
    assert_eq!(body.len(), 45_000);
    let (_, headers, body) = get(&app, "/assets/ready-D5mRs1_z.css", "br").await;
    assert_eq!(headers["content-encoding"], "br");
    assert_eq!(body, b"compressed beforehand");
    let (_, headers, _) = get(&app, "/robots.txt", "identity").await;
    assert_eq!(headers["cache-control"], "no-cache");
    let since = headers["last-modified"].to_str().unwrap();
    let again = reqwest::Client::new()
        .get(format!("{}/robots.txt", app.url))
        .header("If-Modified-Since", since);
    assert_eq!(again.send().await.unwrap().status(), 304);
}

#[tokio::test]
async fn the_api_and_our_pages_stay() {
    let fresh = testing::fresh_sqlite().await;
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("client");
    let app = started(&fresh, &folder).await;
    let project = app.project("Moths", false).await;
    let anonymous = app.anonymous();
    assert_eq!(anonymous.get("/api/v2/projects").await.json()["count"], 1);
    let missing = anonymous.get("/api/v2/nothing").await;
    assert_eq!(
        (missing.status.as_u16(), missing.json()),
        (404, json!({"detail": "Not found."}))
    );
    for path in ["/hawkmoth", "/hawkmoth/"] {
        let home = anonymous.get(path).await;
        let jobs = format!("href=\"/hawkmoth/projects/{}\"", project.id);
        assert!(home.text.contains(&jobs), "{}", home.text);
        assert!(home.text.contains("href=\"/hawkmoth/assets/hawkmoth.css\""));
        assert!(home.headers.contains_key("content-security-policy"));
    }
    let style = anonymous.get("/hawkmoth/assets/hawkmoth.css").await;
    assert_eq!(style.status, 200);
    let nowhere = anonymous.get("/hawkmoth/nothing").await;
    assert_eq!(nowhere.status, 404);
    assert!(!nowhere.text.contains("<title>Client"), "{}", nowhere.text);
    let odd = anonymous.get("/hawkmoth/projects/abc").await;
    assert_eq!(odd.status, 404);
    assert!(odd.text.contains("href=\"/hawkmoth/assets/hawkmoth.css\""));
    let login = anonymous.get("/login").await;
    assert!(
        login.text.contains("name=\"next\" value=\"/hawkmoth/\""),
        "{}",
        login.text
    );
}

#[tokio::test]
async fn a_browser_opens_it_anywhere() {
    let Some(driver) = Driver::start() else {
        return;
    };
    let fresh = testing::fresh_sqlite().await;
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("client");
    let app = started(&fresh, &folder).await;
    app.project("Moths", false).await;
    let browser = driver.browser().await;
    browser
        .goto(&format!("{}/projects/1/sessions/7", app.url))
        .await
        .unwrap();
    let seen = shown(&browser, "body", "Moths").await;
    assert_eq!(seen, "/projects/1/sessions/7 Moths");
    browser.close().await.unwrap();
}
