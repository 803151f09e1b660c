//! What a page says once after something was done: kept in a cookie from the answer that sends the
//! browser on to the page that shows it, so no address carries words that others could write.

use axum::http::header::{LOCATION, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use files::Links;
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use crate::auth::cookie;

/// Name of the cookie.
const SAID: &str = "hawkmoth_said";
/// How long it waits for the page, in seconds.
const LIFETIME: i64 = 60;
/// The most that is said, in bytes.
const MOST: usize = 600;

/// Sends the browser on to a page of this server, where these words are shown once.
pub fn go(links: &Links, path: &str, words: &str) -> Response {
    let mut answer = on_to(path);
    let end = (0..=words.len().min(MOST))
        .rev()
        .find(|at| words.is_char_boundary(*at));
    let words = &words[..end.unwrap_or_default()];
    let kept = utf8_percent_encode(words, NON_ALPHANUMERIC).to_string();
    let cookie = cookie::set(links, SAID, &kept, LIFETIME);
    answer.headers_mut().append(SET_COOKIE, cookie);
    answer
}

/// Sends the browser on to a page of this server.
pub fn on_to(path: &str) -> Response {
    let mut answer = StatusCode::SEE_OTHER.into_response();
    if let Ok(path) = HeaderValue::from_str(path) {
        answer.headers_mut().insert(LOCATION, path);
    }
    answer
}

/// What is to be said on the page that is asked for.
pub fn heard(headers: &HeaderMap, links: &Links) -> Option<String> {
    let kept = cookie::read(headers, links, SAID)?;
    let words = percent_decode_str(&kept).decode_utf8_lossy().into_owned();
    Some(words).filter(|words| !words.is_empty())
}

/// The header that has it said no more.
pub fn forgotten(links: &Links) -> HeaderValue {
    cookie::set(links, SAID, "", 0)
}
