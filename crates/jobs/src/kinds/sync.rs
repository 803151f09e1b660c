//! Kind `data_storage_sync`: what lies in a station's storage becomes captures, and these become
//! sessions (`domain-rules.md` §3). The idea: a listing is read page by page and each page written
//! before the next is read, so memory does not grow with the storage; what is known already is not
//! written again, so a run that was cut off or is repeated changes nothing twice. Nothing is ever
//! deleted.

use anyhow::{Context, bail};
use chrono::{Datelike, Utc};
use domain::capture::is_image_key;
use domain::job::{REGROUP_STAGE, SYNC};
use domain::state::JobState;
use domain::timestamp;
use files::{Entry, Pattern, Source};
use store::capture::NewCapture;
use store::station::Station;

use super::sessions;
use crate::context::JobContext;
use crate::kind::{JobKind, Outcome};

/// Objects that are read and captures that are written at once.
const PAGE: usize = 1_000;
/// Files that are named in the log, of those that cannot become captures.
const NAMED: u64 = 100;
/// Times before this year are those of a camera whose clock was never set.
const EARLIEST_YEAR: i32 = 2000;

/// Kind `data_storage_sync`.
pub struct StorageSync;

/// What a look through a storage has found so far.
#[derive(Debug, Default)]
struct Tally {
    files: u64,
    bytes: u64,
    failed: u64,
    early: u64,
}

#[async_trait::async_trait]
impl JobKind for StorageSync {
    fn key(&self) -> &'static str {
        SYNC
    }

    async fn run(&self, cx: &JobContext) -> anyhow::Result<Outcome> {
        let id = cx
            .job
            .station_id
            .context("The job has no station. Choose the station whose storage is to be read.")?;
        let station = cx.tools.store.station(id).await?;
        cx.stage(SYNC, |s| s.advance(0.0)).await?;
        let tally = read_storage(cx, &station).await?;
        finish(cx, &station, &tally).await?;
        sessions::regroup(cx, &station, REGROUP_STAGE).await?;
        Ok(Outcome::Done)
    }
}

/// Makes captures of everything in the station's storage.
async fn read_storage(cx: &JobContext, station: &Station) -> anyhow::Result<Tally> {
    let store = &cx.tools.store;
    let Some(source) = station.source_id else {
        bail!("Deployment must have a data source to sync captures from");
    };
    let row = store.source(source).await?;
    let pattern = Pattern::new(station.source_regex.as_deref().unwrap_or_default())
        .map_err(|wrong| anyhow::anyhow!("The station's pattern cannot be read: {wrong}"))?;
    let prefix = Source::prefix(&row, station.source_subdir.as_deref().unwrap_or_default());
    let place = Source::open(&row, &cx.tools.links.vault())
        .map_err(|error| anyhow::anyhow!("The storage \"{}\": {error}", row.name))?;
    cx.info(format!(
        "Looking for captures of station #{} {} in \"{}\", below \"/{prefix}\"",
        station.id, station.name, row.name
    ));
    let before = station.source_total_files.unwrap_or(0).max(0) as u64;
    let mut tally = Tally::default();
    let mut pages = place.pages(&prefix, None).await.map_err(|e| broken(&e))?;
    loop {
        cx.check()?;
        let page = tokio::select! {
            page = pages.next(PAGE) => page.map_err(|e| broken(&e))?,
            () = cx.stop.cancelled() => return Err(crate::context::Stopped.into()),
        };
        let Some(page) = page else { break };
        let wanted = page.iter().filter(|entry| is_wanted(entry, &pattern));
        let new: Vec<NewCapture> = wanted
            .filter_map(|entry| tally.capture(cx, entry))
            .collect();
        store.write_captures(station, &new).await?;
        show(cx, station, &tally, before).await?;
    }
    Ok(tally)
}

/// A listing that breaks off.
fn broken(error: &files::BucketError) -> anyhow::Error {
    anyhow::anyhow!("The storage cannot be listed ({}): {error}", error.code)
}

/// Whether an object is a photograph that the station asks for.
fn is_wanted(entry: &Entry, pattern: &Pattern) -> bool {
    is_image_key(&entry.key)
        && !entry.key.ends_with('/')
        && entry.size > 0
        && pattern.finds(&entry.key)
}

impl Tally {
    /// Counts an object and makes a capture of it, unless its name tells no time.
    fn capture(&mut self, cx: &JobContext, entry: &Entry) -> Option<NewCapture> {
        self.files += 1;
        self.bytes += entry.size;
        let Some(taken_at) = timestamp::from_file_name(&entry.key) else {
            self.failed += 1;
            if self.failed <= NAMED {
                cx.error(format!(
                    "{} has no time in its name and was left out",
                    entry.key
                ));
            }
            return None;
        };
        if taken_at.year() < EARLIEST_YEAR {
            self.early += 1;
            if self.early <= NAMED {
                cx.warn(format!(
                    "{} is dated {taken_at}: was the camera's clock set?",
                    entry.key
                ));
            }
        }
        Some(NewCapture {
            path: entry.key.clone(),
            taken_at: Some(taken_at),
            size: i64::try_from(entry.size).ok(),
            last_modified_at: Some(entry.last_modified),
            checksum: entry
                .etag
                .as_ref()
                .map(|tag| tag.trim_matches('"').to_owned()),
            checksum_algorithm: None,
            width: None,
            height: None,
        })
    }
}

/// Shows what has been found, on the station and on the job.
async fn show(
    cx: &JobContext,
    station: &Station,
    tally: &Tally,
    before: u64,
) -> anyhow::Result<()> {
    let files = i64::try_from(tally.files).unwrap_or(i64::MAX);
    let bytes = i64::try_from(tally.bytes).unwrap_or(i64::MAX);
    cx.tools
        .store
        .update_source_totals(station.id, files, bytes, Utc::now())
        .await?;
    // How much there is nobody knows; at least as much as last time, and a page more.
    let expected = before.max(tally.files + PAGE as u64);
    let share = tally.files as f64 / expected as f64;
    cx.stage(SYNC, |s| {
        s.set("Total files", tally.files);
        s.set("Failed", tally.failed);
        s.advance(share.min(0.99));
    })
    .await
}

/// Counts the station's captures and ends the stage.
async fn finish(cx: &JobContext, station: &Station, tally: &Tally) -> anyhow::Result<()> {
    let store = &cx.tools.store;
    store.refresh_station(station.id).await?;
    let held = store.station(station.id).await?.captures_count;
    let unnamed = tally.failed.saturating_sub(NAMED);
    if unnamed > 0 {
        cx.error(format!(
            "{unnamed} more files have no time in their names and were left out"
        ));
    }
    let kept = tally.files - tally.failed;
    if i64::try_from(kept).unwrap_or(i64::MAX) != held {
        cx.warn(format!(
            "The storage holds {kept} captures of this station, the station has {held}: captures \
             that are gone from the storage stay, and so do uploads"
        ));
    }
    cx.info(format!(
        "Found {} files, {} of them without a time in their names",
        tally.files, tally.failed
    ));
    cx.stage(SYNC, |s| {
        s.set("Total files", tally.files);
        s.set("Failed", tally.failed);
        s.end(JobState::Success);
    })
    .await
}
