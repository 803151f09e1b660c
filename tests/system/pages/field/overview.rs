//! The overview of a project and the first page: they tell what is there, what goes on and what to do
//! next, each person only of what that person may see.

use domain::permission::{Permit, Role};
use store::job::NewJob;
use store::testing;

use super::{HEAVY, has, world};
use crate::app::TestApp;

#[tokio::test]
async fn the_overview_tells_what_is_there_and_what_goes_on() {
    for fresh in testing::fresh().await {
        let world = world(TestApp::start(&fresh).await).await;
        let store = &world.app.store;
        let new = NewJob {
            name: "Fill <now>".to_owned(),
            project_id: world.project.id,
            kind: domain::job::POPULATE,
            ..NewJob::default()
        };
        let job = store.create_job(new).await.unwrap().id;
        let page = world.shown(&world.app.anonymous(), "").await;
        has(
            &page,
            &[
                "<h1>Moths &#38; more</h1>",
                "<b>62</b> captures",
                "<b>2</b> sessions",
                "<b>1</b> station<",
                &world.path(&format!("/captures?station={}", world.station.id)),
                "2022-08-11 21:30",
                &world.path("/captures?from=2022-08-10T21:00:00&#38;to=2022-08-10T22:58:00"),
                "<title>2022-08-10: 60</title>",
                "Detections per hour",
                &world.path(&format!("/sessions/{}", world.nights[1].id)),
                "aria-current=\"page\">Overview",
            ],
        );
        assert!(!page.contains("Running and waiting"), "nothing runs");
        assert!(!page.contains("Failed lately"), "nothing failed");
        assert!(!page.contains("What to do next"), "there are captures");
        assert!(!page.contains(">Data</a>"), "that is for members");
        store.enqueue_job(Permit::BY_PROGRAM, job).await.unwrap();
        let page = world.shown(&world.app.anonymous(), "").await;
        has(
            &page,
            &["Running and waiting", "Fill &#60;now&#62;", "Waiting"],
        );
        // Without a set to fill it fails.
        world.app.work();
        let ended = world.app.ended(job).await;
        assert_eq!(ended.state, "FAILURE");
        let page = world.shown(&world.app.anonymous(), "").await;
        has(&page, &["Failed lately", "Fill &#60;now&#62;", "Failed"]);
        assert!(!page.contains("Running and waiting"));
    }
}

#[tokio::test]
async fn an_empty_project_says_what_to_do_to_those_who_may() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        let project = app.project("Empty", false).await;
        let path = format!("/projects/{}", project.id);
        let page = app.anonymous().get(&path).await.text;
        has(
            &page,
            &["What to do next", "Add a station:", "No station yet"],
        );
        let links = [
            "/api/v2/deployments/?project_id",
            "/api/v2/captures/upload/",
        ];
        for link in links {
            assert!(!page.contains(link), "strangers may not");
        }
        let basic = app.member(&project, Some(Role::BasicMember)).await;
        let page = basic.get(&path).await.text;
        assert!(!page.contains(links[0]) && page.contains(">Data</a>"));
        let manager = app.member(&project, Some(Role::ProjectManager)).await;
        has(&manager.get(&path).await.text, &links);
        app.station(&project).await;
        let page = manager.get(&path).await.text;
        has(&page, &["</span>done</span> Add a station:"]);
        let captures = manager.get(&format!("{path}/captures")).await.text;
        has(&captures, &["No capture yet"]);
        let sessions = manager.get(&format!("{path}/sessions")).await.text;
        has(&sessions, &["No session yet"]);
    }
}

#[tokio::test]
async fn the_first_page_tells_of_each_project_and_finds_them() {
    for fresh in testing::fresh().await {
        let world = world(TestApp::start(&fresh).await).await;
        let app = &world.app;
        let draft = app.project("Draft of beetles", true).await;
        let page = app.anonymous().get("/").await.text;
        let link = format!("href=\"{}\"", world.path(""));
        has(
            &page,
            &[
                &link,
                "<td data-name=\"Captures\">62</td>",
                "2022-08-11 21:30",
                "none runs",
            ],
        );
        assert!(!page.contains("beetles"), "a draft is hidden");
        let member = app.member(&draft, Some(Role::BasicMember)).await;
        let page = member.get("/?q=BEETLES").await.text;
        has(
            &page,
            &["Draft of beetles", "none yet", "value=\"BEETLES\""],
        );
        assert!(!page.contains("Moths"));
        let page = app.anonymous().get("/?q=%3Cb%3E").await.text;
        has(&page, &["No project that you may see has “&#60;b&#62;”"]);
        for name in 0..60 {
            app.project(&format!("Many {name:02}"), false).await;
        }
        let admin = app.superuser().await;
        let page = admin.get("/?ordering=-name&q=many").await.text;
        has(
            &page,
            &[
                "1–50 of 60",
                "Many 59",
                "?ordering=-name&#38;page=2&#38;q=many",
            ],
        );
        assert!(page.len() < HEAVY && !page.contains("Many 09"));
        let page = admin.get("/?ordering=-name&q=many&page=2").await.text;
        has(&page, &["51–60 of 60", "Many 09"]);
    }
}
