//! A folder of this machine. Reading and writing go through `object_store`; the listing walks
//! the tree itself, in the order of the keys and no further than asked, because a folder of
//! photographs can hold millions. Links that lead out of the folder are not followed.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use object_store::local::LocalFileSystem;
use object_store::{ObjectStoreExt, path};

use crate::{Entry, FilesError, FilesResult};

/// Deepest folder that is listed: ends loops of links.
const DEEPEST: usize = 32;

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

    pub(crate) async fn get(&self, key: &str) -> FilesResult<Bytes> {
        let at = self.inside(key).await?;
        let found = self.store.get(&at).await.map_err(|e| explain(key, &e))?;
        found.bytes().await.map_err(|e| explain(key, &e))
    }

    pub(crate) async fn head(&self, key: &str) -> FilesResult<Entry> {
        let at = self.inside(key).await?;
        let meta = self.store.head(&at).await.map_err(|e| explain(key, &e))?;
        Ok(Entry {
            key: key.to_owned(),
            size: meta.size,
            last_modified: meta.last_modified,
        })
    }

    pub(crate) async fn put(&self, key: &str, content: Bytes) -> FilesResult<()> {
        let at = sound(key)?;
        let done = self.store.put(&at, content.into()).await;
        done.map(|_| ()).map_err(|e| explain(key, &e))
    }

    pub(crate) async fn delete(&self, key: &str) -> FilesResult<()> {
        let at = self.inside(key).await;
        match at {
            Err(FilesError::NotFound(_)) => return Ok(()),
            other => match self.store.delete(&other?).await {
                Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
                Err(error) => Err(explain(key, &error)),
            },
        }
    }

    /// The key's path, when the file it names really lies below the root.
    async fn inside(&self, key: &str) -> FilesResult<path::Path> {
        let at = sound(key)?;
        let (root, full) = (self.root.clone(), self.root.join(key));
        let real = tokio::task::spawn_blocking(move || full.canonicalize())
            .await
            .map_err(|e| FilesError::Io(e.to_string()))?;
        match real {
            Ok(real) if real.starts_with(&*root) => Ok(at),
            Ok(_) => Err(FilesError::Denied(key.to_owned())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                Err(FilesError::NotFound(key.to_owned()))
            }
            Err(error) => Err(FilesError::Io(format!("{key:?}: {error}"))),
        }
    }

    pub(crate) async fn list(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> FilesResult<Vec<Entry>> {
        let prefix = prefix.trim_matches('/').to_owned();
        if !prefix.is_empty() {
            sound(&prefix)?;
        }
        let walk = Walk {
            root: self.root.clone(),
            after: after.map(str::to_owned),
            limit,
            found: Vec::new(),
        };
        tokio::task::spawn_blocking(move || walk.run(&prefix))
            .await
            .map_err(|e| FilesError::Io(e.to_string()))?
    }
}

/// A walk through a tree in the order of its keys.
struct Walk {
    root: Arc<PathBuf>,
    after: Option<String>,
    limit: usize,
    found: Vec<Entry>,
}

impl Walk {
    fn run(mut self, prefix: &str) -> FilesResult<Vec<Entry>> {
        self.folder(prefix, 0)?;
        Ok(self.found)
    }

    fn folder(&mut self, key: &str, depth: usize) -> FilesResult<()> {
        if depth > DEEPEST {
            return Ok(());
        }
        for (name, is_folder) in self.names(key)? {
            if self.found.len() >= self.limit {
                return Ok(());
            }
            let child = if key.is_empty() {
                name
            } else {
                format!("{key}/{name}")
            };
            if is_folder {
                // Everything below sorts as "child/…": skip it when that lies behind us.
                let over = format!("{child}0"); // '0' follows '/' in the order of bytes
                if self.after.as_deref().is_none_or(|after| *after < *over) {
                    self.folder(&child, depth + 1)?;
                }
            } else if self.after.as_deref().is_none_or(|after| *after < *child) {
                self.file(child)?;
            }
        }
        Ok(())
    }

