//! `/api/v2/webhooks/`: whom a project tells what becomes of its jobs, by a signed POST or by
//! e-mail, with a log of what was told. All of it is for those who may change the project's
//! settings.

use std::collections::HashMap;

use axum::Json;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::routing::{get, post};
use domain::permission::{
    Action, Permit, ProjectFacts, Update, WEBHOOKS, webhook_list_permissions, webhook_permissions,
};
use domain::telling::Channel;
use rest::allow::{ACTION, DETAIL, LIST, READ};
use rest::page::{Envelope, Page};
use rest::time::instant;
use rest::{ApiError, ApiResult, How, JsonBody};
use serde_json::{Value, json};
use store::webhook::{Delivery, WEBHOOK_ORDERS, Webhook, WebhookFilter};

use super::internal;
use crate::call::{Call, number};
use crate::views::{self, Answer, View, view};

pub mod fields;
mod input;

const PATH: &str = "webhooks";

/// The model whose permission it takes.
const MODEL: &str = "project";

/// Its addresses.
pub const VIEWS: &[View] = &[
    view(
        "/webhooks",
        "Webhook List",
        LIST,
        fields::ABOUT,
        fields::FIELDS,
        || get(list).post(create),
    )
    .filters(views::PROJECT)
    .orders(WEBHOOK_ORDERS)
    .searched()
    .in_root()
    .posted(&[(201, Answer::Row(fields::MADE))]),
    view(
        "/webhooks/{id}",
        "Webhook Instance",
        DETAIL,
        fields::ABOUT,
        fields::FIELDS,
        || get(detail).put(replace).patch(edit).delete(delete),
    ),
    view(
        "/webhooks/{id}/deliveries",
        "Delivery List",
        READ,
        fields::DELIVERIES,
        fields::DELIVERY,
        || get(deliveries),
    )
    .got(&[Answer::Objects(fields::DELIVERY)]),
    view(
        "/webhooks/{id}/deliveries/{delivery}/redeliver",
        "Redeliver",
        ACTION,
        fields::REDELIVER,
        fields::DELIVERY,
        || post(redeliver),
    )
    .takes(&[])
    .posted(&[(200, Answer::Object(fields::DELIVERY))])
    .fails(&[409]),
    view(
        "/webhooks/{id}/test",
        "Test",
        ACTION,
        fields::TEST,
        fields::DELIVERY,
        || post(test),
    )
    .takes(&[])
    .posted(&[(200, Answer::Object(fields::DELIVERY))]),
];

fn shown(call: &Call, row: &Webhook, facts: &ProjectFacts, last: Option<&Delivery>) -> Value {
    let wishes = row.wishes();
    let events: Vec<&str> = wishes.events.iter().map(|event| event.word()).collect();
    json!({
        "id": row.id,
        "details": call.addresses.row(PATH, row.id),
        "name": row.name,
        "project": row.project_id,
        "kind": row.kind,
        "target": row.target,
        "events": events,
        "only_failures": row.only_failures,
        "no_worker_minutes": row.no_worker_minutes,
        "enabled": row.enabled,
        "last_delivery": last.map(|last| delivered(call, row.channel(), last)),
        "created_at": instant(row.created_at),
        "updated_at": instant(row.updated_at),
        "user_permissions": webhook_permissions(call.who.caller(), facts),
    })
}

/// What is or was told, as a receiver gets it.
fn told(call: &Call, channel: Channel, row: &Delivery) -> Value {
    let (event, root) = (row.event(), call.state.links.public_url());
    match (row.news(), channel) {
        (Ok(news), Channel::Webhook) => news.body(event, &row.key, root),
        (Ok(news), Channel::Email) => {
            json!({"subject": news.subject(event), "text": news.letter(event, root)})
        }
        (Err(_), _) => json!({}),
    }
}

fn delivered(call: &Call, channel: Channel, row: &Delivery) -> Value {
    json!({
        "id": row.id,
        "key": row.key,
        "event": row.event,
        "job": row.job_id,
        "state": row.state,
        "attempts": row.attempts,
        "response_status": row.status,
        "reason": row.reason,
        "next_try_at": row.next_at.map(instant),
        "created_at": instant(row.created_at),
        "sent_at": row.sent_at.map(instant),
        "finished_at": row.finished_at.map(instant),
        "body": told(call, channel, row),
    })
}

/// A page of webhooks, each with its last delivery.
pub async fn list(call: Call) -> ApiResult<Json<Envelope<Value>>> {
    let store = call.store();
    let visible = store.telling_projects(call.who.0.as_ref()).await;
    let project = call.query.integer("project_id", 0)?;
    let filter = WebhookFilter {
        project_id: project,
        visible: visible.map_err(internal)?,
        search: call.query.search(),
        order: call.order(WEBHOOK_ORDERS),
    };
    let page = Page::read(&call.query);
    let found = store.webhooks(&filter, page.limit, page.offset).await;
    let (rows, count) = found.map_err(internal)?;
    let ids: Vec<i64> = rows.iter().map(|row| row.id).collect();
    let last = store.last_deliveries(&ids).await.map_err(internal)?;
    let projects: Vec<i64> = rows
        .iter()
        .map(|row| row.project_id)
        .chain(project)
        .collect();
    let facts: HashMap<i64, ProjectFacts> = call.facts(&projects).await?;
    let one = |row: &Webhook| {
        let facts = facts.get(&row.project_id).copied().unwrap_or_default();
        shown(&call, row, &facts, last.get(&row.id))
    };
    let shown = rows.iter().map(one).collect();
    let here = project.and_then(|id| facts.get(&id));
    let words = webhook_list_permissions(call.who.caller(), here);
    let words = words.into_iter().map(str::to_owned).collect();
    Ok(Json(call.envelope(PATH, page, count, shown, words)))
}

