//! Whom a project tells what becomes of its jobs: a table among its people, and a page for each with
//! its settings, a test and its log. For those who may change the project's settings. A secret that
//! was made is shown in the answer to the form that made it and nowhere else.

use askama::Template;
use axum::extract::{Path, RawQuery, State};
use axum::http::header::CACHE_CONTROL;
use axum::response::{Html, IntoResponse, Response};
use domain::permission::{Action, WEBHOOKS};
use domain::telling::{Channel, Event, Wishes};
use rest::ApiError;
use rest::query::Query;
use serde_json::{Map, Value, json};
use store::webhook::{Delivery, DeliveryState, KEPT_DAYS, Webhook, WebhookFilter};

use super::log::{self, LogRow};
use crate::AppState;
use crate::auth::Who;
use crate::pages::act::{Act, Refused};
use crate::pages::at::{At, Part};
use crate::pages::columns::Pager;
use crate::pages::form::{Sent, Shown};
use crate::pages::model::Ago;
use crate::pages::{PageError, PageResult, said};

/// Webhooks of the table.
const ROWS: u64 = 200;
/// Fields of the form.
pub const FORM: &[&str] = &[
    "name",
    "kind",
    "target",
    "events",
    "only_failures",
    "no_worker_minutes",
    "enabled",
    "secret",
];

/// Whom a project tells.
pub struct Told {
    /// By their names.
    pub rows: Vec<WebhookRow>,
    /// Those that the table has no room for.
    pub more: u64,
    /// Whether the server sends e-mail.
    pub mails: bool,
}

/// A webhook as a row of the table, and at the top of its page.
pub struct WebhookRow {
    pub id: i64,
    pub name: String,
    /// What stands at the other end.
    pub kind: &'static str,
    pub target: String,
    /// What it is told of.
    pub events: String,
    pub enabled: bool,
    /// What became of the newest delivery.
    pub last: Option<Last>,
}

/// How a delivery stands, and since when.
pub struct Last {
    pub word: &'static str,
    pub tone: &'static str,
    pub at: Ago,
}

/// The webhooks of a project; `None` for those who may not see them.
pub async fn told(state: &AppState, at: &At) -> Result<Option<Told>, PageError> {
    if !at.may_change(WEBHOOKS) {
        return Ok(None);
    }
    let filter = WebhookFilter {
        project_id: Some(at.project.id),
        order: vec![("name", false)],
        ..Default::default()
    };
    let (webhooks, count) = state.store.webhooks(&filter, ROWS, 0).await?;
    let ids: Vec<i64> = webhooks.iter().map(|webhook| webhook.id).collect();
    let last = state.store.last_deliveries(&ids).await?;
    let rows = webhooks
        .iter()
        .map(|webhook| row(webhook, last.get(&webhook.id)));
    let rows: Vec<WebhookRow> = rows.collect();
    Ok(Some(Told {
        more: count.saturating_sub(rows.len() as u64),
        rows,
        mails: mails(state),
    }))
}

fn mails(state: &AppState) -> bool {
    state.teller.mailer().is_some()
}

fn row(webhook: &Webhook, last: Option<&Delivery>) -> WebhookRow {
    WebhookRow {
        id: webhook.id,
        name: webhook.name.clone(),
        kind: match webhook.channel() {
            Channel::Webhook => "Address",
            Channel::Email => "E-mail",
        },
        target: webhook.target.clone(),
        events: events(&webhook.wishes()),
        enabled: webhook.enabled,
        last: last.map(|delivery| {
            let (word, tone) = log::standing(delivery);
            Last {
                word,
                tone,
                at: Ago::of(delivery.sent_at.unwrap_or(delivery.created_at)),
            }
        }),
    }
}

/// What somebody is told of, in words.
fn events(wishes: &Wishes) -> String {
    let words = wishes.events.iter().map(|event| match event {
        Event::JobEnded if wishes.only_failures => "jobs that failed".to_owned(),
        Event::JobEnded => "jobs that ended".to_owned(),
        Event::JobNoWorker => format!("no worker for {} min", wishes.minutes),
        Event::Test => "tests".to_owned(),
    });
    words.collect::<Vec<_>>().join(", ")
}

#[derive(Template)]
#[template(path = "people/webhook.html")]
struct WebhookPage {
    at: At,
    /// The webhook, where it is there.
    webhook: Option<WebhookRow>,
    /// It goes to a person: nothing is signed.
    letters: bool,
    /// Whether the server sends e-mail.
    mails: bool,
    /// The secret, where it was made just now.
    fresh: Option<String>,
    log: Vec<LogRow>,
    /// Days for which the log is kept.
    kept: i64,
    pager: Pager,
    form: Shown,
}

