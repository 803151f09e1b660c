//! How a page acts: it asks the API, in this process and as the person who sent the form, so that
//! what is checked, allowed and done stands in one place. What the API refuses comes back by
//! field, for the form to be shown again.

use std::net::SocketAddr;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::header::{ACCEPT, CONTENT_TYPE, HOST};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, Request, StatusCode};
use rest::{ApiError, ApiResult};
use serde_json::Value;
use tower::ServiceExt;

use super::PageError;
use crate::auth::known::Known;
use crate::shape::one_form;

/// Who stands behind a proxy.
const FORWARDED: &str = "x-forwarded-for";
/// The most that is read of an answer of our own, in bytes.
const MOST: usize = 64 << 20;

/// The router of the API, for pages.
#[derive(Clone)]
pub struct Api(pub Router);

/// Asks the API on behalf of the person behind a request.
pub struct Act {
    api: Router,
    known: Known,
    host: Option<HeaderValue>,
    /// From where the person asks: who guesses passwords must wait, here as there.
    peer: Option<ConnectInfo<SocketAddr>>,
    behind: Option<HeaderValue>,
}

/// Sentences by field, those of no field under an empty name.
pub type Wrong = Vec<(String, Vec<String>)>;

/// What the API said no to.
#[derive(Debug)]
pub enum Refused {
    /// What was sent is wrong.
    Fields(Wrong),
    /// Anything else.
    Error(PageError),
}

impl Refused {
    /// Its sentences in a row, for a page that has no fields to show them beside.
    ///
    /// # Errors
    /// What no sentence tells: there is nothing here, or the person may not.
    pub fn words(self) -> Result<String, PageError> {
        match self {
            Refused::Fields(wrong) => {
                let words: Vec<String> = wrong.into_iter().flat_map(|(_, words)| words).collect();
                Ok(words.join(" "))
            }
            Refused::Error(error) => Err(error),
        }
    }
}

impl From<ApiError> for Refused {
    fn from(error: ApiError) -> Refused {
        Refused::Error(error.into())
    }
}

impl<S: Sync> FromRequestParts<S> for Act {
    type Rejection = PageError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Act, PageError> {
        let Some(Api(api)) = parts.extensions.get().cloned() else {
            return Err(ApiError::Internal("pages have no API".to_owned()).into());
        };
        Ok(Act {
            api,
            known: Known::of(&parts.extensions),
            host: parts.headers.get(HOST).cloned(),
            peer: parts.extensions.get().cloned(),
            behind: parts.headers.get_all(FORWARDED).iter().next_back().cloned(),
        })
    }
}

impl Act {
    /// What the API answers to a GET of this path below `/api/v2`, with its query.
    ///
    /// # Errors
    /// What the API refuses.
    pub async fn get(&self, path: &str) -> Result<Value, Refused> {
        self.send(Method::GET, path, None).await
    }

    /// Sends JSON to a path below `/api/v2`: `act.post("/jobs/", body)`.
    ///
    /// # Errors
    /// What the API refuses.
    pub async fn post(&self, path: &str, body: Value) -> Result<Value, Refused> {
        self.send(Method::POST, path, Some(body)).await
    }

    /// Changes fields of a row.
    ///
    /// # Errors
    /// What the API refuses.
    pub async fn patch(&self, path: &str, body: Value) -> Result<Value, Refused> {
        self.send(Method::PATCH, path, Some(body)).await
    }

    /// Keeps what a form holds: makes a row of a list, or changes the one with this number.
    ///
    /// # Errors
    /// What the API refuses.
    pub async fn keep(&self, list: &str, row: Option<i64>, body: Value) -> Result<Value, Refused> {
        match row {
            None => self.post(list, body).await,
            Some(id) => self.patch(&format!("{list}{id}/"), body).await,
        }
    }

    /// Removes a row.
    ///
    /// # Errors
    /// What the API refuses.
    pub async fn delete(&self, path: &str) -> Result<Value, Refused> {
        self.send(Method::DELETE, path, None).await
    }

