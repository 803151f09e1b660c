//! Processing services on pages: how they are and were, adding, asking, changing and removing them.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::{Html, IntoResponse, Response};
use rest::ApiError;
use serde_json::{Value, json};
use store::service::ProcessingService;
use store::service::list::ServiceFilter;

use super::again;
use super::history::{CELL, History};
use crate::AppState;
use crate::api::ml::services::Signs;
use crate::auth::Who;
use crate::pages::act::{Act, Refused};
use crate::pages::at::{At, Part};
use crate::pages::columns::counted;
use crate::pages::form::{Sent, Shown};
use crate::pages::model::{self, Ago};
use crate::pages::offered::NAME;
use crate::pages::{PageError, PageResult, said};

/// Services of a page.
const ROWS: u64 = 12;
/// Pipelines that are named of each.
const NAMED: usize = 6;
/// Letters of a name or a description.
const LETTERS: usize = 160;
/// Fields of the form.
pub(super) const FIELDS: &[&str] = &["name", "description", "endpoint_url"];

/// A service as a row of the table.
pub struct ServiceRow {
    pub id: i64,
    pub name: String,
    pub description: String,
    /// Its address; empty where it pulls its work.
    pub address: String,
    pub word: &'static str,
    pub tone: &'static str,
    /// Milliseconds that its last answer took.
    pub latency: Option<String>,
    pub seen: Option<Ago>,
    pub pipelines: Vec<String>,
    pub history: Option<History>,
}

/// The services of a project, and how many more there are.
pub async fn rows(state: &AppState, at: &At) -> Result<(Vec<ServiceRow>, u64), PageError> {
    let filter = ServiceFilter {
        projects: vec![at.project.id],
        order: vec![("name", false)],
        ..Default::default()
    };
    let (services, count) = state.store.services_page(&filter, ROWS, 0).await?;
    let ids: Vec<i64> = services.iter().map(|service| service.id).collect();
    let parts = state.store.service_parts(&ids).await?;
    let history = state.store.service_history(&ids, CELL).await?;
    let now = store::now().timestamp();
    let row = |service: &ProcessingService| {
        let offered = parts.pipelines.get(&service.id).into_iter().flatten();
        let parts = history.get(&service.id).map(Vec::as_slice);
        let pulls = Signs::of(service).pulls;
        let names = offered.map(|pipeline| model::short(&pipeline.name, NAME));
        ServiceRow {
            pipelines: named(names.collect()),
            history: History::of(parts.unwrap_or_default(), now, pulls),
            ..plain(service)
        }
    };
    let rows: Vec<ServiceRow> = services.iter().map(row).collect();
    let more = count.saturating_sub(rows.len() as u64);
    Ok((rows, more))
}

/// The first of these names, and how many there are beside them.
fn named(mut names: Vec<String>) -> Vec<String> {
    let more = names.len().saturating_sub(NAMED);
    names.truncate(NAMED);
    if more > 0 {
        names.push(format!("and {more} more"));
    }
    names
}

fn plain(service: &ProcessingService) -> ServiceRow {
    let signs = Signs::of(service);
    let (word, tone) = match signs.live {
        Some(true) => ("online", "success"),
        Some(false) => ("offline", "failed"),
        None => ("not heard of yet", "waiting"),
    };
    let latency = service.last_seen_latency.filter(|_| !signs.pulls);
    ServiceRow {
        id: service.id,
        name: model::short(&service.name, LETTERS),
        description: model::short(&service.description, LETTERS),
        address: service.endpoint_url.clone().unwrap_or_default(),
        word,
        tone,
        latency: latency.map(|seconds| format!("{:.0} ms", seconds * 1000.0)),
        seen: service.last_seen_at.map(Ago::of),
        pipelines: Vec::new(),
        history: None,
    }
}

/// What the form holds, as the API takes it: a service without an address pulls its work.
fn body(sent: &Sent) -> Value {
    json!({
        "name": sent.text("name"),
        "description": sent.text("description"),
        "endpoint_url": sent.filled("endpoint_url"),
    })
}

/// Adds a service, which is asked at once.
pub async fn add(
    State(state): State<AppState>,
    who: Who,
    Path(project): Path<i64>,
    act: Act,
    sent: Sent,
) -> Result<Response, PageError> {
    let at = At::open(&state, &who, project, Part::Processing).await?;
    let path = format!("/ml/processing_services/?project_id={project}");
    match act.post(&path, body(&sent)).await {
        Ok(made) => {
            let words = format!(
                "Service {} was added. {}",
                sent.text("name"),
                answered(&made["status"])
            );
            Ok(said::go(&state.links, &at.path("/processing"), &words))
        }
        Err(refused) => {
            let new = Shown::again(sent, refused)?;
            again(&state, at, &act, new).await
        }
    }
}

