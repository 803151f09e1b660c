//! Deletions are done to their end. The idea: how long one takes depends on what hangs on the row, so
//! one that was broken off by the time of a request, or because its client went away, would be for
//! nothing each time it is tried; it goes on in a task of its own, whoever still waits for it.

use axum::extract::Request;
use axum::http::Method;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use rest::{ApiError, Zone};
use store::origin::Origin;
use tracing::{Instrument, Span};

/// Has deletions go on when nobody waits any more.
pub async fn finish(request: Request, next: Next) -> Response {
    if request.method() != Method::DELETE {
        return next.run(request).await;
    }
    // What holds for a request holds for its task; a task does not inherit it.
    let (origin, zone) = (Origin::current(), Zone::current());
    let deleting = origin.around(zone.around(next.run(request)));
    match tokio::spawn(deleting.instrument(Span::current())).await {
        Ok(answer) => answer,
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        Err(error) => {
            ApiError::Internal(format!("a deletion ended early: {error}")).into_response()
        }
    }
}
