//! Processing: services, pipelines, workers, the queue.

use domain::permission::Role;
use serde_json::json;
use store::testing;
use wiremock::matchers::path;
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::Visitor;
use crate::app::TestApp;
use crate::pull::Farm;

/// A service that says that it is ready for a pipeline.
async fn ready() -> MockServer {
    // Not one that is lent again, and goes on answering, when this one is dropped.
    let service = MockServer::builder().start().await;
    let body = json!({"status": true});
    Mock::given(path("/readyz"))
        .respond_with(ResponseTemplate::new(200).set_body_json(body))
        .mount(&service)
        .await;
    service
}

#[tokio::test]
async fn services_are_kept_by_those_who_may() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        let project = app.project("Moths", false).await;
        let here = format!("/projects/{}/processing", project.id);
        let nobody = Visitor::nobody(&app);
        let page = nobody.get(&here).await;
        page.has(&["No service works for this project yet", "No pipeline yet"]);
        page.lacks(&["Add a service", "Check now", "<form method=\"post\""]);
        let manager = Visitor::member(&app, &project, Role::ProjectManager).await;
        manager.get(&here).await.lacks(&["Add a service"]);
        let form = [("name", "Mine"), ("endpoint_url", "")];
        let refused = manager.post(&format!("{here}/services"), &form).await;
        assert_eq!(refused.status, 403);

        let keeper = Visitor::superuser(&app).await;
        keeper.get(&here).await.has(&["Add a service"]);
        let long = "x".repeat(256);
        let wrong = [
            ("name", long.as_str()),
            ("endpoint_url", "http://127.0.0.1:9/"),
        ];
        let page = keeper.post(&format!("{here}/services"), &wrong).await;
        assert_eq!(page.status, 200);
        page.has(&[
            "no more than 255 characters",
            "http://127.0.0.1:9/",
            "details class=\"menu\" open",
        ]);

        let service = ready().await;
        let form = [
            ("name", "Fast"),
            ("endpoint_url", &service.uri()),
            ("description", "of the test"),
        ];
        let made = keeper.post(&format!("{here}/services"), &form).await;
        made.done("Service Fast was added. It answered in");
        let page = keeper.get(&here).await;
        page.has(&[
            "Fast",
            "of the test",
            "online",
            "Answered at the one look of the last 7 days.",
        ]);
        page.has(&["<svg class=\"history\"", "Register pipelines", "Check now"]);
        nobody.get(&here).await.lacks(&["Check now"]);

        let (rows, _) = app
            .store
            .services_page(&Default::default(), 10, 0)
            .await
            .unwrap();
        let one = format!("{here}/services/{}", rows[0].id);
        drop(service);
        manager
            .post(&format!("{one}/check"), &[])
            .await
            .done("It did not say that it is ready");
        keeper
            .get(&here)
            .await
            .has(&["offline", "Answered at 1 of 2 looks"]);
        keeper
            .post(&format!("{one}/register"), &[])
            .await
            .done("does not say what it offers");
        assert_eq!(manager.get(&one).await.status, 403);
        keeper
            .get(&one)
            .await
            .has(&["value=\"Fast\"", "Remove the service"]);
        let page = keeper.post(&one, &[("name", "")]).await;
        page.has(&["class=\"wrong\""]);
        let form = [("name", "Slow"), ("endpoint_url", "http://127.0.0.1:9/")];
        keeper
            .post(&one, &form)
            .await
            .done("Service Slow was changed.");
        assert_eq!(
            manager.post(&format!("{one}/remove"), &[]).await.status,
            403
        );
        keeper
            .post(&format!("{one}/remove"), &[])
            .await
            .done("Service Slow was removed.");
        keeper.get(&here).await.lacks(&["Slow"]);
        assert_eq!(keeper.post(&format!("{one}/sing"), &[]).await.status, 404);
        let hidden = app.project("Draft", true).await;
        let draft = format!("/projects/{}/processing", hidden.id);
        assert_eq!(manager.get(&draft).await.status, 404);
    }
}

