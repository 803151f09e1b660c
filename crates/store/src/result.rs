//! Saving one batch of results, each image once. The idea: the move of an image's row from open
//! to done is the permission to write its detections, and both happen, with the counts and the
//! tickets, in one transaction (`protocol.md` §2 save, `processing-service.md` §6).
//! What is accepted is therefore saved, and what is saved is counted once, however often it comes.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Instant;

use domain::metric;
use domain::state::JobState;
use domain::wire::DetectionResponse;
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::capture::lock::lock_captures;
use crate::connection::{Store, StoreError, StoreResult, Write, again};
use crate::counters;
use crate::entity::{job, task_result, ticket};
use crate::job::{
    Job,
    feed::{self, DONE, FAILED, OPEN, PROCESS},
};
use crate::progress::{self, Counts};

mod detections;
mod labels;

/// What became of one image.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// The service answered; the list is what it found, checked, and may be empty.
    Done(Vec<DetectionResponse>),
    /// Nothing was asked: this pipeline's results for it had been saved by somebody else.
    Known,
    /// No result, for this reason.
    Failed(String),
}

/// Results to be saved together.
#[derive(Clone, Debug)]
pub struct Batch {
    /// The job.
    pub job: i64,
    /// Generation under which the images were handed out.
    pub generation: i64,
    /// The pipeline that made them.
    pub pipeline: i64,
    /// The images with their outcomes; of an image that stands twice a result counts before a
    /// failure, and else the first.
    pub images: Vec<(i64, Outcome)>,
}

/// What a save did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Saved {
    /// Images that became done by this save.
    pub done: i64,
    /// Images that became failed by this save.
    pub failed: i64,
    /// Detections with a box, of the images that became done.
    pub detections: i64,
    /// Their classifications.
    pub classifications: i64,
    /// Images that changed nothing: saved before, of an older generation, or of an ended job.
    pub ignored: i64,
}

/// A failed image of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The capture.
    pub capture: i64,
    /// Why.
    pub reason: String,
    /// How often it had been handed out by then.
    pub deliveries: i32,
}

/// Reason of a done image whose results were another job's ([`Outcome::Known`]).
pub(crate) const KNOWN: &str = "Another job had saved its results.";

/// Longest reason kept, in characters.
const MAX_REASON: usize = 500;

impl Store {
    /// Saves a batch. When this returns, it is committed.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for an unknown job or pipeline, [`StoreError::Conflict`] where
    /// the pipeline cannot have made such results; nothing is saved then.
    pub async fn save_results(&self, batch: Batch) -> StoreResult<Saved> {
        let saved = self.save_together(&[batch]).await?;
        Ok(saved.into_iter().next().unwrap_or_default())
    }

    /// Saves several batches of one job, generation and pipeline in one transaction, and says of
    /// each what it did: as if they had come one after the other, but in far fewer statements.
    ///
    /// # Errors
    /// As [`Store::save_results`]; where one cannot be saved, none is.
    pub async fn save_together(&self, batches: &[Batch]) -> StoreResult<Vec<Saved>> {
        let Some(first) = batches.first() else {
            return Ok(Vec::new());
        };
        let same = |b: &Batch| (b.job, b.generation, b.pipeline);
        if batches.iter().any(|b| same(b) != same(first)) {
            let why = "These results do not belong together.";
            return Err(StoreError::Conflict(why.to_owned()));
        }
        let mut saved = again(|| self.save_once(first, batches)).await?;
        for (one, batch) in saved.iter_mut().zip(batches) {
            let asked = i64::try_from(batch.images.len()).unwrap_or(i64::MAX);
            one.ignored = asked - one.done - one.failed;
        }
        Ok(saved)
    }

    /// The transaction, which holds all that a save does: where it is taken back, nothing is left.
    async fn save_once(&self, first: &Batch, batches: &[Batch]) -> StoreResult<Vec<Saved>> {
        let began = Instant::now();
        let tx = self.write().await?;
        let job = job::Entity::find_by_id(first.job)
            .lock_shared()
            .one(&*tx)
            .await?
            .ok_or(StoreError::NotFound("job"))?;
        let takes = matches!(job.job_state(), JobState::Pending | JobState::Started);
        let mut saved = vec![Saved::default(); batches.len()];
        if takes && job.generation == first.generation {
            save(&tx, self.shard, &job, batches, &mut saved).await?;
            tx.commit().await?;
            measure(&saved, began);
        }
        Ok(saved)
    }

