//! Task `rank_rollup`: where no species reaches the threshold, the genus or family is named whose
//! species reach it together.

use domain::post::{ROLL_UP, Request, Task};
use store::post::Work;

use super::{PostTask, mixed_up, must_have_scores};
use crate::context::JobContext;

/// Task `rank_rollup`.
pub struct RankRollup;

#[async_trait::async_trait]
impl PostTask for RankRollup {
    fn key(&self) -> &'static str {
        ROLL_UP
    }

    async fn prepare(&self, cx: &JobContext, request: &Request) -> anyhow::Result<Work> {
        let Task::RollUp {
            algorithm,
            threshold,
            ranks,
        } = &request.task
        else {
            return Err(mixed_up(&request.task));
        };
        let store = &cx.tools.store;
        let rollup = store.roll_up(*algorithm, *threshold, ranks).await?;
        must_have_scores(cx, request.scope, *algorithm, false).await?;
        cx.info(format!(
            "Classifications of \"{}\" below {threshold} are rolled up to {}",
            rollup.classifier.algorithm.name,
            ranks.join(", ")
        ));
        Ok(Work::RollUp(rollup))
    }

    fn told(&self, counts: &[u64]) -> String {
        let [total, checked, rolled, updated] = counts else {
            return String::new();
        };
        format!(
            "{rolled} of {total} classifications rolled up, {checked} checked, {updated} \
             occurrences determined anew"
        )
    }
}
