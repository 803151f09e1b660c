//! A file of a bucket that is written piece by piece. The idea: it grows on this machine, and that
//! somebody writes it is an object beside the others, which the next writer takes away; it is looked
//! for again right before the file appears.

use std::fs::File;
use std::io::Seek;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use tokio::io::AsyncReadExt;

use super::super::{Growing, Place};
use super::BucketFolder;
use crate::{FilesError, FilesResult};

/// A file that grows on this machine, where nothing can find it, and is uploaded when it is whole.
/// That somebody writes it is an object in the bucket, so that who comes back late keeps nothing.
#[derive(Debug)]
pub(super) struct Scratch {
    folder: BucketFolder,
    key: String,
    /// The object that says so; `None` when it is gone.
    mark: Option<String>,
    /// Without a name: it goes with the process, however that ends.
    file: File,
    beside: PathBuf,
}

impl Scratch {
    /// Begins a file, which is claimed already by the object `mark`.
    pub(super) async fn begin(
        folder: &BucketFolder,
        key: &str,
        mark: String,
    ) -> FilesResult<Scratch> {
        let scratch = tokio::task::spawn_blocking(tempfile::tempfile).await;
        let scratch = scratch.map_err(|e| FilesError::Io(e.to_string()))?;
        let file = scratch.map_err(|e| {
            FilesError::Io(format!("{key:?} cannot be written on this machine: {e}"))
        })?;
        Ok(Scratch {
            folder: folder.clone(),
            key: key.to_owned(),
            mark: Some(mark),
            file,
            beside: std::env::temp_dir(),
        })
    }
}

#[async_trait]
impl Growing for Scratch {
    fn open(&self) -> FilesResult<File> {
        let opened = || {
            let mut file = self.file.try_clone()?;
            file.set_len(0)?;
            file.rewind()?;
            Ok(file)
        };
        opened().map_err(|e: std::io::Error| FilesError::Io(format!("{:?}: {e}", self.key)))
    }

    fn folder(&self) -> &Path {
        &self.beside
    }

    async fn keep(mut self: Box<Self>) -> FilesResult<u64> {
        let key = self.key.clone();
        let failed = |e: std::io::Error| FilesError::Io(format!("{key:?} cannot be read: {e}"));
        if let Some(mark) = &self.mark {
            self.folder.check_claim(&key, mark).await?;
        }
        let mut file = self.file.try_clone().map_err(failed)?;
        file.rewind().map_err(failed)?;
        let pieces = stream::try_unfold(tokio::fs::File::from_std(file), |mut file| async {
            let mut piece = Vec::with_capacity(1 << 20);
            let read = (&mut file).take(1 << 20).read_to_end(&mut piece).await;
            read.map_err(|e| FilesError::Io(e.to_string()))?;
            Ok((!piece.is_empty()).then(|| (Bytes::from(piece), file)))
        });
        let (folder, mark) = (&self.folder, self.mark.as_deref());
        let size = folder.upload(&key, pieces.boxed(), mark).await?;
        if let Some(mark) = self.mark.take() {
            self.folder.delete(&mark).await?;
        }
        Ok(size)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let (Some(mark), Ok(runtime)) = (self.mark.take(), tokio::runtime::Handle::try_current())
        else {
            return;
        };
        let folder = self.folder.clone();
        runtime.spawn(async move { folder.delete(&mark).await });
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::s3::BucketAddress;
    use crate::tests::s3::{S3, keys};

    #[tokio::test]
    async fn who_loses_the_claim_while_it_uploads_keeps_nothing() {
        let s3 = S3::new().await;
        let address = BucketAddress {
            endpoint: Some(s3.endpoint.clone()),
            bucket: "moths".to_owned(),
            access_key: keys().access_key.unwrap(),
            secret_key: keys().secret_key.unwrap(),
            ..BucketAddress::default()
        };
        let folder = BucketFolder::open(&address, "p").unwrap();
        // Small enough for one request, and large enough for parts.
        for size in [100, 9 << 20] {
            let first = folder.begin("a/b.zip", 1).await.unwrap();
            let mark = ".unfinished/a+b.zip/1";
            folder.head(mark).await.unwrap();
            let other = folder.clone();
            let pieces = stream::iter([vec![b'x'; size], vec![b'y'; 10]]);
            let pieces = pieces.then(move |piece| {
                let other = other.clone();
                async move {
                    if piece.len() == 10 {
                        drop(other.begin("a/b.zip", 2).await.unwrap());
                    }
                    Ok(Bytes::from(piece))
                }
            });
            let kept = folder.upload("a/b.zip", pieces.boxed(), Some(mark)).await;
            let why = kept.unwrap_err().to_string();
            assert!(why.contains("another writer has begun it"), "{why}");
            let there = folder.head("a/b.zip").await;
            assert!(matches!(there, Err(FilesError::NotFound(_))), "{there:?}");
            drop(first);
        }
    }
}
