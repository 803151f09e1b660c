//! Storage sources on pages: what was found in them, a test that says what it saw, and their form.
//! Keys are only ever sent: a field for one is empty, and stays as it was where nothing is typed.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::{Html, IntoResponse, Response};
use domain::storage::LOCAL;
use rest::ApiError;
use serde_json::{Map, Value, json};
use store::source::{SourceFilter, StorageSource};

use crate::AppState;
use crate::api::storage::{Place, uri};
use crate::auth::Who;
use crate::pages::act::{Act, Refused};
use crate::pages::at::{At, Part};
use crate::pages::columns::{counted, grouped};
use crate::pages::form::{Sent, Shown};
use crate::pages::model::Ago;
use crate::pages::{PageError, PageResult, said};

/// Sources of a page.
const ROWS: u64 = 20;
/// Fields of the form.
pub const FORM: &[&str] = &[
    "name",
    "bucket",
    "prefix",
    "endpoint_url",
    "public_base_url",
    "access_key",
    "secret_key",
];
/// Those that are sent only where something is typed.
const SECRETS: [&str; 2] = ["access_key", "secret_key"];

/// A source as a row of the table.
pub struct SourceRow {
    pub id: i64,
    pub name: String,
    pub place: String,
    pub stations: String,
    /// Photographs that were found, where somebody looked.
    pub captures: String,
    pub size: String,
    pub checked: Option<Ago>,
}

/// The sources of a project, and how many more there are.
pub async fn rows(state: &AppState, at: &At) -> Result<(Vec<SourceRow>, u64), PageError> {
    let filter = SourceFilter {
        project_id: Some(at.project.id),
        order: vec![("name", false)],
        ..Default::default()
    };
    let (sources, count) = state.store.sources_page(&filter, ROWS, 0).await?;
    let ids: Vec<i64> = sources.iter().map(|source| source.id).collect();
    let totals = state.store.source_totals(&ids).await?;
    let row = |source: &StorageSource| {
        let totals = totals.get(&source.id).copied().unwrap_or_default();
        let number = |n: Option<i64>| n.map_or(String::new(), |n| grouped(n.unsigned_abs()));
        SourceRow {
            id: source.id,
            name: source.name.clone(),
            place: uri(&Place::of(source), None, None),
            stations: grouped(totals.stations.unsigned_abs()),
            captures: number(totals.captures),
            size: totals.bytes.map_or(String::new(), rest::size::display),
            checked: source.last_checked_at.map(Ago::of),
        }
    };
    let rows: Vec<SourceRow> = sources.iter().map(row).collect();
    let more = count.saturating_sub(rows.len() as u64);
    Ok((rows, more))
}

#[derive(Template)]
#[template(path = "data/source.html")]
struct SourcePage {
    at: At,
    /// The source, where it is there.
    source: Option<StorageSource>,
    /// A folder of the server: only its name can be changed.
    folder: bool,
    place: String,
    tester: bool,
    changer: bool,
    remover: bool,
    form: Shown,
}

fn page(at: At, source: Option<StorageSource>, form: Shown) -> PageResult {
    let place = source
        .as_ref()
        .map(|source| uri(&Place::of(source), None, None));
    let page = SourcePage {
        folder: source.as_ref().is_some_and(|source| source.kind == LOCAL),
        place: place.unwrap_or_default(),
        tester: at.may_change("test_s3storagesource"),
        changer: match source {
            Some(_) => at.may_change("update_s3storagesource"),
            None => true,
        },
        remover: at.may_change("delete_s3storagesource"),
        source,
        form,
        at,
    };
    Ok(Html(page.render()?))
}

/// The form of a new source.
pub async fn new(State(state): State<AppState>, who: Who, Path(project): Path<i64>) -> PageResult {
    let at = At::open(&state, &who, project, Part::Data).await?;
    at.must(domain::permission::Action::Create("create_s3storagesource"))?;
    page(at, None, Shown::default())
}

/// What the form holds, as the API takes it.
fn body(sent: &Sent, folder: bool) -> Map<String, Value> {
    let mut body = Map::new();
    for field in FORM {
        let text = sent.text(field);
        let keep = SECRETS.contains(field) && text.is_empty();
        if keep || (folder && *field != "name") {
            continue;
        }
        body.insert((*field).to_owned(), json!(text));
    }
    body
}

/// What is shown again of a form: never its keys.
fn without_secrets(sent: &Sent) -> Sent {
    let none = SECRETS.map(|field| (field, None));
    Sent(rest::query::Query::parse(&sent.0.with(&none)))
}

/// Adds a source.
pub async fn add(
    State(state): State<AppState>,
    who: Who,
    Path(project): Path<i64>,
    act: Act,
    sent: Sent,
) -> Result<Response, PageError> {
    let at = At::open(&state, &who, project, Part::Data).await?;
    let mut body = body(&sent, false);
    body.insert("project".to_owned(), json!(project));
    match act.post("/storage/", Value::Object(body)).await {
        Ok(made) => {
            let id = made["id"].as_i64().unwrap_or_default();
            let words = format!(
                "{} was added. Test it to see whether it answers.",
                sent.text("name")
            );
            let path = at.path(&format!("/data/sources/{id}"));
            Ok(said::go(&state.links, &path, &words))
        }
        Err(refused) => {
            let form = Shown::again(without_secrets(&sent), refused)?;
            Ok(page(at, None, form)?.into_response())
        }
    }
}

