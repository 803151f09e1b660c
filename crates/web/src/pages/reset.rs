//! A forgotten password: the page that sends a link, and the page that the link leads to.

use askama::Template;
use axum::extract::{Form, RawQuery, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use rest::ApiError;
use rest::query::Query;
use serde::Deserialize;

use super::columns::counted;
use super::{PageError, PageResult};
use crate::AppState;
use crate::api::credentials;
use crate::auth::limit::From;

#[derive(Template)]
#[template(path = "reset/ask.html")]
struct AskPage {
    error: String,
    sent: bool,
}

#[derive(Template)]
#[template(path = "reset/choose.html")]
struct ChoosePage {
    errors: Vec<String>,
    uid: String,
    token: String,
    done: bool,
}

/// What the first form sends.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Forgotten {
    email: String,
}

/// What the second form sends.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Chosen {
    uid: String,
    token: String,
    new_password: String,
}

/// Asks for the e-mail address.
pub async fn ask() -> PageResult {
    let page = AskPage {
        error: String::new(),
        sent: false,
    };
    Ok(Html(page.render()?))
}

/// Sends the link. The page says the same whether there is such an account or not.
pub async fn send(
    State(state): State<AppState>,
    from: From,
    Form(form): Form<Forgotten>,
) -> Result<Response, PageError> {
    let error = match credentials::send_link(&state, from, &form.email) {
        Ok(()) => None,
        Err(ApiError::Throttled(seconds)) => {
            let wait = counted(seconds, "second", "seconds");
            Some(format!("Too many attempts. Please wait {wait}."))
        }
        Err(other) => return Err(other.into()),
    };
    let status = match error {
        Some(_) => StatusCode::TOO_MANY_REQUESTS,
        None => StatusCode::OK,
    };
    let page = AskPage {
        sent: error.is_none(),
        error: error.unwrap_or_default(),
    };
    Ok((status, Html(page.render()?)).into_response())
}

/// Asks for the new password.
pub async fn choose(RawQuery(query): RawQuery) -> PageResult {
    let query = Query::parse(query.as_deref().unwrap_or_default());
    let text = |name| query.get(name).unwrap_or_default().to_owned();
    let page = ChoosePage {
        errors: Vec::new(),
        uid: text("uid"),
        token: text("token"),
        done: false,
    };
    Ok(Html(page.render()?))
}

/// Replaces the password.
pub async fn replace(
    State(state): State<AppState>,
    Form(form): Form<Chosen>,
) -> Result<Response, PageError> {
    let done = credentials::confirm(&state, &form.uid, &form.token, &form.new_password).await;
    let errors = match done {
        Ok(()) => Vec::new(),
        Err(error) if error.status() == StatusCode::BAD_REQUEST => sentences(&error),
        Err(other) => return Err(other.into()),
    };
    let status = match errors.is_empty() {
        true => StatusCode::OK,
        false => StatusCode::BAD_REQUEST,
    };
    let page = ChoosePage {
        done: errors.is_empty(),
        errors,
        uid: form.uid,
        token: form.token,
    };
    Ok((status, Html(page.render()?)).into_response())
}

/// What is wrong: about the password word for word, about the link in one sentence.
fn sentences(error: &ApiError) -> Vec<String> {
    let body = error.body();
    let words = body["new_password"].as_array().into_iter().flatten();
    let words: Vec<String> = words
        .filter_map(|word| word.as_str().map(str::to_owned))
        .collect();
    if words.is_empty() {
        vec!["This link was used already, is too old or is not complete.".to_owned()]
    } else {
        words
    }
}
