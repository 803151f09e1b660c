//! Tickets: the embedded task queue. One row is one image waiting (visible now), leased (visible
//! later) or, when it is gone, done. The idea: an expired lease is simply visible again, so there
//! is no reaper, and no finished rows for a planner to walk over (`architecture.md` §6).

use std::collections::{HashMap, VecDeque};

use chrono::Duration;
use sea_orm::sea_query::{Expr, LockBehavior, LockType};
use sea_orm::{
    ColumnTrait, EntityTrait, ExprTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
};

use crate::connection::{Store, StoreError, StoreResult, Write, clock};
use crate::entity::{job, ticket};
use crate::job::feed;

/// A ticket that was never handed out has its place in the feed where the others have a time: every
/// time of theirs is beyond this (it is one of 2001), so an index tells them apart.
pub(crate) const HANDED_OUT: i64 = 1_000_000_000_000;

/// One leased image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leased {
    /// The capture.
    pub capture: i64,
    /// Generation of its job when it was handed out.
    pub generation: i64,
    /// How often it has been handed out, this time included.
    pub deliveries: i32,
}

/// How images are asked for.
#[derive(Clone, Copy, Debug)]
pub struct Terms {
    /// At most so many.
    pub max: u64,
    /// For so long.
    pub ttl: Duration,
    /// Only those handed out less often; `None` sets no bound.
    pub max_deliveries: Option<i32>,
    /// The machine that gets them, where it is known.
    pub worker: Option<i64>,
    /// Only while somebody holds the job by the claim of this number: a runner leases for itself.
    pub claim: Option<i64>,
}

/// What a lease handed out, and the key that signs its receipts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Handout {
    /// The images, in the order of the feed.
    pub images: Vec<Leased>,
    /// The job's key; empty when nothing was handed out.
    pub receipt_key: String,
}

/// How many images of a job are where.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Depth {
    /// To be had now.
    pub waiting: u64,
    /// In somebody's hands.
    pub leased: u64,
    /// Handed out as often as allowed, without an answer.
    pub dead: u64,
}

/// Milliseconds of a span, never negative.
fn millis(span: Duration) -> i64 {
    Ord::max(span.num_milliseconds(), 0)
}

/// Images of a job that can be had now, the first fed first, as they will be once handed out.
async fn ready_tickets(
    tx: &Write,
    job: &job::Model,
    max_deliveries: Option<i32>,
    most: u64,
    at: i64,
) -> StoreResult<VecDeque<Leased>> {
    use ticket::Column as C;
    let mut ready = ticket::Entity::find()
        .select_only()
        .columns([C::CaptureId, C::Deliveries])
        .filter(C::JobId.eq(job.id))
        .filter(C::VisibleAt.lte(at))
        .filter(C::Generation.eq(job.generation))
        .order_by_asc(C::VisibleAt)
        .limit(most)
        .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked);
    if let Some(most) = max_deliveries {
        ready = ready.filter(C::Deliveries.lt(most));
    }
    let ready: Vec<(i64, i32)> = ready.into_tuple().all(&**tx).await?;
    let leased = |(capture, deliveries)| Leased {
        capture,
        generation: job.generation,
        deliveries: deliveries + 1,
    };
    Ok(ready.into_iter().map(leased).collect())
}

/// Writes down who has them and for how long: one statement for each worker.
async fn lend(
    tx: &Write,
    job: i64,
    asked: &[Terms],
    handouts: &[Handout],
    at: i64,
) -> StoreResult<()> {
    use ticket::Column as C;
    let mut by_worker: HashMap<(Option<i64>, i64), Vec<i64>> = HashMap::new();
    for (terms, handout) in asked.iter().zip(handouts) {
        let captures = handout.images.iter().map(|image| image.capture);
        let until = at + millis(terms.ttl);
        let mine = by_worker.entry((terms.worker, until)).or_default();
        mine.extend(captures);
    }
    by_worker.retain(|_, captures| !captures.is_empty()); // who asked last may get nothing
    for ((worker, until), captures) in by_worker {
        ticket::Entity::update_many()
            .col_expr(C::VisibleAt, Expr::value(until))
            .col_expr(C::Deliveries, Expr::col(C::Deliveries).add(1))
            .col_expr(C::WorkerId, Expr::value(worker))
            .filter(C::JobId.eq(job))
            .filter(C::CaptureId.is_in(captures))
            .exec(&**tx)
            .await?;
    }
    Ok(())
}

impl Store {
    /// Leases images of a job. Nothing is handed out unless the job is STARTED and not paused at
    /// that moment (`protocol.md` §2, lease), nor to a runner that has lost the job.
    ///
    /// # Errors
    /// Errors of the database. An unknown job has no tickets.
    pub async fn lease_tickets(&self, job: i64, terms: Terms) -> StoreResult<Handout> {
        let handouts = self.lease_together(job, &[terms]).await?;
        Ok(handouts.into_iter().next().unwrap_or_default())
    }

