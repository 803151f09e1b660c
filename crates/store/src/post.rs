//! Post-processing, page by page (`domain-rules.md` §8). The idea: a page is so many occurrences
//! with everything said about them; what it changes, its figures and how far the job is are one
//! transaction behind the runner's fence, so a killed job goes on as if nothing had been. A dry
//! run does the very same and takes it back, and keeps only the figures.

use std::collections::BTreeSet;

use domain::job::POST_PROCESSING;
use domain::post::{Fault, Request, Scope, Task, TaskSpec};
use domain::progress::Stage;
use sea_orm::{
    ActiveValue::Set, ColumnTrait, EntityTrait, FromQueryResult, IntoActiveModel, JoinType,
    PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, RelationTrait,
};

use crate::capture::lock::lock_captures;
use crate::connection::{Store, StoreError, StoreResult, Write, again, now};
use crate::counters;
use crate::entity::{capture, detection, occurrence};
use crate::export::{is_of_member, members};
use crate::job::life::{Fence, lock_fenced};
use crate::job::{Job, stages_json};
use crate::occurrence::determination;

mod algorithm;
mod classifier;
mod mask;
mod rollup;
mod size;

pub use classifier::Classifier;
pub use mask::Mask;
pub use rollup::RollUp;

/// Occurrences of one page at most.
const PAGE: u64 = 500;
/// Scores that a page may write: a model of many classes has smaller pages.
const SCORES: u64 = 1_000_000;
/// Pages without anything in scope that one transaction passes over.
const EMPTY: u32 = 20;

/// A task that is ready to work.
#[derive(Clone, Debug)]
pub enum Work {
    /// Marks boxes below this share of the capture.
    SmallSize(f64),
    /// Masks classes.
    Masking(Mask),
    /// Rolls scores up.
    RollUp(RollUp),
}

/// What a page did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Figures, in the order of [`TaskSpec::counts`].
    pub counts: Vec<u64>,
    /// Classifications that could not be read, the first ones of them.
    pub unreadable: Vec<i64>,
    /// How many these are in all.
    pub skipped: u64,
    /// Occurrences whose determination may have to change.
    touched: BTreeSet<i64>,
}

/// Where a job is after a page.
#[derive(Clone, Debug)]
pub struct PageDone {
    /// The stages as they stand in the job's row now.
    pub stages: Vec<Stage>,
    /// What the page did.
    pub tally: Tally,
}

/// A box in scope.
#[derive(Clone, Copy, Debug, FromQueryResult)]
struct Found {
    id: i64,
    occurrence_id: i64,
    x1: f64,
    y1: f64,
    x2: f64,
    y2: f64,
    width: Option<i32>,
    height: Option<i32>,
}

impl Work {
    fn page_size(&self) -> u64 {
        let classes = match self {
            Work::SmallSize(_) => 1,
            Work::Masking(mask) => mask.classifier.len(),
            Work::RollUp(_) => 1,
        };
        (SCORES / Ord::max(classes as u64, 1)).clamp(10, PAGE)
    }
}

