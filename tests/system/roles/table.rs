//! The table: method, address, what it is about, what is sent, and what each role hears. Its rows
//! stand by resource in the files of this folder, the answers by name in `table/heard.rs`.

mod captures;
mod heard;
mod jobs;
mod ml;
mod people;
mod places;
mod results;
mod schedules;
mod taxa;
mod webhooks;

use super::target::Target;

/// One row.
pub struct Row {
    pub method: &'static str,
    pub path: &'static str,
    pub query: &'static str,
    pub target: Target,
    pub body: &'static str,
    pub heard: [u16; 10],
}

const fn row(
    method: &'static str,
    path: &'static str,
    target: Target,
    body: &'static str,
    heard: [u16; 10],
) -> Row {
    Row {
        method,
        path,
        query: "",
        target,
        body,
        heard,
    }
}

impl Row {
    const fn query(self, query: &'static str) -> Row {
        Row { query, ..self }
    }
}

const NAME: &str = r#"{"name": "Renamed $n"}"#;

/// The parts of the table.
const PARTS: &[&[Row]] = &[
    jobs::ROWS,
    schedules::ROWS,
    webhooks::ROWS,
    places::ROWS,
    people::ROWS,
    captures::ROWS,
    results::ROWS,
    taxa::ROWS,
    ml::ROWS,
];

/// All rows.
pub fn rows() -> impl Iterator<Item = &'static Row> {
    PARTS.iter().copied().flatten()
}
