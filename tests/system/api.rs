//! The API, one file per resource.

mod account;
mod capture_sets;
mod captures;
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
mod results;
mod schedules;
mod schema;
mod sessions;
mod settings;
mod stations;
mod status;
mod storage;
mod taxa;
mod uploads;
mod zone;