    /// The same, but results that the pipeline cannot have made are written down as failed, with
    /// the reason that is returned.
    ///
    /// # Errors
    /// As [`Store::save_results`], without the conflict.
    pub async fn save_or_fail(&self, batch: Batch) -> StoreResult<(Saved, Option<String>)> {
        let captures: Vec<i64> = batch.images.iter().map(|(id, _)| *id).collect();
        let (job, generation, pipeline) = (batch.job, batch.generation, batch.pipeline);
        match self.save_results(batch).await {
            Ok(saved) => Ok((saved, None)),
            Err(StoreError::Conflict(why)) => {
                let images = captures
                    .into_iter()
                    .map(|id| (id, Outcome::Failed(why.clone())));
                let batch = Batch {
                    job,
                    generation,
                    pipeline,
                    images: images.collect(),
                };
                Ok((self.save_results(batch).await?, Some(why)))
            }
            Err(other) => Err(other),
        }
    }

    /// The failed images of a job's present run, by capture.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn failures(&self, job: &Job, limit: u64, offset: u64) -> StoreResult<Vec<Failure>> {
        use task_result::Column as C;
        let rows = task_result::Entity::find()
            .filter(C::JobId.eq(job.id))
            .filter(C::RunNo.eq(job.run_no))
            .filter(C::Outcome.eq(FAILED))
            .order_by_asc(C::CaptureId)
            .limit(limit)
            .offset(offset)
            .all(&self.db)
            .await?;
        Ok(rows
            .into_iter()
            .map(|row| Failure {
                capture: row.capture_id,
                reason: row.reason.unwrap_or_default(),
                deliveries: row.deliveries,
            })
            .collect())
    }
}

/// Tells what was saved and how long it took.
fn measure(saved: &[Saved], began: Instant) {
    metrics::histogram!(metric::SAVE.name).record(began.elapsed());
    let sum = |of: fn(&Saved) -> i64| saved.iter().map(of).sum::<i64>().unsigned_abs();
    for (outcome, images) in [("done", sum(|s| s.done)), ("failed", sum(|s| s.failed))] {
        metrics::counter!(metric::IMAGES_SAVED.name, "outcome" => outcome).increment(images);
    }
}

/// The rows of the batch that may still change, locked in one order: capture and what it was.
async fn lock_rows(tx: &Write, job: &Job, ids: &[i64]) -> StoreResult<HashMap<i64, i32>> {
    use task_result::Column as C;
    let mut found = HashMap::new();
    for chunk in ids.chunks(1000) {
        let rows = task_result::Entity::find()
            .filter(C::JobId.eq(job.id))
            .filter(C::RunNo.eq(job.run_no))
            .filter(C::Stage.eq(PROCESS))
            .filter(C::CaptureId.is_in(chunk.iter().copied()))
            .filter(C::Generation.eq(job.generation))
            // By their captures, not by their outcome, which all open ones of the job share.
            .filter(Expr::cust("+task_result.outcome").is_in([OPEN, FAILED]))
            .order_by_asc(C::CaptureId)
            .lock_exclusive()
            .all(&**tx)
            .await?;
        found.extend(rows.into_iter().map(|r| (r.capture_id, r.outcome)));
    }
    Ok(found)
}

/// Of an image that stands several times a result counts before a failure, and else the first;
/// with each image the number of its batch.
fn merged(batches: &[Batch]) -> BTreeMap<i64, (usize, &Outcome)> {
    let mut images: BTreeMap<i64, (usize, &Outcome)> = BTreeMap::new();
    for (number, batch) in batches.iter().enumerate() {
        for (capture, outcome) in &batch.images {
            match images.entry(*capture) {
                Entry::Vacant(slot) => {
                    slot.insert((number, outcome));
                }
                Entry::Occupied(mut slot) => {
                    let before = matches!(slot.get().1, Outcome::Failed(_));
                    if before && !matches!(outcome, Outcome::Failed(_)) {
                        slot.insert((number, outcome));
                    }
                }
            }
        }
    }
    images
}

