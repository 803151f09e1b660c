//! What pages weigh: with more of everything than a page holds, and with long names, none is over
//! 100 KB without its pictures, as a manager's browser gets it. One database is enough: what a page
//! holds does not depend on it.

use store::testing;

use crate::pull::Farm;
use crate::session::Browser;
use full::Full;

mod full;

/// The heaviest page, in bytes.
const HEAVIEST: usize = 100_000;

/// All pages of the project.
fn pages(full: &Full) -> Vec<String> {
    let Full {
        station,
        set,
        pipeline,
        job,
        ..
    } = full;
    let (capture, session) = (full.night[6].id, full.night[6].session_id.unwrap());
    let kinds = domain::job::KINDS
        .iter()
        .filter(|kind| !kind.stages.is_empty());
    let new = kinds.map(|kind| format!("/jobs/new?kind={}", kind.key));
    let below = [
        String::new(),
        "/captures".to_owned(),
        format!("/captures?view=table&station={station}&set={set}"),
        "/captures?view=table".to_owned(),
        format!("/captures/{capture}"),
        "/sessions".to_owned(),
        format!("/sessions/{session}"),
        "/jobs".to_owned(),
        format!("/jobs?station={station}&pipeline={pipeline}"),
        format!("/jobs/{job}"),
        format!("/jobs/{job}?level=WARNING"),
        format!("/jobs/{job}/failures"),
        format!("/jobs/new?kind=ml&pipeline_id={pipeline}&source_image_collection_id={set}"),
        "/processing".to_owned(),
        format!("/processing/pipelines/{pipeline}"),
        "/data".to_owned(),
        "/data/sources/new".to_owned(),
        format!("/data/sources/{}", full.source),
        "/data/sets/new".to_owned(),
        format!("/data/sets/{set}"),
        "/schedules".to_owned(),
        "/schedules/new".to_owned(),
        format!("/schedules/{}", full.schedule),
        "/people".to_owned(),
    ];
    let here = format!("/projects/{}", full.farm.project.id);
    let below = below.into_iter().chain(new);
    let mut all: Vec<String> = below.map(|path| format!("{here}{path}")).collect();
    all.extend(["/".to_owned(), "/me".to_owned()]);
    all
}

/// Those of these pages that weigh too much, with what they weigh.
async fn heavy(browser: &mut Browser<'_>, pages: &[String]) -> Vec<(String, usize)> {
    let mut heavy = Vec::new();
    for path in pages {
        let answer = browser.get(path).await;
        assert_eq!(answer.status(), 200, "{path}");
        let bytes = answer.text().await.unwrap().len();
        if bytes >= HEAVIEST {
            heavy.push((path.clone(), bytes));
        }
    }
    heavy
}

#[tokio::test]
async fn no_page_is_heavy_however_much_there_is() {
    let fresh = testing::fresh_sqlite().await;
    let full = Full::new(Farm::idle(&fresh, 55).await).await;
    let app = &full.farm.app;
    let mut browser = Browser::new(app);
    let entered = browser.sign_in_as("projectmanager@example.org", "secret", "/");
    assert_eq!(entered.await.status(), 303);
    let mut all = heavy(&mut browser, &pages(&full)).await;

    // Whoever keeps the server has more buttons.
    app.superuser().await;
    let mut browser = Browser::new(app);
    assert_eq!(browser.sign_in("secret", "/").await.status(), 303);
    let mut more = pages(&full);
    let service = format!("processing/services/{}", full.service);
    more.push(format!("/projects/{}/{service}", full.farm.project.id));
    more.extend(["/server", "/server/jobs", "/server/users"].map(str::to_owned));
    all.extend(heavy(&mut browser, &more).await);
    assert!(all.is_empty(), "too heavy: {all:#?}");
}
