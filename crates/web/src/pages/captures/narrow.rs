//! What the address of the list of captures asks for, and the form that asks. The idea: everything
//! the list shows stands in its address; what cannot be read of it narrows nothing and is said.

use chrono::{NaiveDate, NaiveDateTime, NaiveTime};
use rest::query::Query;
use store::StoreResult;
use store::capture::{CaptureFilter, CaptureOrder};
use store::capture_set::{CaptureSetFilter, CaptureSetOrder};
use store::session::{Session, SessionFilter, SessionOrder};

use crate::AppState;
use crate::pages::at::At;
use crate::pages::model::short;
use crate::pages::offered::{self, NAME, Offered};
use crate::pages::sessions::Choice;

/// Names in the address that ask for something.
const NAMES: [&str; 11] = [
    "station",
    "session",
    "set",
    "from",
    "to",
    "processed",
    "detections",
    "starred",
    "ordering",
    "view",
    "page",
];
/// Sessions that can be chosen: the newest.
const SESSIONS: u64 = 60;
/// Stations, and sets, that can be chosen: the first by name.
const OFFERED: u64 = 150;
/// How the set of starred captures is made.
const STARRED: &str = "starred";

/// A list as it is asked for.
pub struct Narrow {
    /// Which captures.
    pub filter: CaptureFilter,
    /// In which order; true means descending.
    pub order: (CaptureOrder, bool),
    /// The order's name in the address.
    pub ordering: String,
    /// Whether as a table.
    pub table: bool,
    /// What of the address cannot be used.
    pub wrong: Vec<String>,
    /// Whether a star is asked for and nothing has one.
    pub nothing: bool,
    /// The form.
    pub form: NarrowForm,
}

/// The form as it is filled in.
#[derive(Default)]
pub struct NarrowForm {
    pub stations: Vec<Choice>,
    pub sessions: Vec<Choice>,
    pub sets: Vec<Choice>,
    pub from: String,
    pub to: String,
    /// Whether times of day are asked for and not days alone.
    pub times: bool,
    pub processed: Option<bool>,
    pub detections: Option<bool>,
    pub starred: bool,
    /// Whether anything is asked for at all.
    pub narrowed: bool,
}

/// The address without what is empty or unknown, so that links stay short.
pub fn tidy(query: &str) -> Query {
    let query = Query::parse(query);
    let empty = |name: &&str| query.get(name).is_none_or(|text| text.trim().is_empty());
    let mut gone: Vec<(&str, Option<String>)> = NAMES
        .iter()
        .filter(|name| empty(name))
        .map(|name| (*name, None))
        .collect();
    let unknown = query.pairs().map(|pair| pair.0);
    gone.extend(
        unknown
            .filter(|name| !NAMES.contains(name))
            .map(|name| (name, None)),
    );
    Query::parse(&query.with(&gone))
}

impl Narrow {
    /// Reads an address.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn read(state: &AppState, at: &At, query: &Query) -> StoreResult<Narrow> {
        let mut wrong = Vec::new();
        let mut form = NarrowForm::default();
        let mut filter = CaptureFilter {
            project_id: at.project.id,
            ..CaptureFilter::default()
        };
        filter.station_id = stations(state, at, query, &mut form, &mut wrong).await?;
        let session = sessions(state, at, query, filter.station_id, &mut form, &mut wrong).await?;
        filter.session_id = session;
        let (sets, nothing) = sets(state, at, query, &mut form, &mut wrong).await?;
        filter.sets = sets;
        (form.from, form.to) = (text(query, "from"), text(query, "to"));
        form.times = form.from.contains('T') || form.to.contains('T');
        filter.since = time(&form.from, "from", NaiveTime::MIN, &mut wrong);
        let end = NaiveTime::from_hms_milli_opt(23, 59, 59, 999).unwrap_or(NaiveTime::MIN);
        filter.until = time(&form.to, "to", end, &mut wrong);
        form.processed = yes_or_no(query, "processed", &mut wrong);
        form.detections = yes_or_no(query, "detections", &mut wrong);
        (filter.processed, filter.has_detections) = (form.processed, form.detections);
        form.narrowed = filter.station_id.is_some()
            || filter.session_id.is_some()
            || !filter.sets.is_empty()
            || filter.since.is_some()
            || filter.until.is_some()
            || filter.processed.is_some()
            || filter.has_detections.is_some()
            || form.starred;
        let (order, ordering) = order(query, filter.session_id.is_some(), &mut wrong);
        Ok(Narrow {
            filter,
            order,
            ordering,
            table: query.get("view") == Some("table"),
            wrong,
            nothing,
            form,
        })
    }
}

