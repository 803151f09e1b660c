//! The columns of a table of occurrences, as recorded (`domain-rules.md` §7): what CSV writes as text
//! and Parquet as typed columns. The idea: one list of names and one function of values.

use std::borrow::Cow;

use chrono::{Duration, NaiveDateTime};
use domain::session::session_name;
use rest::python::float;
use store::identification::Identification;
use store::occurrence::Occurrence;

use super::super::page::Page;

/// What stands in a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Number,
    Decimal,
    Flag,
    Text,
    /// A station's local time.
    Time,
    Span,
}

/// What stands in a row's column.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell<'a> {
    Empty,
    Number(i64),
    Decimal(f64),
    Flag(bool),
    Text(Cow<'a, str>),
    Time(NaiveDateTime),
    Span(Duration),
}

/// How many columns there are.
pub const WIDTH: usize = 28;

/// The columns in their order.
pub const COLUMNS: [(&str, Kind); WIDTH] = [
    ("id", Kind::Number),
    ("event_id", Kind::Number),
    ("event_name", Kind::Text),
    ("deployment_id", Kind::Number),
    ("deployment_name", Kind::Text),
    ("project_id", Kind::Number),
    ("project_name", Kind::Text),
    ("determination_id", Kind::Number),
    ("determination_name", Kind::Text),
    ("determination_score", Kind::Decimal),
    ("verification_status", Kind::Flag),
    ("best_machine_prediction_name", Kind::Text),
    ("best_machine_prediction_algorithm", Kind::Text),
    ("best_machine_prediction_score", Kind::Decimal),
    ("verified_by", Kind::Text),
    ("participant_count", Kind::Number),
    ("agreed_with_algorithm", Kind::Text),
    ("agreed_with_user", Kind::Text),
    ("determination_matches_machine_prediction", Kind::Flag),
    ("detections_count", Kind::Number),
    ("first_appearance_timestamp", Kind::Time),
    ("last_appearance_timestamp", Kind::Time),
    ("duration", Kind::Span),
    ("best_detection_url", Kind::Text),
    ("best_detection_bbox", Kind::Text),
    ("best_detection_width", Kind::Decimal),
    ("best_detection_height", Kind::Decimal),
    ("best_detection_capture_url", Kind::Text),
];

impl Cell<'_> {
    fn number(value: Option<i64>) -> Self {
        value.map_or(Cell::Empty, Cell::Number)
    }

    fn decimal(value: Option<f64>) -> Self {
        value.map_or(Cell::Empty, Cell::Decimal)
    }

    fn flag(value: Option<bool>) -> Self {
        value.map_or(Cell::Empty, Cell::Flag)
    }

    fn time(value: Option<NaiveDateTime>) -> Self {
        value.map_or(Cell::Empty, Cell::Time)
    }
}

/// A text of the page's.
fn text(value: Option<&str>) -> Cell<'_> {
    value.map_or(Cell::Empty, |value| Cell::Text(Cow::Borrowed(value)))
}

/// A text that is made here.
fn made<'a>(value: Option<String>) -> Cell<'a> {
    value.map_or(Cell::Empty, |value| Cell::Text(Cow::Owned(value)))
}

/// A row's values, in the order of the columns.
pub fn cells<'a>(page: &'a Page, row: &Occurrence) -> [Cell<'a>; WIDTH] {
    let session = page.session(row);
    let station = page.station(row);
    let best = page.best(row);
    let guess = best.and_then(|best| best.taxon_id);
    let matches = row
        .determination_id
        .zip(guess)
        .map(|(is, guess)| is == guess);
    let standing = page.standing(row);
    let people = participants(page.said(row));
    let seen = page.best_box(row);
    let [x1, y1, x2, y2] = seen.map_or([None; 4], |seen| [seen.x1, seen.y1, seen.x2, seen.y2]);
    let side = |from: Option<f64>, to: Option<f64>| Some((to? - from?).abs());
    [
        Cell::Number(row.id),
        Cell::number(session.map(|session| session.id)),
        made(session.map(|session| session_name(session.start_at, session.end_at))),
        Cell::number(station.map(|station| station.id)),
        text(station.map(|station| station.name.as_str())),
        Cell::Number(page.about.project.id),
        text(Some(&page.about.project.name)),
        Cell::number(row.determination_id),
        text(
            page.taxon(row.determination_id)
                .map(|taxon| taxon.name.as_str()),
        ),
        Cell::decimal(row.determination_score),
        Cell::Flag(people > 0),
        text(page.taxon(guess).map(|taxon| taxon.name.as_str())),
        text(best.and_then(|best| Some(page.algorithm(best.algorithm_id)?.name.as_str()))),
        Cell::decimal(best.and_then(|best| best.score)),
        text(standing.and_then(|said| Some(page.person(said.user_id)?.name.as_str()))),
        Cell::Number(people),
        text(standing.and_then(|said| agreed_model(page, row, said))),
        text(standing.and_then(|said| agreed_person(page, row, said))),
        Cell::flag(matches),
        Cell::Number(row.boxes_count),
        Cell::time(row.first_seen_at),
        Cell::time(row.last_seen_at),
        page.duration(row).map_or(Cell::Empty, Cell::Span),
        made(seen.map(|seen| page.about.crop(seen))),
        made(seen.map(|_| list([x1, y1, x2, y2]))),
        Cell::decimal(side(x1, x2)),
        Cell::decimal(side(y1, y2)),
        made(seen.and_then(|seen| page.public_photograph(seen.capture_id))),
    ]
}

/// How many people say what it is.
fn participants(said: &[Identification]) -> i64 {
    let standing = said.iter().filter(|said| !said.withdrawn);
    let mut people: Vec<i64> = standing.filter_map(|said| said.user_id).collect();
    people.sort_unstable();
    people.dedup();
    i64::try_from(people.len()).unwrap_or(i64::MAX)
}

/// The model whose prediction a person agreed with.
fn agreed_model<'a>(page: &'a Page, row: &Occurrence, said: &Identification) -> Option<&'a str> {
    let id = said.agreed_with_prediction_id?;
    let prediction = page.predictions(row).iter().find(|p| p.id == id)?;
    Some(&page.algorithm(prediction.algorithm_id)?.name)
}

/// The e-mail address of the person whose identification another one agreed with.
fn agreed_person<'a>(page: &'a Page, row: &Occurrence, said: &Identification) -> Option<&'a str> {
    let id = said.agreed_with_identification_id?;
    let other = page.said(row).iter().find(|other| other.id == id)?;
    Some(&page.person(other.user_id)?.email)
}

/// Edges as Python writes a list: `[250.0, 581.5, 312.0, 643.0]`.
fn list(edges: [Option<f64>; 4]) -> String {
    let edges = edges.map(|edge| edge.map_or_else(|| "None".to_owned(), float));
    format!("[{}]", edges.join(", "))
}

#[cfg(test)]
mod tests {
    use super::list;

    #[test]
    fn edges_are_a_list() {
        let edges = [Some(250.0), Some(0.1), Some(312.25), None];
        assert_eq!(list(edges), "[250.0, 0.1, 312.25, None]");
    }
}
