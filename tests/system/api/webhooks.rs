//! `/api/v2/webhooks/`: made, refused with all messages, tried out, told of real jobs with a
//! signature that a receiver can check, logged, sent again; and letters, where there is a mail server.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use domain::permission::Role;
use reqwest::Method;
use serde_json::{Value, json};
use store::project::Project;
use store::testing;
use telling::testing::MailServer;
use telling::{Mailer, signature};
use tokio::net::TcpListener;

use crate::app::{Client, TestApp};

const PATH: &str = "/api/v2/webhooks/";

/// Who is told, and answers with what it is set to.
#[derive(Clone)]
struct Receiver {
    url: String,
    heard: Arc<Mutex<Vec<(HeaderMap, String)>>>,
    answers: Arc<Mutex<StatusCode>>,
}

async fn hear(State(me): State<Receiver>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let body = String::from_utf8(body.to_vec()).unwrap();
    me.heard.lock().unwrap().push((headers, body));
    *me.answers.lock().unwrap()
}

impl Receiver {
    async fn start() -> Receiver {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let me = Receiver {
            url: format!("http://{}/hook", listener.local_addr().unwrap()),
            heard: Arc::default(),
            answers: Arc::new(Mutex::new(StatusCode::NO_CONTENT)),
        };
        let router = Router::new()
            .route("/hook", post(hear))
            .with_state(me.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        me
    }

    fn answer(&self, status: StatusCode) {
        *self.answers.lock().unwrap() = status;
    }

    /// What came, with its signature checked.
    fn told(&self, secret: &str) -> Vec<Value> {
        let heard = self.heard.lock().unwrap();
        let checked = heard.iter().map(|(headers, body)| {
            let header = |name: &str| headers[name].to_str().unwrap();
            let time: i64 = header("x-hawkmoth-timestamp").parse().unwrap();
            let signed = signature(secret, time, body);
            assert_eq!(header("x-hawkmoth-signature"), signed);
            let told: Value = serde_json::from_str(body).unwrap();
            assert_eq!(told["event"], header("x-hawkmoth-event"));
            assert_eq!(told["delivery"], header("x-hawkmoth-delivery"));
            told
        });
        checked.collect()
    }
}

async fn make(client: &Client<'_>, body: Value) -> Value {
    let made = client.post(PATH, body).await;
    assert_eq!(made.status, 201, "{}", made.text);
    made.json()
}

/// A job that a runner ends.
async fn run(app: &TestApp, client: &Client<'_>, project: &Project) -> Value {
    let station = app.station(project).await.id;
    let job = json!({
        "name": "Sessions", "job_type_key": "regroup_events", "delay": 0,
        "project_id": project.id, "deployment_id": station,
    });
    let job = client.post("/api/v2/jobs/?start_now=true", job).await;
    assert_eq!(job.status, 201, "{}", job.text);
    let job = job.json();
    app.ended(job["id"].as_i64().unwrap()).await;
    job
}

/// The only delivery, when it stands so.
async fn until(client: &Client<'_>, one: &str, state: &str) -> Value {
    for _ in 0..6000 {
        let log = client.get(&format!("{one}deliveries/")).await.json();
        if log["results"][0]["state"] == state {
            return log["results"][0].clone();
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let log = client.get(&format!("{one}deliveries/")).await;
    panic!("never {state}: {}", log.text);
}

#[tokio::test]
async fn the_end_of_a_job_is_told_signed_and_logged() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        let project = app.project("Moths", false).await;
        let me = app.member(&project, Some(Role::ProjectManager)).await;
        let receiver = Receiver::start().await;
        let new = json!({"name": "Lab", "project": project.id, "target": receiver.url});
        let made = make(&me, new).await;
        let secret = made["secret"].as_str().unwrap().to_owned();
        assert_eq!(secret.len(), 64);
        assert_eq!(
            made["user_permissions"],
            json!(["test", "update", "delete"])
        );
        let one = format!("{PATH}{}/", made["id"]);
        let shown = me.get(&one).await;
        assert!(!shown.text.contains("secret"), "{}", shown.text);
        let row = store::Store::webhook(&app.store, made["id"].as_i64().unwrap()).await;
        assert!(!row.unwrap().secret.contains(&secret), "it is sealed");
        let shown = shown.json();
        assert_eq!(
            (
                &shown["kind"],
                &shown["events"],
                &shown["no_worker_minutes"]
            ),
            (&json!("webhook"), &json!(["job.ended"]), &json!(30))
        );
        assert_eq!(shown["last_delivery"], json!(null));

        app.work();
        let job = run(&app, &me, &project).await;
        let delivery = until(&me, &one, "delivered").await;
        let told = receiver.told(&secret);
        assert_eq!(told.len(), 1);
        assert_eq!(told[0]["job"]["id"], job["id"]);
        assert_eq!(told[0]["job"]["status"], "SUCCESS");
        let page = told[0]["job"]["url"].as_str().unwrap();
        assert_eq!(me.get(page).await.status, 200, "{page}");
        assert_eq!(delivery["body"], told[0]);
        assert_eq!(
            (
                &delivery["attempts"],
                &delivery["response_status"],
                &delivery["job"]
            ),
            (&json!(1), &json!(204), &job["id"])
        );
        let row = me.get(PATH).await.json()["results"][0].clone();
        assert_eq!(row["last_delivery"], delivery);

        // Once more, by hand: the same, and known by its key.
        let again = format!("{one}deliveries/{}/redeliver/", delivery["id"]);
        let sent = me.post(&again, json!({})).await;
        assert_eq!(
            (sent.status.as_u16(), &sent.json()["state"]),
            (200, &json!("waiting"))
        );
        while receiver.told(&secret).len() < 2 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let told = receiver.told(&secret);
        assert_eq!(told[0], told[1]);
    }
}

#[tokio::test]
async fn a_test_is_sent_at_once_and_what_fails_is_said() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        let project = app.project("Moths", false).await;
        let me = app.member(&project, Some(Role::ProjectManager)).await;
        let receiver = Receiver::start().await;
        let secret = "a secret of my own";
        let new = json!({
            "name": "Lab", "project": project.id, "target": receiver.url, "secret": secret,
        });
        let made = make(&me, new).await;
        assert!(made.get("secret").is_none(), "{made}");
        let one = format!("{PATH}{}/", made["id"]);
        let test = format!("{one}test/");
        let sent = me.post(&test, json!({})).await.json();
        assert_eq!(
            (&sent["event"], &sent["state"]),
            (&json!("test"), &json!("delivered"))
        );
        assert_eq!(receiver.told(secret)[0], sent["body"]);
        assert_eq!(sent["body"]["job"], json!(null));
        receiver.answer(StatusCode::INTERNAL_SERVER_ERROR);
        let sent = me.post(&test, json!({})).await.json();
        assert_eq!(
            (&sent["state"], &sent["response_status"]),
            (&json!("failed"), &json!(500))
        );
        let reason = sent["reason"].as_str().unwrap();
        assert!(reason.starts_with("The receiver answered 500"), "{reason}");
        // A job's end is tried again later.
        app.work();
        run(&app, &me, &project).await;
        let waits = loop {
            let waits = until(&me, &one, "waiting").await;
            if waits["response_status"] == 500 {
                break waits;
            }
        };
        assert!(waits["next_try_at"].is_string());
        let again = format!("{one}deliveries/{}/redeliver/", waits["id"]);
        let busy = me.post(&again, json!({})).await;
        assert_eq!(
            (
                busy.status.as_u16(),
                busy.text.contains("still being tried")
            ),
            (409, true)
        );
        // Switched off, it is given up, and nothing more is told.
        let off = me.patch(&one, json!({"enabled": false})).await;
        assert_eq!(off.json()["enabled"], false);
        let failed = until(&me, &one, "failed").await;
        assert_eq!(failed["reason"], "The webhook was switched off.");
        run(&app, &me, &project).await;
        assert_eq!(
            me.get(&format!("{one}deliveries/")).await.json()["count"],
            3
        );
        assert_eq!(me.send(Method::DELETE, &one, None).await.status, 204);
        assert_eq!(me.get(&one).await.status, 404);
    }
}