fn text(query: &Query, name: &str) -> String {
    query.get(name).unwrap_or_default().trim().to_owned()
}

/// A number that must be one of these.
fn number(query: &Query, name: &str) -> Option<Result<i64, String>> {
    let given = text(query, name);
    (!given.is_empty()).then(|| given.parse().map_err(|_| given))
}

/// The number that is asked for, where it is one.
fn asked(given: Option<&Result<i64, String>>) -> Option<i64> {
    given.and_then(|given| given.as_ref().ok()).copied()
}

fn not_here(name: &str, given: impl std::fmt::Display) -> String {
    format!("{name}: this project has none with the number “{given}”; it narrows nothing.")
}

async fn stations(
    state: &AppState,
    at: &At,
    query: &Query,
    form: &mut NarrowForm,
    wrong: &mut Vec<String>,
) -> StoreResult<Option<i64>> {
    let given = number(query, "station");
    let asked = asked(given.as_ref());
    let offered = offered::stations(&state.store, at.project.id, OFFERED, asked.as_slice()).await?;
    let chosen = match given {
        Some(Ok(id)) if offered.has(id) => Some(id),
        Some(Ok(id)) => {
            wrong.push(not_here("station", id));
            None
        }
        Some(Err(given)) => {
            wrong.push(not_here("station", given));
            None
        }
        None => None,
    };
    form.stations = choices(offered, chosen);
    Ok(chosen)
}

fn choices(offered: Offered, chosen: Option<i64>) -> Vec<Choice> {
    let choice = |(value, name): (i64, String)| Choice {
        value,
        name,
        chosen: chosen == Some(value),
    };
    offered.all.into_iter().map(choice).collect()
}

/// The sessions that can be chosen: the newest of the station or of the project, and the one that
/// is chosen.
async fn sessions(
    state: &AppState,
    at: &At,
    query: &Query,
    station: Option<i64>,
    form: &mut NarrowForm,
    wrong: &mut Vec<String>,
) -> StoreResult<Option<i64>> {
    let filter = SessionFilter {
        project_id: Some(at.project.id),
        station_id: station,
        ..SessionFilter::default()
    };
    let newest = SessionOrder::from_name("start").map(|start| (start, true));
    let order: Vec<_> = newest.into_iter().collect();
    let (mut all, _) = state
        .store
        .sessions_page(&filter, &order, SESSIONS, 0)
        .await?;
    let mut chosen = None;
    match number(query, "session") {
        Some(Ok(id)) => {
            let known = match all.iter().any(|row| row.id == id) {
                true => true,
                false => {
                    let found = state.store.sessions_by_id(&[id]).await?.remove(&id);
                    let own = |row: &Session| row.project_id == Some(at.project.id);
                    let found = found.filter(own);
                    let known = found.is_some();
                    all.extend(found);
                    known
                }
            };
            match known {
                true => chosen = Some(id),
                false => wrong.push(not_here("session", id)),
            }
        }
        Some(Err(given)) => wrong.push(not_here("session", given)),
        None => {}
    }
    let of: Vec<i64> = all.iter().filter_map(|row| row.station_id).collect();
    let stations = state.store.stations_by_id(&of).await?;
    let name = |station: Option<i64>| {
        let found = stations.iter().find(|row| Some(row.id) == station);
        found.map_or("no station".to_owned(), |row| short(&row.name, NAME))
    };
    let choice = |row: &Session| Choice {
        value: row.id,
        name: match station {
            Some(_) => row.day.to_string(),
            None => format!("{} {}", row.day, name(row.station_id)),
        },
        chosen: chosen == Some(row.id),
    };
    form.sessions = all.iter().map(choice).collect();
    Ok(chosen)
}

