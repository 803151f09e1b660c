//! What the caretaker sees of tasks in the stream, and what it does about those that were lost. The
//! idea: what is seen is only a hint for those who choose among jobs; a sweep is a guarded
//! transaction like every other change, told apart from later ones by its number.

use std::collections::HashSet;

use domain::state::JobState;
use sea_orm::sea_query::{CaseStatement, Expr, OnConflict};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, ExprTrait, QueryFilter, QuerySelect};

use crate::connection::{Store, StoreResult, Write, clock};
use crate::entity::{job, job_stream, task_result, ticket};
use crate::job::feed::{self, OPEN, PROCESS};
use crate::job::{Job, life};
use crate::log::Level;
use crate::ticket::Depth;

/// A job that has not ended and whose tasks lie in the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Streamed {
    /// The job.
    pub job: i64,
    /// Its present generation.
    pub generation: i64,
    /// Number of its last claim.
    pub claim_no: i64,
    /// Whether all is fed and nobody owns it: it waits for its images only.
    pub released: bool,
}

/// What was seen of a generation's tasks in the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sight {
    /// The job.
    pub job: i64,
    /// The generation.
    pub generation: i64,
    /// Tasks that wait.
    pub waiting: i64,
    /// Tasks in somebody's hands.
    pub leased: i64,
}

/// What a sweep did with images that have neither an outcome nor a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sweep {
    /// There are none, or it is not time for them.
    Nothing,
    /// These must be sent again, as the sweep of this number.
    Again(i32, Vec<i64>),
    /// They have failed.
    Failed,
}

impl Store {
    /// Jobs that have not ended and whose tasks lie in the stream.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn streamed_jobs(&self) -> StoreResult<Vec<Streamed>> {
        use job::Column as C;
        type Row = (i64, i64, i64, String, Option<String>, Option<i64>);
        let live = [JobState::Pending, JobState::Started, JobState::Canceling];
        let rows: Vec<Row> = job::Entity::find()
            .select_only()
            .columns([
                C::Id,
                C::Generation,
                C::ClaimNo,
                C::State,
                C::Owner,
                C::Total,
            ])
            .filter(C::State.is_in(live.map(JobState::code)))
            .filter(C::InStream.eq(true))
            .into_tuple()
            .all(&self.db)
            .await?;
        let started = JobState::Started.code();
        let streamed = |(job, generation, claim_no, state, owner, total): Row| Streamed {
            job,
            generation,
            claim_no,
            released: state == started && owner.is_none() && total.is_some(),
        };
        Ok(rows.into_iter().map(streamed).collect())
    }

    /// Writes down what was seen of the stream, for those who choose among jobs: what differs from
    /// what stands there.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn note_stream(&self, sights: &[Sight]) -> StoreResult<()> {
        let mut changed = Vec::new();
        for chunk in sights.chunks(1000) {
            let jobs = chunk.iter().map(|sight| sight.job);
            let known = job_stream::Entity::find()
                .filter(job_stream::Column::JobId.is_in(jobs))
                .all(&self.db)
                .await?;
            let known: HashSet<(i64, i64, i64, i64)> = known
                .into_iter()
                .map(|row| (row.job_id, row.generation, row.waiting, row.leased))
                .collect();
            let differs = |s: &Sight| !known.contains(&(s.job, s.generation, s.waiting, s.leased));
            changed.extend(chunk.iter().copied().filter(differs));
        }
        if changed.is_empty() {
            return Ok(());
        }
        let tx = self.write().await?;
        note(&tx, &changed).await?;
        tx.commit().await
    }

    /// What was last seen of a job's tasks in the stream, and how many the caretaker waits for.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn stream_depth(&self, job: &Job, most: Option<i32>) -> StoreResult<Depth> {
        let seen = job_stream::Entity::find_by_id(job.id).one(&self.db).await?;
        let seen = seen.filter(|seen| seen.generation == job.generation);
        let number = |n: i64| u64::try_from(n).unwrap_or(0);
        Ok(Depth {
            waiting: seen.as_ref().map_or(0, |seen| number(seen.waiting)),
            leased: seen.as_ref().map_or(0, |seen| number(seen.leased)),
            dead: self.ticket_depth(job.id, most).await?.dead,
        })
    }

    /// Looks after images of a released job of which the stream, looked at after `seen` was read,
    /// holds nothing more: nothing waits and nothing is in anybody's hands. They are to be sent
    /// again, `most` times at most and with `pause` between; then they fail (`protocol.md` §2,
    /// sweep).
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn sweep_stream(
        &self,
        seen: Streamed,
        most: i32,
        pause: std::time::Duration,
    ) -> StoreResult<Sweep> {
        let tx = self.write().await?;
        let job = life::lock(&tx, seen.job).await?;
        let waits = job.job_state() == JobState::Started
            && job.in_stream
            && job.owner.is_none()
            && job.total.is_some();
        if !waits || job.generation != seen.generation || job.claim_no != seen.claim_no {
            return Ok(Sweep::Nothing);
        }
        let at = clock();
        let pause = i64::try_from(pause.as_millis()).unwrap_or(i64::MAX / 2);
        // Who had an image for the last time either still has it or is about to be found out.
        let last = ticket::Entity::find()
            .filter(ticket::Column::JobId.eq(job.id))
            .filter(ticket::Column::VisibleAt.gt(at.saturating_sub(pause)))
            .one(&*tx)
            .await?;
        let open = open_rows(&tx, &job).await?;
        if last.is_some() || open.is_empty() {
            return Ok(Sweep::Nothing);
        }
        let before = job_stream::Entity::find_by_id(job.id).one(&*tx).await?;
        let before = before.filter(|row| row.generation == job.generation);
        let sweeps = before.as_ref().map_or(0, |row| row.sweeps);
        if before.is_some_and(|row| row.sweeps > 0 && row.swept_at + pause > at) {
            return Ok(Sweep::Nothing);
        }
        if sweeps >= most {
            let why = format!("the queue lost it {sweeps} times");
            feed::fail_open(&tx, self.shard, &job, &why).await?;
            life::delete_tickets(&*tx, job.id).await?;
            let text = format!("{} captures failed: {why}", open.len());
            crate::log::insert(&*tx, job.id, &[(Level::Error, text)]).await?;
            tx.commit().await?;
            return Ok(Sweep::Failed);
        }
        life::delete_tickets(&*tx, job.id).await?;
        let row = job_stream::ActiveModel {
            job_id: Set(job.id),
            generation: Set(job.generation),
            waiting: Set(1),
            leased: Set(0),
            sweeps: Set(sweeps + 1),
            swept_at: Set(at),
        };
        use job_stream::Column as S;
        job_stream::Entity::insert(row)
            .on_conflict(
                OnConflict::column(S::JobId)
                    .update_columns([S::Generation, S::Waiting, S::Leased, S::Sweeps, S::SweptAt])
                    .to_owned(),
            )
            .exec_without_returning(&*tx)
            .await?;
        let text = format!("{} captures had left the queue: sent again", open.len());
        crate::log::insert(&*tx, job.id, &[(Level::Warning, text)]).await?;
        tx.commit().await?;
        Ok(Sweep::Again(sweeps + 1, open))
    }
}

