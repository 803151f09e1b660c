//! What stands in the form of a new job before anybody typed: what the address says, what an
//! earlier job had, and else what most people want; and the name of a job that was given none.

use chrono::Utc;
use domain::job::{EXPORT, KindSpec, ML, POST_PROCESSING};
use domain::post::size::DEFAULT_THRESHOLD;
use rest::query::Query;
use serde_json::Value;
use store::job::Job;
use store::{Store, StoreResult};

use super::fields::{self, CAPTURE, SET, STATION};
use crate::pages::PageError;
use crate::pages::at::At;
use crate::pages::form::Sent;

/// Longest name of a job, in characters.
const LONGEST: usize = 255;

type Values = Vec<(String, String)>;

/// The values of the form.
///
/// # Errors
/// 404 where the earlier job is not one of this project.
pub async fn values(store: &Store, at: &At, query: &Query) -> Result<Values, PageError> {
    if let Some(id) = query.number("from") {
        let job = store.job(id).await?;
        at.must_own(job.project_id)?;
        return Ok(of_job(store, &job).await?);
    }
    let mut values: Values = query
        .pairs()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let threshold = DEFAULT_THRESHOLD.to_string();
    let usual = [
        ("scope", "set"),
        ("shuffle", "on"),
        ("reweight", "on"),
        ("size_threshold", threshold.as_str()),
        ("ranks", "GENUS"),
    ];
    for (name, value) in usual {
        if query.get(name).is_none() {
            values.push((name.to_owned(), value.to_owned()));
            if name == "ranks" {
                values.push((name.to_owned(), "FAMILY".to_owned()));
            }
        }
    }
    Ok(values)
}

async fn of_job(store: &Store, job: &Job) -> StoreResult<Values> {
    let mut values = Values::new();
    let mut put = |name: &str, value: Option<String>| {
        values.extend(value.map(|value| (name.to_owned(), value)));
    };
    let text = |id: Option<i64>| id.map(|id| id.to_string());
    put("kind", Some(job.kind.clone()));
    put("name", Some(job.name.clone()));
    put("pipeline_id", text(job.pipeline_id));
    put(STATION, text(job.station_id));
    put(CAPTURE, text(job.capture_id));
    put(SET, text(job.capture_set_id));
    // A set counts before a capture, a capture before a station, as in the job itself.
    let scope = match (job.capture_set_id, job.capture_id, job.station_id) {
        (None, Some(_), _) => "capture",
        (None, None, Some(_)) => "station",
        _ => "set",
    };
    put("scope", Some(scope.to_owned()));
    put("limit", job.limit.map(|limit| limit.to_string()));
    put("delay", (job.delay > 0).then(|| job.delay.to_string()));
    put("shuffle", job.shuffle.then(|| "on".to_owned()));
    if job.kind == POST_PROCESSING {
        put("task", job.params["task"].as_str().map(str::to_owned));
        for (name, value) in job.params["config"].as_object().into_iter().flatten() {
            for value in said(value) {
                put(name, Some(value));
            }
        }
    }
    if let (EXPORT, Some(id)) = (job.kind.as_str(), job.export_id) {
        let export = store.export(id).await?;
        let set = ["collection_id", "collection"]
            .iter()
            .find_map(|name| domain::export::number(&export.filters[*name]));
        put(SET, text(set));
        put("format", Some(export.format));
    }
    Ok(values)
}

/// A setting as the fields of a form send it.
fn said(value: &Value) -> Vec<String> {
    match value {
        Value::Null | Value::Bool(false) => Vec::new(),
        Value::Bool(true) => vec!["on".to_owned()],
        Value::String(text) => vec![text.clone()],
        Value::Array(list) => list.iter().flat_map(said).collect(),
        other => vec![other.to_string()],
    }
}

/// The name that was typed, or one from what the job does: "Moths of Vermont on All Images".
///
/// # Errors
/// Errors of the database.
pub async fn name(store: &Store, at: &At, kind: &KindSpec, sent: &Sent) -> StoreResult<String> {
    if let Some(name) = sent.filled("name") {
        return Ok(name.to_owned());
    }
    let home = at.project.id;
    let what = match (kind.key, sent.number("pipeline_id")) {
        (ML, Some(id)) => store.pipeline(id).await.map(|pipeline| pipeline.name).ok(),
        _ => None,
    };
    let field = match kind.key {
        ML => fields::scope(sent.text("scope")).0,
        _ if sent.number(STATION).is_some() => STATION,
        _ => SET,
    };
    let on = match (field, sent.number(field)) {
        (CAPTURE, Some(id)) => Some(format!("capture {id}")),
        (STATION, Some(id)) => {
            let rows = store.stations_by_id(&[id]).await?;
            let row = rows.into_iter().find(|row| row.project_id == Some(home));
            row.map(|row| row.name)
        }
        (SET, Some(id)) => {
            let rows = store.capture_sets_by_id(&[id]).await?;
            let row = rows.into_iter().find(|row| row.project_id == home);
            row.map(|row| row.name)
        }
        _ => None,
    };
    let task = domain::post::task(sent.text("task")).filter(|_| kind.key == POST_PROCESSING);
    let what = what.unwrap_or_else(|| task.map_or(kind.name, |task| task.name).to_owned());
    let name = match on {
        Some(on) => format!("{what} on {on}"),
        None => format!("{what} {}", Utc::now().format("%Y-%m-%d")),
    };
    Ok(name.chars().take(LONGEST).collect())
}
