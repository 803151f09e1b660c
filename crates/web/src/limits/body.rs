//! A body on its way in, watched: it is cut off where it becomes too large, stops coming or has no
//! memory to come to, and what happened to it is known also when the handler only saw that it broke
//! off. Of somebody unknown only a small one is taken: handlers read it before they ask who sends it.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::body::{Body, BodyDataStream, HttpBody, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, header};
use futures_util::{StreamExt, stream};
use rest::ApiError;

use super::SMALL;
use super::seat::Seat;

/// Of a body that is too large so much is still read and thrown away, for so long: who writes
/// while the connection closes would not see the answer.
const DRAINED: usize = 32 * 1024 * 1024;
const DRAINING: Duration = Duration::from_secs(5);

/// What became of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Whole,
    Large,
    /// Too large for somebody unknown.
    Unknown,
    Slow,
    /// Nobody has time for it, or there is no memory for it.
    Busy,
}

/// Whether nobody known sends a request, as far as that has been found out.
#[derive(Clone, Debug, Default)]
struct Stranger(Arc<AtomicBool>);

/// Says that nobody known sends this request, before its body is read.
pub(crate) fn nobody_known(request: &Request) {
    if let Some(stranger) = request.extensions().get::<Stranger>() {
        stranger.0.store(true, Ordering::Relaxed);
    }
}

/// Looks after the body of a request.
#[derive(Clone)]
pub(super) struct Watch {
    verdict: Arc<OnceLock<Verdict>>,
    stranger: Stranger,
    seat: Seat,
}

impl Watch {
    /// Looks after the body of a request that has this place.
    pub(super) fn of(seat: Seat) -> Watch {
        Watch {
            verdict: Arc::default(),
            stranger: Stranger::default(),
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

    /// What ends a body of which so much is known to come, where something does.
    fn refuses(&self, bytes: usize, most: usize) -> Option<Verdict> {
        if bytes > most {
            Some(Verdict::Large)
        } else if bytes > SMALL && self.stranger.0.load(Ordering::Relaxed) {
            Some(Verdict::Unknown)
        } else {
            None
        }
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
    let (mut parts, body) = request.into_parts();
    parts.extensions.insert(watch.stranger.clone());
    let bounds = Bounds {
        most,
        told: told(&parts.headers),
        // Who waits for our word before sending has not begun.
        waits: parts.headers.contains_key(header::EXPECT),
        pause,
    };
    let mut pieces = body.into_data_stream();
    if let Some(verdict) = watch.refuses(bounds.told.unwrap_or(0), most) {
        bounds.drain(&mut pieces).await;
        let _ = watch.ends(verdict);
        return Err(ApiError::TooLarge);
    }
    let mut body = limited(pieces, bounds, watch);
    if !bounds.waits && bounds.told.is_some_and(|length| length <= SMALL) {
        let bytes = to_bytes(body, most).await;
        let bytes = bytes.map_err(|_| ApiError::BadRequest("The body broke off.".to_owned()))?;
        body = Body::from(bytes);
    }
    Ok(Request::from_parts(parts, body))
}

/// What a body may be, and what is known of it.
#[derive(Clone, Copy)]
struct Bounds {
    most: usize,
    /// Bytes that it says to have.
    told: Option<usize>,
    /// Whether it is only sent when we ask for it.
    waits: bool,
    pause: Duration,
}

impl Bounds {
    /// Reads on before a body is refused, where it is being sent.
    async fn drain(&self, pieces: &mut BodyDataStream) {
        if !self.waits {
            drain(pieces).await;
        }
    }
}

fn told(headers: &HeaderMap) -> Option<usize> {
    let length = headers.get(header::CONTENT_LENGTH)?;
    let length: u64 = length.to_str().ok()?.parse().ok()?;
    Some(usize::try_from(length).unwrap_or(usize::MAX))
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

fn limited(pieces: BodyDataStream, bounds: Bounds, watch: Watch) -> Body {
    let start = (pieces, 0usize);
    Body::from_stream(stream::try_unfold(start, move |(mut pieces, read)| {
        let watch = watch.clone();
        async move {
            // Who sends it is known by now, and what is told to be too much is not waited for.
            let expected = bounds.told.unwrap_or(0).max(read);
            if let Some(verdict) = watch.refuses(expected, bounds.most) {
                bounds.drain(&mut pieces).await;
                return Err(watch.ends(verdict));
            }
            let Ok(next) = tokio::time::timeout(bounds.pause, pieces.next()).await else {
                return Err(watch.ends(Verdict::Slow));
            };
            let Some(piece) = next else {
                return watch.has_come().map(|()| None);
            };
            let piece = piece.map_err(io::Error::other)?;
            let read = read.saturating_add(piece.len());
            let room = || (!watch.seat.holds(read)).then_some(Verdict::Busy);
            if let Some(verdict) = watch.refuses(read, bounds.most).or_else(room) {
                drop(piece);
                drain(&mut pieces).await;
                return Err(watch.ends(verdict));
            }
            // Not everybody asks on behind the last piece.
            if bounds.told == Some(read) {
                watch.has_come()?;
            }
            Ok(Some((piece, (pieces, read))))
        }
    }))
}
