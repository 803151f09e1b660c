//! Lists of capture sets, and the sets and jobs that captures and sets belong to.

use std::collections::HashMap;

use sea_orm::sea_query::{Alias, Expr, ExprTrait, NullOrdering, Query};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, JoinType, Order, QueryFilter, QueryOrder,
    QuerySelect, RelationTrait,
};

use super::CaptureSet;
use crate::connection::{Store, StoreResult};
use crate::entity::{capture_set, capture_set_member, job};
use crate::job::Job;
use crate::job::list::holds;
use crate::order::in_list;

/// Jobs of one set or capture that are shown: the newest.
const JOBS: u64 = 100;

/// Which capture sets a list shows; what is left out does not narrow it.
#[derive(Clone, Debug, Default)]
pub struct CaptureSetFilter {
    /// Only of this project.
    pub project_id: Option<i64>,
    /// Only of these projects: what the caller may see. `None` means all.
    pub visible: Option<Vec<i64>>,
    /// Only of this method.
    pub method: Option<&'static str>,
    /// Each of these words stands in the name.
    pub search: Vec<String>,
}

/// What a list of capture sets is ordered by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CaptureSetOrder {
    /// By number.
    Id,
    /// By name.
    Name,
    /// By method.
    Method,
    /// By how many captures it holds.
    Captures,
    /// By how many of them have a box.
    Found,
    /// By how many of them a pipeline has looked at.
    Processed,
    /// By occurrences.
    Occurrences,
    /// By taxa.
    Taxa,
    /// By when it was made.
    Created,
    /// By when it last changed.
    Updated,
}

impl CaptureSetOrder {
    /// The names in the API.
    pub const NAMES: [&'static str; 10] = [
        "id",
        "name",
        "method",
        "source_images_count",
        "source_images_with_detections_count",
        "source_images_processed_count",
        "occurrences_count",
        "taxa_count",
        "created_at",
        "updated_at",
    ];

    /// The order with this name in the API.
    pub fn from_name(name: &str) -> Option<CaptureSetOrder> {
        use CaptureSetOrder as O;
        Some(match name {
            "id" => O::Id,
            "name" => O::Name,
            "method" => O::Method,
            "source_images_count" => O::Captures,
            "source_images_with_detections_count" => O::Found,
            "source_images_processed_count" => O::Processed,
            "occurrences_count" => O::Occurrences,
            "taxa_count" => O::Taxa,
            "created_at" => O::Created,
            "updated_at" => O::Updated,
            _ => return None,
        })
    }

    const fn column(self) -> capture_set::Column {
        use capture_set::Column as C;
        match self {
            CaptureSetOrder::Id => C::Id,
            CaptureSetOrder::Name => C::Name,
            CaptureSetOrder::Method => C::Method,
            CaptureSetOrder::Captures => C::CapturesCount,
            CaptureSetOrder::Found => C::FoundCount,
            CaptureSetOrder::Processed => C::ProcessedCount,
            CaptureSetOrder::Occurrences => C::OccurrencesCount,
            CaptureSetOrder::Taxa => C::TaxaCount,
            CaptureSetOrder::Created => C::CreatedAt,
            CaptureSetOrder::Updated => C::UpdatedAt,
        }
    }
}

impl Store {
    /// A page of capture sets in this order (true means descending), and how many there are.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn capture_sets_page(
        &self,
        filter: &CaptureSetFilter,
        order: &[(CaptureSetOrder, bool)],
        limit: u64,
        offset: u64,
    ) -> StoreResult<(Vec<CaptureSet>, u64)> {
        use capture_set::Column as C;
        let visible = filter.visible.as_ref();
        let mut all = Condition::all()
            .add_option(filter.project_id.map(|id| C::ProjectId.eq(id)))
            .add_option(visible.map(|ids| C::ProjectId.is_in(ids.iter().copied())))
            .add_option(filter.method.map(|method| C::Method.eq(method)));
        for word in &filter.search {
            all = all.add(holds((capture_set::Entity, C::Name), word));
        }
        let mut select = capture_set::Entity::find().filter(all);
        let count = self.count_rows(select.clone()).await?;
        for (by, descending) in order {
            let order = if *descending { Order::Desc } else { Order::Asc };
            select = select.order_by_with_nulls(by.column(), order, NullOrdering::Last);
        }
        let page = select.order_by_asc(C::Id).limit(limit).offset(offset);
        Ok((page.all(&self.db).await?, count))
    }

    /// The sets that hold a capture, the oldest first.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn sets_with(&self, capture: i64) -> StoreResult<Vec<CaptureSet>> {
        Ok(capture_set::Entity::find()
            .join(
                JoinType::InnerJoin,
                capture_set_member::Relation::CaptureSet.def().rev(),
            )
            .filter(capture_set_member::Column::CaptureId.eq(capture))
            .order_by_asc(capture_set::Column::Id)
            .all(&self.db)
            .await?)
    }

    /// The newest jobs of each of these sets, the newest first.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn jobs_of_sets(&self, sets: &[i64]) -> StoreResult<HashMap<i64, Vec<Job>>> {
        let (set, own) = (capture_set::Column::Id, Alias::new("own"));
        // Each set's own along their index: a set may have had very many.
        let newest = Query::select()
            .column((own.clone(), job::Column::Id))
            .from_as(job::Entity, own.clone())
            .and_where(
                Expr::col((own.clone(), job::Column::CaptureSetId))
                    .equals((capture_set::Entity, set)),
            )
            .order_by((own, job::Column::Id), Order::Desc)
            .limit(JOBS)
            .to_owned();
        let number = Expr::col((job::Entity, job::Column::Id));
        let among = match self.is_sqlite() {
            true => number.in_subquery(newest),
            false => in_list(number, newest),
        };
        let mut select = Query::select();
        select
            .column((job::Entity, job::Column::Id))
            .from(capture_set::Entity)
            .join(JoinType::CrossJoin, job::Entity, Condition::all())
            .and_where(set.is_in(sets.iter().copied()))
            .and_where(among);
        let rows = self.db.query_all(&select).await?;
        let ids: Result<Vec<i64>, _> = rows.iter().map(|row| row.try_get_by_index(0)).collect();
        let all = job::Entity::find()
            .filter(job::Column::Id.is_in(ids?))
            .order_by_desc(job::Column::Id)
            .all(&self.db)
            .await?;
        let mut jobs: HashMap<i64, Vec<Job>> = HashMap::new();
        for job in all {
            if let Some(set) = job.capture_set_id {
                jobs.entry(set).or_default().push(job);
            }
        }
        Ok(jobs)
    }

    /// The newest jobs about a single capture, the newest first.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn jobs_of_capture(&self, capture: i64) -> StoreResult<Vec<Job>> {
        Ok(job::Entity::find()
            .filter(job::Column::CaptureId.eq(capture))
            .order_by_desc(job::Column::Id)
            .limit(JOBS)
            .all(&self.db)
            .await?)
    }
}
