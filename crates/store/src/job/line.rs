//! The order in which jobs are offered to workers, kept for a moment where very many jobs are open
//! at once. The idea: each job has to be looked at for its place, so a long line is read once for
//! all who ask the same within a second, while each gets another one of those that stand equal; and
//! what is taken from a kept line is asked once more whether it can still be worked on.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rand::RngExt;
use sea_orm::sea_query::{CaseStatement, Expr, ExprTrait, Func};
use sea_orm::{ColumnTrait, Condition, Order, QueryFilter, QueryOrder, QuerySelect};

use super::offer::{Workable, held, lent, ready};
use super::{Job, JobFilter};
use crate::connection::{Store, StoreResult};
use crate::entity::job;

/// Lines up to this length are read anew each time.
const SHORT: usize = 500;
/// More jobs than this are not put in order, unless a page lies behind them.
const MOST: u64 = 20_000;
/// For how long a long line is taken as it is,
const FRESH: Duration = Duration::from_secs(1);
/// or so many times as long as it took to read, if that is longer, up to
const TIMES: u32 = 10;
const STALE: Duration = Duration::from_secs(5);
/// Lines that are kept at once.
const KEPT: usize = 100;
/// From a kept line so many jobs more than are wanted are looked at in one query,
const SPARE: usize = 8;
/// and in so many of them before it is read anew.
const TRIES: usize = 4;

/// The lines that were long when they were last read.
#[derive(Debug, Default)]
pub(crate) struct Lines(Mutex<HashMap<String, Arc<Kept>>>);

#[derive(Debug)]
struct Kept {
    line: Mutex<Arc<Line>>,
    /// Whoever reads it anew, so that one does.
    turn: tokio::sync::Mutex<()>,
}

impl Kept {
    fn line(&self) -> Arc<Line> {
        locked(&self.line).clone()
    }
}

/// Open jobs in the order in which they should be worked on.
#[derive(Clone, Debug)]
struct Line {
    places: Vec<Place>,
    /// How many they are, with those that have no place any more.
    count: u64,
    read: Instant,
    fresh: Duration,
}

#[derive(Clone, Copy, Debug)]
struct Place {
    job: i64,
    /// It would hand out an image.
    ready: bool,
    /// Behind the last one of those that stand equal.
    end: usize,
}

impl Line {
    /// The line in another order of those that stand equal, from this place on.
    fn drawn(&self, from: usize) -> Drawn {
        Drawn {
            places: self.places.clone(),
            next: from,
        }
    }

    /// The numbers on a page of it.
    fn page(&self, from: usize, wanted: usize) -> Vec<i64> {
        let page = self.drawn(from).take(wanted);
        page.map(|place| place.job).collect()
    }

    fn is_fresh(&self) -> bool {
        self.read.elapsed() <= self.fresh
    }
}

/// A line from which one after the other is taken.
struct Drawn {
    places: Vec<Place>,
    next: usize,
}

impl Iterator for Drawn {
    type Item = Place;

