//! Bodies of requests: JSON or a form, and a clear word where it is neither.

use serde_json::{Map, Value};
use url::form_urlencoded;

use crate::error::{ApiError, ApiResult};

/// Reads a body by its media type; an empty body is an empty object.
///
/// # Errors
/// 400 where it cannot be read, 415 where its type is not known.
pub fn read(content_type: Option<&str>, bytes: &[u8]) -> ApiResult<Value> {
    let full = content_type.unwrap_or_default();
    let kind = full.split(';').next().unwrap_or_default().trim();
    if bytes.is_empty() {
        return Ok(Value::Object(Map::new()));
    }
    match kind.to_ascii_lowercase().as_str() {
        "application/json" => serde_json::from_slice(bytes)
            .map_err(|e| ApiError::BadRequest(format!("JSON parse error - {e}"))),
        "application/x-www-form-urlencoded" => Ok(Value::Object(
            form_urlencoded::parse(bytes)
                .map(|(name, value)| (name.into_owned(), Value::String(value.into_owned())))
                .collect(),
        )),
        _ => Err(ApiError::UnsupportedMediaType(full.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::read;
    use serde_json::json;

    #[test]
    fn json_and_forms_are_read() {
        let form = Some("application/x-www-form-urlencoded; charset=utf-8");
        assert_eq!(
            read(form, b"a=1&b=x%20y").unwrap(),
            json!({"a": "1", "b": "x y"})
        );
        let as_json = Some("application/json");
        assert_eq!(read(as_json, b"{\"a\": 1}").unwrap(), json!({"a": 1}));
        assert_eq!(read(None, b"").unwrap(), json!({}));
        assert_eq!(read(as_json, b"{bad").unwrap_err().status(), 400);
        assert_eq!(read(Some("text/plain"), b"x").unwrap_err().status(), 415);
        assert_eq!(read(None, b"x").unwrap_err().status(), 415);
    }
}
