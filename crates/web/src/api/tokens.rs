//! `/api/v2/users/me/tokens/`: one's own tokens, one for each browser or program, so that ending
//! one ends no other. A token's text is shown once, when it is made.

use axum::Json;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::routing::{delete, get};
use rest::allow::LIST;
use rest::field::{Field, Kind};
use rest::page::{Envelope, Page};
use rest::time::instant;
use rest::{ApiError, ApiResult, Form, How, JsonBody};
use serde_json::{Value, json};
use store::token::Token;

use super::internal;
use super::users::signed_in;
use crate::call::{Call, number};
use crate::views::{View, view};

const ABOUT: &str = "One's own tokens, one for each browser or program that signs in. The token \
                     itself is shown once, in the answer to the POST that makes it.";
/// What can only be deleted.
const GONE: &str = "DELETE, OPTIONS";

/// The fields of a token.
const FIELDS: &[Field] = &[
    Field::id(),
    Field::new("name", "Name", Kind::Text(Some(255))).required(),
    Field::shown("created_at", "Created at", Kind::DateTime),
    Field::shown("last_used_at", "Last used at", Kind::DateTime).nullable(),
];

/// Its addresses.
pub const VIEWS: &[View] = &[
    view(
        "/users/me/tokens",
        "Token List",
        LIST,
        ABOUT,
        FIELDS,
        || get(list).post(create),
    ),
    view(
        "/users/me/tokens/{id}",
        "Token Instance",
        GONE,
        ABOUT,
        &[],
        || delete(end),
    ),
];

fn shown(token: &Token) -> Value {
    json!({
        "id": token.id,
        "name": token.name,
        "created_at": instant(token.created_at),
        "last_used_at": token.last_used_at.map(instant),
    })
}

/// A page of one's tokens, newest first.
pub async fn list(call: Call) -> ApiResult<Json<Envelope<Value>>> {
    let me = signed_in(&call)?;
    let page = Page::read(&call.query);
    let found = call.store().tokens(me.id, page.limit, page.offset).await;
    let (tokens, count) = found.map_err(internal)?;
    let rows = tokens.iter().map(shown).collect();
    let words = vec!["create".to_owned()];
    Ok(Json(call.envelope(
        "users/me/tokens",
        page,
        count,
        rows,
        words,
    )))
}

/// Makes a token.
pub async fn create(call: Call, body: JsonBody) -> ApiResult<(StatusCode, Json<Value>)> {
    let me = signed_in(&call)?;
    let form = Form::read(FIELDS, body, How::Whole)?;
    form.finish()?;
    let name = form.text("name").unwrap_or_default();
    let (token, text) = call
        .store()
        .make_token(me.id, &name)
        .await
        .map_err(internal)?;
    let mut answer = shown(&token);
    answer["token"] = json!(text);
    Ok((StatusCode::CREATED, Json(answer)))
}

/// Ends a token.
pub async fn end(call: Call, Path(id): Path<String>) -> ApiResult<StatusCode> {
    let me = signed_in(&call)?;
    let ended = call.store().end_token(me.id, number(&id)?).await;
    if ended.map_err(internal)? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(ApiError::NotFound)
    }
}
