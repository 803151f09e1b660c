//! What every answer of the API has in common, done once around all handlers: addresses with and
//! without their last slash or a format suffix, the choice of representation, OPTIONS, and the
//! headers `Allow` and `Vary` (`browsable-api.md` §1, §4, §6).

use axum::Json;
use axum::body::{Body, to_bytes};
use axum::extract::{FromRequestParts, MatchedPath, Request, State};
use axum::http::header::ACCESS_CONTROL_REQUEST_METHOD;
use axum::http::{HeaderValue, Method, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use rest::negotiate::{Representation, indent, negotiate};
use rest::query::Query;
use rest::{ApiError, allow};
use serde_json::{Value, json};

use crate::AppState;
use crate::auth::Who;
use crate::call::Call;
use crate::pages::browse;
use crate::views::{self, View};

/// What was asked for, before the address was brought to its one form.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The path as it came.
    pub path: String,
    /// The format named by a suffix, such as `json` in `/jobs/1.json`.
    pub suffix: Option<String>,
}

/// Brings an address below `/api/v2` to the form of the route table: no last slash, no suffix.
pub fn one_form(mut request: Request) -> Request {
    let path = request.uri().path().to_owned();
    if !path.starts_with("/api/v2") {
        return request;
    }
    let bare = path.trim_end_matches('/');
    let (folder, last) = bare.rsplit_once('/').unwrap_or(("", bare));
    let suffixed = last.rsplit_once('.').filter(|(name, suffix)| {
        let alphabet = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        // Only the first page of the API has an address of a suffix alone: `/api/v2/.json`.
        let named = !name.is_empty() || folder == "/api/v2";
        named && !suffix.is_empty() && suffix.chars().all(alphabet)
    });
    let (bare, suffix) = match suffixed {
        Some(("", suffix)) => (folder.to_owned(), Some(suffix.to_owned())),
        Some((name, suffix)) => (format!("{folder}/{name}"), Some(suffix.to_owned())),
        None => (bare.to_owned(), None),
    };
    let address = match request.uri().query() {
        Some(query) => format!("{bare}?{query}"),
        None => bare,
    };
    if let Ok(uri) = address.parse::<Uri>() {
        *request.uri_mut() = uri;
    }
    request.extensions_mut().insert(Asked { path, suffix });
    request
}

/// Shapes the answer of a handler.
pub async fn shape(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let asked = request.extensions().get::<Asked>().cloned();
    let path = request.uri().path().to_owned();
    let asked = asked.unwrap_or(Asked { path, suffix: None });
    let query_text = request.uri().query().unwrap_or_default().to_owned();
    let query = Query::parse(&query_text);
    let accept = header_text(&request, &header::ACCEPT);
    let pattern = request.extensions().get::<MatchedPath>();
    let view = pattern.and_then(|pattern| views::find(pattern.as_str()));
    let suffix = asked.suffix.as_deref();
    let chosen = negotiate(query.get("format"), suffix, accept.as_deref());
    let method = request.method().clone();
    if method == Method::OPTIONS
        && request
            .headers()
            .contains_key(ACCESS_CONTROL_REQUEST_METHOD)
    {
        return preflight();
    }
    let (mut parts, body) = request.into_parts();
    let answer = match &chosen {
        Err(ApiError::NotFound) => ApiError::NotFound.into_response(),
        Err(_) => ApiError::NotAcceptable.into_response(),
        Ok(_) if method == Method::OPTIONS && view.is_some() => {
            let call = Call::from_request_parts(&mut parts, &state).await;
            match (call, view) {
                (Ok(call), Some(view)) => options(&call, view, parts.uri.path()).await,
                (Err(error), _) => ApiError::into_response(error),
                (_, None) => ApiError::NotFound.into_response(),
            }
        }
        Ok(_) => next.run(Request::from_parts(parts.clone(), body)).await,
    };
    let allow = match view {
        Some(view) => Some(view.allow),
        None if parts.uri.path() == "/api/v2" => Some(allow::READ),
        None => None,
    };
    let answer = dress(answer, allow);
    match chosen.unwrap_or(Representation::Json) {
        Representation::Json => match indent(accept.as_deref()) {
            Some(spaces) => indented(answer, spaces).await,
            None => answer,
        },
        Representation::Browsable => {
            let who = Who::from_request_parts(&mut parts, &state).await;
            let request_line = if query_text.is_empty() {
                asked.path.clone()
            } else {
                format!("{}?{query_text}", asked.path)
            };
            let page = browse::Request {
                method,
                line: request_line,
                path: asked.path,
                query,
                view,
                who: who.unwrap_or(Who(None)),
            };
            browse::page(&state, page, answer).await
        }
    }
}

/// A browser asks for a page of another server whether that page may call. No page may: the
/// answer names none, as the recorded one.
fn preflight() -> Response {
    let kind = (header::CONTENT_TYPE, "text/html; charset=utf-8");
    ([kind, (header::VARY, "origin")], "").into_response()
}

fn header_text(request: &Request, name: &header::HeaderName) -> Option<String> {
    let value = request.headers().get(name)?;
    value.to_str().ok().map(str::to_owned)
}

/// The headers that all answers carry.
fn dress(answer: Response, methods: Option<&'static str>) -> Response {
    let mut answer = match methods {
        Some(methods) => allow::with(methods, answer),
        None => answer,
    };
    let headers = answer.headers_mut();
    headers.insert(
        header::VARY,
        HeaderValue::from_static("Accept, Accept-Language, origin"),
    );
    headers.insert(header::CONTENT_LANGUAGE, HeaderValue::from_static("en"));
    answer
}

/// What an address is and takes. What may be sent is told only to those who may send it.
async fn options(call: &Call, view: &View, path: &str) -> Response {
    let mut body = json!({
        "name": view.name,
        "description": view.about,
        "renders": ["application/json", "text/html"],
        "parses": [
            "application/json",
            "application/x-www-form-urlencoded",
            "multipart/form-data",
        ],
    });
    let method = ["PUT", "POST"].into_iter().find(|m| view.allow.contains(m));
    if let (Some(method), false) = (method, view.fields.is_empty())
        && crate::api::may_write(call, view, path).await
    {
        body["actions"] = json!({ method: rest::field::table(view.fields) });
    }
    Json(body).into_response()
}

/// A JSON answer written with indentation.
async fn indented(answer: Response, spaces: usize) -> Response {
    let (mut parts, body) = answer.into_parts();
    let Ok(bytes) = to_bytes(body, usize::MAX).await else {
        return ApiError::Internal("an answer broke off".to_owned()).into_response();
    };
    let Ok(value) = serde_json::from_slice::<Value>(&bytes) else {
        return Response::from_parts(parts, Body::from(bytes));
    };
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, Body::from(pretty(&value, spaces)))
}

/// A value as text with so many spaces of indentation.
pub fn pretty(value: &Value, spaces: usize) -> String {
    let indent = " ".repeat(spaces);
    let mut bytes = Vec::new();
    let formatter = serde_json::ser::PrettyFormatter::with_indent(indent.as_bytes());
    let mut writer = serde_json::Serializer::with_formatter(&mut bytes, formatter);
    match serde::Serialize::serialize(value, &mut writer) {
        Ok(()) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(_) => value.to_string(),
    }
}