async fn open_rows(tx: &Write, job: &Job) -> StoreResult<Vec<i64>> {
    use task_result::Column as C;
    Ok(task_result::Entity::find()
        .select_only()
        .column(C::CaptureId)
        .filter(C::JobId.eq(job.id))
        .filter(C::RunNo.eq(job.run_no))
        .filter(C::Stage.eq(PROCESS))
        .filter(C::Generation.eq(job.generation))
        .filter(C::Outcome.eq(OPEN))
        .into_tuple()
        .all(&**tx)
        .await?)
}

/// Writes sights down; how often was swept stays, unless a new generation begins.
pub(super) async fn note(tx: &Write, sights: &[Sight]) -> StoreResult<()> {
    use job_stream::Column as S;
    let row = |sight: &Sight| job_stream::ActiveModel {
        job_id: Set(sight.job),
        generation: Set(sight.generation),
        waiting: Set(sight.waiting),
        leased: Set(sight.leased),
        sweeps: Set(0),
        swept_at: Set(0),
    };
    let same =
        Expr::col((job_stream::Entity, S::Generation)).eq(Expr::col(("excluded", S::Generation)));
    let kept = |column: S| {
        let before = Expr::col((job_stream::Entity, column));
        CaseStatement::new().case(same.clone(), before).finally(0)
    };
    for chunk in sights.chunks(1000) {
        job_stream::Entity::insert_many(chunk.iter().map(row))
            .on_conflict(
                OnConflict::column(S::JobId)
                    .value(S::Sweeps, kept(S::Sweeps))
                    .value(S::SweptAt, kept(S::SweptAt))
                    .update_columns([S::Generation, S::Waiting, S::Leased])
                    .to_owned(),
            )
            .exec_without_returning(&**tx)
            .await?;
    }
    Ok(())
}
