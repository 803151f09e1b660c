//! Capture sets on pages: what each holds, and a form for its method with a look at what that would
//! pick before anything is saved.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::{Html, IntoResponse, Response};
use domain::permission::{Action, JobAction};
use domain::sampling::Plan;
use rest::ApiError;
use rest::query::Query;
use serde_json::{Value, json};
use store::capture_set::{CaptureSet, CaptureSetFilter, CaptureSetOrder};

use super::preview::{self, Preview};
use crate::AppState;
use crate::auth::Who;
use crate::pages::act::{Act, Refused};
use crate::pages::at::{At, Part};
use crate::pages::columns::{self, Pager, counted, grouped};
use crate::pages::form::{Sent, Shown};
use crate::pages::jobs::{self, Choice};
use crate::pages::model::Ago;
use crate::pages::{PageError, PageResult, offered, said};
use settings::{filled, settings};

mod settings;

/// The API's list of sets.
const SETS: &str = "/captures/collections/";
/// Sets of a page.
const ROWS: u64 = 25;
/// Stations that can be ticked.
const STATIONS: u64 = 100;

/// Methods, with what they do and which settings they take beside the common ones.
pub const METHODS: &[(&str, &str, &str)] = &[
    ("full", "All captures", ""),
    ("random", "So many by lot", "how many"),
    (
        "stratified_random",
        "By lot, as many of each night",
        "how many, or how many of each night",
    ),
    (
        "interval",
        "One every so many minutes at each station",
        "minutes, at most",
    ),
    (
        "common_combined",
        "One every so many minutes over all stations",
        "minutes, at most",
    ),
    (
        "random_from_each_event",
        "So many of each night by lot",
        "how many of each night",
    ),
    (
        "last_and_random_from_each_event",
        "The last of each night, and others by lot",
        "how many others",
    ),
    (
        "greatest_file_size_from_each_event",
        "The largest files of each night",
        "how many of each night",
    ),
    ("detections_only", "Those on which something was found", ""),
    ("starred", "Those that people starred", ""),
    ("manual", "These and no others", "numbers of captures"),
];

/// Fields of the form by their names in the API; `kwargs` are the settings.
pub const FORM: &[&str] = &["name", "description", "method", "kwargs"];

/// A set as a row of the table.
pub struct SetRow {
    pub id: i64,
    pub name: String,
    pub description: String,
    pub method: &'static str,
    pub captures: String,
    /// The same in words.
    pub holds: String,
    /// Those a pipeline has looked at, and those with a box; as of `counted`.
    pub processed: String,
    pub found: String,
    pub counted: Option<Ago>,
}

/// A page of the sets of a project.
pub async fn rows(
    state: &AppState,
    at: &At,
    query: &Query,
) -> Result<(Vec<SetRow>, Pager), PageError> {
    let filter = CaptureSetFilter {
        project_id: Some(at.project.id),
        ..Default::default()
    };
    let order = [(CaptureSetOrder::Name, false)];
    let offset = (columns::page(query) - 1) * ROWS;
    let found = state.store.capture_sets_page(&filter, &order, ROWS, offset);
    let (sets, count) = found.await?;
    let rows = sets.iter().map(row).collect();
    Ok((rows, Pager::of(query, ROWS, count)))
}

fn row(set: &CaptureSet) -> SetRow {
    let known = METHODS.iter().find(|(key, ..)| *key == set.method);
    let number = |n: i64| match set.counted_at {
        Some(_) => grouped(n.unsigned_abs()),
        None => String::new(),
    };
    SetRow {
        id: set.id,
        name: set.name.clone(),
        description: set.description.clone(),
        method: known.map_or("Another method", |(_, words, _)| words),
        captures: grouped(set.captures_count.unsigned_abs()),
        holds: counted(set.captures_count.unsigned_abs(), "capture", "captures"),
        processed: number(set.processed_count),
        found: number(set.found_count),
        counted: set.counted_at.map(Ago::of),
    }
}

#[derive(Template)]
#[template(path = "data/set.html")]
struct SetPage {
    at: At,
    /// The set, where it is there.
    set: Option<SetRow>,
    /// Whether the person may make jobs.
    maker: bool,
    changer: bool,
    filler: bool,
    remover: bool,
    methods: &'static [(&'static str, &'static str, &'static str)],
    /// Stations to tick, what the form says of others, and how many others there are.
    stations: Vec<Choice>,
    other_stations: String,
    more_stations: u64,
    preview: Option<Preview>,
    form: Shown,
}

async fn page(
    state: &AppState,
    at: At,
    set: Option<&CaptureSet>,
    form: Shown,
    preview: Option<Preview>,
) -> PageResult {
    let offered = offered::stations(&state.store, at.project.id, STATIONS, &[]).await?;
    let more_stations = offered.more;
    let (stations, other_stations) = settings::stations(&form, offered);
    let page = SetPage {
        maker: jobs::may_any(&at, JobAction::Create),
        changer: match set {
            Some(_) => at.may_change("update_sourceimagecollection"),
            None => true,
        },
        filler: at.may_change("populate_sourceimagecollection"),
        remover: at.may_change("delete_sourceimagecollection"),
        stations,
        other_stations,
        more_stations,
        set: set.map(row),
        methods: METHODS,
        preview,
        form,
        at,
    };
    Ok(Html(page.render()?))
}

/// The form of a new set.
pub async fn new(State(state): State<AppState>, who: Who, Path(project): Path<i64>) -> PageResult {
    let at = At::open(&state, &who, project, Part::Data).await?;
    at.must(Action::Create("create_sourceimagecollection"))?;
    let form = Shown::fresh(&[("method", "full".to_owned())]);
    page(&state, at, None, form, None).await
}

