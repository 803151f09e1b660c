//! Deletions are done to their end, and so is what else must not stop half-way. The idea: how long a
//! deletion takes depends on what hangs on the row, so one that was broken off by the time of a
//! request, or because its client went away, would be for nothing each time it is tried; it goes on
//! in a task of its own, whoever still waits for it.

use axum::extract::Request;
use axum::http::Method;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use rest::{ApiError, ApiResult, Zone};
use store::origin::Origin;
use tracing::{Instrument, Span};

/// Has deletions go on when nobody waits any more.
pub async fn finish(request: Request, next: Next) -> Response {
    if request.method() != Method::DELETE {
        return next.run(request).await;
    }
    match to_its_end(next.run(request)).await {
        Ok(answer) => answer,
        Err(error) => error.into_response(),
    }
}

/// Works in a task of its own: what has begun ends, whoever still waits for it.
///
/// # Errors
/// 500 where the program ends before.
pub async fn to_its_end<T: Send + 'static>(
    work: impl Future<Output = T> + Send + 'static,
) -> ApiResult<T> {
    // What holds for a request holds for its task; a task does not inherit it.
    let (origin, zone) = (Origin::current(), Zone::current());
    let working = origin.around(zone.around(work));
    match tokio::spawn(working.instrument(Span::current())).await {
        Ok(done) => Ok(done),
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        Err(error) => Err(ApiError::Internal(format!("work ended early: {error}"))),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::time::Duration;

    use axum::body::Body;
    use axum::http::Request;
    use axum::routing::{delete, get};
    use axum::{Router, middleware};
    use tokio::sync::mpsc;
    use tower::ServiceExt;

    use super::*;

    #[tokio::test]
    async fn a_deletion_goes_on_when_nobody_waits_and_nothing_else_does() {
        let (done, mut heard) = mpsc::unbounded_channel();
        let slow = |word: &'static str| {
            let done = done.clone();
            async move || {
                tokio::time::sleep(Duration::from_millis(100)).await;
                done.send(word).ok();
            }
        };
        let router = Router::new()
            .route("/gone", delete(slow("deleted")))
            .route("/read", get(slow("read")))
            .route_layer(middleware::from_fn(finish));
        for (method, path) in [(Method::GET, "/read"), (Method::DELETE, "/gone")] {
            let request = Request::builder().method(method).uri(path);
            let request = request.body(Body::empty()).unwrap();
            let answer = router.clone().oneshot(request);
            let waited = tokio::time::timeout(Duration::from_millis(10), answer).await;
            assert!(waited.is_err(), "it is slow");
        }
        assert_eq!(heard.recv().await, Some("deleted"));
        assert!(heard.try_recv().is_err(), "what is read is not needed");
    }
}
