//! A folder of this machine. Reading and writing go through `object_store`, which puts files in
//! place by a rename; what it does not look at, links that lead out of the folder, is refused here.

use std::io::ErrorKind;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt};
use object_store::local::LocalFileSystem;
use object_store::{GetOptions, GetRange, ObjectStore, ObjectStoreExt, path};
use tokio::io::AsyncWriteExt;

use super::{Growing, Pieces, Place, Walking, entry, sound};
use crate::{Content, Entry, FilesError, FilesResult, Room};
use growing::Hidden;
use walk::Walk;

mod growing;
mod walk;

#[derive(Clone, Debug)]
pub(crate) struct LocalFolder {
    root: Arc<PathBuf>,
    store: Arc<LocalFileSystem>,
}

impl LocalFolder {
    pub(crate) fn open(folder: &Path) -> FilesResult<LocalFolder> {
        let root = folder
            .canonicalize()
            .map_err(|e| FilesError::Io(format!("cannot read {}: {e}", folder.display())))?;
        let store = LocalFileSystem::new_with_prefix(&root)
            .map_err(|e| FilesError::Io(e.to_string()))?
            .with_automatic_cleanup(false);
        Ok(LocalFolder {
            root: Arc::new(root),
            store: Arc::new(store),
        })
    }

    /// The key's path, when what it names really lies below the root.
    async fn inside(&self, key: &str) -> FilesResult<path::Path> {
        let at = sound(key)?;
        let (root, full) = (self.root.clone(), self.root.join(key));
        let real = tokio::task::spawn_blocking(move || full.canonicalize())
            .await
            .map_err(|e| FilesError::Io(e.to_string()))?;
        match real {
            Ok(real) if real.starts_with(&*root) => Ok(at),
            Ok(_) => Err(FilesError::Denied(key.to_owned())),
            Err(error) if is_missing(&error) => Err(FilesError::NotFound(key.to_owned())),
            Err(error) => Err(FilesError::Io(format!("{key:?}: {error}"))),
        }
    }

    /// Refuses a key to be written whose folder, as far as it exists, is a link out of the root.
    async fn stays_inside(&self, key: &str) -> FilesResult<()> {
        let (root, full) = (self.root.clone(), self.root.join(key));
        let inside = tokio::task::spawn_blocking(move || {
            let mut folders = full.ancestors().skip(1);
            let real = folders.find_map(|folder| folder.canonicalize().ok());
            real.is_some_and(|real| real.starts_with(&*root))
        });
        match inside.await {
            Ok(true) => Ok(()),
            Ok(false) => Err(FilesError::Denied(key.to_owned())),
            Err(error) => Err(FilesError::Io(error.to_string())),
        }
    }

    /// Begins a file for the writer with this number.
    async fn hide(&self, key: &str, writer: i64) -> FilesResult<Hidden> {
        sound(key)?;
        self.stays_inside(key).await?;
        let (root, key) = (self.root.clone(), key.to_owned());
        tokio::task::spawn_blocking(move || Hidden::begin(&root, &key, writer))
            .await
            .map_err(|e| FilesError::Io(e.to_string()))?
    }
}

#[async_trait]
impl Place for LocalFolder {
    async fn get(&self, key: &str) -> FilesResult<Bytes> {
        let at = self.inside(key).await?;
        let found = self.store.get(&at).await.map_err(|e| explain(key, &e))?;
        found.bytes().await.map_err(|e| explain(key, &e))
    }

    async fn get_stream(&self, key: &str, range: Option<Range<u64>>) -> FilesResult<Content> {
        let at = self.inside(key).await?;
        let options = GetOptions::new().with_range(range.map(GetRange::Bounded));
        let found = self.store.get_opts(&at, options).await;
        let found = found.map_err(|e| explain(key, &e))?;
        let (entry, range) = (entry(key, found.meta.clone()), found.range.clone());
        let key = key.to_owned();
        let stream = found.into_stream();
        Ok(Content {
            entry,
            range,
            stream: stream
                .map(move |piece| piece.map_err(|e| explain(&key, &e)))
                .boxed(),
        })
    }

