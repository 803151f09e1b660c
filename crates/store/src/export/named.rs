//! What an export's filters name, in words for people. The idea: whoever makes an export, by hand
//! or by a schedule, asks here, so both are shown alike.

use domain::export::number;
use sea_orm::{ConnectionTrait, EntityTrait, prelude::Json};
use serde_json::{Map, Value, json};

use crate::connection::{Store, StoreResult};
use crate::entity::{capture_set, taxa_list};

/// Filters as people are shown them, and the capture set that they name.
#[derive(Clone, Debug, PartialEq)]
pub struct NamedFilters {
    /// `filters_display`.
    pub display: Json,
    /// Only what was seen on captures of this set.
    pub capture_set_id: Option<i64>,
}

/// Why filters name a capture set that cannot be exported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WrongSet {
    /// There is none of this number.
    Missing,
    /// It belongs to another project.
    Elsewhere,
}

impl Store {
    /// Looks up what the filters of an export of this project name.
    ///
    /// # Errors
    /// Errors of the database; the inner one where the capture set is wrong.
    pub async fn named_filters(
        &self,
        project: i64,
        filters: &Map<String, Value>,
    ) -> StoreResult<Result<NamedFilters, WrongSet>> {
        named(&self.db, project, filters).await
    }
}

/// The same within a transaction.
pub(crate) async fn named<C: ConnectionTrait>(
    db: &C,
    project: i64,
    filters: &Map<String, Value>,
) -> StoreResult<Result<NamedFilters, WrongSet>> {
    let mut display = Map::new();
    let mut set = None;
    for (key, value) in filters {
        let (key, shown) = match key.as_str() {
            _ if value.is_null() => (key.as_str(), Value::Null),
            "collection_id" | "collection" => match set_of(db, project, number(value)).await? {
                Ok(row) => {
                    set = Some(row.id);
                    ("collection", json!({"id": row.id, "name": row.name}))
                }
                Err(why) => return Ok(Err(why)),
            },
            "taxa_list_id" => ("taxa_list", taxa_list_of(db, number(value)).await?),
            key => (key, value.clone()),
        };
        display.insert(key.to_owned(), shown);
    }
    Ok(Ok(NamedFilters {
        display: Json::Object(display),
        capture_set_id: set,
    }))
}

async fn set_of<C: ConnectionTrait>(
    db: &C,
    project: i64,
    id: Option<i64>,
) -> StoreResult<Result<capture_set::Model, WrongSet>> {
    let row = match id {
        Some(id) => capture_set::Entity::find_by_id(id).one(db).await?,
        None => None,
    };
    Ok(match row {
        None => Err(WrongSet::Missing),
        Some(row) if row.project_id != project => Err(WrongSet::Elsewhere),
        Some(row) => Ok(row),
    })
}

async fn taxa_list_of<C: ConnectionTrait>(db: &C, id: Option<i64>) -> StoreResult<Value> {
    let row = match id {
        Some(id) => taxa_list::Entity::find_by_id(id).one(db).await?,
        None => None,
    };
    Ok(json!({"id": id, "name": row.map(|list| list.name)}))
}