#[tokio::test]
async fn pipelines_are_offered_and_set() {
    for fresh in testing::fresh().await {
        let farm = Farm::idle(&fresh, 1).await;
        let app = &farm.app;
        let here = format!("/projects/{}/processing", farm.project.id);
        let basic = Visitor::member(app, &farm.project, Role::BasicMember).await;
        let page = basic.get(&here).await;
        page.has(&["Pipeline test", "offered", "300 s"]);
        page.lacks(&["Stop offering", "Settings"]);
        let one = format!("{here}/pipelines/{}", farm.pipeline);
        assert_eq!(basic.get(&one).await.status, 403);
        assert_eq!(basic.post(&format!("{one}/disable"), &[]).await.status, 403);

        let manager = Visitor::member(app, &farm.project, Role::ProjectManager).await;
        manager.get(&here).await.has(&["Stop offering", "Settings"]);
        manager
            .post(&format!("{one}/disable"), &[])
            .await
            .done("not offered for new jobs any more");
        manager
            .get(&here)
            .await
            .has(&["not offered", "Offer Pipeline test"]);
        manager
            .post(&format!("{one}/enable"), &[])
            .await
            .done("is offered for new jobs");
        for (form, words) in [
            (("config", "{"), "This is not JSON"),
            (("config", "[1]"), "Settings are a JSON object"),
            (("lease_seconds", "soon"), "whole number from 1 to 86400"),
            (("max_deliveries", "0"), "whole number from 1 to 100"),
        ] {
            let page = manager.post(&one, &[form]).await;
            assert_eq!(page.status, 200);
            page.has(&[words]);
        }
        let form = [
            ("lease_seconds", "45"),
            ("max_deliveries", ""),
            ("config", "{\"batch_size\": 4}"),
        ];
        manager
            .post(&one, &form)
            .await
            .done("The settings of Pipeline test were kept.");
        manager.get(&here).await.has(&["45 s", "batch_size"]);
        manager.get(&one).await.has(&["value=\"45\"", "batch_size"]);
        let row = app.store.pipeline(farm.pipeline).await.unwrap();
        let config = app
            .store
            .pipeline_config(farm.project.id, &row)
            .await
            .unwrap();
        assert_eq!(
            serde_json::Value::Object(config),
            json!({"batch_size": 4, "lease_seconds": 45})
        );
    }
}

#[tokio::test]
async fn the_queue_is_paused_and_goes_on() {
    for fresh in testing::fresh().await {
        let farm = Farm::new(&fresh, 3).await;
        let app = &farm.app;
        let job = farm.job(None).await;
        let here = format!("/projects/{}/processing", farm.project.id);
        let basic = Visitor::member(app, &farm.project, Role::BasicMember).await;
        let page = basic.get(&here).await;
        page.has(&[
            &format!("/jobs/{job}\""),
            "With workers",
            "<td data-name=\"Waiting\" class=\"number\">3</td>",
        ]);
        page.lacks(&["Pause all"]);
        let form = [("job", job.to_string())];
        let form = [("job", form[0].1.as_str())];
        let refused = basic.post(&format!("{here}/queue/pause"), &form).await;
        assert_eq!(refused.status, 403);

        let worker = farm.worker().await;
        let tasks = async || {
            let path = format!("/api/v2/jobs/{job}/tasks/");
            let answer = worker.post(&path, json!({"batch_size": 1})).await;
            answer.json()["tasks"].as_array().unwrap().len()
        };
        assert_eq!(tasks().await, 1);
        let manager = Visitor::member(app, &farm.project, Role::ProjectManager).await;
        let page = manager.get(&here).await;
        page.has(&[
            "Pause all",
            "worker@example.org",
            "online",
            "<td data-name=\"Waiting\" class=\"number\">2</td>",
        ]);
        let paused = manager.post(&format!("{here}/queue/pause"), &form).await;
        paused.done("is paused: no image is handed out until somebody resumes it");
        assert_eq!(tasks().await, 0);
        manager
            .get(&here)
            .await
            .has(&[", paused", "Resume all", &format!("Resume job {job}")]);
        let log = app.store.job_log(job, 10).await.unwrap();
        assert!(
            log.iter()
                .any(|line| line.message.starts_with("Paused by Test:"))
        );
        manager
            .post(&format!("{here}/queue/resume"), &[])
            .await
            .done("handed out again");
        assert_eq!(tasks().await, 1);
        manager
            .post(&format!("{here}/queue/pause"), &[])
            .await
            .done("is paused");
        assert_eq!(tasks().await, 0);
        let path = format!("/api/v2/jobs/{job}/cancel/");
        let admin = app.superuser().await;
        assert_eq!(admin.post(&path, json!({})).await.status, 200);
        app.ended(job).await;
        manager
            .get(&here)
            .await
            .has(&["Nothing runs and nothing waits."]);
        // What has ended meanwhile is said, and nothing breaks.
        let late = manager.post(&format!("{here}/queue/pause"), &form).await;
        late.done("cannot be paused");
    }
}
