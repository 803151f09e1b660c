//! What protects the server from those it serves: how large and how slow a request may be, how
//! long it may take, and how many there are at once. The idea: a request that is refused costs
//! next to nothing and is told so in the API's own words; one that has begun to be answered,
//! such as a live stream, takes nobody's place.

mod body;
pub mod rate;
mod seat;

pub(crate) use body::nobody_known;

use std::num::NonZeroU32;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use domain::metric;
use rest::ApiError;

use body::{Verdict, Watch};
use seat::Room;

/// Uploads of captures: large, and from fields with slow lines.
const UPLOADS: &str = "/api/v2/captures/upload";
/// Ends of addresses behind which a processing service works on a batch, and may take the time for
/// that beside what every request has.
const WAITING: &str = "/test_process";
/// When who was refused for want of room may come again, in seconds.
const AGAIN: u64 = 1;
/// Bytes of a small body: it is read before anybody begins to work on the request, takes none of the
/// memory for bodies, and is all that is taken of somebody unknown. Signing in is smaller.
const SMALL: usize = 64 * 1024;

/// How much the server takes on.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of a body.
    pub body: usize,
    /// Bytes of an upload of captures.
    pub upload: usize,
    /// Bytes of all bodies together that are on their way or worked on, small ones aside.
    pub bodies: usize,
    /// Until a request is answered.
    pub request: Duration,
    /// Until an upload of captures is answered.
    pub uploading: Duration,
    /// For the head of a request, and between two.
    pub head: Duration,
    /// In which something of a body arrives, and something of an answer is taken.
    pub stall: Duration,
    /// Until a live stream ends: whoever reads it asks again, and may see then what they may see.
    pub live: Duration,
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
        Limits::USUAL
    }
}

impl Limits {
    /// What holds where nothing is set.
    pub const USUAL: Limits = Limits {
        // `processing-service.md` §7.3
        body: 100 * 1024 * 1024,
        upload: 100 * 1024 * 1024,
        bodies: 1024 * 1024 * 1024,
        request: Duration::from_secs(120),
        uploading: Duration::from_secs(3600),
        head: Duration::from_secs(60),
        stall: Duration::from_secs(30),
        live: Duration::from_secs(300),
        connections: 10_000,
        requests: 1024,
        per_token: None,
        per_address: None,
        stop: Duration::from_secs(20),
    };

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
            self.request + services::BATCH
        } else {
            self.request
        }
    }
}

/// The limits, and the places that are left.
#[derive(Clone)]
pub struct Guard {
    limits: Limits,
    room: Room,
}

impl Guard {
    /// Guards with these limits.
    pub fn new(limits: Limits) -> Guard {
        Guard {
            limits,
            // The largest that is allowed has room where it comes alone.
            room: Room::new(
                limits.requests,
                limits.bodies.max(limits.body).max(limits.upload),
            ),
        }
    }
}

/// Refuses what is too much, and answers for what takes too long. A request has a place to work
/// from when its body is all there until its answer begins: who is slow to send takes nobody's.
pub async fn guard(State(guard): State<Guard>, request: Request, next: Next) -> Response {
    let (most, time, is_api) = {
        let (path, limits) = (request.uri().path(), &guard.limits);
        let is_api = path.starts_with("/api/");
        (limits.size(path), limits.time(path), is_api)
    };
    let Some(seat) = guard.room.seat(&request) else {
        return refused("busy", ApiError::Busy(AGAIN));
    };
    let watch = Watch::of(seat.clone());
    let answered = answered(request, next, most, guard.limits.stall, watch.clone());
    let answer = tokio::time::timeout(time, answered).await;
    seat.leave();
    let Ok(answer) = answer else {
        return refused("slow", late(&watch, time));
    };
    if answer.status().is_success() {
        return answer;
    }
    // Whatever the handler made of a body that was cut off, this is why.
    match watch.verdict() {
        Some(Verdict::Large) => refused("large", ApiError::TooLarge),
        Some(Verdict::Unknown) if is_api => refused("large", ApiError::NotAuthenticated),
        Some(Verdict::Unknown) => refused("large", ApiError::TooLarge),
        Some(Verdict::Slow) => refused("slow", ApiError::Late),
        Some(Verdict::Busy) => refused("busy", ApiError::Busy(AGAIN)),
        Some(Verdict::Whole) | None => answer,
    }
}

/// The answer of the handlers, unless the body alone says what it is.
async fn answered(
    request: Request,
    next: Next,
    most: usize,
    pause: Duration,
    watch: Watch,
) -> Response {
    let request = match body::watched(request, most, pause, watch).await {
        Ok(request) => request,
        // The verdict of the watch tells the rest.
        Err(cut_off) => return cut_off.into_response(),
    };
    next.run(request).await
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
