//! `/media/…`: photographs and thumbnails behind signed links (`domain-rules.md` §14). Who has a
//! link may see what it names; nothing else is served from here.

use std::io::Cursor;

use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use domain::storage::{LOCAL, Location};
use files::{Files, FilesError, Links};
use image::ImageReader;
use rest::query::Query;
use rest::{ApiError, ApiResult};

use crate::AppState;
use crate::api::internal;

/// Width of a small thumbnail, in pixels.
const SMALL: u32 = 480;
/// Most memory that decoding a photograph may take, in bytes.
const MAX_DECODE: u64 = 512 * 1024 * 1024;

/// The address of a photograph for browsers and services.
pub fn address(links: &Links, place: &Location) -> String {
    match place {
        Location::Folder { source, key, .. } => links.absolute(&format!("captures/{source}"), key),
        Location::Web { url } => url.clone(),
    }
}

/// The address of a photograph for pages of this server.
pub fn page_address(links: &Links, place: &Location) -> String {
    match place {
        Location::Folder { source, key, .. } => links.relative(&format!("captures/{source}"), key),
        Location::Web { url } => url.clone(),
    }
}

/// The address of a capture's small thumbnail.
pub fn thumbnail(links: &Links, capture: i64) -> String {
    links.relative("thumbnails", &format!("capture_{capture}/small.jpg"))
}

/// Shows what a signed link names.
pub async fn show(
    State(state): State<AppState>,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
) -> ApiResult<Response> {
    let query = Query::parse(query.as_deref().unwrap_or_default());
    let expires = query.number("expires").unwrap_or(0);
    let signature = query.get("signature").unwrap_or_default();
    state
        .links
        .verify(&name, expires, signature)
        .map_err(|error| ApiError::Gone(format!("{error}.")))?;
    let (kind, rest) = name.split_once('/').ok_or(ApiError::NotFound)?;
    let content = match kind {
        "captures" => original(&state, rest).await?,
        "thumbnails" => small(&state, rest).await?,
        "pictures" => state.files.get(&name).await.map_err(gone)?,
        _ => return Err(ApiError::NotFound),
    };
    let kind = mime_guess::from_path(&name).first_or_octet_stream();
    let headers = [
        (header::CONTENT_TYPE, kind.as_ref().to_owned()),
        (header::CACHE_CONTROL, "private, max-age=86400".to_owned()),
    ];
    Ok((headers, content).into_response())
}

/// A photograph of a local storage source: `<source>/<key>`.
async fn original(state: &AppState, rest: &str) -> ApiResult<Bytes> {
    let (source, key) = rest.split_once('/').ok_or(ApiError::NotFound)?;
    let source: i64 = source.parse().map_err(|_| ApiError::NotFound)?;
    let source = state.store.source(source).await.map_err(internal)?;
    if source.kind != LOCAL {
        return Err(ApiError::NotFound);
    }
    let folder = Files::local(source.bucket.as_ref()).map_err(gone)?;
    folder.get(key).await.map_err(gone)
}

/// A thumbnail, made when it is first asked for: `capture_<id>/small.jpg`.
async fn small(state: &AppState, rest: &str) -> ApiResult<Bytes> {
    let key = format!("thumbnails/{rest}");
    match state.files.get(&key).await {
        Ok(content) => return Ok(content),
        Err(FilesError::NotFound(_)) => {}
        Err(other) => return Err(gone(other)),
    }
    let id = rest
        .strip_prefix("capture_")
        .and_then(|rest| rest.strip_suffix("/small.jpg"))
        .and_then(|id| id.parse::<i64>().ok())
        .ok_or(ApiError::NotFound)?;
    let capture = state.store.capture(id).await.map_err(internal)?;
    let places = state.store.locations(&[capture]).await.map_err(internal)?;
    let Some(Location::Folder { root, key: at, .. }) = places.get(&id) else {
        return Err(ApiError::NotFound);
    };
    let folder = Files::local(root.as_ref()).map_err(gone)?;
    let original = folder.get(at).await.map_err(gone)?;
    let content = tokio::task::spawn_blocking(move || shrink(&original))
        .await
        .map_err(|e| ApiError::Internal(e.to_string()))?
        .map_err(|e| ApiError::Gone(format!("The photograph cannot be read: {e}.")))?;
    // A thumbnail that cannot be kept is still shown.
    if let Err(error) = state.files.put(&key, content.clone()).await {
        tracing::warn!(%error, "a thumbnail is not kept");
    }
    Ok(content)
}

fn shrink(original: &[u8]) -> image::ImageResult<Bytes> {
    let mut reader = ImageReader::new(Cursor::new(original)).with_guessed_format()?;
    let mut limits = image::Limits::default();
    limits.max_alloc = Some(MAX_DECODE);
    reader.limits(limits);
    let picture = reader.decode()?;
    let height = (u64::from(SMALL) * u64::from(picture.height()))
        .div_ceil(u64::from(picture.width().max(1)));
    let picture = if picture.width() > SMALL {
        picture.thumbnail(SMALL, u32::try_from(height).unwrap_or(u32::MAX))
    } else {
        picture
    };
    let mut content = Vec::new();
    let encoder = image::codecs::jpeg::JpegEncoder::new_with_quality(&mut content, 82);
    picture.to_rgb8().write_with_encoder(encoder)?;
    Ok(content.into())
}

fn gone(error: FilesError) -> ApiError {
    match error {
        FilesError::NotFound(_) => ApiError::Gone("The file is not there any more.".to_owned()),
        FilesError::Denied(_) => ApiError::NotFound,
        FilesError::Io(why) => ApiError::Gone(format!("The file cannot be read: {why}.")),
    }
}
