//! The API, one file per resource.

mod account;
mod format;
mod jobs;
mod login;
mod people;
mod places;
mod projects;
mod schema;
mod zone;