    /// Names in a folder in the order in which the keys below them sort.
    fn names(&self, key: &str) -> FilesResult<Vec<(String, bool)>> {
        let folder = self.root.join(key);
        let unreadable =
            |e: std::io::Error| FilesError::Io(format!("cannot read {}: {e}", folder.display()));
        let mut names = Vec::new();
        for entry in std::fs::read_dir(&folder).map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            let Ok(name) = entry.file_name().into_string() else {
                continue; // a name that is no text cannot be a key
            };
            if name.starts_with('.') {
                continue;
            }
            let path = entry.path();
            let Ok(real) = path.canonicalize() else {
                continue; // a dangling link
            };
            if !real.starts_with(&*self.root) {
                continue;
            }
            let is_folder = real.is_dir();
            names.push((name, is_folder));
        }
        let order = |(name, is_folder): &(String, bool)| {
            if *is_folder {
                format!("{name}/")
            } else {
                name.clone()
            }
        };
        names.sort_by_cached_key(order);
        Ok(names)
    }

    fn file(&mut self, key: String) -> FilesResult<()> {
        let meta = match std::fs::metadata(self.root.join(&key)) {
            Ok(meta) if meta.is_file() => meta,
            Ok(_) => return Ok(()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(FilesError::Io(format!("{key:?}: {error}"))),
        };
        let time = meta.modified().unwrap_or(std::time::UNIX_EPOCH);
        self.found.push(Entry {
            key,
            size: meta.len(),
            last_modified: DateTime::<Utc>::from(time),
        });
        Ok(())
    }
}

/// A key as a path of the store: relative, without "." and "..", without empty parts.
fn sound(key: &str) -> FilesResult<path::Path> {
    let bad = |part: &str| part.is_empty() || part == "." || part == "..";
    if key.split('/').any(bad) || key.contains(['\\', '\0']) {
        return Err(FilesError::Denied(key.to_owned()));
    }
    path::Path::parse(key).map_err(|_| FilesError::Denied(key.to_owned()))
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

    fn tree() -> (tempfile::TempDir, LocalFolder) {
        let dir = tempfile::tempdir().unwrap();
        for name in [
            "b.jpg",
            "a/2.jpg",
            "a/1.jpg",
            "a.jpg",
            "a-b.jpg",
            ".hidden",
            "c/d/e ü%.jpg",
        ] {
            let path = dir.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, name).unwrap();
        }
        let folder = LocalFolder::open(dir.path()).unwrap();
        (dir, folder)
    }

    #[tokio::test]
    async fn pages_of_a_listing_add_up_to_the_whole_in_order() {
        let (_dir, folder) = tree();
        let all: Vec<String> = folder
            .list("", None, 100)
            .await
            .unwrap()
            .into_iter()
            .map(|e| e.key)
            .collect();
        let mut sorted = all.clone();
        sorted.sort();
        assert_eq!(all, sorted);
        assert_eq!(all.len(), 6);
        for size in 1..4 {
            let mut paged = Vec::new();
            let mut after: Option<String> = None;
            loop {
                let page = folder.list("", after.as_deref(), size).await.unwrap();
                let Some(last) = page.last() else { break };
                after = Some(last.key.clone());
                paged.extend(page.into_iter().map(|e| e.key));
            }
            assert_eq!(paged, all, "pages of {size}");
        }
    }

    #[tokio::test]
    async fn nothing_leads_out_of_the_folder() {
        let (dir, folder) = tree();
        let secret = tempfile::tempdir().unwrap();
        std::fs::write(secret.path().join("key"), "secret").unwrap();
        #[cfg(unix)]
        std::os::unix::fs::symlink(secret.path(), dir.path().join("link")).unwrap();
        for key in [
            "../x",
            "/etc/passwd",
            "a/../../x",
            "link/key",
            "",
            "a//1.jpg",
            "./b.jpg",
        ] {
            let got = folder.get(key).await;
            assert!(got.is_err(), "{key:?} was served");
        }
        let listed = folder.list("", None, 100).await.unwrap();
        assert!(listed.iter().all(|e| !e.key.starts_with("link")));
    }

    #[tokio::test]
    async fn what_is_put_can_be_had_and_deleted() {
        let (_dir, folder) = tree();
        folder
            .put("x/y ü.jpg", Bytes::from_static(b"z"))
            .await
            .unwrap();
        assert_eq!(&folder.get("x/y ü.jpg").await.unwrap()[..], b"z");
        assert_eq!(folder.head("x/y ü.jpg").await.unwrap().size, 1);
        folder.delete("x/y ü.jpg").await.unwrap();
        folder.delete("x/y ü.jpg").await.unwrap();
        assert!(matches!(
            folder.get("x/y ü.jpg").await,
            Err(FilesError::NotFound(_))
        ));
    }

    #[tokio::test]
    async fn odd_names_are_read_as_they_are() {
        let (_dir, folder) = tree();
        assert_eq!(
            &folder.get("c/d/e ü%.jpg").await.unwrap()[..],
            "c/d/e ü%.jpg".as_bytes()
        );
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn a_loop_of_links_ends() {
        let (dir, folder) = tree();
        std::os::unix::fs::symlink(dir.path(), dir.path().join("a/again")).unwrap();
        assert!(folder.list("", None, 10_000).await.is_ok());
    }
}
