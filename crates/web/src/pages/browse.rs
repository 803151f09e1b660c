//! The browsable page of an API address: what it is about, what was asked, the answer with every
//! link in it, and the forms that act on it (`browsable-api.md` §2–§6). The idea: the page is made
//! from the answer and the table of addresses alone; no handler knows of it.

use askama::Template;
use axum::body::{Body, Bytes, to_bytes};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use rest::ApiError;
use rest::field::Field;
use rest::query::Query;
use serde_json::Value;

use crate::call::Call;
use crate::shape::pretty;
use crate::shape::sent::Sent;
use crate::views::View;

mod control;
mod edit;
mod filters;
mod navigation;
pub mod text;

use control::Input;
use edit::{Edit, Source};
use filters::Filters;
use navigation::Link;

/// What was asked.
pub struct Request {
    pub method: Method,
    /// Path and query as they came.
    pub line: String,
    /// Path in its one form, with its last slash.
    pub path: String,
    pub query: Query,
    pub view: Option<&'static View>,
    /// Who asks, where that could be found out.
    pub call: Option<Call>,
    /// What was sent.
    pub sent: Sent,
    /// The row of the page, where the answer is not the row.
    pub row: Option<Value>,
    /// The reader last used the form for a body as it is.
    pub raw_first: bool,
}

#[derive(Template)]
#[template(path = "browse/page.html")]
struct BrowsePage {
    name: &'static str,
    crumbs: Vec<Link>,
    reads: bool,
    formats: Vec<Link>,
    deletes: bool,
    actions: Vec<Link>,
    filters: Option<Filters>,
    about: String,
    previous: Option<String>,
    pages: Vec<Link>,
    next: Option<String>,
    method: String,
    line: String,
    path: String,
    status: String,
    headers: Vec<(String, String)>,
    json: String,
    /// What a refusal means and what to do.
    hint: &'static str,
    /// Signing in may help.
    invites: bool,
    edit: Option<Edit>,
    raw_first: bool,
    /// Nobody is signed in.
    stranger: bool,
}

/// The page around an answer. The status stays the answer's own; an empty answer (204) is sent
/// as 200, because a page needs a body. What is not JSON is handed on as it is.
pub async fn page(request: Request, answer: Response) -> Response {
    let (parts, body) = answer.into_parts();
    let Ok(bytes) = to_bytes(body, usize::MAX).await else {
        return ApiError::Internal("an answer broke off".to_owned()).into_response();
    };
    let value: Option<Value> = serde_json::from_slice(&bytes).ok();
    if value.is_none() && !bytes.is_empty() {
        return Response::from_parts(parts, Body::from(bytes));
    }
    let page = built(request, parts.status, &parts.headers, value, &bytes).await;
    let sent = match parts.status {
        StatusCode::NO_CONTENT => StatusCode::OK,
        status => status,
    };
    match page.render() {
        Ok(html) => dressed((sent, Html(html)).into_response(), &parts.headers),
        Err(error) => ApiError::Internal(error.to_string()).into_response(),
    }
}

fn dressed(mut page: Response, answer: &HeaderMap) -> Response {
    let headers = page.headers_mut();
    for name in [
        header::ALLOW,
        header::WWW_AUTHENTICATE,
        header::CONTENT_LANGUAGE,
        header::RETRY_AFTER,
    ] {
        if let Some(value) = answer.get(&name) {
            headers.insert(name, value.clone());
        }
    }
    let vary = HeaderValue::from_static("Accept, Cookie, Accept-Language, origin");
    headers.insert(header::VARY, vary);
    page
}

async fn built(
    request: Request,
    status: StatusCode,
    headers: &HeaderMap,
    value: Option<Value>,
    bytes: &Bytes,
) -> BrowsePage {
    let refused = matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN);
    let missing = status == StatusCode::NOT_FOUND;
    let view = request.view;
    let is_row =
        status.is_success() && [Method::GET, Method::PUT, Method::PATCH].contains(&request.method);
    let row = match is_row {
        true => value.as_ref().filter(|value| value.is_object()),
        false => request.row.as_ref(),
    };
    let (path, query) = (request.path.as_str(), &request.query);
    let answer = value.as_ref().unwrap_or(&Value::Null);
    let (previous, next) = navigation::beside(answer);
    let open = view.filter(|_| !refused && !missing);
    let stranger = request
        .call
        .as_ref()
        .is_none_or(|call| call.who.0.is_none());
    let edit = edit(&request, status, row, answer).await;
    BrowsePage {
        name: view.map_or("Not found", |view| view.name),
        crumbs: navigation::crumbs(path, query),
        reads: view.is_none_or(|view| takes(view, "GET")),
        formats: navigation::formats(path, query),
        deletes: open.is_some_and(|view| {
            takes(view, "DELETE") && row.is_some_and(|row| holds(row, "delete"))
        }),
        actions: open
            .map(|view| navigation::actions(view, path))
            .unwrap_or_default(),
        filters: open.and_then(|view| Filters::new(view, path, query)),
        about: text::markdown(view.filter(|_| !refused).map_or("", |view| view.about)),
        previous,
        pages: navigation::pages(path, query, answer),
        next,
        method: request.method.to_string(),
        line: request.line.clone(),
        path: path.to_owned(),
        status: status.to_string(),
        headers: shown_headers(headers),
        invites: stranger && edit.is_none() && (refused || missing),
        edit,
        json: shown_json(value, bytes),
        hint: hint(status, &request.method, view),
        raw_first: request.raw_first,
        stranger,
    }
}