/// The sets that are asked for; and whether starred captures are, and there is none.
async fn sets(
    state: &AppState,
    at: &At,
    query: &Query,
    form: &mut NarrowForm,
    wrong: &mut Vec<String>,
) -> StoreResult<(Vec<i64>, bool)> {
    let given = number(query, "set");
    let asked = asked(given.as_ref());
    let offered = offered::sets(&state.store, at.project.id, OFFERED, asked.as_slice()).await?;
    let mut chosen = None;
    match given {
        Some(Ok(id)) if offered.has(id) => chosen = Some(id),
        Some(Ok(id)) => wrong.push(not_here("set", id)),
        Some(Err(given)) => wrong.push(not_here("set", given)),
        None => {}
    }
    let sets: Vec<i64> = chosen.into_iter().collect();
    form.sets = choices(offered, chosen);
    form.starred = !text(query, "starred").is_empty();
    if !form.starred {
        return Ok((sets, false));
    }
    let filter = CaptureSetFilter {
        project_id: Some(at.project.id),
        method: Some(STARRED),
        ..CaptureSetFilter::default()
    };
    let oldest = [(CaptureSetOrder::Id, false)];
    let (starred, _) = state
        .store
        .capture_sets_page(&filter, &oldest, 1, 0)
        .await?;
    if !sets.is_empty() {
        wrong.push(
            "set: a set and a star cannot be asked for together; starred captures are shown."
                .to_owned(),
        );
        form.sets.iter_mut().for_each(|set| set.chosen = false);
    }
    let starred: Vec<i64> = starred.iter().map(|set| set.id).collect();
    let nothing = starred.is_empty();
    Ok((starred, nothing))
}

/// A day or a time; a day means its `at`.
fn time(text: &str, name: &str, at: NaiveTime, wrong: &mut Vec<String>) -> Option<NaiveDateTime> {
    if text.is_empty() {
        return None;
    }
    let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok();
    let time = day.map(|day| day.and_time(at));
    let time = time.or_else(|| rest::time::read(text));
    if time.is_none() {
        wrong.push(format!(
            "{name}: “{text}” is no day such as 2026-07-31 and no time such as 2026-07-31T22:00; \
             it narrows nothing."
        ));
    }
    time
}

fn yes_or_no(query: &Query, name: &str, wrong: &mut Vec<String>) -> Option<bool> {
    match query.get(name)? {
        "yes" => Some(true),
        "no" => Some(false),
        "" => None,
        other => {
            wrong.push(format!(
                "{name}: “{other}” is neither yes nor no; it narrows nothing."
            ));
            None
        }
    }
}

/// The order, and its name in the address. A night reads from its evening on, all else from the
/// newest.
fn order(query: &Query, night: bool, wrong: &mut Vec<String>) -> ((CaptureOrder, bool), String) {
    let usual = match night {
        true => ((CaptureOrder::Taken, false), "timestamp".to_owned()),
        false => ((CaptureOrder::Taken, true), "-timestamp".to_owned()),
    };
    let given = text(query, "ordering");
    if given.is_empty() {
        return usual;
    }
    let (name, descending) = match given.strip_prefix('-') {
        Some(name) => (name, true),
        None => (given.as_str(), false),
    };
    let by = match name {
        "boxes" => Some(CaptureOrder::Boxes),
        other => CaptureOrder::from_name(other),
    };
    match by {
        Some(by) => ((by, descending), given),
        None => {
            wrong.push(format!(
                "ordering: captures cannot be sorted by “{name}”; they are in the order of time."
            ));
            usual
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn an_address_is_as_short_as_what_it_asks_for() {
        let query = tidy("station=&session=7&view=table&page=&other=1&from=+");
        assert_eq!(query.with(&[]), "session=7&view=table");
    }

    #[test]
    fn a_day_is_whole_and_a_time_is_a_time() {
        let mut wrong = Vec::new();
        let end = NaiveTime::from_hms_opt(23, 59, 59).unwrap();
        let day = time("2026-07-31", "to", end, &mut wrong).unwrap();
        assert_eq!(day.to_string(), "2026-07-31 23:59:59");
        let at = time("2026-07-31T22:05", "from", end, &mut wrong).unwrap();
        assert_eq!(at.to_string(), "2026-07-31 22:05:00");
        assert!(wrong.is_empty());
        assert!(time("July", "from", end, &mut wrong).is_none());
        assert!(wrong[0].starts_with("from: “July” is no day"));
    }

    #[test]
    fn a_night_reads_from_its_evening_on() {
        let mut wrong = Vec::new();
        let none = Query::default();
        assert_eq!(order(&none, true, &mut wrong).1, "timestamp");
        assert_eq!(order(&none, false, &mut wrong).1, "-timestamp");
        let boxes = Query::parse("ordering=-boxes");
        let expected = (CaptureOrder::Boxes, true);
        assert_eq!(order(&boxes, true, &mut wrong).0, expected);
        assert!(wrong.is_empty());
        let unknown = Query::parse("ordering=moon");
        assert_eq!(order(&unknown, true, &mut wrong).1, "timestamp");
        assert_eq!(wrong.len(), 1);
    }
}
