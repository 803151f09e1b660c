//! JSON: one list of whole occurrences, each on a line of its own, as the API shows one. What stands
//! in an occurrence is made in `json/shape.rs`.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::sync::Arc;

use super::super::page::{About, Page};
use super::{Format, Writer};

mod shape;

/// Format `occurrences_api_json`.
pub struct Json;

impl Format for Json {
    fn key(&self) -> &'static str {
        domain::export::JSON
    }

    fn begin(&self, file: File, _about: Arc<About>) -> io::Result<Box<dyn Writer>> {
        let mut file = BufWriter::new(file);
        file.write_all(b"[")?;
        Ok(Box::new(List { file, begun: false }))
    }
}

struct List {
    file: BufWriter<File>,
    begun: bool,
}

impl Writer for List {
    fn write(&mut self, page: &Page) -> io::Result<()> {
        for row in &page.rows {
            if self.begun {
                self.file.write_all(b",\n")?;
            }
            self.begun = true;
            serde_json::to_writer(&mut self.file, &shape::whole(page, row))?;
        }
        Ok(())
    }

    fn end(mut self: Box<Self>) -> io::Result<()> {
        self.file.write_all(b"]")?;
        self.file.flush()
    }
}
