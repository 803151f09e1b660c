//! A person looks through captures: narrows the list, opens one, walks the night by keys, hides
//! the boxes, looks closer, stars it, and comes back; and reads a night's timeline.

use fantoccini::key::Key;
use fantoccini::{Client, Locator};
use serde_json::{Value, json};
use store::testing;

use super::browsable::{open, sign_in};
use super::{Driver, shown};
use crate::app::TestApp;
use crate::found::Found;
use crate::pages::jpeg;

/// A project with a night of three captures, with something on the second; their numbers, and that
/// of the session.
pub async fn night(app: &TestApp, project: &store::project::Project) -> ([i64; 3], i64) {
    let station = app.station(project).await;
    let mut ids = [0; 3];
    for (id, minute) in ids.iter_mut().zip(["05", "15", "25"]) {
        let picture = jpeg(1200, 800);
        let name = format!("202208102307{minute}.jpg");
        *id = app.capture(&station, &name, &picture).await;
    }
    let gap = chrono::Duration::hours(2);
    app.store.regroup(station.id, gap, |_| {}).await.unwrap();
    let taxon = testing::taxon(&app.store, "Vanessa itea").await;
    let algorithm = store::algorithm::AlgorithmChange {
        name: Some("Finder".to_owned()),
        key: Some("finder".to_owned()),
        ..Default::default()
    };
    let algorithm = app.store.create_algorithm(algorithm).await.unwrap().id;
    let capture = app.store.capture(ids[1]).await.unwrap();
    let found = Found {
        id: 1,
        taxon,
        algorithm,
    };
    app.found(&capture, found).await;
    app.store.recount_captures(&[ids[1]]).await.unwrap();
    app.store.refresh_counters(&ids).await.unwrap();
    (ids, capture.session_id.unwrap())
}

async fn press(browser: &Client, key: &str) {
    let body = browser.find(Locator::Css("body")).await.unwrap();
    body.send_keys(key).await.unwrap();
}

