//! Pages in a real browser. The job page follows its job by itself; what a person does on
//! browsable pages stands in `browser/browsable.rs`, what pages are to those who cannot see them
//! in `browser/axe.rs`. Needs chromium and chromedriver; without them a test says so, and where
//! services are required (`HAWKMOTH_TEST_REQUIRE_SERVICES=1`) it fails.

use domain::permission::Permit;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use fantoccini::{ClientBuilder, Locator};
use serde_json::{Value, json};
use store::job::NewJob;
use store::testing;

use crate::app::TestApp;

mod axe;
mod browsable;
mod field;
mod jobs;
mod log;
mod rich;
mod roles;
mod rooms;

pub struct Driver {
    process: Child,
    url: String,
}

/// Whether a skip is a failure.
fn required() -> bool {
    std::env::var("HAWKMOTH_TEST_REQUIRE_SERVICES").is_ok_and(|v| v == "1")
}

impl Driver {
    /// Starts chromedriver on a port of its own choice.
    pub fn start() -> Option<Driver> {
        let process = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        let Ok(mut process) = process else {
            assert!(
                !required(),
                "chromedriver is missing: apt-get install chromium chromium-driver"
            );
            eprintln!("SKIPPED in the browser: apt-get install chromium chromium-driver");
            return None;
        };
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let port = lines.map_while(Result::ok).find_map(|line| {
            let port = line.strip_prefix("ChromeDriver was started successfully on port ")?;
            Some(port.trim_end_matches('.').to_owned())
        });
        let url = format!("http://127.0.0.1:{}", port.unwrap());
        Some(Driver { process, url })
    }

    pub async fn browser(&self) -> fantoccini::Client {
        let arguments = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
        ];
        let mut wanted = serde_json::Map::new();
        wanted.insert("goog:chromeOptions".to_owned(), json!({"args": arguments}));
        wanted.insert("goog:loggingPrefs".to_owned(), json!({"browser": "ALL"}));
        let mut builder = ClientBuilder::new(hyper_util_connector());
        builder.capabilities(wanted);
        builder.connect(&self.url).await.unwrap()
    }

    /// What the console of a browser says that was not read yet.
    pub async fn console(&self, browser: &fantoccini::Client) -> Vec<Value> {
        let session = browser.session_id().await.unwrap().unwrap();
        // A command of Chrome's own, which the client does not know.
        let url = format!("{}/session/{session}/se/log", self.url);
        let call = reqwest::Client::new().post(url);
        let call = call.header("Content-Type", "application/json");
        let answer = call.body(r#"{"type": "browser"}"#).send().await.unwrap();
        let answer: Value = answer.json().await.unwrap();
        let lines = answer["value"].as_array();
        lines.unwrap_or_else(|| panic!("{answer}")).clone()
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn hyper_util_connector() -> hyper_util::client::legacy::connect::HttpConnector {
    hyper_util::client::legacy::connect::HttpConnector::new()
}

/// Waits for an element and clicks on it; once more where an update exchanged it in between.
pub async fn click(browser: &fantoccini::Client, css: &str) {
    let find = || {
        let wait = browser.wait().at_most(Duration::from_secs(60));
        wait.for_element(Locator::Css(css))
    };
    while let Err(error) = find().await.unwrap().click().await {
        assert!(error.is_stale_element_reference(), "{css}: {error}");
    }
}

/// The text of an element once it holds these words. Read in one step, because live updates
/// exchange elements at any moment.
pub async fn shown(browser: &fantoccini::Client, css: &str, words: &str) -> String {
    let read = "return document.querySelector(arguments[0])?.innerText ?? '';";
    let mut text = String::new();
    for _ in 0..600 {
        let found = browser.execute(read, vec![json!(css)]).await.unwrap();
        text = found.as_str().unwrap_or_default().trim().to_owned();
        if !text.is_empty() && text.contains(words) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    text
}

#[tokio::test]
async fn the_job_page_follows_its_job() {
    let Some(driver) = Driver::start() else {
        return;
    };
    let fresh = testing::fresh_sqlite().await;
    let app = TestApp::start(&fresh).await;
    let project = app.project("Moths", false).await;
    let set = app
        .store
        .capture_set_by_name(project.id, "All Images")
        .await
        .unwrap()
        .unwrap();
    let new = NewJob {
        name: "Fill the set".to_owned(),
        project_id: project.id,
        kind: domain::job::POPULATE,
        capture_set_id: Some(set.id),
        ..Default::default()
    };
    let id = app.store.create_job(new).await.unwrap().id;
    let browser = driver.browser().await;
    browser
        .goto(&format!("{}/projects/{}/jobs/{id}", app.url, project.id))
        .await
        .unwrap();
    let seen = shown(&browser, "#state .state", "Created").await;
    assert_eq!(seen, "Created");

    // While nobody sees the page it holds no connection, and hears nothing.
    let look =
        "Object.defineProperty(document, 'hidden', {value: arguments[0], configurable: true});
        document.dispatchEvent(new Event('visibilitychange'));
        return document.querySelector('#state .state').innerText;";
    browser.execute(look, vec![json!(true)]).await.unwrap();
    app.store.enqueue_job(Permit::BY_PROGRAM, id).await.unwrap();
    tokio::time::sleep(Duration::from_secs(4)).await;
    let then = browser.execute(look, vec![json!(false)]).await.unwrap();
    assert_eq!(then, json!("Created"));
    let seen = shown(&browser, "#state .state", "Waiting").await;
    assert_eq!(seen, "Waiting");

    // The person does nothing; the page hears of it.
    app.work();
    let seen = shown(&browser, "#state .state.success", "Success").await;
    assert_eq!(seen, "Success");
    let log = shown(&browser, "#log", "Finished job").await;
    assert!(log.contains("Finished job"), "{log}");

    // A script that somebody got into the page does not run.
    let smuggle = "const script = document.createElement('script');
        script.textContent = 'window.ran = true';
        document.body.append(script);
        return window.ran === true;";
    assert_eq!(
        browser.execute(smuggle, vec![]).await.unwrap(),
        json!(false)
    );

    // Light and dark by the switch.
    let theme = "document.querySelector('[data-theme-switch]').click();
        return document.documentElement.dataset.theme;";
    let first = browser.execute(theme, vec![]).await.unwrap();
    let second = browser.execute(theme, vec![]).await.unwrap();
    assert!(first != second && [&first, &second].contains(&&json!("dark")));
    // The server knows what was chosen: no page is drawn in the other colours first.
    let page = "return fetch(location.href).then((answer) => answer.text());";
    let page = browser.execute(page, vec![]).await.unwrap();
    let chosen = format!("<html lang=\"en\" data-theme={second}>");
    assert!(page.as_str().unwrap().contains(&chosen), "{chosen}: {page}");

    let list = Locator::LinkText("Jobs");
    browser.find(list).await.unwrap().click().await.unwrap();
    let row = browser
        .find(Locator::LinkText("Fill the set"))
        .await
        .unwrap();
    row.click().await.unwrap();
    assert!(
        browser
            .current_url()
            .await
            .unwrap()
            .path()
            .ends_with(&format!("/jobs/{id}"))
    );

    // Without the server the page says that it stands still.
    shown(&browser, "#state .state.success", "Success").await;
    drop(app);
    let said = shown(&browser, "[data-live-said]", "Not live").await;
    assert!(said.starts_with("Not live:"), "{said}");
    browser.close().await.unwrap();
}
