//! Upkeep of the server itself, which comes round as people's schedules do: a row of the same
//! table, moved on by the same guarded update. The idea: of many processes one does it each time,
//! one that dies with it only makes it late, and what was missed is done once.

use std::collections::BTreeSet;

use domain::schedule::{Rhythm, due_again};
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ActiveValue::Set, ColumnTrait, EntityTrait, JoinType, QueryFilter, QueryOrder, QuerySelect,
    RelationTrait,
};

use super::{Schedule, run};
use crate::connection::{Store, StoreResult, now};
use crate::entity::{job, job_log, job_request, login, schedule};

/// Lines of logs that are deleted by one transaction.
const PAGE: u64 = 5_000;

impl Store {
    /// Notes a piece of upkeep with its rhythm; a new one is due at once.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn note_upkeep(&self, key: &str, cron: &str) -> StoreResult<()> {
        use schedule::Column as C;
        let at = now();
        let row = schedule::ActiveModel {
            project_id: Set(None),
            upkeep: Set(Some(key.to_owned())),
            name: Set(key.to_owned()),
            cron: Set(cron.to_owned()),
            time_zone: Set("UTC".to_owned()),
            steps: Set(serde_json::Value::Array(Vec::new())),
            owner_id: Set(None),
            next_at: Set(Some(at)),
            created_at: Set(at),
            updated_at: Set(at),
            ..Default::default()
        };
        let tx = self.write().await?;
        schedule::Entity::insert(row)
            .on_conflict(
                OnConflict::column(C::Upkeep)
                    .update_column(C::Cron)
                    .to_owned(),
            )
            .exec_without_returning(&*tx)
            .await?;
        tx.commit().await
    }

    /// Upkeep that is due.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn due_upkeep(&self) -> StoreResult<Vec<Schedule>> {
        use schedule::Column as C;
        Ok(schedule::Entity::find()
            .filter(C::Upkeep.is_not_null())
            .filter(C::NextAt.lte(now()))
            .all(&self.db)
            .await?)
    }

    /// All pieces of upkeep, the next one first.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn all_upkeep(&self) -> StoreResult<Vec<Schedule>> {
        use schedule::Column as C;
        Ok(schedule::Entity::find()
            .filter(C::Upkeep.is_not_null())
            .order_by_asc(C::NextAt)
            .all(&self.db)
            .await?)
    }

    /// Takes a piece of upkeep that was seen to be due; false where another process has.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn take_upkeep(&self, seen: &Schedule, rhythm: &Rhythm) -> StoreResult<bool> {
        let tx = self.write().await?;
        let taken = run::move_on(&tx, seen, due_again(rhythm, now())).await?;
        tx.commit().await?;
        Ok(taken)
    }

    /// Deletes what has expired: browsers that were signed in, and keys of requests. Returns how
    /// much that was.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn sweep_expired(&self) -> StoreResult<u64> {
        let tx = self.write().await?;
        let logins = login::Entity::delete_many()
            .filter(login::Column::ExpiresAt.lt(now()))
            .exec(&*tx)
            .await?;
        let forgotten = now() - crate::job::request::REMEMBERED;
        let requests = job_request::Entity::delete_many()
            .filter(job_request::Column::CreatedAt.lte(forgotten))
            .exec(&*tx)
            .await?;
        tx.commit().await?;
        Ok(logins.rows_affected + requests.rows_affected)
    }

    /// Deletes lines of the logs of jobs that ended more than so many days ago, a page of them;
    /// returns how many. The jobs stay, with their counts, failures and timelines.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn prune_logs(&self, days: u32) -> StoreResult<u64> {
        let before = now() - chrono::Duration::days(days.into());
        let old: Vec<i64> = job_log::Entity::find()
            .select_only()
            .column(job_log::Column::Id)
            .join(JoinType::InnerJoin, job_log::Relation::Job.def())
            .filter(job::Column::FinishedAt.lt(before))
            .limit(PAGE)
            .into_tuple()
            .all(&self.db)
            .await?;
        if old.is_empty() {
            return Ok(0);
        }
        let tx = self.write().await?;
        let gone: BTreeSet<i64> = old.into_iter().collect();
        let done = job_log::Entity::delete_many()
            .filter(job_log::Column::Id.is_in(gone))
            .exec(&*tx)
            .await?;
        tx.commit().await?;
        Ok(done.rows_affected)
    }
}
