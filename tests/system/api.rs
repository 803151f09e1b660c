//! The API, one file per resource.

mod account;
mod exports;
mod format;
mod history;
mod identifications;
mod jobs;
mod login;
mod ml;
mod occurrences;
mod once;
mod people;
mod places;
mod projects;
mod settings;
mod stations;
mod status;
mod storage;
mod taxa;
mod zone;
