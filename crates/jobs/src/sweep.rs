//! Files whose rows are gone: thumbnails and crops of what was deleted, and whatever a crash has left
//! behind. The idea: nothing is written down when something is deleted. The files are walked page by
//! page, once a day, and of each page the database says which it knows; until then nobody is shown
//! such a file, for its row is asked for first.

use std::collections::HashSet;
use std::time::Duration;

use chrono::TimeDelta;
use domain::export::{self, of_file};
use domain::storage::{
    CROPS, THUMBNAILS, UPLOADS, crop_name, of_crop, of_thumbnail, thumbnails_of,
};
use files::{Entry, Files, FilesError};
use futures_util::{StreamExt, stream};
use store::{Store, StoreError, StoreResult};
use tokio_util::sync::CancellationToken;

use crate::Tools;

/// For how long a process has a folder before another one may take it over.
const HOLD: Duration = Duration::from_secs(300);
/// How long a folder rests that was walked to its end.
const REST: Duration = Duration::from_secs(24 * 3600);
/// How often it is looked whether one is due.
const LOOK: Duration = Duration::from_secs(60);
/// Files of one page, and how long there is between two: others need the database and the storage too.
const PAGE: usize = 1000;
const PAUSE: Duration = Duration::from_millis(50);
/// How long what cannot be made again is kept.
const WAIT: TimeDelta = TimeDelta::days(30);
/// Files that are deleted at once.
const AT_ONCE: usize = 8;

/// A folder of the server's own files.
struct Folder {
    /// The duty that one process at a time has.
    duty: &'static str,
    name: &'static str,
    rows: Rows,
    /// Younger files are left alone. What can be made again goes soon; what cannot is kept for as long
    /// as it may take to find out that the database was the wrong one: nothing of it goes in a
    /// database that is younger itself.
    age: TimeDelta,
}

/// The rows that files belong to: those whose number is in the file's name, or for uploads those
/// that hold its key, in which the station's number is.
#[derive(Clone, Copy)]
enum Rows {
    Captures,
    Detections,
    Exports,
    Uploads,
}

static FOLDERS: [Folder; 4] = [
    Folder {
        duty: "sweep_thumbnails",
        name: THUMBNAILS,
        rows: Rows::Captures,
        age: TimeDelta::hours(1),
    },
    Folder {
        duty: "sweep_crops",
        name: CROPS,
        rows: Rows::Detections,
        age: TimeDelta::hours(1),
    },
    Folder {
        duty: "sweep_exports",
        name: export::FOLDER,
        rows: Rows::Exports,
        age: WAIT,
    },
    Folder {
        duty: "sweep_uploads",
        name: UPLOADS,
        rows: Rows::Uploads,
        age: WAIT,
    },
];

impl Folder {
    /// The number in a key, where there is one.
    fn number(&self, key: &str) -> Option<i64> {
        let name = key.strip_prefix(self.name)?.strip_prefix('/')?;
        match self.rows {
            Rows::Captures => of_thumbnail(name).map(|(capture, _)| capture),
            Rows::Detections => of_crop(name),
            Rows::Exports => of_file(name),
            Rows::Uploads => name.split_once('/')?.0.parse().ok(),
        }
    }

    /// Behind which key a walk goes on that was cut off at this number; from the beginning where there
    /// are never so many that it matters.
    fn behind(&self, number: i64) -> Option<String> {
        let name = match self.rows {
            Rows::Captures => thumbnails_of(number),
            Rows::Detections => crop_name(number),
            Rows::Exports | Rows::Uploads => return None,
        };
        (number > 0).then(|| format!("{}/{name}", self.name))
    }

