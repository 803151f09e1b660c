//! Signing in to the pages: the cookie, the word against forged requests, and what ends both.

use reqwest::header::{COOKIE, LOCATION, SET_COOKIE};
use reqwest::{Client, RequestBuilder, Response, redirect};
use serde_json::json;
use store::testing;

use crate::app::TestApp;

/// A browser: it keeps cookies and goes nowhere by itself.
pub struct Browser<'a> {
    app: &'a TestApp,
    http: Client,
    cookies: Vec<(String, String)>,
}

impl<'a> Browser<'a> {
    pub fn new(app: &'a TestApp) -> Browser<'a> {
        let http = Client::builder().redirect(redirect::Policy::none());
        Browser {
            app,
            http: http.build().unwrap(),
            cookies: Vec::new(),
        }
    }

    async fn send(&mut self, request: RequestBuilder) -> Response {
        let pairs: Vec<String> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let answer = request.header(COOKIE, pairs.join("; ")).send();
        let answer = answer.await.unwrap();
        for set in answer.headers().get_all(SET_COOKIE) {
            let pair = set.to_str().unwrap().split(';').next().unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            self.cookies.retain(|(kept, _)| kept != name);
            if !value.is_empty() {
                self.cookies.push((name.to_owned(), value.to_owned()));
            }
        }
        answer
    }

    pub async fn get(&mut self, path: &str) -> Response {
        let request = self.http.get(format!("{}{path}", self.app.url));
        self.send(request).await
    }

    pub async fn post(&mut self, path: &str, form: &[(&str, &str)]) -> Response {
        let mut body = url::form_urlencoded::Serializer::new(String::new());
        let body = body.extend_pairs(form).finish();
        let request = self.http.post(format!("{}{path}", self.app.url));
        let kind = "application/x-www-form-urlencoded";
        self.send(request.header("Content-Type", kind).body(body))
            .await
    }

    /// The word in the first form of a page.
    pub async fn word(&mut self, path: &str) -> String {
        let page = self.get(path).await.text().await.unwrap();
        let (_, rest) = page
            .split_once("name=\"csrfmiddlewaretoken\" value=\"")
            .unwrap();
        rest.split('"').next().unwrap().to_owned()
    }

    pub async fn sign_in(&mut self, password: &str, next: &str) -> Response {
        self.sign_in_as("super@example.org", password, next).await
    }

    pub async fn sign_in_as(&mut self, email: &str, password: &str, next: &str) -> Response {
        let word = self.word("/login").await;
        let form = [
            ("email", email),
            ("password", password),
            ("next", next),
            ("csrfmiddlewaretoken", &word),
        ];
        self.post("/login", &form).await
    }
}

#[tokio::test]
async fn a_person_signs_in_and_out() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        app.superuser().await;
        let project = app.project("Secret moths", true).await;
        let jobs = format!("/projects/{}/jobs", project.id);
        let mut browser = Browser::new(&app);
        let hidden = browser.get(&jobs).await;
        assert_eq!(hidden.status(), 404);
        let page = hidden.text().await.unwrap();
        let way_in = format!("/login?next=%2Fprojects%2F{}%2Fjobs", project.id);
        assert!(page.contains(&way_in), "{page}");

        let wrong = browser.sign_in("wrong", "/").await;
        assert_eq!(wrong.status(), 400);
        let page = wrong.text().await.unwrap();
        assert!(page.contains("There is no account"), "{page}");
        assert!(page.contains("value=\"super@example.org\""), "{page}");

        let good = browser.sign_in("secret", &jobs).await;
        assert_eq!(good.status(), 303);
        assert_eq!(good.headers()[LOCATION], *jobs);
        let set = good.headers()[SET_COOKIE].to_str().unwrap().to_owned();
        for flag in ["hawkmoth_session=", "HttpOnly", "SameSite=Lax", "Path=/"] {
            assert!(set.contains(flag), "{set}");
        }
        let page = browser.get(&jobs).await;
        assert_eq!(page.status(), 200);
        assert_eq!(page.headers()["cache-control"], "private, no-cache");
        let page = page.text().await.unwrap();
        assert!(page.contains(">Test</a>") && page.contains("Sign out"));

        let word = browser.word(&jobs).await;
        let out = browser
            .post("/logout", &[("csrfmiddlewaretoken", &word)])
            .await;
        assert_eq!(
            (out.status().as_u16(), &out.headers()[LOCATION]),
            (303, &"/".parse().unwrap())
        );
        assert_eq!(browser.get(&jobs).await.status(), 404);
    }
}

