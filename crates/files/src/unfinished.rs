//! A file that is written piece by piece and shown when it is whole. The idea: it grows in a hidden
//! folder beside the others under a name that holds who writes it, so that of two writers neither
//! touches the other's; what a writer left behind that died goes away with the next one's first
//! step, and a file is put in its place by a rename.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use crate::{FilesError, FilesResult};

/// Where files grow, below the root: hidden, so no listing shows them.
const FOLDER: &str = ".unfinished";

/// A file that is not yet there. Dropped before [`Unfinished::keep`], it never will be.
#[derive(Debug)]
pub struct Unfinished {
    key: String,
    path: PathBuf,
    target: PathBuf,
    kept: bool,
}

impl Unfinished {
    /// Begins the file `key` below `root` for the writer with this number, empty.
    pub(crate) fn begin(root: &Path, key: &str, writer: i64) -> FilesResult<Unfinished> {
        let folder = root.join(FOLDER);
        let start = format!("{}.", key.replace('/', "+"));
        let begun = || -> io::Result<PathBuf> {
            fs::create_dir_all(&folder)?;
            for entry in fs::read_dir(&folder)? {
                let entry = entry?;
                if entry.file_name().to_string_lossy().starts_with(&start) {
                    fs::remove_file(entry.path())?;
                }
            }
            let path = folder.join(format!("{start}{writer}"));
            File::create(&path)?;
            Ok(path)
        };
        Ok(Unfinished {
            path: begun().map_err(|error| failed(key, &error))?,
            target: root.join(key),
            key: key.to_owned(),
            kept: false,
        })
    }

    /// The file, to be written from its beginning.
    ///
    /// # Errors
    /// [`FilesError::Io`], above all where another writer has begun the same file since.
    pub fn open(&self) -> FilesResult<File> {
        let file = File::options().write(true).truncate(true).open(&self.path);
        file.map_err(|error| failed(&self.key, &error))
    }

    /// The folder in which it grows, for what is needed on the way.
    pub fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(&self.path)
    }

    /// Puts the file in its place, instead of one that was there; its size in bytes.
    ///
    /// # Errors
    /// [`FilesError::Io`].
    pub async fn keep(self) -> FilesResult<u64> {
        let mut file = self;
        let kept = tokio::task::spawn_blocking(move || {
            let file = &mut file;
            let size = file.place().map_err(|error| failed(&file.key, &error))?;
            file.kept = true;
            Ok(size)
        });
        kept.await.map_err(|e| FilesError::Io(e.to_string()))?
    }

    fn place(&self) -> io::Result<u64> {
        let file = File::open(&self.path)?;
        file.sync_all()?;
        if let Some(folder) = self.target.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::rename(&self.path, &self.target)?;
        Ok(file.metadata()?.len())
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if !self.kept {
            // It may be gone already: the next writer's first step.
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn failed(key: &str, error: &io::Error) -> FilesError {
    FilesError::Io(format!("{key:?} cannot be written: {error}"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::io::Write;

    use crate::Files;

    #[tokio::test]
    async fn a_file_is_there_when_it_is_whole() {
        let dir = tempfile::tempdir().unwrap();
        let files = Files::local(dir.path()).unwrap();
        let dropped = files.begin("a/b.csv", 1).await.unwrap();
        dropped.open().unwrap().write_all(b"half").unwrap();
        drop(dropped);
        assert!(!files.exists("a/b.csv").await.unwrap());

        let file = files.begin("a/b.csv", 2).await.unwrap();
        file.open().unwrap().write_all(b"whole").unwrap();
        assert!(!files.exists("a/b.csv").await.unwrap());
        assert!(files.list("", None, 9).await.unwrap().is_empty());
        assert_eq!(file.keep().await.unwrap(), 5);
        assert_eq!(&files.get("a/b.csv").await.unwrap()[..], b"whole");
        let left = std::fs::read_dir(dir.path().join(super::FOLDER)).unwrap();
        assert_eq!(left.count(), 0);
    }

    #[tokio::test]
    async fn who_comes_back_late_keeps_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let files = Files::local(dir.path()).unwrap();
        let late = files.begin("x", 1).await.unwrap();
        let mut late_file = late.open().unwrap();
        let next = files.begin("x", 2).await.unwrap();
        next.open().unwrap().write_all(b"next").unwrap();
        late_file.write_all(b"late, and longer").unwrap();
        assert!(late.open().is_err() && late.keep().await.is_err());
        next.keep().await.unwrap();
        assert_eq!(&files.get("x").await.unwrap()[..], b"next");
        assert!(files.begin("../x", 1).await.is_err());
    }
}
