//! Running an ML pipeline over captures: choose them, feed them, have them processed
//! (`domain-rules.md` §6, `processing-service.md` §5). The idea: choosing and feeding are the
//! same however the images reach the services; pushing is a runner that leases from the same
//! queue as remote workers would, so a crash costs nothing in either way.

mod collect;
mod push;
mod send;

use std::time::Duration;

use anyhow::Context;
use domain::job::{COLLECT_STAGE, DELAY_STAGE, DispatchMode, ML};
use domain::state::JobState;
use store::origin::{Origin, SPANS};
use store::pipeline::Pipeline;
use store::service::is_online;

use crate::context::JobContext;
use crate::kind::{JobKind, Outcome};

/// A step of the run that may be exported.
macro_rules! step {
    ($name:literal) => {
        tracing::info_span!(target: SPANS, $name)
    };
}

/// Kind `ml`.
pub struct Ml;

#[async_trait::async_trait]
impl JobKind for Ml {
    fn key(&self) -> &'static str {
        ML
    }

    async fn run(&self, cx: &JobContext) -> anyhow::Result<Outcome> {
        Origin::within(step!("delay"), delay(cx)).await?;
        let pipeline = cx.job.pipeline_id;
        let pipeline = pipeline.context("No pipeline specified to process images in ML job")?;
        let pipeline = cx.tools.store.pipeline(pipeline).await;
        let pipeline = pipeline.context("the pipeline does not exist any more")?;
        if cx.job.total.is_none() {
            Origin::within(step!("feed"), feed(cx, &pipeline)).await?;
        }
        if cx.job.dispatch() != DispatchMode::AsyncApi {
            push::drain(cx, &pipeline).await?;
        }
        Ok(Outcome::Waiting)
    }
}

/// Chooses the captures and feeds them page by page, from where an earlier run was cut off.
async fn feed(cx: &JobContext, pipeline: &Pipeline) -> anyhow::Result<()> {
    let chosen = collect::choose(cx, pipeline).await?;
    let (total, limited) = (chosen.total, chosen.limited);
    cx.stage(COLLECT_STAGE, |s| {
        s.set("Total Images", total);
        if let Some(limit) = limited {
            s.set("Limit", limit);
        }
    })
    .await?;
    let release = cx.job.dispatch() == DispatchMode::AsyncApi;
    // What the server itself works on stays in the database, with the claim that leases it.
    let job = send::begin(cx, release && cx.tools.queue.streams()).await?;
    for page in chosen.captures.chunks(1000) {
        cx.check()?;
        let Some(last) = page.last() else { continue };
        let ids: Vec<i64> = page.iter().map(|c| c.id).collect();
        let opened = cx
            .tools
            .store
            .feed_page(&cx.fence, &ids, last.place)
            .await?;
        if job.in_stream {
            send::page(cx, &job, &ids, last.place).await?;
        }
        tracing::debug!(job.id = cx.job.id, opened, "fed a page");
        cx.changed();
    }
    cx.stage(COLLECT_STAGE, |s| s.end(JobState::Success))
        .await?;
    if release {
        wait_for_workers(cx, pipeline).await?;
        cx.log.flush().await;
    }
    cx.tools.store.feed_end(&cx.fence, release).await?;
    Ok(())
}

/// Says in the log that remote workers have the word, and how many of them are there
/// (`processing-service.md` §10).
async fn wait_for_workers(cx: &JobContext, pipeline: &Pipeline) -> anyhow::Result<()> {
    let project = cx.job.project_id;
    let services = cx.tools.store.pull_services(project, pipeline.id).await?;
    let recent = |minutes| {
        let within = chrono::Duration::minutes(minutes);
        services.iter().filter(|s| is_online(s, within)).count()
    };
    let slug = &pipeline.slug;
    cx.info(format!(
        "Waiting for workers to pick up tasks for pipeline '{slug}' ({}/{} online recently)",
        recent(5),
        services.len()
    ));
    let minute = chrono::Duration::seconds(store::service::ONLINE_SECONDS);
    let working = cx
        .tools
        .store
        .live_workers(project, pipeline.id, minute)
        .await?;
    if recent(1) == 0 && working == 0 {
        cx.warn(format!(
            "No worker for pipeline '{slug}' is online: the images wait until one asks for them"
        ));
    }
    Ok(())
}

/// Waits as long as the job asks, saying how far it is every two seconds. The moods and the
/// words are those of the recordings, which testers of clients know.
async fn delay(cx: &JobContext) -> anyhow::Result<()> {
    let Ok(seconds) = u32::try_from(cx.job.delay) else {
        return Ok(());
    };
    let done = |s: &domain::progress::Stage| s.key == DELAY_STAGE && s.progress >= 1.0;
    if seconds == 0 || cx.job.own_stages().iter().any(done) {
        return Ok(());
    }
    let mut waited = 0;
    while waited < seconds {
        let step = (seconds - waited).min(2);
        cx.sleep(Duration::from_secs(step.into())).await?;
        waited += step;
        let shown = waited - 1;
        // Once a minute is enough of a long wait.
        if waited <= 60 || waited % 60 < 2 {
            let id = cx.job.id;
            cx.info(format!(
                "Delaying job {id} for the {shown} out of {seconds} seconds"
            ));
        }
        cx.stage(DELAY_STAGE, |s| {
            s.set("Mood", "😵‍💫");
            let share = f64::from(shown) / f64::from(seconds);
            s.advance(share.max(f64::MIN_POSITIVE));
        })
        .await?;
    }
    cx.stage(DELAY_STAGE, |s| {
        s.set("Mood", "🥳");
        s.end(JobState::Success);
    })
    .await
}
