//! The API, one file per resource, and what they share: errors of the store as answers.

use axum::Json;
use axum::extract::{Request, State};
use axum::http::HeaderMap;
use rest::ApiError;
use serde_json::Value;
use store::StoreError;

use crate::AppState;
use crate::auth::Who;
use crate::views::{VIEWS, View};

pub mod job_json;
pub mod jobs;
pub mod login;
pub mod members;
pub mod places;
pub mod projects;
pub mod users;

/// An error of the store as an answer. What a person can mend is said; the rest is logged.
pub fn internal(error: StoreError) -> ApiError {
    match error {
        StoreError::NotFound(_) => ApiError::NotFound,
        StoreError::Conflict(why) => ApiError::Conflict(why),
        other => ApiError::Internal(other.to_string()),
    }
}

/// `/api/v2/`: the lists that can be looked at.
pub async fn root(State(state): State<AppState>, headers: HeaderMap) -> Json<Value> {
    let base = jobs::base(&state, &headers);
    let list = |view: &&View| !view.path[1..].contains(['/', '{']);
    let entry = |view: &View| {
        let name = view.path.trim_start_matches('/').to_owned();
        (name, Value::String(format!("{base}{}/", view.path)))
    };
    Json(Value::Object(
        VIEWS.iter().filter(list).map(entry).collect(),
    ))
}

/// Whether somebody may send what an address takes: told by OPTIONS, decided by the handler.
pub async fn may_write(state: &AppState, who: &Who, view: &View, path: &str) -> bool {
    match view.path {
        "/jobs/{id}" => {
            let id = path.trim_end_matches('/').rsplit('/').next();
            jobs::may_update(state, who, id.unwrap_or_default()).await
        }
        "/projects/{id}" => {
            let id = path.trim_end_matches('/').rsplit('/').next();
            let action = domain::permission::Action::Change("update_project");
            projects::find(state, who, id.unwrap_or_default(), action)
                .await
                .is_ok()
        }
        "/users/me" => who.0.is_some(),
        _ => true,
    }
}

/// 404 below /api/.
pub async fn not_found(_request: Request) -> ApiError {
    ApiError::NotFound
}
