//! Bytes: where photographs and exports lie, and the signed links under which others fetch them.
//! The idea: a place is asked for by a key (a relative path with slashes), and no key ever leads
//! out of it. Knows nothing of insects or jobs; may depend on `domain` and `store`.
//! [`Files`] is the interface; its one implementation so far is a local folder.

mod key;
mod link;
mod local;

use std::path::Path;

use bytes::Bytes;
use chrono::{DateTime, Utc};

pub use key::{load_or_create_key, parse_key};
pub use link::{LinkError, Links, Signer};

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

/// A file in a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its key.
    pub key: String,
    /// Bytes.
    pub size: u64,
    /// When it was written.
    pub last_modified: DateTime<Utc>,
}

/// A place for files. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Files(local::LocalFolder);

impl Files {
    /// The files below a folder.
    ///
    /// # Errors
    /// [`FilesError::Io`] where the folder cannot be read.
    pub fn local(folder: &Path) -> FilesResult<Files> {
        Ok(Files(local::LocalFolder::open(folder)?))
    }

    /// The content of a file.
    ///
    /// # Errors
    /// [`FilesError`].
    pub async fn get(&self, key: &str) -> FilesResult<Bytes> {
        self.0.get(key).await
    }

    /// Size and time of a file.
    ///
    /// # Errors
    /// [`FilesError`].
    pub async fn head(&self, key: &str) -> FilesResult<Entry> {
        self.0.head(key).await
    }

    /// Writes a file, wholly or not at all.
    ///
    /// # Errors
    /// [`FilesError`].
    pub async fn put(&self, key: &str, content: Bytes) -> FilesResult<()> {
        self.0.put(key, content).await
    }

    /// Deletes a file; one that is not there is no error.
    ///
    /// # Errors
    /// [`FilesError`].
    pub async fn delete(&self, key: &str) -> FilesResult<()> {
        self.0.delete(key).await
    }

    /// The next `limit` files below `prefix` (a folder, or empty) in the order of their keys,
    /// after the key `after`. Hidden files and folders are left out.
    ///
    /// # Errors
    /// [`FilesError::Io`] names a folder that cannot be read.
    pub async fn list(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> FilesResult<Vec<Entry>> {
        self.0.list(prefix, after, limit).await
    }
}
