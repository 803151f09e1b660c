//! CSV: a line of text for each occurrence, in the forms of Python's `str` and the layout of its
//! `csv` module, for that is how the reference writes them and spreadsheets read them.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::sync::Arc;

use chrono::{Duration, NaiveDateTime};
use rest::python::float;

use super::super::page::{About, Page};
use super::columns::{COLUMNS, Cell, cells};
use super::{Format, Writer};

/// Format `occurrences_simple_csv`.
pub struct Csv;

impl Format for Csv {
    fn key(&self) -> &'static str {
        domain::export::CSV
    }

    fn begin(&self, file: File, _about: Arc<About>) -> io::Result<Box<dyn Writer>> {
        let mut lines = csv::WriterBuilder::new()
            .terminator(csv::Terminator::CRLF)
            .from_writer(BufWriter::new(file));
        lines.write_record(COLUMNS.map(|(name, _)| name))?;
        Ok(Box::new(Lines(lines)))
    }
}

struct Lines(csv::Writer<BufWriter<File>>);

impl Writer for Lines {
    fn write(&mut self, page: &Page) -> io::Result<()> {
        for row in &page.rows {
            for cell in cells(page, row) {
                self.0.write_field(text(cell).as_bytes())?;
            }
            self.0.write_record(None::<&[u8]>)?;
        }
        Ok(())
    }

    fn end(self: Box<Self>) -> io::Result<()> {
        let lines = self.0.into_inner().map_err(|error| error.into_error())?;
        lines
            .into_inner()
            .map_err(|error| error.into_error())?
            .flush()
    }
}

/// A value as Python's `str` writes it; none is empty.
fn text(cell: Cell<'_>) -> Cow<'_, str> {
    match cell {
        Cell::Empty => Cow::Borrowed(""),
        Cell::Number(number) => number.to_string().into(),
        Cell::Decimal(number) => float(number).into(),
        Cell::Flag(true) => Cow::Borrowed("True"),
        Cell::Flag(false) => Cow::Borrowed("False"),
        Cell::Text(text) => text,
        Cell::Time(time) => moment(time).into(),
        Cell::Span(span) => length(span).into(),
    }
}

/// `2022-08-10 23:15:07`, with a fraction only where there is one.
fn moment(time: NaiveDateTime) -> String {
    rest::time::naive(time).replacen('T', " ", 1)
}

/// `0:05:00`, `1 day, 2:00:00`, `0:00:00.500000`.
fn length(span: Duration) -> String {
    let days = span.num_seconds().div_euclid(86_400);
    let rest = span - Duration::seconds(days * 86_400);
    let seconds = rest.num_seconds();
    let micros = rest.subsec_nanos() / 1000;
    let days = match days {
        0 => String::new(),
        1 | -1 => format!("{days} day, "),
        _ => format!("{days} days, "),
    };
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let fraction = match micros {
        0 => String::new(),
        micros => format!(".{micros:06}"),
    };
    format!("{days}{hours}:{minutes:02}:{seconds:02}{fraction}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_written_as_python_writes_them() {
        for (micros, expected) in [
            (0, "0:00:00"),
            (300_000_000, "0:05:00"),
            (93_600_000_000, "1 day, 2:00:00"),
            (172_800_000_001, "2 days, 0:00:00.000001"),
            (-1_000_000, "-1 day, 23:59:59"),
        ] {
            assert_eq!(length(Duration::microseconds(micros)), expected);
        }
    }

    #[test]
    fn times_and_numbers_are_written_as_python_writes_them() {
        let time = |text| {
            rest::time::read(text)
                .map(Cell::Time)
                .unwrap_or(Cell::Empty)
        };
        for (cell, expected) in [
            (time("2022-08-10T23:15:07"), "2022-08-10 23:15:07"),
            (time("2022-08-10T23:15:07.5"), "2022-08-10 23:15:07.500000"),
            (Cell::Decimal(0.000_05), "5e-05"),
            (Cell::Decimal(1.0), "1.0"),
            (Cell::Flag(true), "True"),
            (Cell::Empty, ""),
        ] {
            assert_eq!(text(cell), expected);
        }
    }
}
