//! Machines that pull tasks: who they are, when they were last heard of, and what they hold.
//! The idea: a machine is a token's user, a name and a host within a project; it is written down
//! when it asks for tasks, not when it registers, so the list shows who really works.

use chrono::Duration;
use sea_orm::sea_query::{Expr, ExprTrait, OnConflict};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect,
};
use std::collections::HashMap;

use crate::connection::{Store, StoreResult, clock, now};
use crate::entity::{ticket, worker};

pub use crate::entity::worker::Model as Worker;

/// A machine as it shows itself.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Machine {
    /// The project whose job it asks about.
    pub project: i64,
    /// Whose token it shows.
    pub user: i64,
    /// What it calls itself, or its user's address.
    pub name: String,
    /// Where it runs; empty where it does not say.
    pub host: String,
    /// Version of its program, where it says.
    pub version: Option<String>,
}

/// What a machine did since it was last noted.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Did {
    /// Images saved.
    pub done: i64,
    /// Images failed.
    pub failed: i64,
    /// Seconds since it was noted; `None` where that is not known.
    pub seconds: Option<f64>,
}

impl Did {
    /// Images per second.
    fn rate(self) -> Option<f64> {
        let seconds = self.seconds.filter(|seconds| *seconds > 0.0)?;
        Some((self.done + self.failed) as f64 / seconds)
    }
}

/// Which machines a list shows.
#[derive(Clone, Debug, Default)]
pub struct WorkerFilter {
    /// Only of these projects; `None` means all.
    pub visible: Option<Vec<i64>>,
    /// Only of this project.
    pub project: Option<i64>,
    /// Only those that last worked on this pipeline.
    pub pipeline: Option<i64>,
}

impl Store {
    /// Writes down that a machine asked about a job just now, and what it did; returns its id.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn worker_seen(
        &self,
        machine: &Machine,
        pipeline: i64,
        job: i64,
        did: Did,
    ) -> StoreResult<i64> {
        use worker::Column as C;
        let at = now();
        let more = |column: C, by: i64| Expr::col((worker::Entity, column)).add(by);
        let row = worker::ActiveModel {
            project_id: Set(Some(machine.project)),
            user_id: Set(Some(machine.user)),
            name: Set(machine.name.clone()),
            host: Set(Some(machine.host.clone())),
            version: Set(machine.version.clone()),
            pipeline_id: Set(Some(pipeline)),
            job_id: Set(Some(job)),
            last_seen_at: Set(at),
            created_at: Set(at),
            done: Set(did.done),
            failed: Set(did.failed),
            rate: Set(did.rate()),
            ..Default::default()
        };
        let tx = self.write().await?;
        let row = worker::Entity::insert(row)
            .on_conflict(
                OnConflict::columns([C::ProjectId, C::UserId, C::Name, C::Host])
                    .update_columns([C::Version, C::PipelineId, C::JobId, C::LastSeenAt, C::Rate])
                    .value(C::Done, more(C::Done, did.done))
                    .value(C::Failed, more(C::Failed, did.failed))
                    .to_owned(),
            )
            .exec_with_returning(&*tx)
            .await?;
        tx.commit().await?;
        Ok(row.id)
    }

    /// Writes down that a machine without a name of its own polled for jobs with this token.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn worker_polled(&self, user: i64, name: &str) -> StoreResult<()> {
        use worker::Column as C;
        let tx = self.write().await?;
        worker::Entity::update_many()
            .set(worker::ActiveModel {
                last_seen_at: Set(now()),
                ..Default::default()
            })
            .filter(C::UserId.eq(user))
            .filter(C::Name.eq(name))
            .filter(C::Host.eq(""))
            .exec(&*tx)
            .await?;
        tx.commit().await
    }

    /// A page of machines, the last heard of first, with how many images each holds; and how
    /// many machines there are.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn workers(
        &self,
        filter: &WorkerFilter,
        limit: u64,
        offset: u64,
    ) -> StoreResult<(Vec<(Worker, i64)>, u64)> {
        use worker::Column as C;
        let all = Condition::all()
            .add_option(
                filter
                    .visible
                    .as_ref()
                    .map(|ids| C::ProjectId.is_in(ids.iter().copied())),
            )
            .add_option(filter.project.map(|id| C::ProjectId.eq(id)))
            .add_option(filter.pipeline.map(|id| C::PipelineId.eq(id)));
        let select = worker::Entity::find().filter(all);
        let count = select.clone().count(&self.db).await?;
        let rows = select
            .order_by_desc(C::LastSeenAt)
            .order_by_asc(C::Id)
            .limit(limit)
            .offset(offset)
            .all(&self.db)
            .await?;
        let ids: Vec<i64> = rows.iter().map(|w| w.id).collect();
        let held = self.held_by(&ids).await?;
        let pair = |w: Worker| {
            let held = held.get(&w.id).copied().unwrap_or(0);
            (w, held)
        };
        Ok((rows.into_iter().map(pair).collect(), count))
    }

    /// How many images each of these machines holds.
    async fn held_by(&self, workers: &[i64]) -> StoreResult<HashMap<i64, i64>> {
        use ticket::Column as T;
        let rows: Vec<(i64, i64)> = ticket::Entity::find()
            .select_only()
            .column(T::WorkerId)
            .column_as(T::CaptureId.count(), "held")
            .filter(T::WorkerId.is_in(workers.iter().copied()))
            .filter(T::VisibleAt.gt(clock()))
            .group_by(T::WorkerId)
            .into_tuple()
            .all(&self.db)
            .await?;
        Ok(rows.into_iter().collect())
    }

    /// How many machines of a project worked on a pipeline within this time.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn live_workers(
        &self,
        project: i64,
        pipeline: i64,
        within: Duration,
    ) -> StoreResult<u64> {
        Ok(worker::Entity::find()
            .filter(worker::Column::ProjectId.eq(project))
            .filter(worker::Column::PipelineId.eq(pipeline))
            .filter(worker::Column::LastSeenAt.gt(now() - within))
            .count(&self.db)
            .await?)
    }
}
