//! Pages as those meet them who cannot see them, or see little: axe-core finds nothing to complain
//! of, in light and dark and on a narrow screen. `HAWKMOTH_AXE` names its file `axe.min.js`;
//! `scripts/test` fetches it.

use fantoccini::{Client, Locator};
use serde_json::{Value, json};
use store::testing;

use super::browsable::{made, open, sign_in};
use super::field::night;
use super::rich::rich;
use super::{Driver, required, shown};
use crate::app::TestApp;

/// The script, or why there is none.
fn script() -> Option<String> {
    let Ok(path) = std::env::var("HAWKMOTH_AXE") else {
        assert!(
            !required(),
            "HAWKMOTH_AXE does not name axe.min.js: use scripts/test"
        );
        eprintln!("SKIPPED accessibility: HAWKMOTH_AXE does not name axe.min.js: use scripts/test");
        return None;
    };
    Some(std::fs::read_to_string(path).unwrap())
}

const RUN: &str = "const done = arguments[0];
    axe.run(document, {resultTypes: ['violations']}).then((found) => done(found.violations.map(
        (v) => `${v.id}: ${v.help}\\n` + v.nodes.map((n) => `    ${n.html}\\n    ${n.failureSummary}`).join('\\n'))));";

/// Checks what the browser shows now.
async fn check(browser: &Client, axe: &str, what: &str) {
    browser.execute(axe, vec![]).await.unwrap();
    let found = browser.execute_async(RUN, vec![]).await.unwrap();
    let complaints: Vec<&str> = found
        .as_array()
        .unwrap()
        .iter()
        .filter_map(Value::as_str)
        .collect();
    assert!(complaints.is_empty(), "{what}:\n{}", complaints.join("\n"));
}

#[tokio::test]
async fn every_page_is_for_everybody() {
    let (Some(axe), Some(driver)) = (script(), Driver::start()) else {
        return;
    };
    let fresh = testing::fresh_sqlite().await;
    let app = TestApp::start(&fresh).await;
    let project = app.project("Moths", false).await;
    let empty = app.project("Empty", false).await;
    let admin = app.superuser().await;
    let id = made(&admin, "Night", project.id).await;
    made(&admin, "Morning", project.id).await;
    let (captures, session) = night(&app, &project).await;
    let rooms = super::rooms::pages(&app, &project).await;
    let full = rich(&app, &project, &captures).await;
    app.store.finalise_job(full).await.unwrap().unwrap();
    let browser = driver.browser().await;
    let at = format!("/projects/{}", project.id);
    let jobs = format!("/projects/{}/jobs", project.id);
    let pages = [
        "/".to_owned(),
        "/login".to_owned(),
        jobs.clone(),
        format!("{jobs}/{id}"),
        format!("{jobs}/{id}/failures"),
        format!("{jobs}/{id}?level=ERROR"),
        format!("{jobs}/{full}"),
        format!("{jobs}/{full}/failures"),
        format!("{jobs}/{full}?level=WARNING"),
        format!("{jobs}/new"),
        format!("{jobs}/new?kind=data_export&format=occurrences_simple_csv"),
        format!("{jobs}/new?kind=post_processing&task=rank_rollup"),
        at.clone(),
        format!("/projects/{}", empty.id),
        format!("{at}/captures?from=x"),
        format!("{at}/captures?view=table&ordering=-boxes"),
        format!("{at}/captures/{}", captures[1]),
        format!("{at}/sessions"),
        format!("{at}/sessions/{session}"),
        "/nowhere".to_owned(),
        "/api/v2/".to_owned(),
        "/api/v2/jobs/?limit=1&status=CREATED".to_owned(),
        format!("/api/v2/jobs/{id}/"),
        format!("/api/v2/jobs/{id}/run/"),
        "/api/v2/jobs/99999/".to_owned(),
        "/api/v2/users/".to_owned(),
        "/api/v2/projects/".to_owned(),
    ];
    let pages: Vec<String> = pages.into_iter().chain(rooms).collect();
    for path in &pages {
        open(&browser, &app, path).await;
        check(&browser, &axe, path).await;
    }
    sign_in(&browser, &app).await;
    for (width, theme) in [
        (1200, "light"),
        (1200, "dark"),
        (390, "light"),
        (390, "dark"),
    ] {
        browser.set_window_size(width, 900).await.unwrap();
        for path in &pages {
            open(&browser, &app, path).await;
            let dress = "document.documentElement.dataset.theme = arguments[0];
                document.querySelectorAll('details').forEach((e) => { e.open = true; });";
            browser.execute(dress, vec![json!(theme)]).await.unwrap();
            check(&browser, &axe, &format!("{path} {width} {theme}")).await;
            let wide = "return document.documentElement.scrollWidth - innerWidth;";
            let over = browser.execute(wide, vec![]).await.unwrap();
            assert!(over.as_i64().unwrap() <= 0, "{path} is wider than {width}");
        }
    }
    open(&browser, &app, "/api/v2/jobs/").await;
    let post = browser
        .find(Locator::Css(".html-form .button"))
        .await
        .unwrap();
    post.click().await.unwrap();
    assert!(
        shown(&browser, "#answer", "400")
            .await
            .contains("Bad Request")
    );
    check(&browser, &axe, "a refused form").await;
    let pick = browser.find(Locator::Id("project_id")).await.unwrap();
    pick.send_keys("mo").await.unwrap();
    assert!(shown(&browser, ".picks", "Moths").await.contains("Moths"));
    check(&browser, &axe, "rows on offer").await;
    open(&browser, &app, &format!("/api/v2/jobs/{id}/")).await;
    let raw = browser
        .find(Locator::Css("label[for=raw-tab]"))
        .await
        .unwrap();
    raw.click().await.unwrap();
    check(&browser, &axe, "raw data").await;
    browser.close().await.unwrap();
}
