//! `POST /api/v2/auth/token/login/`: a person's e-mail address and password for a token
//! (`domain-rules.md` §12). Each login makes a token of its own: signing out in one browser
//! must not sign out a worker.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use rest::validate::Input;
use rest::{ApiError, ApiResult};
use serde_json::{Value, json};

use super::internal;
use crate::AppState;
use crate::api::jobs::content_type;

/// Longest e-mail address or password that is read, in characters.
const MAX: usize = 1024;

/// Signs in.
pub async fn login(
    State(state): State<AppState>,
    headers: HeaderMap,
    body: Bytes,
) -> ApiResult<Json<Value>> {
    let mut input = Input::new(rest::body::read(content_type(&headers), &body)?)?;
    let password = input.text("password", MAX);
    let email = input.text("email", MAX);
    let (password, email) =
        input.finish((password.unwrap_or_default(), email.unwrap_or_default()))?;
    let user = state
        .store
        .check_login(&email, &password)
        .await
        .map_err(internal)?
        .ok_or_else(|| {
            let words = "Unable to log in with provided credentials.";
            ApiError::field("non_field_errors", words)
        })?;
    let token = state
        .store
        .create_token(user.id, "login")
        .await
        .map_err(internal)?;
    Ok(Json(json!({ "auth_token": token })))
}
