//! A bucket, or a folder of one, as the place of the server's own files. The idea: no request holds
//! more than a few megabytes and none lasts longer than they take, however large a file is and
//! however slowly somebody reads it; what is uploaded in parts is there when it is whole.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::{self, BoxStream, Fuse};
use futures_util::{StreamExt, TryStreamExt};
use object_store::aws::AmazonS3;
use object_store::buffered::BufWriter;
use object_store::path::Path;
use object_store::{
    Attribute, Attributes, GetOptions, GetRange, ObjectMeta, ObjectStore, ObjectStoreExt as _,
};
use outgoing::Reach;
use tokio::io::AsyncWriteExt;

use super::{Growing, Pieces, Place, UNFINISHED, Walking, entry, flat, sound};
use crate::s3::{self, Asking, BucketAddress};
use crate::{Content, Entry, FilesError, FilesResult};
use growing::Scratch;

mod growing;

/// Bytes that are asked for, or sent, at once. A file has at most 10,000 such parts: 80 GB.
const PART: u64 = 8 * 1024 * 1024;
/// Parts of one file that are under way at once.
const PARTS: usize = 2;
/// How the storage of the server's own files is asked: its address is the operator's.
const OWN: Asking = Asking {
    reach: Reach::OF_OPERATOR,
    retries: 3,
    request: Duration::from_secs(120),
    altogether: Duration::from_secs(180),
};

/// A bucket below a prefix. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct BucketFolder {
    store: Arc<AmazonS3>,
    /// Empty, or a folder with a slash at its end.
    prefix: String,
}

impl BucketFolder {
    /// Makes ready; nothing is asked yet.
    pub(crate) fn open(address: &BucketAddress, prefix: &str) -> FilesResult<BucketFolder> {
        let store = s3::connect(address, &OWN).map_err(|e| FilesError::Io(e.to_string()))?;
        let prefix = match prefix.trim_matches('/') {
            "" => String::new(),
            folder => format!("{}/", sound(folder)?),
        };
        Ok(BucketFolder {
            store: Arc::new(store),
            prefix,
        })
    }

    /// Where a key lies in the bucket.
    fn at(&self, key: &str) -> FilesResult<Path> {
        sound(key)?;
        let at = Path::parse(format!("{}{key}", self.prefix));
        at.map_err(|_| FilesError::Denied(key.to_owned()))
    }

    /// The key of what lies in the bucket, if it is one that may be shown.
    fn key(&self, at: &Path) -> Option<String> {
        let key = at.as_ref().strip_prefix(&self.prefix)?;
        let hidden = key.split('/').any(|part| part.starts_with('.'));
        (!hidden && sound(key).is_ok()).then(|| key.to_owned())
    }

    /// Uploads what comes: at once where it is small, else in parts. Where it is claimed, the object
    /// that says so must still be there when all has come.
    async fn upload(
        &self,
        key: &str,
        mut content: Pieces,
        claim: Option<&str>,
    ) -> FilesResult<u64> {
        let store: Arc<dyn ObjectStore> = self.store.clone();
        let part = usize::try_from(PART).unwrap_or(usize::MAX);
        let writer = BufWriter::with_capacity(store, self.at(key)?, part)
            .with_max_concurrency(PARTS)
            .with_attributes(described(key));
        let mut sending = Sending(Some(writer));
        let mut size = 0;
        while let Some(piece) = content.try_next().await? {
            size += piece.len() as u64;
            let Some(writer) = &mut sending.0 else { break };
            writer.put(piece).await.map_err(|e| explain(key, &e))?;
        }
        if let Some(mark) = claim {
            self.check_claim(key, mark).await?;
        }
        if let Some(mut writer) = sending.0.take() {
            // A task of its own: once begun it ends, as a whole file or as none.
            let ended = tokio::spawn(async move { writer.shutdown().await }).await;
            let ended = ended.map_err(|e| FilesError::Io(e.to_string()))?;
            ended.map_err(|error| match error.downcast::<object_store::Error>() {
                Ok(error) => explain(key, &error),
                Err(error) => FilesError::Io(error.to_string()),
            })?;
        }
        Ok(size)
    }

    /// Refuses to go on with a file that another writer has begun since.
    async fn check_claim(&self, key: &str, mark: &str) -> FilesResult<()> {
        let claimed = self.head(mark).await;
        claimed.map(drop).map_err(|error| match error {
            FilesError::NotFound(_) => FilesError::Io(format!(
                "{key:?} cannot be written: another writer has begun it"
            )),
            other => other,
        })
    }
}

/// An upload in parts that takes back what it has sent where it is given up.
struct Sending(Option<BufWriter>);

impl Drop for Sending {
    fn drop(&mut self) {
        let (Some(mut writer), Ok(runtime)) =
            (self.0.take(), tokio::runtime::Handle::try_current())
        else {
            return;
        };
        runtime.spawn(async move {
            if let Err(error) = writer.abort().await {
                tracing::warn!(%error, "parts of an upload stay in the bucket");
            }
        });
    }
}

/// What the storage is told of a file, for those who look into the bucket.
fn described(key: &str) -> Attributes {
    let kind = mime_guess::from_path(key).first_or_octet_stream();
    Attributes::from_iter([(Attribute::ContentType, kind.essence_str().to_owned())])
}

#[async_trait]
impl Place for BucketFolder {
    async fn get(&self, key: &str) -> FilesResult<Bytes> {
        let found = self.store.get(&self.at(key)?).await;
        let found = found.map_err(|e| explain(key, &e))?;
        found.bytes().await.map_err(|e| explain(key, &e))
    }

