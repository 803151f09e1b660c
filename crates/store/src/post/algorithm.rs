//! The algorithm in whose name a task speaks: found by its key, or made, in the transaction in
//! which it speaks first.

use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter};

use crate::connection::{StoreError, StoreResult, Write, now};
use crate::entity::algorithm::{self, Entity};
use crate::pipeline::Algorithm;

/// What an algorithm is called that a task needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Name {
    pub key: String,
    pub name: String,
    pub description: String,
    pub task_type: &'static str,
    /// The classes of its scores.
    pub category_map: Option<i64>,
}

/// Finds or makes it; its category map is kept in step.
pub(super) async fn find_or_make(tx: &Write, wanted: &Name) -> StoreResult<Algorithm> {
    let find = || {
        Entity::find()
            .filter(algorithm::Column::Key.eq(&wanted.key))
            .one(&**tx)
    };
    let found = match find().await? {
        Some(row) => Some(row),
        None => {
            insert(tx, wanted).await?;
            find().await?
        }
    };
    let row = found.ok_or_else(|| {
        StoreError::Conflict(format!(
            "Another algorithm is named \"{}\" already. Rename it, then run this job again.",
            wanted.name
        ))
    })?;
    if row.category_map_id == wanted.category_map {
        return Ok(row);
    }
    let mut row = row.into_active_model();
    row.category_map_id = Set(wanted.category_map);
    row.updated_at = Set(now());
    Ok(sea_orm::ActiveModelTrait::update(row, &**tx).await?)
}

async fn insert(tx: &Write, wanted: &Name) -> StoreResult<()> {
    let at = now();
    let row = algorithm::ActiveModel {
        key: Set(wanted.key.clone()),
        name: Set(wanted.name.clone()),
        description: Set(wanted.description.clone()),
        version: Set(1),
        version_name: Set(Some("1".to_owned())),
        task_type: Set(Some(wanted.task_type.to_owned())),
        uri: Set(None),
        category_map_id: Set(wanted.category_map),
        created_at: Set(at),
        updated_at: Set(at),
        ..Default::default()
    };
    // Another process may make it at the same moment.
    Entity::insert(row)
        .on_conflict(OnConflict::new().do_nothing().to_owned())
        .exec_without_returning(&**tx)
        .await?;
    Ok(())
}
