//! The caretaker: sees that every job ends. Each of its actions is a guarded write that any
//! process may do at any time, so every worker process runs one and none of them leads
//! (`architecture.md` §6, `protocol.md` §2: rescue, finalise, dead letter). A round does a bounded
//! part of what there is, and what fails for one job keeps none of the others waiting.

use std::collections::BTreeMap;

use domain::metric;
use queue::{Changed, QueueError};
use store::StoreResult;
use store::job::life::pass_over;
use store::log::Level;
use store::result::{Batch, Outcome};
use tokio_util::sync::CancellationToken;

use crate::{Tools, schedules};

/// Dead letters of a job that are written down at once.
const LETTERS: u64 = 500;

/// Looks after all jobs until `stop` fires. An error is traced and the next round tries again.
pub async fn run(tools: Tools, stop: CancellationToken) {
    loop {
        if let Err(error) = round(&tools).await {
            tracing::warn!(%error, "the caretaker could not finish its round");
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(tools.pace.care) => {}
        }
    }
}

/// One look at all jobs that may need help. A part that fails is traced, and the others are done.
///
/// # Errors
/// Errors of the store where the database is away: then there is nothing to go on with.
pub async fn round(tools: &Tools) -> StoreResult<()> {
    done("rescue", rescue(tools).await)?;
    done("dead letters", bury_all(tools).await)?;
    done("finalise", finalise(tools).await)?;
    done("hopeless jobs", give_up(tools).await)?;
    done("queue", look_after_queue(tools).await)?;
    done("regroup", regroup(tools).await)?;
    done("schedules", schedules::round(tools).await)
}

/// What became of a part of the round.
fn done(part: &str, done: StoreResult<()>) -> StoreResult<()> {
    if let Err(error) = done {
        let error = error.of_one()?;
        tracing::warn!(part, %error, "the caretaker could not do a part of its round");
    }
    Ok(())
}

async fn rescue(tools: &Tools) -> StoreResult<()> {
    let silence = chrono::Duration::from_std(tools.pace.silence)
        .unwrap_or_else(|_| chrono::Duration::seconds(30));
    for job in tools.store.rescue_jobs(silence).await? {
        tracing::warn!(
            job.id = job.id,
            state = job.state,
            "rescued from a dead runner"
        );
        announce(tools, job.id, true);
        tools.let_go(&job).await;
    }
    Ok(())
}

/// Ends jobs of which everything is counted. What a killed process left uncounted of their sessions
/// and stations is counted by and by ([`crate::counters`]).
async fn finalise(tools: &Tools) -> StoreResult<()> {
    for id in tools.store.jobs_to_finalise().await? {
        match tools.store.finalise_left_job(id).await {
            Ok(Some(job)) => {
                announce(tools, id, false);
                tools.let_go(&job).await;
            }
            Ok(None) => {}
            Err(error) => pass_over(id, error)?,
        }
    }
    Ok(())
}

async fn give_up(tools: &Tools) -> StoreResult<()> {
    for job in tools.store.fail_hopeless_jobs().await? {
        announce(tools, job.id, false);
        tools.let_go(&job).await;
    }
    Ok(())
}

async fn look_after_queue(tools: &Tools) -> StoreResult<()> {
    match tools.queue.care().await {
        Ok(changed) => changed
            .into_iter()
            .for_each(|id| announce(tools, id, false)),
        Err(QueueError::Store(error)) => return Err(error),
        // Its jobs wait until it answers again; that the connection is lost was told.
        Err(error) => tracing::debug!(%error, "the queue cannot be looked after"),
    }
    Ok(())
}

async fn regroup(tools: &Tools) -> StoreResult<()> {
    let quiet = chrono::Duration::from_std(tools.pace.quiet).unwrap_or_default();
    for job in tools.store.start_due_regroups(quiet).await? {
        announce(tools, job.id, true);
    }
    Ok(())
}

/// Finds the jobs of which images were handed out as often as allowed and never answered. How often
/// that is, a pipeline's settings say.
async fn bury_all(tools: &Tools) -> StoreResult<()> {
    let mut by_most: BTreeMap<i32, Vec<(i64, i64)>> = BTreeMap::new();
    for used in tools.store.awaited_pipelines().await? {
        let most = tools.pace.leases.overlaid(&used.config).deliveries;
        let of = by_most.entry(most).or_default();
        of.push((used.project, used.pipeline));
    }
    for (most, of) in by_most {
        for id in tools.store.jobs_with_dead_letters(&of, most).await? {
            if let Err(error) = bury(tools, id, most).await {
                pass_over(id, error)?;
            }
        }
    }
    Ok(())
}

/// Writes down as failed what was handed out so often and never answered.
async fn bury(tools: &Tools, id: i64, most: i32) -> StoreResult<()> {
    let job = tools.store.job(id).await?;
    let Some(pipeline) = job.pipeline_id else {
        return Ok(());
    };
    let dead = tools.store.dead_letters(id, most, LETTERS).await?;
    if dead.is_empty() {
        return Ok(());
    }
    let reason = format!("no answer after {most} deliveries");
    let batch = Batch {
        job: id,
        generation: job.generation,
        pipeline,
        images: dead
            .iter()
            .filter(|t| t.generation == job.generation)
            .map(|t| (t.capture, Outcome::Failed(reason.clone())))
            .collect(),
    };
    let saved = tools.store.save_results(batch).await?;
    if saved.failed > 0 {
        metrics::counter!(metric::DEAD_LETTERS.name).increment(saved.failed.unsigned_abs());
        let text = format!("{} captures failed: {reason}", saved.failed);
        tools.store.write_log(id, &[(Level::Error, text)]).await?;
        announce(tools, id, false);
    }
    Ok(())
}

fn announce(tools: &Tools, job: i64, waiting: bool) {
    tools.bus.publish(Changed { job, waiting });
}
