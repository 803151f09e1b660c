//! `Idempotency-Key` on `POST /jobs/`: whoever did not hear the answer asks again with the same
//! key, and gets the same job with the same answer, and no second one.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use rest::{ApiError, ApiResult, JsonBody};
use store::StoreError;
use store::job::request::{Key, Once, Request};
use store::job::{Job, NewJob};

use super::super::internal;
use super::answer;
use crate::call::Call;

/// Name of the header.
const HEADER: &str = "idempotency-key";
/// Longest key, in characters.
const LONGEST: usize = 255;

/// The key of a request, if it has one.
pub struct Named(Option<String>);

impl<S: Send + Sync> FromRequestParts<S> for Named {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> ApiResult<Named> {
        let Some(value) = parts.headers.get(HEADER) else {
            return Ok(Named(None));
        };
        let key = value.to_str().map(str::trim).unwrap_or_default();
        if key.is_empty() || key.len() > LONGEST {
            let words = format!("Idempotency-Key must be 1 to {LONGEST} characters of ASCII.");
            return Err(ApiError::BadRequest(words));
        }
        Ok(Named(Some(key.to_owned())))
    }
}

impl Named {
    /// By what the request is known again; nothing for somebody unknown, who makes no job.
    pub fn key(self, call: &Call, body: &JsonBody) -> Option<Key> {
        let start = call.query.flag("start_now");
        Some(Key {
            user: call.who.caller().id()?,
            key: self.0?,
            asked: format!("{start} {}", body.value),
        })
    }
}

/// The answer that a request got before, if it came before.
///
/// # Errors
/// 409 where the same key came with something else.
pub async fn before(call: &Call, key: &Key) -> ApiResult<Option<Response>> {
    let request = call.store().job_request(key).await.map_err(internal)?;
    match request {
        Some(request) => again(call, key, &request).await.map(Some),
        None => Ok(None),
    }
}

/// What became of asking for a job.
pub enum Made {
    /// It was made, or one is at it already: 201 or 200.
    Job(Box<Job>, StatusCode),
    /// The same request came at the same moment, and this is its answer.
    Answered(Response),
}

/// Makes a job; with a key, once.
///
/// # Errors
/// As [`before`].
pub async fn make(call: &Call, new: NewJob, key: Option<&Key>) -> ApiResult<Made> {
    let Some(key) = key else {
        let asked = call.store().ask_for_job(new).await.map_err(internal)?;
        let status = match asked.made {
            true => StatusCode::CREATED,
            false => StatusCode::OK,
        };
        return Ok(Made::Job(Box::new(asked.job), status));
    };
    match call.store().create_job_once(new, key).await {
        Ok(Once::Made(job)) => Ok(Made::Job(job, StatusCode::CREATED)),
        Ok(Once::Before(request)) => again(call, key, &request).await.map(Made::Answered),
        Err(error) => Err(internal(error)),
    }
}

/// Gives the answer again.
///
/// # Errors
/// As [`before`].
pub async fn again(call: &Call, key: &Key, request: &Request) -> ApiResult<Response> {
    if !key.fits(request) {
        return Err(ApiError::Conflict(
            "This Idempotency-Key was used for another request.".to_owned(),
        ));
    }
    if let Some(text) = &request.answer {
        let kind = [(header::CONTENT_TYPE, "application/json")];
        return Ok((StatusCode::CREATED, kind, text.clone()).into_response());
    }
    // The first request has not answered yet, or was cut off before it could.
    let gone = || ApiError::Conflict("The job of this request was deleted.".to_owned());
    let job = match call.store().job(request.job_id.ok_or_else(gone)?).await {
        Err(StoreError::NotFound(_)) => return Err(gone()),
        other => other.map_err(internal)?,
    };
    let body = answer(call, &job).await?;
    Ok((StatusCode::CREATED, body).into_response())
}
