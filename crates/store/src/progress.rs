//! What the results of a job add up to. The idea: each process has its own line per job and
//! stage, moved in the results' own transaction, so the sum is exact and no line is hot; the
//! `progress` object of the API is composed from it when somebody reads (`architecture.md` §6).

use std::collections::HashMap;

use domain::job::{DispatchMode, PROCESS_STAGE, RESULTS_STAGE, too_many_failed};
use domain::progress::{Progress, Stage};
use domain::state::JobState;
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait, FromQueryResult,
    QueryFilter, QueryOrder, QuerySelect,
};

use crate::connection::{Store, StoreResult, Write, now};
use crate::entity::{job_progress, job_rate};
use crate::job::{Job, feed::PROCESS};

/// Sums over all processes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Captures saved.
    pub done: i64,
    /// Captures failed.
    pub failed: i64,
    /// Captures that a service looked at and that were saved.
    pub captures: i64,
    /// Detections written.
    pub detections: i64,
    /// Classifications written.
    pub classifications: i64,
}

#[derive(FromQueryResult)]
struct SumRow {
    job_id: i64,
    generation: i64,
    done: i64,
    failed: i64,
    captures: i64,
    detections: i64,
    classifications: i64,
}

async fn sums<C: ConnectionTrait>(db: &C, jobs: &[i64]) -> StoreResult<Vec<SumRow>> {
    use job_progress::Column as C_;
    // Added up here and not by SUM: PostgreSQL would turn bigint into numeric.
    let rows = job_progress::Entity::find()
        .filter(C_::JobId.is_in(jobs.iter().copied()))
        .filter(C_::Stage.eq(PROCESS))
        .select_only()
        .columns([
            C_::JobId,
            C_::Generation,
            C_::Done,
            C_::Failed,
            C_::Captures,
            C_::Detections,
            C_::Classifications,
        ])
        .into_model::<SumRow>()
        .all(db)
        .await?;
    Ok(rows)
}

fn add(counts: &mut Counts, row: &SumRow) {
    counts.done += row.done;
    counts.failed += row.failed;
    counts.captures += row.captures;
    counts.detections += row.detections;
    counts.classifications += row.classifications;
}

/// The sums of one generation, read in the caller's transaction.
pub(crate) async fn sum_in<C: ConnectionTrait>(
    db: &C,
    job: i64,
    generation: i64,
) -> StoreResult<Counts> {
    let mut counts = Counts::default();
    for row in sums(db, &[job]).await? {
        if row.generation == generation {
            add(&mut counts, &row);
        }
    }
    Ok(counts)
}

/// Moves this process's line by `by`; values may be negative.
pub(crate) async fn bump(
    tx: &Write,
    job: i64,
    generation: i64,
    shard: i64,
    by: Counts,
) -> StoreResult<()> {
    use job_progress::Column as C_;
    let line = job_progress::ActiveModel {
        job_id: Set(job),
        generation: Set(generation),
        stage: Set(PROCESS),
        shard: Set(shard),
        done: Set(by.done),
        failed: Set(by.failed),
        captures: Set(by.captures),
        detections: Set(by.detections),
        classifications: Set(by.classifications),
    };
    let moved = |column: C_, by: i64| (column, Expr::col((job_progress::Entity, column)).add(by));
    job_progress::Entity::insert(line)
        .on_conflict(
            OnConflict::columns([C_::JobId, C_::Generation, C_::Stage, C_::Shard])
                .values([
                    moved(C_::Done, by.done),
                    moved(C_::Failed, by.failed),
                    moved(C_::Captures, by.captures),
                    moved(C_::Detections, by.detections),
                    moved(C_::Classifications, by.classifications),
                ])
                .to_owned(),
        )
        .exec_without_returning(&**tx)
        .await?;
    Ok(())
}

/// Length of a slot of the rate, in seconds.
pub const SLOT: i64 = 10;

/// Notes that this process has finished so many images just now.
pub(crate) async fn note_rate(tx: &Write, job: &Job, shard: i64, images: i64) -> StoreResult<()> {
    use job_rate::Column as C_;
    let line = job_rate::ActiveModel {
        job_id: Set(job.id),
        generation: Set(job.generation),
        slot: Set(now().timestamp().div_euclid(SLOT) * SLOT),
        shard: Set(shard),
        images: Set(images),
    };
    let sum = Expr::col((job_rate::Entity, C_::Images)).add(images);
    job_rate::Entity::insert(line)
        .on_conflict(
            OnConflict::columns([C_::JobId, C_::Generation, C_::Slot, C_::Shard])
                .value(C_::Images, sum)
                .to_owned(),
        )
        .exec_without_returning(&**tx)
        .await?;
    Ok(())
}

