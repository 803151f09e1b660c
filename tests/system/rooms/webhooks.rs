//! Whom a project tells, on its people's page: a manager adds, tries out, reads the log, has
//! something sent again, changes and removes; others are shown nothing of it.

use domain::permission::{Permit, Role};
use store::job::NewJob;
use store::project::Project;
use store::testing;
use store::webhook::{Delivery, Webhook, WebhookFilter};
use telling::Mailer;
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::Visitor;
use crate::app::TestApp;

/// A program that takes whatever it is told.
async fn receiver() -> MockServer {
    // Not one that is lent again, and goes on answering, when this one is dropped.
    let server = MockServer::builder().start().await;
    Mock::given(any())
        .respond_with(ResponseTemplate::new(204))
        .mount(&server)
        .await;
    server
}

/// A form as a browser sends it, with these fields besides.
fn form<'a>(target: &'a str, more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let usual = [
        ("name", "Lab"),
        ("target", target),
        ("no_worker_minutes", "30"),
        ("secret", ""),
    ];
    usual.into_iter().chain(more.iter().copied()).collect()
}

/// Switched on, for the ends of jobs.
const ENDS: &[(&str, &str)] = &[("events", "job.ended"), ("enabled", "on")];

async fn only(app: &TestApp, project: &Project) -> Webhook {
    let filter = WebhookFilter {
        project_id: Some(project.id),
        ..Default::default()
    };
    let (mut rows, count) = app.store.webhooks(&filter, 10, 0).await.unwrap();
    assert_eq!(count, 1);
    rows.remove(0)
}

async fn newest(app: &TestApp, webhook: i64) -> Delivery {
    let (mut rows, _) = app.store.deliveries(webhook, 1, 0).await.unwrap();
    rows.remove(0)
}

/// A job that was cancelled: an end to be told.
async fn cancelled(app: &TestApp, project: &Project) -> i64 {
    let new = NewJob {
        name: "Fill <all>".to_owned(),
        project_id: project.id,
        kind: domain::job::POPULATE,
        start_now: true,
        ..Default::default()
    };
    let job = app.store.create_job(new).await.unwrap().id;
    app.store.cancel_job(Permit::BY_PROGRAM, job).await.unwrap();
    job
}

#[tokio::test]
async fn a_manager_adds_tries_out_changes_and_removes() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        let project = app.project("Moths", false).await;
        let manager = Visitor::member(&app, &project, Role::ProjectManager).await;
        let people = format!("/projects/{}/people", project.id);
        let here = format!("{people}/webhooks");
        let new = format!("{here}/new");
        manager
            .get(&people)
            .await
            .has(&["Telling people", "Nobody is told yet.", &new]);
        let page = manager.get(&new).await;
        page.has(&["What is told", "Where the field is empty, one is made."]);
        page.lacks(&["name=\"kind\"", "Send a test", "Deliveries"]);

        let wrong = form("moths.example", &[("secret", "short"), ("enabled", "on")]);
        let page = manager.post(&new, &wrong).await;
        assert_eq!(page.status, 200);
        page.has(&[
            "Enter a valid URL.",
            "at least 16 characters",
            "This list may not be empty.",
            "value=\"moths.example\"",
        ]);
        page.lacks(&["value=\"short\""]);
        let mail = form("projectmanager@example.org", &[("kind", "email")]);
        manager
            .post(&new, &mail)
            .await
            .has(&["This server sends no e-mail."]);

        let receiver = receiver().await;
        let target = receiver.uri();
        let made = manager.post(&new, &form(&target, ENDS)).await;
        assert_eq!(made.status, 200, "{}", made.text);
        made.has(&["shown this once", "Nothing was told yet."]);
        let (_, rest) = made.text.split_once("id=\"fresh\">").unwrap();
        let secret = rest.split('<').next().unwrap().to_owned();
        assert_eq!(secret.len(), 64);
        let id = only(&app, &project).await.id;
        let one = format!("{here}/{id}");
        made.has(&[&format!("action=\"{one}\"")]);
        let page = manager.get(&one).await;
        page.has(&["Lab", target.as_str(), "Send a test", "value=\"30\""]);
        page.lacks(&[secret.as_str()]);

        manager
            .post(&format!("{one}/test"), &[])
            .await
            .done("The test was delivered: the receiver answered 204.");
        let got = receiver.received_requests().await.unwrap();
        assert_eq!(got.len(), 1);
        assert_eq!(got[0].headers["x-hawkmoth-event"], "test");
        let test = newest(&app, id).await.id;
        let again = format!("Send delivery {test} again");
        manager
            .get(&one)
            .await
            .has(&["Test", "delivered", "204", again.as_str()]);
        let page = manager.get(&people).await;
        page.has(&["Lab", target.as_str(), "jobs that ended", "delivered", &one]);
        page.lacks(&["Nobody is told yet."]);

        // One with a secret of the person's own shows none.
        let own = [ENDS, &[("secret", "a secret of my own")]].concat();
        let added = manager.post(&new, &form(&target, &own)).await;
        added.done("Lab was added. Send a test");
        let (rows, _) = app
            .store
            .webhooks(&WebhookFilter::default(), 10, 0)
            .await
            .unwrap();
        let other = rows.iter().map(|row| row.id).max().unwrap();
        let other = format!("{here}/{other}");
        assert_eq!(added.on_to.as_deref(), Some(other.as_str()));
        let nobody = form("http://127.0.0.1:1/", ENDS);
        manager.post(&other, &nobody).await.done("Lab was changed.");
        manager
            .post(&format!("{other}/test"), &[])
            .await
            .done("The test was not delivered. The receiver cannot be reached");
        manager
            .get(&other)
            .await
            .has(&["given up", "cannot be reached"]);
        let gone = manager.post(&format!("{other}/remove"), &[]).await;
        gone.done("Lab was removed with its log.");
        assert_eq!(gone.on_to.as_deref(), Some(people.as_str()));
        assert_eq!(manager.get(&other).await.status, 404);
    }
}

