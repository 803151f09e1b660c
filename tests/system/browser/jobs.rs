//! A person at work on the pages of jobs: looks at what a job will do, makes it, sees its row
//! follow it, selects jobs with the keyboard and cancels them, cancels one on its page and runs it
//! again with something changed.

use std::time::Duration;

use domain::state::JobState;
use fantoccini::key::Key;
use fantoccini::{Client, Locator};
use serde_json::json;
use store::testing;

use super::browsable::{open, sign_in};
use super::{Driver, click, shown};
use crate::app::TestApp;

/// Chooses the option with these words.
async fn choose(browser: &Client, id: &str, words: &str) {
    let field = browser.find(Locator::Id(id)).await.unwrap();
    field.select_by_label(words).await.unwrap();
}

async fn says(browser: &Client, words: &str) {
    let said = shown(browser, ".said", words).await;
    assert!(said.contains(words), "{words} is missing from {said}");
}

#[tokio::test]
async fn a_person_makes_watches_and_stops_jobs() {
    let Some(driver) = Driver::start() else {
        return;
    };
    let fresh = testing::fresh_sqlite().await;
    let app = TestApp::start(&fresh).await;
    let project = app.project("Moths", false).await;
    app.station(&project).await;
    let browser = driver.browser().await;
    sign_in(&browser, &app).await;
    let jobs = format!("/projects/{}/jobs", project.id);
    makes_one(&browser, &app, &jobs).await;
    let made = app.store.last_job(project.id).await.unwrap();
    stops_some(&browser, &app, &jobs, made).await;
    opens_menus(&browser, &app, &jobs, project.id).await;
    changes_one(&browser, &app, &jobs, made).await;
    browser.close().await.unwrap();
}

async fn makes_one(browser: &Client, app: &TestApp, jobs: &str) {
    open(browser, app, jobs).await;
    click(browser, ".head a[href$='/jobs/new']").await;
    click(browser, ".kinds a[href*='regroup_events']").await;
    choose(browser, "deployment_id", "Station (0 captures)").await;
    click(browser, "button[value=look]").await;
    let ahead = shown(browser, ".ahead", "put into sessions").await;
    assert!(
        ahead.contains("The 0 captures of station “Station”"),
        "{ahead}"
    );
    click(browser, "button[value=save]").await;
    says(browser, "It runs when somebody starts it").await;
    let name = shown(browser, "#state h1", "Regroup").await;
    assert_eq!(name, "Regroup sessions on Station");
}

async fn stops_some(browser: &Client, app: &TestApp, jobs: &str, made: i64) {
    open(browser, app, jobs).await;
    let state = format!("#job-{made}-state");
    assert_eq!(shown(browser, &state, "Created").await, "Created");
    let permit = domain::permission::Permit::BY_PROGRAM;
    app.store.enqueue_job(permit, made).await.unwrap();
    assert_eq!(shown(browser, &state, "Waiting").await, "Waiting");
    let new = domain::job::REGROUP;
    let job = app.store.job(made).await.unwrap();
    let other = store::job::NewJob {
        name: "Another".to_owned(),
        project_id: job.project_id,
        kind: new,
        ..Default::default()
    };
    let other = app.store.create_job(other).await.unwrap().id;
    let line = shown(browser, "#new-jobs", "1 new job").await;
    assert_eq!(line, "1 new job – show");
    let absent = "return document.querySelectorAll('table.jobs tbody tr').length;";
    assert_eq!(browser.execute(absent, vec![]).await.unwrap(), json!(1));
    click(browser, "#new-jobs a").await;
    assert_eq!(
        shown(browser, &format!("#job-{other}-state"), "C").await,
        "Created"
    );

    // By the keyboard alone: the box over all boxes, then the button that asks.
    let all = browser.find(Locator::Css("[data-all]")).await.unwrap();
    all.send_keys(" ").await.unwrap();
    let chosen = "return document.querySelectorAll('[name=ids]:checked').length;";
    assert_eq!(browser.execute(chosen, vec![]).await.unwrap(), json!(2));
    let ask = browser.find(Locator::Css(".bulk summary")).await.unwrap();
    ask.send_keys(&char::from(Key::Enter).to_string())
        .await
        .unwrap();
    let sure = browser
        .find(Locator::Css("button[value=cancel]"))
        .await
        .unwrap();
    sure.send_keys(&char::from(Key::Enter).to_string())
        .await
        .unwrap();
    says(browser, "2 cancelled.").await;
    for id in [made, other] {
        let state = app.store.job(id).await.unwrap().job_state();
        assert_eq!(state, JobState::Revoked);
    }
}