#[tokio::test]
async fn what_could_never_be_delivered_is_refused_at_its_field() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        let project = app.project("Moths", false).await;
        let me = app.member(&project, Some(Role::ProjectManager)).await;
        let good = json!({
            "name": "Lab", "project": project.id, "target": "http://127.0.0.1:9/",
            "events": ["job.no_worker", "job.no_worker"], "no_worker_minutes": 5,
        });
        for (field, value, words) in [
            ("target", json!("moths.example"), "Enter a valid URL."),
            (
                "target",
                json!("http://169.254.169.254/"),
                "This server sends no requests to",
            ),
            ("events", json!(["test"]), "is not a valid choice."),
            ("events", json!([]), "may not be empty."),
            ("no_worker_minutes", json!(0), "greater than or equal to 1"),
            ("secret", json!("short"), "at least 16 characters"),
            ("kind", json!("fax"), "is not a valid choice."),
            ("kind", json!("email"), "This server sends no e-mail."),
            ("project", json!(9999), "does not exist"),
            ("name", json!(""), "may not be blank"),
        ] {
            let mut body = good.clone();
            body[field] = value;
            let refused = me.post(PATH, body).await;
            assert_eq!(refused.status, 400, "{field}: {}", refused.text);
            let said = refused.json()[field][0]
                .as_str()
                .unwrap_or_default()
                .to_owned();
            assert!(said.contains(words), "{field}: {}", refused.text);
        }
        let made = make(&me, good).await;
        assert_eq!(made["events"], json!(["job.no_worker"]));
        let one = format!("{PATH}{}/", made["id"]);
        for (field, value) in [
            ("kind", json!("email")),
            ("project", json!(project.id + 1)),
            ("target", json!("x")),
            ("events", json!(["x"])),
        ] {
            let refused = me.patch(&one, json!({field: value})).await;
            assert_eq!(refused.status, 400, "{field}: {}", refused.text);
            assert!(refused.json()[field].is_array(), "{}", refused.text);
        }
        let changed = me.patch(&one, json!({"only_failures": true})).await.json();
        assert_eq!(
            (&changed["only_failures"], &changed["events"]),
            (&json!(true), &made["events"])
        );
        // To others than managers it is not shown, and theirs is not for others.
        let reader = app.member(&project, Some(Role::MlDataManager)).await;
        assert_eq!(reader.get(PATH).await.json()["count"], 0);
        assert_eq!(reader.get(&one).await.status, 403);
        assert_eq!(
            me.get(&format!("{PATH}?project_id={}", project.id))
                .await
                .json()["count"],
            1
        );
    }
}

