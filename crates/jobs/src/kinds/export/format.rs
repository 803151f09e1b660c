//! How occurrences are written: the interface, and the one list of what can be. The idea: a writer is
//! given pages in the order of the file and keeps no more than one of them, so a file of a million
//! occurrences needs the memory of a small one. Names and endings stand in `domain::export`.

use std::fs::File;
use std::io;
use std::sync::Arc;

use super::page::{About, Page};

mod columns;
mod csv;
mod darwin_core;
mod json;
mod parquet;

/// A kind of file.
pub trait Format: Send + Sync {
    /// Its key, as in `domain::export::FORMATS`.
    fn key(&self) -> &'static str;

    /// Begins an empty file.
    ///
    /// # Errors
    /// Errors of the file.
    fn begin(&self, file: File, about: Arc<About>) -> io::Result<Box<dyn Writer>>;
}

/// Writes one file. What it writes depends on the pages and [`About`] alone: no clock, no chance.
pub trait Writer: Send {
    /// Writes the next occurrences.
    ///
    /// # Errors
    /// Errors of the file.
    fn write(&mut self, page: &Page) -> io::Result<()>;

    /// Writes what stands at the end; the file is whole then.
    ///
    /// # Errors
    /// Errors of the file.
    fn end(self: Box<Self>) -> io::Result<()>;
}

/// What can be written.
static FORMATS: &[&dyn Format] = &[
    &json::Json,
    &csv::Csv,
    &darwin_core::DarwinCore,
    &parquet::Parquet,
];

/// The format with this key.
pub fn find(key: &str) -> Option<&'static dyn Format> {
    FORMATS.iter().copied().find(|format| format.key() == key)
}

#[cfg(test)]
mod tests;
