//! A body on its way in, watched: it is cut off where it becomes too large or stops coming, and
//! what happened to it is known also when the handler only saw that it broke off.

use std::io;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::body::{Body, BodyDataStream, HttpBody, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, header};
use futures_util::{StreamExt, stream};
use rest::ApiError;

use super::seat::Seat;

/// A body that says to be no larger is read before anybody begins to work on the request.
const SMALL: u64 = 64 * 1024;
/// Of a body that is too large so much is still read and thrown away, for so long: who writes
/// while the connection closes would not see the answer.
const DRAINED: usize = 32 * 1024 * 1024;
const DRAINING: Duration = Duration::from_secs(5);

/// What became of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Whole,
    Large,
    Slow,
    /// It came, and nobody has time for it.
    Busy,
}

/// Looks after the body of a request.
#[derive(Clone)]
pub(super) struct Watch {
    verdict: Arc<OnceLock<Verdict>>,
    seat: Seat,
}

impl Watch {
    /// Looks after the body of a request that has this place.
    pub(super) fn of(seat: Seat) -> Watch {
        Watch {
            verdict: Arc::default(),
            seat,
        }
    }

    /// What became of the body; nothing yet while it is on its way.
    pub(super) fn verdict(&self) -> Option<Verdict> {
        self.verdict.get().copied()
    }

    pub(super) fn is_whole(&self) -> bool {
        self.verdict() == Some(Verdict::Whole)
    }

    fn ends(&self, verdict: Verdict) -> io::Error {
        let _ = self.verdict.set(verdict); // the first word counts
        io::Error::other("the body was cut off")
    }

    /// All of it has come, and is worked on from now on.
    fn has_come(&self) -> io::Result<()> {
        if self.is_whole() {
            return Ok(());
        }
        if !self.seat.work() {
            return Err(self.ends(Verdict::Busy));
        }
        let _ = self.verdict.set(Verdict::Whole);
        Ok(())
    }
}

/// Has the body of a request watched; a small one has come when this returns.
///
/// # Errors
/// Where the body is cut off already; the verdict says why.
pub(super) async fn watched(
    request: Request,
    most: usize,
    pause: Duration,
    watch: Watch,
) -> Result<Request, ApiError> {
    if request.body().is_end_stream() {
        let _ = watch.verdict.set(Verdict::Whole);
        return Ok(request);
    }
    let (parts, body) = request.into_parts();
    let told = told(&parts.headers);
    // Who waits for our word before sending has not begun.
    let waits = parts.headers.contains_key(header::EXPECT);
    if told.is_some_and(|length| length > most as u64) {
        if !waits {
            drain(&mut body.into_data_stream()).await;
        }
        let _ = watch.ends(Verdict::Large);
        return Err(ApiError::TooLarge);
    }
    let mut body = limited(body, most, told, pause, watch);
    if !waits && told.is_some_and(|length| length <= SMALL) {
        let bytes = to_bytes(body, most).await;
        let bytes = bytes.map_err(|_| ApiError::BadRequest("The body broke off.".to_owned()))?;
        body = Body::from(bytes);
    }
    Ok(Request::from_parts(parts, body))
}

fn told(headers: &HeaderMap) -> Option<u64> {
    let length = headers.get(header::CONTENT_LENGTH)?;
    length.to_str().ok()?.parse().ok()
}

async fn drain(pieces: &mut BodyDataStream) {
    let thrown_away = async {
        let mut read = 0;
        while let Some(Ok(piece)) = pieces.next().await {
            read += piece.len();
            if read > DRAINED {
                return;
            }
        }
    };
    let _ = tokio::time::timeout(DRAINING, thrown_away).await;
}

fn limited(body: Body, most: usize, told: Option<u64>, pause: Duration, watch: Watch) -> Body {
    let start = (body.into_data_stream(), 0usize);
    Body::from_stream(stream::try_unfold(start, move |(mut pieces, read)| {
        let watch = watch.clone();
        async move {
            let Ok(next) = tokio::time::timeout(pause, pieces.next()).await else {
                return Err(watch.ends(Verdict::Slow));
            };
            let Some(piece) = next else {
                return watch.has_come().map(|()| None);
            };
            let piece = piece.map_err(io::Error::other)?;
            let read = read.saturating_add(piece.len());
            if read > most {
                drain(&mut pieces).await;
                return Err(watch.ends(Verdict::Large));
            }
            // Not everybody asks on behind the last piece.
            if told == Some(read as u64) {
                watch.has_come()?;
            }
            Ok(Some((piece, (pieces, read))))
        }
    }))
}
