//! Schedules: begins those that are due and moves their chains on. The idea: the store decides who
//! begins what, in one guarded transaction each, so every caretaker may look at all of them, and
//! one that cannot be read holds up none of the others.

use queue::Changed;
use store::schedule::Begun;
use store::{StoreError, StoreResult};

use crate::Tools;

/// One look at all schedules.
///
/// # Errors
/// Errors of the store that concern all of them.
pub async fn round(tools: &Tools) -> StoreResult<()> {
    // First what goes on: what ends may be due again.
    for run in tools.store.going_runs().await? {
        took(tools, run, tools.store.advance_run(run).await);
    }
    for seen in tools.store.due_schedules().await? {
        took(tools, seen.id, tools.store.begin_due(&seen).await);
    }
    Ok(())
}

/// Wakes runners for the jobs that were made.
fn took(tools: &Tools, id: i64, begun: Result<Option<Begun>, StoreError>) {
    let begun = match begun {
        Ok(Some(begun)) => begun,
        Ok(None) => return,
        Err(error) => {
            tracing::warn!(id, %error, "a schedule cannot go on");
            return;
        }
    };
    if let Some(why) = &begun.run.detail {
        tracing::warn!(schedule = begun.run.schedule_id, why, "a schedule ended");
    }
    for job in &begun.jobs {
        tracing::info!(schedule = begun.run.schedule_id, job.id, "a schedule began");
        tools.bus.publish(Changed {
            job: job.id,
            waiting: true,
        });
    }
}