/// Opens a retry's generation with what earlier ones of the run have saved.
pub(crate) async fn carry_over(
    tx: &Write,
    before: &Job,
    after: &Job,
    shard: i64,
) -> StoreResult<()> {
    let mut counts = sum_in(&**tx, before.id, before.generation).await?;
    counts.failed = 0;
    bump(tx, after.id, after.generation, shard, counts).await
}

impl Store {
    /// Sums of these jobs' present generations, by job.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn counts(&self, jobs: &[Job]) -> StoreResult<HashMap<i64, Counts>> {
        let present: HashMap<i64, i64> = jobs.iter().map(|j| (j.id, j.generation)).collect();
        let ids: Vec<i64> = jobs.iter().map(|j| j.id).collect();
        let mut by_job: HashMap<i64, Counts> = HashMap::new();
        for row in sums(&self.db, &ids).await? {
            if present.get(&row.job_id) == Some(&row.generation) {
                add(by_job.entry(row.job_id).or_default(), &row);
            }
        }
        Ok(by_job)
    }
}

impl Store {
    /// Images finished in each slot of [`SLOT`] seconds of a job's present generation, by time;
    /// slots without any are left out.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn rate(&self, job: &Job) -> StoreResult<Vec<(i64, i64)>> {
        use job_rate::Column as C_;
        let rows: Vec<(i64, i64)> = job_rate::Entity::find()
            .select_only()
            .columns([C_::Slot, C_::Images])
            .filter(C_::JobId.eq(job.id))
            .filter(C_::Generation.eq(job.generation))
            .order_by_asc(C_::Slot)
            .into_tuple()
            .all(&self.db)
            .await?;
        let mut slots: Vec<(i64, i64)> = Vec::with_capacity(rows.len());
        for (slot, images) in rows {
            match slots.last_mut() {
                Some(last) if last.0 == slot => last.1 += images,
                _ => slots.push((slot, images)),
            }
        }
        Ok(slots)
    }
}

/// The `progress` object of a job from its row and its sums.
pub fn compose(job: &Job, counts: Counts) -> Progress {
    let state = job.job_state();
    let mut stages = job.own_stages();
    let pulled = job.dispatch() == DispatchMode::AsyncApi;
    let has_total = job.total.is_some();
    let whole = job.total.or(job.expected).unwrap_or(0);
    // Until the first result these stages stand as they were made.
    let began = counts.done + counts.failed > 0 || (has_total && whole == 0);
    for stage in &mut stages {
        match stage.key.as_str() {
            PROCESS_STAGE if began => process(stage, whole, has_total, counts),
            RESULTS_STAGE if began => results(stage, whole, has_total, counts),
            _ => {}
        }
        close(stage, state, counts);
        if pulled {
            warn(stage, whole, counts);
        }
    }
    Progress::compose(state, stages, job.error_list())
}

/// Share of the whole; full only when the feed has ended, so it never falls back.
fn share(part: i64, whole: i64, ended: bool) -> f64 {
    if whole <= 0 {
        return if ended { 1.0 } else { 0.0 };
    }
    let share = (part as f64 / whole as f64).clamp(0.0, 1.0);
    if ended { share } else { share.min(0.99) }
}

fn process(stage: &mut Stage, whole: i64, ended: bool, counts: Counts) {
    let seen = counts.done + counts.failed;
    if seen > 0 {
        stage.set("Processed", seen);
        stage.set("Remaining", Ord::max(whole - seen, 0));
        stage.set("Failed", counts.failed);
    }
    if seen > 0 || (ended && whole == 0) {
        stage.advance(share(seen, whole, ended));
    }
}

fn results(stage: &mut Stage, whole: i64, ended: bool, counts: Counts) {
    let seen = counts.done + counts.failed;
    if seen > 0 {
        stage.set("Captures", counts.captures);
        stage.set("Detections", counts.detections);
        stage.set("Classifications", counts.classifications);
    }
    if seen > 0 || (ended && whole == 0) {
        stage.advance(share(seen, whole, ended));
    }
}

/// In a pull job, both stages say FAILURE as soon as more than half has failed, and until the end
/// (`processing-service.md` §10).
fn warn(stage: &mut Stage, whole: i64, counts: Counts) {
    let ours = [PROCESS_STAGE, RESULTS_STAGE].contains(&stage.key.as_str());
    if ours && whole > 0 && too_many_failed(whole, counts.failed) {
        stage.status = JobState::Failure;
    }
}

/// A stage of an ended job says how it ended.
fn close(stage: &mut Stage, state: JobState, counts: Counts) {
    match state {
        JobState::Failure if stage.key == PROCESS_STAGE && counts.failed > 0 => {
            stage.status = JobState::Failure;
        }
        JobState::Failure | JobState::Revoked
            if stage.progress < 1.0 && stage.status == JobState::Started =>
        {
            stage.status = state;
        }
        _ => {}
    }
}
