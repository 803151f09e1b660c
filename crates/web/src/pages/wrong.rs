//! Errors as pages: what went wrong, what it means, what to do. The idea: a person is never shown
//! an empty answer, JSON or the words of a library. What a handler refuses is a [`PageError`]; what
//! refuses before it or around it (a limit, an address that cannot be read) answers for programs,
//! and is made a page of here.

use askama::Template;
use axum::body::{Body, to_bytes};
use axum::extract::{MatchedPath, Request, State};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Response};
use rest::ApiError;
use serde_json::Value;

use super::top::Top;
use crate::AppState;

/// The most that is read of an answer for programs, in bytes.
const MOST: usize = 64 * 1024;

/// An answer that is a page or, where it fails, a page about that.
pub type PageResult = Result<Html<String>, PageError>;

/// An error shown as a page.
#[derive(Debug)]
pub struct PageError(ApiError);

impl From<ApiError> for PageError {
    fn from(error: ApiError) -> PageError {
        PageError(error)
    }
}

impl From<store::StoreError> for PageError {
    fn from(error: store::StoreError) -> PageError {
        PageError(crate::api::internal(error))
    }
}

impl From<askama::Error> for PageError {
    fn from(error: askama::Error) -> PageError {
        PageError(ApiError::Internal(error.to_string()))
    }
}

impl IntoResponse for PageError {
    fn into_response(self) -> Response {
        let PageError(error) = self;
        if let ApiError::Internal(what) = &error {
            tracing::error!(what, "a page failed");
        }
        let wait = match &error {
            ApiError::Throttled(seconds) | ApiError::Busy(seconds) => Some(*seconds),
            _ => None,
        };
        let message = match &error {
            ApiError::ForbiddenBecause(_) => forged(),
            ApiError::BadRequest(why) | ApiError::Conflict(why) | ApiError::Unavailable(why) => {
                about(error.status(), Some(why), None)
            }
            ApiError::Messages(all) => about(error.status(), Some(&all.join(" ")), None),
            ApiError::BadToken(why) => about(error.status(), Some(why), None),
            _ => about(error.status(), None, wait),
        };
        let mut answer = message.shown(error.status());
        if let Some(seconds) = wait {
            let headers = answer.headers_mut();
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        answer
    }
}

/// A page that says something went wrong.
#[derive(Template)]
#[template(path = "message.html")]
struct Message {
    title: &'static str,
    text: String,
    /// Whether signing in may help.
    sign_in: bool,
}

impl Message {
    fn of(title: &'static str, text: impl Into<String>) -> Message {
        Message {
            title,
            text: text.into(),
            sign_in: false,
        }
    }

