//! Bytes: where photographs and exports lie, and the signed links under which others fetch them.
//! The idea: a place is asked for by a key (a relative path with slashes), and no key ever leads
//! out of it. Knows nothing of insects or jobs; may depend on `domain` and `store`.
//! [`Files`] is the interface; each kind of place is one file beside it and one line in `Place`.

mod key;
mod link;
mod local;
mod pattern;
mod photograph;
pub mod picture;
mod s3;
mod seal;
mod source;
mod unfinished;
mod vault;
mod walk;

use std::ops::Range;
use std::path::Path;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures_util::stream::BoxStream;

pub use key::{fingerprint, load_or_create_key, parse_key};
pub use link::{LinkError, Links, Signer};
pub use pattern::Pattern;
pub use photograph::Photographs;
pub use s3::BucketError;
pub use seal::Sealer;
pub use source::{Look, Pages, Source};
pub use unfinished::Unfinished;
pub use vault::Vault;

/// What can go wrong with files.
#[derive(Debug, thiserror::Error)]
pub enum FilesError {
    /// There is no such file.
    #[error("there is no file {0:?}")]
    NotFound(String),
    /// The key would lead out of the place, or is none.
    #[error("{0:?} is not a path within this storage")]
    Denied(String),
    /// The storage itself.
    #[error("{0}")]
    Io(String),
}

/// Result of file operations.
pub type FilesResult<T> = Result<T, FilesError>;

/// What is known of a file without reading it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its key.
    pub key: String,
    /// Bytes.
    pub size: u64,
    /// When it was written.
    pub last_modified: DateTime<Utc>,
    /// Changes with the content; not known in listings of a local folder.
    pub etag: Option<String>,
}

/// A file that is being read.
pub struct Content {
    /// The file.
    pub entry: Entry,
    /// The bytes of it that are read: cut at the file's end.
    pub range: Range<u64>,
    /// The bytes, piece by piece.
    pub stream: BoxStream<'static, FilesResult<Bytes>>,
}

/// The kinds of places.
#[derive(Clone, Debug)]
enum Place {
    Local(local::LocalFolder),
}

/// A place for files. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Files(Place);

impl Files {
    /// The files below a folder, which may be read-only as long as nothing is put.
    ///
    /// # Errors
    /// [`FilesError::Io`] where the folder cannot be read.
    pub fn local(folder: &Path) -> FilesResult<Files> {
        Ok(Files(Place::Local(local::LocalFolder::open(folder)?)))
    }

    /// The content of a file.
    ///
    /// # Errors
    /// [`FilesError`].
    pub async fn get(&self, key: &str) -> FilesResult<Bytes> {
        match &self.0 {
            Place::Local(folder) => folder.get(key).await,
        }
    }

    /// The content of a file, or a range of its bytes, piece by piece.
    ///
    /// # Errors
    /// [`FilesError`]; [`FilesError::Io`] where the range is empty or begins behind the end.
    pub async fn get_stream(&self, key: &str, range: Option<Range<u64>>) -> FilesResult<Content> {
        match &self.0 {
            Place::Local(folder) => folder.get_stream(key, range).await,
        }
    }

    /// Size, time and tag of a file.
    ///
    /// # Errors
    /// [`FilesError`].
    pub async fn head(&self, key: &str) -> FilesResult<Entry> {
        match &self.0 {
            Place::Local(folder) => folder.head(key).await,
        }
    }

    /// Whether there is such a file.
    ///
    /// # Errors
    /// [`FilesError::Denied`] and [`FilesError::Io`].
    pub async fn exists(&self, key: &str) -> FilesResult<bool> {
        match self.head(key).await {
            Ok(_) => Ok(true),
            Err(FilesError::NotFound(_)) => Ok(false),
            Err(other) => Err(other),
        }
    }

    /// Writes a file, wholly or not at all.
    ///
    /// # Errors
    /// [`FilesError`].
    pub async fn put(&self, key: &str, content: Bytes) -> FilesResult<()> {
        match &self.0 {
            Place::Local(folder) => folder.put(key, content).await,
        }
    }

    /// Begins a file that is written piece by piece, by the writer with this number. What an
    /// earlier writer left of it goes away.
    ///
    /// # Errors
    /// [`FilesError`].
    pub async fn begin(&self, key: &str, writer: i64) -> FilesResult<Unfinished> {
        match &self.0 {
            Place::Local(folder) => folder.begin(key, writer).await,
        }
    }

    /// Deletes a file; one that is not there is no error.
    ///
    /// # Errors
    /// [`FilesError`].
    pub async fn delete(&self, key: &str) -> FilesResult<()> {
        match &self.0 {
            Place::Local(folder) => folder.delete(key).await,
        }
    }

    /// The next `limit` files below `prefix` (a folder, or empty) in the order of their keys,
    /// after the key `after`. Hidden files and folders are left out, and so are links to folders
    /// and names that cannot be a key (not Unicode, or with a backslash).
    ///
    /// Reads every folder on the way again; [`Files::walk`] goes through many pages at less cost.
    ///
    /// # Errors
    /// [`FilesError::Io`] names a folder that cannot be read.
    pub async fn list(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> FilesResult<Vec<Entry>> {
        let mut listing = self.walk(prefix, after).await?;
        Ok(listing.next(limit).await?.unwrap_or_default())
    }

    /// Begins the listing that [`Files::list`] describes, to be read page by page. It keeps the
    /// names of the folders between the prefix and the current file in memory, nothing else.
    ///
    /// # Errors
    /// [`FilesError::Denied`], or [`FilesError::NotFound`] where there is no such folder.
    pub async fn walk(&self, prefix: &str, after: Option<&str>) -> FilesResult<Listing> {
        match &self.0 {
            Place::Local(folder) => Ok(Listing(Some(folder.walk(prefix, after).await?))),
        }
    }
}

/// A listing in progress. `None` inside: it is over.
#[derive(Debug)]
pub struct Listing(Option<walk::Walk>);

impl Listing {
    /// The next files, at most `limit`; `None` when there are no more. After an error the
    /// listing is over.
    ///
    /// # Errors
    /// [`FilesError::Io`] names a folder that cannot be read.
    pub async fn next(&mut self, limit: usize) -> FilesResult<Option<Vec<Entry>>> {
        let Some(mut walk) = self.0.take() else {
            return Ok(None);
        };
        let page = tokio::task::spawn_blocking(move || (walk.page(limit), walk));
        let (page, walk) = page.await.map_err(|e| FilesError::Io(e.to_string()))?;
        let page = page?;
        if page.is_empty() && limit > 0 {
            return Ok(None);
        }
        self.0 = Some(walk);
        Ok(Some(page))
    }
}
