//! The browsable page of an API address: what it is about, what was asked, and the answer with
//! every link in it (`browsable-api.md` §2). Readable without a script.

use askama::Template;
use axum::body::to_bytes;
use axum::http::{Method, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use rest::ApiError;
use rest::query::Query;
use serde_json::Value;

use crate::AppState;
use crate::auth::Who;
use crate::shape::pretty;
use crate::views::{self, View};

/// What was asked.
pub struct Request {
    pub method: Method,
    /// Path and query as they came.
    pub line: String,
    pub path: String,
    pub query: Query,
    pub view: Option<&'static View>,
    pub who: Who,
}

#[derive(Template)]
#[template(path = "browse.html")]
struct BrowsePage {
    name: String,
    user: Option<String>,
    crumbs: Vec<(String, String)>,
    reads: bool,
    formats: Vec<(&'static str, String)>,
    about: String,
    actions: Vec<(&'static str, String)>,
    pages: Vec<(&'static str, String)>,
    method: String,
    line: String,
    status: String,
    headers: Vec<(String, String)>,
    json: String,
}

/// The page around an answer. The status stays the answer's own; an empty answer (204) is sent
/// as 200, because a page needs a body.
pub async fn page(_state: &AppState, request: Request, answer: Response) -> Response {
    let (parts, body) = answer.into_parts();
    let Ok(bytes) = to_bytes(body, usize::MAX).await else {
        return ApiError::Internal("an answer broke off".to_owned()).into_response();
    };
    let value: Option<Value> = serde_json::from_slice(&bytes).ok();
    let status = parts.status;
    let refused = matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN);
    let about = request
        .view
        .filter(|_| !refused)
        .map_or("", |view| view.about);
    let page = BrowsePage {
        name: request.view.map_or("Api Root", |view| view.name).to_owned(),
        user: request.who.0.as_ref().map(|user| user.email.clone()),
        crumbs: crumbs(&request),
        reads: request.view.is_none_or(|view| view.allow.contains("GET")),
        formats: formats(&request),
        about: markdown(about),
        actions: if refused {
            Vec::new()
        } else {
            actions(&request)
        },
        pages: pages(value.as_ref()),
        method: request.method.to_string(),
        line: request.line.clone(),
        status: status.to_string(),
        headers: shown_headers(&parts.headers),
        json: value
            .map(|value| linked(&pretty(&value, 4)))
            .unwrap_or_default(),
    };
    let sent = if status == StatusCode::NO_CONTENT {
        StatusCode::OK
    } else {
        status
    };
    match page.render() {
        Ok(html) => {
            let mut response = (sent, Html(html)).into_response();
            for name in [
                header::VARY,
                header::ALLOW,
                header::WWW_AUTHENTICATE,
                header::CONTENT_LANGUAGE,
            ] {
                if let Some(value) = parts.headers.get(&name) {
                    response.headers_mut().insert(name, value.clone());
                }
            }
            response
        }
        Err(error) => ApiError::Internal(error.to_string()).into_response(),
    }
}

/// Markdown as HTML.
pub(crate) fn markdown(text: &str) -> String {
    let mut html = String::new();
    pulldown_cmark::html::push_html(&mut html, pulldown_cmark::Parser::new(text));
    html
}

/// The headers of the JSON answer, by name.
fn shown_headers(headers: &axum::http::HeaderMap) -> Vec<(String, String)> {
    let wanted = [
        header::ALLOW,
        header::CONTENT_TYPE,
        header::VARY,
        header::WWW_AUTHENTICATE,
    ];
    let shown = |name: header::HeaderName| {
        let value = headers.get(&name)?.to_str().ok()?.to_owned();
        let words: Vec<String> = name.as_str().split('-').map(capital).collect();
        Some((words.join("-").replace("Www", "WWW"), value))
    };
    wanted.into_iter().filter_map(shown).collect()
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    let first = letters.next().map(|c| c.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}

/// Whether a path of the API fits a pattern of the table.
fn fits(pattern: &str, path: &str) -> bool {
    let (a, b) = (pattern.split('/'), path.split('/'));
    pattern.split('/').count() == path.split('/').count()
        && a.zip(b)
            .all(|(p, s)| p == s || (p.starts_with('{') && s.chars().all(|c| c.is_ascii_digit())))
}

/// The addresses above this one that exist, ending with it; a named format is kept.
fn crumbs(request: &Request) -> Vec<(String, String)> {
    let keep = request
        .query
        .get("format")
        .map_or(String::new(), |f| format!("?format={f}"));
    let mut crumbs = vec![("Api Root".to_owned(), format!("/api/v2/{keep}"))];
    let below = request.path.strip_prefix("/api/v2").unwrap_or_default();
    let mut path = String::new();
    for part in below.split('/').filter(|part| !part.is_empty()) {
        path = format!("{path}/{part}");
        if let Some(view) = views::all().find(|view| fits(view.path, &path)) {
            crumbs.push((view.name.to_owned(), format!("/api/v2{path}/{keep}")));
        }
    }
    crumbs
}

fn formats(request: &Request) -> Vec<(&'static str, String)> {
    let with = |format: &'static str| {
        let query = request.query.with(&[("format", Some(format.to_owned()))]);
        (format, format!("{}?{query}", request.path))
    };
    ["json", "api"].map(with).to_vec()
}

/// What can be done with the row of this page.
fn actions(request: &Request) -> Vec<(&'static str, String)> {
    let Some(view) = request.view.filter(|view| view.path.ends_with("{id}")) else {
        return Vec::new();
    };
    let below = format!("{}/", view.path);
    let path = request.path.trim_end_matches('/');
    let mut found: Vec<_> = views::all()
        .filter_map(|other| {
            let name = other.path.strip_prefix(&below)?;
            Some((name, format!("{path}/{name}/")))
        })
        .collect();
    found.sort_unstable();
    found
}

fn pages(value: Option<&Value>) -> Vec<(&'static str, String)> {
    let link = |name: &str| Some(value?.get(name)?.as_str()?.to_owned());
    let previous = link("previous").map(|url| ("« Previous", url));
    let next = link("next").map(|url| ("Next »", url));
    previous.into_iter().chain(next).collect()
}

/// JSON as HTML: escaped, every address a link.
fn linked(json: &str) -> String {
    let mut html = String::with_capacity(json.len() * 2);
    let mut rest = json;
    while let Some(start) = rest.find("\"http") {
        let (before, from) = rest.split_at(start + 1);
        html.push_str(&escape(before));
        let end = from.find('"').unwrap_or(from.len());
        let (text, after) = from.split_at(end);
        if text.starts_with("http://") || text.starts_with("https://") {
            let shown = escape(text);
            html.push_str(&format!("<a href=\"{shown}\" rel=\"nofollow\">{shown}</a>"));
        } else {
            html.push_str(&escape(text));
        }
        rest = after;
    }
    html.push_str(&escape(rest));
    html
}

fn escape(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#x27;"),
            other => html.push(other),
        }
    }
    html
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_address_in_the_answer_is_a_link_and_nothing_else_is() {
        let html = linked("{\"a\": \"http://h/<x>&y\", \"b\": \"httpx\", \"c\": \"<b>\"}");
        assert!(html.contains("<a href=\"http://h/&lt;x&gt;&amp;y\" rel=\"nofollow\">"));
        assert_eq!(html.matches("<a ").count(), 1);
        assert!(!html.contains("<b>"));
    }

    #[test]
    fn patterns_fit_their_addresses() {
        assert!(fits("/jobs/{id}", "/jobs/17"));
        assert!(!fits("/jobs/{id}", "/jobs/next"));
        assert!(!fits("/jobs/{id}", "/jobs"));
    }
}
