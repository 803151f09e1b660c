//! Darwin Core Archive: a zip that GBIF and other portals of biodiversity read
//! (<https://dwc.tdwg.org/text/>): `meta.xml` says which column holds which term, `eml.xml` what the
//! data set is, `occurrence.txt` has a line for each occurrence and `multimedia.txt` one for each
//! box. The idea: the tables and `meta.xml` are made of one list of terms (`darwin_core/terms.rs`). A
//! zip is written one file after the other, so pictures wait in a file of their own.

use std::fs::File;
use std::io::{self, BufWriter, Seek, Write};
use std::sync::Arc;

use askama::Template;
use zip::write::SimpleFileOptions;
use zip::{DateTime, ZipWriter};

use super::super::page::{About, Page};
use super::{Format, Writer};
use terms::{Line, MEDIA, OCCURRENCE, Picture, Term};

mod terms;

/// Format `occurrences_darwin_core`.
pub struct DarwinCore;

/// `meta.xml`.
#[derive(Template)]
#[template(path = "darwin_core/meta.xml")]
struct Meta {
    occurrence: Vec<&'static str>,
    media: Vec<&'static str>,
}

/// `eml.xml`, as GBIF's profile of the Ecological Metadata Language asks for it.
#[derive(Template)]
#[template(path = "darwin_core/eml.xml")]
struct Eml<'a> {
    id: String,
    title: String,
    project: String,
    about: String,
    day: String,
    home: &'a str,
}

impl Format for DarwinCore {
    fn key(&self) -> &'static str {
        domain::export::DARWIN_CORE
    }

    fn begin(&self, file: File, about: Arc<About>) -> io::Result<Box<dyn Writer>> {
        let mut zip = ZipWriter::new(BufWriter::new(file));
        // The export's own time: the same bytes in every run.
        let at = DateTime::try_from(about.export.created_at.naive_utc()).unwrap_or_default();
        let options = SimpleFileOptions::default().last_modified_time(at);
        let meta = Meta {
            occurrence: OCCURRENCE.iter().map(|term| term.uri).collect(),
            media: MEDIA.iter().map(|term| term.uri).collect(),
        };
        for (name, text) in [
            ("meta.xml", meta.render()),
            ("eml.xml", eml(&about).render()),
        ] {
            zip.start_file(name, options)?;
            zip.write_all(text.map_err(io::Error::other)?.as_bytes())?;
            zip.write_all(b"\n")?;
        }
        // More than 4 GB of text fit in.
        let options = options.large_file(true);
        zip.start_file("occurrence.txt", options)?;
        zip.write_all(heading("", OCCURRENCE).as_bytes())?;
        let mut media = BufWriter::new(tempfile::tempfile_in(&about.folder)?);
        media.write_all(heading("coreid", MEDIA).as_bytes())?;
        Ok(Box::new(Archive {
            zip,
            media,
            options,
        }))
    }
}

fn eml(about: &About) -> Eml<'_> {
    let project = clean(&about.project.name);
    let description = clean(&about.project.description);
    Eml {
        id: about.row("exports", about.export.id),
        title: format!("Occurrences of {project}"),
        about: match description.is_empty() {
            true => format!("Insects seen by the camera stations of {project}."),
            false => description,
        },
        project,
        day: about.export.created_at.format("%Y-%m-%d").to_string(),
        home: about.links.public_url(),
    }
}

/// The first line of a table.
fn heading<V>(first: &str, terms: &[Term<V>]) -> String {
    let names = terms.iter().map(|term| term.name());
    let first = Some(first).filter(|first| !first.is_empty());
    let names: Vec<&str> = first.into_iter().chain(names).collect();
    names.join("\t") + "\n"
}

/// A text without what separates columns and lines, and without what XML cannot hold.
fn clean(text: &str) -> String {
    let kept = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    let kept = kept.filter(|c| !matches!(c, '\u{fffe}' | '\u{ffff}'));
    kept.collect::<String>().trim().to_owned()
}

struct Archive {
    zip: ZipWriter<BufWriter<File>>,
    media: BufWriter<File>,
    options: SimpleFileOptions,
}

/// A line of a table.
fn line(values: impl Iterator<Item = Option<String>>) -> String {
    let values = values.map(|value| clean(&value.unwrap_or_default()));
    values.collect::<Vec<String>>().join("\t") + "\n"
}

impl Writer for Archive {
    fn write(&mut self, page: &Page) -> io::Result<()> {
        for row in &page.rows {
            let of = Line::read(page, row);
            let values = OCCURRENCE.iter().map(|term| (term.value)(&of));
            self.zip.write_all(line(values).as_bytes())?;
            for seen in page.boxes(row) {
                let picture = Picture { page, seen };
                let values = MEDIA.iter().map(|term| (term.value)(&picture));
                let values = std::iter::once(Some(of.address())).chain(values);
                self.media.write_all(line(values).as_bytes())?;
            }
        }
        Ok(())
    }

    fn end(mut self: Box<Self>) -> io::Result<()> {
        let mut media = self
            .media
            .into_inner()
            .map_err(|error| error.into_error())?;
        media.rewind()?;
        self.zip.start_file("multimedia.txt", self.options)?;
        io::copy(&mut media, &mut self.zip)?;
        self.zip.finish()?.flush()
    }
}

#[cfg(test)]
mod tests;
