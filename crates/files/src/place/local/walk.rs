//! The walk through a folder tree in the order of its keys. It holds one sorted list of names
//! per folder it is inside of, so a tree of millions costs the memory of its largest folder.
//! Links to folders are not followed: what they show is listed where it really lies, or lies
//! outside, and no loop can arise.

use std::cmp::Ordering;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::super::sound;
use crate::{Entry, FilesError, FilesResult};

/// A name in a folder.
#[derive(Debug)]
struct Name {
    text: String,
    is_folder: bool,
}

impl Name {
    /// The order of the keys below: a folder sorts as "name/".
    fn order(&self, other: &Name) -> Ordering {
        let end = |name: &Name| name.is_folder.then_some(b'/');
        let ours = self.text.bytes().chain(end(self));
        ours.cmp(other.text.bytes().chain(end(other)))
    }
}

/// A folder that the walk is inside of, with the names that are still to come.
#[derive(Debug)]
struct Level {
    key: String,
    names: std::vec::IntoIter<Name>,
}

/// A walk in progress.
#[derive(Debug)]
pub(super) struct Walk {
    root: Arc<PathBuf>,
    after: Option<String>,
    /// Where it begins; taken when it has begun.
    start: Option<String>,
    inside: Vec<Level>,
}

impl Walk {
    /// A walk below `root`, a real path, from the folder `prefix` (a sound key, or empty).
    pub(super) fn new(root: Arc<PathBuf>, prefix: &str, after: Option<&str>) -> Walk {
        Walk {
            root,
            after: after.map(str::to_owned),
            start: Some(prefix.to_owned()),
            inside: Vec::new(),
        }
    }

    /// The next files; none when the walk is over.
    pub(super) fn page(&mut self, limit: usize) -> FilesResult<Vec<Entry>> {
        if let Some(prefix) = self.start.take() {
            self.enter(prefix)?;
        }
        let mut found = Vec::new();
        while found.len() < limit {
            let Some(level) = self.inside.last_mut() else {
                break;
            };
            let Some(name) = level.names.next() else {
                self.inside.pop();
                continue;
            };
            let key = child(&level.key, &name.text);
            if name.is_folder {
                self.enter(key)?;
            } else {
                found.extend(self.file(key)?);
            }
        }
        Ok(found)
    }

    fn enter(&mut self, key: String) -> FilesResult<()> {
        let folder = self.root.join(&key);
        let mut names = match self.names(&key, &folder) {
            Ok(names) => names,
            // Somebody was tidying up meanwhile.
            Err(error) if error.kind() == ErrorKind::NotFound && !self.inside.is_empty() => {
                return Ok(());
            }
            Err(error) => {
                let message = format!("cannot read {}: {error}", folder.display());
                return Err(FilesError::Io(message));
            }
        };
        names.sort_unstable_by(Name::order);
        self.inside.push(Level {
            key,
            names: names.into_iter(),
        });
        Ok(())
    }

    /// The names in a folder that are to be listed, in no order.
    fn names(&self, key: &str, folder: &Path) -> std::io::Result<Vec<Name>> {
        let mut names = Vec::new();
        for entry in std::fs::read_dir(folder)? {
            let entry = entry?;
            let Ok(text) = entry.file_name().into_string() else {
                continue; // a name that is no text cannot be a key
            };
            if text.starts_with('.') {
                continue;
            }
            let Ok(kind) = entry.file_type() else {
                continue; // gone meanwhile
            };
            let is_folder = kind.is_dir();
            if !is_folder && !kind.is_file() && !self.is_link_to_file(&entry.path()) {
                continue;
            }
            let name = Name { text, is_folder };
            if self.is_ahead(key, &name) {
                names.push(name);
            }
        }
        Ok(names)
    }

    /// True for a link to a file below the root.
    fn is_link_to_file(&self, path: &Path) -> bool {
        let real = path.canonicalize();
        real.is_ok_and(|real| real.starts_with(&*self.root) && real.is_file())
    }

    /// False where the name and all below it come before `after`.
    fn is_ahead(&self, folder: &str, name: &Name) -> bool {
        let Some(after) = &self.after else {
            return true;
        };
        let mut key = child(folder, &name.text);
        if name.is_folder {
            key.push('0'); // follows '/' in the order of bytes, so it ends all that is below
        }
        *after < key
    }

    fn file(&self, key: String) -> FilesResult<Option<Entry>> {
        if sound(&key).is_err() {
            return Ok(None);
        }
        let meta = match std::fs::metadata(self.root.join(&key)) {
            Ok(meta) => meta,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(FilesError::Io(format!("{key:?}: {error}"))),
        };
        let time = meta.modified().unwrap_or(std::time::UNIX_EPOCH);
        Ok(Some(Entry {
            key,
            size: meta.len(),
            last_modified: DateTime::<Utc>::from(time),
            etag: None,
        }))
    }
}

