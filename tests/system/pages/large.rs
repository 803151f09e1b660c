//! Pages where there is more than they show: nothing of it is lost, wrong or silent, and what a link
//! counts is what it leads to.

use chrono::Duration;
use store::testing;

use crate::app::TestApp;

fn has(page: &str, words: &[&str]) {
    for words in words {
        assert!(page.contains(words), "{words} is missing from {page}");
    }
}

#[tokio::test]
async fn a_bar_of_the_overview_leads_to_the_captures_of_its_night() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        let project = app.project("Moths", false).await;
        let station = app.station(&project).await;
        for time in [
            "20220810220000",
            "20220810233000",
            "20220811003000",
            "20220811010000",
            "20220811220000",
        ] {
            app.capture(&station, &format!("{time}.jpg"), b"none").await;
        }
        let gap = Duration::hours(2);
        app.store.regroup(station.id, gap, |_| {}).await.unwrap();
        app.store.refresh_station(station.id).await.unwrap();
        let here = format!("/projects/{}", project.id);
        let page = app.anonymous().get(&here).await.text;
        let night = "/captures?from=2022-08-10T22:00:00&#38;to=2022-08-11T01:00:00";
        has(&page, &["<title>2022-08-10: 4</title>", night]);
        let night = night.replace("&#38;", "&");
        let page = app.anonymous().get(&format!("{here}{night}")).await.text;
        has(&page, &["1–4 of 4", "2022-08-11 01:00:00"]);
    }
}
