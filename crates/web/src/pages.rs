//! The pages, one file each: templates over rows, readable without a script. What they share: the
//! table of their addresses, and an error that is a page too. A page that acts asks the API
//! (`act`); what it shows after that is said once (`said`).

use askama::Template;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::MethodRouter;
use rest::ApiError;

use crate::AppState;

pub mod act;
pub mod at;
pub mod bars;
pub mod browse;
pub mod capture;
pub mod captures;
pub mod columns;
pub mod data;
pub mod docs;
pub mod form;
pub mod job;
pub mod jobs;
pub mod login;
pub mod me;
pub mod model;
pub mod offered;
pub mod overview;
pub mod people;
pub mod processing;
pub mod projects;
pub mod reset;
pub mod said;
pub mod schedules;
pub mod server;
pub mod session;
pub mod sessions;
pub mod top;

/// An address below where the pages begin, and its handlers.
pub type Route = (&'static str, fn() -> MethodRouter<AppState>);

/// All pages about projects: one table each.
pub const ROUTES: &[&[Route]] = &[
    projects::ROUTES,
    jobs::ROUTES,
    job::ROUTES,
    schedules::ROUTES,
    overview::ROUTES,
    captures::ROUTES,
    processing::ROUTES,
    data::ROUTES,
    people::ROUTES,
    me::ROUTES,
    server::ROUTES,
    capture::ROUTES,
    sessions::ROUTES,
    session::ROUTES,
];

/// A page that says something went wrong: what, what it means, what to do.
#[derive(Template)]
#[template(path = "message.html")]
struct Message<'a> {
    title: &'a str,
    text: &'a str,
}

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
        let status = self.0.status();
        if let ApiError::Internal(what) = &self.0 {
            tracing::error!(what, "a page failed");
        }
        let (title, text) = match status {
            StatusCode::NOT_FOUND => (
                "There is nothing here",
                "The address names no page of this server, or one that only members of its \
                 project may see. Nothing is lost; go back, or start from the first page.",
            ),
            StatusCode::FORBIDDEN if matches!(self.0, ApiError::ForbiddenBecause(_)) => (
                "Nothing was done",
                "The request did not come from a page of this server that was made for you, or \
                 that page is too old. Nothing was changed; go back, load the page anew and try \
                 again.",
            ),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => (
                "Not for you",
                "This page is for members of the project. Ask its manager to add you.",
            ),
            _ => (
                "The page could not be made",
                "The server could not read what it needs. Your data is as it was; try again in \
                 a moment, and if it stays so, tell whoever runs this server.",
            ),
        };
        message(status, title, text)
    }
}

fn message(status: StatusCode, title: &str, text: &str) -> Response {
    let page = Message { title, text }.render();
    (status, Html(page.unwrap_or_else(|_| text.to_owned()))).into_response()
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
