//! All calls of the web client, in the order of `ui.md`: one table a section.

mod account;
mod captures;
mod jobs;
mod processing;
mod projects;
mod sessions;
mod stations;
mod taxa;

use super::row::Row;

/// Title and rows of each section.
pub const SECTIONS: &[(&str, &[Row])] = &[
    ("A.2 Authentication and users", account::ROWS),
    ("A.3 Projects and shell", projects::ROWS),
    ("A.4 Jobs", jobs::ROWS),
    ("A.5 Captures and capture sets", captures::ROWS),
    ("A.6 Deployments, sites, devices, storage", stations::ROWS),
    ("A.7 Processing", processing::ROWS),
    ("A.8 Sessions and occurrences", sessions::ROWS),
    ("A.9 Taxa, lists, tags, team", taxa::ROWS),
];