    /// Any request of JSON.
    ///
    /// # Errors
    /// What the API refuses.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Result<Value, Refused> {
        let body = body.map(|body| Bytes::from(body.to_string()));
        self.raw(method, path, "application/json", body).await
    }

    /// A request with a body of another kind, such as a form with files.
    ///
    /// # Errors
    /// What the API refuses.
    pub async fn raw(
        &self,
        method: Method,
        path: &str,
        kind: &str,
        body: Option<Bytes>,
    ) -> Result<Value, Refused> {
        let request = self.request(method, path, kind, body)?;
        let answer = match self.api.clone().oneshot(one_form(request)).await {
            Ok(answer) => answer,
            Err(never) => match never {},
        };
        let status = answer.status();
        let bytes = to_bytes(answer.into_body(), MOST).await;
        let bytes = bytes.map_err(|e| ApiError::Internal(e.to_string()))?;
        let value = match bytes.is_empty() {
            true => Value::Null,
            false => serde_json::from_slice(&bytes)
                .map_err(|e| ApiError::Internal(format!("{path} answered no JSON: {e}")))?,
        };
        judged(status, value)
    }

    fn request(
        &self,
        method: Method,
        path: &str,
        kind: &str,
        body: Option<Bytes>,
    ) -> ApiResult<Request<Body>> {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("/api/v2{path}"))
            .header(ACCEPT, "application/json")
            .extension(self.known.clone());
        if let Some(host) = &self.host {
            request = request.header(HOST, host);
        }
        if let Some(peer) = &self.peer {
            request = request.extension(*peer);
        }
        if let Some(behind) = &self.behind {
            request = request.header(FORWARDED, behind);
        }
        if body.is_some() {
            request = request.header(CONTENT_TYPE, kind);
        }
        let body = body.map_or_else(Body::empty, Body::from);
        let request = request.body(body);
        request.map_err(|e| ApiError::Internal(format!("{path}: {e}")))
    }
}

fn judged(status: StatusCode, value: Value) -> Result<Value, Refused> {
    let detail = || {
        value
            .get("detail")
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    match status {
        status if status.is_success() => Ok(value),
        StatusCode::UNAUTHORIZED => Err(ApiError::NotAuthenticated.into()),
        StatusCode::FORBIDDEN => Err(ApiError::Forbidden.into()),
        StatusCode::NOT_FOUND => Err(ApiError::NotFound.into()),
        StatusCode::SERVICE_UNAVAILABLE => Err(ApiError::Unavailable(detail().to_owned()).into()),
        status if status.is_client_error() => Err(Refused::Fields(sentences(&value))),
        _ => Err(ApiError::Internal(format!("{status} {}", detail())).into()),
    }
}

/// The sentences of an answer of 400 and its like, by field.
fn sentences(value: &Value) -> Wrong {
    let Value::Object(fields) = value else {
        return vec![(String::new(), said(value))];
    };
    let general = ["non_field_errors", "detail", "error", "__all__"];
    let named = |name: &String| match general.contains(&name.as_str()) {
        true => String::new(),
        false => name.clone(),
    };
    let pairs = fields
        .iter()
        .map(|(name, value)| (named(name), said(value)));
    pairs.filter(|(_, words)| !words.is_empty()).collect()
}

/// All sentences in a value, however deep.
fn said(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(list) => list.iter().flat_map(said).collect(),
        Value::Object(fields) => {
            let deep = |(name, value): (&String, &Value)| {
                let words = said(value).into_iter();
                words
                    .map(|words| format!("{name}: {words}"))
                    .collect::<Vec<_>>()
            };
            fields.iter().flat_map(deep).collect()
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn refusals_are_told_by_field() {
        let body = json!({
            "name": ["This field is required."],
            "params": {"seed": ["A valid integer is required."]},
            "non_field_errors": ["Both at once."],
            "code": 7,
        });
        let expected = [
            ("name", "This field is required."),
            ("params", "seed: A valid integer is required."),
            ("", "Both at once."),
        ];
        let expected = expected.map(|(name, words)| (name.to_owned(), vec![words.to_owned()]));
        let Err(Refused::Fields(found)) = judged(StatusCode::BAD_REQUEST, body) else {
            panic!("it is refused");
        };
        assert_eq!(found, expected);
        let words = Refused::Fields(found).words();
        let all = "This field is required. seed: A valid integer is required. Both at once.";
        assert!(matches!(words, Ok(words) if words == all));
    }

    #[test]
    fn what_is_done_is_told_whole() {
        let done = judged(StatusCode::CREATED, json!({"id": 7}));
        assert!(matches!(done, Ok(value) if value["id"] == 7));
        let gone = judged(StatusCode::NOT_FOUND, json!({"detail": "Not found."}));
        assert!(matches!(gone, Err(Refused::Error(_))));
    }
}
