//! A file of a folder that is written piece by piece and shown when it is whole. The idea: it grows
//! in a hidden folder beside the others under a name that holds who writes it, so that of two
//! writers neither touches the other's; what a writer left behind that died goes away with the
//! next one's first step, and a file is put in its place by a rename.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use async_trait::async_trait;

use super::super::{Growing, UNFINISHED, flat};
use crate::{FilesError, FilesResult};

/// A file that is not yet there.
#[derive(Debug)]
pub(super) struct Hidden {
    key: String,
    path: PathBuf,
    target: PathBuf,
    kept: bool,
}

impl Hidden {
    /// Begins the file `key` below `root` for the writer with this number, empty.
    pub(super) fn begin(root: &Path, key: &str, writer: i64) -> FilesResult<Hidden> {
        let folder = root.join(UNFINISHED);
        let start = format!("{}.", flat(key));
        let begun = || -> io::Result<PathBuf> {
            fs::create_dir_all(&folder)?;
            for entry in fs::read_dir(&folder)? {
                let entry = entry?;
                let name = entry.file_name();
                let name = name.to_string_lossy();
                // Behind the name stands the writer's number: not so of another file, a/1.zip.
                let writer = name.strip_prefix(&start).map(str::parse::<i64>);
                if matches!(writer, Some(Ok(_))) {
                    match fs::remove_file(entry.path()) {
                        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                        _ => {} // gone, whoever took it away
                    }
                }
            }
            let path = folder.join(format!("{start}{writer}"));
            File::create(&path)?;
            Ok(path)
        };
        Ok(Hidden {
            path: begun().map_err(|error| failed(key, &error))?,
            target: root.join(key),
            key: key.to_owned(),
            kept: false,
        })
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

#[async_trait]
impl Growing for Hidden {
    fn open(&self) -> FilesResult<File> {
        let file = File::options().write(true).truncate(true).open(&self.path);
        file.map_err(|error| failed(&self.key, &error))
    }

    fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(&self.path)
    }

    async fn keep(mut self: Box<Self>) -> FilesResult<u64> {
        let kept = tokio::task::spawn_blocking(move || {
            let size = self.place().map_err(|error| failed(&self.key, &error))?;
            self.kept = true;
            Ok(size)
        });
        kept.await.map_err(|e| FilesError::Io(e.to_string()))?
    }
}

impl Drop for Hidden {
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
        let left = std::fs::read_dir(dir.path().join(super::UNFINISHED)).unwrap();
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
