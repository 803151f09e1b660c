//! Parquet: the columns of the table as typed columns, for programs that analyse. The idea: rows are
//! gathered into groups of one size and each group is written as soon as it is full, so memory
//! holds one group. Times are local times of stations, without a zone; durations are seconds.

use std::fs::File;
use std::io;
use std::sync::Arc;

use parquet::basic::Compression;
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DoubleType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use parquet::schema::parser::parse_message_type;

use super::super::page::{About, Page};
use super::columns::{COLUMNS, Cell, Kind, WIDTH, cells};
use super::{Format, Writer};

/// Rows of a group: a few megabytes in memory.
const GROUP: usize = 10_000;

/// Format `occurrences_parquet`.
pub struct Parquet;

impl Format for Parquet {
    fn key(&self) -> &'static str {
        domain::export::PARQUET
    }

    fn begin(&self, file: File, _about: Arc<About>) -> io::Result<Box<dyn Writer>> {
        let schema = parse_message_type(&schema()).map_err(failed)?;
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .build();
        let writer = SerializedFileWriter::new(file, Arc::new(schema), Arc::new(properties));
        Ok(Box::new(Groups {
            writer: writer.map_err(failed)?,
            columns: COLUMNS.map(|(_, kind)| Column::new(kind)),
            rows: 0,
        }))
    }
}

/// The schema in Parquet's own words.
fn schema() -> String {
    let fields = COLUMNS.map(|(name, kind)| match kind {
        Kind::Number => format!("optional int64 {name};"),
        Kind::Decimal | Kind::Span => format!("optional double {name};"),
        Kind::Flag => format!("optional boolean {name};"),
        Kind::Text => format!("optional byte_array {name} (STRING);"),
        Kind::Time => format!("optional int64 {name} (TIMESTAMP(MICROS,false));"),
    });
    format!("message occurrences {{ {} }}", fields.join(" "))
}

fn failed(error: ParquetError) -> io::Error {
    io::Error::other(error)
}

/// The values of one column that are not empty, and which rows have one.
struct Column {
    values: Values,
    present: Vec<i16>,
}

enum Values {
    Numbers(Vec<i64>),
    Decimals(Vec<f64>),
    Flags(Vec<bool>),
    Texts(Vec<ByteArray>),
}

impl Column {
    fn new(kind: Kind) -> Column {
        let values = match kind {
            Kind::Number | Kind::Time => Values::Numbers(Vec::new()),
            Kind::Decimal | Kind::Span => Values::Decimals(Vec::new()),
            Kind::Flag => Values::Flags(Vec::new()),
            Kind::Text => Values::Texts(Vec::new()),
        };
        Column {
            values,
            present: Vec::new(),
        }
    }

    fn push(&mut self, cell: Cell<'_>) {
        match (&mut self.values, cell) {
            (Values::Numbers(all), Cell::Number(number)) => all.push(number),
            (Values::Numbers(all), Cell::Time(time)) => {
                all.push(time.and_utc().timestamp_micros());
            }
            (Values::Decimals(all), Cell::Decimal(number)) => all.push(number),
            (Values::Decimals(all), Cell::Span(span)) => all.push(span.as_seconds_f64()),
            (Values::Flags(all), Cell::Flag(flag)) => all.push(flag),
            (Values::Texts(all), Cell::Text(text)) => all.push(text.as_bytes().to_vec().into()),
            _ => return self.present.push(0),
        }
        self.present.push(1);
    }

    fn write(&mut self, mut to: SerializedColumnWriter<'_>) -> Result<(), ParquetError> {
        let present = Some(self.present.as_slice());
        match &mut self.values {
            Values::Numbers(all) => {
                to.typed::<Int64Type>().write_batch(all, present, None)?;
                all.clear();
            }
            Values::Decimals(all) => {
                to.typed::<DoubleType>().write_batch(all, present, None)?;
                all.clear();
            }
            Values::Flags(all) => {
                to.typed::<BoolType>().write_batch(all, present, None)?;
                all.clear();
            }
            Values::Texts(all) => {
                to.typed::<ByteArrayType>()
                    .write_batch(all, present, None)?;
                all.clear();
            }
        }
        self.present.clear();
        to.close()
    }
}

struct Groups {
    writer: SerializedFileWriter<File>,
    columns: [Column; WIDTH],
    rows: usize,
}

impl Groups {
    /// Writes the rows so far as a group.
    fn group(&mut self) -> io::Result<()> {
        if self.rows == 0 {
            return Ok(());
        }
        let mut group = self.writer.next_row_group().map_err(failed)?;
        for column in &mut self.columns {
            if let Some(writer) = group.next_column().map_err(failed)? {
                column.write(writer).map_err(failed)?;
            }
        }
        group.close().map_err(failed)?;
        self.rows = 0;
        Ok(())
    }
}

impl Writer for Groups {
    fn write(&mut self, page: &Page) -> io::Result<()> {
        for row in &page.rows {
            for (column, cell) in self.columns.iter_mut().zip(cells(page, row)) {
                column.push(cell);
            }
            self.rows += 1;
            if self.rows >= GROUP {
                self.group()?;
            }
        }
        Ok(())
    }

    fn end(mut self: Box<Self>) -> io::Result<()> {
        self.group()?;
        self.writer.close().map_err(failed)?;
        Ok(())
    }
}
