//! Feeding: a job's captures become open result rows and tickets, page by page, with the cursor
//! in the same transaction. The idea: what is fed is counted when its page commits, so a runner
//! that dies between two pages loses nothing and its successor repeats nothing (`protocol.md` §3).

use domain::job::FeedMode;
use sea_orm::sea_query::{Expr, Func, OnConflict, Query};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait, IntoActiveModel,
    QueryFilter,
};

use super::Job;
use super::life::{Fence, lock_fenced};
use crate::connection::{Store, StoreResult, Write, clock, now};
use crate::entity::{task_result, ticket};
use crate::progress;

/// The cursor before the first page.
pub const START: i64 = i64::MIN;

/// A result row that is open.
pub(crate) const OPEN: i32 = 0;
/// A result row that is saved.
pub(crate) const DONE: i32 = 1;
/// A result row that failed.
pub(crate) const FAILED: i32 = 2;
/// The stage in which services work on images.
pub(crate) const PROCESS: i32 = 0;

impl Store {
    /// Feeds one page: opens the result rows of `captures` and their tickets, and moves the
    /// cursor. Tasks that lie in a stream are sent there after it, under a cursor of their own
    /// ([`Store::tasks_sent`]). Returns how many were opened; the others are saved already or not
    /// wanted.
    ///
    /// # Errors
    /// [`crate::StoreError::FenceLost`] when the job is no longer this runner's.
    pub async fn feed_page(
        &self,
        fence: &Fence,
        captures: &[i64],
        cursor: i64,
    ) -> StoreResult<i64> {
        let tx = self.write().await?;
        let job = lock_fenced(&tx, fence).await?;
        let mut opened = Vec::new();
        for chunk in captures.chunks(1000) {
            let fresh = open_rows(&*tx, &job, chunk).await?;
            if !job.in_stream {
                insert_tickets(&*tx, &job, &fresh).await?;
            }
            opened.extend(fresh);
        }
        let count = i64::try_from(opened.len()).unwrap_or(i64::MAX);
        let mut row = job.clone().into_active_model();
        row.fed = Set(job.fed.saturating_add(count));
        row.feed_cursor = Set(cursor);
        if !job.in_stream {
            row.sent_cursor = Set(cursor);
        }
        row.updated_at = Set(now());
        sea_orm::ActiveModelTrait::update(row, &*tx).await?;
        tx.commit().await?;
        Ok(count)
    }

    /// Says how many captures the job will look at, at most: what its shares are measured by
    /// until the feed has ended.
    ///
    /// # Errors
    /// [`crate::StoreError::FenceLost`] when the job is no longer this runner's.
    pub async fn expect_captures(&self, fence: &Fence, expected: i64) -> StoreResult<()> {
        let tx = self.write().await?;
        let job = lock_fenced(&tx, fence).await?;
        let mut row = job.into_active_model();
        row.expected = Set(Some(expected));
        sea_orm::ActiveModelTrait::update(row, &*tx).await?;
        tx.commit().await
    }

    /// Ends the feed: the total is what was kept and fed. With `release` nobody owns the job
    /// from then on. Returns the total.
    ///
    /// # Errors
    /// [`crate::StoreError::FenceLost`] when the job is no longer this runner's;
    /// [`crate::StoreError::Conflict`] while tasks are not yet in the stream where they belong.
    pub async fn feed_end(&self, fence: &Fence, release: bool) -> StoreResult<i64> {
        let tx = self.write().await?;
        let job = lock_fenced(&tx, fence).await?;
        if job.sent_cursor < job.feed_cursor {
            let why = "The feed cannot end before all its tasks are sent.";
            return Err(crate::StoreError::Conflict(why.to_owned()));
        }
        let total = job.kept + job.fed;
        let mut row = job.into_active_model();
        row.total = Set(Some(total));
        row.updated_at = Set(now());
        if release {
            row.owner = Set(None);
        }
        sea_orm::ActiveModelTrait::update(row, &*tx).await?;
        tx.commit().await?;
        Ok(total)
    }
}

