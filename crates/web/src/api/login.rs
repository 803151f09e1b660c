//! `/api/v2/auth/token/…`: a person's e-mail address and password for a token, and the end of a
//! token (`domain-rules.md` §12). Each login makes a token of its own, and signing out ends only
//! the one that is shown: a browser must not sign out a worker.

use crate::views::{Answer, View, view};
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use rest::allow::ACTION;
use rest::field::{Field, Kind};
use rest::validate::Input;
use rest::{ApiError, ApiResult, JsonBody};
use serde_json::{Value, json};

use super::internal;
use crate::AppState;
use crate::auth::{Who, token};
use crate::call::content_type;

/// About signing in.
pub const ABOUT: &str = "Get a token for an e-mail address and a password.";
/// About signing out.
pub const LOGOUT: &str = "End the token that this request shows.";

/// What is sent.
pub const FIELDS: &[Field] = &[
    Field::new("password", "Password", Kind::Text(None)),
    Field::new("email", "Email", Kind::Text(None)),
];

const TOKEN: &[Field] = &[Field::shown("auth_token", "Token", Kind::Text(None))];

/// Its addresses.
pub const VIEWS: &[View] = &[
    view(
        "/auth/token/login",
        "Token Create",
        ACTION,
        ABOUT,
        FIELDS,
        || post(login),
    )
    .posted(&[(200, Answer::Object(TOKEN))])
    .open(),
    view(
        "/auth/token/logout",
        "Token Destroy",
        ACTION,
        LOGOUT,
        &[],
        || post(logout),
    )
    .posted(&[(204, Answer::Nothing)]),
];

/// Longest e-mail address or password that is read, in characters.
const MAX: usize = 1024;

/// Signs in.
pub async fn login(
    State(state): State<AppState>,
    _who: Who,
    headers: HeaderMap,
    body: Bytes,
) -> ApiResult<Json<Value>> {
    let mut input = Input::new(JsonBody::read(content_type(&headers), &body)?)?;
    let password = input.text_if_sent("password", MAX);
    let email = input.text_if_sent("email", MAX);
    let (password, email) =
        input.finish((password.unwrap_or_default(), email.unwrap_or_default()))?;
    let user = state.store.check_login(&email, &password).await;
    let user = user.map_err(internal)?.ok_or_else(|| {
        let words = "Unable to log in with provided credentials.";
        ApiError::field("non_field_errors", words)
    })?;
    let token = state.store.create_token(user.id, "login").await;
    Ok(Json(json!({ "auth_token": token.map_err(internal)? })))
}

/// Signs out.
pub async fn logout(
    State(state): State<AppState>,
    who: Who,
    headers: HeaderMap,
) -> ApiResult<StatusCode> {
    let shown = token(&headers)?;
    let (Some(_), Some(shown)) = (who.0, shown) else {
        return Err(ApiError::NotAuthenticated);
    };
    state.store.delete_token(&shown).await.map_err(internal)?;
    Ok(StatusCode::NO_CONTENT)
}
