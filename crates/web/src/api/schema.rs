//! `/api/v2/schema/`: the OpenAPI document as YAML or JSON, and `/api/v2/docs/`, the same to
//! read. Both choose their representation themselves: they have no page to browse.

use axum::Extension;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use rest::ApiError;
use rest::ApiResult;
use rest::allow::READ;
use rest::field::{Field, Kind};

use crate::call::Call;
use crate::openapi::{TITLE, document};
use crate::pages::docs;
use crate::shape::Asked;
use crate::views::{Answer, View, view};

const ABOUT: &str = "This document: every address of the API in OpenAPI 3.1, as YAML or JSON.";
const DOCS: &str = "The same document as a page to read.";

const FORMAT: &[Field] = &[Field::new(
    "format",
    "Format",
    Kind::Choice(&[("yaml", "YAML"), ("json", "JSON")]),
)
.help("`yaml` or `json`; otherwise the header `Accept` decides, and YAML where it does not.")];

/// Its addresses.
pub const VIEWS: &[View] = &[
    view("/schema", "Schema", READ, ABOUT, &[], || get(schema))
        .got(&[Answer::Schema])
        .query(FORMAT)
        .own_formats()
        .open(),
    view("/docs", "Documentation", READ, DOCS, &[], || get(read))
        .got(&[Answer::Html])
        .own_formats()
        .open(),
];

/// Media types of the document: format, type, and whether the type is written with its charset.
pub const OFFERED: [(&str, &str); 4] = [
    ("yaml", "application/vnd.oai.openapi"),
    ("yaml", "application/yaml"),
    ("json", "application/vnd.oai.openapi+json"),
    ("json", "application/json"),
];

/// The document.
pub async fn schema(
    call: Call,
    headers: HeaderMap,
    asked: Option<Extension<Asked>>,
) -> ApiResult<Response> {
    let format = call.query.get("format").filter(|format| !format.is_empty());
    let suffix = asked.as_ref().and_then(|asked| asked.suffix.as_deref());
    let named = format.or(suffix);
    let offered: Vec<(&str, &str)> = OFFERED
        .into_iter()
        .filter(|(format, _)| named.is_none_or(|named| named == *format))
        .collect();
    if offered.is_empty() {
        return Err(ApiError::NotFound);
    }
    let accept = headers.get(header::ACCEPT).and_then(|a| a.to_str().ok());
    let types: Vec<&str> = offered.iter().map(|(_, kind)| *kind).collect();
    let chosen = rest::negotiate::choose(&types, accept).ok_or(ApiError::NotAcceptable)?;
    let (format, kind) = offered[chosen];
    let (text, kind) = match format {
        "yaml" => (
            rest::yaml::write(document()),
            format!("{kind}; charset=utf-8"),
        ),
        _ => (document().to_string(), kind.to_owned()),
    };
    let name = format!("inline; filename=\"{TITLE}.{format}\"");
    let heads = [
        (header::CONTENT_TYPE, kind),
        (header::CONTENT_DISPOSITION, name),
    ];
    Ok((heads, text).into_response())
}

/// The document to read.
pub async fn read() -> Response {
    match docs::page() {
        Ok(page) => page.into_response(),
        Err(error) => ApiError::Internal(error.to_string()).into_response(),
    }
}
