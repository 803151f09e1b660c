//! What a page's form sends, as the API takes it. A form in HTML knows only GET and POST, so it may
//! name another method in `_method` and hand over a whole body in `_content`; both are believed
//! only of people known by a cookie, whose forms have shown that they are ours. OPTIONS changes
//! nothing and is believed of everybody.

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, header};
use rest::{ApiError, ApiResult, JsonBody};
use serde_json::Value;

use crate::auth::known::Known;

/// Largest body of which a page shows again what was sent, in bytes.
const MOST_SHOWN: usize = 1024 * 1024;

/// What was sent, for the page to show again where it is refused.
#[derive(Clone, Debug, Default)]
pub struct Sent {
    /// Fields by name.
    pub values: Option<Value>,
    /// The body as it is, where it was sent so.
    pub raw: Option<String>,
    /// Its media type.
    pub media: Option<String>,
}

/// Takes a request for a page apart.
///
/// # Errors
/// 400 where the body breaks off.
pub async fn unpack(request: Request) -> ApiResult<(Request, Sent)> {
    // A secret is known here only where the request has shown the word that belongs to it.
    let vouched = Known::of(request.extensions()).secret().is_some();
    taken_apart(request, vouched).await
}

async fn taken_apart(request: Request, vouched: bool) -> ApiResult<(Request, Sent)> {
    let reads = [Method::POST, Method::PUT, Method::PATCH, Method::DELETE];
    // Handlers take what the settings allow, so forms of people are read as far as that.
    let most = if vouched { usize::MAX } else { MOST_SHOWN };
    if !reads.contains(request.method()) || length(request.headers()).is_none_or(|n| n > most) {
        return Ok((request, Sent::default()));
    }
    let (mut parts, body) = request.into_parts();
    let bytes = to_bytes(body, most).await;
    let bytes = bytes.map_err(|_| ApiError::BadRequest("The body broke off.".to_owned()))?;
    let kind = media(&parts.headers);
    let body = JsonBody::read_shared(kind.as_deref(), &bytes).ok();
    let form =
        body.filter(|_| kind.as_deref().is_some_and(is_form) && parts.method == Method::POST);
    let field = |name: &str| form.as_ref()?.value.get(name)?.as_str();
    let method = field("_method").and_then(|name| name.parse::<Method>().ok());
    let believed =
        |method: &Method| *method == Method::OPTIONS || (vouched && reads.contains(method));
    if let Some(method) = method.filter(believed) {
        parts.method = method;
    }
    let content = field("_content").filter(|_| vouched);
    let (bytes, raw) = match content {
        Some(content) => {
            let media = field("_content_type").unwrap_or("application/json");
            let media = HeaderValue::from_str(media);
            let media = media.unwrap_or(HeaderValue::from_static("application/json"));
            parts.headers.insert(header::CONTENT_TYPE, media);
            (Bytes::from(content.to_owned()), true)
        }
        None => (bytes, !kind.as_deref().is_some_and(is_form)),
    };
    parts
        .headers
        .insert(header::CONTENT_LENGTH, HeaderValue::from(bytes.len()));
    let sent = kept(&parts.headers, &bytes, raw);
    Ok((Request::from_parts(parts, Body::from(bytes)), sent))
}

fn kept(headers: &HeaderMap, bytes: &Bytes, raw: bool) -> Sent {
    if bytes.len() > MOST_SHOWN || bytes.is_empty() {
        return Sent::default();
    }
    let media = media(headers);
    Sent {
        values: JsonBody::read(media.as_deref(), bytes)
            .ok()
            .map(|body| body.value),
        raw: raw.then(|| String::from_utf8_lossy(bytes).into_owned()),
        media: media.filter(|_| raw),
    }
}

fn length(headers: &HeaderMap) -> Option<usize> {
    headers
        .get(header::CONTENT_LENGTH)?
        .to_str()
        .ok()?
        .parse()
        .ok()
}

fn media(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    Some(value.to_owned())
}

fn is_form(kind: &str) -> bool {
    let kind = kind.to_ascii_lowercase();
    kind.starts_with("application/x-www-form-urlencoded") || kind.starts_with("multipart/form-data")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::json;

    const FORM: &str = "application/x-www-form-urlencoded";

    async fn unpacked(vouched: bool, kind: &str, body: &'static str) -> (Method, String, Sent) {
        let request = Request::post("/api/v2/jobs/1")
            .header(header::CONTENT_TYPE, kind)
            .header(header::CONTENT_LENGTH, body.len());
        let request = request.body(Body::from(body)).unwrap();
        let (request, sent) = taken_apart(request, vouched).await.unwrap();
        let method = request.method().clone();
        let bytes = to_bytes(request.into_body(), 1000).await.unwrap();
        (method, String::from_utf8(bytes.to_vec()).unwrap(), sent)
    }

    #[tokio::test]
    async fn a_method_is_believed_only_where_a_cookie_vouches_for_it() {
        let (method, body, sent) = unpacked(true, FORM, "_method=PUT&name=x").await;
        assert_eq!((method, body.as_str()), (Method::PUT, "_method=PUT&name=x"));
        assert_eq!(sent.values.unwrap()["name"], "x");
        for (vouched, kind, body, expected) in [
            (false, FORM, "_method=DELETE", Method::POST),
            (false, FORM, "_method=OPTIONS", Method::OPTIONS),
            (true, FORM, "_method=DELETE", Method::DELETE),
            (true, FORM, "_method=TRACE", Method::POST),
            (true, FORM, "_method=%20", Method::POST),
            (
                true,
                "application/json",
                "{\"_method\": \"DELETE\"}",
                Method::POST,
            ),
        ] {
            assert_eq!(
                unpacked(vouched, kind, body).await.0,
                expected,
                "{vouched} {body}"
            );
        }
    }

    #[tokio::test]
    async fn a_body_is_handed_over_whole() {
        let form =
            "_method=PATCH&_content_type=application%2Fjson&_content=%7B%22name%22%3A+%22y%22%7D";
        let (method, body, sent) = unpacked(true, FORM, form).await;
        assert_eq!(
            (method, body.as_str()),
            (Method::PATCH, "{\"name\": \"y\"}")
        );
        assert_eq!(sent.values.unwrap(), json!({"name": "y"}));
        assert_eq!(sent.raw.as_deref(), Some("{\"name\": \"y\"}"));
        assert_eq!(unpacked(false, FORM, form).await.1, form);
        let (_, body, sent) = unpacked(false, "application/json", "{bad").await;
        assert_eq!((body.as_str(), sent.raw.as_deref()), ("{bad", Some("{bad")));
        assert!(sent.values.is_none());
    }
}