    fn next(&mut self) -> Option<Place> {
        let end = self.places.get(self.next)?.end;
        let other = rand::rng().random_range(self.next..end);
        self.places.swap(self.next, other);
        self.next += 1;
        self.places.get(self.next - 1).copied()
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Lines {
    /// Whatever is kept now stays fresh.
    #[cfg(test)]
    pub(crate) fn stay(&self) {
        for kept in locked(&self.0).values() {
            let mut line = locked(&kept.line);
            Arc::make_mut(&mut line).fresh = Duration::MAX;
        }
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        locked(&self.0).len()
    }

    fn get(&self, key: &str) -> Option<Arc<Kept>> {
        locked(&self.0).get(key).cloned()
    }

    /// Keeps a line that is long, and forgets one that has become short.
    fn put(&self, key: String, line: &Arc<Line>) {
        let mut kept = locked(&self.0);
        if line.places.len() <= SHORT {
            kept.remove(&key);
            return;
        }
        if let Some(kept) = kept.get(&key) {
            let mut known = locked(&kept.line);
            if known.read < line.read {
                *known = line.clone();
            }
            return;
        }
        if kept.len() >= KEPT {
            kept.retain(|_, kept| kept.line().is_fresh());
        }
        if kept.len() >= KEPT {
            return;
        }
        let line = Mutex::new(line.clone());
        let turn = tokio::sync::Mutex::default();
        kept.insert(key, Arc::new(Kept { line, turn }));
    }
}

/// The same for all who ask the same, in whatever order they say it.
fn key(filter: &JobFilter, workable: &Workable) -> String {
    let mut filter = filter.of_the_minute();
    filter
        .visible
        .iter_mut()
        .for_each(|ids| ids.sort_unstable());
    filter
        .slugs
        .iter_mut()
        .for_each(|slugs| slugs.sort_unstable());
    let mut workable = workable.clone();
    if let Workable::Projects(ids) = &mut workable {
        ids.sort_unstable();
    }
    format!("{filter:?} {workable:?}")
}

impl Store {
    /// A page of jobs in the order in which a worker should take them, and how many there are: of
    /// a long list as many as there were of late.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn jobs_for_workers(
        &self,
        filter: &JobFilter,
        workable: &Workable,
        limit: u64,
        offset: u64,
    ) -> StoreResult<(Vec<Job>, u64)> {
        if offset.saturating_add(limit) > MOST {
            let places = self.in_line(filter, workable, limit, offset).await?;
            let page: Vec<i64> = places.iter().map(|place| place.job).collect();
            let jobs = self.jobs_by_id(&page).await?;
            return Ok((jobs, self.count_jobs(filter).await?));
        }
        let from = usize::try_from(offset).unwrap_or(usize::MAX);
        let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
        let key = key(filter, workable);
        let asked = Instant::now();
        let mut line = self.line(&key, filter, workable, None).await?;
        let mut found = None;
        if line.read < asked {
            found = self.still_there(&line, filter, from, wanted).await?;
            if found.is_none() {
                line = self.line(&key, filter, workable, Some(asked)).await?;
            }
        }
        let found = match found {
            Some(found) => found,
            None => self.jobs_by_id(&line.page(from, wanted)).await?,
        };
        Ok((found, line.count))
    }

    /// The line, as it is kept where it is long; with `since` not one that was read before that.
    async fn line(
        &self,
        key: &str,
        filter: &JobFilter,
        workable: &Workable,
        since: Option<Instant>,
    ) -> StoreResult<Arc<Line>> {
        let lines = &self.counts.lines;
        let usable = |kept: &Kept| {
            let line = kept.line();
            let young = since.is_none_or(|since| line.read >= since);
            (young && line.is_fresh()).then_some(line)
        };
        let known = lines.get(key);
        if let Some(line) = known.as_deref().and_then(usable) {
            return Ok(line);
        }
        // One reads it anew for all who wait; it may be kept elsewhere when their turn comes.
        let _turn = match &known {
            Some(kept) => Some(kept.turn.lock().await),
            None => None,
        };
        if let Some(line) = lines.get(key).as_deref().and_then(usable) {
            return Ok(line);
        }
        let line = Arc::new(self.read_line(filter, workable).await?);
        lines.put(key.to_owned(), &line);
        Ok(line)
    }

    async fn read_line(&self, filter: &JobFilter, workable: &Workable) -> StoreResult<Line> {
        let read = Instant::now();
        let places = self.in_line(filter, workable, MOST, 0).await?;
        let count = match places.len() as u64 {
            all if all < MOST => all,
            _ => self.count_jobs(filter).await?,
        };
        Ok(Line {
            places,
            count,
            read,
            fresh: FRESH.max((read.elapsed() * TIMES).min(STALE)),
        })
    }

    /// A part of the line, from the database.
    async fn in_line(
        &self,
        filter: &JobFilter,
        workable: &Workable,
        limit: u64,
        offset: u64,
    ) -> StoreResult<Vec<Place>> {
        let first = |condition: Condition| -> Expr {
            CaseStatement::new().case(condition, 0).finally(1).into()
        };
        let mine = match workable {
            Workable::All => Condition::all().add(job::Column::Id.is_not_null()),
            Workable::Projects(ids) => {
                Condition::all().add(job::Column::ProjectId.is_in(ids.iter().copied()))
            }
        };
        let hands = [held(), lent()].map(|these| Expr::SubQuery(None, Box::new(these.into())));
        let [held, lent] = hands;
        let hands = held.add(Func::coalesce([lent, Expr::value(0)]));
        let rows: Vec<(i64, i32, i32, i32, i64)> = filter
            .select()
            .select_only()
            .column(job::Column::Id)
            .expr_as(first(ready()), "behind")
            .expr_as(first(mine), "elsewhere")
            .column(job::Column::Priority)
            .expr_as(hands, "hands")
            .order_by(Expr::col("behind"), Order::Asc)
            .order_by(Expr::col("elsewhere"), Order::Asc)
            .order_by_desc(job::Column::Priority)
            .order_by(Expr::col("hands"), Order::Asc)
            .order_by(Func::random(), Order::Asc)
            .limit(limit)
            .offset(offset)
            .into_tuple()
            .all(&self.db)
            .await?;
        let mut places: Vec<Place> = Vec::with_capacity(rows.len());
        for equals in rows.chunk_by(|a, b| (a.1, a.2, a.3, a.4) == (b.1, b.2, b.3, b.4)) {
            let end = places.len() + equals.len();
            places.extend(equals.iter().map(|row| Place {
                job: row.0,
                ready: row.1 == 0,
                end,
            }));
        }
        Ok(places)
    }

    /// A page of a kept line, without the jobs that the filter does not let pass any more, or that have
    /// no image to hand out any more. `None` where those are so many that the page is not full.
    async fn still_there(
        &self,
        line: &Line,
        filter: &JobFilter,
        from: usize,
        wanted: usize,
    ) -> StoreResult<Option<Vec<Job>>> {
        let wanted = line.places.len().saturating_sub(from).min(wanted);
        let mut drawn = line.drawn(from);
        let mut found: Vec<Job> = Vec::with_capacity(wanted);
        for _ in 0..TRIES {
            if found.len() >= wanted {
                break;
            }
            let some = drawn.by_ref().take(wanted - found.len() + SPARE);
            let some: Vec<Place> = some.collect();
            if some.is_empty() {
                break;
            }
            let behind = some.iter().filter(|place| !place.ready);
            let behind = job::Column::Id.is_in(behind.map(|place| place.job));
            // By their numbers, whatever else is asked of them.
            let these = job::Column::Id.is_in(some.iter().map(|place| place.job));
            let still = Condition::any().add(behind).add(ready());
            let rows = filter.select().filter(these).filter(still);
            let rows = rows.all(&self.db).await?;
            let mut rows: HashMap<i64, Job> = rows.into_iter().map(|job| (job.id, job)).collect();
            found.extend(some.iter().filter_map(|place| rows.remove(&place.job)));
        }
        found.truncate(wanted);
        Ok((found.len() == wanted).then_some(found))
    }
}