#[tokio::test]
async fn members_and_those_who_forgot_their_password_get_letters() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    for fresh in testing::fresh().await {
        let server = MailServer::start().await;
        let mailer = Mailer::new(&server.url, "Hawkmoth <hawkmoth@moths.example>").unwrap();
        let app = TestApp::start_mailing(&fresh, Some(mailer), |state| state).await;
        let project = app.project("Moths", false).await;
        let me = app.member(&project, Some(Role::ProjectManager)).await;
        app.member(&project, None).await;
        let new =
            |to: &str| json!({"name": "Me", "project": project.id, "kind": "email", "target": to});
        let refused = me.post(PATH, new("nobody@example.org")).await;
        assert_eq!(refused.status, 400, "{}", refused.text);
        let said = refused.json()["target"][0].as_str().unwrap().to_owned();
        assert!(said.starts_with("Nobody of this project"), "{said}");
        let signed = json!({"name": "Me", "project": project.id, "kind": "email",
            "target": "projectmanager@example.org", "secret": "a secret of my own"});
        assert!(me.post(PATH, signed).await.json()["secret"].is_array());
        let made = make(&me, new("projectmanager@example.org")).await;
        assert!(made.get("secret").is_none());
        let one = format!("{PATH}{}/", made["id"]);
        let sent = me.post(&format!("{one}test/"), json!({})).await.json();
        assert_eq!(sent["state"], "delivered", "{sent}");
        assert_eq!(sent["body"]["subject"], "[Moths] A test");
        app.work();
        let job = run(&app, &me, &project).await;
        until(&me, &one, "delivered").await;
        let page = format!("{}/projects/{}/jobs/{}", app.url, project.id, job["id"]);
        let text = server.heard();
        for words in [
            "RCPT TO:<projectmanager@example.org>",
            "has succeeded",
            page.as_str(),
        ] {
            assert!(text.contains(words), "{words}: {text}");
        }
        server.forget();
        let ask = json!({"email": "projectmanager@example.org"});
        let asked = app
            .anonymous()
            .post("/api/v2/users/reset_password/", ask)
            .await;
        assert_eq!(asked.status, 204);
        while !server.heard().contains("QUIT") && !server.heard().contains("\n.\n") {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let text = server.heard();
        // Long lines are broken on the way.
        let whole = text.replace("=\n", "");
        assert!(
            whole.contains("/auth/reset-password-confirm?uid="),
            "{text}"
        );
        assert!(
            whole.contains("RCPT TO:<projectmanager@example.org>"),
            "{text}"
        );
    }
}
