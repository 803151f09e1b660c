//! Changing a capture set: its fields, and one capture more or less. The number of its captures
//! is counted again in the same transaction, under the lock of the set's row.

use std::collections::HashSet;

use sea_orm::sea_query::{Expr, ExprTrait, Func, LockType, OnConflict, Query};
use sea_orm::{
    ActiveModelTrait,
    ActiveValue::Set,
    ColumnTrait, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect,
    prelude::{DateTimeUtc, Json},
};

use super::CaptureSet;
use crate::connection::{Store, StoreError, StoreResult, Write, now};
use crate::entity::{capture_set, capture_set_member, project};

/// The method of the set that holds a project's starred captures.
pub(super) const STARRED: &str = "starred";

/// Locks a set, for whoever changes which captures it holds: before those, so that nobody who does
/// the same waits in a circle, and so that what is counted then is true when it is written down.
pub(crate) async fn lock(tx: &Write, set: i64) -> StoreResult<Option<CaptureSet>> {
    let row = capture_set::Entity::find_by_id(set).lock(LockType::NoKeyUpdate);
    Ok(row.one(&**tx).await?)
}

/// Counts a set's captures again; returns how many there are. The caller has locked it: this is a
/// statement after the lock, so it sees what those have committed who had it before.
pub(super) async fn recount(tx: &Write, set: i64) -> StoreResult<u64> {
    let count = capture_set_member::Entity::find()
        .filter(capture_set_member::Column::CaptureSetId.eq(set))
        .count(&**tx)
        .await?;
    let shown = i64::try_from(count).unwrap_or(i64::MAX);
    capture_set::Entity::update_many()
        .col_expr(capture_set::Column::CapturesCount, Expr::value(shown))
        .col_expr(
            capture_set::Column::CountedAt,
            Expr::value(None::<DateTimeUtc>),
        )
        .filter(capture_set::Column::Id.eq(set))
        .exec(&**tx)
        .await?;
    Ok(count)
}

/// New values of a capture set; `None` leaves a field as it is.
#[derive(Clone, Debug, Default)]
pub struct CaptureSetChange {
    /// Name.
    pub name: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// How its captures are chosen.
    pub method: Option<String>,
    /// Settings of the method.
    pub kwargs: Option<serde_json::Map<String, Json>>,
}

