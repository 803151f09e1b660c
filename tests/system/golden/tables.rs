//! Antenna's tables and what becomes of each in Hawkmoth, one file per table. The idea: a table
//! is one entry, and the order of the entries is the order in which rows can be written.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use chrono::{DateTime, Utc};
use store::testing::rows::Row;

use super::bucket::Bucket;
use super::earlier;
use super::sheet::{self, Line};

mod algorithm;
mod capture;
mod capture_set;
mod category_map;
mod classification;
mod detection;
mod device;
mod export;
mod identification;
mod job;
mod job_log;
mod occurrence;
mod pipeline;
mod processing_service;
mod project;
mod session;
mod site;
mod station;
mod storage_source;
mod taxa_list;
mod taxon;
mod user;

/// What the rows are made for.
pub struct Moment<'a> {
    pub instant: DateTime<Utc>,
    /// Whether jobs are run: nobody runs those that were at work.
    pub workers: bool,
    /// Where the push service answers now.
    pub service: &'a str,
    /// What the storages are now.
    pub bucket: &'a Bucket,
}

/// One table of Antenna's.
pub struct Table {
    /// Its name there.
    pub name: &'static str,
    /// Columns without whose row this one cannot be: column and table.
    pub needs: &'static [(&'static str, &'static str)],
    /// Columns that are emptied where their row is not there.
    pub links: &'static [(&'static str, &'static str)],
    /// What becomes of a row.
    pub rows: fn(&Line) -> Vec<Row>,
}

const TABLES: &[&Table] = &[
    &user::USERS,
    &user::TOKENS,
    &category_map::MAPS,
    &algorithm::ALGORITHMS,
    &pipeline::PIPELINES,
    &pipeline::ALGORITHMS,
    &project::PROJECTS,
    &project::MEMBERS,
    &pipeline::OF_PROJECTS,
    &processing_service::SERVICES,
    &processing_service::PIPELINES,
    &processing_service::PROJECTS,
    &site::SITES,
    &device::DEVICES,
    &storage_source::SOURCES,
    &station::STATIONS,
    &session::SESSIONS,
    &capture::CAPTURES,
    &capture_set::SETS,
    &capture_set::MEMBERS,
    &taxon::TAXA,
    &taxa_list::LISTS,
    &taxon::OF_PROJECTS,
    &taxa_list::MEMBERS,
    &taxa_list::OF_PROJECTS,
    &occurrence::OCCURRENCES,
    &detection::DETECTIONS,
    &classification::CLASSIFICATIONS,
    &identification::IDENTIFICATIONS,
    &export::EXPORTS,
    &job::JOBS,
    &job_log::LINES,
];

/// The rows of an installation as it was at some instant: those made by then, less the jobs in
/// `without` and all that hangs on them.
pub fn until(folder: &Path, moment: &Moment<'_>, without: &HashSet<i64>) -> Vec<Row> {
    let roles = user::roles(folder);
    let mut kept: HashMap<&str, HashSet<i64>> = HashMap::new();
    let mut rows = Vec::new();
    for table in TABLES {
        let mut lines = sheet::read(folder, table.name);
        // A row of a table may name an earlier one of the same.
        lines.sort_by_key(|line| line.known("id").and_then(|text| text.parse::<i64>().ok()));
        for mut line in lines {
            let early = line.made().is_none_or(|made| made <= moment.instant);
            let here = |(column, table): &(&str, &str)| line.names_one_of(column, kept.get(table));
            let known = line
                .is_of_job(table.name)
                .is_some_and(|id| without.contains(&id));
            if known || !early || !table.needs.iter().all(here) {
                continue;
            }
            earlier::restore(table.name, &mut line, moment.instant);
            for (column, table) in table.links {
                if !line.names_one_of(column, kept.get(table)) {
                    line.clear(column);
                }
            }
            let found = (table.rows)(&line);
            rows.extend(found.into_iter().map(|row| {
                let row = roles.complete(&line, row);
                let row = job::complete(&line, row, moment.workers);
                let row = storage_source::complete(&line, row, moment.bucket);
                processing_service::complete(&line, row, moment.service)
            }));
            if table.name != "authtoken_token" {
                let id = line.int("id").unwrap();
                kept.entry(table.name).or_default().insert(id);
            }
        }
    }
    rows
}