impl Store {
    /// What of a request does not exist: the API refuses it, a job fails with it.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn post_faults(&self, project: i64, request: &Request) -> StoreResult<Vec<Fault>> {
        let mut faults = Vec::new();
        let (setting, what, id, home) = match request.scope {
            Scope::Set(id) => {
                let home = some(self.capture_set(id).await)?.map(|set| set.project_id);
                ("source_image_collection_id", "capture set", id, home)
            }
            Scope::Occurrence(id) => {
                let row = occurrence::Entity::find_by_id(id).one(&self.db).await?;
                let home = row.and_then(|row| row.project_id);
                ("occurrence_id", "occurrence", id, home)
            }
        };
        if home != Some(project) {
            let words = format!("There is no {what} {id} in this project.");
            faults.push(Fault::of(setting, words));
        }
        if let Task::Masking { list, .. } = &request.task
            && some(self.taxa_list(*list).await)?.is_none()
        {
            let words = format!("There is no taxa list {list}.");
            faults.push(Fault::of("taxa_list_id", words));
        }
        if let Task::Masking { algorithm, .. } | Task::RollUp { algorithm, .. } = &request.task {
            let why = match some(self.algorithm(*algorithm).await)? {
                None => Some(format!("There is no algorithm {algorithm}.")),
                Some(row) if row.category_map_id.is_none() => Some(format!(
                    "The algorithm \"{}\" has no category map, so nobody knows what its scores \
                     stand for.",
                    row.name
                )),
                Some(_) => None,
            };
            faults.extend(why.map(|why| Fault::of("algorithm_id", why)));
        }
        Ok(faults)
    }

    /// How many occurrences a scope is looked for in.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn post_total(&self, project: i64, scope: Scope) -> StoreResult<u64> {
        match scope {
            Scope::Occurrence(_) => Ok(1),
            Scope::Set(_) => Ok(occurrence::Entity::find()
                .filter(occurrence::Column::ProjectId.eq(project))
                .count(&self.db)
                .await?),
        }
    }

    /// Does the next page of a job; `None` when there is none left. `all` is the
    /// [`Store::post_total`] that its share is measured by.
    ///
    /// # Errors
    /// [`StoreError::FenceLost`] when the job is no longer this runner's;
    /// [`StoreError::Conflict`] with a sentence where the task cannot be done.
    pub async fn post_page(
        &self,
        fence: &Fence,
        request: &Request,
        work: &Work,
        all: u64,
    ) -> StoreResult<Option<PageDone>> {
        again(|| self.post_page_once(fence, request, work, all)).await
    }

    /// The transactions, which hold all that a page does: where one is taken back, nothing is left.
    async fn post_page_once(
        &self,
        fence: &Fence,
        request: &Request,
        work: &Work,
        all: u64,
    ) -> StoreResult<Option<PageDone>> {
        let mut tx = self.write().await?;
        let mut job = lock_fenced(&tx, fence).await?;
        let Some(page) = next_page(&tx, &job, request.scope, work.page_size()).await? else {
            return Ok(None);
        };
        let mut tally = match work {
            Work::SmallSize(threshold) => size::mark(&tx, *threshold, &page.found).await?,
            Work::Masking(mask) => mask.apply(&tx, &page.found).await?,
            Work::RollUp(rollup) => rollup.apply(&tx, &page.found).await?,
        };
        let updated = determine(&tx, &tally.touched).await?;
        tally.counts.push(updated);
        if request.dry_run {
            tx.undo().await?;
            tx = self.write().await?;
            job = lock_fenced(&tx, fence).await?;
        }
        let stages = note(&tx, job, &page, request.task.spec(), &tally.counts, all).await?;
        tx.commit().await?;
        Ok(Some(PageDone { stages, tally }))
    }

    /// Counts again the sessions and stations of everything in scope, at the end of a job.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn recount_scope(&self, scope: Scope) -> StoreResult<()> {
        let boxes = || detection::Entity::find().select_only().distinct();
        let within = |select: sea_orm::Select<detection::Entity>| match scope {
            Scope::Set(set) => {
                select.filter(detection::Column::CaptureId.in_subquery(members(set)))
            }
            Scope::Occurrence(id) => select.filter(detection::Column::OccurrenceId.eq(id)),
        };
        let captures = within(boxes())
            .join(JoinType::InnerJoin, detection::Relation::Capture.def())
            .column(capture::Column::SessionId)
            .column(capture::Column::StationId);
        let occurrences = within(boxes())
            .join(JoinType::InnerJoin, detection::Relation::Occurrence.def())
            .column(occurrence::Column::SessionId)
            .column(occurrence::Column::StationId);
        let mut places: Vec<(Option<i64>, Option<i64>)> =
            captures.into_tuple().all(&self.db).await?;
        places.extend(
            occurrences
                .into_tuple::<(Option<i64>, Option<i64>)>()
                .all(&self.db)
                .await?,
        );
        self.refresh_places(&places).await
    }
}

/// `None` where a row is not there.
fn some<T>(found: StoreResult<T>) -> StoreResult<Option<T>> {
    match found {
        Ok(row) => Ok(Some(row)),
        Err(StoreError::NotFound(_)) => Ok(None),
        Err(other) => Err(other),
    }
}

/// The boxes of a page, the last occurrence that was looked at, and how many were.
struct Page {
    found: Vec<Found>,
    last: i64,
    looked_at: i64,
}

