//! The form of a schedule: its rhythm with the times at which it comes round next, and its chain,
//! a step in each row. Works without a script: another step, and the next times, are buttons that
//! send the form back as it was typed.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::{Html, IntoResponse, Response};
use domain::permission::Permit;
use domain::schedule::{Rhythm, SCHEDULED, Step, read_zone};
use rest::ApiError;
use serde_json::{Map, Value, json};
use store::schedule::Schedule;

use super::may_make;
use super::picks::{List, Pick, Picks, field};
use crate::AppState;
use crate::auth::Who;
use crate::pages::act::{Act, Refused};
use crate::pages::at::{At, Part};
use crate::pages::form::{Sent, Shown};
use crate::pages::{PageError, PageResult, said};

/// Steps that a form shows at most.
const MOST: usize = crate::api::schedules::fields::MOST_STEPS;
/// Times that are shown.
const TIMES: usize = 5;
/// Fields of the form by their names in the API.
pub const FORM: &[&str] = &["name", "cron", "time_zone", "steps"];

/// A row of the chain: the names of its fields.
struct StepRow {
    place: usize,
    name: String,
    kind: String,
    station: String,
    set: String,
    pipeline: String,
    limit: String,
    params: String,
    /// What it may name.
    picks: Vec<Pick>,
}

impl StepRow {
    fn at(place: usize) -> StepRow {
        let named = |stem: &str| field(stem, place);
        StepRow {
            place,
            picks: Vec::new(),
            name: named("name"),
            kind: named("kind"),
            station: named("station"),
            set: named("set"),
            pipeline: named("pipeline"),
            limit: named("limit"),
            params: named("params"),
        }
    }
}

#[derive(Template)]
#[template(path = "schedules/form.html")]
struct FormPage {
    at: At,
    /// The schedule, where it is there.
    schedule: Option<Schedule>,
    steps: Vec<StepRow>,
    more: bool,
    kinds: Vec<(&'static str, &'static str)>,
    /// Lists that fields of all steps open.
    lists: Vec<List>,
    /// When it comes round next.
    next: Vec<String>,
    wrong: Vec<String>,
    form: Shown,
}

async fn page(
    state: &AppState,
    at: At,
    schedule: Option<Schedule>,
    form: Shown,
    steps: usize,
    next: Vec<String>,
) -> PageResult {
    let shown = steps.clamp(1, MOST);
    let picks = Picks::read(&state.store, at.project.id, &form, shown).await?;
    let row = |(place, picks): (usize, Vec<Pick>)| StepRow {
        picks,
        ..StepRow::at(place)
    };
    let page = FormPage {
        steps: picks.steps.into_iter().enumerate().map(row).collect(),
        lists: picks.lists,
        more: steps < MOST,
        kinds: SCHEDULED
            .iter()
            .filter_map(|takes| domain::job::kind(takes.kind))
            .map(|kind| (kind.key, kind.name))
            .collect(),
        wrong: form
            .wrong("steps")
            .iter()
            .map(|words| of_step(words))
            .collect(),
        at,
        schedule,
        next,
        form,
    };
    Ok(Html(page.render()?))
}

/// Messages about steps begin with their place, counted from 0; people count from 1.
fn of_step(words: &str) -> String {
    match words.split_once(": ") {
        Some((place, rest)) => match place.parse::<usize>() {
            Ok(place) => format!("Step {}: {rest}", place + 1),
            Err(_) => words.to_owned(),
        },
        None => words.to_owned(),
    }
}

/// The form of a new schedule.
pub async fn new(State(state): State<AppState>, who: Who, Path(project): Path<i64>) -> PageResult {
    let at = At::open(&state, &who, project, Part::Data).await?;
    if !may_make(&at) {
        return Err(ApiError::Forbidden.into());
    }
    let form = Shown::fresh(&[("time_zone", "UTC".to_owned())]);
    page(&state, at, None, form, 1, Vec::new()).await
}

/// A schedule of this project, for those who may change it.
pub async fn find(state: &AppState, at: &At, id: i64) -> Result<Schedule, PageError> {
    let row = state.store.schedule(id).await?;
    at.must_own(row.project_id)?;
    Ok(row)
}

