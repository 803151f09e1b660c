//! Schedules: chains of jobs that come round by the clock. How a run begins stands in
//! `schedule/run.rs`, how it goes on in `schedule/chain.rs`; what the server does for itself comes
//! round in the same table (`schedule/upkeep.rs`). The idea: a schedule is due when its `next_at`
//! is past, and whoever moves that on in one guarded update, of many processes one, begins it.

use chrono::{DateTime, Utc};
use domain::permission::{Permit, Run};
use domain::schedule::{Rhythm, Step};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter,
    prelude::Json,
};

use crate::connection::{Store, StoreError, StoreResult, now};
use crate::entity::schedule::{self, Entity};

mod chain;
mod list;
mod made;
mod named;
mod run;
mod upkeep;

pub use crate::entity::schedule::Model as Schedule;
pub use crate::entity::schedule_run::Model as ScheduleRun;
pub use list::{RunJob, SCHEDULE_ORDERS, ScheduleFilter};
pub use run::{Begun, RunState};

/// What a person gives to make a schedule.
#[derive(Clone, Debug, Default)]
pub struct NewSchedule {
    /// Whose jobs it makes.
    pub project_id: i64,
    /// Name for people.
    pub name: String,
    /// When it comes round; see [`Rhythm::read`].
    pub cron: String,
    /// On which clock.
    pub time_zone: String,
    /// Its chain, not empty.
    pub steps: Vec<Step>,
    /// With whose rights it acts.
    pub owner_id: Option<i64>,
}

/// New values; `None` leaves a field as it is.
#[derive(Clone, Debug, Default)]
pub struct ScheduleChange {
    /// Name.
    pub name: Option<String>,
    /// When it comes round.
    pub cron: Option<String>,
    /// On which clock.
    pub time_zone: Option<String>,
    /// Its chain; a run that has begun keeps the one that it began with.
    pub steps: Option<Vec<Step>>,
    /// Who saves it: from now on it acts with their rights.
    pub owner_id: Option<i64>,
}

impl Schedule {
    /// The chain.
    pub fn chain(&self) -> Vec<Step> {
        serde_json::from_value(self.steps.clone()).unwrap_or_default()
    }

    /// When it comes round.
    ///
    /// # Errors
    /// [`StoreError::Unreadable`] where what is stored is no expression or no zone.
    pub fn rhythm(&self) -> StoreResult<Rhythm> {
        rhythm(&self.cron, &self.time_zone)
    }

    /// Whether it waits for somebody to resume it.
    pub fn is_paused(&self) -> bool {
        self.next_at.is_none()
    }
}

fn rhythm(cron: &str, zone: &str) -> StoreResult<Rhythm> {
    Rhythm::read(cron, zone).map_err(|wrong| StoreError::Unreadable(wrong.to_string()))
}

fn steps_json(steps: &[Step]) -> StoreResult<Json> {
    serde_json::to_value(steps).map_err(|error| StoreError::Unreadable(error.to_string()))
}

/// When something that begins to wait now comes round first.
fn first_after(cron: &str, zone: &str, at: DateTime<Utc>) -> StoreResult<Option<DateTime<Utc>>> {
    Ok(rhythm(cron, zone)?.after(at))
}

impl Store {
    /// Makes a schedule; it comes round first after now.
    ///
    /// # Errors
    /// [`StoreError::Unreadable`] for an expression or a zone that is none; errors of the
    /// database.
    pub async fn create_schedule(
        &self,
        _permit: Permit<Run>,
        new: NewSchedule,
    ) -> StoreResult<Schedule> {
        let at = now();
        let row = schedule::ActiveModel {
            project_id: Set(Some(new.project_id)),
            upkeep: Set(None),
            next_at: Set(first_after(&new.cron, &new.time_zone, at)?),
            name: Set(new.name),
            cron: Set(new.cron),
            time_zone: Set(new.time_zone),
            steps: Set(steps_json(&new.steps)?),
            owner_id: Set(new.owner_id),
            created_at: Set(at),
            updated_at: Set(at),
            ..Default::default()
        };
        let tx = self.write().await?;
        let made = row.insert(&*tx).await?;
        tx.commit().await?;
        Ok(made)
    }

    /// The schedule with this id. Upkeep is nobody's, and not found.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], or an error of the database.
    pub async fn schedule(&self, id: i64) -> StoreResult<Schedule> {
        let row = Entity::find_by_id(id)
            .filter(schedule::Column::ProjectId.is_not_null())
            .one(&self.db)
            .await?;
        row.ok_or(StoreError::NotFound("schedule"))
    }

    /// Changes a schedule. With another rhythm it comes round first after now, unless it is
    /// paused: then it stays so.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; as [`Store::create_schedule`].
    pub async fn change_schedule(
        &self,
        _permit: Permit<Run>,
        id: i64,
        change: ScheduleChange,
    ) -> StoreResult<Schedule> {
        let tx = self.write().await?;
        let before = run::lock(&tx, id).await?;
        let cron = change.cron.unwrap_or_else(|| before.cron.clone());
        let zone = change.time_zone.unwrap_or_else(|| before.time_zone.clone());
        let same = cron == before.cron && zone == before.time_zone;
        let mut row = before.clone().into_active_model();
        if !same && !before.is_paused() {
            row.next_at = Set(first_after(&cron, &zone, now())?);
        }
        row.cron = Set(cron);
        row.time_zone = Set(zone);
        if let Some(name) = change.name {
            row.name = Set(name);
        }
        if let Some(steps) = change.steps {
            row.steps = Set(steps_json(&steps)?);
        }
        if change.owner_id.is_some() {
            row.owner_id = Set(change.owner_id);
        }
        row.updated_at = Set(now());
        let after = row.update(&*tx).await?;
        tx.commit().await?;
        Ok(after)
    }

    /// Pauses a schedule or, with `goes_on`, resumes it: it comes round first after now, and what
    /// passed meanwhile is not made up. A run that has begun goes on.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; as [`Store::create_schedule`].
    pub async fn hold_schedule(
        &self,
        _permit: Permit<Run>,
        id: i64,
        goes_on: bool,
    ) -> StoreResult<Schedule> {
        let tx = self.write().await?;
        let before = run::lock(&tx, id).await?;
        if before.is_paused() != goes_on {
            return Ok(before);
        }
        let next = match goes_on {
            true => first_after(&before.cron, &before.time_zone, now())?,
            false => None,
        };
        let mut row = before.into_active_model();
        row.next_at = Set(next);
        row.updated_at = Set(now());
        let after = row.update(&*tx).await?;
        tx.commit().await?;
        Ok(after)
    }

    /// Deletes a schedule with what is known of its runs. Its jobs stay, and those under way go
    /// on; the next step of its chain is not begun.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], or an error of the database.
    pub async fn delete_schedule(&self, _permit: Permit<Run>, id: i64) -> StoreResult<()> {
        let tx = self.write().await?;
        run::lock(&tx, id).await?;
        Entity::delete_by_id(id).exec(&*tx).await?;
        tx.commit().await
    }
}