/// The page of a webhook or, without one, the form of a new one.
async fn page(
    state: &AppState,
    at: At,
    webhook: Option<&Webhook>,
    query: &Query,
    form: Shown,
    fresh: Option<String>,
) -> PageResult {
    let (log, pager) = match webhook {
        Some(webhook) => log::rows(state, webhook, query).await?,
        None => (Vec::new(), Pager::of(query, 1, 0)),
    };
    let page = WebhookPage {
        at,
        webhook: webhook.map(|webhook| row(webhook, None)),
        letters: webhook.is_some_and(|webhook| webhook.channel() == Channel::Email),
        mails: mails(state),
        fresh,
        log,
        kept: KEPT_DAYS,
        pager,
        form,
    };
    Ok(Html(page.render()?))
}

/// The project, for those who may say who is told of its jobs.
async fn open(state: &AppState, who: &Who, project: i64) -> Result<At, PageError> {
    let at = At::open(state, who, project, Part::People).await?;
    at.must(Action::Change(WEBHOOKS))?;
    Ok(at)
}

/// A webhook of this project.
async fn find(state: &AppState, at: &At, id: i64) -> Result<Webhook, PageError> {
    let webhook = state.store.webhook(id).await?;
    match webhook.project_id == at.project.id {
        true => Ok(webhook),
        false => Err(ApiError::NotFound.into()),
    }
}

/// Address of the page of a webhook.
fn address(at: &At, id: i64) -> String {
    at.path(&format!("/people/webhooks/{id}"))
}

/// The form of a new webhook.
pub async fn new(State(state): State<AppState>, who: Who, Path(project): Path<i64>) -> PageResult {
    let at = open(&state, &who, project).await?;
    let form = Shown::fresh(&[
        ("events", Event::JobEnded.word().to_owned()),
        ("no_worker_minutes", "30".to_owned()),
        ("enabled", "on".to_owned()),
    ]);
    page(&state, at, None, &Query::default(), form, None).await
}

/// The fields of a form from a webhook.
fn filled(webhook: &Webhook) -> Shown {
    let wishes = webhook.wishes();
    let mut values = vec![
        ("name", webhook.name.clone()),
        ("target", webhook.target.clone()),
        ("no_worker_minutes", wishes.minutes.to_string()),
    ];
    for event in &wishes.events {
        values.push(("events", event.word().to_owned()));
    }
    for (field, on) in [
        ("only_failures", wishes.only_failures),
        ("enabled", webhook.enabled),
    ] {
        if on {
            values.push((field, "on".to_owned()));
        }
    }
    Shown::fresh(&values)
}

/// What a form holds, as the API takes it: a secret only where one is typed.
fn body(sent: &Sent) -> Map<String, Value> {
    let mut body = Map::new();
    for field in ["name", "target", "no_worker_minutes"] {
        body.insert(field.to_owned(), json!(sent.text(field)));
    }
    for field in ["only_failures", "enabled"] {
        body.insert(field.to_owned(), json!(sent.ticked(field)));
    }
    body.insert("events".to_owned(), json!(sent.0.values("events")));
    if let Some(secret) = sent.filled("secret") {
        body.insert("secret".to_owned(), json!(secret));
    }
    body
}

/// Adds a webhook, and shows the secret this once where it was made here.
pub async fn add(
    State(state): State<AppState>,
    who: Who,
    Path(project): Path<i64>,
    act: Act,
    sent: Sent,
) -> Result<Response, PageError> {
    let at = open(&state, &who, project).await?;
    let mut body = body(&sent);
    let kind = sent.filled("kind").unwrap_or(Channel::Webhook.word());
    body.insert("kind".to_owned(), json!(kind));
    body.insert("project".to_owned(), json!(project));
    let made = match act.post("/webhooks/", Value::Object(body)).await {
        Ok(made) => made,
        Err(refused) => {
            let form = Shown::again(sent, refused)?;
            let shown = page(&state, at, None, &Query::default(), form, None).await?;
            return Ok(shown.into_response());
        }
    };
    let id = made["id"].as_i64().unwrap_or_default();
    let Some(secret) = made["secret"].as_str() else {
        let words = format!(
            "{} was added. Send a test to see whether it arrives.",
            sent.text("name")
        );
        return Ok(said::go(&state.links, &address(&at, id), &words));
    };
    let webhook = find(&state, &at, id).await?;
    let (form, fresh) = (filled(&webhook), Some(secret.to_owned()));
    let shown = page(&state, at, Some(&webhook), &Query::default(), form, fresh).await?;
    Ok(([(CACHE_CONTROL, "private, no-store")], shown).into_response())
}