/// What a refusal means for a person, and what to do.
fn hint(status: StatusCode, method: &Method, view: Option<&View>) -> &'static str {
    let acts = view.is_some_and(|view| !takes(view, "GET") && takes(view, "POST"));
    match status {
        StatusCode::UNAUTHORIZED => "Nothing was done. This is only for people who are signed in.",
        StatusCode::FORBIDDEN => {
            "Nothing was done. Your role in the project does not allow this; its manager can \
             change that."
        }
        StatusCode::NOT_FOUND => {
            "There is nothing at this address, or only members of its project may see it."
        }
        StatusCode::METHOD_NOT_ALLOWED if acts && *method == Method::GET => {
            "This address does something rather than show something: send the form below."
        }
        StatusCode::CONFLICT => "Nothing was changed.",
        _ => "",
    }
}

fn takes(view: &View, method: &str) -> bool {
    view.allow.split(", ").any(|allowed| allowed == method)
}

/// Whether the row says that the caller may do this with it.
fn holds(row: &Value, word: &str) -> bool {
    let words = row.get("user_permissions").and_then(Value::as_array);
    words.is_some_and(|words| words.iter().any(|found| found == word))
}

/// The forms of a page: of a row to those who may change it, of a list and an action to all, as
/// clients of the reference know it.
async fn edit(
    request: &Request,
    status: StatusCode,
    row: Option<&Value>,
    answer: &Value,
) -> Option<Edit> {
    let view = request.view?;
    let posted = request.method == Method::POST;
    let nowhere = [StatusCode::FORBIDDEN, StatusCode::NOT_FOUND].contains(&status);
    if nowhere || (status == StatusCode::UNAUTHORIZED && !posted) {
        return None;
    }
    let changes: Vec<&'static str> = ["PUT", "PATCH"]
        .into_iter()
        .filter(|method| takes(view, method))
        .collect();
    let methods = if !changes.is_empty() {
        if !may_change(request, view, row?).await {
            return None;
        }
        changes
    } else if takes(view, "POST") {
        vec!["POST"]
    } else {
        return None;
    };
    let harmless = [Method::GET, Method::HEAD, Method::OPTIONS].contains(&request.method);
    let is_wrong = !harmless && status.is_client_error() && status != StatusCode::UNAUTHORIZED;
    let nothing = Sent::default();
    let is_list = methods == ["POST"];
    let source = Source {
        sent: if status.is_success() || harmless {
            &nothing
        } else {
            &request.sent
        },
        row: row.filter(|_| !is_list),
        query: is_list.then_some(&request.query),
        errors: is_wrong.then_some(answer),
    };
    Some(Edit::new(sent_fields(view), &methods, &source))
}

/// Whether the caller may change the row of this page.
async fn may_change(request: &Request, view: &View, row: &Value) -> bool {
    let Some(call) = request.call.as_ref().filter(|call| call.who.0.is_some()) else {
        return false;
    };
    let words = row.get("user_permissions").and_then(Value::as_array);
    // One's own account says nothing of permissions, and other rows may not.
    if words.is_none_or(Vec::is_empty) && (words.is_none() || view.path == "/users/me") {
        return crate::api::may_write(call, view, &request.path).await;
    }
    holds(row, "update") || holds(row, "change")
}

/// What may be sent to an address, where its table says more because the reference's OPTIONS does.
fn sent_fields(view: &View) -> &'static [Field] {
    view.contract.takes.unwrap_or(view.fields)
}

fn shown_json(value: Option<Value>, bytes: &Bytes) -> String {
    match value {
        Some(mut value) => {
            text::shortened(&mut value);
            text::linked(&pretty(&value, 4))
        }
        None => text::escape(&String::from_utf8_lossy(bytes)),
    }
}

/// The headers of the JSON answer, by name; what layers around it add is not shown.
fn shown_headers(headers: &HeaderMap) -> Vec<(String, String)> {
    let wanted = [
        header::ALLOW,
        header::CONTENT_TYPE,
        header::RETRY_AFTER,
        header::VARY,
        header::WWW_AUTHENTICATE,
    ];
    let shown = |name: HeaderName| {
        let value = headers.get(&name)?.to_str().ok()?;
        let value = if name == header::VARY {
            "Accept"
        } else {
            value
        };
        let words: Vec<String> = name.as_str().split('-').map(capital).collect();
        Some((words.join("-").replace("Www", "WWW"), value.to_owned()))
    };
    wanted.into_iter().filter_map(shown).collect()
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    let first = letters.next().map(|c| c.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}
