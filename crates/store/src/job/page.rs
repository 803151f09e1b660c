//! Pages of jobs, as the API and a project's page show them, and what those who look at them must
//! hear of. The idea: every order of a project's jobs is read along an index, a long list is counted
//! up to a bound, and what is watched is bounded, so that none of it costs more where there are very
//! many jobs.

use std::collections::HashMap;

use domain::state::JobState;
use sea_orm::sea_query::{NullOrdering, SelectStatement};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, Select};

use super::{Job, JobFilter, JobOrder};
use crate::connection::{Store, StoreResult};
use crate::entity::job::{self, Column as C};
use crate::order::way;

impl Store {
    /// One page of jobs, newest first, and how many there are: of a long list as many as there
    /// were of late.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn jobs(
        &self,
        filter: &JobFilter,
        limit: u64,
        offset: u64,
    ) -> StoreResult<(Vec<Job>, u64)> {
        self.jobs_ordered(filter, &[], limit, offset).await
    }

    /// The same in this order: true means descending, and those without a value come last either
    /// way.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn jobs_page(
        &self,
        filter: &JobFilter,
        order: (JobOrder, bool),
        limit: u64,
        offset: u64,
    ) -> StoreResult<(Vec<Job>, u64)> {
        self.jobs_ordered(filter, &[order], limit, offset).await
    }

    /// The same in these orders, each among those that are alike in the ones before it.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn jobs_ordered(
        &self,
        filter: &JobFilter,
        order: &[(JobOrder, bool)],
        limit: u64,
        offset: u64,
    ) -> StoreResult<(Vec<Job>, u64)> {
        let ids = filter.select().select_only().column(C::Id);
        let count = self.count_jobs(filter).await?;
        let found = self.page_ids(parts(&ids, order), limit, offset).await?;
        Ok((self.jobs_by_id(&found).await?, count))
    }

    /// How many jobs a filter lets pass, as lists are counted.
    pub(super) async fn count_jobs(&self, filter: &JobFilter) -> StoreResult<u64> {
        let list = |filter: &JobFilter| {
            let ids = filter.select().select_only().column(C::Id);
            QueryTrait::into_query(ids)
        };
        let kept_as = list(&filter.of_the_minute());
        self.count_list_as(kept_as, list(filter)).await
    }

    /// Jobs by id, in the order of the ids; those that do not exist are left out.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn jobs_by_id(&self, ids: &[i64]) -> StoreResult<Vec<Job>> {
        let mut rows: HashMap<i64, Job> = HashMap::with_capacity(ids.len());
        for chunk in ids.chunks(1000) {
            let some = job::Entity::find().filter(C::Id.is_in(chunk.iter().copied()));
            let found = some.all(&self.db).await?;
            rows.extend(found.into_iter().map(|job| (job.id, job)));
        }
        Ok(ids.iter().filter_map(|id| rows.remove(id)).collect())
    }

    /// Those of these jobs that a list with this filter holds, the oldest first.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn jobs_that_pass(&self, filter: &JobFilter, ids: &[i64]) -> StoreResult<Vec<i64>> {
        let some = filter.select().filter(C::Id.is_in(ids.iter().copied()));
        Ok(some
            .select_only()
            .column(C::Id)
            .order_by_asc(C::Id)
            .into_tuple()
            .all(&self.db)
            .await?)
    }

    /// The jobs of a project that wait, run or stop now: the newest of them, at most `most`.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn ids_at_work(&self, project: i64, most: u64) -> StoreResult<Vec<i64>> {
        let states = [JobState::Pending, JobState::Started, JobState::Canceling];
        Ok(ids_of(project)
            .filter(C::State.is_in(states.map(JobState::code)))
            .order_by_desc(C::Id)
            .limit(most)
            .into_tuple()
            .all(&self.db)
            .await?)
    }

    /// The jobs of a project that were made after the one with this id, oldest first.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn jobs_after(&self, project: i64, id: i64, most: u64) -> StoreResult<Vec<i64>> {
        Ok(ids_of(project)
            .filter(C::Id.gt(id))
            .order_by_asc(C::Id)
            .limit(most)
            .into_tuple()
            .all(&self.db)
            .await?)
    }

    /// The job of a project that was made last; 0 where it has none.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn last_job(&self, project: i64) -> StoreResult<i64> {
        let last: Option<i64> = ids_of(project)
            .order_by_desc(C::CreatedAt)
            .order_by_desc(C::Id)
            .limit(1)
            .into_tuple()
            .one(&self.db)
            .await?;
        Ok(last.unwrap_or_default())
    }
}

fn ids_of(project: i64) -> Select<job::Entity> {
    job::Entity::find()
        .select_only()
        .column(C::Id)
        .filter(C::ProjectId.eq(project))
}

/// The list in this order, the newest first where there is none, as parts that an index gives one
/// after the other. Several orders within each other have no index: of those the numbers are sorted.
fn parts(ids: &Select<job::Entity>, order: &[(JobOrder, bool)]) -> Vec<SelectStatement> {
    let (by, descending) = match order {
        [] => (JobOrder::Created, true),
        [one] => *one,
        several => return vec![sorted(ids, several)],
    };
    let towards = way(descending);
    let ordered = |list: Select<job::Entity>, columns: &[C]| {
        let list = columns
            .iter()
            .fold(list, |list, column| list.order_by(*column, towards.clone()));
        QueryTrait::into_query(list)
    };
    let column = by.column();
    match by {
        JobOrder::Name | JobOrder::Created | JobOrder::Updated | JobOrder::Project => {
            vec![ordered(ids.clone(), &[column, C::Id])]
        }
        JobOrder::State => vec![ordered(ids.clone(), &[column, C::CreatedAt, C::Id])],
        _ => {
            let part = |list| ordered(list, &[column, C::Id]);
            vec![
                part(ids.clone().filter(column.is_not_null())),
                part(ids.clone().filter(column.is_null())),
            ]
        }
    }
}

fn sorted(ids: &Select<job::Entity>, orders: &[(JobOrder, bool)]) -> SelectStatement {
    let list = orders.iter().fold(ids.clone(), |list, (by, descending)| {
        list.order_by_with_nulls(by.column(), way(*descending), NullOrdering::Last)
    });
    QueryTrait::into_query(list.order_by_desc(C::Id))
}
