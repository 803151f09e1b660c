//! One table of a copy, whatever its columns. The idea: rows are read and written as the entities
//! have them, so each database speaks its own types and nothing is named twice.

use async_trait::async_trait;
use sea_orm::sea_query::{Expr, ExprTrait, OnConflict, Value};
use sea_orm::{
    ActiveModelTrait, ActiveValue, DatabaseTransaction, EntityTrait, Iden, IntoActiveModel,
    Iterable, ModelTrait, PrimaryKeyToColumn, PrimaryKeyTrait, QueryFilter, QueryOrder,
    QuerySelect,
};

use super::Heard;
use crate::connection::{Store, StoreResult};
use crate::transfer::VALUES;

/// Rows of a page; less where a statement could not hold as many values.
const PAGE: usize = 1000;
/// Rows of a page of long rows.
const LONG_PAGE: usize = 200;

/// What tests ask of a table besides.
#[cfg(test)]
pub(crate) use super::seen::Seen as Tested;
/// What tests ask of a table besides.
#[cfg(not(test))]
pub(crate) trait Tested {}
#[cfg(not(test))]
impl<E: EntityTrait> Tested for Whole<E> {}

/// A table, as the copy sees it.
#[async_trait]
pub(crate) trait Table: Tested + Sync {
    /// Its name.
    fn name(&self) -> &'static str;
    /// Whether the database numbers its rows.
    fn numbered(&self) -> bool;
    /// Whether its rows say when they changed.
    fn dated(&self) -> bool;
    /// Writes what the target lacks.
    async fn copy(
        &self,
        from: &DatabaseTransaction,
        to: &Store,
        heard: Heard<'_>,
    ) -> StoreResult<()>;
}

/// The table of an entity.
pub(crate) struct Whole<E: EntityTrait> {
    pub(super) own: &'static [E::Column],
    page: usize,
}

impl<E: EntityTrait> Whole<E> {
    pub(super) const fn new() -> Whole<E> {
        Whole {
            own: &[],
            page: PAGE,
        }
    }

    /// For rows that may hold long lists.
    pub(super) const fn long(self) -> Whole<E> {
        Whole {
            page: LONG_PAGE,
            ..self
        }
    }

    /// With columns that name a row of the same table.
    pub(super) const fn naming(self, own: &'static [E::Column]) -> Whole<E> {
        Whole { own, ..self }
    }

    fn page(&self) -> usize {
        let columns = E::Column::iter().count().max(1);
        self.page.min(VALUES / columns)
    }
}

pub(super) fn keys<E: EntityTrait>() -> Vec<E::Column> {
    E::PrimaryKey::iter().map(|key| key.into_column()).collect()
}

fn key_of<E: EntityTrait>(row: &E::Model) -> Vec<Value> {
    keys::<E>().into_iter().map(|key| row.get(key)).collect()
}

/// The key of the last row that the target has. Texts are ordered differently by different
/// databases, so tables with such a key, which are small, are gone through from their beginning.
async fn last_of<E: EntityTrait>(store: &Store) -> StoreResult<Option<Vec<Value>>>
where
    E::Model: Send + Sync,
{
    let mut select = E::find();
    for key in keys::<E>() {
        select = select.order_by_desc(key);
    }
    let row = select.one(&store.db).await?;
    let key = row.map(|row| key_of::<E>(&row));
    Ok(key.filter(|key| !key.iter().any(|part| matches!(part, Value::String(_)))))
}

fn behind<E: EntityTrait>(key: &[Value]) -> Expr {
    let columns = keys::<E>().into_iter().map(Expr::col);
    let values = key.iter().map(|value| Expr::val(value.clone()));
    Expr::tuple(columns).gt(Expr::tuple(values))
}

fn number(value: &ActiveValue<Value>) -> Option<i64> {
    match value.clone().take()? {
        Value::BigInt(number) => number,
        _ => None,
    }
}

#[async_trait]
impl<E> Table for Whole<E>
where
    E: EntityTrait,
    E::Model: IntoActiveModel<E::ActiveModel> + Send + Sync,
    E::ActiveModel: ActiveModelTrait<Entity = E> + Send + Sync,
    E::Column: Send + Sync,
{
    fn name(&self) -> &'static str {
        E::default().table_name()
    }

    fn numbered(&self) -> bool {
        E::PrimaryKey::auto_increment()
    }

    fn dated(&self) -> bool {
        E::Column::iter().any(|column| column.unquoted() == "updated_at")
    }

    async fn copy(
        &self,
        from: &DatabaseTransaction,
        to: &Store,
        heard: Heard<'_>,
    ) -> StoreResult<()> {
        let mut last = last_of::<E>(to).await?;
        let mut written = 0;
        loop {
            let mut select = E::find().limit(self.page() as u64);
            if let Some(key) = &last {
                select = select.filter(behind::<E>(key));
            }
            for key in keys::<E>() {
                select = select.order_by_asc(key);
            }
            let rows = select.all(from).await?;
            let Some(end) = rows.last() else { break };
            last = Some(key_of::<E>(end));
            written += rows.len() as u64;
            self.write(to, rows).await?;
            heard(self.name(), written);
        }
        for column in self.own {
            mend::<E>(from, to, *column).await?;
        }
        Ok(())
    }
}

impl<E> Whole<E>
where
    E: EntityTrait,
    E::Model: IntoActiveModel<E::ActiveModel> + Send + Sync,
    E::ActiveModel: ActiveModelTrait<Entity = E> + Send + Sync,
{
    async fn write(&self, to: &Store, rows: Vec<E::Model>) -> StoreResult<()> {
        let id = keys::<E>().into_iter().next();
        let rows = rows.into_iter().map(|row| {
            let mut row = row.into_active_model().reset_all();
            for column in self.own {
                let later = id.is_some_and(|id| number(&row.get(*column)) > number(&row.get(id)));
                if later {
                    row.set(*column, Value::BigInt(None)); // until that row is there: `mend`
                }
            }
            row
        });
        let there = OnConflict::columns(keys::<E>()).do_nothing().to_owned();
        let tx = to.write().await?;
        E::insert_many(rows)
            .on_conflict(there)
            .exec_without_returning(&*tx)
            .await?;
        tx.commit().await
    }
}

/// Writes the names of rows of the same table that come later in it.
async fn mend<E: EntityTrait>(
    from: &DatabaseTransaction,
    to: &Store,
    column: E::Column,
) -> StoreResult<()> {
    let Some(id) = keys::<E>().into_iter().next() else {
        return Ok(());
    };
    let mut after = i64::MIN;
    loop {
        let found: Vec<(i64, i64)> = E::find()
            .select_only()
            .columns([id, column])
            .filter(Expr::col(column).gt(Expr::col(id)))
            .filter(Expr::col(id).gt(after))
            .order_by_asc(id)
            .limit(PAGE as u64)
            .into_tuple()
            .all(from)
            .await?;
        let Some(end) = found.last() else {
            return Ok(());
        };
        after = end.0;
        let tx = to.write().await?;
        for (row, named) in found {
            E::update_many()
                .col_expr(column, Expr::value(named))
                .filter(Expr::col(id).eq(row))
                .exec(&*tx)
                .await?;
        }
        tx.commit().await?;
    }
}
