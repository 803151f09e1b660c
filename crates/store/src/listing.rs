//! Pages of long lists at a price that does not grow with them. Three ideas: a list is counted
//! exactly as long as it is short, and a long one's count is kept for a while and renewed behind
//! the readers' backs; so is what took long to find in a large installation, where a filter lets
//! few of very many rows pass; and rows without a value come last as a part of their own, so that
//! each part is read along an index on both databases.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use sea_orm::sea_query::{Asterisk, Expr, Func, IntoIden, Query, SelectStatement};
use sea_orm::{ConnectionTrait, EntityTrait, QuerySelect, QueryTrait, Select};

use crate::chart::ProjectCharts;
use crate::connection::{Store, StoreError, StoreResult};
use crate::entity::detection;
use crate::job::line::Lines;

/// Lists up to this length are counted anew each time.
const SHORT: u64 = 10_000;
/// A list this long is not even looked at whether it has become short.
const LONG: u64 = 10 * SHORT;
/// How long the count of a longer list is taken as it is.
const FRESH: Duration = Duration::from_secs(60);
/// Statements whose results are kept at once.
const KEPT: usize = 1000;
/// A statement that takes longer is not asked again at each request,
const SLOW: Duration = Duration::from_secs(1);
/// where so many detections have been saved: below, only a busy machine is slow.
const LARGE: i64 = 100_000;

/// What was found for long and slow lists.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    counts: Kept<Counted>,
    pages: Kept<Vec<i64>>,
    pub(crate) charts: Kept<Arc<ProjectCharts>>,
    pub(crate) lines: Lines,
}

#[derive(Clone, Copy, Debug)]
struct Counted {
    rows: u64,
    /// It took so long that it is taken as it is, however few they are.
    slow: bool,
}

/// What statements gave, and when.
#[derive(Debug)]
pub(crate) struct Kept<T>(Mutex<HashMap<String, (Instant, T)>>);

impl<T> Default for Kept<T> {
    fn default() -> Kept<T> {
        Kept(Mutex::default())
    }
}

impl<T: Clone> Kept<T> {
    /// What is kept, if `accept` takes it, and whether the caller should renew it.
    pub(crate) fn get(&self, key: &str, accept: impl Fn(&T) -> bool) -> Option<(T, bool)> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, what) = kept.get_mut(key)?;
        if !accept(what) {
            return None;
        }
        let is_old = at.elapsed() > FRESH;
        if is_old {
            *at = Instant::now(); // one reader renews it
        }
        Some((what.clone(), is_old))
    }

    /// What is kept, where it is fresh and `accept` takes it.
    fn fresh(&self, key: &str, accept: impl Fn(&T) -> bool) -> Option<T> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, what) = kept.get(key)?;
        (at.elapsed() <= FRESH && accept(what)).then(|| what.clone())
    }

    pub(crate) fn put(&self, key: String, what: T) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= KEPT {
            kept.clear();
        }
        kept.insert(key, (Instant::now(), what));
    }

    fn forget(&self, key: &str) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.remove(key);
    }
}

impl Store {
    /// How many rows a list has: exact for short lists, at most a minute or so old for long ones
    /// and for those that are slow to count.
    pub(crate) async fn count_list(&self, list: SelectStatement) -> StoreResult<u64> {
        self.count_list_about(list, None).await
    }

    /// The same for a list whose first count would keep the reader waiting: until a long one has
    /// been counted, `about` says how long it is.
    pub(crate) async fn count_list_about(
        &self,
        list: SelectStatement,
        about: Option<SelectStatement>,
    ) -> StoreResult<u64> {
        let key = self.words(&list);
        self.count_kept(key, list, about).await
    }

    /// The same for a list that the clock words otherwise at each request: its count is kept under
    /// the words of `kept_as`.
    pub(crate) async fn count_list_as(
        &self,
        kept_as: SelectStatement,
        list: SelectStatement,
    ) -> StoreResult<u64> {
        let key = self.words(&kept_as);
        self.count_kept(key, list, None).await
    }

    fn words(&self, list: &SelectStatement) -> String {
        self.db.get_database_backend().build(list).to_string()
    }

    async fn count_kept(
        &self,
        key: String,
        list: SelectStatement,
        about: Option<SelectStatement>,
    ) -> StoreResult<u64> {
        let counts = &self.counts.counts;
        // So many that the list will not have become short meanwhile.
        if let Some(count) = counts.fresh(&key, |count| count.rows > LONG) {
            return Ok(count.rows);
        }
        if let Some((count, is_old)) = counts.get(&key, |count| count.slow) {
            if is_old {
                self.count_later(key, list);
            }
            return Ok(count.rows);
        }
        let began = Instant::now();
        let mut bounded = list.clone();
        let short = self.count_all(bounded.limit(SHORT + 1).take()).await?;
        if short <= SHORT {
            if self.is_slow(began).await? {
                let count = Counted {
                    rows: short,
                    slow: true,
                };
                counts.put(key, count);
            }
            return Ok(short);
        }
        let Some((count, is_old)) = counts.get(&key, |_| true) else {
            let Some(about) = about else {
                let count = self.count_all(list).await?;
                counts.put(
                    key,
                    Counted {
                        rows: count,
                        slow: false,
                    },
                );
                return Ok(count);
            };
            let row = self.db.query_one(&about).await?;
            let about = row.map_or(Ok(0), |row| row.try_get_by_index::<i64>(0))?;
            let about = about.unsigned_abs().max(short);
            counts.put(
                key.clone(),
                Counted {
                    rows: about,
                    slow: false,
                },
            );
            self.count_later(key, list);
            return Ok(about);
        };
        if is_old {
            self.count_later(key, list);
        }
        Ok(count.rows.max(short))
    }

