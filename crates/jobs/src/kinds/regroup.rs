//! Kind `regroup_events`: a station's captures are put into sessions again (`domain-rules.md` §4).

use anyhow::Context;
use domain::job::REGROUP;

use super::sessions;
use crate::context::JobContext;
use crate::kind::{JobKind, Outcome};

/// Kind `regroup_events`.
pub struct Regroup;

#[async_trait::async_trait]
impl JobKind for Regroup {
    fn key(&self) -> &'static str {
        REGROUP
    }

    async fn run(&self, cx: &JobContext) -> anyhow::Result<Outcome> {
        let id = cx.job.station_id.context("the job has no station")?;
        let station = cx.tools.store.station(id).await?;
        sessions::regroup(cx, &station, REGROUP).await?;
        Ok(Outcome::Done)
    }
}
