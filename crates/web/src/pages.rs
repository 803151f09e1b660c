//! The pages, one file each: templates over rows, readable without a script. What they share: the
//! table of their addresses, and an error that is a page too (`wrong`). A page that acts asks the API
//! (`act`); what it shows after that is said once (`said`).

use axum::routing::MethodRouter;

use crate::AppState;

pub mod above;
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
pub mod wrong;

pub use wrong::{PageError, PageResult, not_found, panicked};

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
