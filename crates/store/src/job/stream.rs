//! Jobs whose tasks lie in a stream outside of the database (NATS JetStream). The idea: the stream
//! only hands out; whether an image still waits for an answer, and to whom it goes for the last
//! time, is read and written here, so whatever the stream loses, strands or delivers twice is
//! healed from these rows (`protocol.md` §2, the lines of JetStream).

use std::collections::{HashMap, HashSet};

use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait,
    IntoActiveModel, QueryFilter, QueryOrder, QuerySelect,
};

use super::Job;
use super::feed::{self, FAILED, OPEN, PROCESS, START};
use super::life::{Fence, lock_fenced};
use crate::connection::{Store, StoreResult, Write, clock};
use crate::entity::{job, task_result, ticket};
use crate::ticket::Terms;

mod care;

pub use care::{Sight, Streamed, Sweep};

/// An image as it came out of the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Came {
    /// The capture.
    pub capture: i64,
    /// How often the stream has handed it out, this time included.
    pub deliveries: i32,
}

/// What becomes of an image that came out of the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is handed out.
    Task,
    /// It is not to be handed out now: back into the stream.
    Return,
    /// Somebody has it for the last time, for so many milliseconds more.
    Held(i64),
    /// Nobody needs it any more: it has an outcome, is of an older generation, or was handed out as
    /// often as allowed and is the caretaker's.
    Gone,
}

/// The fates of images, in the order in which they came, and the key of their receipts.
#[derive(Clone, Debug, Default)]
pub struct Fates {
    /// One for each image.
    pub fates: Vec<Fate>,
    /// The job's key.
    pub receipt_key: String,
}

impl Store {
    /// Says where the tasks of a generation will lie, before its first page is fed; later it stays
    /// as it was said. Returns the job.
    ///
    /// # Errors
    /// [`crate::StoreError::FenceLost`] when the job is no longer this runner's.
    pub async fn place_tasks(&self, fence: &Fence, in_stream: bool) -> StoreResult<Job> {
        let tx = self.write().await?;
        let job = lock_fenced(&tx, fence).await?;
        if job.feed_cursor != START || job.in_stream == in_stream {
            return Ok(job);
        }
        let mut row = job.into_active_model();
        row.in_stream = Set(in_stream);
        let job = row.update(&*tx).await?;
        tx.commit().await?;
        Ok(job)
    }

    /// Says that what was fed up to this place is in the stream.
    ///
    /// # Errors
    /// [`crate::StoreError::FenceLost`] when the job is no longer this runner's.
    pub async fn tasks_sent(&self, fence: &Fence, cursor: i64) -> StoreResult<()> {
        let tx = self.write().await?;
        let job = lock_fenced(&tx, fence).await?;
        let id = job.id;
        let generation = job.generation;
        let mut row = job.into_active_model();
        row.sent_cursor = Set(cursor);
        row.update(&*tx).await?;
        // Workers need not wait for the next look at the stream.
        let sight = Sight {
            job: id,
            generation,
            waiting: 1,
            leased: 0,
        };
        care::note(&tx, &[sight]).await?;
        tx.commit().await
    }