    async fn head(&self, key: &str) -> FilesResult<Entry> {
        let at = self.inside(key).await?;
        let meta = self.store.head(&at).await.map_err(|e| explain(key, &e))?;
        Ok(entry(key, meta))
    }

    async fn put(&self, key: &str, content: Bytes) -> FilesResult<()> {
        let at = sound(key)?;
        self.stays_inside(key).await?;
        let done = self.store.put(&at, content.into()).await;
        done.map(|_| ()).map_err(|e| explain(key, &e))
    }

    async fn put_stream(&self, key: &str, mut content: Pieces) -> FilesResult<u64> {
        let failed = |e: std::io::Error| FilesError::Io(format!("{key:?} cannot be written: {e}"));
        // Any number that no other writer has.
        let hidden = self.hide(key, rand::random()).await?;
        let mut file = tokio::fs::File::from_std(hidden.open()?);
        while let Some(piece) = content.try_next().await? {
            file.write_all(&piece).await.map_err(failed)?;
        }
        file.flush().await.map_err(failed)?;
        Box::new(hidden).keep().await
    }

    async fn begin(&self, key: &str, writer: i64) -> FilesResult<Box<dyn Growing>> {
        Ok(Box::new(self.hide(key, writer).await?))
    }

    async fn delete(&self, key: &str) -> FilesResult<()> {
        let at = self.inside(key).await;
        match at {
            Err(FilesError::NotFound(_)) => Ok(()),
            other => match self.store.delete(&other?).await {
                Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
                Err(error) => Err(explain(key, &error)),
            },
        }
    }

    async fn walk(&self, prefix: &str, after: Option<&str>) -> FilesResult<Box<dyn Walking>> {
        let prefix = prefix.strip_suffix('/').unwrap_or(prefix);
        if !prefix.is_empty() {
            self.inside(prefix).await?;
        }
        let walk = Walk::new(self.root.clone(), prefix, after);
        Ok(Box::new(Steps(Some(walk))))
    }

    async fn check(&self) -> FilesResult<()> {
        let key = format!("{}/start.{:016x}", super::UNFINISHED, rand::random::<u64>());
        self.put(&key, Bytes::new()).await?;
        self.delete(&key).await
    }

    async fn room(&self) -> Option<Room> {
        let root = self.root.clone();
        let found = tokio::task::spawn_blocking(move || rustix::fs::statvfs(&*root));
        let found = found.await.ok()?.ok()?;
        Some(Room {
            free: found.f_bavail.saturating_mul(found.f_frsize),
            total: found.f_blocks.saturating_mul(found.f_frsize),
        })
    }
}

/// A walk through a folder, one page at a time beside the tasks that must not wait. After an error
/// it is over.
#[derive(Debug)]
struct Steps(Option<Walk>);

#[async_trait]
impl Walking for Steps {
    async fn page(&mut self, limit: usize) -> FilesResult<Vec<Entry>> {
        let Some(mut walk) = self.0.take() else {
            return Ok(Vec::new());
        };
        let page = tokio::task::spawn_blocking(move || (walk.page(limit), walk));
        let (page, walk) = page.await.map_err(|e| FilesError::Io(e.to_string()))?;
        let page = page?;
        self.0 = Some(walk);
        Ok(page)
    }
}

