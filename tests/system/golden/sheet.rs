//! The rows of one Antenna table as they were written to CSV. The idea: a column is asked for by
//! name and by what it holds, so that a mapping reads like a list.

use std::collections::HashSet;
use std::path::Path;

use chrono::{DateTime, NaiveDateTime, Utc};
use chrono_tz::America::New_York;
use serde_json::Value;

use crate::antenna::tables::{self, Record};

/// One row.
#[derive(Clone)]
pub struct Line(Record);

/// Reads a table; an empty field is NULL or the empty text, which the files do not tell apart.
pub fn read(folder: &Path, table: &str) -> Vec<Line> {
    let file = folder.join("antenna-db").join(format!("{table}.csv"));
    tables::read(&file).into_iter().map(Line).collect()
}

impl Line {
    /// The text of a column that the table may lack.
    pub fn known(&self, column: &str) -> Option<&String> {
        self.0.get(column)
    }

    pub fn text(&self, column: &str) -> String {
        let found = self.0.get(column);
        found.unwrap_or_else(|| panic!("no {column}")).clone()
    }

    pub fn some_text(&self, column: &str) -> Option<String> {
        Some(self.text(column)).filter(|text| !text.is_empty())
    }

    pub fn int(&self, column: &str) -> Option<i64> {
        self.some_text(column).map(|text| text.parse().unwrap())
    }

    pub fn float(&self, column: &str) -> Option<f64> {
        self.some_text(column).map(|text| text.parse().unwrap())
    }

    pub fn bool(&self, column: &str) -> Option<bool> {
        self.some_text(column).map(|text| text == "t")
    }

    pub fn json(&self, column: &str) -> Option<Value> {
        let text = self.some_text(column)?;
        Some(serde_json::from_str(&text).unwrap())
    }

    /// An instant: `2026-11-23 13:15:13.645468+00`.
    pub fn instant(&self, column: &str) -> Option<DateTime<Utc>> {
        let text = self.some_text(column)?;
        let read = DateTime::parse_from_str(&text, "%Y-%m-%d %H:%M:%S%.f%#z");
        Some(read.unwrap_or_else(|e| panic!("{text}: {e}")).to_utc())
    }

    /// What Antenna keeps as an instant and Hawkmoth as a clock on the wall.
    pub fn local(&self, column: &str) -> Option<NaiveDateTime> {
        let instant = self.instant(column)?;
        Some(instant.with_timezone(&New_York).naive_local())
    }

    /// A PostgreSQL array of texts or numbers: `{Moth,"Not a moth"}`.
    pub fn array(&self, column: &str) -> Option<Value> {
        let text = self.some_text(column)?;
        let inner = text.trim_start_matches('{').trim_end_matches('}');
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .from_reader(inner.as_bytes());
        let record = reader.records().next().map(Result::unwrap);
        let items = record.unwrap_or_default();
        let item = |text: &str| match text.parse::<f64>() {
            Ok(number) => Value::from(number),
            Err(_) => Value::from(text),
        };
        Some(items.iter().map(item).collect())
    }

    /// When the row was made, where the table says so.
    pub fn made(&self) -> Option<DateTime<Utc>> {
        let column = ["created_at", "created", "date_joined"]
            .into_iter()
            .find(|column| self.0.contains_key(*column))?;
        self.instant(column)
    }

    /// Whether the row that this column names is among these, or none is named.
    pub fn names_one_of(&self, column: &str, ids: Option<&HashSet<i64>>) -> bool {
        let known = |id| ids.is_some_and(|ids| ids.contains(&id));
        self.int(column).is_none_or(known)
    }

    /// The job that a row of this table is or belongs to.
    pub fn is_of_job(&self, table: &str) -> Option<i64> {
        match table {
            "jobs_job" => self.int("id"),
            "jobs_joblog" => self.int("job_id"),
            _ => None,
        }
    }

    /// The row as a text for each column.
    pub fn record(self) -> Record {
        self.0
    }

    pub fn clear(&mut self, column: &str) {
        self.set(column, "");
    }

    pub fn set(&mut self, column: &str, text: &str) {
        self.0.insert(column.to_owned(), text.to_owned());
    }
}
