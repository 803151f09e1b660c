//! The bar at the top: on every page below a project it searches that project's jobs.

use store::testing;

use super::job;
use crate::app::TestApp;

#[tokio::test]
async fn the_jobs_of_a_project_are_searched_from_each_of_its_pages() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        let project = app.project("Moths", false).await;
        let night = job(&app, project.id, "Night of the hawkmoths").await;
        job(&app, project.id, "Another").await;
        let here = format!("/projects/{}", project.id);
        let client = app.anonymous();
        let form = format!(
            "role=\"search\" aria-label=\"Jobs by name\" method=\"get\" action=\"{here}/jobs\""
        );
        let one = format!("/jobs/{night}");
        for path in ["", "/jobs", one.as_str(), "/captures", "/sessions"] {
            let page = client.get(&format!("{here}{path}")).await.text;
            let (_, rest) = page
                .split_once(&form)
                .unwrap_or_else(|| panic!("{path}: {page}"));
            assert!(!rest.contains(&form), "{path} has it twice");
            let (form, _) = rest.split_once("</form>").unwrap();
            assert!(form.contains("name=\"search\" aria-label="), "{form}");
            assert!(form.contains("<button"), "it needs no script: {form}");
        }
        // What it asks is what the page of jobs answers.
        let found = client.get(&format!("{here}/jobs?search=hawkmoths")).await;
        assert!(found.text.contains("Night of the"), "{}", found.text);
        assert!(!found.text.contains("Another"), "{}", found.text);
        assert!(!client.get("/").await.text.contains("Jobs by name"));
    }
}