/// The page of a webhook.
pub async fn form(
    State(state): State<AppState>,
    who: Who,
    Path((project, id)): Path<(i64, i64)>,
    RawQuery(query): RawQuery,
) -> PageResult {
    let at = open(&state, &who, project).await?;
    let webhook = find(&state, &at, id).await?;
    let query = Query::parse(query.as_deref().unwrap_or_default());
    let form = filled(&webhook);
    page(&state, at, Some(&webhook), &query, form, None).await
}

/// Changes a webhook.
pub async fn change(
    State(state): State<AppState>,
    who: Who,
    Path((project, id)): Path<(i64, i64)>,
    act: Act,
    sent: Sent,
) -> Result<Response, PageError> {
    let at = open(&state, &who, project).await?;
    let webhook = find(&state, &at, id).await?;
    let body = Value::Object(body(&sent));
    match act.patch(&format!("/webhooks/{id}/"), body).await {
        Ok(_) => {
            let off = match webhook.enabled && !sent.ticked("enabled") {
                true => " It is switched off, and what waited to be sent was given up.",
                false => "",
            };
            let words = format!("{} was changed.{off}", sent.text("name"));
            Ok(said::go(&state.links, &address(&at, id), &words))
        }
        Err(refused) => {
            let form = Shown::again(sent, refused)?;
            let shown = page(&state, at, Some(&webhook), &Query::default(), form, None).await?;
            Ok(shown.into_response())
        }
    }
}

/// Tries a webhook out, or removes it.
pub async fn act(
    State(state): State<AppState>,
    who: Who,
    Path((project, id, deed)): Path<(i64, i64, String)>,
    act: Act,
) -> Result<Response, PageError> {
    let at = open(&state, &who, project).await?;
    let webhook = find(&state, &at, id).await?;
    let path = format!("/webhooks/{id}/");
    let (done, on_to) = match deed.as_str() {
        "test" => {
            let sent = act.post(&format!("{path}test/"), json!({})).await;
            let words = sent.map(|sent| tested(webhook.channel(), &sent));
            (words, address(&at, id))
        }
        "remove" => {
            let gone = act.delete(&path).await;
            let words = gone.map(|_| format!("{} was removed with its log.", webhook.name));
            (words, at.path("/people"))
        }
        _ => return Err(ApiError::NotFound.into()),
    };
    Ok(said::go(&state.links, &on_to, &outcome(done)?))
}

/// Has something sent again.
pub async fn again(
    State(state): State<AppState>,
    who: Who,
    Path((project, id, delivery)): Path<(i64, i64, i64)>,
    act: Act,
) -> Result<Response, PageError> {
    let at = open(&state, &who, project).await?;
    find(&state, &at, id).await?;
    let path = format!("/webhooks/{id}/deliveries/{delivery}/redeliver/");
    let done = act.post(&path, json!({})).await;
    let done = done.map(|_| "It is sent again, from the first try on.".to_owned());
    Ok(said::go(&state.links, &address(&at, id), &outcome(done)?))
}

/// What was done, or the API's words for why not.
fn outcome(done: Result<String, Refused>) -> Result<String, PageError> {
    match done {
        Ok(words) => Ok(words),
        Err(Refused::Fields(wrong)) => {
            let words = wrong.into_iter().flat_map(|(_, words)| words);
            Ok(words.collect::<Vec<_>>().join(" "))
        }
        Err(Refused::Error(error)) => Err(error),
    }
}

/// What became of a test, in a sentence or two.
fn tested(channel: Channel, sent: &Value) -> String {
    let taken = sent["state"].as_str() == Some(DeliveryState::Delivered.word());
    let status = sent["response_status"].as_i64().unwrap_or_default();
    let reason = sent["reason"].as_str().unwrap_or_default();
    match (taken, channel) {
        (true, Channel::Webhook) => {
            format!("The test was delivered: the receiver answered {status}.")
        }
        (true, Channel::Email) => "The test was sent: the mail server took the letter.".to_owned(),
        (false, _) => format!("The test was not delivered. {reason}"),
    }
}
