//! The one error of the API, with the bodies that Django REST framework gives
//! (`browsable-api.md` §6). What went wrong inside is logged, never shown.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

fn seconds(count: u64) -> String {
    format!("{count} second{}", if count == 1 { "" } else { "s" })
}

/// Result of a handler.
pub type ApiResult<T> = Result<T, ApiError>;

/// An answer that is an error.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// 400 with messages by field.
    #[error("the request has invalid fields")]
    Fields(FieldErrors),
    /// 400 with a list of sentences that belong to no field.
    #[error("{}", .0.join(" "))]
    Messages(Vec<String>),
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
    #[error("Method \"{0}\" not allowed.")]
    MethodNotAllowed(String, &'static str),
    /// 405 with a sentence; its address says what it takes.
    #[error("{0}")]
    MethodNotAllowedBecause(&'static str),
    /// 406: nothing that is offered suits the `Accept` header.
    #[error("Could not satisfy the request Accept header.")]
    NotAcceptable,
    /// 409: the row's state does not allow it.
    #[error("{0}")]
    Conflict(String),
    /// 408.
    #[error("The body of the request did not arrive in time.")]
    Late,
    /// 413.
    #[error("Request body exceeded the limit.")]
    TooLarge,
    /// 415; the media type that was sent.
    #[error("Unsupported media type \"{0}\" in request.")]
    UnsupportedMediaType(String),
    /// 500; what happened goes to the log.
    #[error("A server error occurred.")]
    Internal(String),
    /// 503 with a sentence: something that is needed does not answer now.
    #[error("{0}")]
    Unavailable(String),
    /// 503: there is no room for a further request; so many seconds should pass.
    #[error("The server is busy. Expected available in {}.", seconds(*.0))]
    Busy(u64),
    /// 429: too many attempts; so many seconds must pass.
    #[error("Request was throttled. Expected available in {}.", seconds(*.0))]
    Throttled(u64),
}

/// Where messages stand that belong to no single field.
const GENERAL: &str = "non_field_errors";

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

    /// Puts structured messages on a field, as the reference does where a field holds a whole
    /// document; see [`crate::document`].
    pub fn put(&mut self, field: &str, messages: Vec<Value>) {
        self.0.insert(field.to_owned(), Value::Array(messages));
    }

    /// Adds a message that belongs to no single field.
    pub fn add_general(&mut self, message: impl Into<String>) {
        self.add(GENERAL, message);
    }

    /// Adds the messages of a nested object, if there are any, to those that it has.
    pub fn add_nested(&mut self, field: &str, inner: FieldErrors) {
        if inner.is_empty() {
            return;
        }
        match self.0.get_mut(field) {
            Some(Value::Object(known)) => known.extend(inner.0),
            _ => {
                self.0.insert(field.to_owned(), Value::Object(inner.0));
            }
        }
    }

    /// The messages in the order of these fields, others behind them.
    pub fn in_order<'a>(mut self, fields: impl Iterator<Item = &'a str>) -> FieldErrors {
        let mut ordered = Map::new();
        for field in fields {
            if let Some((field, messages)) = self.0.shift_remove_entry(field) {
                ordered.insert(field, messages);
            }
        }
        ordered.append(&mut self.0);
        FieldErrors(ordered)
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

    /// 400 with one message that belongs to no single field.
    pub fn general(message: impl Into<String>) -> ApiError {
        ApiError::field(GENERAL, message)
    }

    /// 400 with one sentence in a list.
    pub fn message(message: impl Into<String>) -> ApiError {
        ApiError::Messages(vec![message.into()])
    }

    /// The status code.
    pub fn status(&self) -> StatusCode {
        match self {
            ApiError::Fields(_) | ApiError::Messages(_) | ApiError::BadRequest(_) => {
                StatusCode::BAD_REQUEST
            }
            ApiError::NotAuthenticated | ApiError::BadToken(_) => StatusCode::UNAUTHORIZED,
            ApiError::Forbidden | ApiError::ForbiddenBecause(_) => StatusCode::FORBIDDEN,
            ApiError::NotFound | ApiError::Gone(_) => StatusCode::NOT_FOUND,
            ApiError::MethodNotAllowed(..) | ApiError::MethodNotAllowedBecause(_) => {
                StatusCode::METHOD_NOT_ALLOWED
            }
            ApiError::NotAcceptable => StatusCode::NOT_ACCEPTABLE,
            ApiError::Conflict(_) => StatusCode::CONFLICT,
            ApiError::Late => StatusCode::REQUEST_TIMEOUT,
            ApiError::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            ApiError::UnsupportedMediaType(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            ApiError::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
            ApiError::Unavailable(_) | ApiError::Busy(_) => StatusCode::SERVICE_UNAVAILABLE,
            ApiError::Throttled(_) => StatusCode::TOO_MANY_REQUESTS,
        }
    }

    /// The body.
    pub fn body(&self) -> Value {
        match self {
            ApiError::Fields(errors) => Value::Object(errors.0.clone()),
            ApiError::Messages(messages) => json!(messages),
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
            ApiError::Throttled(seconds) | ApiError::Busy(seconds) => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from(*seconds));
            }
            _ => {}
        }
        response
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use axum::body::to_bytes;

    /// An answer as a client sees it.
    async fn answer(error: ApiError) -> String {
        let response = error.into_response();
        let mut seen = response.status().as_u16().to_string();
        for name in [
            header::CONTENT_TYPE,
            header::WWW_AUTHENTICATE,
            header::ALLOW,
            header::RETRY_AFTER,
        ] {
            if let Some(value) = response.headers().get(&name) {
                seen += &format!("\n{name}: {}", value.to_str().unwrap());
            }
        }
        let body = to_bytes(response.into_body(), 10_000).await.unwrap();
        seen + "\n" + std::str::from_utf8(&body).unwrap() + "\n"
    }

    #[tokio::test]
    async fn answers_are_those_of_the_recordings() {
        let mut fields = FieldErrors::new();
        fields.add("name", "This field is required.");
        fields.add("delay", "A valid integer is required.");
        fields.add("name", "Null characters are not allowed.");
        let malformed = "JSON parse error - Expecting value: line 1 column 1 (char 0)";
        let mut seen = Vec::new();
        for error in [
            ApiError::Fields(fields),
            ApiError::general("Unable to log in with provided credentials."),
            ApiError::message("Only async_api jobs have fetchable tasks"),
            ApiError::BadRequest(malformed.to_owned()),
            ApiError::NotAuthenticated,
            ApiError::BadToken("Invalid token."),
            ApiError::Forbidden,
            ApiError::ForbiddenBecause("You do not have permission to run this job."),
            ApiError::NotFound,
            ApiError::Gone("SourceImage with id 9 not found".to_owned()),
            ApiError::MethodNotAllowed("GET".to_owned(), "POST, OPTIONS"),
            ApiError::NotAcceptable,
            ApiError::Conflict("The job is running.".to_owned()),
            ApiError::Late,
            ApiError::TooLarge,
            ApiError::UnsupportedMediaType("text/plain".to_owned()),
            ApiError::Internal("the database is on fire".to_owned()),
            ApiError::Unavailable("The queue does not answer.".to_owned()),
            ApiError::Busy(1),
            ApiError::Throttled(1),
            ApiError::Throttled(42),
        ] {
            seen.push(answer(error).await);
        }
        insta::assert_snapshot!(seen.join("\n"));
    }

    #[test]
    fn errors_are_collected() {
        let mut errors = FieldErrors::new();
        assert!(errors.clone().check().is_ok());
        errors.add_general("No.");
        errors.add("name", "a");
        errors.add("name", "b");
        let error = errors.check().unwrap_err();
        assert_eq!(error.status(), 400);
        let body = json!({"non_field_errors": ["No."], "name": ["a", "b"]});
        assert_eq!(error.body(), body);
    }
}
