//! The caretaker: sees that every job ends. Each of its actions is a guarded write that any
//! process may do at any time, so every worker process runs one and none of them leads
//! (`architecture.md` §6, `protocol.md` §2: rescue, finalise, dead letter).

use domain::job::DispatchMode;
use domain::metric;
use queue::{Changed, QueueError};
use store::log::Level;
use store::result::{Batch, Outcome};
use store::{StoreError, StoreResult};
use tokio_util::sync::CancellationToken;

use crate::{Tools, schedules};

/// Dead letters written down at once.
const LETTERS: u64 = 500;

/// Steps of a recount in one round: a second's work or less.
const STEPS: usize = 5;

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

/// One look at all jobs that may need help.
///
/// # Errors
/// Errors of the store.
pub async fn round(tools: &Tools) -> StoreResult<()> {
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
    for id in tools.store.jobs_to_finalise().await? {
        bury(tools, id).await?;
        if let Some(job) = tools.store.finalise_job(id).await? {
            announce(tools, id, false);
            tools.let_go(&job).await;
            // What a killed process left uncounted is counted now.
            tools.store.refresh_counters_of_job(&job).await?;
        }
    }
    for job in tools.store.fail_hopeless_jobs().await? {
        announce(tools, job.id, false);
        tools.let_go(&job).await;
        tools.store.refresh_counters_of_job(&job).await?;
    }
    match tools.queue.care().await {
        Ok(changed) => changed
            .into_iter()
            .for_each(|id| announce(tools, id, false)),
        Err(QueueError::Store(error)) => return Err(error),
        // Its jobs wait until it answers again; that the connection is lost was told.
        Err(error) => tracing::debug!(%error, "the queue cannot be looked after"),
    }
    let quiet = chrono::Duration::from_std(tools.pace.quiet).unwrap_or_default();
    for job in tools.store.start_due_regroups(quiet).await? {
        announce(tools, job.id, true);
    }
    schedules::round(tools).await?;
    for _ in 0..STEPS {
        if !tools.store.recount_step().await? {
            break;
        }
    }
    Ok(())
}

/// Writes down as failed what was handed out as often as allowed and never answered.
async fn bury(tools: &Tools, id: i64) -> StoreResult<()> {
    let job = match tools.store.job(id).await {
        Err(StoreError::NotFound(_)) => return Ok(()),
        job => job?,
    };
    let (Some(pipeline), DispatchMode::AsyncApi) = (job.pipeline_id, job.dispatch()) else {
        return Ok(());
    };
    let row = tools.store.pipeline(pipeline).await?;
    let config = tools.store.pipeline_config(job.project_id, &row).await?;
    let most = tools.pace.leases.overlaid(&config).deliveries;
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