fn is_missing(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

fn explain(key: &str, error: &object_store::Error) -> FilesError {
    match error {
        object_store::Error::NotFound { .. } => FilesError::NotFound(key.to_owned()),
        other => FilesError::Io(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use crate::Files;
    use futures_util::TryStreamExt;

    fn folder() -> (tempfile::TempDir, Files) {
        let dir = tempfile::tempdir().unwrap();
        for name in ["b.jpg", "a/1.jpg", "c/d/e ü%.jpg"] {
            let path = dir.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, name).unwrap();
        }
        let files = Files::local(dir.path()).unwrap();
        (dir, files)
    }

    #[tokio::test]
    async fn nothing_leads_out_of_the_folder() {
        let (dir, files) = folder();
        let secret = tempfile::tempdir().unwrap();
        std::fs::write(secret.path().join("key"), "secret").unwrap();
        #[cfg(unix)]
        std::os::unix::fs::symlink(secret.path(), dir.path().join("link")).unwrap();
        for key in [
            "../x",
            "/etc/passwd",
            "a/../../x",
            "a/../b.jpg",
            "link/key",
            "",
            "/",
            "a//1.jpg",
            "./b.jpg",
            "b.jpg/",
            "a\\1.jpg",
            "b.jpg\0",
        ] {
            let denied = |done: FilesResult<()>| matches!(done, Err(FilesError::Denied(_)));
            assert!(denied(files.get(key).await.map(drop)), "get {key:?}");
            assert!(denied(files.head(key).await.map(drop)), "head {key:?}");
            assert!(denied(files.put(key, Bytes::new()).await), "put {key:?}");
            assert!(denied(files.delete(key).await), "delete {key:?}");
        }
        let put = files.put("link/deeper/new", Bytes::new()).await;
        assert!(matches!(put, Err(FilesError::Denied(_))));
        let left = std::fs::read_dir(secret.path()).unwrap().count();
        assert_eq!(left, 1, "nothing was written outside");
        assert!(secret.path().join("key").exists());
    }

    #[tokio::test]
    async fn what_is_put_can_be_had_and_deleted() {
        let (dir, files) = folder();
        let key = "x/y ü#?.jpg";
        assert!(!files.exists(key).await.unwrap());
        files.put(key, Bytes::from_static(b"z")).await.unwrap();
        files.put(key, Bytes::from_static(b"zz")).await.unwrap();
        assert!(files.exists(key).await.unwrap());
        assert_eq!(&files.get(key).await.unwrap()[..], b"zz");
        assert_eq!(std::fs::read(dir.path().join(key)).unwrap(), b"zz");
        let inside = std::fs::read_dir(dir.path().join("x")).unwrap().count();
        assert_eq!(inside, 1, "nothing half-written is left");
        let head = files.head(key).await.unwrap();
        assert_eq!((head.size, head.etag.is_some()), (2, true));
        files.delete(key).await.unwrap();
        files.delete(key).await.unwrap();
        assert!(matches!(files.get(key).await, Err(FilesError::NotFound(k)) if k == key));
    }

    #[tokio::test]
    async fn what_is_no_file_is_not_found() {
        let (_dir, files) = folder();
        for key in ["a", "b.jpg/x", "none"] {
            let got = files.get(key).await;
            assert!(
                matches!(got, Err(FilesError::NotFound(_))),
                "{key:?}: {got:?}"
            );
        }
        assert!(Files::local(Path::new("/does/not/exist")).is_err());
    }

    #[tokio::test]
    async fn ranges_are_cut_at_the_end() {
        let (_dir, files) = folder();
        for (range, expected) in [
            (None, "b.jpg"),
            (Some(0..1), "b"),
            (Some(2..4), "jp"),
            (Some(2..100), "jpg"),
        ] {
            let content = files.get_stream("b.jpg", range.clone()).await.unwrap();
            let length = content.range.end - content.range.start;
            let pieces: Vec<Bytes> = content.stream.try_collect().await.unwrap();
            assert_eq!(pieces.concat(), expected.as_bytes(), "{range:?}");
            assert_eq!(length, expected.len() as u64);
            assert_eq!(content.entry.size, 5);
        }
        assert!(files.get_stream("b.jpg", Some(5..6)).await.is_err());
        assert!(files.get_stream("b.jpg", Some(2..2)).await.is_err());
    }
}
