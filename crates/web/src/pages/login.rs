//! Signing in and out of the pages. The form is tied to the browser that asked for it by a cookie
//! of its own, so that no other site can sign somebody in as somebody else.

use askama::Template;
use axum::extract::{Extension, Form, RawQuery, State};
use axum::http::header::{LOCATION, RETRY_AFTER, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use rest::ApiError;
use rest::query::Query;
use serde::Deserialize;

use super::columns::counted;
use super::top::Top;
use super::{PageError, PageResult};
use crate::AppState;
use crate::api::internal;
use crate::api::login::by_password;
use crate::auth::known::Known;
use crate::auth::limit::From;
use crate::auth::{cookie, forgery};

/// How long a sign-in form may lie about, in seconds.
const FORM_LIFETIME: i64 = 24 * 3600;

#[derive(Template)]
#[template(path = "login.html")]
struct LoginPage {
    error: String,
    email: String,
    next: String,
    word: String,
}

#[derive(Template)]
#[template(path = "logout.html")]
struct LogoutPage {
    next: String,
}

/// What the sign-in form sends.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Sent {
    email: String,
    password: String,
    next: String,
    csrfmiddlewaretoken: String,
}

/// What the sign-out form sends.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Leave {
    next: String,
}

/// A path on this server to go on to; anything else leads to the first page.
fn onward(next: &str) -> String {
    let path = next.starts_with('/') && !next.starts_with("//");
    let sound = |c: char| c != '\\' && c.is_ascii_graphic();
    if path && next.chars().all(sound) {
        next.to_owned()
    } else {
        format!("{}/", Top::root())
    }
}

fn asked_next(query: Option<&str>) -> String {
    let query = Query::parse(query.unwrap_or_default());
    onward(query.get("next").unwrap_or_default())
}

/// The sign-in form.
pub async fn form(
    State(state): State<AppState>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, PageError> {
    let next = asked_next(query.as_deref());
    shown(
        &state,
        &headers,
        StatusCode::OK,
        String::new(),
        String::new(),
        next,
    )
}

fn shown(
    state: &AppState,
    headers: &HeaderMap,
    status: StatusCode,
    error: String,
    email: String,
    next: String,
) -> Result<Response, PageError> {
    let kept = cookie::read(headers, &state.links, cookie::VISITOR);
    let secret = kept.unwrap_or_else(|| format!("{:032x}", rand::random::<u128>()));
    let page = LoginPage {
        error,
        email,
        next,
        word: forgery::word(&state.links, &secret),
    };
    let mut answer = (status, Html(page.render()?)).into_response();
    let set = cookie::set(&state.links, cookie::VISITOR, &secret, FORM_LIFETIME);
    answer.headers_mut().append(SET_COOKIE, set);
    Ok(answer)
}

/// Signs in.
pub async fn login(
    State(state): State<AppState>,
    from: From,
    headers: HeaderMap,
    Extension(known): Extension<Known>,
    Form(sent): Form<Sent>,
) -> Result<Response, PageError> {
    let next = onward(&sent.next);
    let refused = |status, words: &str| {
        let email = sent.email.clone();
        shown(
            &state,
            &headers,
            status,
            words.to_owned(),
            email,
            next.clone(),
        )
    };
    let visitor = cookie::read(&headers, &state.links, cookie::VISITOR);
    let word = Some(sent.csrfmiddlewaretoken.as_str());
    let judged = visitor.map(|secret| forgery::judge(&state.links, &headers, word, &secret));
    if judged != Some(Ok(())) {
        let words =
            "This form was too old, or your browser does not keep cookies. Please try again.";
        return refused(StatusCode::FORBIDDEN, words);
    }
    let user = match by_password(&state, from, &sent.email, &sent.password).await {
        Ok(Some(user)) => user,
        Ok(None) => {
            let words = "There is no account with this e-mail address and password.";
            return refused(StatusCode::BAD_REQUEST, words);
        }
        Err(ApiError::Throttled(seconds)) => {
            let wait = counted(seconds, "second", "seconds");
            let words = format!("Too many attempts. Please wait {wait}.");
            let mut answer = refused(StatusCode::TOO_MANY_REQUESTS, &words)?;
            let headers = answer.headers_mut();
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
            return Ok(answer);
        }
        Err(other) => return Err(other.into()),
    };
    // Whoever was signed in here before is not any more.
    if let Some(secret) = known.secret() {
        state.store.end_login(secret).await.map_err(internal)?;
    }
    let secret = state.store.start_login(user.id).await.map_err(internal)?;
    let seconds = store::login::LIFETIME.num_seconds();
    let set = cookie::set(&state.links, cookie::SESSION, &secret, seconds);
    Ok(go(&next, set))
}

/// Asks whether to sign out.
pub async fn leave(RawQuery(query): RawQuery) -> PageResult {
    let next = asked_next(query.as_deref());
    Ok(Html(LogoutPage { next }.render()?))
}

/// Signs out.
pub async fn logout(
    State(state): State<AppState>,
    Extension(known): Extension<Known>,
    Form(sent): Form<Leave>,
) -> Result<Response, PageError> {
    if let Some(secret) = known.secret() {
        state.store.end_login(secret).await.map_err(internal)?;
    }
    let gone = cookie::set(&state.links, cookie::SESSION, "", 0);
    Ok(go(&onward(&sent.next), gone))
}

fn go(next: &str, set: HeaderValue) -> Response {
    let mut answer = StatusCode::SEE_OTHER.into_response();
    let headers = answer.headers_mut();
    headers.append(SET_COOKIE, set);
    let next = HeaderValue::from_str(next);
    headers.insert(
        LOCATION,
        next.unwrap_or_else(|_| HeaderValue::from_static("/")),
    );
    answer
}

#[cfg(test)]
mod tests {
    use super::onward;

    #[test]
    fn one_goes_on_only_within_this_server() {
        for path in [
            "/",
            "/api/v2/jobs/3/?format=api&a=%20",
            "/projects/1/jobs#x",
        ] {
            assert_eq!(onward(path), path);
        }
        for other in [
            "",
            "jobs",
            "//evil.example.org",
            "/\\evil.example.org",
            "https://evil.example.org",
            "/a\r\nSet-Cookie: x",
            "/a b",
            "javascript:alert(1)",
            "/ä",
        ] {
            assert_eq!(onward(other), "/", "{other}");
        }
    }
}
