//! Putting a station's captures into sessions (`domain-rules.md` §4), as one stage of a job. One
//! job at a time works on a station; its lock is void when its claim is, so a crash cannot leave it
//! behind.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use domain::session::gap;
use domain::state::JobState;
use files::{Source, picture};
use store::capture::Capture;
use store::station::{Station, regroup};

use crate::context::{JobContext, Stopped};

/// How long the lock holds without being renewed.
const LOCK: chrono::Duration = chrono::Duration::minutes(10);
/// Bytes of a photograph in which its size stands, behind whatever its camera wrote before.
const HEAD: u64 = 512 * 1024;

/// Groups the station's captures and ends the stage.
pub(super) async fn regroup(
    cx: &JobContext,
    station: &Station,
    stage: &'static str,
) -> anyhow::Result<()> {
    let store = &cx.tools.store;
    let project = store.project(cx.job.project_id).await?;
    let gap = gap(Some(project.session_time_gap_seconds.into()));
    let label = format!("#{} {}", station.id, station.name);
    let holder = regroup::holder(&cx.fence);
    wait_for_lock(cx, station.id, &holder).await?;
    cx.info(format!("Regrouping captures for station {label}"));
    cx.stage(stage, |s| s.advance(0.05)).await?;
    let share = AtomicU64::new(0);
    let work = async {
        let stats = store
            .regroup(station.id, gap, |done| share.store(done.to_bits(), Relaxed))
            .await?;
        measure(cx, station).await?;
        anyhow::Ok(stats)
    };
    let stats = tokio::select! {
        stats = work => stats,
        failed = watch(cx, station.id, &holder, &share, stage) => Err(failed),
    };
    store.unlock_regroup(station.id, &holder).await?;
    let stats = stats?;
    let sessions = store.station(station.id).await?.sessions_count;
    cx.info(format!(
        "Station {label} now has {sessions} sessions after regrouping."
    ));
    cx.stage(stage, |s| {
        for (name, _key, value) in stats.params() {
            s.set(name, value);
        }
        s.end(JobState::Success);
    })
    .await
}

/// Shows how far the work is and keeps the lock, until the job must stop.
async fn watch(
    cx: &JobContext,
    station: i64,
    holder: &str,
    share: &AtomicU64,
    stage: &'static str,
) -> anyhow::Error {
    loop {
        let tick = async {
            cx.sleep(Duration::from_secs(2)).await?;
            if !cx.tools.store.lock_regroup(station, holder, LOCK).await? {
                return Err(Stopped.into()); // another claim of this job is at it
            }
            let done = f64::from_bits(share.load(Relaxed));
            cx.stage(stage, |s| s.advance(done.min(0.99))).await
        };
        if let Err(error) = tick.await {
            return error;
        }
    }
}

async fn wait_for_lock(cx: &JobContext, station: i64, holder: &str) -> anyhow::Result<()> {
    let mut said = false;
    while !cx.tools.store.lock_regroup(station, holder, LOCK).await? {
        if !said {
            cx.warn("Another job regroups this station now; waiting for it to end");
            said = true;
        }
        cx.sleep(Duration::from_secs(1)).await?;
    }
    Ok(())
}

/// Measures one photograph of each session in which some have not been measured. What cannot be
/// read is no reason to fail: sessions are right without it.
async fn measure(cx: &JobContext, station: &Station) -> anyhow::Result<()> {
    let store = &cx.tools.store;
    let sessions = store.unmeasured_sessions(station.id).await?;
    if sessions.is_empty() {
        return Ok(());
    }
    let source = source(cx, station).await?;
    for session in sessions {
        cx.check()?;
        let Some(capture) = store.measure_of_session(session).await? else {
            continue;
        };
        let known = capture.width.zip(capture.height);
        let size = match (known, &source) {
            (Some(size), _) => Some(size),
            (None, Some(source)) => read_size(cx, source, &capture).await,
            (None, None) => None,
        };
        if let Some((width, height)) = size {
            store.set_session_dimensions(session, width, height).await?;
        }
    }
    Ok(())
}

/// The storage of a station, where it has one that can be asked.
async fn source(cx: &JobContext, station: &Station) -> anyhow::Result<Option<Source>> {
    let Some(id) = station.source_id else {
        return Ok(None);
    };
    let row = cx.tools.store.source(id).await?;
    match Source::open(&row, &cx.tools.links.vault()) {
        Ok(source) => Ok(Some(source)),
        Err(error) => {
            cx.warn(format!(
                "The size of photographs cannot be read from the storage: {error}"
            ));
            Ok(None)
        }
    }
}

/// Width and height of a photograph in pixels.
async fn read_size(cx: &JobContext, source: &Source, capture: &Capture) -> Option<(i32, i32)> {
    let warn = |why: String| {
        cx.warn(format!(
            "The size of {} cannot be read: {why}",
            capture.path
        ));
    };
    let bytes = match source.head_of(&capture.path, HEAD).await {
        Ok(bytes) => bytes,
        Err(error) => {
            warn(error.to_string());
            return None;
        }
    };
    match picture::dimensions(&bytes) {
        Ok((width, height)) => i32::try_from(width).ok().zip(i32::try_from(height).ok()),
        Err(error) => {
            warn(error.to_string());
            None
        }
    }
}
