//! Forged requests: another site can make a browser send its cookies, but cannot read our pages.
//! So what a cookie vouches for must also show a word from one of our pages, in the field
//! `csrfmiddlewaretoken` or the header `X-CSRFToken`, and must not say that it comes from
//! elsewhere. Requests with a token are never checked: no other site can add that header.

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::header::{CONTENT_TYPE, HOST, ORIGIN};
use axum::http::{HeaderMap, Method};
use files::Links;
use rest::JsonBody;
use url::Url;

/// Name of the field in forms.
pub const FIELD: &str = "csrfmiddlewaretoken";
/// Name of the header.
pub const HEADER: &str = "x-csrftoken";
/// Purpose of the seal.
const PURPOSE: &str = "csrf";

/// What is wrong, in the words of Django REST framework.
pub const ORIGIN_FAILED: &str = "CSRF Failed: Origin checking failed.";
const MISSING: &str = "CSRF Failed: CSRF token missing.";
const INCORRECT: &str = "CSRF Failed: CSRF token incorrect.";

/// The word for the pages that go to the browser with this secret.
pub fn word(links: &Links, secret: &str) -> String {
    links.sealer().seal(PURPOSE, secret)
}

/// Whether requests of this method change nothing.
pub fn harmless(method: &Method) -> bool {
    [Method::GET, Method::HEAD, Method::OPTIONS, Method::TRACE].contains(method)
}

/// Checks a request that the cookie with this secret vouches for. Reads the body where the word
/// can only be there, and hands the request back whole.
pub async fn check(
    links: &Links,
    request: Request,
    secret: &str,
) -> (Request, Result<(), &'static str>) {
    let (request, shown) = shown(request).await;
    let verdict = judge(links, request.headers(), shown.as_deref(), secret);
    (request, verdict)
}

/// Judges by the headers and the word that was shown.
pub fn judge(
    links: &Links,
    headers: &HeaderMap,
    shown: Option<&str>,
    secret: &str,
) -> Result<(), &'static str> {
    if !from_here(links, headers) {
        return Err(ORIGIN_FAILED);
    }
    let shown = shown.ok_or(MISSING)?;
    let holds = links.sealer().holds(PURPOSE, secret, shown);
    if holds { Ok(()) } else { Err(INCORRECT) }
}

/// False where a request says that a page of another site sent it.
fn from_here(links: &Links, headers: &HeaderMap) -> bool {
    let Some(origin) = headers.get(ORIGIN) else {
        return true;
    };
    let Some(origin) = origin.to_str().ok().and_then(|text| Url::parse(text).ok()) else {
        return false; // also "null"
    };
    let own = Url::parse(links.public_url()).is_ok_and(|own| own.origin() == origin.origin());
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let authority = &origin[url::Position::BeforeHost..url::Position::AfterPort];
    own || host.is_some_and(|host| host.eq_ignore_ascii_case(authority))
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    let value = headers.get(name)?;
    value.to_str().ok().map(str::to_owned)
}

async fn shown(request: Request) -> (Request, Option<String>) {
    if let Some(word) = text(request.headers(), HEADER) {
        return (request, Some(word));
    }
    let kind = text(request.headers(), CONTENT_TYPE.as_str()).unwrap_or_default();
    let is_form = ["application/x-www-form-urlencoded", "multipart/form-data"]
        .iter()
        .any(|form| kind.to_ascii_lowercase().starts_with(form));
    if !is_form {
        return (request, None);
    }
    let (parts, body) = request.into_parts();
    // A body that breaks off, also where it becomes larger than the settings allow, holds no word;
    // what comes after refuses it.
    let bytes = to_bytes(body, usize::MAX).await.unwrap_or_default();
    let form = JsonBody::read_shared(Some(&kind), &bytes).ok();
    let word = form.and_then(|form| Some(form.value.get(FIELD)?.as_str()?.to_owned()));
    (Request::from_parts(parts, Body::from(bytes)), word)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use files::Signer;

    fn links() -> Links {
        Links::new(Signer::new([1; 32], "/media"), "https://moths.example.org")
    }

    fn posted(headers: &[(&str, &str)], body: &'static str) -> Request {
        let mut request = Request::post("/logout").header(HOST, "127.0.0.1:8000");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(Body::from(body)).unwrap()
    }

    async fn verdict(headers: &[(&str, &str)], body: &'static str) -> Result<(), &'static str> {
        check(&links(), posted(headers, body), "secret").await.1
    }

    #[tokio::test]
    async fn the_word_may_be_in_the_header_or_in_the_form() {
        let word = word(&links(), "secret");
        assert_eq!(verdict(&[(HEADER, &word)], "").await, Ok(()));
        assert_eq!(verdict(&[], "").await, Err(MISSING));
        let other = super::word(&links(), "other");
        for wrong in ["", "zz", &other] {
            assert_eq!(verdict(&[(HEADER, wrong)], "").await, Err(INCORRECT));
        }
        let body: &'static str = format!("a=1&{FIELD}={word}").leak();
        let form = (
            "content-type",
            "application/x-www-form-urlencoded; charset=utf-8",
        );
        assert_eq!(verdict(&[form], body).await, Ok(()));
        assert_eq!(verdict(&[form], "a=1").await, Err(MISSING));
        assert_eq!(
            verdict(&[("content-type", "text/plain")], body).await,
            Err(MISSING)
        );
        let (request, _) = check(&links(), posted(&[form], body), "secret").await;
        let kept = to_bytes(request.into_body(), 1000).await.unwrap();
        assert_eq!(kept, body.as_bytes(), "the handler reads it too");
    }

    /// How large a form may be is the guard's to say.
    #[tokio::test]
    async fn a_large_form_is_searched_whole() {
        let links = links();
        let body = format!(
            "a={}&{FIELD}={}",
            "x".repeat(101 << 20),
            word(&links, "secret")
        );
        let request = Request::post("/logout").header(HOST, "127.0.0.1:8000");
        let request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        let request = request.body(Body::from(body)).unwrap();
        assert_eq!(check(&links, request, "secret").await.1, Ok(()));
    }

    #[tokio::test]
    async fn other_sites_are_refused_even_with_the_word() {
        let word = word(&links(), "secret");
        for (origin, good) in [
            ("http://127.0.0.1:8000", true),
            ("https://moths.example.org", true),
            ("https://moths.example.org:444", false),
            ("http://127.0.0.1", false),
            ("https://evil.example.org", false),
            ("http://127.0.0.1:8000.evil.example.org", false),
            ("null", false),
            ("", false),
        ] {
            let sent = verdict(&[("origin", origin), (HEADER, &word)], "").await;
            let wanted = if good { Ok(()) } else { Err(ORIGIN_FAILED) };
            assert_eq!(sent, wanted, "{origin}");
        }
    }
}