/// Opens rows where there is none, or where an older generation's fits the feed mode.
/// Returns the captures whose row was opened.
async fn open_rows<C: ConnectionTrait>(
    tx: &C,
    job: &Job,
    captures: &[i64],
) -> StoreResult<Vec<i64>> {
    use task_result::Column as C_;
    if captures.is_empty() {
        return Ok(Vec::new());
    }
    let outcome = Expr::col((task_result::Entity, C_::Outcome));
    let fits = match job.feed() {
        FeedMode::All | FeedMode::Missing => outcome.ne(DONE),
        FeedMode::FailedOnly => outcome.eq(FAILED),
    };
    let older = Expr::col((task_result::Entity, C_::Generation)).lt(job.generation);
    let mut insert = Query::insert();
    insert.into_table(task_result::Entity).columns([
        C_::JobId,
        C_::RunNo,
        C_::Stage,
        C_::CaptureId,
        C_::Generation,
        C_::Outcome,
        C_::Deliveries,
    ]);
    for capture in captures {
        insert.values_panic([
            job.id.into(),
            job.run_no.into(),
            PROCESS.into(),
            (*capture).into(),
            job.generation.into(),
            OPEN.into(),
            0.into(),
        ]);
    }
    if job.feed() == FeedMode::FailedOnly {
        // A capture without a row did not fail: only existing rows are opened again.
        return reopen_failed(tx, job, captures).await;
    }
    insert
        .on_conflict(
            OnConflict::columns([C_::JobId, C_::RunNo, C_::Stage, C_::CaptureId])
                .update_columns([C_::Generation, C_::Outcome, C_::Deliveries])
                .action_and_where(older.and(fits))
                .to_owned(),
        )
        .returning_col(C_::CaptureId);
    ids(tx, &insert).await
}

async fn reopen_failed<C: ConnectionTrait>(
    tx: &C,
    job: &Job,
    captures: &[i64],
) -> StoreResult<Vec<i64>> {
    use task_result::Column as C_;
    let mut update = Query::update();
    update
        .table(task_result::Entity)
        .values([
            (C_::Generation, job.generation.into()),
            (C_::Outcome, OPEN.into()),
            (C_::Deliveries, 0.into()),
        ])
        .and_where(Expr::col(C_::JobId).eq(job.id))
        .and_where(Expr::col(C_::RunNo).eq(job.run_no))
        .and_where(Expr::col(C_::Stage).eq(PROCESS))
        .and_where(Expr::col(C_::CaptureId).is_in(captures.iter().copied()))
        .and_where(Expr::col(C_::Outcome).eq(FAILED))
        .and_where(Expr::col(C_::Generation).lt(job.generation))
        .returning_col(C_::CaptureId);
    ids(tx, &update).await
}

async fn ids<C: ConnectionTrait, S: sea_orm::StatementBuilder>(
    tx: &C,
    statement: &S,
) -> StoreResult<Vec<i64>> {
    let rows = tx.query_all(statement).await?;
    rows.iter()
        .map(|row| Ok(row.try_get_by_index::<i64>(0)?))
        .collect()
}

/// Tickets of freshly opened rows. Their place in the queue is the order of the feed: small
/// numbers are times long past, so all are visible, the first fed first.
async fn insert_tickets<C: ConnectionTrait>(
    tx: &C,
    job: &Job,
    captures: &[i64],
) -> StoreResult<()> {
    use ticket::Column as T;
    if captures.is_empty() {
        return Ok(());
    }
    ticket::Entity::insert_many(tickets(job.id, job.generation, job.fed, captures))
        .on_conflict(
            OnConflict::columns([T::JobId, T::CaptureId])
                .update_columns([T::Generation, T::VisibleAt, T::Deliveries])
                .to_owned(),
        )
        .exec_without_returning(tx)
        .await?;
    Ok(())
}

