//! The API, one file per resource.

mod format;
mod jobs;
mod login;
mod ml;
mod people;
mod places;
mod projects;
