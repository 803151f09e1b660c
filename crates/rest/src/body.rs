//! Bodies of requests: JSON or a form, and a clear word where it is neither. A form differs from
//! JSON in what an empty or missing value means, so a body remembers what it was.

use std::collections::HashMap;
use std::future::ready;

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use futures_util::{FutureExt, stream};
use serde_json::{Map, Value};
use url::form_urlencoded;

use crate::error::{ApiError, ApiResult};
use crate::json;

/// Numbers from here on are not exact in a `Value`.
const INEXACT: f64 = 9_223_372_036_854_775_808.0;

/// A body that was read. As an extractor it takes the media type from the request.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct JsonBody {
    /// Its value; of a form, an object of texts.
    pub value: Value,
    /// Whether it was a form: an empty text there means no value.
    pub(crate) is_form: bool,
    /// Members too large for a 64-bit number, in full.
    pub(crate) long: HashMap<String, String>,
    /// Files of a multipart form, by field.
    pub(crate) uploads: Vec<(String, Upload)>,
}

/// A file that was sent in a multipart form.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Upload {
    /// Its name, without folders.
    pub name: String,
    /// Its bytes.
    pub bytes: Bytes,
}

impl From<Value> for JsonBody {
    fn from(value: Value) -> JsonBody {
        JsonBody {
            value,
            ..JsonBody::default()
        }
    }
}

impl JsonBody {
    /// Reads a body by its media type; an empty body is an empty object.
    ///
    /// # Errors
    /// 400 where it cannot be read, 415 where its type is not known.
    pub fn read(content_type: Option<&str>, bytes: &[u8]) -> ApiResult<JsonBody> {
        JsonBody::parse(content_type, bytes, || Bytes::copy_from_slice(bytes))
    }

    /// The same of bytes that may be shared: the files of a form are not copied for it.
    ///
    /// # Errors
    /// As there.
    pub fn read_shared(content_type: Option<&str>, bytes: &Bytes) -> ApiResult<JsonBody> {
        JsonBody::parse(content_type, bytes, || bytes.clone())
    }

    fn parse(
        content_type: Option<&str>,
        bytes: &[u8],
        shared: impl FnOnce() -> Bytes,
    ) -> ApiResult<JsonBody> {
        let full = content_type.unwrap_or_default();
        let kind = full.split(';').next().unwrap_or_default().trim();
        let kind = kind.to_ascii_lowercase();
        let is_form = kind == "application/x-www-form-urlencoded";
        if is_form || bytes.is_empty() {
            let pairs = form_urlencoded::parse(bytes).into_owned();
            let value: Map<String, Value> = pairs
                .map(|(name, value)| (name, Value::String(value)))
                .collect();
            return Ok(JsonBody {
                value: Value::Object(value),
                is_form,
                ..JsonBody::default()
            });
        }
        if kind == "multipart/form-data" {
            return multipart(full, shared());
        }
        if kind != "application/json" {
            return Err(ApiError::UnsupportedMediaType(full.to_owned()));
        }
        let value = serde_json::from_slice(bytes).map_err(|error| {
            let words = json::complaint(bytes).unwrap_or_else(|| error.to_string());
            ApiError::BadRequest(format!("JSON parse error - {words}"))
        })?;
        let long = long_numbers(&value, bytes);
        Ok(JsonBody {
            value,
            long,
            ..JsonBody::default()
        })
    }
}

/// Reads a multipart form. The bytes are all there, so no read ever waits.
fn multipart(content_type: &str, bytes: Bytes) -> ApiResult<JsonBody> {
    let broken = |error: multer::Error| {
        ApiError::BadRequest(format!("Multipart form parse error - {error}"))
    };
    let boundary = multer::parse_boundary(content_type).map_err(|_| {
        ApiError::BadRequest(
            "Multipart form parse error - Invalid boundary in multipart: None".to_owned(),
        )
    })?;
    let stream = stream::once(ready(Ok::<_, std::io::Error>(bytes)));
    let mut form = multer::Multipart::new(stream, boundary);
    let read = async {
        let (mut values, mut uploads) = (Map::new(), Vec::new());
        while let Some(mut part) = form.next_field().await? {
            let field = part.name().unwrap_or_default().to_owned();
            let file = part.file_name().map(str::to_owned);
            let bytes = content(&mut part).await?;
            match file {
                // A file input that was left empty is sent as a file without a name.
                Some(name) if name.is_empty() && bytes.is_empty() => {}
                Some(name) => {
                    let name = name
                        .rsplit(['/', '\\'])
                        .next()
                        .unwrap_or_default()
                        .to_owned();
                    uploads.push((field, Upload { name, bytes }));
                }
                None => {
                    let text = String::from_utf8_lossy(&bytes).into_owned();
                    values.insert(field, Value::String(text));
                }
            }
        }
        Ok((values, uploads))
    };
    let read = read.now_or_never();
    let (values, uploads) = read
        .unwrap_or(Err(multer::Error::IncompleteStream))
        .map_err(broken)?;
    Ok(JsonBody {
        value: Value::Object(values),
        is_form: true,
        uploads,
        ..JsonBody::default()
    })
}

/// What a part of a form holds. All of it has come, so it is one piece, which is not copied.
async fn content(part: &mut multer::Field<'_>) -> Result<Bytes, multer::Error> {
    let first = part.chunk().await?.unwrap_or_default();
    let Some(second) = part.chunk().await? else {
        return Ok(first);
    };
    let mut whole: Vec<u8> = [first, second].concat();
    while let Some(more) = part.chunk().await? {
        whole.extend_from_slice(&more);
    }
    Ok(whole.into())
}