    /// The keys of those files that are old enough and belong to no row. A file whose name tells
    /// nothing is nobody's to delete.
    async fn unknown(&self, store: &Store, page: Vec<Entry>) -> StoreResult<Vec<String>> {
        let before = store::now() - self.age;
        let old = page.into_iter().filter(|file| file.last_modified < before);
        let named: Vec<(i64, String)> = old
            .filter_map(|file| Some((self.number(&file.key)?, file.key)))
            .collect();
        let numbers: HashSet<i64> = named.iter().map(|(number, _)| *number).collect();
        let numbers: Vec<i64> = numbers.into_iter().collect();
        let known = match self.rows {
            Rows::Captures => store.known_captures(&numbers).await?,
            Rows::Detections => store.known_detections(&numbers).await?,
            Rows::Exports => store.known_exports(&numbers).await?,
            Rows::Uploads => {
                let keys: Vec<&str> = named.iter().map(|(_, key)| key.as_str()).collect();
                let known = store.known_uploads(&keys).await?;
                let keys = named.into_iter().map(|(_, key)| key);
                return Ok(keys.filter(|key| !known.contains(key)).collect());
            }
        };
        let unknown = named.into_iter().filter(|(id, _)| !known.contains(id));
        Ok(unknown.map(|(_, key)| key).collect())
    }
}

/// Why a folder could not be walked.
#[derive(Debug, thiserror::Error)]
pub enum SweepError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The files.
    #[error(transparent)]
    Files(#[from] FilesError),
}

/// Sweeps until `stop` fires. An error is traced; the folder is gone on with when its turn is over.
pub async fn run(tools: Tools, stop: CancellationToken) {
    loop {
        let look = async {
            tokio::time::sleep(LOOK).await;
            if let Err(error) = round(&tools).await {
                tracing::warn!(%error, "files could not be swept");
            }
        };
        tokio::select! {
            () = stop.cancelled() => return,
            () = look => {}
        }
    }
}

/// Walks the folders that are due and deletes what belongs to no row; how many files that were.
///
/// # Errors
/// [`SweepError`].
pub async fn round(tools: &Tools) -> Result<u64, SweepError> {
    let mut gone = 0;
    for folder in &FOLDERS {
        gone += sweep(tools, folder).await?;
    }
    Ok(gone)
}

async fn sweep(tools: &Tools, folder: &Folder) -> Result<u64, SweepError> {
    let store = &tools.store;
    let Some(mut turn) = store.take_duty(folder.duty, HOLD).await? else {
        return Ok(0);
    };
    if folder.age >= WAIT && store.made_at().await? > store::now() - folder.age {
        store.end_duty(turn, 0, REST).await?;
        return Ok(0);
    }
    let mut gone = 0;
    let behind = folder.behind(turn.position);
    let listing = tools.files.walk(folder.name, behind.as_deref()).await;
    let mut listing = match listing {
        Ok(listing) => listing,
        Err(FilesError::NotFound(_)) => {
            store.end_duty(turn, 0, REST).await?;
            return Ok(0);
        }
        Err(other) => return Err(other.into()),
    };
    while let Some(page) = listing.next(PAGE).await? {
        let last = page.last().and_then(|file| folder.number(&file.key));
        let position = last.unwrap_or(turn.position);
        gone += delete(&tools.files, folder.unknown(store, page).await?).await;
        match store.keep_duty(turn, position, HOLD).await? {
            Some(kept) => turn = kept,
            // Somebody else goes on.
            None => return Ok(gone),
        }
        tokio::time::sleep(PAUSE).await;
    }
    store.end_duty(turn, 0, REST).await?;
    if gone > 0 {
        tracing::info!(gone, folder = folder.name, "deleted files without rows");
    }
    Ok(gone)
}

/// Deletes these files; how many they were.
async fn delete(files: &Files, keys: Vec<String>) -> u64 {
    let files = files.clone();
    let deleting = stream::iter(keys).map(move |key| {
        let files = files.clone();
        async move { files.delete(&key).await }
    });
    let mut deleted = deleting.buffer_unordered(AT_ONCE);
    let mut gone = 0;
    while let Some(done) = deleted.next().await {
        match done {
            Ok(()) => gone += 1,
            // It keeps none of the others; the next walk finds it again.
            Err(error) => tracing::warn!(%error, "a file without a row is not deleted"),
        }
    }
    gone
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_walk_goes_on_at_the_file_where_it_was_cut_off() {
        for folder in &FOLDERS {
            let Some(behind) = folder.behind(12) else {
                continue;
            };
            assert_eq!(folder.behind(0), None, "from the beginning");
            let key = match folder.rows {
                Rows::Captures => format!("{behind}/small.jpg"),
                _ => behind.clone(),
            };
            assert_eq!(folder.number(&key), Some(12), "{key}");
            assert!(behind <= key && key.starts_with(folder.name));
        }
    }
}
