//! One's own account: tokens, e-mail address, picture, and a password that was forgotten.

use std::io::Cursor;
use std::sync::{Arc, Mutex};

use reqwest::Method;
use serde_json::{Value, json};
use store::testing;

use crate::app::TestApp;

const LOGIN: &str = "/api/v2/auth/token/login/";

#[tokio::test]
async fn tokens_are_listed_and_ended_one_by_one() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        let project = app.project("Moths", false).await;
        let path = "/api/v2/users/me/tokens/";
        assert_eq!(app.anonymous().get(path).await.status, 401);
        let me = app.member(&project, None).await;
        let other = app.superuser().await;
        let nameless = me.post(path, json!({})).await;
        assert_eq!(
            nameless.json(),
            json!({"name": ["This field is required."]})
        );
        let made = me.post(path, json!({"name": "trap 7"})).await;
        assert_eq!(made.status, 201);
        let made = made.json();
        let text = made["token"].as_str().unwrap().to_owned();
        let worker = app.with_token(&text);
        assert_eq!(worker.get("/api/v2/users/me/").await.status, 200);

        let list = me.get(path).await;
        assert!(!list.text.contains(&text));
        let list = list.json();
        assert_eq!(list["count"], 2);
        let keys: Vec<&String> = list["results"][0].as_object().unwrap().keys().collect();
        assert_eq!(
            keys,
            ["id", "name", "project", "created_at", "last_used_at"]
        );
        assert_eq!(list["results"][0]["name"], "trap 7");
        assert!(list["results"][0]["last_used_at"].is_string());

        let one = format!("{path}{}/", made["id"]);
        assert_eq!(other.send(Method::DELETE, &one, None).await.status, 404);
        assert_eq!(me.send(Method::DELETE, &one, None).await.status, 204);
        assert_eq!(me.send(Method::DELETE, &one, None).await.status, 404);
        assert_eq!(worker.get("/api/v2/users/me/").await.status, 401);
        assert_eq!(me.get("/api/v2/users/me/").await.status, 200);
    }
}

#[tokio::test]
async fn an_address_is_changed_with_the_password() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        let project = app.project("Moths", false).await;
        app.superuser().await;
        let me = app.member(&project, None).await;
        let path = "/api/v2/users/set_email/";
        let change =
            |email: &str, password: &str| json!({"new_email": email, "current_password": password});
        for (body, answer) in [
            (
                json!({}),
                json!({"current_password": ["This field is required."],
                       "new_email": ["This field is required."]}),
            ),
            (
                change("x", "secret"),
                json!({"new_email": ["Enter a valid email address."]}),
            ),
            (
                change("x@example.org", "wrong"),
                json!({"current_password": ["Invalid password."]}),
            ),
            (
                change("Super@example.org", "secret"),
                json!({"new_email": ["user with this email address already exists."]}),
            ),
        ] {
            let refused = me.post(path, body).await;
            assert_eq!((refused.status.as_u16(), refused.json()), (400, answer));
        }
        let changed = me.post(path, change("New@Example.org", "secret")).await;
        assert_eq!(changed.status, 204);
        let login = json!({"email": "new@example.org", "password": "secret"});
        assert_eq!(app.anonymous().post(LOGIN, login).await.status, 200);
    }
}