    /// Leases for several at once, in one transaction: as if they had asked one after the other.
    /// Their `max_deliveries` and `claim` are the same.
    ///
    /// # Errors
    /// As [`Store::lease_tickets`]; where one gets nothing because of an error, none does.
    pub async fn lease_together(&self, job: i64, asked: &[Terms]) -> StoreResult<Vec<Handout>> {
        let Some(first) = asked.first() else {
            return Ok(Vec::new());
        };
        let common = |terms: &Terms| (terms.max_deliveries, terms.claim);
        if asked.iter().any(|terms| common(terms) != common(first)) {
            let why = "These leases do not belong together.";
            return Err(StoreError::Conflict(why.to_owned()));
        }
        let mut handouts = vec![Handout::default(); asked.len()];
        let tx = self.write().await?;
        let row = job::Entity::find_by_id(job).lock_shared().one(&*tx).await?;
        let held = |job: &job::Model| {
            let holds = |claim| job.owner.is_some() && job.claim_no == claim;
            first.claim.is_none_or(holds)
        };
        let hands_out = |job: &job::Model| job.job_state().is_active() && !job.paused && held(job);
        let Some(row) = row.filter(hands_out) else {
            return Ok(handouts);
        };
        let at = clock();
        let all = asked.iter().map(|terms| terms.max).sum();
        let mut ready = ready_tickets(&tx, &row, first.max_deliveries, all, at).await?;
        if ready.is_empty() {
            return Ok(handouts);
        }
        for (terms, handout) in asked.iter().zip(&mut handouts) {
            let count = usize::try_from(terms.max).map_or(ready.len(), |max| max.min(ready.len()));
            handout.images = ready.drain(..count).collect();
            handout.receipt_key.clone_from(&row.receipt_key);
        }
        lend(&tx, job, asked, &handouts, at).await?;
        tx.commit().await?;
        Ok(handouts)
    }

    /// Puts images of a generation into the queue; those that are in it stay as they are.
    /// Normally the feed does this in its own transaction.
    ///
    /// # Errors
    /// Errors of the database; an unknown job.
    pub async fn publish_tickets(
        &self,
        job: i64,
        generation: i64,
        captures: &[i64],
    ) -> StoreResult<()> {
        let tx = self.write().await?;
        for chunk in captures.chunks(1000) {
            feed::publish(&*tx, job, generation, chunk).await?;
        }
        tx.commit().await
    }

    /// Takes images out of the queue for good.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn drop_tickets(
        &self,
        job: i64,
        generation: i64,
        captures: &[i64],
    ) -> StoreResult<()> {
        let tx = self.write().await?;
        feed::strike_off(&*tx, job, generation, captures).await?;
        tx.commit().await
    }

    /// Ends leases: the images can be had again after `wait`.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn return_tickets(
        &self,
        job: i64,
        generation: i64,
        captures: &[i64],
        wait: Duration,
    ) -> StoreResult<()> {
        self.move_visibility(job, generation, captures, wait, false)
            .await?;
        Ok(())
    }

    /// Extends leases that are not over yet; returns the captures of those that were.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn extend_tickets(
        &self,
        job: i64,
        generation: i64,
        captures: &[i64],
        ttl: Duration,
    ) -> StoreResult<Vec<i64>> {
        self.move_visibility(job, generation, captures, ttl, true)
            .await
    }

    async fn move_visibility(
        &self,
        job: i64,
        generation: i64,
        captures: &[i64],
        by: Duration,
        only_leased: bool,
    ) -> StoreResult<Vec<i64>> {
        use ticket::Column as C;
        let at = clock();
        let tx = self.write().await?;
        let mut moved = Vec::new();
        for chunk in captures.chunks(1000) {
            let mut update = ticket::Entity::update_many()
                .col_expr(C::VisibleAt, Expr::value(at + millis(by)))
                .filter(C::JobId.eq(job))
                .filter(C::Generation.eq(generation))
                .filter(C::CaptureId.is_in(chunk.iter().copied()));
            if only_leased {
                update = update.filter(C::VisibleAt.gt(at));
            }
            let rows = update.exec_with_returning(&*tx).await?;
            moved.extend(rows.into_iter().map(|t| t.capture_id));
        }
        tx.commit().await?;
        Ok(moved)
    }

    /// Counts a job's images by where they are.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn ticket_depth(&self, job: i64, max_deliveries: Option<i32>) -> StoreResult<Depth> {
        use ticket::Column as C;
        let at = clock();
        let of_job = || ticket::Entity::find().filter(C::JobId.eq(job));
        let most = max_deliveries.unwrap_or(i32::MAX);
        let ready = of_job().filter(C::VisibleAt.lte(at));
        Ok(Depth {
            waiting: ready
                .clone()
                .filter(C::Deliveries.lt(most))
                .count(&self.db)
                .await?,
            leased: of_job().filter(C::VisibleAt.gt(at)).count(&self.db).await?,
            dead: ready
                .filter(C::Deliveries.gte(most))
                .count(&self.db)
                .await?,
        })
    }

    /// Images whose last allowed lease is over: the caretaker writes them down as failed.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn dead_letters(
        &self,
        job: i64,
        max_deliveries: i32,
        limit: u64,
    ) -> StoreResult<Vec<Leased>> {
        use ticket::Column as C;
        let rows = ticket::Entity::find()
            .filter(C::JobId.eq(job))
            .filter(C::VisibleAt.between(HANDED_OUT, clock()))
            .filter(C::Deliveries.gte(max_deliveries))
            .limit(limit)
            .all(&self.db)
            .await?;
        Ok(rows
            .into_iter()
            .map(|t| Leased {
                capture: t.capture_id,
                generation: t.generation,
                deliveries: t.deliveries,
            })
            .collect())
    }

    /// Empties a job's queue of all generations up to this one.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn purge_tickets(&self, job: i64, generation: i64) -> StoreResult<()> {
        let tx = self.write().await?;
        ticket::Entity::delete_many()
            .filter(ticket::Column::JobId.eq(job))
            .filter(ticket::Column::Generation.lte(generation))
            .exec(&*tx)
            .await?;
        tx.commit().await
    }
}
