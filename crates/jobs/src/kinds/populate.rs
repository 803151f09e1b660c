//! Filling a capture set by its method (`domain-rules.md` §5).

use anyhow::{Context, bail};
use domain::job::POPULATE;
use domain::state::JobState;

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
        if set.method != "full" {
            bail!(
                "capture sets of the method \"{}\" cannot be populated by this version of Hawkmoth",
                set.method
            );
        }
        let count = cx.tools.store.populate_full(id).await?;
        cx.info(format!("Added {count} captures to capture set {label}"));
        cx.stage(POPULATE, |s| {
            s.set("Captures added", count);
            s.end(JobState::Success);
        })
        .await?;
        Ok(Outcome::Done)
    }
}