    async fn get_stream(&self, key: &str, range: Option<Range<u64>>) -> FilesResult<Content> {
        let entry = self.head(key).await?;
        let range = match range {
            None => 0..entry.size,
            Some(range) if range.is_empty() || range.start >= entry.size => {
                let (from, to, size) = (range.start, range.end, entry.size);
                let why = format!("{key:?} has {size} bytes: none between {from} and {to}");
                return Err(FilesError::Io(why));
            }
            Some(range) => range.start..range.end.min(entry.size),
        };
        let starts = range.clone().step_by(PART as usize);
        let end = range.end;
        let (folder, name, tag) = (self.clone(), key.to_owned(), entry.etag.clone());
        let pieces = stream::iter(starts).map(move |start| {
            let (folder, name, tag) = (folder.clone(), name.clone(), tag.clone());
            async move {
                folder
                    .part(&name, start..(start + PART).min(end), tag)
                    .await
            }
        });
        Ok(Content {
            entry,
            range,
            stream: pieces.buffered(PARTS).boxed(),
        })
    }

    async fn head(&self, key: &str) -> FilesResult<Entry> {
        let meta = self.store.head(&self.at(key)?).await;
        Ok(entry(key, meta.map_err(|e| explain(key, &e))?))
    }

    async fn put(&self, key: &str, content: Bytes) -> FilesResult<()> {
        let (at, described) = (self.at(key)?, described(key).into());
        let done = self.store.put_opts(&at, content.into(), described).await;
        done.map(|_| ()).map_err(|e| explain(key, &e))
    }

    async fn put_stream(&self, key: &str, content: Pieces) -> FilesResult<u64> {
        self.upload(key, content, None).await
    }

    async fn begin(&self, key: &str, writer: i64) -> FilesResult<Box<dyn Growing>> {
        sound(key)?;
        let claims = format!("{UNFINISHED}/{}", flat(key));
        let mark = format!("{claims}/{writer}");
        let earlier = self.store.list(Some(&self.at(&claims)?));
        let earlier: Vec<ObjectMeta> = earlier.try_collect().await.map_err(|e| explain(key, &e))?;
        for left in earlier {
            let gone = self.store.delete(&left.location).await;
            gone.map_err(|e| explain(key, &e))?;
        }
        self.put(&mark, Bytes::new()).await?;
        Ok(Box::new(Scratch::begin(self, key, mark).await?))
    }

    async fn delete(&self, key: &str) -> FilesResult<()> {
        match self.store.delete(&self.at(key)?).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(explain(key, &error)),
        }
    }

    async fn walk(&self, prefix: &str, after: Option<&str>) -> FilesResult<Box<dyn Walking>> {
        let prefix = prefix.strip_suffix('/').unwrap_or(prefix);
        if !prefix.is_empty() {
            sound(prefix)?;
        }
        let below = Path::parse(format!("{}{prefix}", self.prefix));
        let below = below.map_err(|_| FilesError::Denied(prefix.to_owned()))?;
        let below = (!below.is_root()).then_some(below);
        let after = match after {
            Some(after) => Some(
                Path::parse(format!("{}{after}", self.prefix))
                    .map_err(|_| FilesError::Denied(after.to_owned()))?,
            ),
            None => None,
        };
        let objects = match &after {
            Some(after) => self.store.list_with_offset(below.as_ref(), after),
            None => self.store.list(below.as_ref()),
        };
        Ok(Box::new(Objects {
            folder: self.clone(),
            objects: objects.fuse(),
        }))
    }

    async fn check(&self) -> FilesResult<()> {
        self.walk("", None).await?.page(1).await?;
        let key = format!("{UNFINISHED}/start/{:016x}", rand::random::<u64>());
        self.put(&key, Bytes::new()).await?;
        self.delete(&key).await
    }
}

impl BucketFolder {
    /// A part of a file, as it was when its tag was told.
    async fn part(&self, key: &str, range: Range<u64>, tag: Option<String>) -> FilesResult<Bytes> {
        let options = GetOptions::new()
            .with_range(Some(GetRange::Bounded(range)))
            .with_if_match(tag);
        let found = self.store.get_opts(&self.at(key)?, options).await;
        let found = found.map_err(|e| explain(key, &e))?;
        found.bytes().await.map_err(|e| explain(key, &e))
    }
}

/// A listing of the bucket; the storage's own pages are fetched as they are needed.
struct Objects {
    folder: BucketFolder,
    objects: Fuse<BoxStream<'static, object_store::Result<ObjectMeta>>>,
}

impl std::fmt::Debug for Objects {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Objects").finish_non_exhaustive()
    }
}

#[async_trait]
impl Walking for Objects {
    async fn page(&mut self, limit: usize) -> FilesResult<Vec<Entry>> {
        let mut page = Vec::new();
        while page.len() < limit {
            let next = self.objects.try_next().await;
            let Some(meta) = next.map_err(|e| explain("", &e))? else {
                break;
            };
            if let Some(key) = self.folder.key(&meta.location) {
                page.push(entry(&key, meta));
            }
        }
        Ok(page)
    }
}

/// What went wrong, in the storage's words or ours.
fn explain(key: &str, error: &object_store::Error) -> FilesError {
    let said = s3::explain(error);
    match error {
        // A bucket that is not there is no missing file.
        object_store::Error::NotFound { .. } if said.code != "NoSuchBucket" || !key.is_empty() => {
            FilesError::NotFound(key.to_owned())
        }
        _ => FilesError::Io(format!(
            "{} ({})",
            said.message.trim_end_matches('.'),
            said.code
        )),
    }
}