    /// The next images of a job's present generation that have no outcome, by capture.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn open_images(&self, job: &Job, after: i64, limit: u64) -> StoreResult<Vec<i64>> {
        use task_result::Column as C;
        Ok(task_result::Entity::find()
            .select_only()
            .column(C::CaptureId)
            .filter(C::JobId.eq(job.id))
            .filter(C::RunNo.eq(job.run_no))
            .filter(C::Stage.eq(PROCESS))
            .filter(C::CaptureId.gt(after))
            .filter(C::Generation.eq(job.generation))
            .filter(C::Outcome.eq(OPEN))
            .order_by_asc(C::CaptureId)
            .limit(limit)
            .into_tuple()
            .all(&self.db)
            .await?)
    }

    /// Which of these captures the job's present generation has opened and has no outcome for.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn open_among(&self, job: &Job, captures: &[i64]) -> StoreResult<Vec<i64>> {
        use task_result::Column as C;
        let mut open = HashSet::new();
        for chunk in captures.chunks(1000) {
            let rows: Vec<i64> = task_result::Entity::find()
                .select_only()
                .column(C::CaptureId)
                .filter(C::JobId.eq(job.id))
                .filter(C::RunNo.eq(job.run_no))
                .filter(C::Stage.eq(PROCESS))
                .filter(C::CaptureId.is_in(chunk.iter().copied()))
                .filter(C::Generation.eq(job.generation))
                .filter(Expr::cust("+task_result.outcome").eq(OPEN))
                .into_tuple()
                .all(&self.db)
                .await?;
            open.extend(rows);
        }
        let mut ordered = captures.to_vec();
        ordered.retain(|capture| open.contains(capture));
        Ok(ordered)
    }

    /// The last look at the job's row before images that came out of the stream are handed out.
    /// Those that are handed out for the last time get a ticket with their deadline, so that the
    /// caretaker knows of them whatever the stream does.
    ///
    /// # Errors
    /// Errors of the database; nothing may be handed out then.
    pub async fn hand_out(
        &self,
        job: i64,
        generation: i64,
        terms: &Terms,
        came: &[Came],
    ) -> StoreResult<Fates> {
        let all = |fate| Fates {
            fates: vec![fate; came.len()],
            receipt_key: String::new(),
        };
        let tx = self.write().await?;
        let row = job::Entity::find_by_id(job).lock_shared().one(&*tx).await?;
        let Some(row) = row else {
            return Ok(all(Fate::Gone));
        };
        if row.generation > generation {
            return Ok(all(Fate::Gone));
        }
        let held = |claim| row.owner.is_some() && row.claim_no == claim;
        if !row.job_state().is_active() || row.paused || !terms.claim.is_none_or(held) {
            return Ok(all(Fate::Return));
        }
        let captures: Vec<i64> = came.iter().map(|image| image.capture).collect();
        let over = with_outcome(&*tx, &row, &captures).await?;
        let tickets = tickets_of(&tx, &row, &captures).await?;
        let at = clock();
        let most = terms.max_deliveries.unwrap_or(i32::MAX);
        let (mut fates, mut written) = (Vec::new(), Vec::new());
        for image in came {
            let ticket = tickets.get(&image.capture);
            let last = |until: i64, deliveries: i32| ticket::ActiveModel {
                job_id: Set(job),
                capture_id: Set(image.capture),
                generation: Set(generation),
                visible_at: Set(until),
                deliveries: Set(deliveries),
                worker_id: Set(terms.worker),
            };
            fates.push(match ticket {
                _ if over.contains(&image.capture) => Fate::Gone,
                Some(ticket) if ticket.visible_at > at => Fate::Held(ticket.visible_at - at),
                Some(ticket) if ticket.deliveries >= most => Fate::Gone,
                _ if image.deliveries > most => {
                    written.push(last(at, image.deliveries - 1));
                    Fate::Gone
                }
                _ if image.deliveries == most => {
                    let ttl = Ord::max(terms.ttl.num_milliseconds(), 0);
                    written.push(last(at + ttl, image.deliveries));
                    Fate::Task
                }
                _ => Fate::Task,
            });
        }
        let handed = came.iter().zip(&fates);
        let handed = handed.filter(|(_, fate)| **fate == Fate::Task);
        let stale: Vec<i64> = handed
            .map(|(image, _)| image.capture)
            .filter(|capture| tickets.contains_key(capture))
            .collect();
        feed::strike_off(&*tx, job, generation, &stale).await?;
        if !written.is_empty() {
            insert(&tx, written).await?;
        }
        tx.commit().await?;
        Ok(Fates {
            fates,
            receipt_key: row.receipt_key,
        })
    }

    /// Writes down with failed images how often they had been handed out, as who had them says.
    /// Only for people: what is lost of it in a crash is lost.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn note_handed(&self, job: &Job, handed: &[(i64, i32)]) -> StoreResult<()> {
        use task_result::Column as C;
        let mut by_number: HashMap<i32, Vec<i64>> = HashMap::new();
        for (capture, deliveries) in handed {
            by_number.entry(*deliveries).or_default().push(*capture);
        }
        if by_number.is_empty() {
            return Ok(());
        }
        let tx = self.write().await?;
        for (deliveries, captures) in by_number {
            task_result::Entity::update_many()
                .col_expr(C::Deliveries, Expr::value(deliveries))
                .filter(C::JobId.eq(job.id))
                .filter(C::RunNo.eq(job.run_no))
                .filter(C::Stage.eq(PROCESS))
                .filter(C::CaptureId.is_in(captures))
                .filter(C::Generation.eq(job.generation))
                .filter(C::Outcome.eq(FAILED))
                .filter(C::Deliveries.lt(deliveries))
                .exec(&*tx)
                .await?;
        }
        tx.commit().await
    }

    /// The captures among these of which nothing more is to be done: they have an outcome, or the
    /// generation is over.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn over_among(
        &self,
        job: i64,
        generation: i64,
        captures: &[i64],
    ) -> StoreResult<HashSet<i64>> {
        let row = job::Entity::find_by_id(job).one(&self.db).await?;
        let lives = |job: &Job| job.generation == generation && !job.job_state().is_final();
        let Some(row) = row.filter(lives) else {
            return Ok(captures.iter().copied().collect());
        };
        let mut over = HashSet::new();
        for chunk in captures.chunks(1000) {
            over.extend(with_outcome(&self.db, &row, chunk).await?);
        }
        Ok(over)
    }

    /// The captures among these of which a generation has a ticket: they are handed out for the
    /// last time.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn last_handed(
        &self,
        job: i64,
        generation: i64,
        captures: &[i64],
    ) -> StoreResult<HashSet<i64>> {
        use ticket::Column as T;
        let mut found = HashSet::new();
        for chunk in captures.chunks(1000) {
            let rows: Vec<i64> = ticket::Entity::find()
                .select_only()
                .column(T::CaptureId)
                .filter(T::JobId.eq(job))
                .filter(T::Generation.eq(generation))
                .filter(T::CaptureId.is_in(chunk.iter().copied()))
                .into_tuple()
                .all(&self.db)
                .await?;
            found.extend(rows);
        }
        Ok(found)
    }
}

