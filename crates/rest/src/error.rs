//! The one error of the API, with the bodies that Django REST framework gives
//! (`browsable-api.md` §6). What went wrong inside is logged, never shown.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

/// Result of a handler.
pub type ApiResult<T> = Result<T, ApiError>;

/// An answer that is an error.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// 400 with messages by field.
    #[error("the request has invalid fields")]
    Fields(FieldErrors),
    /// 400 with a sentence.
    #[error("{0}")]
    BadRequest(String),
    /// 401: nobody is signed in.
    #[error("Authentication credentials were not provided.")]
    NotAuthenticated,
    /// 401: the token is none.
    #[error("{0}")]
    BadToken(&'static str),
    /// 403.
    #[error("You do not have permission to perform this action.")]
    Forbidden,
    /// 403 with a sentence of its own.
    #[error("{0}")]
    ForbiddenBecause(&'static str),
    /// 404.
    #[error("Not found.")]
    NotFound,
    /// 404 with a reason.
    #[error("{0}")]
    Gone(String),
    /// 405; the verbs that are allowed.
    #[error("Method {0:?} not allowed.")]
    MethodNotAllowed(String, &'static str),
    /// 409: the row's state does not allow it.
    #[error("{0}")]
    Conflict(String),
    /// 413.
    #[error("Request body exceeded the limit.")]
    TooLarge,
    /// 415; the media type that was sent.
    #[error("Unsupported media type {0:?} in request.")]
    UnsupportedMediaType(String),
    /// 500; what happened goes to the log.
    #[error("A server error occurred.")]
    Internal(String),
}

/// Messages by field, in the order in which they were found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FieldErrors(Map<String, Value>);

impl FieldErrors {
    /// No message yet.
    pub fn new() -> FieldErrors {
        FieldErrors::default()
    }

    /// Adds a message to a field.
    pub fn add(&mut self, field: &str, message: impl Into<String>) {
        let message = Value::String(message.into());
        match self.0.get_mut(field) {
            Some(Value::Array(list)) => list.push(message),
            _ => {
                self.0.insert(field.to_owned(), Value::Array(vec![message]));
            }
        }
    }

    /// True when there is no message.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The error, where there is a message.
    ///
    /// # Errors
    /// [`ApiError::Fields`].
    pub fn check(self) -> ApiResult<()> {
        if self.is_empty() {
            Ok(())
        } else {
            Err(ApiError::Fields(self))
        }
    }
}

impl ApiError {
    /// 400 with one message of one field.
    pub fn field(field: &str, message: impl Into<String>) -> ApiError {
        let mut errors = FieldErrors::new();
        errors.add(field, message);
        ApiError::Fields(errors)
    }

    /// The status code.
    pub fn status(&self) -> StatusCode {
        match self {
            ApiError::Fields(_) | ApiError::BadRequest(_) => StatusCode::BAD_REQUEST,
            ApiError::NotAuthenticated | ApiError::BadToken(_) => StatusCode::UNAUTHORIZED,
            ApiError::Forbidden | ApiError::ForbiddenBecause(_) => StatusCode::FORBIDDEN,
            ApiError::NotFound | ApiError::Gone(_) => StatusCode::NOT_FOUND,
            ApiError::MethodNotAllowed(..) => StatusCode::METHOD_NOT_ALLOWED,
            ApiError::Conflict(_) => StatusCode::CONFLICT,
            ApiError::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            ApiError::UnsupportedMediaType(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            ApiError::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The body.
    pub fn body(&self) -> Value {
        match self {
            ApiError::Fields(errors) => Value::Object(errors.0.clone()),
            other => json!({"detail": other.to_string()}),
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        if let ApiError::Internal(what) = &self {
            tracing::error!(what, "a request failed");
        }
        let mut response = (self.status(), Json(self.body())).into_response();
        let headers = response.headers_mut();
        match &self {
            ApiError::NotAuthenticated | ApiError::BadToken(_) => {
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Token"));
            }
            ApiError::MethodNotAllowed(_, allow) => {
                headers.insert(header::ALLOW, HeaderValue::from_static(allow));
            }
            _ => {}
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_are_those_of_the_recordings() {
        let mut fields = FieldErrors::new();
        fields.add("name", "This field is required.");
        fields.add("delay", "A valid integer is required.");
        let all = [
            ApiError::Fields(fields),
            ApiError::NotAuthenticated,
            ApiError::BadToken("Invalid token."),
            ApiError::Forbidden,
            ApiError::NotFound,
            ApiError::MethodNotAllowed("GET".to_owned(), "POST, OPTIONS"),
            ApiError::UnsupportedMediaType("text/plain".to_owned()),
            ApiError::Internal("the database is on fire".to_owned()),
        ];
        let seen: Vec<String> = all
            .iter()
            .map(|e| format!("{} {}", e.status().as_u16(), e.body()))
            .collect();
        insta::assert_snapshot!(seen.join("\n"));
    }
}
