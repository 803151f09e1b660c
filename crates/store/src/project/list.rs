//! Lists of projects: filter, order, page, in two statements (`ui.md` §A.3).

use sea_orm::sea_query::{Expr, ExprTrait, Func, NullOrdering, Query, SelectStatement};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, Order, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect,
};

use super::Project;
use crate::connection::{Store, StoreResult};
use crate::entity::{job, membership, occurrence, project, station};
use crate::job::list::holds;

/// Which projects a list shows, and in which order.
#[derive(Clone, Debug, Default)]
pub struct ProjectFilter {
    /// Only these: what the caller may see. `None` means all.
    pub visible: Option<Vec<i64>>,
    /// Only those that this person owns or has joined.
    pub member: Option<i64>,
    /// Each of these words stands in the name.
    pub search: Vec<String>,
    /// By which of [`PROJECT_ORDERS`]; true means descending. Without an order: by priority, then
    /// the oldest first.
    pub order: Vec<(&'static str, bool)>,
}

/// What a list of projects can be ordered by.
pub const PROJECT_ORDERS: &[&str] = &[
    "name",
    "created_at",
    "updated_at",
    "last_capture_timestamp",
    "last_occurrence_updated_at",
    "last_job_updated_at",
];

/// The greatest value of a column among what belongs to a project; an index gives it at once.
fn newest<E, C>(entity: E, project: C, column: C) -> SelectStatement
where
    E: EntityTrait,
    C: ColumnTrait,
{
    Query::select()
        .expr(Func::max(Expr::col((entity, column))))
        .from(entity)
        .and_where(Expr::col((entity, project)).equals((project::Entity, project::Column::Id)))
        .to_owned()
}

fn by(name: &str) -> Expr {
    use project::Column as C;
    let own = |column: C| Expr::col((project::Entity, column));
    let of = |select: SelectStatement| Expr::SubQuery(None, Box::new(select.into()));
    match name {
        "created_at" => own(C::CreatedAt),
        "updated_at" => own(C::UpdatedAt),
        "last_capture_timestamp" => of(newest(
            station::Entity,
            station::Column::ProjectId,
            station::Column::LastCaptureAt,
        )),
        "last_occurrence_updated_at" => of(newest(
            occurrence::Entity,
            occurrence::Column::ProjectId,
            occurrence::Column::UpdatedAt,
        )),
        "last_job_updated_at" => of(newest(
            job::Entity,
            job::Column::ProjectId,
            job::Column::UpdatedAt,
        )),
        _ => own(C::Name),
    }
}

impl Store {
    /// A page of active projects, and how many there are.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn projects_page(
        &self,
        filter: &ProjectFilter,
        limit: u64,
        offset: u64,
    ) -> StoreResult<(Vec<Project>, u64)> {
        use project::Column as C;
        let mut select = project::Entity::find().filter(C::Active.eq(true));
        if let Some(ids) = &filter.visible {
            select = select.filter(C::Id.is_in(ids.iter().copied()));
        }
        if let Some(user) = filter.member {
            let joined = Query::select()
                .column(membership::Column::ProjectId)
                .from(membership::Entity)
                .and_where(Expr::col(membership::Column::UserId).eq(user))
                .to_owned();
            let own = Condition::any()
                .add(C::OwnerId.eq(user))
                .add(C::Id.in_subquery(joined));
            select = select.filter(own);
        }
        for word in &filter.search {
            select = select.filter(holds((project::Entity, C::Name), word));
        }
        let count = select.clone().count(&self.db).await?;
        for (name, descending) in &filter.order {
            let order = if *descending { Order::Desc } else { Order::Asc };
            select = select.order_by_with_nulls(by(name), order, NullOrdering::Last);
        }
        if filter.order.is_empty() {
            select = select.order_by_desc(C::Priority).order_by_asc(C::CreatedAt);
        }
        let page = select.order_by_asc(C::Id).limit(limit).offset(offset);
        Ok((page.all(&self.db).await?, count))
    }
}
