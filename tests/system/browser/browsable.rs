//! A person at work on browsable pages: signs in, makes a job by a form, runs it and sees it
//! finish, cancels, edits and deletes, filters and turns pages, signs out.

use domain::permission::Role;
use fantoccini::key::Key;
use fantoccini::{Client, Locator};
use serde_json::json;
use store::project::Project;
use store::testing;

use super::{Driver, click, shown};
use crate::app::{self, TestApp};

/// Makes a job and returns its number.
pub async fn made(client: &app::Client<'_>, name: &str, project: i64) -> i64 {
    let body = json!({"name": name, "delay": 0, "project_id": project});
    let made = client.post("/api/v2/jobs/", body).await;
    made.json()["id"].as_i64().unwrap()
}

/// Opens a page of the server.
pub async fn open(browser: &Client, app: &TestApp, path: &str) {
    browser.goto(&format!("{}{path}", app.url)).await.unwrap();
}

/// Puts words in place of what stands in a field.
async fn fill(browser: &Client, id: &str, words: &str) {
    let field = browser.find(Locator::Id(id)).await.unwrap();
    field.clear().await.unwrap();
    field.send_keys(words).await.unwrap();
}

async fn answered(browser: &Client, words: &str) {
    let text = shown(browser, "#answer", words).await;
    assert!(text.contains(words), "{words} is missing from {text}");
}

/// Signs in as the superuser of the test.
pub async fn sign_in(browser: &Client, app: &TestApp) {
    app.superuser().await;
    enter(browser, app, "super@example.org").await;
}

/// Signs in as a member of the project with this role.
pub async fn sign_in_as(browser: &Client, app: &TestApp, project: &Project, role: Role) {
    app.member(project, Some(role)).await;
    let email = format!("{}@example.org", role.key().to_lowercase());
    enter(browser, app, &email).await;
}

async fn enter(browser: &Client, app: &TestApp, email: &str) {
    open(browser, app, "/login?next=%2Fapi%2Fv2%2Fjobs%2F").await;
    fill(browser, "email", email).await;
    fill(browser, "password", "secret").await;
    click(browser, "main button[type=submit]").await;
    answered(browser, "HTTP 200 OK").await;
}

async fn address(browser: &Client) -> String {
    let url = browser.current_url().await.unwrap();
    let query = url
        .query()
        .map_or(String::new(), |query| format!("?{query}"));
    format!("{}{query}", url.path())
}

#[tokio::test]
async fn a_person_works_on_browsable_pages() {
    let Some(driver) = Driver::start() else {
        return;
    };
    let fresh = testing::fresh_sqlite().await;
    let app = TestApp::start(&fresh).await;
    let project = app.project("Moths of Vermont", false).await;
    let set = app
        .store
        .capture_set_by_name(project.id, "All Images")
        .await;
    let set = set.unwrap().unwrap().id.to_string();
    let browser = driver.browser().await;
    sign_in(&browser, &app).await;
    assert_eq!(address(&browser).await, "/api/v2/jobs/");

    makes_a_job(&browser, &app, project.id, &set).await;
    let jobs = app.store.jobs(&Default::default(), 10, 0).await.unwrap().0;
    let id = jobs[0].id;
    assert_eq!((jobs.len(), jobs[0].name.as_str()), (1, "By a form"));
    runs_it(&browser, &app, id).await;
    edits_it(&browser, &app, id).await;
    let admin = app.superuser().await;
    let other = made(&admin, "Never mind", project.id).await;
    cancels_one(&browser, &app, other).await;
    deletes_one(&browser, &app, other).await;
    looks_around(&browser, &app).await;

    click(&browser, "header form button").await;
    let top = shown(&browser, "header", "Sign in").await;
    assert!(top.contains("Sign in"), "{top}");
    browser.close().await.unwrap();
}

