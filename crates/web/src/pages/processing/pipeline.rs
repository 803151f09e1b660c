//! Pipelines of a project on pages: whether they are offered for new jobs, and their settings here,
//! which lie over the pipeline's own key by key.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::{Html, IntoResponse, Response};
use domain::lease::{LEASE_SECONDS, MAX_DELIVERIES};
use domain::permission::Permit;
use rest::ApiError;
use serde_json::{Map, Value};
use store::pipeline::Pipeline;
use store::pipeline::list::ProjectPipeline;
use store::pipeline::used::UseChange;

use crate::AppState;
use crate::auth::{Who, refusal};
use crate::pages::act::{Refused, Wrong};
use crate::pages::at::{At, Part};
use crate::pages::form::{Sent, Shown};
use crate::pages::model::short;
use crate::pages::offered::NAME;
use crate::pages::{PageError, PageResult, said};

/// The permission to change how a project uses a pipeline.
pub const CHANGE: &str = "update_projectpipelineconfig";
/// The same without its verb.
const MODEL: &str = "projectpipelineconfig";
/// Pipelines of a page: the first by name.
const ROWS: usize = 20;
/// Others that are named.
const OTHERS: usize = 100;
/// Settings that are named of each.
const NAMED: usize = 6;
/// The longest settings, in bytes.
const LONGEST: usize = 20_000;
/// Fields of the form.
pub(super) const FIELDS: &[&str] = &["lease_seconds", "max_deliveries", "config"];

/// A pipeline as a row of the table.
pub struct PipelineRow {
    pub id: i64,
    pub name: String,
    pub slug: String,
    pub version: i32,
    pub enabled: bool,
    pub lease: u32,
    pub deliveries: i32,
    /// Names of settings that the project has beside these.
    pub settings: Vec<String>,
}

/// The settings with which a project runs a pipeline.
pub fn settings(pipeline: &Pipeline, used: &ProjectPipeline) -> Map<String, Value> {
    let mut all = object(&pipeline.default_config);
    all.extend(object(&used.config));
    all
}

fn object(value: &Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap_or_default()
}

/// The pipelines of a project: the first as rows, others by number and name, and how many more there
/// are.
pub struct Pipelines {
    pub rows: Vec<PipelineRow>,
    pub others: Vec<(i64, String)>,
    pub more: u64,
}

/// Reads them.
pub async fn rows(state: &AppState, at: &At) -> Result<Pipelines, PageError> {
    let used = state.store.used_pipelines(at.project.id).await?;
    let rows = used.iter().take(ROWS).map(|(p, used)| {
        let mut row = row(state, p, used);
        row.name = short(&row.name, NAME);
        row.settings.truncate(NAMED);
        row.settings
            .iter_mut()
            .for_each(|name| *name = short(name, NAME));
        row
    });
    let others = used.iter().skip(ROWS).take(OTHERS);
    let name = |(p, _): &(Pipeline, ProjectPipeline)| (p.id, short(&p.name, NAME));
    Ok(Pipelines {
        rows: rows.collect(),
        others: others.map(name).collect(),
        more: used.len().saturating_sub(ROWS + OTHERS) as u64,
    })
}

fn row(state: &AppState, pipeline: &Pipeline, used: &ProjectPipeline) -> PipelineRow {
    let terms = state.leases.overlaid(&settings(pipeline, used));
    let own = object(&used.config).into_iter().map(|(name, _)| name);
    PipelineRow {
        id: pipeline.id,
        name: pipeline.name.clone(),
        slug: pipeline.slug.clone(),
        version: pipeline.version,
        enabled: used.enabled,
        lease: terms.seconds,
        deliveries: terms.deliveries,
        settings: own
            .filter(|name| name != LEASE_SECONDS && name != MAX_DELIVERIES)
            .collect(),
    }
}

#[derive(Template)]
#[template(path = "processing/pipeline.html")]
struct PipelinePage {
    at: At,
    row: PipelineRow,
    form: Shown,
    /// What holds where the project says nothing.
    own: String,
    /// What this server does where nobody says anything.
    lease: u32,
    deliveries: i32,
}

fn page(
    state: &AppState,
    at: At,
    (pipeline, used): &(Pipeline, ProjectPipeline),
    form: Shown,
) -> Result<Html<String>, PageError> {
    let own = object(&pipeline.default_config);
    let otherwise = state.leases.overlaid(&own);
    let page = PipelinePage {
        at,
        row: row(state, pipeline, used),
        form,
        own: pretty(&own),
        lease: otherwise.seconds,
        deliveries: otherwise.deliveries,
    };
    Ok(Html(page.render()?))
}

/// Settings as people read and write them; nothing for none.
fn pretty(settings: &Map<String, Value>) -> String {
    match settings.is_empty() {
        true => String::new(),
        false => serde_json::to_string_pretty(settings).unwrap_or_default(),
    }
}

async fn used(
    state: &AppState,
    at: &At,
    pipeline: i64,
) -> Result<(Pipeline, ProjectPipeline), PageError> {
    let mut all = state.store.used_pipelines(at.project.id).await?.into_iter();
    let found = all.find(|(row, _)| row.id == pipeline);
    Ok(found.ok_or(ApiError::NotFound)?)
}

