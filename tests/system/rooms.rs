//! The rooms of a project beside its jobs and captures (processing, data, people), one's own page and
//! the server's: what each role finds there, what acting does, and what is said of wrong input.

mod data;
mod people;
mod processing;
mod server;
mod webhooks;
mod worker;

use domain::permission::Role;
use reqwest::header::{LOCATION, SET_COOKIE};
use reqwest::{Response, redirect};
use store::project::Project;

use crate::app::TestApp;

/// The largest page, in bytes.
const LARGEST: usize = 100_000;

/// Somebody who looks at pages and sends forms.
pub struct Visitor<'a> {
    app: &'a TestApp,
    http: reqwest::Client,
    token: Option<String>,
}

/// A page, or where a form led.
pub struct Page {
    pub status: u16,
    pub text: String,
    /// Where the browser is sent on to.
    pub on_to: Option<String>,
    /// What is said there.
    pub said: String,
}

impl Page {
    async fn of(answer: Response) -> Page {
        let header = |name| answer.headers().get(name)?.to_str().ok();
        let on_to = header(LOCATION).map(str::to_owned);
        let said = header(SET_COOKIE).unwrap_or_default().to_owned();
        let said = said.split_once("hawkmoth_said=").map(|(_, rest)| rest);
        let said = said
            .and_then(|rest| rest.split(';').next())
            .unwrap_or_default();
        let said = percent(said);
        let status = answer.status().as_u16();
        let text = answer.text().await.unwrap();
        assert!(text.len() < LARGEST, "a page of {} bytes", text.len());
        Page {
            status,
            text,
            on_to,
            said,
        }
    }

    #[track_caller]
    pub fn has(&self, words: &[&str]) {
        for words in words {
            assert!(
                self.text.contains(words),
                "{words:?} is missing: {}",
                self.text
            );
        }
    }

    #[track_caller]
    pub fn lacks(&self, words: &[&str]) {
        for words in words {
            assert!(
                !self.text.contains(words),
                "{words:?} is there: {}",
                self.text
            );
        }
    }

    /// It was done, and this is said of it.
    #[track_caller]
    pub fn done(&self, words: &str) {
        assert_eq!(self.status, 303, "{}", self.text);
        assert!(
            self.said.contains(words),
            "{words:?} is not in {:?}",
            self.said
        );
    }
}

/// What stands in a cookie that was written for one.
fn percent(text: &str) -> String {
    let query = format!("said={text}");
    let pairs = url::form_urlencoded::parse(query.as_bytes());
    pairs.map(|(_, value)| value.into_owned()).collect()
}

impl<'a> Visitor<'a> {
    pub fn nobody(app: &'a TestApp) -> Visitor<'a> {
        let http = reqwest::Client::builder().redirect(redirect::Policy::none());
        Visitor {
            app,
            http: http.build().unwrap(),
            token: None,
        }
    }

    async fn known(app: &'a TestApp, email: &str) -> Visitor<'a> {
        let user = app.store.user_by_email(email).await.unwrap().unwrap();
        let token = app.store.create_token(user.id, "pages").await.unwrap();
        Visitor {
            token: Some(token),
            ..Visitor::nobody(app)
        }
    }

    /// A member with this role.
    pub async fn member(app: &'a TestApp, project: &Project, role: Role) -> Visitor<'a> {
        app.member(project, Some(role)).await;
        let email = format!("{}@example.org", role.key().to_lowercase());
        Visitor::known(app, &email).await
    }

    pub async fn superuser(app: &'a TestApp) -> Visitor<'a> {
        app.superuser().await;
        Visitor::known(app, "super@example.org").await
    }

    fn with_token(&self, request: reqwest::RequestBuilder) -> reqwest::RequestBuilder {
        match &self.token {
            Some(token) => request.header("Authorization", format!("Token {token}")),
            None => request,
        }
    }

    pub async fn get(&self, path: &str) -> Page {
        let request = self.http.get(format!("{}{path}", self.app.url));
        Page::of(self.with_token(request).send().await.unwrap()).await
    }

    pub async fn post(&self, path: &str, form: &[(&str, &str)]) -> Page {
        let mut body = url::form_urlencoded::Serializer::new(String::new());
        let body = body.extend_pairs(form).finish();
        let request = self.http.post(format!("{}{path}", self.app.url)).body(body);
        let request = request.header("Content-Type", "application/x-www-form-urlencoded");
        Page::of(self.with_token(request).send().await.unwrap()).await
    }
}