    fn shown(self, status: StatusCode) -> Response {
        let page = self.render();
        (status, Html(page.unwrap_or(self.text))).into_response()
    }
}

fn forged() -> Message {
    Message::of(
        "Nothing was done",
        "The request did not come from a page of this server that was made for you, or that page \
         is too old. Nothing was changed; go back, load the page anew and try again.",
    )
}

/// What is said of a status, with the reason and the seconds to wait, where they are known.
fn about(status: StatusCode, why: Option<&str>, wait: Option<u64>) -> Message {
    let why = why.map(str::trim).filter(|why| !why.is_empty());
    let because = |otherwise: &str, then: &str| format!("{} {then}", why.unwrap_or(otherwise));
    match status {
        StatusCode::UNAUTHORIZED => Message {
            sign_in: true,
            ..Message::of(
                "Sign in",
                why.unwrap_or("This is for people who are signed in."),
            )
        },
        StatusCode::FORBIDDEN => Message::of(
            "Your role does not allow this",
            "It needs a role that you do not have here. Nothing was changed. A project's manager \
             can give you another role in it; of the server's own pages, ask whoever runs it.",
        ),
        StatusCode::NOT_FOUND => Message::of(
            "There is nothing here",
            "The address names no page of this server, or one that only members of its project \
             may see. Nothing is lost; go back, or start from the first page.",
        ),
        StatusCode::METHOD_NOT_ALLOWED => Message::of(
            "There is nothing to see here",
            "This address does not take what was sent to it. Nothing was changed; go back to \
             the page that you came from.",
        ),
        StatusCode::REQUEST_TIMEOUT => Message::of(
            "It took too long to arrive",
            "What your browser sent did not all arrive in time. Nothing was changed; try again, \
             with less at once where the line is slow.",
        ),
        StatusCode::CONFLICT => Message::of(
            "Not as things stand",
            because(
                "What you asked for does not go together with what was done meanwhile.",
                "Nothing was changed; go back, and load the page anew to see how things stand.",
            ),
        ),
        StatusCode::PAYLOAD_TOO_LARGE => Message::of(
            "It is too large",
            "What was sent is larger than this server takes. Nothing was changed; send less at \
             once, or ask whoever runs the server.",
        ),
        StatusCode::TOO_MANY_REQUESTS => {
            let wait = match wait {
                Some(1) => "a second".to_owned(),
                Some(seconds) => format!("{seconds} seconds"),
                None => "a moment".to_owned(),
            };
            let text = format!(
                "You, or somebody at the same address, asked too often. Nothing was changed; \
                 wait {wait} and load the page again."
            );
            Message::of("Too many requests", text)
        }
        StatusCode::SERVICE_UNAVAILABLE => Message::of(
            "The server is busy",
            because(
                "There is no room for another request just now.",
                "Load the page again in a moment. Where you sent a form, look first whether it \
                 was done.",
            ),
        ),
        status if status.is_client_error() => Message::of(
            "This was not understood",
            because(
                "The server could not make sense of what was sent.",
                "Nothing was changed; go back and try again.",
            ),
        ),
        _ => Message::of(
            "The page could not be made",
            "Something went wrong within the server, which has written down what. Try again in a \
             moment, and if it stays so, tell whoever runs this server.",
        ),
    }
}

/// Makes pages of all errors around the handlers of pages.
pub async fn told(request: Request, next: Next) -> Response {
    let matched = request.extensions().get::<MatchedPath>();
    let named = matched.is_some_and(|path| path.as_str().contains('{'));
    let answer = next.run(request).await;
    as_page(answer, named).await
}

/// Makes pages of what is refused at the address of a page before anybody knows who asks.
pub async fn refused(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let root = state.root();
    let is_page = is_page(root, request.uri().path());
    let answer = next.run(request).await;
    if !is_page {
        return answer;
    }
    let top = Top {
        root,
        ..Top::default()
    };
    top.above(as_page(answer, false)).await
}

/// Whether people look at this address: what is for programs, or for the browser alone, is not.
fn is_page(root: &str, path: &str) -> bool {
    let below = |folder: &str| {
        let rest = path.strip_prefix(folder);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    match path.strip_prefix(root) {
        _ if ["/api", "/media"].into_iter().any(below) => false,
        Some(rest) if rest.starts_with("/assets/") => false,
        Some(rest) => rest.is_empty() || rest.starts_with('/'),
        None => ["/login", "/logout"].into_iter().any(below),
    }
}

/// A page in place of an error for programs. Where a row is `named` by its number in the address, and
/// something else stands there, there is no such row.
async fn as_page(answer: Response, named: bool) -> Response {
    let status = answer.status();
    let fails = status.is_client_error() || status.is_server_error();
    if !fails || has_kind(answer.headers(), "text/html") {
        return answer;
    }
    let (mut parts, body) = answer.into_parts();
    if named && status == StatusCode::BAD_REQUEST {
        parts.status = StatusCode::NOT_FOUND;
    }
    let why = match has_kind(&parts.headers, "application/json") {
        true => detail(body).await,
        false => None,
    };
    let wait = parts.headers.get(RETRY_AFTER);
    let wait = wait.and_then(|seconds| seconds.to_str().ok()?.parse().ok());
    let page = about(parts.status, why.as_deref(), wait).shown(parts.status);
    parts.headers.remove(CONTENT_LENGTH);
    parts.headers.remove(CONTENT_TYPE);
    let (of_page, body) = page.into_parts();
    parts.headers.extend(of_page.headers);
    Response::from_parts(parts, body)
}

fn has_kind(headers: &HeaderMap, kind: &str) -> bool {
    let found = headers.get(CONTENT_TYPE);
    found.is_some_and(|found| found.as_bytes().starts_with(kind.as_bytes()))
}

/// The sentence of an error of the API.
async fn detail(body: Body) -> Option<String> {
    let bytes = to_bytes(body, MOST).await.ok()?;
    let value: Value = serde_json::from_slice(&bytes).ok()?;
    value["detail"].as_str().map(str::to_owned)
}

/// Every address that nothing else answers.
pub async fn not_found(_request: Request) -> PageError {
    PageError(ApiError::NotFound)
}

/// A handler panicked: logged with its words, answered like any failure.
pub fn panicked(payload: Box<dyn std::any::Any + Send>) -> Response {
    let text = payload.downcast_ref::<&str>().map(|s| (*s).to_owned());
    let text = text.or_else(|| payload.downcast_ref::<String>().cloned());
    PageError(ApiError::Internal(format!(
        "panic: {}",
        text.unwrap_or_default()
    )))
    .into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_look_at_pages_and_programs_at_the_rest() {
        for path in ["/", "/projects/1", "/nowhere", "/login", "/apiary"] {
            assert!(is_page("", path), "{path}");
        }
        for path in ["/api/v2/jobs", "/media/x", "/assets/hawkmoth.js", "/api"] {
            assert!(!is_page("", path), "{path}");
        }
        for path in ["/hawkmoth", "/hawkmoth/me", "/login", "/logout"] {
            assert!(is_page("/hawkmoth", path), "{path}");
        }
        for path in ["/", "/projects/1", "/hawkmoths", "/hawkmoth/assets/x.js"] {
            assert!(!is_page("/hawkmoth", path), "{path}");
        }
    }

    #[test]
    fn each_status_has_words_of_its_own_and_says_the_reason() {
        let text = |status: u16, why| {
            let status = StatusCode::from_u16(status).unwrap_or_default();
            about(status, why, Some(3)).text
        };
        assert!(text(409, Some("The job runs.")).starts_with("The job runs. Nothing was"));
        assert!(text(503, Some("No answer.")).starts_with("No answer. Load"));
        assert!(text(429, None).contains("wait 3 seconds"));
        assert!(text(400, Some(" ")).starts_with("The server could not make sense"));
        let mut titles: Vec<&str> = [400, 401, 403, 404, 405, 408, 409, 413, 429, 500, 503]
            .into_iter()
            .filter_map(|status| StatusCode::from_u16(status).ok())
            .map(|status| about(status, None, None).title)
            .collect();
        titles.sort_unstable();
        titles.dedup();
        assert_eq!(titles.len(), 11);
        assert!(about(StatusCode::UNAUTHORIZED, None, None).sign_in);
    }
}
