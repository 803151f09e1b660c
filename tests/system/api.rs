//! The API, one file per resource.

mod exports;
mod format;
mod identifications;
mod jobs;
mod login;
mod ml;
mod occurrences;
mod people;
mod places;
mod projects;
mod taxa;