fn child(folder: &str, name: &str) -> String {
    if folder.is_empty() {
        name.to_owned()
    } else {
        format!("{folder}/{name}")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use crate::Files;
    use proptest::prelude::*;

    fn keys(page: Vec<Entry>) -> Vec<String> {
        page.into_iter().map(|entry| entry.key).collect()
    }

    fn tree(names: &[&str]) -> (tempfile::TempDir, Files) {
        let dir = tempfile::tempdir().unwrap();
        for name in names {
            let path = dir.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, name).unwrap();
        }
        let files = Files::local(dir.path()).unwrap();
        (dir, files)
    }

    const TREE: [&str; 7] = [
        "b.jpg",
        "a/2.jpg",
        "a/1.jpg",
        "a.jpg",
        "a-b.jpg",
        ".hidden/x.jpg",
        "c/d/e ü%.jpg",
    ];

    async fn walked(files: &Files, prefix: &str, size: usize) -> Vec<String> {
        let mut listing = files.walk(prefix, None).await.unwrap();
        let mut all = Vec::new();
        while let Some(page) = listing.next(size).await.unwrap() {
            assert!(page.len() <= size);
            all.extend(keys(page));
        }
        assert!(listing.next(size).await.unwrap().is_none(), "over is over");
        all
    }

    #[tokio::test]
    async fn pages_add_up_to_the_whole_in_order() {
        let (_dir, files) = tree(&TREE);
        let all = keys(files.list("", None, 100).await.unwrap());
        let expected = [
            "a-b.jpg",
            "a.jpg",
            "a/1.jpg",
            "a/2.jpg",
            "b.jpg",
            "c/d/e ü%.jpg",
        ];
        assert_eq!(all, expected);
        for size in 1..4 {
            assert_eq!(walked(&files, "", size).await, expected, "walk by {size}");
            let mut paged: Vec<String> = Vec::new();
            loop {
                let after = paged.last().cloned();
                let page = files.list("", after.as_deref(), size).await.unwrap();
                if page.is_empty() {
                    break;
                }
                paged.extend(keys(page));
            }
            assert_eq!(paged, expected, "pages of {size}");
        }
        assert_eq!(walked(&files, "a/", 9).await, ["a/1.jpg", "a/2.jpg"]);
    }

    #[tokio::test]
    async fn sizes_and_times_are_those_of_the_files() {
        let (_dir, files) = tree(&["a/1.jpg"]);
        let listed = files.list("", None, 9).await.unwrap();
        let head = files.head("a/1.jpg").await.unwrap();
        assert_eq!(listed[0].size, 7);
        assert_eq!(listed[0].last_modified, head.last_modified);
    }

    #[tokio::test]
    async fn a_folder_that_cannot_be_read_is_named() {
        let (dir, files) = tree(&["a/1.jpg"]);
        let mut listing = files.walk("a", None).await.unwrap();
        std::fs::remove_dir_all(dir.path().join("a")).unwrap();
        std::fs::write(dir.path().join("a"), "now a file").unwrap();
        let error = listing.next(9).await.unwrap_err().to_string();
        let folder = dir.path().canonicalize().unwrap().join("a");
        assert!(
            error.starts_with(&format!("cannot read {}:", folder.display())),
            "{error}"
        );
    }

    #[tokio::test]
    async fn a_folder_that_is_not_there_is_an_error() {
        let (_dir, files) = tree(&TREE);
        let missing = files.walk("nowhere", None).await;
        assert!(matches!(missing, Err(FilesError::NotFound(key)) if key == "nowhere"));
        for outside in ["..", "a/../..", "/../.."] {
            let refused = files.walk(outside, None).await;
            assert!(matches!(refused, Err(FilesError::Denied(_))), "{outside}");
        }
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn links_neither_loop_nor_lead_out() {
        use std::os::unix::fs::symlink;
        let (dir, files) = tree(&["a/1.jpg", "b/2.jpg"]);
        let outside = tempfile::tempdir().unwrap();
        std::fs::write(outside.path().join("x.jpg"), "x").unwrap();
        let at = |name: &str| dir.path().join(name);
        symlink(dir.path(), at("a/again")).unwrap();
        symlink(at("a"), at("b/to-a")).unwrap();
        symlink(at("b"), at("a/to-b")).unwrap();
        symlink(outside.path(), at("out")).unwrap();
        symlink(outside.path().join("x.jpg"), at("out.jpg")).unwrap();
        symlink(at("nothing"), at("dangling.jpg")).unwrap();
        symlink(at("a/1.jpg"), at("same.jpg")).unwrap();
        assert_eq!(
            walked(&files, "", 2).await,
            ["a/1.jpg", "b/2.jpg", "same.jpg"]
        );
        let out = files.walk("out", None).await;
        assert!(matches!(out, Err(FilesError::Denied(_))));
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn what_is_listed_can_be_read() {
        let odd = [
            "a\\b.jpg",
            "new\nline.jpg",
            "x#12",
            "y#1.jpg",
            "q?r#s&t %20.jpg",
            "ж.png",
        ];
        let (_dir, files) = tree(&odd);
        let listed = walked(&files, "", 100).await;
        assert_eq!(listed, ["q?r#s&t %20.jpg", "y#1.jpg", "ж.png"]);
        for key in listed {
            assert_eq!(files.get(&key).await.unwrap(), key.as_bytes());
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn names_sort_as_their_keys(
            mut names in proptest::collection::vec(("[ -0a-b]{1,3}", any::<bool>()), 0..12),
        ) {
            let key = |(text, is_folder): &(String, bool)| {
                if *is_folder { format!("{text}/x") } else { text.clone() }
            };
            let mut sorted: Vec<Name> = names
                .iter()
                .map(|(text, is_folder)| Name { text: text.clone(), is_folder: *is_folder })
                .collect();
            sorted.sort_by(Name::order);
            let sorted: Vec<String> =
                sorted.into_iter().map(|n| key(&(n.text, n.is_folder))).collect();
            // A real name holds no slash.
            names.retain(|(text, _)| !text.contains('/'));
            prop_assume!(names.len() == sorted.len());
            let mut expected: Vec<String> = names.iter().map(key).collect();
            expected.sort();
            prop_assert_eq!(sorted, expected);
        }
    }
}