async fn makes_a_job(browser: &Client, app: &TestApp, project: i64, set: &str) {
    fill(browser, "name", "By a form").await;
    fill(browser, "project_id", "vermont").await;
    let rows = shown(browser, ".picks", "Moths of Vermont").await;
    assert!(rows.contains("Moths of Vermont"), "{rows}");
    let field = browser.find(Locator::Id("project_id")).await.unwrap();
    let keys = format!("{}{}", char::from(Key::Down), char::from(Key::Enter));
    field.send_keys(&keys).await.unwrap();
    let chosen = field.prop("value").await.unwrap().unwrap();
    assert_eq!(chosen, project.to_string());
    fill(browser, "source_image_collection_id", set).await;
    fill(browser, "job_type_key", domain::job::POPULATE).await;
    click(browser, ".html-form .button").await;
    answered(browser, "400 Bad Request").await;
    let kept = browser
        .find(Locator::Id("name"))
        .await
        .unwrap()
        .prop("value")
        .await;
    assert_eq!(kept.unwrap().unwrap(), "By a form", "what was sent is kept");
    let wrong = shown(browser, "#delay-wrong", "integer").await;
    assert_eq!(wrong, "A valid integer is required.");
    fill(browser, "delay", "0").await;
    click(browser, ".html-form .button").await;
    answered(browser, "201 Created").await;
    assert_eq!(
        app.store.jobs(&Default::default(), 1, 0).await.unwrap().1,
        1
    );
}

async fn runs_it(browser: &Client, app: &TestApp, id: i64) {
    open(browser, app, &format!("/api/v2/jobs/{id}/")).await;
    let menu = "//summary[contains(., 'Extra Actions')]";
    browser
        .find(Locator::XPath(menu))
        .await
        .unwrap()
        .click()
        .await
        .unwrap();
    browser
        .find(Locator::LinkText("run"))
        .await
        .unwrap()
        .click()
        .await
        .unwrap();
    answered(browser, "405 Method Not Allowed").await;
    click(browser, ".html-form .button").await;
    answered(browser, "\"status\": \"PENDING\"").await;
    app.work();
    app.ended(id).await;
    let up = browser
        .find(Locator::LinkText("Job Instance"))
        .await
        .unwrap();
    up.click().await.unwrap();
    answered(browser, "\"status\": \"SUCCESS\"").await;
}

async fn edits_it(browser: &Client, app: &TestApp, id: i64) {
    click(browser, "label[for=raw-tab]").await;
    fill(browser, "raw-content", "{\"name\": \"By raw data\"}").await;
    click(browser, ".raw-form button[value=PATCH]").await;
    answered(browser, "\"name\": \"By raw data\"").await;
    assert_eq!(app.store.job(id).await.unwrap().name, "By raw data");
    browser.refresh().await.unwrap();
    let remembered = "return document.getElementById('raw-tab').checked;";
    assert_eq!(
        browser.execute(remembered, vec![]).await.unwrap(),
        json!(true)
    );
    click(browser, "label[for=html-tab]").await;
    fill(browser, "name", "By a form again").await;
    click(browser, ".html-form button[value=PUT]").await;
    answered(browser, "\"name\": \"By a form again\"").await;
    answered(browser, "All Images").await;
}

async fn cancels_one(browser: &Client, app: &TestApp, id: i64) {
    open(browser, app, &format!("/api/v2/jobs/{id}/cancel/")).await;
    click(browser, ".html-form .button").await;
    answered(browser, "HTTP 200 OK").await;
    assert!(app.store.job(id).await.unwrap().job_state().is_final());
}

async fn deletes_one(browser: &Client, app: &TestApp, id: i64) {
    open(browser, app, &format!("/api/v2/jobs/{id}/")).await;
    click(browser, "summary.danger").await;
    let sure = shown(browser, ".sheet p", "Are you sure").await;
    assert!(sure.contains("delete this Job Instance"), "{sure}");
    click(browser, ".sheet button.danger").await;
    answered(browser, "204 No Content").await;
    assert!(app.store.job(id).await.is_err());
}

async fn looks_around(browser: &Client, app: &TestApp) {
    let admin = app.superuser().await;
    let project = app.store.jobs(&Default::default(), 1, 0).await.unwrap().0[0].project_id;
    for name in ["Apple", "Birch"] {
        made(&admin, name, project).await;
    }
    open(browser, app, "/api/v2/jobs/?ordering=name&limit=1").await;
    click(browser, ".filters summary").await;
    let choose = "document.getElementById('filter-status').value = 'CREATED';";
    browser.execute(choose, vec![]).await.unwrap();
    click(browser, ".filters .button").await;
    shown(browser, ".request", "status=CREATED").await;
    assert_eq!(
        address(browser).await,
        "/api/v2/jobs/?ordering=name&limit=1&status=CREATED"
    );
    browser
        .find(Locator::LinkText("2"))
        .await
        .unwrap()
        .click()
        .await
        .unwrap();
    answered(browser, "Birch").await;
    let text = shown(browser, "#answer", "Birch").await;
    assert!(text.contains("\"count\": 2") && !text.contains("Apple"));
}
