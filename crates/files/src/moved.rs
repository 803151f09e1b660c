//! Moving files from one place to another: from a folder into a bucket, back, or between two of a
//! kind. The idea: both sides are listed in the same order and walked together, so what is there
//! already is passed over, a move that was cut off is given again, and memory holds a page of each.

use futures_util::{StreamExt, TryStreamExt, stream};

use crate::{Entry, Files, FilesError, FilesResult, Listing};

/// Names that are listed at once.
const PAGE: usize = 1000;
/// Files that are under way at once.
const FILES: usize = 8;
/// Up to this many bytes a file is moved whole.
const SMALL: u64 = 4 * 1024 * 1024;
/// What is said in a target that holds the beginning of a move: hidden, so no listing shows it.
const MARK: &str = ".moving";

/// What a move did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moved {
    /// Files in the source.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// How many of them were copied now; the others were there.
    pub copied: u64,
    /// Files in the target afterwards.
    pub there: u64,
    /// Their bytes.
    pub there_bytes: u64,
}

impl Files {
    /// Copies all files into another place, which is empty or holds the beginning of this move.
    /// `from` is what the source is called. Hears how many files it has passed. Nobody may write to
    /// either meanwhile; nothing is deleted.
    ///
    /// # Errors
    /// [`FilesError`], with a sentence where the target holds other files, or the source is itself
    /// the beginning of a move.
    pub async fn move_to(
        &self,
        target: &Files,
        from: &str,
        heard: &mut (dyn FnMut(u64) + Send),
    ) -> FilesResult<Moved> {
        self.check_whole().await?;
        begin(target, from).await?;
        let mut moved = Moved::default();
        let mut there = Ahead::of(target).await?;
        let mut listing = self.walk("", None).await?;
        while let Some(page) = listing.next(PAGE).await? {
            let mut lacking = Vec::new();
            for entry in page {
                moved.files += 1;
                moved.bytes += entry.size;
                if !there.holds(&entry).await? {
                    lacking.push(entry);
                }
            }
            moved.copied += lacking.len() as u64;
            let copies = lacking
                .into_iter()
                .map(|entry| self.hand_over(target, entry));
            let copies = stream::iter(copies).buffer_unordered(FILES);
            copies.try_for_each(|()| async { Ok(()) }).await?;
            heard(moved.files);
        }
        (moved.there, moved.there_bytes) = count(target).await?;
        if (moved.files, moved.bytes) == (moved.there, moved.there_bytes) {
            target.delete(MARK).await?;
        }
        Ok(moved)
    }

    /// Refuses a place into which files are still to come.
    ///
    /// # Errors
    /// [`FilesError::Io`] with a sentence that says from where.
    pub async fn check_whole(&self) -> FilesResult<()> {
        match self.get(MARK).await {
            Ok(begun) => Err(FilesError::Io(format!(
                "only the beginning of the files of {} is there: give the same `hawkmoth copy` with \
                 --files-from and --files-to again, until it says that it has copied them",
                String::from_utf8_lossy(&begun)
            ))),
            Err(FilesError::NotFound(_)) => Ok(()),
            Err(other) => Err(other),
        }
    }

    async fn hand_over(&self, target: &Files, entry: Entry) -> FilesResult<()> {
        let key = &entry.key;
        let moved = match entry.size <= SMALL {
            true => match self.get(key).await {
                Ok(content) => target.put(key, content).await,
                Err(error) => Err(error),
            },
            false => match self.get_stream(key, None).await {
                Ok(content) => target.put_stream(key, content.stream).await.map(drop),
                Err(error) => Err(error),
            },
        };
        match moved {
            // Somebody was tidying up meanwhile; the counts will tell.
            Err(FilesError::NotFound(_)) => Ok(()),
            moved => moved,
        }
    }
}

/// Says in the target that a move is under way, unless it holds files that are not of it.
async fn begin(target: &Files, from: &str) -> FilesResult<()> {
    match target.get(MARK).await {
        Ok(begun) if begun == from.as_bytes() => Ok(()),
        Ok(begun) => Err(FilesError::Io(format!(
            "it holds the beginning of the files of {}: empty it first",
            String::from_utf8_lossy(&begun)
        ))),
        Err(FilesError::NotFound(_)) => match target.list("", None, 1).await?.first() {
            Some(entry) => Err(FilesError::Io(format!(
                "it is not empty: there is {:?}",
                entry.key
            ))),
            None => target.put(MARK, from.as_bytes().to_vec().into()).await,
        },
        Err(other) => Err(other),
    }
}

async fn count(files: &Files) -> FilesResult<(u64, u64)> {
    let mut listing = files.walk("", None).await?;
    let (mut number, mut bytes) = (0, 0);
    while let Some(page) = listing.next(PAGE).await? {
        number += page.len() as u64;
        bytes += page.iter().map(|entry| entry.size).sum::<u64>();
    }
    Ok((number, bytes))
}

/// The files of the target, which are asked for in the order of their keys.
struct Ahead {
    listing: Listing,
    page: std::vec::IntoIter<Entry>,
    next: Option<Entry>,
}

impl Ahead {
    async fn of(target: &Files) -> FilesResult<Ahead> {
        let listing = target.walk("", None).await?;
        let mut ahead = Ahead {
            listing,
            page: Vec::new().into_iter(),
            next: None,
        };
        ahead.step().await?;
        Ok(ahead)
    }

    async fn step(&mut self) -> FilesResult<()> {
        self.next = self.page.next();
        if self.next.is_none() {
            self.page = self
                .listing
                .next(PAGE)
                .await?
                .unwrap_or_default()
                .into_iter();
            self.next = self.page.next();
        }
        Ok(())
    }

    /// Whether the target has the file as it is.
    async fn holds(&mut self, wanted: &Entry) -> FilesResult<bool> {
        while self
            .next
            .as_ref()
            .is_some_and(|there| there.key < wanted.key)
        {
            self.step().await?;
        }
        let there = self.next.as_ref().filter(|there| there.key == wanted.key);
        // Storages tell times in whole seconds.
        Ok(there.is_some_and(|there| {
            there.size == wanted.size
                && there.last_modified.timestamp() >= wanted.last_modified.timestamp()
        }))
    }
}