/// Whether the person may change a chain.
pub fn may_change(at: &At, chain: &[Step]) -> bool {
    let kinds = chain.iter().map(|step| step.kind.as_str());
    Permit::ask_chain(at.caller(), &at.facts, kinds).is_ok()
}

/// The form of a schedule.
pub async fn form(
    State(state): State<AppState>,
    who: Who,
    Path((project, id)): Path<(i64, i64)>,
) -> PageResult {
    let at = At::open(&state, &who, project, Part::Data).await?;
    let schedule = find(&state, &at, id).await?;
    let chain = schedule.chain();
    if !may_change(&at, &chain) {
        return Err(ApiError::Forbidden.into());
    }
    let steps = chain.len();
    let form = filled(&schedule, &chain);
    page(&state, at, Some(schedule), form, steps, Vec::new()).await
}

/// The fields of a form from a schedule.
fn filled(schedule: &Schedule, chain: &[Step]) -> Shown {
    let mut values = vec![
        ("name".to_owned(), schedule.name.clone()),
        ("cron".to_owned(), schedule.cron.clone()),
        ("time_zone".to_owned(), schedule.time_zone.clone()),
    ];
    let number = |id: Option<i64>| id.map_or(String::new(), |id| id.to_string());
    for (place, step) in chain.iter().enumerate() {
        let row = StepRow::at(place);
        let params = match step.params.is_empty() {
            true => String::new(),
            false => Value::Object(step.params.clone()).to_string(),
        };
        values.extend([
            (row.kind, step.kind.clone()),
            (row.name, step.name.clone()),
            (row.station, number(step.station_id)),
            (row.set, number(step.capture_set_id)),
            (row.pipeline, number(step.pipeline_id)),
            (row.limit, number(step.limit.map(i64::from))),
            (row.params, params),
        ]);
    }
    let values: Vec<(&str, String)> = values
        .iter()
        .map(|(n, v)| (n.as_str(), v.clone()))
        .collect();
    Shown::fresh(&values)
}

/// How many rows of steps a form has.
fn count(sent: &Sent) -> usize {
    (0..MOST)
        .filter(|place| sent.0.get(&StepRow::at(*place).kind).is_some())
        .count()
        .max(1)
}

/// The chain that a form holds, as the API takes it; rows without a kind are left out.
fn chain(sent: &Sent, old: &[Step]) -> Result<Value, String> {
    let mut steps = Vec::new();
    for place in 0..count(sent) {
        let row = StepRow::at(place);
        let Some(kind) = sent.filled(&row.kind) else {
            continue;
        };
        let params = match sent.filled(&row.params) {
            None => Value::Object(Map::new()),
            Some(text) => serde_json::from_str(text)
                .map_err(|error| format!("{place}: these settings are not JSON: {error}."))?,
        };
        let shuffle = old.get(place).is_none_or(|step| step.shuffle);
        steps.push(json!({
            "job_type_key": kind,
            "name": sent.text(&row.name),
            "deployment_id": sent.filled(&row.station),
            "source_image_collection_id": sent.filled(&row.set),
            "pipeline_id": sent.filled(&row.pipeline),
            "limit": sent.filled(&row.limit),
            "shuffle": shuffle,
            "params": params,
        }));
    }
    Ok(Value::Array(steps))
}

/// When a rhythm comes round next, on its own clock.
fn times(cron: &str, zone: &str) -> Result<Vec<String>, (&'static str, String)> {
    let tz = read_zone(zone).map_err(|wrong| ("time_zone", wrong.to_string()))?;
    let rhythm = Rhythm::read(cron, zone).map_err(|wrong| ("cron", wrong.to_string()))?;
    let mut at = store::now();
    let mut times = Vec::new();
    while times.len() < TIMES {
        let Some(next) = rhythm.after(at) else { break };
        let local = next.with_timezone(&tz);
        times.push(local.format("%A %Y-%m-%d %H:%M %Z").to_string());
        at = next;
    }
    Ok(times)
}

/// What is shown again instead: the form, how many steps it has, and when it comes round.
type Again = (Shown, usize, Vec<String>);