/// What is shown again instead: the form, and what it would pick.
type Again = (Shown, Option<Preview>);

/// Reads a form: the body for the API, or what is shown again.
async fn wanted(
    state: &AppState,
    at: &At,
    sent: &Sent,
    set: Option<&CaptureSet>,
) -> Result<Result<Value, Again>, PageError> {
    let wrong = |words: String| {
        let wrong = vec![("kwargs".to_owned(), vec![words])];
        Shown::again(sent.clone(), Refused::Fields(wrong))
    };
    let kwargs = match settings(sent, set) {
        Ok(kwargs) => kwargs,
        Err(words) => return Ok(Err((wrong(words)?, None))),
    };
    let method = sent.text("method");
    if sent.text("do") == "look" {
        return Ok(Err(match preview::of(state, at, method, &kwargs).await? {
            Ok(preview) => (Shown::of(sent.clone()), Some(preview)),
            Err(words) => (wrong(words)?, None),
        }));
    }
    if let Err(words) = Plan::read(method, &kwargs, 0) {
        return Ok(Err((wrong(words.to_string())?, None)));
    }
    Ok(Ok(json!({
        "project": at.project.id,
        "name": sent.text("name"),
        "description": sent.text("description"),
        "method": method,
        "kwargs": kwargs,
    })))
}

/// Makes a set; fills it at once where that was asked for.
pub async fn add(
    State(state): State<AppState>,
    who: Who,
    Path(project): Path<i64>,
    act: Act,
    sent: Sent,
) -> Result<Response, PageError> {
    let at = At::open(&state, &who, project, Part::Data).await?;
    at.must(Action::Create("create_sourceimagecollection"))?;
    keep(&state, at, None, &act, sent).await
}

/// Has the API keep what a form holds, and the set filled where that was asked for; or shows the
/// form again.
async fn keep(
    state: &AppState,
    at: At,
    set: Option<&CaptureSet>,
    act: &Act,
    sent: Sent,
) -> Result<Response, PageError> {
    let (form, preview) = match wanted(state, &at, &sent, set).await? {
        Err(again) => again,
        Ok(body) => match act.keep(SETS, set.map(|set| set.id), body).await {
            Ok(kept) => {
                let id = kept["id"].as_i64().unwrap_or_default();
                let name = sent.text("name");
                let words = match (sent.text("do"), set) {
                    ("fill", _) => fill(act, id, name).await?,
                    (_, None) => format!("{name} was made. It is empty until it is filled."),
                    (_, Some(_)) => format!("{name} was changed."),
                };
                let path = at.path(&format!("/data/sets/{id}"));
                return Ok(said::go(&state.links, &path, &words));
            }
            Err(refused) => (Shown::again(sent, refused)?, None),
        },
    };
    let shown = page(state, at, set, form, preview).await?;
    Ok(shown.into_response())
}

/// Has a set filled by its method; says which job does it.
async fn fill(act: &Act, id: i64, name: &str) -> Result<String, PageError> {
    let path = format!("{SETS}{id}/populate/");
    match act.post(&path, json!({})).await {
        Ok(made) => {
            let job = made["job_id"].as_i64().unwrap_or_default();
            Ok(format!("Job {job} fills {name}."))
        }
        Err(refused) => Ok(format!("{name} is not filled: {}", refused.words()?)),
    }
}

async fn find(state: &AppState, at: &At, id: i64) -> Result<CaptureSet, PageError> {
    let set = state.store.capture_set(id).await?;
    at.must_own(set.project_id)?;
    Ok(set)
}

/// The page of a set.
pub async fn form(
    State(state): State<AppState>,
    who: Who,
    Path((project, id)): Path<(i64, i64)>,
) -> PageResult {
    let at = At::open(&state, &who, project, Part::Data).await?;
    let set = find(&state, &at, id).await?;
    page(&state, at, Some(&set), filled(&set), None).await
}

/// Changes a set.
pub async fn change(
    State(state): State<AppState>,
    who: Who,
    Path((project, id)): Path<(i64, i64)>,
    act: Act,
    sent: Sent,
) -> Result<Response, PageError> {
    let at = At::open(&state, &who, project, Part::Data).await?;
    at.must(Action::Change("update_sourceimagecollection"))?;
    let set = find(&state, &at, id).await?;
    keep(&state, at, Some(&set), &act, sent).await
}

/// Fills a set, or removes it.
pub async fn act(
    State(state): State<AppState>,
    who: Who,
    Path((project, id, deed)): Path<(i64, i64, String)>,
    act: Act,
) -> Result<Response, PageError> {
    let at = At::open(&state, &who, project, Part::Data).await?;
    let set = find(&state, &at, id).await?;
    let words = match deed.as_str() {
        "fill" => fill(&act, id, &set.name).await?,
        "remove" => {
            let gone = act.delete(&format!("{SETS}{id}/")).await;
            let words = format!("{} was removed; its captures stay.", set.name);
            gone.map(|_| words).or_else(Refused::words)?
        }
        _ => return Err(ApiError::NotFound.into()),
    };
    Ok(said::go(&state.links, &at.path("/data#sets"), &words))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_method_of_the_api_is_offered() {
        let api = crate::api::nested::fields::METHODS;
        assert_eq!(METHODS.len(), api.len());
        for (key, _) in api {
            assert!(METHODS.iter().any(|(offered, ..)| offered == key), "{key}");
        }
    }
}
