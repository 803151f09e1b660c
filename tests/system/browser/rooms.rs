//! A person in a project's rooms and on the server's pages, in a real browser: adds a service, sets a
//! pipeline, looks at what a set would pick, writes a schedule, adds a member, has a program told,
//! makes a token.

use fantoccini::{Client, Locator};
use serde_json::json;
use store::project::Project;
use store::testing;
use store::user::NewUser;

use super::browsable::{open, sign_in};
use super::{Driver, click, shown};
use crate::app::TestApp;
use crate::pages::jpeg;
use crate::pull::registration;

/// The rooms' pages, each with something to show.
pub async fn pages(app: &TestApp, project: &Project) -> Vec<String> {
    let admin = app.superuser().await;
    let path = format!("/api/v2/projects/{}/pipelines/", project.id);
    let made = admin.post(&path, registration("test")).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let pipeline = app
        .store
        .pipeline_by_slug("test")
        .await
        .unwrap()
        .unwrap()
        .id;
    let service = app
        .store
        .put_service(project.id, "Pushed", "", Some("http://127.0.0.1:9/"));
    let service = service.await.unwrap().id;
    for live in [true, false] {
        app.store.service_seen(service, live, 0.2).await.unwrap();
    }
    let station = app.station(project).await;
    app.capture(&station, "20220810220000.jpg", &jpeg(40, 30))
        .await;
    let set = app
        .store
        .capture_set_by_name(project.id, "All Images")
        .await;
    let set = set.unwrap().unwrap().id;
    let schedule = json!({
        "name": "Nightly", "project": project.id, "cron": "0 6 * * *", "time_zone": "UTC",
        "steps": [{"job_type_key": "data_storage_sync"}],
    });
    let made = admin.post("/api/v2/schedules/", schedule).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let schedule = made.json()["id"].clone();
    let hook = json!({"name": "Lab", "project": project.id, "target": "http://127.0.0.1:1/"});
    let made = admin.post("/api/v2/webhooks/", hook).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let hook = made.json()["id"].clone();
    let test = format!("/api/v2/webhooks/{hook}/test/");
    let tried = admin.post(&test, json!({})).await;
    assert_eq!(tried.json()["state"], "failed");
    app.member(project, Some(domain::permission::Role::BasicMember))
        .await;
    let source = station.source_id.unwrap();
    let here = format!("/projects/{}", project.id);
    let mut all: Vec<String> = ["/me", "/server", "/server/jobs", "/server/users"]
        .map(str::to_owned)
        .to_vec();
    let below = [
        "/processing".to_owned(),
        format!("/processing/services/{service}"),
        format!("/processing/pipelines/{pipeline}"),
        "/data".to_owned(),
        "/data/sources/new".to_owned(),
        format!("/data/sources/{source}"),
        "/data/sets/new".to_owned(),
        format!("/data/sets/{set}"),
        "/schedules".to_owned(),
        "/schedules/new".to_owned(),
        format!("/schedules/{schedule}"),
        "/people".to_owned(),
        "/people/webhooks/new".to_owned(),
        format!("/people/webhooks/{hook}"),
    ];
    all.extend(below.map(|path| format!("{here}{path}")));
    all
}

/// Puts words in place of what stands in a field.
async fn fill(browser: &Client, css: &str, words: &str) {
    let field = browser.find(Locator::Css(css)).await.unwrap();
    field.clear().await.unwrap();
    field.send_keys(words).await.unwrap();
}

/// What the page says after something was done.
async fn said(browser: &Client, words: &str) {
    let text = shown(browser, ".said", words).await;
    assert!(text.contains(words), "{words} is missing from {text}");
}