async fn changes_one(browser: &Client, app: &TestApp, jobs: &str, made: i64) {
    open(browser, app, &format!("{jobs}/{made}")).await;
    let timeline = shown(browser, "#timeline", "Ended: Cancelled").await;
    assert!(timeline.contains("Cancel asked for by Test"), "{timeline}");
    click(browser, "#actions a[href*='from=']").await;
    let ahead = shown(browser, ".ahead", "sessions").await;
    assert!(ahead.contains("station “Station”"), "{ahead}");
    let name = browser.find(Locator::Id("name")).await.unwrap();
    name.clear().await.unwrap();
    name.send_keys("Once more").await.unwrap();
    click(browser, "button[value=start]").await;
    says(browser, "was made and queued").await;
    // The page hears that the job ends, and offers what can be done then.
    app.work();
    let state = shown(browser, "#state .state", "Success").await;
    assert_eq!(state, "Success");
    let acts = shown(browser, "#actions", "Run again…").await;
    assert!(
        acts.contains("Run again…") && acts.contains("Delete…"),
        "{acts}"
    );
    assert!(!acts.contains("Cancel"), "{acts}");
    click(browser, "#actions details:last-of-type summary").await;
    click(browser, "#actions button[value=delete]").await;
    says(browser, "was deleted").await;
}

/// Nobody runs jobs yet, so one that is queued waits.
async fn opens_menus(browser: &Client, app: &TestApp, jobs: &str, project: i64) {
    let new = store::job::NewJob {
        name: "With menus".to_owned(),
        project_id: project,
        kind: domain::job::POPULATE,
        ..Default::default()
    };
    let id = app.store.create_job(new).await.unwrap().id;
    open(browser, app, &format!("{jobs}/{id}")).await;
    let opened = async || {
        let count = "return document.querySelectorAll('details.menu[open]').length;";
        browser.execute(count, vec![]).await.unwrap()
    };
    let summary = "#actions details:first-of-type summary";
    // By Escape, which leaves the focus where it was, and by a click elsewhere.
    click(browser, summary).await;
    assert_eq!(opened().await, json!(1));
    let focused = browser.active_element().await.unwrap();
    focused.send_keys(&Key::Escape.to_string()).await.unwrap();
    assert_eq!(opened().await, json!(0));
    let focus = "return document.activeElement.innerText;";
    let focus = browser.execute(focus, vec![]).await.unwrap();
    assert_eq!(focus, json!("Cancel…"));
    click(browser, summary).await;
    assert_eq!(opened().await, json!(1));
    click(browser, "#state h1").await;
    assert_eq!(opened().await, json!(0));
    // An open one does not hold back what can be done now, and stays open.
    click(browser, summary).await;
    let permit = domain::permission::Permit::BY_PROGRAM;
    app.store.enqueue_job(permit, id).await.unwrap();
    let mut acts = String::from("Delete…");
    for _ in 0..600 {
        let text = "return document.querySelector('#actions').innerText;";
        let text = browser.execute(text, vec![]).await.unwrap();
        acts = text.as_str().unwrap_or_default().to_owned();
        if !acts.contains("Delete…") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(
        acts.contains("Cancel…") && !acts.contains("Delete…"),
        "{acts}"
    );
    assert_eq!(opened().await, json!(1));
}