/// The webhook, when the caller may change it, with the permit for that.
async fn find(call: &Call, id: &str) -> ApiResult<(Webhook, ProjectFacts, Permit<Update>)> {
    let row = call.store().webhook(number(id)?).await.map_err(internal)?;
    let (_, facts) = call.project(row.project_id).await?;
    call.permit(&facts, Action::Change(WEBHOOKS))?;
    let permit = call.ask(&facts, MODEL)?;
    Ok((row, facts, permit))
}

/// Whether somebody may edit a webhook.
pub async fn may_update(call: &Call, id: &str) -> bool {
    find(call, id).await.is_ok()
}

async fn answer(call: &Call, row: &Webhook, facts: &ProjectFacts) -> ApiResult<Json<Value>> {
    let last = call.store().last_deliveries(&[row.id]).await;
    let last = last.map_err(internal)?;
    Ok(Json(shown(call, row, facts, last.get(&row.id))))
}

/// One webhook.
pub async fn detail(call: Call, Path(id): Path<String>) -> ApiResult<Json<Value>> {
    let (row, facts, _) = find(&call, &id).await?;
    answer(&call, &row, &facts).await
}

/// Makes a webhook. A secret that nobody sent is made, and shown this once.
pub async fn create(call: Call, body: JsonBody) -> ApiResult<(StatusCode, Json<Value>)> {
    let (new, secret) = input::new(&call, body).await?;
    let (_, facts) = call.project(new.project_id).await?;
    let permit = call.ask(&facts, MODEL)?;
    let made = call.store().create_webhook(permit, new).await;
    let Json(mut answer) = answer(&call, &made.map_err(internal)?, &facts).await?;
    if let (Some(map), Some(secret)) = (answer.as_object_mut(), secret) {
        // What the caller may do comes last, as in every answer.
        let may = map.shift_remove("user_permissions").unwrap_or_default();
        map.insert("secret".to_owned(), secret.into());
        map.insert("user_permissions".to_owned(), may);
    }
    Ok((StatusCode::CREATED, Json(answer)))
}

/// Replaces what a person may edit (PUT).
pub async fn replace(call: Call, id: Path<String>, body: JsonBody) -> ApiResult<Json<Value>> {
    change(call, id, body, How::Whole).await
}

/// Changes some of what a person may edit (PATCH).
pub async fn edit(call: Call, id: Path<String>, body: JsonBody) -> ApiResult<Json<Value>> {
    change(call, id, body, How::Partial).await
}

async fn change(
    call: Call,
    Path(id): Path<String>,
    body: JsonBody,
    how: How,
) -> ApiResult<Json<Value>> {
    let (row, facts, permit) = find(&call, &id).await?;
    let change = input::change(&call, &row, body, how).await?;
    let changed = call.store().change_webhook(permit, row.id, change).await;
    answer(&call, &changed.map_err(internal)?, &facts).await
}

/// Deletes a webhook with its log.
pub async fn delete(call: Call, Path(id): Path<String>) -> ApiResult<StatusCode> {
    let (row, _, permit) = find(&call, &id).await?;
    let deleted = call.store().delete_webhook(permit, row.id).await;
    deleted.map_err(internal)?;
    Ok(StatusCode::NO_CONTENT)
}

/// A page of what was and is to be told, the newest first.
pub async fn deliveries(call: Call, Path(id): Path<String>) -> ApiResult<Json<Envelope<Value>>> {
    let (row, _, _) = find(&call, &id).await?;
    let page = Page::read(&call.query);
    let found = call.store().deliveries(row.id, page.limit, page.offset);
    let (rows, count) = found.await.map_err(internal)?;
    let shown = rows.iter().map(|one| delivered(&call, row.channel(), one));
    let shown = shown.collect();
    let path = format!("{PATH}/{}/deliveries", row.id);
    Ok(Json(call.envelope(&path, page, count, shown, Vec::new())))
}

/// Tries a webhook out, and answers with what became of it.
pub async fn test(call: Call, Path(id): Path<String>) -> ApiResult<Json<Value>> {
    let (row, _, permit) = find(&call, &id).await?;
    let teller = &call.state.teller;
    if row.channel() == Channel::Email && teller.mailer().is_none() {
        return Err(ApiError::field("kind", input::NO_MAIL));
    }
    let taken = call.store().begin_test(permit, &row).await;
    let taken = taken.map_err(internal)?;
    let done = teller.deliver(call.store(), &row, &taken).await;
    Ok(Json(delivered(
        &call,
        row.channel(),
        &done.map_err(internal)?,
    )))
}

/// Has something sent again that is not tried any more.
pub async fn redeliver(
    call: Call,
    Path((id, delivery)): Path<(String, String)>,
) -> ApiResult<Json<Value>> {
    let (row, _, permit) = find(&call, &id).await?;
    let again = call
        .store()
        .redeliver(permit, row.id, number(&delivery)?)
        .await;
    Ok(Json(delivered(
        &call,
        row.channel(),
        &again.map_err(internal)?,
    )))
}