/// Waits for an address with this end, also behind its question mark.
async fn arrived(browser: &Client, end: &str) {
    // The script of a page has run once it is complete.
    let at =
        "return document.readyState === 'complete' ? location.pathname + location.search : null;";
    let mut seen = Value::Null;
    for _ in 0..200 {
        seen = browser.execute(at, vec![]).await.unwrap();
        if seen.as_str().is_some_and(|address| address.ends_with(end)) {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("{seen} does not end with {end}");
}

#[tokio::test]
async fn a_person_looks_through_a_night() {
    let Some(driver) = Driver::start() else {
        return;
    };
    let fresh = testing::fresh_sqlite().await;
    let app = TestApp::start(&fresh).await;
    let project = app.project("Moths", false).await;
    let (ids, session) = night(&app, &project).await;
    let browser = driver.browser().await;
    sign_in(&browser, &app).await;
    open(&browser, &app, "/").await;
    for link in ["Moths", "Captures"] {
        let link = browser.find(Locator::LinkText(link)).await.unwrap();
        link.click().await.unwrap();
    }
    let choose = "document.querySelector('[name=session]').value = arguments[0];
        document.querySelector('.narrow-by button').click();";
    let wanted = json!(session.to_string());
    browser.execute(choose, vec![wanted]).await.unwrap();
    shown(&browser, ".pager", "1–3 of 3").await;
    let found = shown(&browser, ".gallery li:nth-child(2)", "1 detection").await;
    assert!(found.contains("1 detection"), "{found}");
    let second = browser
        .find(Locator::Css(".gallery li:nth-child(2) a"))
        .await;
    second.unwrap().click().await.unwrap();

    // By keys through the night, and back.
    let [first, second, third] = ids.map(|id| format!("/captures/{id}?session={session}"));
    arrived(&browser, &second).await;
    press(&browser, &Key::Right.to_string()).await;
    arrived(&browser, &third).await;
    press(&browser, &Key::Right.to_string()).await;
    press(&browser, &Key::Left.to_string()).await;
    arrived(&browser, &second).await;
    press(&browser, &Key::Left.to_string()).await;
    arrived(&browser, &first).await;
    press(&browser, &Key::Right.to_string()).await;
    arrived(&browser, &second).await;

    // Boxes by a key, zoom by a button, and the key that leaves it.
    let boxes = "return getComputedStyle(document.querySelector('.viewer svg')).display;";
    assert_ne!(browser.execute(boxes, vec![]).await.unwrap(), json!("none"));
    // A letter is for whoever is at the picture: elsewhere it may be a word that is dictated.
    press(&browser, "b+").await;
    assert_ne!(browser.execute(boxes, vec![]).await.unwrap(), json!("none"));
    let viewer = browser.find(Locator::Css("[data-viewer]")).await.unwrap();
    viewer.send_keys("b").await.unwrap();
    assert_eq!(browser.execute(boxes, vec![]).await.unwrap(), json!("none"));
    viewer.send_keys("b").await.unwrap();
    assert_ne!(browser.execute(boxes, vec![]).await.unwrap(), json!("none"));
    let wide = "const viewer = document.querySelector('.viewer');
        return Math.round(viewer.scrollWidth / viewer.clientWidth * 10);";
    assert_eq!(browser.execute(wide, vec![]).await.unwrap(), json!(10));
    let larger = browser.find(Locator::Css("[data-zoom=in]")).await.unwrap();
    larger.click().await.unwrap();
    assert_eq!(browser.execute(wide, vec![]).await.unwrap(), json!(15));
    press(&browser, &Key::Escape.to_string()).await;
    assert_eq!(browser.execute(wide, vec![]).await.unwrap(), json!(10));

    // Arrows that somebody needs to move within the page do not leave it, and up never does.
    let narrow = "const table = document.querySelector('main .wide');
        table.style.width = '60px';
        table.querySelector('a').focus();
        scrollTo(0, 0);";
    browser.execute(narrow, vec![]).await.unwrap();
    for key in [Key::Right, Key::Left, Key::Up] {
        let focused = browser.active_element().await.unwrap();
        focused.send_keys(&key.to_string()).await.unwrap();
    }
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    arrived(&browser, &second).await;

    // A star, which is said, and the list of those with one.
    let star = browser
        .find(Locator::XPath("//button[text()='☆ Star']"))
        .await;
    star.unwrap().click().await.unwrap();
    let said = shown(&browser, ".said", "has a star").await;
    assert_eq!(said, "The capture has a star.");
    press(&browser, &Key::Escape.to_string()).await;
    arrived(&browser, &format!("/captures?session={session}")).await;
    let starred = browser.find(Locator::Id("starred")).await.unwrap();
    starred.click().await.unwrap();
    let show = browser.find(Locator::Css(".narrow-by button")).await;
    show.unwrap().click().await.unwrap();
    let pager = shown(&browser, ".pager", "1–1 of 1").await;
    assert_eq!(pager, "1–1 of 1");

    // The night itself.
    let sessions = browser.find(Locator::LinkText("Sessions")).await.unwrap();
    sessions.click().await.unwrap();
    let night = browser.find(Locator::LinkText("Aug 10 2022")).await;
    night.unwrap().click().await.unwrap();
    arrived(&browser, &format!("/sessions/{session}")).await;
    let slots = "return document.querySelectorAll('.slots img').length;";
    assert_eq!(browser.execute(slots, vec![]).await.unwrap(), json!(3));
    let errors = "return window.performance.getEntriesByType('resource')
        .filter((e) => !e.name.startsWith(location.origin)).map((e) => e.name);";
    let elsewhere = browser.execute(errors, vec![]).await.unwrap();
    assert_eq!(elsewhere, json!([]), "nothing is fetched from elsewhere");
    press(&browser, &Key::Escape.to_string()).await;
    arrived(&browser, "/sessions?station=1").await;
    browser.close().await.unwrap();
}
