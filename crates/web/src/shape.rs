//! What every answer of the API has in common, done once around all handlers: addresses with and
//! without their last slash or a format suffix, the choice of representation, OPTIONS, and the
//! headers `Allow` and `Vary` (`browsable-api.md` §1, §4, §6).

use axum::Json;
use axum::body::{Body, to_bytes};
use axum::extract::{FromRequestParts, Request, State};
use axum::http::header::ACCESS_CONTROL_REQUEST_METHOD;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use rest::negotiate::{Representation, indent, negotiate};
use rest::query::Query;
use rest::{ApiError, allow};
use serde_json::{Value, json};

use crate::AppState;
use crate::call::Call;
use crate::pages::browse;
use crate::views::{self, View};

pub mod sent;

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
    let path = request.uri().path();
    if !path.starts_with("/api/") {
        return next.run(request).await;
    }
    let asks = request.method() == Method::OPTIONS;
    if asks
        && request
            .headers()
            .contains_key(ACCESS_CONTROL_REQUEST_METHOD)
    {
        return preflight();
    }
    let view = views::of(&request);
    if !asks && view.is_some_and(|view| view.contract.own_formats) {
        return dress(next.run(request).await, view);
    }
    let query = Query::parse(request.uri().query().unwrap_or_default());
    let accept = header_text(&request, &header::ACCEPT);
    let suffix = asked(&request).suffix;
    let chosen = negotiate(query.get("format"), suffix.as_deref(), accept.as_deref());
    match chosen {
        Ok(Representation::Browsable) => page(&state, request, next, view, query).await,
        Ok(Representation::Json) => {
            let answer = answered(&state, request, next, view).await.0;
            match indent(accept.as_deref()) {
                Some(spaces) => indented(answer, spaces).await,
                None => answer,
            }
        }
        Err(error) => dress(error.into_response(), view),
    }
}

/// How the address came.
fn asked(request: &Request) -> Asked {
    let known = request.extensions().get::<Asked>().cloned();
    known.unwrap_or_else(|| Asked {
        path: request.uri().path().to_owned(),
        suffix: None,
    })
}

/// The answer, dressed, and what the request was without its body.
async fn answered(
    state: &AppState,
    request: Request,
    next: Next,
    view: Option<&'static View>,
) -> (Response, Parts) {
    let (mut parts, body) = request.into_parts();
    let answer = match view.filter(|_| parts.method == Method::OPTIONS) {
        Some(view) => match Call::from_request_parts(&mut parts, state).await {
            Ok(call) => options(&call, view, parts.uri.path()).await,
            Err(error) => error.into_response(),
        },
        None => next.run(Request::from_parts(parts.clone(), body)).await,
    };
    (dress(answer, view), parts)
}

/// The page around an answer.
async fn page(
    state: &AppState,
    request: Request,
    next: Next,
    view: Option<&'static View>,
    query: Query,
) -> Response {
    let came = asked(&request).path;
    let line = match request.uri().query() {
        Some(query) => format!("{came}?{query}"),
        None => came,
    };
    let (request, sent) = match sent::unpack(request).await {
        Ok(unpacked) => unpacked,
        Err(error) => return dress(error.into_response(), view),
    };
    let again = next.clone();
    let (answer, mut parts) = answered(state, request, next, view).await;
    let row = match lacks_row(view, &parts.method, answer.status()) {
        true => row(again, &parts).await,
        false => None,
    };
    let request = browse::Request {
        method: parts.method.clone(),
        line,
        path: format!("{}/", parts.uri.path().trim_end_matches('/')),
        query,
        view,
        raw_first: raw_first(&parts.headers),
        call: Call::from_request_parts(&mut parts, state).await.ok(),
        sent,
        row,
    };
    browse::page(request, answer).await
}

/// Whether the page of this answer needs the row that the answer does not hold.
fn lacks_row(view: Option<&View>, method: &Method, status: StatusCode) -> bool {
    let nowhere = [
        StatusCode::UNAUTHORIZED,
        StatusCode::FORBIDDEN,
        StatusCode::NOT_FOUND,
    ];
    let refused = status.is_client_error() && !nowhere.contains(&status);
    let acts = [Method::PUT, Method::PATCH, Method::DELETE].contains(method);
    view.is_some_and(|view| view.allow.contains("PUT") || view.allow.contains("PATCH"))
        && (*method == Method::OPTIONS || (acts && refused))
}

/// The row at the address of a request, read as by GET.
async fn row(next: Next, parts: &Parts) -> Option<Value> {
    let mut parts = parts.clone();
    parts.method = Method::GET;
    parts.headers.remove(header::CONTENT_LENGTH);
    let answer = next.run(Request::from_parts(parts, Body::empty())).await;
    if !answer.status().is_success() {
        return None;
    }
    let bytes = to_bytes(answer.into_body(), usize::MAX).await.ok()?;
    serde_json::from_slice(&bytes).ok()
}

/// Whether the reader last used the form for a body as it is: the page's script remembers.
fn raw_first(headers: &HeaderMap) -> bool {
    let cookies = headers.get_all(header::COOKIE).into_iter();
    let mut pairs = cookies
        .filter_map(|c| c.to_str().ok())
        .flat_map(|c| c.split(';'));
    pairs.any(|pair| pair.trim() == "tabstyle=raw-tab")
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
fn dress(answer: Response, view: Option<&View>) -> Response {
    let mut answer = match view {
        Some(view) => allow::with(view.allow, answer),
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