async fn save(
    tx: &Write,
    shard: i64,
    job: &Job,
    batches: &[Batch],
    saved: &mut [Saved],
) -> StoreResult<()> {
    let images = merged(batches);
    let ids: Vec<i64> = images.keys().copied().collect();
    let rows = lock_rows(tx, job, &ids).await?;
    let captures = lock_captures(tx, &ids).await?;

    let mut counts = Counts::default();
    let mut done: BTreeMap<i64, &[DetectionResponse]> = BTreeMap::new();
    let mut known: Vec<i64> = Vec::new();
    let mut failed: BTreeMap<String, Vec<i64>> = BTreeMap::new();
    for (capture, (number, outcome)) in &images {
        let Some(before) = rows.get(capture) else {
            continue;
        };
        match outcome {
            Outcome::Done(found) if captures.contains_key(capture) => {
                saved[*number].done += 1;
                counts.failed -= i64::from(*before == FAILED);
                done.insert(*capture, found);
            }
            Outcome::Known => {
                saved[*number].done += 1;
                counts.failed -= i64::from(*before == FAILED);
                known.push(*capture);
            }
            _ if *before == FAILED => {} // failed already: the first reason stays
            other => {
                let reason = match other {
                    Outcome::Done(_) | Outcome::Known => "The capture was deleted.",
                    Outcome::Failed(reason) => reason,
                };
                saved[*number].failed += 1;
                let reason = reason.chars().filter(|c| *c != '\0').take(MAX_REASON);
                failed.entry(reason.collect()).or_default().push(*capture);
            }
        }
    }
    let well: Vec<i64> = done.keys().copied().collect();
    mark(tx, job, DONE, None, &well).await?;
    mark(tx, job, DONE, Some(KNOWN), &known).await?;
    for (reason, captures) in &failed {
        mark(tx, job, FAILED, Some(reason), captures).await?;
    }
    let failures: Vec<i64> = failed.values().flatten().copied().collect();
    note_deliveries(tx, job, &failures).await?;
    let pipeline = batches.first().map_or(0, |batch| batch.pipeline);
    let written = detections::write(tx, pipeline, &captures, &done).await?;
    for (capture, (detections, classifications)) in written {
        if let Some((number, _)) = images.get(&capture) {
            saved[*number].detections += detections;
            saved[*number].classifications += classifications;
        }
    }
    for one in saved.iter() {
        counts.done += one.done;
        counts.failed += one.failed;
        counts.detections += one.detections;
        counts.classifications += one.classifications;
    }
    counts.captures = counts.done;
    counters::refresh_captures(tx, &well).await?;
    feed::strike_off(&**tx, job.id, job.generation, &ids).await?;
    if counts != Counts::default() {
        let finished = saved.iter().map(|one| one.done + one.failed).sum();
        progress::bump(tx, job.id, job.generation, shard, counts).await?;
        progress::note_rate(tx, job, shard, finished).await?;
    }
    Ok(())
}

async fn mark(
    tx: &Write,
    job: &Job,
    outcome: i32,
    reason: Option<&str>,
    captures: &[i64],
) -> StoreResult<()> {
    use task_result::Column as C;
    let unique: BTreeSet<i64> = captures.iter().copied().collect();
    let unique: Vec<i64> = unique.into_iter().collect();
    for chunk in unique.chunks(1000) {
        task_result::Entity::update_many()
            .col_expr(C::Outcome, Expr::value(outcome))
            .col_expr(C::Reason, Expr::value(reason.map(str::to_owned)))
            .filter(C::JobId.eq(job.id))
            .filter(C::RunNo.eq(job.run_no))
            .filter(C::Stage.eq(PROCESS))
            .filter(C::CaptureId.is_in(chunk.iter().copied()))
            .exec(&**tx)
            .await?;
    }
    Ok(())
}

/// Keeps with failed images how often they were handed out, before their tickets go.
async fn note_deliveries(tx: &Write, job: &Job, captures: &[i64]) -> StoreResult<()> {
    use task_result::Column as C;
    for chunk in captures.chunks(1000) {
        let tickets = ticket::Entity::find()
            .filter(ticket::Column::JobId.eq(job.id))
            .filter(ticket::Column::Generation.eq(job.generation))
            .filter(ticket::Column::CaptureId.is_in(chunk.iter().copied()))
            .all(&**tx)
            .await?;
        let mut by_number: BTreeMap<i32, Vec<i64>> = BTreeMap::new();
        for t in tickets {
            by_number
                .entry(t.deliveries)
                .or_default()
                .push(t.capture_id);
        }
        for (deliveries, captures) in by_number {
            task_result::Entity::update_many()
                .col_expr(C::Deliveries, Expr::value(deliveries))
                .filter(C::JobId.eq(job.id))
                .filter(C::RunNo.eq(job.run_no))
                .filter(C::Stage.eq(PROCESS))
                .filter(C::CaptureId.is_in(captures))
                .exec(&**tx)
                .await?;
        }
    }
    Ok(())
}
