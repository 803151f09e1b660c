//! What a job would find before somebody starts it. The idea: how many captures a scope has is
//! kept; how many of them a pipeline has left to do is counted page by page as the job itself
//! would, within bounds, and says how far it has looked.

use std::time::{Duration, Instant};

use sea_orm::{EntityTrait, PaginatorTrait};

use super::{Scope, capture};
use crate::connection::{Store, StoreResult};
use crate::entity::{capture_set, station};
use crate::pipeline::Algorithm;

/// Captures looked at by one query.
const PAGE: u64 = 1000;

/// How far a look ahead goes.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// At most so many captures, in whole pages of a thousand.
    pub captures: u64,
    /// No further page after this time.
    pub time: Duration,
}

/// What a look ahead found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ahead {
    /// Captures of the scope, as they are kept.
    pub captures: u64,
    /// Captures that were looked at: all of them, unless a bound was met.
    pub looked_at: u64,
    /// Those of them that the pipeline has not fully processed.
    pub left: u64,
    /// Whether no capture was left out.
    pub whole: bool,
}

impl Store {
    /// How many captures a scope holds, by the counts that are kept.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn scope_size(&self, scope: &Scope) -> StoreResult<u64> {
        let kept = match scope {
            Scope::Set(id) => {
                let set = capture_set::Entity::find_by_id(*id).one(&self.db).await?;
                set.map(|set| set.captures_count)
            }
            Scope::Station(id) => {
                let station = station::Entity::find_by_id(*id).one(&self.db).await?;
                station.map(|station| station.captures_count)
            }
            Scope::Single(id) => {
                let count = capture::Entity::find_by_id(*id).count(&self.db).await?;
                return Ok(count);
            }
        };
        Ok(kept.unwrap_or_default().max(0).unsigned_abs())
    }

    /// How many captures of a scope a pipeline with these algorithms has left to do.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn look_ahead(
        &self,
        scope: &Scope,
        algorithms: &[Algorithm],
        bounds: Bounds,
    ) -> StoreResult<Ahead> {
        let mut ahead = Ahead {
            captures: self.scope_size(scope).await?,
            ..Ahead::default()
        };
        let began = Instant::now();
        let mut after = i64::MIN;
        while ahead.looked_at < bounds.captures {
            let ids = self.capture_ids_after(scope, after, PAGE).await?;
            let count = ids.len() as u64;
            let left = self.needing_processing(&ids, algorithms).await?;
            ahead.looked_at += count;
            ahead.left += left.len() as u64;
            after = ids.last().copied().unwrap_or(after);
            if count < PAGE {
                ahead.whole = true;
                break;
            }
            if began.elapsed() >= bounds.time {
                break;
            }
        }
        if ahead.whole {
            ahead.captures = ahead.looked_at;
        }
        Ok(ahead)
    }
}