/// Those of a job's images of which nothing more is to be done.
async fn with_outcome<C: ConnectionTrait>(
    db: &C,
    job: &Job,
    captures: &[i64],
) -> StoreResult<HashSet<i64>> {
    use task_result::Column;
    let rows: Vec<i64> = task_result::Entity::find()
        .select_only()
        .column(Column::CaptureId)
        .filter(Column::JobId.eq(job.id))
        .filter(Column::RunNo.eq(job.run_no))
        .filter(Column::Stage.eq(PROCESS))
        .filter(Column::CaptureId.is_in(captures.iter().copied()))
        .filter(
            Column::Outcome
                .ne(OPEN)
                .or(Column::Generation.ne(job.generation)),
        )
        .into_tuple()
        .all(db)
        .await?;
    Ok(rows.into_iter().collect())
}

async fn tickets_of(
    tx: &Write,
    job: &Job,
    captures: &[i64],
) -> StoreResult<HashMap<i64, ticket::Model>> {
    let rows = ticket::Entity::find()
        .filter(ticket::Column::JobId.eq(job.id))
        .filter(ticket::Column::Generation.eq(job.generation))
        .filter(ticket::Column::CaptureId.is_in(captures.iter().copied()))
        .all(&**tx)
        .await?;
    Ok(rows.into_iter().map(|row| (row.capture_id, row)).collect())
}

async fn insert(tx: &Write, tickets: Vec<ticket::ActiveModel>) -> StoreResult<()> {
    use ticket::Column as T;
    ticket::Entity::insert_many(tickets)
        .on_conflict(
            OnConflict::columns([T::JobId, T::CaptureId])
                .update_columns([T::Generation, T::VisibleAt, T::Deliveries, T::WorkerId])
                .to_owned(),
        )
        .exec_without_returning(&**tx)
        .await?;
    Ok(())
}
