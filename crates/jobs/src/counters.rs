//! Counters that are counted again: of projects whose default filters changed, and of jobs that the
//! caretaker ended because others had left them; and the database's own of its tables. The idea: it
//! is a duty that one process at a time has, page by page and for a share of the time, so nothing
//! that must happen each second waits for it, however large a project is.

use std::time::{Duration, Instant};

use store::recount::Subject;
use store::{Store, StoreResult};
use tokio_util::sync::CancellationToken;

use crate::Tools;

/// The duty that one process at a time has.
const DUTY: &str = "counters";
/// For how long a process has it before another one may take it over: two who count the same count
/// alike.
const HOLD: Duration = Duration::from_secs(5);
/// After this time no further page of projects, or of jobs, is begun.
const SHARE: Duration = Duration::from_millis(500);

/// Works on it until `stop` fires.
pub async fn run(tools: Tools, stop: CancellationToken) {
    loop {
        let look = async {
            if let Err(error) = step(&tools).await {
                tracing::warn!(%error, "counters could not be counted again");
            }
            if let Err(error) = look_at_grown_tables(&tools).await {
                tracing::warn!(%error, "statistics of the database could not be renewed");
            }
            tokio::time::sleep(tools.pace.care).await;
        };
        tokio::select! {
            () = stop.cancelled() => return,
            () = look => {}
        }
    }
}

/// A job's first batches make tables grow from nothing: their rows are to be found as in large ones.
async fn look_at_grown_tables(tools: &Tools) -> StoreResult<()> {
    let looked = tools.store.analyse_grown_tables().await?;
    if !looked.is_empty() {
        tracing::debug!(tables = ?looked, "statistics of grown tables were renewed");
    }
    Ok(())
}

/// Counts some pages of what is due, unless another process does; false where nothing is to do here.
///
/// # Errors
/// Errors of the store.
pub async fn step(tools: &Tools) -> StoreResult<bool> {
    let store = &tools.store;
    let mut due = false;
    for subject in Subject::ALL {
        due = due || store.next_recount(subject, 0).await?.is_some();
    }
    if !due {
        return Ok(false);
    }
    let Some(turn) = store.take_duty(DUTY, HOLD).await? else {
        return Ok(false);
    };
    let counted = count_all(store).await;
    store.end_duty(turn, 0, Duration::ZERO).await?;
    counted.map(|()| true)
}

async fn count_all(store: &Store) -> StoreResult<()> {
    for subject in Subject::ALL {
        count(store, subject).await?;
    }
    Ok(())
}

/// What cannot be counted keeps none of the others waiting.
async fn count(store: &Store, subject: Subject) -> StoreResult<()> {
    let (began, mut behind) = (Instant::now(), 0);
    while began.elapsed() < SHARE {
        let Some(due) = store.next_recount(subject, behind).await? else {
            break;
        };
        if let Err(error) = store.recount_page(due).await {
            let error = error.of_one()?;
            tracing::warn!(?due, %error, "a page could not be counted again");
            behind = due.id;
        }
    }
    Ok(())
}