/// The next occurrences with a box in scope. All boxes of an occurrence are on one page, so pages
/// do not depend on each other.
async fn next_page(tx: &Write, job: &Job, scope: Scope, size: u64) -> StoreResult<Option<Page>> {
    use occurrence::Column as O;
    let mut page = Page {
        found: Vec::new(),
        last: job.feed_cursor,
        looked_at: 0,
    };
    for _ in 0..EMPTY {
        let select = occurrence::Entity::find()
            .select_only()
            .column(O::Id)
            .filter(O::ProjectId.eq(job.project_id))
            .filter(O::Id.gt(page.last))
            .order_by_asc(O::Id)
            .limit(size);
        let select = match scope {
            Scope::Set(_) => select,
            Scope::Occurrence(id) => select.filter(O::Id.eq(id)),
        };
        let ids: Vec<i64> = select.into_tuple().all(&**tx).await?;
        let Some(last) = ids.last() else { break };
        page.last = *last;
        page.looked_at += i64::try_from(ids.len()).unwrap_or(0);
        page.found = boxes(tx, scope, &ids).await?;
        if !page.found.is_empty() {
            break;
        }
    }
    Ok((page.looked_at > 0).then_some(page))
}

async fn boxes(tx: &Write, scope: Scope, occurrences: &[i64]) -> StoreResult<Vec<Found>> {
    use detection::Column as D;
    let select = detection::Entity::find()
        .join(JoinType::InnerJoin, detection::Relation::Capture.def())
        .select_only()
        .columns([D::Id, D::OccurrenceId, D::X1, D::Y1, D::X2, D::Y2])
        .columns([capture::Column::Width, capture::Column::Height])
        .filter(D::OccurrenceId.is_in(occurrences.iter().copied()))
        .filter(D::X1.is_not_null())
        .order_by_asc(D::Id);
    let select = match scope {
        Scope::Set(set) => select.filter(is_of_member(set)),
        Scope::Occurrence(_) => select,
    };
    Ok(select.into_model::<Found>().all(&**tx).await?)
}

/// Works out what these occurrences are now, and counts again where they show. Returns how many
/// are determined otherwise than before.
async fn determine(tx: &Write, touched: &BTreeSet<i64>) -> StoreResult<u64> {
    let touched: Vec<i64> = touched.iter().copied().collect();
    let mut seen: Vec<(i64, i64)> = Vec::new();
    for chunk in touched.chunks(1000) {
        use detection::Column as D;
        let of = detection::Entity::find()
            .select_only()
            .columns([D::CaptureId, D::OccurrenceId])
            .filter(D::OccurrenceId.is_in(chunk.iter().copied()));
        seen.extend(of.into_tuple::<(i64, i64)>().all(&**tx).await?);
    }
    // Captures before occurrences, as those do who save results of the same captures.
    let all: BTreeSet<i64> = seen.iter().map(|(capture, _)| *capture).collect();
    lock_captures(tx, &all.into_iter().collect::<Vec<_>>()).await?;
    let changed = determination::recompute(tx, &touched).await?;
    let changed: BTreeSet<i64> = changed.into_iter().collect();
    let shown = seen.iter().filter(|(_, id)| changed.contains(id));
    let shown: BTreeSet<i64> = shown.map(|(capture, _)| *capture).collect();
    counters::refresh_captures(tx, &shown.into_iter().collect::<Vec<_>>()).await?;
    Ok(changed.len() as u64)
}

/// Writes down how far the job is, with the figures of its stage so far.
async fn note(
    tx: &Write,
    job: Job,
    page: &Page,
    spec: &TaskSpec,
    counts: &[u64],
    all: u64,
) -> StoreResult<Vec<Stage>> {
    let before = job.own_stages();
    let mut stages = before.clone();
    let passed = job.fed + page.looked_at;
    if let Some(stage) = stages.iter_mut().find(|s| s.key == POST_PROCESSING) {
        for (name, count) in spec.counts.iter().zip(counts) {
            let so_far = stage.params.iter().find(|p| p.key == *name);
            let so_far = so_far.and_then(|p| p.value.as_u64()).unwrap_or(0);
            stage.set(name, so_far + count);
        }
        let share = passed as f64 / Ord::max(all, 1) as f64;
        stage.advance(share.min(0.99));
    }
    let mut row = job.into_active_model();
    row.stages = Set(stages_json(&before, &stages)?);
    row.feed_cursor = Set(page.last);
    row.fed = Set(passed);
    row.updated_at = Set(now());
    sea_orm::ActiveModelTrait::update(row, &**tx).await?;
    Ok(stages)
}
