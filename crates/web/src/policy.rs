//! What a page of ours may load and run: scripts, styles and pictures of this server, and nothing
//! else. The idea: text that somebody else wrote is escaped, and where that was forgotten once, the
//! browser still runs none of it. The files of a web client beside us have their own rules.

use axum::extract::Request;
use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;

/// The policy. Bars and frames of pictures have their sizes in `style`.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self'; object-src 'none'; \
     base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
);

/// Marks an answer that is not ours: a file of the web client's folder.
#[derive(Clone, Copy, Debug)]
pub struct Foreign;

/// Sets the policy on what browsers show; JSON is for programs, which need not read it each time.
pub async fn keep(request: Request, next: Next) -> Response {
    let mut answer = next.run(request).await;
    let foreign = answer.extensions().get::<Foreign>().is_some();
    if !foreign && !is_json(answer.headers()) {
        let headers = answer.headers_mut();
        headers.entry(CONTENT_SECURITY_POLICY).or_insert(POLICY);
    }
    answer
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE);
    kind.is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"))
}
