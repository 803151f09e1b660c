//! The log on a job's page: it says how much of it is shown, and leads to all of it.

use store::log::Level;
use store::testing;

use super::job;
use crate::app::TestApp;

#[tokio::test]
async fn a_log_that_is_cut_says_so_and_leads_to_the_whole() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        let project = app.project("Moths", false).await;
        let id = job(&app, project.id, "Night").await;
        let path = format!("/projects/{}/jobs/{id}", project.id);
        let line = |number: i32| {
            let level = match number {
                7 => Level::Error,
                _ => Level::Info,
            };
            (level, format!("line {number} ends"))
        };
        let lines: Vec<_> = (1..=200).map(line).collect();
        app.store.write_log(id, &lines).await.unwrap();
        let client = app.anonymous();
        let page = client.get(&path).await.text;
        assert!(page.contains("line 1 ends") && !page.contains("The newest 200"));
        let more: Vec<_> = (201..=250).map(line).collect();
        app.store.write_log(id, &more).await.unwrap();
        let page = client.get(&path).await.text;
        assert!(page.contains("line 250 ends") && !page.contains("line 50 ends"));
        let whole = format!("{path}/log.txt");
        for words in ["The newest 200 of 250 lines.", &format!("href=\"{whole}\"")] {
            assert!(page.contains(words), "{words} is missing from {page}");
        }
        assert_eq!(client.get(&whole).await.text.lines().count(), 250);
        // A level is looked for in all of it.
        let errors = client.get(&format!("{path}?level=ERROR")).await.text;
        assert!(errors.contains("1 line, as they were") && errors.contains("line 7 ends"));
        assert!(!errors.contains("The newest 200"), "{errors}");
    }
}