/// How a service answered, in a sentence or two.
fn answered(status: &Value) -> String {
    let live = status["server_live"].as_bool().unwrap_or(false);
    let names = status["pipelines_online"].as_array();
    let names: Vec<&str> = names
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    match (status["endpoint_url"].as_str(), live) {
        (Some(_), true) => {
            let time = status["latency"].as_f64().unwrap_or(0.0) * 1000.0;
            let ready = match names.is_empty() {
                true => "It names no pipeline that it is ready for.".to_owned(),
                false => format!("Ready for {}.", names.join(", ")),
            };
            format!("It answered in {time:.0} ms. {ready}")
        }
        (Some(_), false) => {
            let why = status["error"].as_str().unwrap_or("it gave no reason");
            format!("It did not say that it is ready: {why}")
        }
        (None, true) => "It pulls its work, and was heard of within the last minute.".to_owned(),
        (None, false) => {
            "It pulls its work, and was not heard of within the last minute.".to_owned()
        }
    }
}

#[derive(Template)]
#[template(path = "processing/service.html")]
struct ServicePage {
    at: At,
    row: ServiceRow,
    form: Shown,
}

/// The service, where it is one of this project's and the person may change it.
async fn changeable(state: &AppState, at: &At, id: i64) -> Result<ProcessingService, PageError> {
    if !at.caller().may_write_shared() {
        return Err(ApiError::Forbidden.into());
    }
    let filter = ServiceFilter {
        id: Some(id),
        projects: vec![at.project.id],
        ..Default::default()
    };
    let (rows, _) = state.store.services_page(&filter, 1, 0).await?;
    Ok(rows.into_iter().next().ok_or(ApiError::NotFound)?)
}

/// The form that changes a service.
pub async fn form(
    State(state): State<AppState>,
    who: Who,
    Path((project, id)): Path<(i64, i64)>,
) -> PageResult {
    let at = At::open(&state, &who, project, Part::Processing).await?;
    let service = changeable(&state, &at, id).await?;
    let form = Shown::fresh(&[
        ("name", service.name.clone()),
        ("description", service.description.clone()),
        (
            "endpoint_url",
            service.endpoint_url.clone().unwrap_or_default(),
        ),
    ]);
    let row = plain(&service);
    Ok(Html(ServicePage { at, row, form }.render()?))
}

/// Changes a service.
pub async fn change(
    State(state): State<AppState>,
    who: Who,
    Path((project, id)): Path<(i64, i64)>,
    act: Act,
    sent: Sent,
) -> Result<Response, PageError> {
    let at = At::open(&state, &who, project, Part::Processing).await?;
    let service = changeable(&state, &at, id).await?;
    let path = format!("/ml/processing_services/{id}/");
    match act.patch(&path, body(&sent)).await {
        Ok(_) => {
            let words = format!("Service {} was changed.", sent.text("name"));
            Ok(said::go(&state.links, &at.path("/processing"), &words))
        }
        Err(refused) => {
            let form = Shown::again(sent, refused)?;
            let row = plain(&service);
            Ok(Html(ServicePage { at, row, form }.render()?).into_response())
        }
    }
}

/// Asks a service, has it register its pipelines, or removes it.
pub async fn act(
    State(state): State<AppState>,
    who: Who,
    Path((project, id, deed)): Path<(i64, i64, String)>,
    act: Act,
) -> Result<Response, PageError> {
    let at = At::open(&state, &who, project, Part::Processing).await?;
    let path = format!("/ml/processing_services/{id}");
    let done = match deed.as_str() {
        "check" => act
            .get(&format!("{path}/status/"))
            .await
            .map(|a| answered(&a)),
        "register" => {
            let path = format!("{path}/register_pipelines/");
            let made = act.post(&path, json!({})).await;
            made.map(|made| registered(&made))
        }
        "remove" => {
            let service = changeable(&state, &at, id).await?;
            let gone = act.delete(&format!("{path}/")).await;
            gone.map(|_| format!("Service {} was removed.", service.name))
        }
        _ => return Err(ApiError::NotFound.into()),
    };
    let words = done.or_else(Refused::words)?;
    Ok(said::go(&state.links, &at.path("/processing"), &words))
}

fn registered(made: &Value) -> String {
    let count = |name: &str| made[name].as_array().map_or(0, Vec::len);
    let (all, new) = (count("pipelines"), count("pipelines_created"));
    let all = counted(all as u64, "pipeline", "pipelines");
    format!("The service offers {all}, {new} of them new here.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_pipelines_are_named() {
        let names = |count: usize| named((0..count).map(|n| n.to_string()).collect());
        assert_eq!(names(6).join(" "), "0 1 2 3 4 5");
        assert_eq!(names(8).join(" "), "0 1 2 3 4 5 and 2 more");
    }
}
