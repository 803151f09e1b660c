//! The bytes of a photograph, wherever it lies: below a folder, among the files that the server
//! keeps, or at an address, from which no more than a bounded answer is read.

use std::path::Path;
use std::sync::LazyLock;
use std::time::Duration;

use bytes::Bytes;
use domain::storage::Location;

use crate::{Files, FilesError, FilesResult};

/// Largest photograph that is fetched from an address, in bytes.
const MAX_FETCH: usize = 100 * 1024 * 1024;

static CLIENT: LazyLock<Option<reqwest::Client>> = LazyLock::new(|| {
    let builder = reqwest::Client::builder()
        .connect_timeout(Duration::from_secs(5))
        .timeout(Duration::from_secs(30));
    builder.build().ok()
});

/// The photograph at this place; `kept` are the files that the server itself keeps. One of a bucket
/// is not read here, where nobody has its keys: ask [`crate::Source`], or for its link.
///
/// # Errors
/// [`FilesError`].
pub async fn read(kept: &Files, place: &Location) -> FilesResult<Bytes> {
    match place {
        Location::Folder { root, key, .. } => Files::local(Path::new(root))?.get(key).await,
        Location::Kept { key, .. } => kept.get(key).await,
        Location::Bucket { key, .. } => Err(FilesError::Denied(key.clone())),
        Location::Web { url } => fetch(url).await.map_err(FilesError::Io),
    }
}

async fn fetch(url: &str) -> Result<Bytes, String> {
    let client = CLIENT.as_ref().ok_or("there is no HTTP client")?;
    let without_url = |error: reqwest::Error| error.without_url().to_string();
    let mut answer = client.get(url).send().await.map_err(without_url)?;
    if !answer.status().is_success() {
        return Err(format!("the storage answers {}", answer.status()));
    }
    let mut bytes = Vec::new();
    loop {
        match answer.chunk().await.map_err(without_url)? {
            None => return Ok(bytes.into()),
            Some(piece) if bytes.len() + piece.len() > MAX_FETCH => {
                return Err("it is too large".to_owned());
            }
            Some(piece) => bytes.extend_from_slice(&piece),
        }
    }
}
