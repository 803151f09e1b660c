//! Fetching photographs: by HTTP only, within a bounded time and memory.
//! The idea: every way in which it can fail is a reason in words, for the one picture.

use std::time::Duration;

use futures_util::StreamExt;
use outgoing::{Client, Redirects, Refused};

/// Largest photograph that is fetched, in bytes.
const MAX_PHOTOGRAPH: usize = 100 * 1024 * 1024;
/// Longest wait for a photograph, from the first byte sent to the last received.
const WAIT: Duration = Duration::from_secs(30);

/// The client with which photographs are fetched.
///
/// # Errors
/// Where no TLS set-up is possible.
pub(super) fn client() -> Result<Client, reqwest::Error> {
    // Without a provider the client's builder panics. The program installs one at its start;
    // who uses this crate alone gets the same one. It is an error only if there is one already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = reqwest::Client::builder()
        .timeout(WAIT)
        .user_agent(concat!("hawkmoth-detector/", env!("CARGO_PKG_VERSION")));
    Client::new(builder, Redirects::Follow)
}

/// The bytes at this address, or why they cannot be had.
pub(super) async fn fetch(http: &Client, url: &str) -> Result<Vec<u8>, String> {
    let url = reqwest::Url::parse(url).map_err(|_| format!("{url:?} is no address"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(format!(
            "addresses of the kind {:?} are not fetched",
            url.scheme()
        ));
    }
    let failed = |e: reqwest::Error| match Refused::behind(&e) {
        Some(refused) => format!("cannot be fetched: {refused}"),
        None => format!("cannot be fetched: {}", e.without_url()),
    };
    let call = http.get(url.as_str());
    let call = call.map_err(|refused| format!("cannot be fetched: {refused}"))?;
    let answer = call.send().await.map_err(failed)?;
    if !answer.status().is_success() {
        return Err(format!(
            "cannot be fetched: HTTP {}",
            answer.status().as_u16()
        ));
    }
    let mut bytes = Vec::new();
    let mut chunks = answer.bytes_stream();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(failed)?;
        if bytes.len() + chunk.len() > MAX_PHOTOGRAPH {
            return Err(format!("is larger than {} MiB", MAX_PHOTOGRAPH >> 20));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}
