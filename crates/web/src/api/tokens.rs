//! `/api/v2/users/me/tokens/`: one's own tokens, one for each browser or program, so that ending
//! one ends no other. A token's text is shown once, when it is made.

use axum::Json;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::routing::{delete, get};
use domain::permission::Caller;
use rest::allow::LIST;
use rest::field::{Field, Kind};
use rest::page::{Envelope, Page};
use rest::time::instant;
use rest::{ApiError, ApiResult, Form, How, JsonBody};
use serde_json::{Value, json};
use store::token::Token;
use store::user::User;

use super::internal;
use super::users::signed_in;
use crate::call::{Call, found, number};
use crate::views::{Answer, View, view};

const ABOUT: &str = "One's own tokens, one for each browser or program that signs in. The token \
                     itself is shown once, in the answer to the POST that makes it. One with a \
                     `project` is a worker's: it fetches tasks of that project's jobs, posts \
                     their results and registers pipelines there, and everything else is refused.";
/// What can only be deleted.
const GONE: &str = "DELETE, OPTIONS";

/// The fields of a token.
const FIELDS: &[Field] = &[
    Field::id(),
    Field::new("name", "Name", Kind::Text(Some(255))).required(),
    Field::new("project", "Project of a worker", Kind::Link("projects")).nullable(),
    Field::shown("created_at", "Created at", Kind::DateTime),
    Field::shown("last_used_at", "Last used at", Kind::DateTime).nullable(),
];

/// A token as it is shown once.
const MADE: &[Field] = &[
    FIELDS[0],
    FIELDS[1],
    FIELDS[2],
    FIELDS[3],
    FIELDS[4],
    Field::shown("token", "The token itself", Kind::Text(None)),
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
    )
    .private()
    .got(&[Answer::Objects(FIELDS)])
    .posted(&[(201, Answer::Object(MADE))]),
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
        "project": token.works_for,
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
    let mut form = Form::read(FIELDS, body, How::Whole)?;
    let project = form.integer("project");
    if let Some(id) = project {
        works_there(&call, me, &mut form, id).await?;
    }
    form.finish()?;
    let name = form.text("name").unwrap_or_default();
    let made = call.store().make_token_for(me.id, &name, project).await;
    let (token, text) = made.map_err(internal)?;
    let mut answer = shown(&token);
    answer["token"] = json!(text);
    Ok((StatusCode::CREATED, Json(answer)))
}

/// A worker's token is for a project whose jobs its owner may work on as a member: a machine has
/// none of the rights of superusers.
async fn works_there(call: &Call, me: &User, form: &mut Form, id: i64) -> ApiResult<()> {
    let Some(project) = found(call.store().project(id).await)? else {
        form.missing("project", id);
        return Ok(());
    };
    let facts = call.who.facts(&call.state, &project).await?;
    let machine = Caller::User {
        id: me.id,
        superuser: false,
        staff: false,
    };
    if !facts.visible_to(call.who.caller()) {
        form.missing("project", id);
    } else if !facts.works_here(machine) {
        let words = "You are no member of this project who may run its jobs, so no worker of \
                     yours may either.";
        form.wrong("project", words);
    }
    Ok(())
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