impl Store {
    /// Counts the captures of all sets again: for rows that were brought in from elsewhere.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn recount_sets(&self) -> StoreResult<()> {
        let sets: Vec<i64> = capture_set::Entity::find()
            .select_only()
            .column(capture_set::Column::Id)
            .into_tuple()
            .all(&self.db)
            .await?;
        for set in sets {
            let tx = self.write().await?;
            lock(&tx, set).await?;
            recount(&tx, set).await?;
            tx.commit().await?;
        }
        Ok(())
    }

    /// Changes a capture set; its captures stay until it is populated again.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], or an error of the database.
    pub async fn change_capture_set(
        &self,
        id: i64,
        change: CaptureSetChange,
    ) -> StoreResult<CaptureSet> {
        let tx = self.write().await?;
        let found = capture_set::Entity::find_by_id(id).one(&*tx).await?;
        let mut row = found
            .ok_or(StoreError::NotFound("capture set"))?
            .into_active_model();
        if let Some(name) = change.name {
            row.name = Set(name);
        }
        if let Some(description) = change.description {
            row.description = Set(description);
        }
        if let Some(method) = change.method {
            row.method = Set(method);
        }
        if let Some(kwargs) = change.kwargs {
            row.kwargs = Set(Json::Object(kwargs));
        }
        row.updated_at = Set(now());
        let row = row.update(&*tx).await?;
        tx.commit().await?;
        Ok(row)
    }

    /// Deletes a capture set; its captures stay.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], or an error of the database.
    pub async fn delete_capture_set(&self, id: i64) -> StoreResult<()> {
        let tx = self.write().await?;
        let done = capture_set::Entity::delete_by_id(id).exec(&*tx).await?;
        if done.rows_affected == 0 {
            return Err(StoreError::NotFound("capture set"));
        }
        tx.commit().await
    }

    /// Puts a capture into a set, once; returns how many the set holds.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn add_to_set(&self, set: i64, capture: i64) -> StoreResult<u64> {
        let tx = self.write().await?;
        let count = add(&tx, set, capture).await?;
        tx.commit().await?;
        Ok(count)
    }

    /// Takes a capture out of a set; returns how many the set holds.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn remove_from_set(&self, set: i64, capture: i64) -> StoreResult<u64> {
        let tx = self.write().await?;
        let count = remove(&tx, set, capture).await?;
        tx.commit().await?;
        Ok(count)
    }

    /// Stars a capture, or takes its star away: the oldest set of its project with the method
    /// "starred" holds those with a star, and is made where there is none. Returns the set and
    /// how many it holds.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn star(&self, project: i64, capture: i64, on: bool) -> StoreResult<(i64, u64)> {
        let tx = self.write().await?;
        let set = match starred(&tx, project).await? {
            Some(set) => set,
            None => make_starred(&tx, project).await?,
        };
        let count = match on {
            true => add(&tx, set, capture).await?,
            false => remove(&tx, set, capture).await?,
        };
        tx.commit().await?;
        Ok((set, count))
    }

    /// Which of these captures of a project have a star: those in the set that [`Store::star`] puts
    /// them into. One query, however many they are.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn starred_among(&self, project: i64, captures: &[i64]) -> StoreResult<HashSet<i64>> {
        use capture_set_member::Column as M;
        if captures.is_empty() {
            return Ok(HashSet::new());
        }
        let oldest = Query::select()
            .expr(Func::min(Expr::col(capture_set::Column::Id)))
            .from(capture_set::Entity)
            .and_where(Expr::col(capture_set::Column::ProjectId).eq(project))
            .and_where(Expr::col(capture_set::Column::Method).eq(STARRED))
            .to_owned();
        let starred: Vec<i64> = capture_set_member::Entity::find()
            .select_only()
            .column(M::CaptureId)
            .filter(M::CaptureSetId.in_subquery(oldest))
            .filter(M::CaptureId.is_in(captures.iter().copied()))
            .into_tuple()
            .all(&self.db)
            .await?;
        Ok(starred.into_iter().collect())
    }
}

/// The oldest set that holds a project's starred captures.
async fn starred(tx: &Write, project: i64) -> StoreResult<Option<i64>> {
    use capture_set::Column as C;
    let found = capture_set::Entity::find()
        .filter(C::ProjectId.eq(project))
        .filter(C::Method.eq(STARRED))
        .order_by_asc(C::Id)
        .one(&**tx)
        .await?;
    Ok(found.map(|set| set.id))
}

/// Makes it, unless somebody else is just doing so: no unique index says that there is one.
async fn make_starred(tx: &Write, project: i64) -> StoreResult<i64> {
    let row = project::Entity::find_by_id(project).lock(LockType::NoKeyUpdate);
    row.one(&**tx)
        .await?
        .ok_or(StoreError::NotFound("project"))?;
    if let Some(set) = starred(tx, project).await? {
        return Ok(set);
    }
    let at = now();
    let made = capture_set::ActiveModel {
        project_id: Set(project),
        name: Set("Starred Images".to_owned()),
        description: Set(String::new()),
        method: Set(STARRED.to_owned()),
        kwargs: Set(Json::Object(Default::default())),
        created_at: Set(at),
        updated_at: Set(at),
        ..Default::default()
    };
    Ok(made.insert(&**tx).await?.id)
}

async fn add(tx: &Write, set: i64, capture: i64) -> StoreResult<u64> {
    use capture_set_member::Column as M;
    lock(tx, set).await?;
    let row = capture_set_member::ActiveModel {
        capture_set_id: Set(set),
        capture_id: Set(capture),
    };
    let once = OnConflict::columns([M::CaptureSetId, M::CaptureId])
        .do_nothing()
        .to_owned();
    capture_set_member::Entity::insert(row)
        .on_conflict(once)
        .exec_without_returning(&**tx)
        .await?;
    recount(tx, set).await
}

async fn remove(tx: &Write, set: i64, capture: i64) -> StoreResult<u64> {
    use capture_set_member::Column as M;
    lock(tx, set).await?;
    capture_set_member::Entity::delete_many()
        .filter(M::CaptureSetId.eq(set))
        .filter(M::CaptureId.eq(capture))
        .exec(&**tx)
        .await?;
    recount(tx, set).await
}
