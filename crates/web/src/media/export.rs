//! The file of an export, sent piece by piece, for it may be larger than memory. A browser keeps it
//! under its own name instead of showing it.

use axum::body::Body;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use domain::export::of_file;
use rest::{ApiError, ApiResult};

use super::gone;
use crate::AppState;
use crate::api::internal;

/// Goes on where the file belongs to an export, and unless a signature vouches for who asks, to one
/// of a project that is no draft.
pub async fn allow(state: &AppState, name: &str, vouched: bool) -> ApiResult<()> {
    let export = of_file(name).ok_or(ApiError::NotFound)?;
    let export = state.store.export(export).await.map_err(internal)?;
    if vouched {
        return Ok(());
    }
    let project = state.store.project(export.project_id).await;
    match project.map_err(internal)?.draft {
        true => Err(ApiError::NotFound),
        false => Ok(()),
    }
}

/// Sends the file with this key.
pub async fn show(state: &AppState, key: &str) -> ApiResult<Response> {
    let content = state.files.get_stream(key, None).await.map_err(gone)?;
    let kind = mime_guess::from_path(key).first_or_octet_stream();
    let name = key.rsplit('/').next().unwrap_or(key);
    let headers = [
        (header::CONTENT_TYPE, kind.as_ref().to_owned()),
        (header::CONTENT_LENGTH, content.entry.size.to_string()),
        (
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"{name}\""),
        ),
        // A run again writes the same file anew.
        (header::CACHE_CONTROL, "private, no-cache".to_owned()),
    ];
    Ok((headers, Body::from_stream(content.stream)).into_response())
}