/// Reads a form: the body for the API, or what is shown again.
fn wanted(
    at: &At,
    schedule: Option<&Schedule>,
    sent: &Sent,
) -> Result<Result<Value, Again>, PageError> {
    let wrong = |field: &str, words: String| {
        let wrong = vec![(field.to_owned(), vec![words])];
        Shown::again(sent.clone(), Refused::Fields(wrong))
    };
    let steps = count(sent);
    match sent.text("do") {
        "more" => return Ok(Err((Shown::of(sent.clone()), steps + 1, Vec::new()))),
        "next" => {
            let again = match times(sent.text("cron"), sent.text("time_zone")) {
                Ok(next) => (Shown::of(sent.clone()), steps, next),
                Err((field, words)) => (wrong(field, words)?, steps, Vec::new()),
            };
            return Ok(Err(again));
        }
        _ => {}
    }
    let old = schedule.map(Schedule::chain).unwrap_or_default();
    let chain = match chain(sent, &old) {
        Ok(chain) => chain,
        Err(words) => return Ok(Err((wrong("steps", words)?, steps, Vec::new()))),
    };
    Ok(Ok(json!({
        "project": at.project.id,
        "name": sent.text("name"),
        "cron": sent.text("cron"),
        "time_zone": sent.text("time_zone"),
        "steps": chain,
    })))
}

/// Makes a schedule.
pub async fn add(
    State(state): State<AppState>,
    who: Who,
    Path(project): Path<i64>,
    act: Act,
    sent: Sent,
) -> Result<Response, PageError> {
    let at = At::open(&state, &who, project, Part::Data).await?;
    if !may_make(&at) {
        return Err(ApiError::Forbidden.into());
    }
    keep(&state, at, None, &act, sent).await
}

/// Changes a schedule.
pub async fn change(
    State(state): State<AppState>,
    who: Who,
    Path((project, id)): Path<(i64, i64)>,
    act: Act,
    sent: Sent,
) -> Result<Response, PageError> {
    let at = At::open(&state, &who, project, Part::Data).await?;
    let schedule = find(&state, &at, id).await?;
    if !may_change(&at, &schedule.chain()) {
        return Err(ApiError::Forbidden.into());
    }
    keep(&state, at, Some(schedule), &act, sent).await
}

/// Has the API keep what a form holds, or shows the form again.
async fn keep(
    state: &AppState,
    at: At,
    schedule: Option<Schedule>,
    act: &Act,
    sent: Sent,
) -> Result<Response, PageError> {
    let id = schedule.as_ref().map(|row| row.id);
    let (form, steps, next) = match wanted(&at, schedule.as_ref(), &sent)? {
        Err(again) => again,
        Ok(body) => match act.keep("/schedules/", id, body).await {
            Ok(_) => {
                let done = match id {
                    None => "was made. It acts with your rights.",
                    Some(_) => "was changed. From now on it acts with your rights.",
                };
                let words = format!("{} {done}", sent.text("name"));
                return Ok(said::go(&state.links, &at.path("/schedules"), &words));
            }
            Err(refused) => {
                let steps = count(&sent);
                (Shown::again(sent, refused)?, steps, Vec::new())
            }
        },
    };
    let shown = page(state, at, schedule, form, steps, next).await?;
    Ok(shown.into_response())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use rest::query::Query;

    #[test]
    fn a_chain_is_what_its_rows_say() {
        let sent = Sent(Query::parse(
            "kind-0=data_storage_sync&station-0=&kind-1=&kind-2=ml&pipeline-2=4&set-2=7&params-2=",
        ));
        assert_eq!(count(&sent), 3);
        let steps = chain(&sent, &[]).unwrap();
        assert_eq!(steps.as_array().unwrap().len(), 2);
        assert_eq!(steps[1]["pipeline_id"], "4");
        assert_eq!(steps[1]["deployment_id"], Value::Null);
        let broken = Sent(Query::parse("kind-0=data_export&params-0=%7B"));
        assert!(of_step(&chain(&broken, &[]).unwrap_err()).starts_with("Step 1: these settings"));
    }

    #[test]
    fn times_are_told_on_the_clock_of_the_zone() {
        let next = times("30 6 * * *", "Europe/Berlin").unwrap();
        assert_eq!(next.len(), TIMES);
        assert!(
            next.iter().all(|time| time.contains(" 06:30 CE")),
            "{next:?}"
        );
        assert_eq!(times("nonsense", "UTC").unwrap_err().0, "cron");
        assert_eq!(times("30 6 * * *", "Mars").unwrap_err().0, "time_zone");
    }
}
