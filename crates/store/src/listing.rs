//! Pages of long lists at a price that does not grow with them. Two ideas: a list is counted
//! exactly as long as it is short, and a long one's count is kept for a while and renewed behind
//! the readers' backs; and rows without a value come last as a part of their own, so that each
//! part is read along an index on both databases.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use sea_orm::sea_query::{Asterisk, Expr, Func, IntoIden, Query, SelectStatement};
use sea_orm::{ConnectionTrait, EntityTrait, QuerySelect, QueryTrait, Select};

use crate::connection::{Store, StoreError, StoreResult};

/// Lists up to this length are counted anew each time.
const SHORT: u64 = 10_000;
/// A list this long is not even looked at whether it has become short.
const LONG: u64 = 10 * SHORT;
/// How long the count of a longer list is taken as it is.
const FRESH: Duration = Duration::from_secs(60);
/// Counts kept at once.
const KEPT: usize = 1000;

/// Counts of long lists by their statements.
#[derive(Debug, Default)]
pub(crate) struct Counts(Mutex<HashMap<String, (Instant, u64)>>);

impl Counts {
    /// The kept count, and whether the caller should renew it.
    fn get(&self, key: &str) -> Option<(u64, bool)> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, count) = kept.get_mut(key)?;
        let is_old = at.elapsed() > FRESH;
        if is_old {
            *at = Instant::now(); // one reader renews it
        }
        Some((*count, is_old))
    }

    /// The kept count, where it is fresh and so high that the list will not be short meanwhile.
    fn long(&self, key: &str) -> Option<u64> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, count) = kept.get(key)?;
        (at.elapsed() <= FRESH && *count > LONG).then_some(*count)
    }

    fn put(&self, key: String, count: u64) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= KEPT {
            kept.clear();
        }
        kept.insert(key, (Instant::now(), count));
    }
}

impl Store {
    /// How many rows a list has: exact for short lists, at most a minute or so old for long ones.
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
        let key = self.db.get_database_backend().build(&list).to_string();
        if let Some(count) = self.counts.long(&key) {
            return Ok(count);
        }
        let mut bounded = list.clone();
        let short = self.count_all(bounded.limit(SHORT + 1).take()).await?;
        if short <= SHORT {
            return Ok(short);
        }
        let Some((count, is_old)) = self.counts.get(&key) else {
            let Some(about) = about else {
                let count = self.count_all(list).await?;
                self.counts.put(key, count);
                return Ok(count);
            };
            let row = self.db.query_one(&about).await?;
            let about = row.map_or(Ok(0), |row| row.try_get_by_index::<i64>(0))?;
            let about = about.unsigned_abs().max(short);
            self.counts.put(key.clone(), about);
            self.count_later(key, list);
            return Ok(about);
        };
        if is_old {
            self.count_later(key, list);
        }
        Ok(count.max(short))
    }

    /// Counts a long list while nobody waits.
    fn count_later(&self, key: String, list: SelectStatement) {
        let store = self.clone();
        tokio::spawn(async move {
            match store.count_all(list).await {
                Ok(count) => store.counts.put(key, count),
                Err(error) => tracing::warn!(%error, "a list is not counted again"),
            }
        });
    }

    /// The same for a list that is one of rows.
    pub(crate) async fn count_rows<E: EntityTrait>(&self, list: Select<E>) -> StoreResult<u64> {
        let list = list.select_only().expr_as(Expr::value(1), "one");
        self.count_list(QueryTrait::into_query(list)).await
    }

    async fn count_all(&self, list: SelectStatement) -> StoreResult<u64> {
        let mut list = list;
        list.clear_order_by();
        let count = Query::select()
            .expr(Func::count(Expr::col(Asterisk)))
            .from_subquery(list, "rows".into_iden())
            .to_owned();
        let row = self.db.query_one(&count).await?;
        let row = row.ok_or(StoreError::NotFound("count"))?;
        let count: i64 = row.try_get_by_index(0)?;
        Ok(count.unsigned_abs())
    }

    /// The numbers in a page of a list that is made of these parts, one after the other.
    pub(crate) async fn page_ids(
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
            let rows = self.db.query_all(&page).await?;
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
