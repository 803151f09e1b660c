//! The API, one file per resource, and what they share: errors of the store as answers.

use axum::extract::{OriginalUri, Request};
use axum::http::Method;
use rest::ApiError;
use store::StoreError;

pub mod job_json;
pub mod jobs;
pub mod login;

/// An error of the store as an answer. What a person can mend is said; the rest is logged.
pub fn internal(error: StoreError) -> ApiError {
    match error {
        StoreError::NotFound(_) => ApiError::NotFound,
        StoreError::Conflict(why) => ApiError::Conflict(why),
        other => ApiError::Internal(other.to_string()),
    }
}

/// 405 in the words of Django REST framework.
pub async fn method_not_allowed(method: Method, OriginalUri(uri): OriginalUri) -> ApiError {
    let path = uri.path().trim_end_matches('/');
    let allow = if path.ends_with("/jobs") {
        "GET, POST, HEAD, OPTIONS"
    } else if path.ends_with("/run") || path.ends_with("/cancel") || path.ends_with("/login") {
        "POST, OPTIONS"
    } else {
        "GET, HEAD, OPTIONS"
    };
    ApiError::MethodNotAllowed(method.to_string(), allow)
}

/// 404 below /api/.
pub async fn not_found(_request: Request) -> ApiError {
    ApiError::NotFound
}
