//! Who may read the metrics: they tell how much is done here, and by which addresses. On a port of
//! its own everybody may who reaches it; beside the API only this machine, or who has the token.

use std::net::SocketAddr;

use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};

/// Headers by which proxies say that they ask for somebody else.
const FORWARDED: [&str; 4] = ["forwarded", "x-forwarded-for", "x-real-ip", "via"];

/// Who may read the metrics.
#[derive(Clone)]
pub enum Access {
    /// Whoever reaches the port.
    Everybody,
    /// Programs on this machine that ask for themselves.
    ThisMachine,
    /// Nobody: they are elsewhere.
    Nobody,
    /// Who sends this token.
    Token(String),
}

/// 404 for everybody else: to them there is nothing here.
pub(crate) async fn guard(State(access): State<Access>, request: Request, next: Next) -> Response {
    let allowed = match &access {
        Access::Everybody => true,
        Access::Nobody => false,
        Access::ThisMachine => is_near(&request),
        Access::Token(token) => shows(request.headers(), token),
    };
    if allowed {
        return next.run(request).await;
    }
    let body = axum::Json(serde_json::json!({"detail": "Not found."}));
    (StatusCode::NOT_FOUND, body).into_response()
}

fn is_near(request: &Request) -> bool {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
    let near = peer.is_some_and(|peer| peer.0.ip().to_canonical().is_loopback());
    let headers = request.headers();
    near && !FORWARDED.iter().any(|name| headers.contains_key(*name))
}

/// Compared by their digests, so that the time it takes tells nothing of the token.
fn shows(headers: &HeaderMap, token: &str) -> bool {
    let shown = headers.get(header::AUTHORIZATION);
    let shown = shown.and_then(|value| value.to_str().ok());
    let shown = shown.and_then(|text| text.strip_prefix("Bearer "));
    shown.is_some_and(|shown| Sha256::digest(shown.trim()) == Sha256::digest(token))
}
