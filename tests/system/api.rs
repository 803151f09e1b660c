//! The API, one file per resource.

mod account;
mod capture_sets;
mod captures;
mod format;
mod jobs;
mod login;
mod people;
mod places;
mod projects;
mod results;
mod sessions;
mod uploads;
mod zone;
