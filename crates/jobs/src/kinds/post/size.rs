//! Task `small_size_filter`: boxes that cover too little of their capture are marked as not
//! identifiable, which then is what their occurrence is.

use domain::post::{Request, SMALL_SIZE, Task};
use store::post::Work;

use super::{PostTask, mixed_up};
use crate::context::JobContext;

/// Task `small_size_filter`.
pub struct SmallSize;

#[async_trait::async_trait]
impl PostTask for SmallSize {
    fn key(&self) -> &'static str {
        SMALL_SIZE
    }

    async fn prepare(&self, _: &JobContext, request: &Request) -> anyhow::Result<Work> {
        match request.task {
            Task::SmallSize { threshold } => Ok(Work::SmallSize(threshold)),
            ref other => Err(mixed_up(other)),
        }
    }

    fn told(&self, counts: &[u64]) -> String {
        let [checked, flagged, updated] = counts else {
            return String::new();
        };
        format!("{flagged} of {checked} detections modified, {updated} occurrences determined anew")
    }
}
