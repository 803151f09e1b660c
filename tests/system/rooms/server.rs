//! The server's own pages: for superusers, and for nobody else.

use domain::permission::{Permit, Role};
use store::job::NewJob;
use store::testing;

use super::Visitor;
use crate::app::TestApp;

#[tokio::test]
async fn the_server_is_shown_to_superusers_only() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        let project = app.project("Moths", false).await;
        let manager = Visitor::member(&app, &project, Role::ProjectManager).await;
        let nobody = Visitor::nobody(&app);
        for path in ["/server", "/server/jobs", "/server/users"] {
            assert_eq!(nobody.get(path).await.status, 404, "{path}");
            assert_eq!(manager.get(path).await.status, 404, "{path}");
        }
        for path in [
            "/server/users",
            "/server/users/1/lock",
            "/server/users/1/promote",
        ] {
            assert_eq!(
                manager
                    .post(path, &[("email", "x@example.org")])
                    .await
                    .status,
                404
            );
        }
        let keeper = Visitor::superuser(&app).await;
        let new = NewJob {
            name: "Fill".to_owned(),
            project_id: project.id,
            kind: domain::job::POPULATE,
            start_now: true,
            ..Default::default()
        };
        let job = app.store.create_job(new).await.unwrap().id;
        let page = keeper.get("/server").await;
        page.has(&[
            "Version",
            "Populate capture set",
            "Waiting",
            "free of",
            env!("CARGO_PKG_VERSION"),
        ]);
        let held = app.store.claim_job("runner-7").await.unwrap();
        assert!(held.is_some());
        keeper.get("/server").await.has(&["runner-7"]);
        app.store
            .rescue_jobs(chrono::Duration::seconds(-1))
            .await
            .unwrap();
        keeper
            .get("/server")
            .await
            .has(&["taken from a runner that was silent", "Fill"]);
        let page = keeper.get("/server/jobs?status=PENDING").await;
        page.has(&[
            &format!("/projects/{}/jobs/{job}", project.id),
            "Moths",
            "1–1 of 1",
        ]);
        keeper
            .get("/server/jobs?status=SUCCESS")
            .await
            .has(&["No job here."]);
        app.store.cancel_job(Permit::BY_PROGRAM, job).await.unwrap();
    }
}

#[tokio::test]
async fn jobs_of_all_projects_are_ordered_and_acted_on_at_once() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        let (mut projects, mut ids) = (Vec::new(), Vec::new());
        for name in ["Moths", "Flies"] {
            let project = app.project(name, false).await;
            let new = NewJob {
                name: format!("Fill {name}"),
                project_id: project.id,
                kind: domain::job::POPULATE,
                ..Default::default()
            };
            ids.push(app.store.create_job(new).await.unwrap().id);
            projects.push(project);
        }
        let keeper = Visitor::superuser(&app).await;
        let newest = keeper.get("/server/jobs").await;
        newest.has(&["aria-sort=\"descending\"", "href=\"?ordering=created_at\""]);
        let oldest = keeper.get("/server/jobs?ordering=created_at").await;
        oldest.has(&["aria-sort=\"ascending\"", "Cancel the selected jobs"]);
        let first = |text: &str| text.find("Fill Moths") < text.find("Fill Flies");
        assert!(first(&oldest.text) && !first(&newest.text));
        let unknown = keeper.get("/server/jobs?ordering=name").await;
        assert!(!first(&unknown.text), "no index gives names in order");

        let [a, b] = [ids[0], ids[1]].map(|id| id.to_string());
        let form = [
            ("action", "cancel"),
            ("ids", a.as_str()),
            ("ids", b.as_str()),
            ("back", "ordering=created_at"),
        ];
        let manager = Visitor::member(&app, &projects[0], Role::ProjectManager).await;
        let bulk = "/server/jobs/bulk";
        assert_eq!(manager.post(bulk, &form).await.status, 404);
        let done = keeper.post(bulk, &form).await;
        done.done("2 cancelled.");
        let back = done.on_to.unwrap();
        assert!(back.ends_with("/server/jobs?ordering=created_at"), "{back}");
        for id in ids {
            assert!(app.store.job(id).await.unwrap().job_state().is_final());
        }
    }
}

#[tokio::test]
async fn users_are_found_added_and_locked_out() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        let keeper = Visitor::superuser(&app).await;
        let here = "/server/users";
        let form = [
            ("email", "ann@example.org"),
            ("name", "Ann"),
            ("password", "short"),
        ];
        let page = keeper.post(here, &form).await;
        page.has(&[
            "This password is too short",
            "ann@example.org",
            "menu\" open",
        ]);
        page.lacks(&["value=\"short\""]);
        let form = [
            ("email", "ann@example.org"),
            ("name", "Ann"),
            ("password", "moths at night"),
        ];
        keeper
            .post(here, &form)
            .await
            .done("ann@example.org may sign in now.");
        keeper.post(here, &form).await.has(&["already exists"]);
        keeper
            .get("/server/users?search=ANN")
            .await
            .has(&["Ann", "never signed in", "1–1 of 1"]);
        keeper
            .get("/server/users?search=nobody")
            .await
            .has(&["Nobody with these words."]);
        let ann = app
            .store
            .user_by_email("ann@example.org")
            .await
            .unwrap()
            .unwrap();
        let one = format!("{here}/{}", ann.id);
        let token = app.store.create_token(ann.id, "laptop").await.unwrap();
        let hers = app.with_token(&token);
        assert_eq!(hers.get("/api/v2/users/me/").await.status, 200);
        keeper
            .post(&format!("{one}/lock"), &[])
            .await
            .done("is locked out");
        assert_eq!(hers.get("/api/v2/users/me/").await.status, 401);
        keeper
            .get(here)
            .await
            .has(&["locked out", "Let ann@example.org in again"]);
        keeper
            .post(&format!("{one}/unlock"), &[])
            .await
            .done("may sign in again");
        let own = app
            .store
            .user_by_email("super@example.org")
            .await
            .unwrap()
            .unwrap();
        let mine = format!("{here}/{}/demote", own.id);
        keeper
            .post(&mine, &[])
            .await
            .done("This is the last superuser who may sign in.");
        keeper
            .post(&format!("{one}/promote"), &[])
            .await
            .done("is a superuser now");
        assert_eq!(hers.get("/server").await.status, 200);
        keeper
            .post(&mine, &[])
            .await
            .done("is no superuser any more.");
        assert_eq!(keeper.get("/server").await.status, 404);
        assert_eq!(hers.get("/server/users").await.status, 200);
    }
}
