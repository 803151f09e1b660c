//! Upkeep: what the server does for itself again and again, by one process for all. The idea: it
//! comes round in the table of schedules as people's chains do, so it is made up once after a time
//! without any process, and nobody leads.

use domain::schedule::Rhythm;
use store::{StoreError, StoreResult};
use tokio_util::sync::CancellationToken;

use crate::{Tools, health};

/// A piece of upkeep: its key in the table, and when it comes round on the clock of UTC.
struct Piece {
    key: &'static str,
    cron: &'static str,
}

/// Whether push services live.
pub const HEALTH: &str = "service_health";
/// What has expired is deleted.
pub const EXPIRED: &str = "expired";
/// Logs of old jobs are deleted, where that is set.
pub const LOGS: &str = "old_logs";

/// Who is to be told that no worker was heard of is written down.
pub const SILENCE: &str = "no_worker";

/// All of it.
const PIECES: &[Piece] = &[
    Piece {
        key: HEALTH,
        cron: "*/5 * * * *",
    },
    Piece {
        key: EXPIRED,
        cron: "17 * * * *",
    },
    Piece {
        key: SILENCE,
        cron: "* * * * *",
    },
    Piece {
        key: LOGS,
        cron: "43 3 * * *",
    },
];

/// Does what is due, until `stop` fires. An error is traced, and the next time tries again.
pub async fn run(tools: Tools, stop: CancellationToken) {
    let mut noted = false;
    loop {
        let look = async {
            if !noted {
                noted = note(&tools).await.is_ok();
            }
            if let Err(error) = round(&tools).await {
                tracing::warn!(%error, "upkeep could not be done");
            }
            tokio::time::sleep(tools.pace.care).await;
        };
        tokio::select! {
            () = stop.cancelled() => return,
            () = look => {}
        }
    }
}

/// Notes every piece in the table; a new one is due at once.
///
/// # Errors
/// Errors of the store.
pub async fn note(tools: &Tools) -> StoreResult<()> {
    for piece in PIECES {
        tools.store.note_upkeep(piece.key, piece.cron).await?;
    }
    Ok(())
}

/// Does what is due and nobody else has taken.
///
/// # Errors
/// Errors of the store.
pub async fn round(tools: &Tools) -> StoreResult<()> {
    for seen in tools.store.due_upkeep().await? {
        let key = seen.upkeep.as_deref();
        let Some(piece) = PIECES.iter().find(|piece| Some(piece.key) == key) else {
            continue; // of another version of the program
        };
        let rhythm = Rhythm::read(piece.cron, "UTC");
        let rhythm = rhythm.map_err(|wrong| StoreError::Unreadable(wrong.to_string()))?;
        if tools.store.take_upkeep(&seen, &rhythm).await? {
            perform(tools, piece.key).await?;
        }
    }
    Ok(())
}

async fn perform(tools: &Tools, key: &str) -> StoreResult<()> {
    match key {
        HEALTH => health::round(tools).await,
        EXPIRED => {
            let gone = tools.store.sweep_expired().await?;
            let mut told = 0;
            loop {
                match tools.store.prune_deliveries().await? {
                    0 => break,
                    rows => told += rows,
                }
            }
            tracing::debug!(gone, told, "deleted what had expired");
            Ok(())
        }
        SILENCE => {
            let told = tools.store.tell_of_silence().await?;
            if told > 0 {
                tracing::info!(told, "somebody is told that no worker was heard of");
            }
            Ok(())
        }
        _ => {
            let Some(days) = tools.pace.log_days else {
                return Ok(());
            };
            let mut gone = 0;
            loop {
                match tools.store.prune_logs(days).await? {
                    0 => break,
                    lines => gone += lines,
                }
            }
            tracing::info!(gone, days, "deleted lines of old logs");
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::PIECES;
    use domain::schedule::Rhythm;

    #[test]
    fn every_piece_comes_round() {
        for piece in PIECES {
            assert!(Rhythm::read(piece.cron, "UTC").is_ok(), "{}", piece.key);
        }
    }
}
