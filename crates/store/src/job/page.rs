//! The jobs of a project as its page shows them, and what those who look at it must hear of. The
//! idea: every order of the page is read along an index, and what is watched is bounded, so that
//! neither costs more where there are very many jobs.

use domain::state::JobState;
use sea_orm::sea_query::SelectStatement;
use sea_orm::{
    ColumnTrait, EntityTrait, Order, QueryFilter, QueryOrder, QuerySelect, QueryTrait, Select,
};

use super::{Job, JobFilter, JobOrder};
use crate::connection::{Store, StoreResult};
use crate::entity::job::{self, Column as C};

impl Store {
    /// One page of jobs in this order (true means descending; those without a value come last
    /// either way), and how many there are: of a long list as many as there were of late.
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
        let ids = filter.select().select_only().column(C::Id);
        let count = self.count_list(QueryTrait::into_query(ids.clone())).await?;
        let found = self.page_ids(parts(&ids, order), limit, offset).await?;
        Ok((self.jobs_by_id(&found).await?, count))
    }

    /// Jobs by id, in the order of the ids; those that do not exist are left out.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn jobs_by_id(&self, ids: &[i64]) -> StoreResult<Vec<Job>> {
        let mut rows = Vec::with_capacity(ids.len());
        for chunk in ids.chunks(1000) {
            let some = job::Entity::find().filter(C::Id.is_in(chunk.iter().copied()));
            rows.extend(some.all(&self.db).await?);
        }
        let place = |id: i64| ids.iter().position(|other| *other == id);
        rows.sort_by_key(|job| place(job.id));
        Ok(rows)
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

/// The list in this order, as parts that an index gives one after the other.
fn parts(ids: &Select<job::Entity>, (by, descending): (JobOrder, bool)) -> Vec<SelectStatement> {
    let towards = if descending { Order::Desc } else { Order::Asc };
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
