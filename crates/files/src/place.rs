//! What a place for files can do, whatever it is made of: one trait, one file per kind of place in
//! `place/`, and one conformance suite (`tests/conformance`) that all of them pass. Keys are checked
//! here, in the same way for all, so that what one place takes another one takes too.

use std::fmt::Debug;
use std::fs::File;
use std::ops::Range;
use std::path::Path;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::BoxStream;
use object_store::path;

use crate::{Content, Entry, FilesError, FilesResult, Room};

pub(crate) mod bucket;
pub(crate) mod local;

/// Content that is still coming.
pub(crate) type Pieces = BoxStream<'static, FilesResult<Bytes>>;

/// A kind of place. What is promised stands at the methods of [`crate::Files`].
#[async_trait]
pub(crate) trait Place: Debug + Send + Sync {
    async fn get(&self, key: &str) -> FilesResult<Bytes>;
    async fn get_stream(&self, key: &str, range: Option<Range<u64>>) -> FilesResult<Content>;
    async fn head(&self, key: &str) -> FilesResult<Entry>;
    async fn put(&self, key: &str, content: Bytes) -> FilesResult<()>;
    async fn put_stream(&self, key: &str, content: Pieces) -> FilesResult<u64>;
    async fn begin(&self, key: &str, writer: i64) -> FilesResult<Box<dyn Growing>>;
    async fn delete(&self, key: &str) -> FilesResult<()>;
    async fn walk(&self, prefix: &str, after: Option<&str>) -> FilesResult<Box<dyn Walking>>;
    /// Whether files can be put and deleted here.
    async fn check(&self) -> FilesResult<()>;
    /// How much room there is, where the place says.
    async fn room(&self) -> Option<Room> {
        None
    }
}

/// A listing in progress.
#[async_trait]
pub(crate) trait Walking: Debug + Send {
    /// The next files, at most so many; none when it is over.
    async fn page(&mut self, limit: usize) -> FilesResult<Vec<Entry>>;
}

/// A file that is being written; see [`crate::Unfinished`].
#[async_trait]
pub(crate) trait Growing: Debug + Send + Sync {
    fn open(&self) -> FilesResult<File>;
    fn folder(&self) -> &Path;
    async fn keep(self: Box<Self>) -> FilesResult<u64>;
}

/// Where files grow, below the root: hidden, so no listing shows them.
const UNFINISHED: &str = ".unfinished";

/// A key as a path of the store: relative, without "." and "..", without empty parts. Folders keep
/// names that end in "#" and digits for files that are being put.
pub(crate) fn sound(key: &str) -> FilesResult<path::Path> {
    let denied = || FilesError::Denied(key.to_owned());
    let bad = |part: &str| part.is_empty() || part == "." || part == "..";
    let kept = |(_, end): (&str, &str)| !end.is_empty() && end.bytes().all(|b| b.is_ascii_digit());
    let name = key.rsplit('/').next().unwrap_or(key);
    if key.split('/').any(bad)
        || key.contains(['\\', '\0'])
        || name.split_once('#').is_some_and(kept)
    {
        return Err(denied());
    }
    path::Path::parse(key).map_err(|_| denied())
}

/// What is said of a key by the store, under the key's own name.
fn entry(key: &str, meta: object_store::ObjectMeta) -> Entry {
    Entry {
        key: key.to_owned(),
        size: meta.size,
        last_modified: meta.last_modified,
        etag: meta.e_tag,
    }
}

/// One name for a key that is to stand within a name, and no other key's.
fn flat(key: &str) -> String {
    let plain = key.replace('%', "%25").replace('+', "%2B");
    plain.replace('/', "+")
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::flat;

    #[test]
    fn no_two_keys_have_one_name() {
        let keys = [
            "a/b", "a+b", "a%b", "a%2Bb", "a%25b", "a/+b", "a+/b", "a%/b", "a/%2B",
        ];
        let names: HashSet<String> = keys.into_iter().map(flat).collect();
        assert_eq!(names.len(), keys.len(), "{names:?}");
        assert!(names.iter().all(|name| !name.contains('/')));
        assert_eq!(flat("exports/a 1.zip"), "exports+a 1.zip");
    }
}
