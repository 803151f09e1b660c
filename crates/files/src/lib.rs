//! Bytes: where photographs and exports lie, and the signed links under which others fetch them.
//! The idea: a place is asked for by a key (a relative path with slashes), and no key ever leads
//! out of it. Knows nothing of insects or jobs; may depend on `domain` and `store`.
//! [`Files`] is the interface; what a kind of place must do stands in `place`, beside their folder.

mod guarded;
mod home;
mod key;
mod link;
mod moved;
mod pattern;
mod photograph;
pub mod picture;
mod place;
mod s3;
mod seal;
mod source;
mod vault;

#[cfg(test)]
mod tests;

use std::fs::File;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures_util::stream::BoxStream;
use futures_util::{Stream, StreamExt};

use place::local::LocalFolder;
use place::{Growing, Place, Walking};

pub use home::{BucketHome, Home, Keys, NoHome};
pub use key::{fingerprint, load_key, load_or_create_key, parse_key};
pub use link::{LinkError, Links, Signer};
pub use moved::Moved;
pub use pattern::Pattern;
pub use photograph::{MAX_FETCH, Photographs};
pub use s3::BucketError;
pub use seal::Sealer;
pub use source::{Look, Pages, Source};
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

/// Room on a disk, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// What the program may still use of it.
    pub free: u64,
    /// All of it.
    pub total: u64,
}

/// A place for files. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Files(Arc<dyn Place>);

impl Files {
    /// The files below a folder, which may be read-only as long as nothing is put. The server's own
    /// files are opened by [`Home::open`].
    ///
    /// # Errors
    /// [`FilesError::Io`] where the folder cannot be read.
    pub fn local(folder: &Path) -> FilesResult<Files> {
        Ok(Files::of(LocalFolder::open(folder)?))
    }

    fn of(place: impl Place + 'static) -> Files {
        Files(Arc::new(place))
    }

    /// Whether files can be put and deleted here.
    ///
    /// # Errors
    /// [`FilesError::Io`] with a sentence that says what is wrong.
    pub async fn check(&self) -> FilesResult<()> {
        self.0.check().await
    }

    /// How much room there is for files, where they are on a disk.
    pub async fn room(&self) -> Option<Room> {
        self.0.room().await
    }

    /// The content of a file.
    ///
    /// # Errors
    /// [`FilesError`].
    pub async fn get(&self, key: &str) -> FilesResult<Bytes> {
        self.0.get(key).await
    }

    /// The content of a file of at most so many bytes.
    ///
    /// # Errors
    /// [`FilesError`]; [`FilesError::Io`] where it has more, of which nothing is read.
    pub async fn get_within(&self, key: &str, most: u64) -> FilesResult<Bytes> {
        if self.head(key).await?.size > most {
            let most = most >> 20;
            return Err(FilesError::Io(format!("it has more than {most} MiB")));
        }
        self.get(key).await
    }

    /// The content of a file, or a range of its bytes, piece by piece.
    ///
    /// # Errors
    /// [`FilesError`]; [`FilesError::Io`] where the range is empty or begins behind the end.
    pub async fn get_stream(&self, key: &str, range: Option<Range<u64>>) -> FilesResult<Content> {
        self.0.get_stream(key, range).await
    }

    /// Size, time and tag of a file.
    ///
    /// # Errors
    /// [`FilesError`].
    pub async fn head(&self, key: &str) -> FilesResult<Entry> {
        self.0.head(key).await
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
        self.0.put(key, content).await
    }

    /// Writes a file of any size as its bytes come, wholly or not at all; its size. What has come
    /// of it is never all in memory.
    ///
    /// # Errors
    /// [`FilesError`], above all that of the stream.
    pub async fn put_stream(
        &self,
        key: &str,
        content: impl Stream<Item = FilesResult<Bytes>> + Send + 'static,
    ) -> FilesResult<u64> {
        self.0.put_stream(key, content.boxed()).await
    }

    /// Begins a file that is written piece by piece, by the writer with this number. What an
    /// earlier writer left of it goes away.
    ///
    /// # Errors
    /// [`FilesError`].
    pub async fn begin(&self, key: &str, writer: i64) -> FilesResult<Unfinished> {
        Ok(Unfinished(self.0.begin(key, writer).await?))
    }

    /// Deletes a file; one that is not there is no error.
    ///
    /// # Errors
    /// [`FilesError`].
    pub async fn delete(&self, key: &str) -> FilesResult<()> {
        self.0.delete(key).await
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
    /// [`FilesError::Denied`], or [`FilesError::NotFound`] where there is no such folder; a bucket
    /// knows no folders and lists nothing then.
    pub async fn walk(&self, prefix: &str, after: Option<&str>) -> FilesResult<Listing> {
        Ok(Listing(Some(self.0.walk(prefix, after).await?)))
    }
}

/// A listing in progress. `None` inside: it is over.
#[derive(Debug)]
pub struct Listing(Option<Box<dyn Walking>>);

impl Listing {
    /// The next files, at most `limit`; `None` when there are no more. After an error the
    /// listing is over.
    ///
    /// # Errors
    /// [`FilesError::Io`] names a folder that cannot be read.
    pub async fn next(&mut self, limit: usize) -> FilesResult<Option<Vec<Entry>>> {
        let Some(mut walking) = self.0.take() else {
            return Ok(None);
        };
        let page = walking.page(limit).await?;
        if page.is_empty() && limit > 0 {
            return Ok(None);
        }
        self.0 = Some(walking);
        Ok(Some(page))
    }
}

/// A file that is not yet there. Dropped before [`Unfinished::keep`], it never will be. Until then
/// it grows on this machine, so whoever writes it may move about in it.
#[derive(Debug)]
pub struct Unfinished(Box<dyn Growing>);

impl Unfinished {
    /// The file, to be written from its beginning.
    ///
    /// # Errors
    /// [`FilesError::Io`], in a folder above all where another writer has begun the same file since.
    pub fn open(&self) -> FilesResult<File> {
        self.0.open()
    }

    /// A folder of this machine for what is needed on the way.
    pub fn folder(&self) -> &Path {
        self.0.folder()
    }

    /// Puts the file in its place, instead of one that was there; its size in bytes.
    ///
    /// # Errors
    /// [`FilesError::Io`], above all where another writer has begun the same file since.
    pub async fn keep(self) -> FilesResult<u64> {
        self.0.keep().await
    }
}
