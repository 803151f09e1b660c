//! Style sheet, script and icon, from the binary itself.

use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use rust_embed::Embed;

#[derive(Embed)]
#[folder = "assets/"]
struct Assets;

/// Shows one of them; browsers ask again only whether it has changed.
pub async fn show(Path(name): Path<String>, headers: HeaderMap) -> Response {
    let Some(file) = Assets::get(&name) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let digest: String = file.metadata.sha256_hash()[..8]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let etag = format!("\"{digest}\"");
    let known = headers
        .get(header::IF_NONE_MATCH)
        .and_then(|v| v.to_str().ok());
    let common = [
        (header::ETAG, etag.clone()),
        (header::CACHE_CONTROL, "no-cache".to_owned()),
    ];
    if known == Some(etag.as_str()) {
        return (StatusCode::NOT_MODIFIED, common).into_response();
    }
    let kind = mime_guess::from_path(&name).first_or_octet_stream();
    let kind = [(header::CONTENT_TYPE, kind.as_ref().to_owned())];
    (common, kind, file.data).into_response()
}

#[cfg(test)]
mod tests {
    use super::Assets;

    /// All scripts together, in bytes: pages are read on slow lines, and work without them.
    const SCRIPTS: usize = 30_000;

    #[test]
    fn scripts_stay_small() {
        let scripts = Assets::iter().filter(|name| name.ends_with(".js"));
        let sizes = scripts.filter_map(|name| Some(Assets::get(&name)?.data.len()));
        let all: usize = sizes.sum();
        assert!(all > 0 && all < SCRIPTS, "{all} bytes of scripts");
    }
}