fn tickets(
    job: i64,
    generation: i64,
    first: i64,
    captures: &[i64],
) -> impl Iterator<Item = ticket::ActiveModel> {
    (first..)
        .zip(captures.iter().copied())
        .map(move |(place, capture)| ticket::ActiveModel {
            job_id: Set(job),
            capture_id: Set(capture),
            generation: Set(generation),
            visible_at: Set(place),
            deliveries: Set(0),
            worker_id: Set(None),
        })
}

/// Puts tickets into the queue unless they are there.
pub(crate) async fn publish<C: ConnectionTrait>(
    tx: &C,
    job: i64,
    generation: i64,
    captures: &[i64],
) -> StoreResult<()> {
    if captures.is_empty() {
        return Ok(());
    }
    ticket::Entity::insert_many(tickets(job, generation, 0, captures))
        .on_conflict(
            OnConflict::columns([ticket::Column::JobId, ticket::Column::CaptureId])
                .do_nothing()
                .to_owned(),
        )
        .exec_without_returning(tx)
        .await?;
    Ok(())
}

/// Deletes the tickets of these captures, unless a newer generation has put them back.
pub(crate) async fn strike_off<C: ConnectionTrait>(
    tx: &C,
    job: i64,
    generation: i64,
    captures: &[i64],
) -> StoreResult<()> {
    for chunk in captures.chunks(1000) {
        ticket::Entity::delete_many()
            .filter(ticket::Column::JobId.eq(job))
            .filter(ticket::Column::Generation.eq(generation))
            .filter(ticket::Column::CaptureId.is_in(chunk.iter().copied()))
            .exec(tx)
            .await?;
    }
    Ok(())
}

/// Makes the tickets that a dead or leaving runner had leased visible again at once, before all
/// others. Only where the server itself works on them: a remote worker's lease outlives the runner.
pub(crate) async fn reopen_leases<C: ConnectionTrait>(tx: &C, job: &Job) -> StoreResult<()> {
    use ticket::Column as T;
    if job.dispatch() == domain::job::DispatchMode::AsyncApi {
        return Ok(());
    }
    ticket::Entity::update_many()
        .col_expr(T::VisibleAt, Expr::value(0i64))
        .filter(T::JobId.eq(job.id))
        .filter(T::VisibleAt.gt(clock()))
        .exec(tx)
        .await?;
    Ok(())
}

/// Writes down as failed every image of the present generation that has no answer, for the reason
/// for which the job itself fails.
pub(crate) async fn fail_open(tx: &Write, shard: i64, job: &Job, reason: &str) -> StoreResult<()> {
    use task_result::Column as C_;
    use ticket::Column as T;
    let deliveries = Query::select()
        .column((ticket::Entity, T::Deliveries))
        .from(ticket::Entity)
        .and_where(Expr::col((ticket::Entity, T::JobId)).eq(job.id))
        .and_where(
            Expr::col((ticket::Entity, T::CaptureId)).equals((task_result::Entity, C_::CaptureId)),
        )
        .to_owned();
    let deliveries = Expr::SubQuery(None, Box::new(deliveries.into()));
    let failed = task_result::Entity::update_many()
        .col_expr(C_::Outcome, Expr::value(FAILED))
        .col_expr(C_::Reason, Expr::value(reason))
        .col_expr(
            C_::Deliveries,
            Func::coalesce([deliveries, Expr::value(0)]).into(),
        )
        .filter(C_::JobId.eq(job.id))
        .filter(C_::RunNo.eq(job.run_no))
        .filter(C_::Stage.eq(PROCESS))
        .filter(C_::Generation.eq(job.generation))
        .filter(C_::Outcome.eq(OPEN))
        .exec(&**tx)
        .await?
        .rows_affected;
    let failed = i64::try_from(failed).unwrap_or(i64::MAX);
    if failed > 0 {
        let counts = progress::Counts {
            failed,
            ..Default::default()
        };
        progress::bump(tx, job.id, job.generation, shard, counts).await?;
    }
    Ok(())
}