#[tokio::test]
async fn the_log_tells_how_each_delivery_stands() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        let project = app.project("Moths", false).await;
        let manager = Visitor::member(&app, &project, Role::ProjectManager).await;
        let here = format!("/projects/{}/people/webhooks", project.id);
        let receiver = receiver().await;
        let target = receiver.uri();
        let both = [ENDS, &[("events", "job.no_worker")]].concat();
        manager
            .post(&format!("{here}/new"), &form(&target, &both))
            .await
            .has(&["shown this once"]);
        let hook = only(&app, &project).await;
        let one = format!("{here}/{}", hook.id);
        let job = cancelled(&app, &project).await;
        let delivery = newest(&app, hook.id).await.id;
        let page = manager.get(&one).await;
        page.has(&[
            "Job ended: cancelled",
            &format!("/projects/{}/jobs/{job}\"", project.id),
            "Fill &#60;all&#62;",
            "waiting",
            "within a minute",
        ]);
        page.lacks(&["Send delivery"]);
        let again = format!("{one}/deliveries/{delivery}/again");
        manager
            .post(&again, &[])
            .await
            .done("It is still being tried.");

        // Nobody sends here; switched off, it is given up, and on again it can be sent once more.
        let off = form(&target, &[("events", "job.ended"), ("only_failures", "on")]);
        manager
            .post(&one, &off)
            .await
            .done("Lab was changed. It is switched off");
        let page = manager.get(&one).await;
        page.has(&["given up", "The webhook was switched off."]);
        page.lacks(&["Send delivery"]);
        manager
            .post(&again, &[])
            .await
            .done("The webhook is switched off.");
        manager
            .get(&format!("/projects/{}/people", project.id))
            .await
            .has(&["jobs that failed", "off"]);
        let on = form(&target, ENDS);
        manager.post(&one, &on).await.done("Lab was changed.");
        let button = format!("Send delivery {delivery} again");
        manager.get(&one).await.has(&[button.as_str()]);
        manager.post(&again, &[]).await.done("It is sent again");
        app.work();
        while receiver.received_requests().await.unwrap().is_empty() {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        let missing = format!("{one}/deliveries/{}/again", delivery + 1000);
        assert_eq!(manager.post(&missing, &[]).await.status, 404);

        for _ in 0..51 {
            let begun = app.store.begin_test(Permit::BY_PROGRAM, &hook).await;
            begun.unwrap();
        }
        manager
            .get(&one)
            .await
            .has(&["1–50 of 52", "?page=2", "being tried"]);
        let last = manager.get(&format!("{one}?page=2")).await;
        last.has(&["51–52 of 52", "Job ended: cancelled"]);
    }
}

