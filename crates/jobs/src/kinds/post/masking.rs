//! Task `class_masking`: a classifier may name only the taxa of a list; what it said of others is
//! decided anew among these.

use domain::post::{MASKING, Request, Task};
use store::post::Work;

use super::{PostTask, mixed_up, must_have_scores};
use crate::context::JobContext;

/// Task `class_masking`.
pub struct Masking;

#[async_trait::async_trait]
impl PostTask for Masking {
    fn key(&self) -> &'static str {
        MASKING
    }

    async fn prepare(&self, cx: &JobContext, request: &Request) -> anyhow::Result<Work> {
        let Task::Masking {
            list,
            algorithm,
            reweight,
        } = request.task
        else {
            return Err(mixed_up(&request.task));
        };
        let mask = cx.tools.store.mask(list, algorithm, reweight).await?;
        must_have_scores(cx, request.scope, algorithm, true).await?;
        cx.info(format!(
            "The taxa list {list} leaves {} of the {} labels of \"{}\"",
            mask.included(),
            mask.classifier.len(),
            mask.classifier.algorithm.name
        ));
        Ok(Work::Masking(mask))
    }

    fn told(&self, counts: &[u64]) -> String {
        let [total, checked, masked, updated] = counts else {
            return String::new();
        };
        format!(
            "{masked} of {total} classifications masked, {checked} checked, {updated} occurrences \
             determined anew"
        )
    }
}
