//! A person reads a job's log while it grows: the text stays still, and a level is looked for in all
//! of it.

use serde_json::json;
use store::job::NewJob;
use store::log::Level;
use store::testing;

use super::browsable::open;
use super::{Driver, shown};
use crate::app::TestApp;

/// The line that is uppermost in the log, and how far it is from the log's upper edge.
const TOP: &str = "const list = document.querySelector('#log .log');
    const edge = list.closest('.lines').getBoundingClientRect().top;
    const line = [...list.children].find((line) => line.getBoundingClientRect().bottom > edge + 1);
    return [line.innerText, Math.round(line.getBoundingClientRect().top - edge)];";

#[tokio::test]
async fn a_log_that_grows_stays_still_under_its_reader() {
    let Some(driver) = Driver::start() else {
        return;
    };
    let fresh = testing::fresh_sqlite().await;
    let app = TestApp::start(&fresh).await;
    let project = app.project("Moths", false).await;
    let new = NewJob {
        name: "Night".to_owned(),
        project_id: project.id,
        kind: domain::job::POPULATE,
        ..Default::default()
    };
    let id = app.store.create_job(new).await.unwrap().id;
    let line = |number: i32| {
        let level = match number {
            3 => Level::Error,
            _ => Level::Info,
        };
        (level, format!("line {number} ends"))
    };
    let lines: Vec<_> = (1..=230).map(line).collect();
    app.store.write_log(id, &lines).await.unwrap();
    let browser = driver.browser().await;
    open(
        &browser,
        &app,
        &format!("/projects/{}/jobs/{id}", project.id),
    )
    .await;
    shown(&browser, "#log", "of 230 lines").await;
    let scroll = "document.querySelector('.lines').scrollTop = 777;";
    browser.execute(scroll, vec![]).await.unwrap();
    let before = browser.execute(TOP, vec![]).await.unwrap();
    let more: Vec<_> = (231..=240).map(line).collect();
    app.store.write_log(id, &more).await.unwrap();
    let log = shown(&browser, "#log", "of 240 lines").await;
    assert!(log.contains("line 240 ends"), "{log}");
    let after = browser.execute(TOP, vec![]).await.unwrap();
    assert_eq!(after, before, "it is still under the reader's eyes");

    // The error is older than all lines that are shown.
    let choose = "const level = document.querySelector('[data-log-level]');
        level.value = arguments[0];
        level.dispatchEvent(new Event('change', {bubbles: true}));";
    browser.execute(choose, vec![json!("ERROR")]).await.unwrap();
    let found = shown(&browser, "#log-lines", "1 line,").await;
    assert!(found.contains("line 3 ends"), "{found}");
    browser.execute(choose, vec![json!("")]).await.unwrap();
    let all = shown(&browser, "#log", "of 240 lines").await;
    assert!(all.contains("line 240 ends"), "{all}");
    browser.close().await.unwrap();
}