    /// Whether what began then has taken so long because there is so much to look at.
    async fn is_slow(&self, began: Instant) -> StoreResult<bool> {
        Ok(began.elapsed() >= SLOW && self.is_large().await?)
    }

    /// Whether so much has been saved that slowness has its reason there.
    pub(crate) async fn is_large(&self) -> StoreResult<bool> {
        let newest = Query::select()
            .expr(Func::max(Expr::col(detection::Column::Id)))
            .from(detection::Entity)
            .to_owned();
        let row = self.db.query_one(&newest).await?;
        let newest: Option<i64> = row.map_or(Ok(None), |row| row.try_get_by_index(0))?;
        Ok(newest.is_some_and(|newest| newest > LARGE))
    }

    /// Counts a long or slow list while nobody waits.
    fn count_later(&self, key: String, list: SelectStatement) {
        let store = self.patient();
        tokio::spawn(async move {
            let began = Instant::now();
            match store.count_all(list).await {
                Ok(rows) => {
                    let slow = rows <= SHORT && began.elapsed() >= SLOW;
                    store.counts.counts.put(key, Counted { rows, slow });
                }
                Err(error) => tracing::warn!(%error, "a list is not counted again"),
            }
        });
    }

    /// The same for a list that is one of rows.
    pub(crate) async fn count_rows<E: EntityTrait>(&self, list: Select<E>) -> StoreResult<u64> {
        let list = list.select_only().expr_as(Expr::value(1), "one");
        self.count_list(QueryTrait::into_query(list)).await
    }

    /// How many rows a statement gives.
    pub(crate) async fn count_all(&self, list: SelectStatement) -> StoreResult<u64> {
        let mut list = list;
        list.clear_order_by();
        let count = Query::select()
            .expr(Func::count(Expr::col(Asterisk)))
            .from_subquery(list, "rows".into_iden())
            .to_owned();
        let row = self.lists().query_one(&count).await?;
        let row = row.ok_or(StoreError::NotFound("count"))?;
        let count: i64 = row.try_get_by_index(0)?;
        Ok(count.unsigned_abs())
    }

    /// The numbers in a page of a list that is made of these parts, one after the other. A page
    /// that was slow to find is up to a minute old.
    pub(crate) async fn page_ids(
        &self,
        parts: Vec<SelectStatement>,
        limit: u64,
        offset: u64,
    ) -> StoreResult<Vec<i64>> {
        let backend = self.db.get_database_backend();
        let mut key = format!("{limit} {offset}");
        for part in &parts {
            key.push('\n');
            key.push_str(&backend.build(part).to_string());
        }
        if let Some((ids, is_old)) = self.counts.pages.get(&key, |_| true) {
            if is_old {
                self.page_later(key, parts, limit, offset);
            }
            return Ok(ids);
        }
        let began = Instant::now();
        let ids = self.read_page(parts, limit, offset).await?;
        if self.is_slow(began).await? {
            self.counts.pages.put(key, ids.clone());
        }
        Ok(ids)
    }

    /// Reads a slow page again while nobody waits; one that has become fast is not kept.
    fn page_later(&self, key: String, parts: Vec<SelectStatement>, limit: u64, offset: u64) {
        let store = self.patient();
        tokio::spawn(async move {
            let began = Instant::now();
            match store.read_page(parts, limit, offset).await {
                Ok(ids) if began.elapsed() >= SLOW => store.counts.pages.put(key, ids),
                Ok(_) => store.counts.pages.forget(&key),
                Err(error) => tracing::warn!(%error, "a page is not read again"),
            }
        });
    }

    async fn read_page(
        &self,
        parts: Vec<SelectStatement>,
        limit: u64,
        offset: u64,
    ) -> StoreResult<Vec<i64>> {
        let mut ids: Vec<i64> = Vec::new();
        let mut skip = offset;
        let mut parts = parts.into_iter().peekable();
        while let Some(part) = parts.next() {
            let wanted = limit.saturating_sub(ids.len() as u64);
            if wanted == 0 {
                break;
            }
            let page = part.clone().limit(wanted).offset(skip).to_owned();
            let rows = self.lists().query_all(&page).await?;
            if !rows.is_empty() {
                skip = 0;
            } else if skip > 0 && parts.peek().is_some() {
                skip = skip.saturating_sub(self.count_list(part).await?);
            }
            for row in rows {
                ids.push(row.try_get_by_index(0)?);
            }
        }
        Ok(ids)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_is_kept_is_renewed_by_one_reader() {
        let kept = Kept::default();
        kept.put("list".to_owned(), 7);
        assert_eq!(kept.get("list", |_| true), Some((7, false)));
        assert_eq!(kept.fresh("list", |n| *n > 7), None);
        let long_ago = Instant::now().checked_sub(2 * FRESH).unwrap();
        kept.0
            .lock()
            .unwrap()
            .insert("list".to_owned(), (long_ago, 7));
        assert_eq!(kept.fresh("list", |_| true), None);
        assert_eq!(kept.get("list", |_| true), Some((7, true)));
        assert_eq!(kept.get("list", |_| true), Some((7, false)));
        kept.forget("list");
        assert_eq!(kept.get("list", |_| true), None);
    }
}