fn long_numbers(value: &Value, bytes: &[u8]) -> HashMap<String, String> {
    let is_long = |value: &Value| value.as_f64().is_some_and(|f| f.abs() >= INEXACT);
    let members = value.as_object().into_iter().flat_map(Map::values);
    if !members.into_iter().any(is_long) {
        return HashMap::new();
    }
    let text = std::str::from_utf8(bytes).unwrap_or_default();
    let numbers = json::numbers(text).into_iter();
    numbers
        .filter(|(_, number)| number.len() > 18)
        .filter(|(_, number)| !number.contains(['.', 'e', 'E']))
        .collect()
}

/// The value of [`JsonBody::read`] alone.
///
/// # Errors
/// As there.
pub fn read(content_type: Option<&str>, bytes: &[u8]) -> ApiResult<Value> {
    JsonBody::read(content_type, bytes).map(|body| body.value)
}

impl<S: Send + Sync> FromRequest<S> for JsonBody {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> ApiResult<JsonBody> {
        let kind = request.headers().get(header::CONTENT_TYPE).cloned();
        let bytes = Bytes::from_request(request, state).await.map_err(|error| {
            let words = error.body_text();
            match error.into_response().status() {
                StatusCode::PAYLOAD_TOO_LARGE => ApiError::TooLarge,
                _ => ApiError::BadRequest(words),
            }
        })?;
        JsonBody::read_shared(kind.as_ref().and_then(|kind| kind.to_str().ok()), &bytes)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use axum::Router;
    use axum::body::{Body, to_bytes};
    use axum::extract::DefaultBodyLimit;
    use axum::routing::post;
    use serde_json::json;
    use tower::ServiceExt;

    const JSON: Option<&str> = Some("application/json");

    #[test]
    fn json_and_forms_are_read() {
        let form = Some("application/x-www-form-urlencoded; charset=utf-8");
        assert_eq!(
            read(form, b"a=0&b=x%20y&a=1").unwrap(),
            json!({"a": "1", "b": "x y"})
        );
        assert_eq!(read(JSON, b"{\"a\": 1}").unwrap(), json!({"a": 1}));
        let spelled = Some("Application/JSON; charset=utf-8");
        assert_eq!(read(spelled, b"[]").unwrap(), json!([]));
        for kind in [None, JSON, form, Some("text/plain")] {
            assert_eq!(read(kind, b"").unwrap(), json!({}));
        }
    }

    #[test]
    fn multipart_forms_have_files() {
        let kind = Some("multipart/form-data; boundary=b");
        let bytes = b"--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nx\r\n\
            --b\r\nContent-Disposition: form-data; name=\"image\"; filename=\"c/d.jpg\"\r\n\
            Content-Type: image/jpeg\r\n\r\n\xff\xd8\r\n--b--\r\n";
        let body = JsonBody::read(kind, bytes).unwrap();
        assert_eq!(body.value, json!({"a": "x"}));
        let (field, upload) = &body.uploads[0];
        assert_eq!((field.as_str(), upload.name.as_str()), ("image", "d.jpg"));
        assert_eq!(upload.bytes.as_ref(), b"\xff\xd8");
        let shared = JsonBody::read_shared(kind, &Bytes::from_static(bytes));
        assert_eq!(shared.unwrap(), body);
        for cut in [1, 20, 60, bytes.len() - 20] {
            assert_eq!(
                JsonBody::read(kind, &bytes[..cut]).unwrap_err().status(),
                400
            );
        }
        let none = JsonBody::read(Some("multipart/form-data"), bytes);
        assert_eq!(none.unwrap_err().status(), 400);
    }

    #[test]
    fn what_cannot_be_read_is_said() {
        let words = |kind, bytes: &[u8]| {
            let error = read(kind, bytes).unwrap_err();
            (error.status().as_u16(), error.to_string())
        };
        let no_json = "JSON parse error - Expecting property name enclosed in double quotes: \
                       line 1 column 2 (char 1)";
        assert_eq!(words(JSON, b"{bad"), (400, no_json.to_owned()));
        let deep = "[".repeat(1000);
        let (status, said) = words(JSON, deep.as_bytes());
        assert_eq!(status, 400);
        assert!(
            said.starts_with("JSON parse error - recursion limit"),
            "{said}"
        );
        let kind = "text/x; a=\"b\"";
        let unknown = format!("Unsupported media type \"{kind}\" in request.");
        assert_eq!(words(Some(kind), b"x"), (415, unknown));
        let none = "Unsupported media type \"\" in request.";
        assert_eq!(words(None, b"{}"), (415, none.to_owned()));
    }

    #[tokio::test]
    async fn a_handler_gets_the_body_or_the_caller_an_error() {
        let app = Router::new()
            .route(
                "/",
                post(|body: JsonBody| async move { body.value.to_string() }),
            )
            .layer(DefaultBodyLimit::max(20));
        for (bytes, status, answer) in [
            ("{\"a\": [1]}", 200, "{\"a\":[1]}"),
            ("{", 400, "JSON parse error"),
            ("[1, 2, 3, 4, 5, 6, 7, 8, 9]", 413, "limit"),
        ] {
            let request = Request::post("/").header("content-type", "application/json");
            let request = request.body(Body::from(bytes)).unwrap();
            let response = app.clone().oneshot(request).await.unwrap();
            assert_eq!(response.status(), status, "{bytes}");
            let body = to_bytes(response.into_body(), 1000).await.unwrap();
            let body = String::from_utf8(body.to_vec()).unwrap();
            assert!(body.contains(answer), "{body}");
        }
    }
}