#[tokio::test]
async fn letters_are_offered_where_the_server_sends_them() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    for fresh in testing::fresh().await {
        let mailer = Mailer::new("smtp://127.0.0.1:1", "Hawkmoth <hawkmoth@moths.example>");
        let app = TestApp::start_mailing(&fresh, Some(mailer.unwrap()), |state| state).await;
        let project = app.project("Moths", false).await;
        let manager = Visitor::member(&app, &project, Role::ProjectManager).await;
        let people = format!("/projects/{}/people", project.id);
        let new = format!("{people}/webhooks/new");
        manager
            .get(&people)
            .await
            .has(&["Add a webhook or an e-mail"]);
        manager.get(&new).await.has(&["name=\"kind\""]);
        let letter = [ENDS, &[("kind", "email")]].concat();
        let page = manager
            .post(&new, &form("nobody@example.org", &letter))
            .await;
        page.has(&[
            "Nobody of this project has this address",
            "value=\"email\" selected",
        ]);
        manager
            .post(&new, &form("projectmanager@example.org", &letter))
            .await
            .done("Lab was added.");
        let one = only(&app, &project).await.id;
        let one = format!("{people}/webhooks/{one}");
        let page = manager.get(&one).await;
        page.has(&["E-mail", "projectmanager@example.org"]);
        page.lacks(&["name=\"secret\"", "name=\"kind\""]);
        manager
            .post(&format!("{one}/test"), &[])
            .await
            .done("The test was not delivered. The mail server did not take it");
        let form = form("nobody@example.org", ENDS);
        let page = manager.post(&one, &form).await;
        page.has(&["Nobody of this project has this address"]);
    }
}

#[tokio::test]
async fn others_are_shown_nothing_of_it() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        let project = app.project("Moths", false).await;
        let other = app.project("Butterflies", false).await;
        let manager = Visitor::member(&app, &project, Role::ProjectManager).await;
        let people = format!("/projects/{}/people", project.id);
        let new = format!("{people}/webhooks/new");
        let good = form("http://127.0.0.1:1/", ENDS);
        assert_eq!(manager.post(&new, &good).await.status, 200);
        let hook = only(&app, &project).await;
        let test = app.store.begin_test(Permit::BY_PROGRAM, &hook).await;
        let delivery = test.unwrap().id;
        let one = format!("{people}/webhooks/{}", hook.id);

        let member = Visitor::member(&app, &project, Role::MlDataManager).await;
        let page = member.get(&people).await;
        assert_eq!(page.status, 200);
        page.lacks(&["Telling people", "127.0.0.1:1"]);
        let stranger = Visitor::member(&app, &other, Role::Identifier).await;
        let nobody = Visitor::nobody(&app);
        for (who, status) in [(&member, 403), (&stranger, 403), (&nobody, 401)] {
            for path in [&new, &one] {
                assert_eq!(who.get(path).await.status, status, "{path}");
                assert_eq!(who.post(path, &good).await.status, status, "{path}");
            }
            for deed in [
                "test".to_owned(),
                "remove".to_owned(),
                format!("deliveries/{delivery}/again"),
            ] {
                let path = format!("{one}/{deed}");
                assert_eq!(who.post(&path, &[]).await.status, status, "{path}");
            }
        }
        assert_eq!(only(&app, &project).await, hook, "nothing has changed");

        // Under another project's address it is not there, also for who may see both.
        let keeper = Visitor::superuser(&app).await;
        let elsewhere = format!("/projects/{}/people/webhooks/{}", other.id, hook.id);
        assert_eq!(keeper.get(&one).await.status, 200);
        assert_eq!(keeper.get(&elsewhere).await.status, 404);
        for deed in [
            "test".to_owned(),
            "remove".to_owned(),
            format!("deliveries/{delivery}/again"),
        ] {
            let path = format!("{elsewhere}/{deed}");
            assert_eq!(keeper.post(&path, &[]).await.status, 404, "{path}");
        }
        let unknown = format!("{one}/nothing");
        assert_eq!(keeper.post(&unknown, &[]).await.status, 404);
        let draft = app.project("Draft", true).await;
        let hidden = format!("/projects/{}/people/webhooks/new", draft.id);
        assert_eq!(nobody.get(&hidden).await.status, 404);
    }
}
