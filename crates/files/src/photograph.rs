//! The bytes of a photograph, wherever it lies: below a folder, in a bucket, among the files that
//! the server keeps, or at an address. Whoever put it there, no more than a bounded number of
//! bytes is read.

use std::path::Path;
use std::sync::LazyLock;
use std::time::Duration;

use bytes::Bytes;
use domain::storage::Location;
use outgoing::{Client, Redirects, Refused};
use store::Store;

use crate::{Files, FilesError, FilesResult, Source, Vault};

/// Largest photograph that is read, in bytes.
pub const MAX_FETCH: u64 = 100 * 1024 * 1024;

static CLIENT: LazyLock<Option<Client>> = LazyLock::new(|| {
    let builder = reqwest::Client::builder()
        .connect_timeout(Duration::from_secs(5))
        .timeout(Duration::from_secs(30));
    Client::new(builder, Redirects::Follow).ok()
});

/// Reads photographs.
#[derive(Clone, Debug)]
pub struct Photographs {
    /// Knows the sources.
    pub store: Store,
    /// Opens their keys.
    pub vault: Vault,
    /// The files that the server itself keeps.
    pub kept: Files,
}

impl Photographs {
    /// The photograph at this place.
    ///
    /// # Errors
    /// [`FilesError`].
    pub async fn read(&self, place: &Location) -> FilesResult<Bytes> {
        match place {
            Location::Folder { root, key, .. } => {
                let folder = Files::local(Path::new(root))?;
                folder.get_within(key, MAX_FETCH).await
            }
            Location::Bucket { source, key } => self.in_bucket(*source, key).await,
            Location::Kept { key, .. } => self.kept.get_within(key, MAX_FETCH).await,
            Location::Web { url } => fetch(url).await.map_err(FilesError::Io),
        }
    }

    async fn in_bucket(&self, source: i64, key: &str) -> FilesResult<Bytes> {
        let failed = |why: String| FilesError::Io(why);
        let source = self.store.source(source).await;
        let source = source.map_err(|error| failed(error.to_string()))?;
        let bucket = Source::open(&source, &self.vault);
        let bucket = bucket.map_err(|error| failed(error.to_string()))?;
        let read = bucket.get(key, MAX_FETCH).await;
        read.map_err(|error| failed(error.to_string()))
    }
}

async fn fetch(url: &str) -> Result<Bytes, String> {
    let client = CLIENT.as_ref().ok_or("there is no HTTP client")?;
    let without_url = |error: reqwest::Error| match Refused::behind(&error) {
        Some(refused) => refused.to_string(),
        None => error.without_url().to_string(),
    };
    let call = client.get(url).map_err(|refused| refused.to_string())?;
    let mut answer = call.send().await.map_err(without_url)?;
    if !answer.status().is_success() {
        return Err(format!("the storage answers {}", answer.status()));
    }
    let mut bytes = Vec::new();
    loop {
        match answer.chunk().await.map_err(without_url)? {
            None => return Ok(bytes.into()),
            Some(piece) if (bytes.len() + piece.len()) as u64 > MAX_FETCH => {
                return Err("it is too large".to_owned());
            }
            Some(piece) => bytes.extend_from_slice(&piece),
        }
    }
}
