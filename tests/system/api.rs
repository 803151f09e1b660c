//! The API, one file per resource.

mod account;
mod format;
mod history;
mod jobs;
mod login;
mod once;
mod people;
mod places;
mod projects;
mod schema;
mod settings;
mod stations;
mod status;
mod storage;
mod zone;
