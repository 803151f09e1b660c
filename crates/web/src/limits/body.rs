//! A body on its way in, watched: it is cut off where it becomes too large or stops coming, and
//! what happened to it is known also when the handler only saw that it broke off.

use std::io;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::body::{Body, BodyDataStream, HttpBody};
use axum::extract::Request;
use axum::http::{HeaderMap, header};
use futures_util::{StreamExt, stream};
use rest::ApiError;

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
}

/// Looks after the body of a request.
#[derive(Clone, Default)]
pub(super) struct Watch(Arc<OnceLock<Verdict>>);

impl Watch {
    /// What became of the body; nothing yet while it is on its way.
    pub(super) fn verdict(&self) -> Option<Verdict> {
        self.0.get().copied()
    }

    pub(super) fn is_whole(&self) -> bool {
        self.verdict() == Some(Verdict::Whole)
    }

    fn ends(&self, verdict: Verdict) -> io::Error {
        let _ = self.0.set(verdict); // the first word counts
        io::Error::other("the body was cut off")
    }
}

/// Has the body of a request watched.
///
/// # Errors
/// [`ApiError::TooLarge`] where its head says that already.
pub(super) async fn watched(
    request: Request,
    most: usize,
    pause: Duration,
) -> Result<(Request, Watch), ApiError> {
    let watch = Watch::default();
    if request.body().is_end_stream() {
        let _ = watch.0.set(Verdict::Whole);
        return Ok((request, watch));
    }
    let (parts, body) = request.into_parts();
    if told(&parts.headers).is_some_and(|length| length > most as u64) {
        // Who waits for our word before sending has not begun.
        if !parts.headers.contains_key(header::EXPECT) {
            drain(&mut body.into_data_stream()).await;
        }
        return Err(ApiError::TooLarge);
    }
    let body = limited(body, most, pause, watch.clone());
    Ok((Request::from_parts(parts, body), watch))
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

fn limited(body: Body, most: usize, pause: Duration, watch: Watch) -> Body {
    let start = (body.into_data_stream(), 0usize);
    Body::from_stream(stream::try_unfold(start, move |(mut pieces, read)| {
        let watch = watch.clone();
        async move {
            let Ok(next) = tokio::time::timeout(pause, pieces.next()).await else {
                return Err(watch.ends(Verdict::Slow));
            };
            let Some(piece) = next else {
                let _ = watch.0.set(Verdict::Whole);
                return Ok(None);
            };
            let piece = piece.map_err(io::Error::other)?;
            let read = read.saturating_add(piece.len());
            if read > most {
                drain(&mut pieces).await;
                return Err(watch.ends(Verdict::Large));
            }
            Ok(Some((piece, (pieces, read))))
        }
    }))
}
