//! `/api/v2/captures/thumbnails/{id}/`: makes a capture's thumbnail where it must and leads to it
//! (`domain-rules.md` §14). Browsers fetch it without a token, so who may see the project may.

use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::permission::Action;
use rest::field::{Field, Kind};
use rest::{ApiError, ApiResult};

use super::find;
use crate::call::Call;
use crate::media::thumbnail;

const LABELS: &[(&str, &str)] = &[("small", "small"), ("medium", "medium"), ("large", "large")];

/// What the address takes.
pub const FILTERS: &[Field] = &[Field::new("label", "Label", Kind::Choice(LABELS))];

/// There is no list of thumbnails.
pub async fn list() -> ApiError {
    let words = "Listing thumbnails is not supported; request a single capture's thumbnail by pk.";
    ApiError::MethodNotAllowedBecause(words)
}

/// Leads to the thumbnail.
pub async fn show(call: Call, Path(id): Path<String>) -> ApiResult<Response> {
    let labels = thumbnail::SIZES.map(|(label, _)| label);
    let label = call.query.choice("label", &labels)?.unwrap_or(labels[0]);
    let (capture, _, _) = find(&call, &id, Action::View).await?;
    thumbnail::refresh(&call.state, capture.id, label).await?;
    let address = thumbnail::address(&call.state.links, capture.id, label);
    let headers = [
        (header::LOCATION, address),
        (header::CACHE_CONTROL, "private, max-age=300".to_owned()),
    ];
    Ok((StatusCode::FOUND, headers).into_response())
}
