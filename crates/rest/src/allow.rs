//! Which methods an address takes. An answer says so in its `Allow` header, and a request with
//! another method gets 405 in the reference's words.

use std::future::{Ready, ready};

use axum::http::{HeaderValue, Method, header};
use axum::response::Response;

use crate::error::ApiError;

/// A list to which rows can be added.
pub const LIST: &str = "GET, POST, HEAD, OPTIONS";
/// One row that can be changed.
pub const DETAIL: &str = "GET, PUT, PATCH, DELETE, HEAD, OPTIONS";
/// What can only be looked at.
pub const READ: &str = "GET, HEAD, OPTIONS";
/// Something to be done.
pub const ACTION: &str = "POST, OPTIONS";

/// The handler for all other methods of an address:
/// `get(list).post(create).fallback(only(LIST))`.
pub fn only(allow: &'static str) -> impl Fn(Method) -> Ready<ApiError> + Clone + Send + 'static {
    move |method| ready(ApiError::MethodNotAllowed(method.to_string(), allow))
}

/// Says in an answer which methods the address takes.
pub fn with(allow: &'static str, mut response: Response) -> Response {
    let value = HeaderValue::from_static(allow);
    response.headers_mut().insert(header::ALLOW, value);
    response
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use axum::Router;
    use axum::body::{Body, to_bytes};
    use axum::http::Request;
    use axum::routing::get;
    use tower::ServiceExt;

    #[tokio::test]
    async fn other_methods_are_refused_in_the_recorded_words() {
        let app: Router = Router::new().route("/", get(|| async { "" }).fallback(only(LIST)));
        for (method, status, words) in [
            ("GET", 200, ""),
            ("HEAD", 200, ""),
            (
                "DELETE",
                405,
                "{\"detail\":\"Method \\\"DELETE\\\" not allowed.\"}",
            ),
            (
                "TRACE",
                405,
                "{\"detail\":\"Method \\\"TRACE\\\" not allowed.\"}",
            ),
        ] {
            let request = Request::builder()
                .method(method)
                .body(Body::empty())
                .unwrap();
            let response = app.clone().oneshot(request).await.unwrap();
            assert_eq!(response.status(), status, "{method}");
            if status == 405 {
                assert_eq!(response.headers()[header::ALLOW], LIST);
            }
            let body = to_bytes(response.into_body(), 1000).await.unwrap();
            assert_eq!(body, words.as_bytes());
        }
    }

    #[test]
    fn answers_say_what_is_allowed() {
        let response = with(DETAIL, Response::new(Body::empty()));
        assert_eq!(response.headers()[header::ALLOW], DETAIL);
    }
}
