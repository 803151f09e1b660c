//! Making a job: first its kind, then only the fields of that kind, then a look at what it will
//! do. The idea: the form has the names that the API has, so what the API refuses stands beside
//! its field, and any address with those names opens the form filled in.

use askama::Template;
use axum::extract::{Path, RawQuery, State};
use axum::response::{Html, IntoResponse, Response};
use domain::job::{EXPORT, KINDS, KindSpec, ML, POST_PROCESSING};
use domain::permission::{Action, JobAction, JobFacts};
use domain::post::TaskSpec;
use rest::query::Query;
use serde_json::Value;
use store::StoreError;

use super::Choice;
use crate::AppState;
use crate::auth::Who;
use crate::pages::act::{Act, Refused};
use crate::pages::at::{At, Part};
use crate::pages::form::{Sent, Shown};
use crate::pages::{PageError, PageResult, said};
use ahead::AheadView;
use choices::Choices;

mod ahead;
mod before;
mod choices;
mod fields;

/// A kind or task to choose.
struct Tab {
    name: &'static str,
    href: String,
    current: bool,
}

#[derive(Template)]
#[template(path = "jobs/new.html")]
struct NewPage {
    at: At,
    kind: &'static KindSpec,
    kinds: Vec<Tab>,
    /// Of post-processing, which one.
    task: &'static TaskSpec,
    tasks: Vec<Tab>,
    form: Shown,
    choices: Choices,
    ahead: Option<AheadView>,
    /// What is wrong with the whole, or with what the form does not show.
    wrong: Vec<String>,
    start: bool,
    save: bool,
    action: String,
}

/// The form, filled in as the address says.
pub async fn show(
    State(state): State<AppState>,
    who: Who,
    Path(project): Path<i64>,
    RawQuery(query): RawQuery,
) -> PageResult {
    let at = At::open(&state, &who, project, Part::Jobs).await?;
    let query = Query::parse(query.as_deref().unwrap_or_default());
    let values = before::values(&state.store, &at, &query).await?;
    let pairs: Vec<(&str, String)> = values
        .iter()
        .map(|(n, v)| (n.as_str(), v.clone()))
        .collect();
    let form = Shown::fresh(&pairs);
    let page = page(&state, at, form).await?;
    Ok(Html(page.render()?))
}

/// Looks at what the job will do, or makes it.
pub async fn send(
    State(state): State<AppState>,
    who: Who,
    Path(project): Path<i64>,
    act: Act,
    sent: Sent,
) -> Result<Response, PageError> {
    let at = At::open(&state, &who, project, Part::Jobs).await?;
    let kind = kind(&at, sent.text("kind"))?;
    let start = match sent.text("act") {
        "start" => true,
        "save" => kind.key == EXPORT,
        _ => {
            let form = Shown::again(sent, Refused::Fields(Vec::new()))?;
            return shown(&state, at, form).await;
        }
    };
    let named = before::name(&state.store, &at, kind, &sent).await?;
    let body = match fields::body(kind, project, &sent, named) {
        Ok(body) => body,
        Err(wrong) => {
            let form = Shown::again(sent, Refused::Fields(wrong))?;
            return shown(&state, at, form).await;
        }
    };
    let last = state.store.last_job(project).await?;
    let path = match (kind.key, start) {
        (EXPORT, _) => "/exports/",
        (_, true) => "/jobs/?start_now=1",
        (_, false) => "/jobs/",
    };
    match act.post(path, body).await {
        Ok(answer) => Ok(made(&state, &at, &answer, last, start)),
        Err(refused) => {
            let form = Shown::again(sent, fields::beside(refused))?;
            shown(&state, at, form).await
        }
    }
}

/// On to the job that was made, or to the one that does the same already.
fn made(state: &AppState, at: &At, answer: &Value, last: i64, start: bool) -> Response {
    let job = answer["job"]["id"].as_i64().or(answer["id"].as_i64());
    let id = job.unwrap_or_default();
    let words = match (id > last, start) {
        (false, _) => format!("Job {id} does this already, so no other was made."),
        (true, true) => format!("Job {id} was made and queued."),
        (true, false) => format!("Job {id} was made. It runs when somebody starts it."),
    };
    said::go(&state.links, &at.path(&format!("/jobs/{id}")), &words)
}

async fn shown(state: &AppState, at: At, form: Shown) -> Result<Response, PageError> {
    let page = page(state, at, form).await?;
    Ok(Html(page.render()?).into_response())
}

async fn page(state: &AppState, at: At, form: Shown) -> Result<NewPage, PageError> {
    let kind = kind(&at, form.value("kind"))?;
    let tasks = domain::post::TASKS;
    let task = domain::post::task(form.value("task")).unwrap_or(&tasks[0]);
    let new = at.path("/jobs/new");
    // The set that the form was opened for goes along from kind to kind.
    let set = form.value(fields::SET).trim().parse::<i64>();
    let set = set.map_or(String::new(), |id| format!("&{}={id}", fields::SET));
    let tab = |name, query: String, current| Tab {
        name,
        href: format!("{new}?{query}{set}"),
        current,
    };
    let offered = KINDS.iter().filter(|other| offered(&at, other));
    let kinds = offered
        .map(|other| {
            tab(
                other.name,
                format!("kind={}", other.key),
                other.key == kind.key,
            )
        })
        .collect();
    let tasks = tasks.iter().map(|other| {
        let query = format!("kind={POST_PROCESSING}&task={}", other.key);
        tab(other.name, query, other.key == task.key)
    });
    Ok(NewPage {
        kinds,
        tasks: tasks.collect(),
        choices: Choices::read(&state.store, &at, kind, &form).await?,
        ahead: ahead::look(state, &at, kind, &form).await?,
        wrong: form.elsewhere(fields::of(kind, task)),
        start: may(&at, kind, JobAction::CreateAndStart),
        save: kind.key != EXPORT,
        action: new,
        kind,
        task,
        form,
        at,
    })
}

/// Whether the person may do this with a job of this kind, of whatever scope.
fn may(at: &At, kind: &KindSpec, action: JobAction) -> bool {
    if kind.key == EXPORT {
        return at.may_make("create_dataexport");
    }
    let scopes: &[bool] = if kind.key == ML {
        &[false, true]
    } else {
        &[false]
    };
    let mut facts = scopes.iter().map(|single_capture| JobFacts {
        kind: kind.key,
        single_capture: *single_capture,
    });
    facts.any(|facts| at.may(Action::Job(action, facts)))
}

fn offered(at: &At, kind: &KindSpec) -> bool {
    !kind.stages.is_empty() && may(at, kind, JobAction::Create)
}

/// The kind with this key, or the first that the person may make.
fn kind(at: &At, key: &str) -> Result<&'static KindSpec, PageError> {
    let asked = KINDS
        .iter()
        .find(|kind| kind.key == key && offered(at, kind));
    let first = || KINDS.iter().find(|kind| offered(at, kind));
    if let Some(kind) = asked.or_else(first) {
        return Ok(kind);
    }
    let facts = JobFacts {
        kind: ML,
        single_capture: false,
    };
    at.must(Action::Job(JobAction::Create, facts))?;
    Err(StoreError::NotFound("kind of job").into())
}
