//! Which terms an archive holds and what stands in them. The idea: a term and its value are one
//! entry, in the order of the columns; the terms are those of Darwin Core
//! (<https://dwc.tdwg.org/list/>) and of GBIF's extension for simple multimedia.

use chrono::{DateTime, NaiveDateTime, Utc};
use serde_json::json;
use store::occurrence::Occurrence;
use store::occurrence::detail::Sighting;
use store::session::Session;
use store::station::Station;
use store::taxon::Taxon;

use super::super::super::page::Page;

/// What stands in a column; nothing is empty.
type Value = Option<String>;

/// A column of a table: the term's address, which is its name in the standard, and its values.
pub struct Term<V> {
    /// The address.
    pub uri: &'static str,
    /// The value of a row.
    pub value: V,
}

/// A column of `occurrence.txt`.
pub type OfOccurrence = Term<fn(&Line<'_>) -> Value>;
/// A column of `multimedia.txt`.
pub type OfPicture = Term<fn(&Picture<'_>) -> Value>;

impl<V> Term<V> {
    const fn new(uri: &'static str, value: V) -> Term<V> {
        Term { uri, value }
    }

    /// What stands in the first line.
    pub fn name(&self) -> &'static str {
        self.uri.rsplit('/').next().unwrap_or(self.uri)
    }
}

macro_rules! dwc {
    ($name:literal) => {
        concat!("http://rs.tdwg.org/dwc/terms/", $name)
    };
}

macro_rules! dc {
    ($name:literal) => {
        concat!("http://purl.org/dc/terms/", $name)
    };
}

/// The columns of `occurrence.txt`; the first one is the occurrence's own address.
pub const OCCURRENCE: &[OfOccurrence] = &[
    Term::new(dwc!("occurrenceID"), |of| Some(of.address())),
    Term::new(dwc!("basisOfRecord"), |_| Some("MachineObservation".into())),
    Term::new(dwc!("occurrenceStatus"), |_| Some("present".into())),
    Term::new(dwc!("individualCount"), |_| Some("1".into())),
    Term::new(dwc!("datasetName"), |of| {
        Some(of.page.about.project.name.clone())
    }),
    Term::new(dwc!("eventID"), |of| {
        Some(of.page.about.row("events", of.session?.id))
    }),
    Term::new(dwc!("eventDate"), |of| seen(of.row)),
    Term::new(dwc!("locationID"), |of| {
        Some(of.page.about.row("deployments", of.station?.id))
    }),
    Term::new(dwc!("locality"), |of| Some(of.station?.name.clone())),
    Term::new(dwc!("decimalLatitude"), |of| Some(of.place?.0.to_string())),
    Term::new(dwc!("decimalLongitude"), |of| Some(of.place?.1.to_string())),
    Term::new(dwc!("geodeticDatum"), |of| {
        of.place.map(|_| "EPSG:4326".into())
    }),
    Term::new(dwc!("taxonID"), |of| {
        let key = of.taxon?.gbif_key?;
        Some(format!("https://www.gbif.org/species/{key}"))
    }),
    Term::new(dwc!("scientificName"), |of| Some(of.taxon?.name.clone())),
    Term::new(dwc!("taxonRank"), |of| match of.taxon?.rank.as_str() {
        "UNKNOWN" => None,
        rank => Some(rank.to_lowercase()),
    }),
    Term::new(dwc!("kingdom"), |of| of.above("KINGDOM")),
    Term::new(dwc!("phylum"), |of| of.above("PHYLUM")),
    Term::new(dwc!("class"), |of| of.above("CLASS")),
    Term::new(dwc!("order"), |of| of.above("ORDER")),
    Term::new(dwc!("family"), |of| of.above("FAMILY")),
    Term::new(dwc!("genus"), |of| of.above("GENUS")),
    Term::new(dwc!("vernacularName"), |of| {
        of.taxon?.common_name_en.clone()
    }),
    Term::new(dwc!("identifiedBy"), |of| of.determined.by.clone()),
    Term::new(dwc!("dateIdentified"), |of| {
        Some(of.determined.at?.format("%Y-%m-%d").to_string())
    }),
    Term::new(dwc!("identificationVerificationStatus"), |of| {
        Some(of.determined.status.into())
    }),
    Term::new(dwc!("identificationRemarks"), |of| {
        of.determined.remarks.clone()
    }),
    Term::new(dwc!("dynamicProperties"), |of| Some(properties(of.row))),
    Term::new(dc!("modified"), |of| {
        Some(of.row.updated_at.format("%Y-%m-%dT%H:%M:%SZ").to_string())
    }),
];

/// The columns of `multimedia.txt` behind the occurrence's address.
pub const MEDIA: &[OfPicture] = &[
    Term::new(dc!("type"), |_| Some("StillImage".into())),
    Term::new(dc!("format"), |_| Some("image/jpeg".into())),
    Term::new(dc!("identifier"), |of| Some(of.page.about.crop(of.seen))),
    Term::new(dc!("references"), |of| {
        of.page.public_photograph(of.seen.capture_id)
    }),
    Term::new(dc!("title"), |of| Some(format!("Detection {}", of.seen.id))),
    Term::new(dc!("created"), |of| of.seen.taken_at.map(rest::time::naive)),
];

/// An occurrence and what its line is made of.
pub struct Line<'a> {
    page: &'a Page,
    row: &'a Occurrence,
    station: Option<&'a Station>,
    session: Option<&'a Session>,
    place: Option<(f64, f64)>,
    taxon: Option<&'a Taxon>,
    determined: Determined,
}

