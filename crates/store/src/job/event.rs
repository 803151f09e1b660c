//! What happened to a job, when and by whom: one row for each, written in the transaction of the
//! move itself, so the timeline never tells what was not.

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect,
};

use crate::connection::{Store, StoreResult, Write, now};
use crate::entity::{job_event, user};
use crate::origin::Origin;
use crate::user::User;

/// What can happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// It was made.
    Created,
    /// Somebody asked for a run.
    Queued,
    /// Somebody asked for what is missing to be done again.
    Retried,
    /// A runner began with it.
    Started,
    /// Another runner went on with it.
    Continued,
    /// A runner that shuts down gave it back.
    HandedBack,
    /// It was taken from a runner that was silent.
    Rescued,
    /// Its images are not handed out for now.
    Paused,
    /// Its images are handed out again.
    Resumed,
    /// Somebody cancelled it.
    Cancelled,
    /// Somebody changed its fields.
    Edited,
    /// It has come to its end.
    Ended,
}

impl What {
    /// The word in the database and in the API.
    pub const fn word(self) -> &'static str {
        match self {
            What::Created => "created",
            What::Queued => "queued",
            What::Retried => "retried",
            What::Started => "started",
            What::Continued => "continued",
            What::HandedBack => "handed_back",
            What::Rescued => "rescued",
            What::Paused => "paused",
            What::Resumed => "resumed",
            What::Cancelled => "cancelled",
            What::Edited => "edited",
            What::Ended => "ended",
        }
    }

    /// All of them, with what they mean.
    pub const ALL: [What; 12] = [
        What::Created,
        What::Queued,
        What::Retried,
        What::Started,
        What::Continued,
        What::HandedBack,
        What::Rescued,
        What::Paused,
        What::Resumed,
        What::Cancelled,
        What::Edited,
        What::Ended,
    ];
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq)]
pub struct JobEvent {
    /// Grows with time.
    pub id: i64,
    /// When.
    pub at: DateTime<Utc>,
    /// A word of [`What`].
    pub what: String,
    /// The job's state after it.
    pub state: String,
    /// Who asked for it.
    pub user: Option<User>,
    /// The runner, the reason, the changed fields.
    pub detail: Option<String>,
}

/// Writes an event down, by whoever the present task acts for.
pub(crate) async fn record(
    tx: &Write,
    job: i64,
    state: &str,
    what: What,
    detail: Option<String>,
) -> StoreResult<()> {
    let user = Origin::current().user;
    record_by(tx, job, state, what, user, detail).await
}

/// Writes an event down, by this person.
pub(crate) async fn record_by(
    tx: &Write,
    job: i64,
    state: &str,
    what: What,
    user: Option<i64>,
    detail: Option<String>,
) -> StoreResult<()> {
    let row = job_event::ActiveModel {
        job_id: Set(job),
        what: Set(what.word().to_owned()),
        state: Set(state.to_owned()),
        user_id: Set(user),
        detail: Set(detail),
        created_at: Set(now()),
        ..Default::default()
    };
    job_event::Entity::insert(row)
        .exec_without_returning(&**tx)
        .await?;
    Ok(())
}

impl Store {
    /// A page of what happened to a job, oldest first, and how much there is.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn job_events(
        &self,
        job: i64,
        limit: u64,
        offset: u64,
    ) -> StoreResult<(Vec<JobEvent>, u64)> {
        let select = job_event::Entity::find().filter(job_event::Column::JobId.eq(job));
        let count = select.clone().count(&self.db).await?;
        let rows = select
            .find_also_related(user::Entity)
            .order_by_asc(job_event::Column::Id)
            .limit(limit)
            .offset(offset)
            .all(&self.db)
            .await?;
        let event = |(row, user): (job_event::Model, Option<User>)| JobEvent {
            id: row.id,
            at: row.created_at,
            what: row.what,
            state: row.state,
            user,
            detail: row.detail,
        };
        Ok((rows.into_iter().map(event).collect(), count))
    }
}
