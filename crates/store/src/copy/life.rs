//! Who works on a database, as far as that is written in it. The idea: a runner beats each second
//! for as long as it holds a job, and whoever runs jobs, also when there are none, moves on what
//! comes round each minute. Who only serves pages leaves no sign until it writes.

use chrono::TimeDelta;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use crate::connection::{Store, StoreResult, now};
use crate::entity::schedule;
use crate::job::hands::RunnerSeen;

/// A younger beat is of somebody who lives.
const BEAT: TimeDelta = TimeDelta::seconds(30);
/// What comes round each minute.
const MINUTELY: &str = "* * * * *";

impl Store {
    /// Who works on this database, in words, where somebody does.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn worked_on(&self) -> StoreResult<Option<&'static str>> {
        let at = now();
        let lives = |runner: &RunnerSeen| runner.beat_at.is_some_and(|beat| at - beat < BEAT);
        if self.runners().await?.iter().any(lives) {
            return Ok(Some("a process runs jobs on it"));
        }
        let moved_on = schedule::Entity::find()
            .filter(schedule::Column::Upkeep.is_not_null())
            .filter(schedule::Column::Cron.eq(MINUTELY))
            .filter(schedule::Column::NextAt.gt(at))
            .one(&self.db)
            .await?;
        let words = "a process that runs jobs was at work on it within the last minute";
        Ok(moved_on.map(|_| words))
    }
}