async fn find(state: &AppState, at: &At, id: i64) -> Result<StorageSource, PageError> {
    let source = state.store.source(id).await?;
    at.must_own(source.project_id)?;
    Ok(source)
}

/// The page of a source.
pub async fn form(
    State(state): State<AppState>,
    who: Who,
    Path((project, id)): Path<(i64, i64)>,
) -> PageResult {
    let at = At::open(&state, &who, project, Part::Data).await?;
    let source = find(&state, &at, id).await?;
    let or_none = |text: &Option<String>| text.clone().unwrap_or_default();
    let form = Shown::fresh(&[
        ("name", source.name.clone()),
        ("bucket", source.bucket.clone()),
        ("prefix", source.prefix.clone()),
        ("endpoint_url", or_none(&source.endpoint_url)),
        ("public_base_url", or_none(&source.public_base_url)),
    ]);
    page(at, Some(source), form)
}

/// Changes a source.
pub async fn change(
    State(state): State<AppState>,
    who: Who,
    Path((project, id)): Path<(i64, i64)>,
    act: Act,
    sent: Sent,
) -> Result<Response, PageError> {
    let at = At::open(&state, &who, project, Part::Data).await?;
    let source = find(&state, &at, id).await?;
    let body = body(&sent, source.kind == LOCAL);
    match act
        .patch(&format!("/storage/{id}/"), Value::Object(body))
        .await
    {
        Ok(_) => {
            let words = format!("{} was changed.", sent.text("name"));
            Ok(said::go(&state.links, &at.path("/data"), &words))
        }
        Err(refused) => {
            let form = Shown::again(without_secrets(&sent), refused)?;
            Ok(page(at, Some(source), form)?.into_response())
        }
    }
}

/// Tests a source, or removes it.
pub async fn act(
    State(state): State<AppState>,
    who: Who,
    Path((project, id, deed)): Path<(i64, i64, String)>,
    act: Act,
    sent: Sent,
) -> Result<Response, PageError> {
    let at = At::open(&state, &who, project, Part::Data).await?;
    let source = find(&state, &at, id).await?;
    let back = at.path(&format!("/data/sources/{id}"));
    match deed.as_str() {
        "test" => {
            let body = json!({
                "subdir": sent.text("subdir"),
                "regex_filter": sent.text("regex_filter"),
            });
            let words = match act.post(&format!("/storage/{id}/test/"), body).await {
                Ok(found) => tested(&source.name, &found),
                Err(Refused::Fields(wrong)) => failed(&source.name, &wrong),
                Err(Refused::Error(error)) => return Err(error),
            };
            Ok(said::go(&state.links, &back, &words))
        }
        "remove" => match act.delete(&format!("/storage/{id}/")).await {
            Ok(_) => {
                let words = format!("{} was removed. Its captures stay.", source.name);
                Ok(said::go(&state.links, &at.path("/data"), &words))
            }
            Err(refused) => Ok(said::go(&state.links, &back, &refused.words()?)),
        },
        _ => Err(ApiError::NotFound.into()),
    }
}

/// What a test saw, in a sentence or two.
fn tested(name: &str, found: &Value) -> String {
    let time = found["latency"].as_f64().unwrap_or(0.0) * 1000.0;
    let looked = found["files_checked"].as_u64().unwrap_or(0);
    let looked = counted(looked, "file was", "files were");
    let place = found["full_uri"].as_str().unwrap_or_default();
    let first = found["first_file_found"].as_str();
    let first = first.map(|file| file.split('?').next().unwrap_or(file));
    let file = first.map(|file| file.rsplit('/').next().unwrap_or(file));
    match (found["error_message"].as_str(), file) {
        (Some(why), _) => {
            format!("{name} answered in {time:.0} ms, and {looked} looked at below {place}: {why}")
        }
        (None, Some(file)) => format!(
            "{name} answered in {time:.0} ms. Below {place} the first photograph is {file}."
        ),
        (None, None) => {
            format!("{name} answered in {time:.0} ms. There is a photograph below {place}.")
        }
    }
}

/// Why a test could not be made.
fn failed(name: &str, wrong: &[(String, Vec<String>)]) -> String {
    let named = |wanted: &str| {
        let found = wrong.iter().find(|(field, _)| field == wanted);
        found.map(|(_, words)| words.join(" "))
    };
    let why = named("").unwrap_or_default();
    let code = named("code").map_or(String::new(), |code| format!(" ({code})"));
    let fields = wrong
        .iter()
        .filter(|(field, _)| !field.is_empty() && field != "code")
        .map(|(field, words)| format!(" {field}: {}", words.join(" ")));
    format!(
        "{name} could not be read{code}: {why}{} Nothing was changed.",
        fields.collect::<String>()
    )
}
