//! How many requests there are, of which kind and how long they take. The idea: a request counts
//! under the pattern of its address, so that there are as many kinds as there are routes and
//! nobody can make more.

use std::time::Instant;

use axum::extract::{MatchedPath, Request};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::Response;
use domain::metric;

use crate::views;

/// The kind of addresses that no route has.
const OTHER: &str = "other";

/// The pattern of the address that a request asks for, by the router or the API's table.
pub fn route(request: &Request) -> String {
    if let Some(view) = views::of(request) {
        return format!("/api/v2{}", view.path);
    }
    let matched = request.extensions().get::<MatchedPath>();
    matched.map_or(OTHER, MatchedPath::as_str).to_owned()
}

/// A request that is being answered; also when it is dropped before it is.
struct Running;

impl Running {
    fn begin() -> Running {
        metrics::gauge!(metric::HTTP_RUNNING.name).increment(1.0);
        Running
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        metrics::gauge!(metric::HTTP_RUNNING.name).decrement(1.0);
    }
}

/// Measures a request. It is the first to look at the address, which is found here for all.
pub async fn measure(mut request: Request, next: Next) -> Response {
    let began = Instant::now();
    let _running = Running::begin();
    views::find(&mut request);
    let method = method(request.method());
    let route = route(&request);
    let answer = next.run(request).await;
    let status = answer.status().as_u16().to_string();
    let seconds = began.elapsed();
    metrics::histogram!(metric::HTTP_TIME.name, "method" => method, "route" => route.clone())
        .record(seconds);
    metrics::counter!(
        metric::HTTP_REQUESTS.name, "method" => method, "route" => route, "status" => status
    )
    .increment(1);
    answer
}

/// Methods have names that anybody may make up.
fn method(method: &Method) -> &'static str {
    let known = [
        ("GET", &Method::GET),
        ("POST", &Method::POST),
        ("PUT", &Method::PUT),
        ("PATCH", &Method::PATCH),
        ("DELETE", &Method::DELETE),
        ("OPTIONS", &Method::OPTIONS),
        ("HEAD", &Method::HEAD),
    ];
    let same = known.into_iter().find(|(_, known)| *known == method);
    same.map_or(OTHER, |(name, _)| name)
}
