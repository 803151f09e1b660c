//! Capture sets: chosen sets of a project's captures (`domain-rules.md` §5).

use sea_orm::sea_query::{Expr, ExprTrait, OnConflict, Query};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, Order,
    PaginatorTrait, QueryFilter, QueryOrder, prelude::Json,
};

use crate::connection::{Store, StoreError, StoreResult, again, now};
use crate::entity::{capture, capture_set, capture_set_member};

mod counts;
mod list;
mod members;
mod populate;

pub use crate::entity::capture_set::Model as CaptureSet;
pub use counts::SetCounts;
pub use list::{CaptureSetFilter, CaptureSetOrder};
pub use members::CaptureSetChange;
pub(crate) use members::lock;

/// What a person gives to make a capture set.
#[derive(Clone, Debug, Default)]
pub struct NewCaptureSet {
    /// The project.
    pub project_id: i64,
    /// Name.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// How its captures are chosen.
    pub method: String,
    /// Settings of the method.
    pub kwargs: serde_json::Map<String, Json>,
}

impl Store {
    /// Makes an empty capture set.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn create_capture_set(&self, new: NewCaptureSet) -> StoreResult<CaptureSet> {
        let at = now();
        let tx = self.write().await?;
        let set = capture_set::ActiveModel {
            project_id: Set(new.project_id),
            name: Set(new.name),
            description: Set(new.description),
            method: Set(new.method),
            kwargs: Set(Json::Object(new.kwargs)),
            created_at: Set(at),
            updated_at: Set(at),
            ..Default::default()
        }
        .insert(&*tx)
        .await?;
        tx.commit().await?;
        Ok(set)
    }

    /// The capture set with this id.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], or an error of the database.
    pub async fn capture_set(&self, id: i64) -> StoreResult<CaptureSet> {
        capture_set::Entity::find_by_id(id)
            .one(&self.db)
            .await?
            .ok_or(StoreError::NotFound("capture set"))
    }

    /// Capture sets by id, for a page of jobs.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn capture_sets_by_id(&self, ids: &[i64]) -> StoreResult<Vec<CaptureSet>> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        Ok(capture_set::Entity::find()
            .filter(capture_set::Column::Id.is_in(ids.iter().copied()))
            .all(&self.db)
            .await?)
    }

    /// The oldest capture set of a project with this name, if there is one.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn capture_set_by_name(
        &self,
        project: i64,
        name: &str,
    ) -> StoreResult<Option<CaptureSet>> {
        Ok(capture_set::Entity::find()
            .filter(capture_set::Column::ProjectId.eq(project))
            .filter(capture_set::Column::Name.eq(name))
            .order_by_asc(capture_set::Column::Id)
            .one(&self.db)
            .await?)
    }

    /// How many captures a set holds.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn count_members(&self, set: i64) -> StoreResult<u64> {
        Ok(capture_set_member::Entity::find()
            .filter(capture_set_member::Column::CaptureSetId.eq(set))
            .count(&self.db)
            .await?)
    }

    /// Makes a set hold all captures of its project and no others; returns how many that are.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], or an error of the database.
    pub async fn populate_full(&self, id: i64) -> StoreResult<u64> {
        again(|| self.fill_once(id)).await
    }

    async fn fill_once(&self, id: i64) -> StoreResult<u64> {
        use capture_set_member::Column as M;
        let tx = self.write().await?;
        let set = members::lock(&tx, id)
            .await?
            .ok_or(StoreError::NotFound("capture set"))?;
        let wanted = |first: Option<i64>| {
            let mut select = Query::select();
            if let Some(set) = first {
                select.expr(Expr::value(set));
            }
            select
                .column(capture::Column::Id)
                .from(capture::Entity)
                .and_where(Expr::col(capture::Column::ProjectId).eq(set.project_id))
                .to_owned()
        };
        let mut insert = Query::insert();
        insert
            .into_table(capture_set_member::Entity)
            .columns([M::CaptureSetId, M::CaptureId]);
        // In the order in which everybody locks captures: a member holds on to its own.
        let mut all = wanted(Some(id));
        all.order_by(capture::Column::Id, Order::Asc);
        insert
            .select_from(all)
            .map_err(|e| StoreError::Unreadable(e.to_string()))?;
        insert.on_conflict(
            OnConflict::columns([M::CaptureSetId, M::CaptureId])
                .do_nothing()
                .to_owned(),
        );
        tx.execute(&insert).await?;
        capture_set_member::Entity::delete_many()
            .filter(M::CaptureSetId.eq(id))
            .filter(Expr::col(M::CaptureId).not_in_subquery(wanted(None)))
            .exec(&*tx)
            .await?;
        let count = members::recount(&tx, id).await?;
        tx.commit().await?;
        Ok(count)
    }
}
