//! `/api/v2/auth/token/…`: a person's e-mail address and password for a token, and the end of a
//! token (`domain-rules.md` §12). Each login makes a token of its own, and signing out ends only
//! the one that is shown: a browser must not sign out a worker.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use axum::{Extension, Json};
use rest::allow::ACTION;
use rest::field::{Field, Kind};
use rest::validate::Input;
use rest::{ApiError, ApiResult, JsonBody};
use serde_json::{Value, json};
use store::user::User;

use super::internal;
use crate::AppState;
use crate::auth::known::Known;
use crate::auth::limit::From;
use crate::auth::{Who, token};
use crate::call::content_type;
use crate::views::{View, view};

/// About signing in.
pub const ABOUT: &str = "Get a token for an e-mail address and a password.";
/// About signing out.
pub const LOGOUT: &str = "End the token that this request shows.";

/// What is sent.
pub const FIELDS: &[Field] = &[
    Field::new("password", "Password", Kind::Text(None)),
    Field::new("email", "Email", Kind::Text(None)),
];

/// Its addresses.
pub const VIEWS: &[View] = &[
    view(
        "/auth/token/login",
        "Token Create",
        ACTION,
        ABOUT,
        FIELDS,
        || post(login),
    ),
    view(
        "/auth/token/logout",
        "Token Destroy",
        ACTION,
        LOGOUT,
        &[],
        || post(logout),
    ),
];

/// Longest e-mail address or password that is read, in characters.
const MAX: usize = 1024;

/// Signs in.
pub async fn login(
    State(state): State<AppState>,
    from: From,
    headers: HeaderMap,
    body: Bytes,
) -> ApiResult<Json<Value>> {
    let mut input = Input::new(JsonBody::read(content_type(&headers), &body)?)?;
    let password = input.text_if_sent("password", MAX);
    let email = input.text_if_sent("email", MAX);
    let (password, email) =
        input.finish((password.unwrap_or_default(), email.unwrap_or_default()))?;
    let user = by_password(&state, from, &email, &password).await?;
    let user = user.ok_or_else(|| {
        let words = "Unable to log in with provided credentials.";
        ApiError::field("non_field_errors", words)
    })?;
    let token = state.store.create_token(user.id, "login").await;
    Ok(Json(json!({ "auth_token": token.map_err(internal)? })))
}

/// The person with this address and password. Who guesses too often must wait.
///
/// # Errors
/// 429 with the seconds to wait.
pub async fn by_password(
    state: &AppState,
    from: From,
    email: &str,
    password: &str,
) -> ApiResult<Option<User>> {
    if password.is_empty() {
        return Ok(None);
    }
    let attempt = state.limiter.attempt(email, from.0)?;
    let user = state.store.check_login(email, password).await;
    let user = user.map_err(internal)?;
    if user.is_some() {
        attempt.succeeded();
    }
    Ok(user)
}

/// Signs out: ends the token, or signs out the browser.
pub async fn logout(
    State(state): State<AppState>,
    who: Who,
    Extension(known): Extension<Known>,
    headers: HeaderMap,
) -> ApiResult<StatusCode> {
    let ended = match (who.0, token(&headers)?, known.secret()) {
        (Some(_), Some(shown), _) => state.store.delete_token(&shown).await,
        (Some(_), None, Some(secret)) => state.store.end_login(secret).await,
        _ => return Err(ApiError::NotAuthenticated),
    };
    ended.map_err(internal)?;
    Ok(StatusCode::NO_CONTENT)
}
