//! The API, one file per resource.

mod jobs;
mod login;