/// A box of an occurrence.
pub struct Picture<'a> {
    /// The page that it is on.
    pub page: &'a Page,
    /// The box.
    pub seen: &'a Sighting,
}

impl<'a> Line<'a> {
    /// Looks up what the line of an occurrence is made of.
    pub fn read(page: &'a Page, row: &'a Occurrence) -> Line<'a> {
        let station = page.station(row);
        Line {
            page,
            row,
            station,
            session: page.session(row),
            place: station.and_then(|station| station.latitude.zip(station.longitude)),
            taxon: page.taxon(row.determination_id),
            determined: Determined::read(page, row),
        }
    }

    /// The occurrence's own address, by which the other table names it.
    pub fn address(&self) -> String {
        self.page.about.row("occurrences", self.row.id)
    }

    /// The name of its taxon, or of the one above that, that has this rank.
    fn above(&self, rank: &str) -> Value {
        let taxon = self.taxon?;
        if taxon.rank == rank {
            return Some(taxon.name.clone());
        }
        let mut above = taxon.parents.as_array()?.iter();
        let found = above.find(|one| one["rank"] == rank)?;
        found["name"].as_str().map(str::to_owned)
    }
}

/// Who determined it, and when.
struct Determined {
    by: Value,
    at: Option<DateTime<Utc>>,
    status: &'static str,
    remarks: Value,
}

impl Determined {
    /// A person's word stands before a model's.
    fn read(page: &Page, row: &Occurrence) -> Determined {
        if let Some(said) = page.standing(row) {
            return Determined {
                by: page.person(said.user_id).map(|user| user.name.clone()),
                at: Some(said.created_at),
                status: "verified by human",
                remarks: Some(said.comment.clone()),
            };
        }
        let best = page.best(row);
        let model = best.and_then(|best| page.algorithm(best.algorithm_id));
        Determined {
            by: model.map(|model| model.name.clone()),
            at: best.map(|best| best.created_at),
            status: "predicted by machine",
            remarks: None,
        }
    }
}

/// When it was seen, local time: a moment, or the first and the last one.
fn seen(row: &Occurrence) -> Value {
    let second = |time: NaiveDateTime| time.format("%Y-%m-%dT%H:%M:%S").to_string();
    match (row.first_seen_at, row.last_seen_at) {
        (Some(first), Some(last)) if first != last => {
            Some(format!("{}/{}", second(first), second(last)))
        }
        (first, last) => first.or(last).map(second),
    }
}

/// What Darwin Core has no term for.
fn properties(row: &Occurrence) -> String {
    let properties = json!({
        "determinationScore": row.determination_score,
        "detectionsCount": row.boxes_count,
    });
    properties.to_string()
}
