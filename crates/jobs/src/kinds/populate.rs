//! Filling a capture set by its method (`domain-rules.md` §5). Chance follows from the setting
//! `seed`, or from the job: a run that was cut off chooses the same captures when it goes on.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use anyhow::Context;
use chrono::NaiveDate;
use domain::job::{POPULATE, TODAY};
use domain::sampling::{Filter, Method, Plan, last_nights};
use domain::state::JobState;
use store::capture_set::CaptureSet;

use crate::context::JobContext;
use crate::kind::{JobKind, Outcome};

/// Kind `populate_captures_collection`.
pub struct Populate;

#[async_trait::async_trait]
impl JobKind for Populate {
    fn key(&self) -> &'static str {
        POPULATE
    }

    async fn run(&self, cx: &JobContext) -> anyhow::Result<Outcome> {
        let id = cx
            .job
            .capture_set_id
            .context("the job has no capture set")?;
        let set = cx.tools.store.capture_set(id).await?;
        let label = format!("#{} {}", set.id, set.name);
        cx.info(format!("Populating capture set {label}"));
        cx.stage(POPULATE, |s| s.advance(0.1)).await?;
        let count = fill(cx, &set).await?;
        cx.info(format!("Added {count} captures to capture set {label}"));
        cx.stage(POPULATE, |s| {
            s.set("Captures added", count);
            s.end(JobState::Success);
        })
        .await?;
        Ok(Outcome::Done)
    }
}

/// Gives the set what its method chooses; returns how many captures it holds then.
async fn fill(cx: &JobContext, set: &CaptureSet) -> anyhow::Result<u64> {
    let store = &cx.tools.store;
    let none = serde_json::Map::new();
    let settings = set.kwargs.as_object().unwrap_or(&none);
    let mut plan = Plan::read(&set.method, settings, cx.job.id.cast_unsigned())?;
    if let Some(nights) = plan.filter.last_nights {
        let today = today(cx);
        let (from, to) = last_nights(today, nights);
        cx.info(format!("Captures are taken from {from} until before {to}"));
        plan.filter.on(today);
    }
    if plan.method == Method::Full && plan.filter == Filter::default() {
        return Ok(store.populate_full(set.id).await?);
    }
    if plan.draws() && !settings.contains_key("seed") {
        cx.info(format!(
            "Captures are drawn with the seed {}; the setting \"seed\" draws the same again",
            plan.seed
        ));
    }
    let passed = AtomicU64::new(0);
    let chosen = tokio::select! {
        chosen = store.sample(set, plan, |count| passed.store(count, Relaxed)) => chosen?,
        stopped = watch(cx, set, &passed) => return Err(stopped),
    };
    cx.check()?;
    Ok(store.replace_members(set.id, &chosen).await?)
}

/// The day from which the last nights are counted: the one on which the run was asked for, so that
/// a run that goes on behind midnight means the same nights. Whoever asked has written down the
/// date on their clock; else it is that of UTC.
fn today(cx: &JobContext) -> NaiveDate {
    let written = cx.job.params.get(TODAY).and_then(|day| day.as_str());
    let written = written.and_then(|day| day.parse().ok());
    let asked = cx.job.scheduled_at.unwrap_or(cx.job.created_at);
    written.unwrap_or_else(|| asked.date_naive())
}

/// Shows how many captures have passed, until the job must stop.
async fn watch(cx: &JobContext, set: &CaptureSet, passed: &AtomicU64) -> anyhow::Error {
    loop {
        let tick = async {
            cx.sleep(Duration::from_secs(1)).await?;
            let all = cx.tools.store.project_captures(set.project_id).await?;
            let share = passed.load(Relaxed) as f64 / all.max(1) as f64;
            cx.stage(POPULATE, |s| s.advance(0.1 + 0.7 * share.min(1.0)))
                .await
        };
        if let Err(error) = tick.await {
            return error;
        }
    }
}