#[tokio::test]
async fn pictures_are_known_by_their_content() {
    let mut png = Cursor::new(Vec::new());
    let picture = image::RgbImage::new(3, 2);
    picture.write_to(&mut png, image::ImageFormat::Png).unwrap();
    let png = png.into_inner();
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        let project = app.project("Moths", false).await;
        let me = app.member(&project, None).await;
        let path = "/api/v2/users/me/";
        let send = async |name: &str, content: &[u8]| {
            let fields = [
                ("name", name.as_bytes(), None),
                ("image", content, Some("me.gif")),
            ];
            me.send_form(Method::PATCH, path, &fields).await
        };
        let bad = send("Ann", b"<svg onload=alert(1)>").await;
        let words = "Upload a valid image. The file you uploaded was either not an image or a \
                     corrupted image.";
        assert_eq!(bad.json(), json!({ "image": [words] }));
        assert_eq!(send("Ann", &png[..40]).await.status, 400);
        let large = send("Ann", &vec![0; 5 * 1024 * 1024 + 1]).await;
        assert!(large.text.contains("no larger than 5 MB"), "{}", large.text);
        assert_eq!(
            me.get(path).await.json()["name"],
            "Test",
            "nothing was changed"
        );

        let good = send("Ann", &png).await.json();
        assert_eq!(good["name"], "Ann");
        let address = good["image"].as_str().unwrap();
        let shown = app.anonymous().get(address).await;
        assert_eq!(shown.status, 200);
        assert_eq!(shown.headers["content-type"], "image/png");
        let cleared = [("image", &b""[..], None)];
        let cleared = me.send_form(Method::PUT, path, &cleared).await.json();
        assert_eq!(
            (&cleared["name"], &cleared["image"]),
            (&json!("Ann"), &Value::Null)
        );
        assert_eq!(app.anonymous().get(address).await.status, 404);
    }
}

/// What was logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Log {
    /// The link of the newest mail.
    async fn link(&self, mails: usize) -> String {
        loop {
            let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
            let links: Vec<&str> = text
                .split_whitespace()
                .filter(|word| word.contains("/auth/reset-password-confirm?"))
                .collect();
            if links.len() >= mails {
                return links[mails - 1].to_owned();
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    }
}

#[tokio::test]
async fn a_forgotten_password_is_replaced_once() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_writer(move || writer.clone())
        .with_ansi(false)
        .finish();
    let _here = tracing::subscriber::set_default(subscriber);
    for (round, fresh) in testing::fresh().await.into_iter().enumerate() {
        let app = TestApp::start(&fresh).await;
        let project = app.project("Moths", false).await;
        app.member(&project, None).await;
        let anyone = app.anonymous();
        let ask = "/api/v2/users/reset_password/";
        for email in ["stranger@example.org", "Nobody@example.org"] {
            let asked = anyone.post(ask, json!({ "email": email })).await;
            assert_eq!((asked.status.as_u16(), asked.text.as_str()), (204, ""));
        }
        let link = log.link(round + 1).await;
        assert!(link.starts_with(&app.url), "{link}");
        let page = anyone.get(&link).await;
        assert!(page.text.contains("Change password"));
        let url = url::Url::parse(&link).unwrap();
        let part = |name: &str| {
            let found = url.query_pairs().find(|(key, _)| key == name);
            found.unwrap().1.into_owned()
        };
        let (uid, token) = (part("uid"), part("token"));
        let confirm = async |uid: &str, token: &str, password: &str| {
            let body = json!({"uid": uid, "token": token, "new_password": password});
            let path = "/api/v2/users/reset_password_confirm/";
            let answer = anyone.post(path, body).await;
            (answer.status.as_u16(), answer.text)
        };
        let bad_uid = r#"{"uid":["Invalid user id or user doesn't exist."]}"#.to_owned();
        let bad_token = r#"{"token":["Invalid token for given user."]}"#.to_owned();
        for uid in ["x", "", "OTk5"] {
            let (status, text) = confirm(uid, &token, "another-secret-9").await;
            assert_eq!(status, 400);
            assert!(uid.is_empty() || text == bad_uid, "{text}");
        }
        let later = token.replacen(|_: char| true, "f", 1);
        for token in ["y", "0-00", &later, &token[..token.len() - 2]] {
            let refused = confirm(&uid, token, "another-secret-9").await;
            assert_eq!(refused, (400, bad_token.clone()), "{token}");
        }
        let weak = confirm(&uid, &token, "12345").await;
        assert!(weak.1.starts_with(r#"{"new_password":["#), "{}", weak.1);
        let good = confirm(&uid, &token, "another-secret-9").await;
        assert_eq!(good, (204, String::new()));
        let again = confirm(&uid, &token, "third-secret-99").await;
        assert_eq!(again, (400, bad_token));
        let login = json!({"email": "nobody@example.org", "password": "another-secret-9"});
        assert_eq!(anyone.post(LOGIN, login).await.status, 200);
    }
}