#[tokio::test]
async fn a_person_keeps_a_project_in_order() {
    let Some(driver) = Driver::start() else {
        return;
    };
    let fresh = testing::fresh_sqlite().await;
    let app = TestApp::start(&fresh).await;
    let project = app.project("Moths", false).await;
    let pages = pages(&app, &project).await;
    let browser = driver.browser().await;
    sign_in(&browser, &app).await;
    let here = format!("/projects/{}", project.id);

    open(&browser, &app, &format!("{here}/processing")).await;
    click(&browser, "#services summary").await;
    fill(&browser, "#services #name", "Far").await;
    fill(&browser, "#services #endpoint_url", "http://127.0.0.1:9/").await;
    click(&browser, "#services .sheet button").await;
    said(&browser, "Service Far was added.").await;
    click(&browser, "[aria-label='Stop offering Pipeline test']").await;
    said(&browser, "is not offered for new jobs any more").await;
    click(&browser, "[aria-label='Settings of Pipeline test']").await;
    fill(&browser, "#config", "{").await;
    click(&browser, "main form .button").await;
    let wrong = shown(&browser, "#config ~ .wrong", "JSON").await;
    assert!(wrong.contains("This is not JSON"), "{wrong}");
    fill(&browser, "#config", "{\"batch_size\": 2}").await;
    click(&browser, "main form .button").await;
    said(&browser, "were kept").await;

    open(&browser, &app, &format!("{here}/data")).await;
    click(&browser, "[aria-label='Test Folder']").await;
    said(&browser, "20220810220000.jpg").await;
    open(&browser, &app, &format!("{here}/data/sets/new")).await;
    fill(&browser, "#name", "Few").await;
    click(&browser, "button[value=look]").await;
    let seen = shown(&browser, "main [role=status]", "It would pick").await;
    assert!(seen.contains("one capture of 1"), "{seen}");
    click(&browser, "button[value=save]").await;
    said(&browser, "Few was made.").await;
    open(&browser, &app, &format!("{here}/schedules/new")).await;
    fill(&browser, "#name", "Weekly").await;
    fill(&browser, "#cron", "0 6 * * MON").await;
    click(&browser, "button[value=next]").await;
    let next = shown(&browser, ".next", "Monday").await;
    assert_eq!(next.matches("Monday").count(), 5, "{next}");
    click(&browser, "#kind-0 option[value=regroup_events]").await;
    click(&browser, "button[value=save]").await;
    said(&browser, "Weekly was made.").await;

    let new = NewUser {
        email: "ann@example.org".to_owned(),
        password: "pass word".to_owned(),
        name: "Ann".to_owned(),
        ..Default::default()
    };
    app.store.create_user(new).await.unwrap();
    open(&browser, &app, &format!("{here}/people")).await;
    click(&browser, ".head summary").await;
    fill(&browser, "#email", "ann@example.org").await;
    click(&browser, ".head .button").await;
    said(&browser, "ann@example.org is a member now").await;
    click(&browser, "#telling .tool").await;
    fill(&browser, "#name", "Robot").await;
    fill(&browser, "#target", "robot").await;
    click(&browser, "main form .button").await;
    let wrong = shown(&browser, "#target-wrong", "URL").await;
    assert_eq!(wrong, "Enter a valid URL.");
    fill(&browser, "#target", "http://127.0.0.1:1/").await;
    click(&browser, "main form .button").await;
    assert_eq!(shown(&browser, "#fresh", "").await.len(), 64);
    click(&browser, ".head form .tool").await;
    said(&browser, "The test was not delivered.").await;
    click(&browser, "[aria-label^='Send delivery']").await;
    said(&browser, "It is sent again").await;
    click(&browser, ".head summary.danger").await;
    click(&browser, "details[open] .sheet button").await;
    said(&browser, "Robot was removed").await;

    open(&browser, &app, "/me").await;
    fill(&browser, "#token-name", "laptop").await;
    click(&browser, "#tokens-title ~ form .button").await;
    assert_eq!(shown(&browser, "#fresh", "").await.len(), 40);
    click(&browser, "[aria-label='Revoke laptop…']").await;
    click(&browser, "details[open] .sheet button").await;
    said(&browser, "The token was revoked").await;
    open(&browser, &app, "/server/users?search=ann").await;
    click(&browser, "[aria-label='Lock out ann@example.org…']").await;
    click(&browser, "details[open] .sheet button").await;
    said(&browser, "is locked out").await;
    // No page needs anything from elsewhere.
    for path in &pages {
        open(&browser, &app, path).await;
        let names = "return performance.getEntriesByType('resource').map((e) => e.name);";
        let names = browser.execute(names, vec![]).await.unwrap();
        for name in names.as_array().unwrap() {
            let name = name.as_str().unwrap();
            assert!(name.starts_with(&app.url), "{path} asks for {name}");
        }
    }
    browser.close().await.unwrap();
}
