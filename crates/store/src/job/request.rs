//! Making a job once, however often it is asked for: a request with an `Idempotency-Key` leaves a
//! row in the transaction that makes the job, and a unique index decides between two that come at
//! once.

use chrono::Duration;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter};

use super::{Job, NewJob};
use crate::connection::{Store, StoreError, StoreResult, now};
use crate::entity::job_request::{self, Entity};
use crate::token::digest;

pub use crate::entity::job_request::Model as Request;

/// How long a key is remembered.
pub(crate) const REMEMBERED: Duration = Duration::hours(24);

/// How a request can be known again.
#[derive(Clone, Debug)]
pub struct Key {
    /// Who asks; keys of others are others.
    pub user: i64,
    /// The key.
    pub key: String,
    /// All that was asked for: the same key must come with the same.
    pub asked: String,
}

/// What became of a request to make a job.
#[derive(Clone, Debug)]
#[allow(clippy::large_enum_variant)] // one at a time, and mostly the larger
pub enum Once {
    /// The job was made.
    Made(Box<Job>),
    /// It had been made before, by the same request or one with the same key.
    Before(Request),
}

impl Key {
    /// True where a remembered request asked for the same.
    pub fn fits(&self, request: &Request) -> bool {
        request.digest == digest(&self.asked)
    }
}

impl Store {
    /// The request that came with this key within the last day.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn job_request(&self, key: &Key) -> StoreResult<Option<Request>> {
        Ok(Entity::find()
            .filter(job_request::Column::UserId.eq(key.user))
            .filter(job_request::Column::Key.eq(&key.key))
            .filter(job_request::Column::CreatedAt.gt(now() - REMEMBERED))
            .one(&self.db)
            .await?)
    }

    /// Makes a job, unless a request with this key has made one.
    ///
    /// # Errors
    /// As [`Store::create_job`].
    pub async fn create_job_once(&self, new: NewJob, key: &Key) -> StoreResult<Once> {
        let tx = self.write().await?;
        Entity::delete_many()
            .filter(job_request::Column::CreatedAt.lte(now() - REMEMBERED))
            .exec(&*tx)
            .await?;
        let job = super::target::insert_or_join(&tx, new).await?.job;
        let row = job_request::ActiveModel {
            user_id: Set(key.user),
            key: Set(key.key.clone()),
            digest: Set(digest(&key.asked)),
            job_id: Set(Some(job.id)),
            answer: Set(None),
            created_at: Set(now()),
            ..Default::default()
        };
        let columns = [job_request::Column::UserId, job_request::Column::Key];
        let conflict = OnConflict::columns(columns).do_nothing().to_owned();
        let inserted = Entity::insert(row)
            .on_conflict(conflict)
            .exec_without_returning(&*tx)
            .await?;
        if inserted > 0 {
            tx.commit().await?;
            return Ok(Once::Made(Box::new(job)));
        }
        drop(tx); // the second job never was
        match self.job_request(key).await? {
            Some(request) => Ok(Once::Before(request)),
            // Its day ended in between; whoever asks again makes a job.
            None => Err(StoreError::Conflict(
                "The request with this key has just been forgotten. Send it again.".to_owned(),
            )),
        }
    }

    /// Keeps the answer to a request, to give it again.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn keep_answer(&self, key: &Key, answer: &str) -> StoreResult<()> {
        let tx = self.write().await?;
        Entity::update_many()
            .set(job_request::ActiveModel {
                answer: Set(Some(answer.to_owned())),
                ..Default::default()
            })
            .filter(job_request::Column::UserId.eq(key.user))
            .filter(job_request::Column::Key.eq(&key.key))
            .exec(&*tx)
            .await?;
        tx.commit().await
    }
}
