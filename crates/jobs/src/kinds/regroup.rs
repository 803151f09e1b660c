//! Grouping a station's captures into sessions (`domain-rules.md` §4). One job at a time works
//! on a station; the lock is void after a while, so a crash cannot leave it behind.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use anyhow::Context;
use domain::job::REGROUP;
use domain::session::gap;
use domain::state::JobState;

use crate::context::JobContext;
use crate::kind::{JobKind, Outcome};

/// How long the lock holds without being renewed.
const LOCK: chrono::Duration = chrono::Duration::minutes(10);

/// Kind `regroup_events`.
pub struct Regroup;

#[async_trait::async_trait]
impl JobKind for Regroup {
    fn key(&self) -> &'static str {
        REGROUP
    }

    async fn run(&self, cx: &JobContext) -> anyhow::Result<Outcome> {
        let store = &cx.tools.store;
        let id = cx.job.station_id.context("the job has no station")?;
        let station = store.station(id).await?;
        let project = store.project(cx.job.project_id).await?;
        let gap = gap(Some(project.session_time_gap_seconds.into()));
        let label = format!("#{} {}", station.id, station.name);

        let holder = format!("job {}", cx.job.id);
        wait_for_lock(cx, id, &holder).await?;
        cx.info(format!("Regrouping captures for station {label}"));
        cx.stage(REGROUP, |s| s.advance(0.05)).await?;
        let share = AtomicU64::new(0);
        let work = store.regroup(id, gap, |done| share.store(done.to_bits(), Relaxed));
        let stats = tokio::select! {
            stats = work => stats,
            failed = watch(cx, id, &holder, &share) => {
                store.unlock_regroup(id, &holder).await?;
                return Err(failed);
            }
        };
        store.unlock_regroup(id, &holder).await?;
        let stats = stats?;
        let sessions = store.station(id).await?.sessions_count;
        cx.info(format!(
            "Station {label} now has {sessions} sessions after regrouping."
        ));
        cx.stage(REGROUP, |s| {
            for (name, _key, value) in stats.params() {
                s.set(name, value);
            }
            s.end(JobState::Success);
        })
        .await?;
        Ok(Outcome::Done)
    }
}

/// Shows how far the work is and keeps the lock, until the job must stop.
async fn watch(cx: &JobContext, station: i64, holder: &str, share: &AtomicU64) -> anyhow::Error {
    loop {
        let tick = async {
            cx.sleep(Duration::from_secs(2)).await?;
            cx.tools.store.lock_regroup(station, holder, LOCK).await?;
            let done = f64::from_bits(share.load(Relaxed));
            cx.stage(REGROUP, |s| s.advance(done.min(0.99))).await
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
