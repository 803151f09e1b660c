//! Pushing batches to processing services: lease, post, check, save, several at once. The idea:
//! whatever a service does, its batch ends as saved or as failed with the reason, and the job
//! goes on (`processing-service.md` §3, §5, §13). What becomes of one batch stands in
//! `push/batch.rs`, which service gets it in `push/choice.rs`.

mod batch;
mod choice;

use std::sync::Arc;
use std::time::{Duration, Instant};

use queue::Ask;
use store::Store;
use store::origin::{Origin, SPANS};
use store::pipeline::Pipeline;
use store::result::Saved;
use tokio::task::JoinSet;
use tracing::Instrument;

use crate::context::{JobContext, Stopped};
use batch::{Push, Returned};

/// Counters of sessions and stations are counted again this often at most.
const COUNT_EVERY: Duration = Duration::from_secs(2);
/// How often a paused job looks whether it goes on.
const PAUSED: Duration = Duration::from_millis(500);

/// Works until the job's queue is empty, then releases the job.
pub(super) async fn drain(cx: &JobContext, pipeline: &Pipeline) -> anyhow::Result<()> {
    let push = Arc::new(Push::new(cx, pipeline).await?);
    tokio::select! {
        done = work(cx, &push) => done?,
        never = push.services.watch() => match never {},
        // Whatever is with a service now is dropped with the rest.
        () = cx.stop.cancelled() => return Err(Stopped.into()),
    }
    cx.tools.store.release_job(&cx.fence).await?;
    Ok(())
}

async fn work(cx: &JobContext, push: &Arc<Push>) -> anyhow::Result<()> {
    push.services.probe().await?;
    let size = push.batch_size();
    let most = cx.tools.pace.requests_per_service.max(1) as usize;
    let mut flying: JoinSet<anyhow::Result<Returned>> = JoinSet::new();
    let mut touched = Touched::new(cx.tools.store.clone());
    loop {
        while flying.len() < most {
            let ask = Ask {
                max: size,
                ttl: push.lease(),
                max_deliveries: None,
                worker: None,
                claim: Some(cx.fence.claim_no),
            };
            let lease = cx.tools.queue.lease(cx.job.id, ask);
            let leases = lease
                .instrument(tracing::info_span!(target: SPANS, "lease"))
                .await?;
            if leases.is_empty() {
                break;
            }
            queue::handed_out(&leases);
            let images = i64::try_from(leases.len()).unwrap_or(i64::MAX);
            let batch = push.clone().batch(leases);
            let span = tracing::info_span!(target: SPANS, "batch", images);
            flying.spawn(Origin::within(span, batch));
        }
        let Some(next) = flying.join_next().await else {
            if cx.tools.store.queue_is_empty(cx.job.id).await? {
                break;
            }
            // Paused: images wait and are not handed out.
            cx.sleep(PAUSED).await?;
            continue;
        };
        let returned = next??;
        let origin = returned.origin.clone();
        origin.around(async { say(cx, &returned) }).await;
        touched.add(&returned.captures).await?;
        cx.changed();
    }
    touched.count().await
}

fn say(cx: &JobContext, returned: &Returned) {
    let Saved {
        done,
        failed,
        detections,
        classifications,
        ..
    } = returned.saved;
    for note in &returned.notes {
        cx.warn(note.as_str());
    }
    if done > 0 {
        cx.info(format!(
            "Saved {done} captures with {detections} detections and {classifications} classifications in {:.2} seconds",
            returned.seconds
        ));
    }
    if failed > 0 {
        let reason = returned.reason.as_deref().unwrap_or("no reason given");
        cx.error(format!("{failed} captures failed: {reason}"));
    }
}

/// Captures whose sessions and stations have to be counted again.
struct Touched {
    store: Store,
    captures: Vec<i64>,
    last: Instant,
}

impl Touched {
    fn new(store: Store) -> Touched {
        Touched {
            store,
            captures: Vec::new(),
            last: Instant::now(),
        }
    }

    async fn add(&mut self, captures: &[i64]) -> anyhow::Result<()> {
        self.captures.extend_from_slice(captures);
        if self.last.elapsed() >= COUNT_EVERY {
            self.count().await?;
        }
        Ok(())
    }

    async fn count(&mut self) -> anyhow::Result<()> {
        let captures = std::mem::take(&mut self.captures);
        self.store.refresh_counters(&captures).await?;
        self.last = Instant::now();
        Ok(())
    }
}