/// The form with the settings of a pipeline.
pub async fn form(
    State(state): State<AppState>,
    who: Who,
    Path((project, id)): Path<(i64, i64)>,
) -> PageResult {
    let at = At::open(&state, &who, project, Part::Processing).await?;
    at.must(domain::permission::Action::Change(CHANGE))?;
    let used = used(&state, &at, id).await?;
    let mut config = object(&used.1.config);
    let mut taken = |name: &str| match config.shift_remove(name) {
        None | Some(Value::Null) => String::new(),
        Some(value) => value.to_string(),
    };
    let (lease, deliveries) = (taken(LEASE_SECONDS), taken(MAX_DELIVERIES));
    let form = Shown::fresh(&[
        ("lease_seconds", lease),
        ("max_deliveries", deliveries),
        ("config", pretty(&config)),
    ]);
    page(&state, at, &used, form)
}

/// Reads the form; what is wrong stands by its field.
fn read(sent: &Sent) -> Result<Map<String, Value>, Wrong> {
    let mut wrong = Vec::new();
    let mut fault = |field: &str, words: String| wrong.push((field.to_owned(), vec![words]));
    let mut config = Map::new();
    let text = sent.text("config");
    if text.len() > LONGEST {
        fault(
            "config",
            format!("These settings are longer than {LONGEST} bytes."),
        );
    } else if !text.is_empty() {
        match serde_json::from_str(text) {
            Ok(Value::Object(map)) => config = map,
            Ok(_) => fault(
                "config",
                "Settings are a JSON object, such as {\"batch_size\": 4}.".to_owned(),
            ),
            Err(error) => fault("config", format!("This is not JSON: {error}.")),
        }
    }
    for (name, most) in [(LEASE_SECONDS, 86_400), (MAX_DELIVERIES, 100)] {
        let field = name;
        let Some(text) = sent.filled(field) else {
            continue;
        };
        match text.parse::<u32>() {
            Ok(number) if (1..=most).contains(&number) => {
                config.insert(name.to_owned(), number.into());
            }
            _ => fault(
                field,
                format!("This must be a whole number from 1 to {most}."),
            ),
        }
    }
    if wrong.is_empty() {
        Ok(config)
    } else {
        Err(wrong)
    }
}

/// Keeps the settings of a pipeline.
pub async fn change(
    State(state): State<AppState>,
    who: Who,
    Path((project, id)): Path<(i64, i64)>,
    sent: Sent,
) -> Result<Response, PageError> {
    let at = At::open(&state, &who, project, Part::Processing).await?;
    let permit = Permit::ask(at.caller(), &at.facts, MODEL).map_err(refusal)?;
    let used = used(&state, &at, id).await?;
    let config = match read(&sent) {
        Ok(config) => config,
        Err(wrong) => {
            let form = Shown::again(sent, Refused::Fields(wrong))?;
            return Ok(page(&state, at, &used, form)?.into_response());
        }
    };
    let change = UseChange {
        config: Some(config),
        ..Default::default()
    };
    state.store.change_use(permit, project, id, change).await?;
    let words = format!("The settings of {} were kept.", used.0.name);
    Ok(said::go(&state.links, &at.path("/processing"), &words))
}

/// Offers a pipeline for new jobs, or does so no longer.
pub async fn act(
    State(state): State<AppState>,
    who: Who,
    Path((project, id, deed)): Path<(i64, i64, String)>,
) -> Result<Response, PageError> {
    let at = At::open(&state, &who, project, Part::Processing).await?;
    let enabled = match deed.as_str() {
        "enable" => true,
        "disable" => false,
        _ => return Err(ApiError::NotFound.into()),
    };
    let permit = Permit::ask(at.caller(), &at.facts, MODEL).map_err(refusal)?;
    let (pipeline, _) = used(&state, &at, id).await?;
    let change = UseChange {
        enabled: Some(enabled),
        ..Default::default()
    };
    state.store.change_use(permit, project, id, change).await?;
    let words = match enabled {
        true => format!("{} is offered for new jobs.", pipeline.name),
        false => format!(
            "{} is not offered for new jobs any more; those that are under way go on.",
            pipeline.name
        ),
    };
    Ok(said::go(&state.links, &at.path("/processing"), &words))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use rest::query::Query;

    fn sent(text: &str) -> Sent {
        Sent(Query::parse(text))
    }

    #[test]
    fn settings_are_read_or_said_to_be_wrong() {
        let read_ok = read(&sent("lease_seconds=60&config=%7B%22a%22%3A1%7D")).unwrap();
        assert_eq!(
            Value::Object(read_ok).to_string(),
            r#"{"a":1,"lease_seconds":60}"#
        );
        assert!(read(&sent("")).unwrap().is_empty());
        for (text, field) in [
            ("config=%7B", "config"),
            ("config=%5B%5D", "config"),
            ("lease_seconds=0", "lease_seconds"),
            ("lease_seconds=1.5", "lease_seconds"),
            ("max_deliveries=101", "max_deliveries"),
        ] {
            assert_eq!(read(&sent(text)).unwrap_err()[0].0, field, "{text}");
        }
    }
}
