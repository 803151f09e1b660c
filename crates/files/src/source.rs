//! A project's storage source as a place to look into: a bucket or a folder of this machine, asked
//! in the same way (`domain-rules.md` §3). The keys of a bucket are unsealed here and go no
//! further.

use std::time::{Duration, Instant};

use bytes::Bytes;
use domain::storage::LOCAL;
use futures_util::{Stream, TryStreamExt};
use store::source::StorageSource;
use url::Url;

use crate::s3::{Bucket, BucketAddress, BucketPages};
use crate::vault::Vault;
use crate::{BucketError, Entry, Files, FilesError, Listing};

/// A storage source that can be asked.
#[derive(Debug)]
pub struct Source(Kind);

#[derive(Debug)]
enum Kind {
    Folder(Files),
    Bucket(Bucket),
}

/// What a look into a source found.
#[derive(Clone, Debug, Default)]
pub struct Look {
    /// Objects that were looked at.
    pub checked: u64,
    /// The first that was wanted.
    pub found: Option<Entry>,
    /// How long the storage took for its first answer.
    pub latency: Duration,
}

/// A listing of a source, read page by page.
pub struct Pages(Open);

enum Open {
    Folder(Listing),
    Bucket(BucketPages),
    /// The folder is not there.
    Nothing,
}

fn error(code: &str, message: &str) -> BucketError {
    BucketError {
        code: code.to_owned(),
        message: message.to_owned(),
    }
}

/// What is wrong with a folder; where it stands is not told.
fn folder_error(error_: FilesError) -> BucketError {
    match error_ {
        FilesError::Denied(_) => error("InvalidPath", "This is no folder within the source."),
        FilesError::NotFound(_) | FilesError::Io(_) => {
            error("NoSuchBucket", "The folder cannot be read.")
        }
    }
}

impl Source {
    /// Makes ready to ask; a bucket is not asked yet.
    ///
    /// # Errors
    /// [`BucketError`] where the folder cannot be read, the address is none, or the keys were
    /// sealed by another installation.
    pub fn open(source: &StorageSource, vault: &Vault) -> Result<Source, BucketError> {
        if source.kind == LOCAL {
            let folder = Files::local(source.bucket.as_ref()).map_err(folder_error)?;
            return Ok(Source(Kind::Folder(folder)));
        }
        let open = |sealed: &str| {
            let words = "The keys were sealed by another installation. Enter them again.";
            vault
                .open(sealed)
                .ok_or_else(|| error("InvalidCredentials", words))
        };
        let bucket = Bucket::open(&BucketAddress {
            endpoint: source.endpoint_url.clone(),
            bucket: source.bucket.clone(),
            region: source.region.clone(),
            access_key: open(&source.access_key)?,
            secret_key: open(&source.secret_key)?,
            session_token: None,
        })?;
        Ok(Source(Kind::Bucket(bucket)))
    }

    /// Below which prefix a station's photographs lie: the source's and the station's folder,
    /// without slashes around them.
    pub fn prefix(source: &StorageSource, subdir: &str) -> String {
        let parts = [source.prefix.as_str(), subdir];
        let parts = parts.map(|part| part.trim_matches('/'));
        let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        parts.join("/")
    }

    /// Begins a listing of what lies below a prefix, after the key `after`. A folder that is not
    /// there holds nothing.
    ///
    /// # Errors
    /// [`BucketError`].
    pub async fn pages(&self, prefix: &str, after: Option<&str>) -> Result<Pages, BucketError> {
        Ok(Pages(match &self.0 {
            Kind::Bucket(bucket) => Open::Bucket(bucket.pages(prefix, after)?),
            Kind::Folder(folder) => match folder.walk(prefix, after).await {
                Ok(listing) => Open::Folder(listing),
                Err(FilesError::NotFound(_)) => Open::Nothing,
                Err(other) => return Err(folder_error(other)),
            },
        }))
    }

    /// Looks at what lies below a prefix, at most so many objects, until one is wanted.
    ///
    /// # Errors
    /// [`BucketError`].
    pub async fn look(
        &self,
        prefix: &str,
        most: u64,
        wanted: impl Fn(&Entry) -> bool,
    ) -> Result<Look, BucketError> {
        let begun = Instant::now();
        let mut look = Look::default();
        let mut pages = self.pages(prefix, None).await?;
        while look.checked < most {
            let page = pages.next(100).await?;
            if look.latency.is_zero() {
                look.latency = begun.elapsed();
            }
            let Some(page) = page else { break };
            let left = usize::try_from(most - look.checked).unwrap_or(usize::MAX);
            for entry in page.into_iter().take(left) {
                look.checked += 1;
                if wanted(&entry) {
                    look.found = Some(entry);
                    return Ok(look);
                }
            }
        }
        Ok(look)
    }

    /// The first bytes of an object, at most so many.
    ///
    /// # Errors
    /// [`BucketError`].
    pub async fn head_of(&self, key: &str, most: u64) -> Result<Bytes, BucketError> {
        match &self.0 {
            Kind::Bucket(bucket) => bucket.head_of(key, most).await,
            Kind::Folder(folder) => {
                let content = folder.get_stream(key, None).await.map_err(folder_error)?;
                first(content.stream.map_err(folder_error), most).await
            }
        }
    }

    /// The whole of an object, of at most so many bytes.
    ///
    /// # Errors
    /// [`BucketError`].
    pub async fn get(&self, key: &str, most: u64) -> Result<Bytes, BucketError> {
        match &self.0 {
            Kind::Bucket(bucket) => bucket.get(key, most).await,
            Kind::Folder(folder) => folder.get_within(key, most).await.map_err(folder_error),
        }
    }

    /// An address under which anybody may fetch an object for a while; none for a folder.
    ///
    /// # Errors
    /// [`BucketError`].
    pub async fn presigned(
        &self,
        key: &str,
        good_for: Duration,
    ) -> Result<Option<Url>, BucketError> {
        match &self.0 {
            Kind::Bucket(bucket) => bucket.presigned(key, good_for).await.map(Some),
            Kind::Folder(_) => Ok(None),
        }
    }
}

/// The first bytes of a stream, at most so many; the rest is not read.
pub(crate) async fn first(
    mut pieces: impl Stream<Item = Result<Bytes, BucketError>> + Unpin,
    most: u64,
) -> Result<Bytes, BucketError> {
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    let mut head = Vec::new();
    while head.len() < most
        && let Some(piece) = pieces.try_next().await?
    {
        head.extend_from_slice(&piece);
    }
    head.truncate(most);
    Ok(head.into())
}

impl Pages {
    /// The next objects, at most so many; `None` when there are no more.
    ///
    /// # Errors
    /// [`BucketError`].
    pub async fn next(&mut self, limit: usize) -> Result<Option<Vec<Entry>>, BucketError> {
        match &mut self.0 {
            Open::Folder(listing) => listing.next(limit).await.map_err(folder_error),
            Open::Bucket(pages) => pages.next(limit).await,
            Open::Nothing => Ok(None),
        }
    }
}
