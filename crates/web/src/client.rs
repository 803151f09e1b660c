//! A built web client, such as Antenna's, served from a folder beside the API. The idea: the client
//! has every address that is not ours, since a single-page app makes addresses of its own; one that
//! names no file of the folder is answered with its first page (`ui.md` §B.6).

use std::path::Path;

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use tower_http::compression::CompressionLayer;
use tower_http::services::{ServeDir, ServeFile};

use crate::policy::Foreign;

/// A file whose name changes with its content is kept for a year.
const KEEP: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
/// Any other is asked for again at each use, and answered with 304 while it is the same.
const ASK: HeaderValue = HeaderValue::from_static("no-cache");

/// Serves the folder. A file that lies beside `name` as `name.br` or `name.gz` is sent as it is;
/// others are compressed on the way.
pub fn serve(folder: &Path) -> Router {
    let first = ServeFile::new(folder.join("index.html"))
        .precompressed_br()
        .precompressed_gzip();
    let files = ServeDir::new(folder)
        .precompressed_br()
        .precompressed_gzip()
        .fallback(first);
    Router::new()
        .fallback_service(files)
        .layer(middleware::from_fn(keep))
        .layer(CompressionLayer::new())
}

/// Says how long a browser may keep the answer, and that a file which is not there is not the
/// first page: a browser that takes a page for a script shows nothing at all.
async fn keep(request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    if ![Method::GET, Method::HEAD].contains(request.method()) {
        return StatusCode::METHOD_NOT_ALLOWED.into_response();
    }
    let mut answer = next.run(request).await;
    let kind = answer.headers().get(header::CONTENT_TYPE);
    let page = kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    if page && names_a_file(&path) {
        return StatusCode::NOT_FOUND.into_response();
    }
    let keep = match !page && answer.status().is_success() && is_hashed(&path) {
        true => KEEP,
        false => ASK,
    };
    answer.headers_mut().insert(header::CACHE_CONTROL, keep);
    answer.extensions_mut().insert(Foreign);
    answer
}

/// Whether the address is that of a file other than a page.
fn names_a_file(path: &str) -> bool {
    let kind = mime_guess::from_path(path).first();
    kind.is_some_and(|kind| kind.essence_str() != "text/html")
}

/// Whether a build tool has put a digest of the content into the name: `index-B3kPq9_x.js`,
/// `main.8f4c2a91.css`.
fn is_hashed(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    let Some((stem, _)) = name.rsplit_once('.') else {
        return false;
    };
    let alphabet = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let digest = |text: &str| {
        let mixed = text
            .chars()
            .any(|c| c.is_ascii_digit() || c.is_ascii_uppercase());
        text.len() >= 8 && mixed && text.chars().all(alphabet)
    };
    // The digest itself may hold a hyphen, so it is counted from the end.
    let vite = stem.len() > 9 && stem.is_char_boundary(stem.len() - 9);
    let vite = vite && stem[stem.len() - 9..].starts_with('-') && digest(&stem[stem.len() - 8..]);
    vite || stem.rsplit_once('.').is_some_and(|(_, last)| digest(last))
}

#[cfg(test)]
mod tests {
    use super::{is_hashed, names_a_file};

    #[test]
    fn digests_in_names_are_seen() {
        for name in [
            "/assets/index-B3kPq9_x.js",
            "/assets/index-D-kPq9_x.css",
            "/static/main.8f4c2a91.css",
        ] {
            assert!(is_hashed(name), "{name}");
        }
        for name in [
            "/favicon.ico",
            "/manifest.json",
            "/assets/processing-services.js",
            "/assets/photo.min.js",
            "/projects/1",
            "/ü-ääääääää.js",
        ] {
            assert!(!is_hashed(name), "{name}");
        }
    }

    #[test]
    fn pages_are_not_files() {
        assert!(names_a_file("/assets/gone.js"));
        assert!(names_a_file("/images/logo.svg"));
        assert!(!names_a_file("/projects/1/jobs/2"));
        assert!(!names_a_file("/index.html"));
        assert!(!names_a_file("/projects/v1.2"));
    }
}