#[tokio::test]
async fn the_api_takes_the_cookie_with_the_word() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        app.superuser().await;
        let project = app.project("Moths", false).await;
        let mut browser = Browser::new(&app);
        browser.sign_in("secret", "/").await;
        let me = browser.get("/api/v2/users/me/").await;
        let me: serde_json::Value = me.json().await.unwrap();
        assert_eq!(me["email"], "super@example.org");

        let word = browser.word("/").await;
        let id = project.id.to_string();
        let fields = [("name", "A job"), ("project_id", &id), ("delay", "0")];
        let refused = browser.post("/api/v2/jobs/", &fields).await;
        assert_eq!(refused.status(), 403);
        assert_eq!(
            refused.json::<serde_json::Value>().await.unwrap(),
            json!({"detail": "CSRF Failed: CSRF token missing."})
        );
        let with_word = [&fields[..], &[("csrfmiddlewaretoken", word.as_str())]].concat();
        let made = browser.post("/api/v2/jobs/", &with_word).await;
        assert_eq!(made.status(), 201);

        let url = format!("{}/api/v2/jobs/", app.url);
        let body = json!({"name": "B", "project_id": project.id, "delay": 0}).to_string();
        let post = |browser: &Browser<'_>| {
            let request = browser.http.post(&url).body(body.clone());
            request.header("Content-Type", "application/json")
        };
        let with_header = post(&browser).header("X-CSRFToken", &word);
        assert_eq!(browser.send(with_header).await.status(), 201);
        let elsewhere = post(&browser)
            .header("X-CSRFToken", &word)
            .header("Origin", "https://evil.example.org");
        assert_eq!(browser.send(elsewhere).await.status(), 403);

        // A token needs no word, and a bad one is refused although the cookie is good.
        let user = app.store.user_by_email("super@example.org").await.unwrap();
        let token = app.store.create_token(user.unwrap().id, "x").await.unwrap();
        let good = post(&browser).header("Authorization", format!("Token {token}"));
        assert_eq!(browser.send(good).await.status(), 201);
        let bad = post(&browser)
            .header("Authorization", "Token bad")
            .header("X-CSRFToken", &word);
        assert_eq!(browser.send(bad).await.status(), 401);
        let page = browser.http.get(format!("{}/", app.url));
        let page = page.header("Authorization", "Token bad");
        assert_eq!(browser.send(page).await.status(), 401);
    }
}

#[tokio::test]
async fn nobody_is_signed_in_by_another_site() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        app.superuser().await;
        let mut browser = Browser::new(&app);
        let person = [("email", "super@example.org"), ("password", "secret")];
        assert_eq!(browser.post("/login", &person).await.status(), 403);
        let mut other = Browser::new(&app);
        let foreign = other.word("/login").await;
        browser.get("/login").await;
        let form = [&person[..], &[("csrfmiddlewaretoken", &foreign)]].concat();
        assert_eq!(browser.post("/login", &form).await.status(), 403);
        let onward = browser.sign_in("secret", "//evil.example.org").await;
        assert_eq!(onward.headers()[LOCATION], "/");
    }
}

#[tokio::test]
async fn a_new_password_ends_the_other_browsers() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        app.superuser().await;
        let (mut here, mut there) = (Browser::new(&app), Browser::new(&app));
        here.sign_in("secret", "/").await;
        there.sign_in("secret", "/").await;
        let me = "/api/v2/users/me/";
        assert_eq!(there.get(me).await.status(), 200);
        let word = here.word("/").await;
        let change = [
            ("current_password", "secret"),
            ("new_password", "another-secret-9"),
            ("csrfmiddlewaretoken", &word),
        ];
        let changed = here.post("/api/v2/users/set_password/", &change).await;
        assert_eq!(changed.status(), 204);
        assert_eq!(here.get(me).await.status(), 200);
        assert_eq!(there.get(me).await.status(), 401);
    }
}

#[tokio::test]
async fn who_guesses_must_wait() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        app.superuser().await;
        let client = app.anonymous();
        let login = |password: &str| json!({"email": "super@example.org", "password": password});
        let path = "/api/v2/auth/token/login/";
        for _ in 0..10 {
            assert_eq!(client.post(path, login("wrong")).await.status, 400);
        }
        let refused = client.post(path, login("secret")).await;
        assert_eq!(refused.status, 429);
        let seconds = refused.headers["retry-after"].to_str().unwrap();
        let words = format!("Request was throttled. Expected available in {seconds} seconds.");
        assert_eq!(refused.json(), json!({ "detail": words }));
        let page = Browser::new(&app).sign_in("secret", "/").await;
        assert_eq!(page.status(), 429);
        let other = json!({"email": "nobody@example.org", "password": "x"});
        assert_eq!(client.post(path, other).await.status, 400);
    }
}
