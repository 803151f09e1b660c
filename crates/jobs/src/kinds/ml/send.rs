//! Sending fed images into a queue outside of the database, after the commit that opened their
//! rows (`protocol.md` §2, feed page). The idea: a cursor of its own says how far that is, behind
//! the runner's fence, so what a dead runner opened and did not send its successor sends.

use std::time::Duration;

use queue::QueueError;
use store::job::Job;

use super::collect::place;
use crate::context::JobContext;

/// How long it is waited before a queue that does not answer is asked again.
const PAUSE: Duration = Duration::from_secs(1);
/// Open rows read at once.
const PAGE: u64 = 1000;

/// Says where the tasks of this run lie, and sends what an earlier runner of it has left unsent.
/// Returns the job's row as it is then.
pub(super) async fn begin(cx: &JobContext, wanted: bool) -> anyhow::Result<Job> {
    let job = cx.tools.store.place_tasks(&cx.fence, wanted).await?;
    if !job.in_stream {
        return Ok(job);
    }
    if !cx.tools.queue.streams() {
        anyhow::bail!("its images are in NATS, but this process was started without --nats-url");
    }
    if job.sent_cursor < job.feed_cursor {
        unsent(cx, &job).await?;
    }
    Ok(job)
}

/// Sends the rows between the two cursors.
async fn unsent(cx: &JobContext, job: &Job) -> anyhow::Result<()> {
    let mut after = i64::MIN;
    loop {
        let open = cx.tools.store.open_images(job, after, PAGE).await?;
        let Some(last) = open.last() else { break };
        after = *last;
        let between = |capture: &i64| {
            let place = place(job, *capture);
            place > job.sent_cursor && place <= job.feed_cursor
        };
        let unsent: Vec<i64> = open.into_iter().filter(between).collect();
        publish(cx, job.generation, &unsent).await?;
    }
    let store = &cx.tools.store;
    Ok(store.tasks_sent(&cx.fence, job.feed_cursor).await?)
}

/// Sends a page that was just fed, whose last place is `cursor`.
pub(super) async fn page(
    cx: &JobContext,
    job: &Job,
    captures: &[i64],
    cursor: i64,
) -> anyhow::Result<()> {
    let open = cx.tools.store.open_among(job, captures).await?;
    publish(cx, job.generation, &open).await?;
    Ok(cx.tools.store.tasks_sent(&cx.fence, cursor).await?)
}

/// Puts images into the queue, however long that does not answer: the job waits with it.
async fn publish(cx: &JobContext, generation: i64, captures: &[i64]) -> anyhow::Result<()> {
    if captures.is_empty() {
        return Ok(());
    }
    let mut told = false;
    loop {
        cx.check()?;
        let sent = cx.tools.queue.publish(cx.job.id, generation, captures);
        match sent.await {
            Ok(()) => return Ok(()),
            Err(QueueError::Nats(why)) => {
                if !std::mem::replace(&mut told, true) {
                    cx.warn(format!("Waiting for the queue: {why}"));
                }
                cx.sleep(PAUSE).await?;
            }
            Err(error) => return Err(error.into()),
        }
    }
}
