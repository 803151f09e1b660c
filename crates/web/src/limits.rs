//! What protects the server from those it serves: how large and how slow a request may be, how
//! long it may take, and how many there are at once. The idea: a request that is refused costs
//! next to nothing and is told so in the API's own words; one that has begun to be answered,
//! such as a live stream, takes nobody's place.

mod body;
pub mod rate;

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use domain::metric;
use rest::ApiError;
use tokio::sync::Semaphore;

use body::{Verdict, Watch};

/// Uploads of captures: large, and from fields with slow lines.
const UPLOADS: &str = "/api/v2/captures/upload";
/// Ends of addresses behind which a processing service works.
const WAITING: &str = "/test_process";
/// How long it may do so, beside the time that every request has.
const SERVICE: Duration = Duration::from_secs(600);
/// When who was refused for want of room may come again, in seconds.
const AGAIN: u64 = 1;

/// How much the server takes on.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of a body.
    pub body: usize,
    /// Bytes of an upload of captures.
    pub upload: usize,
    /// Until a request is answered.
    pub request: Duration,
    /// Until an upload of captures is answered.
    pub uploading: Duration,
    /// For the head of a request, and between two.
    pub head: Duration,
    /// In which something of a body arrives, and something of an answer is taken.
    pub stall: Duration,
    /// Connections at the same time.
    pub connections: usize,
    /// Requests that are answered at the same time.
    pub requests: usize,
    /// Requests a second with one token or cookie.
    pub per_token: Option<NonZeroU32>,
    /// Requests a second from one address without either.
    pub per_address: Option<NonZeroU32>,
    /// For requests under way when the server ends.
    pub stop: Duration,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            // `processing-service.md` §7.3
            body: 100 * 1024 * 1024,
            upload: 100 * 1024 * 1024,
            request: Duration::from_secs(120),
            uploading: Duration::from_secs(3600),
            head: Duration::from_secs(60),
            stall: Duration::from_secs(30),
            connections: 10_000,
            requests: 1024,
            per_token: None,
            per_address: None,
            stop: Duration::from_secs(20),
        }
    }
}

impl Limits {
    fn size(&self, path: &str) -> usize {
        if path == UPLOADS {
            self.upload
        } else {
            self.body
        }
    }

    fn time(&self, path: &str) -> Duration {
        if path == UPLOADS {
            self.uploading
        } else if path.ends_with(WAITING) {
            self.request + SERVICE
        } else {
            self.request
        }
    }
}

/// The limits, and the places that are left.
#[derive(Clone)]
pub struct Guard {
    limits: Limits,
    places: Arc<Semaphore>,
}

impl Guard {
    /// Guards with these limits.
    pub fn new(limits: Limits) -> Guard {
        Guard {
            limits,
            places: Arc::new(Semaphore::new(limits.requests)),
        }
    }
}

/// Refuses what is too much, and answers for what takes too long. The place of a request is free
/// when its answer begins.
pub async fn guard(State(guard): State<Guard>, request: Request, next: Next) -> Response {
    let Ok(_place) = guard.places.try_acquire() else {
        return refused("busy", ApiError::Busy(AGAIN));
    };
    let (most, time) = {
        let path = request.uri().path();
        (guard.limits.size(path), guard.limits.time(path))
    };
    let (request, watch) = match body::watched(request, most, guard.limits.stall).await {
        Ok(watched) => watched,
        Err(too_large) => return refused("large", too_large),
    };
    let Ok(answer) = tokio::time::timeout(time, next.run(request)).await else {
        return refused("slow", late(&watch, time));
    };
    if answer.status().is_success() {
        return answer;
    }
    // Whatever the handler made of a body that was cut off, this is why.
    match watch.verdict() {
        Some(Verdict::Large) => refused("large", ApiError::TooLarge),
        Some(Verdict::Slow) => refused("slow", ApiError::Late),
        Some(Verdict::Whole) | None => answer,
    }
}

/// Why there is no answer: the request is not all there, or we are too slow.
fn late(watch: &Watch, time: Duration) -> ApiError {
    if watch.is_whole() {
        let seconds = time.as_secs();
        ApiError::Unavailable(format!(
            "The server could not answer within {seconds} seconds."
        ))
    } else {
        ApiError::Late
    }
}

/// The answer to a request that a limit refuses.
pub(crate) fn refused(reason: &'static str, error: ApiError) -> Response {
    metrics::counter!(metric::HTTP_REFUSED.name, "reason" => reason).increment(1);
    error.into_response()
}
