//! How tests fill any table and read it again. The idea: values follow from a column's type and
//! the number of the row, so a column that is added is filled and compared without anybody
//! thinking of it.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sea_orm::sea_query::{ColumnType, Value};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, EntityTrait, Iden, IntoActiveModel, Iterable, ModelTrait,
    QueryOrder,
};
use serde_json::{Value as Json, json};

use super::whole::{Whole, keys};
use crate::Store;

/// A table, as tests see it.
#[async_trait]
pub(crate) trait Seen {
    /// The columns that name a row of the same table.
    fn own(&self) -> Vec<String>;
    /// All columns.
    fn columns(&self) -> Vec<String>;
    /// Writes so many rows; every third one has nothing where it need not.
    async fn fill(&self, store: &Store, rows: i64);
    /// All rows along the key.
    async fn rows(&self, store: &Store) -> Vec<String>;
}

fn name(column: &impl Iden) -> String {
    column.unquoted().to_owned()
}

#[async_trait]
impl<E> Seen for Whole<E>
where
    E: EntityTrait,
    E::Model: IntoActiveModel<E::ActiveModel> + Send + Sync,
    E::ActiveModel: ActiveModelTrait<Entity = E> + Send + Sync,
    E::Column: Send + Sync,
{
    fn own(&self) -> Vec<String> {
        self.own.iter().map(name).collect()
    }

    fn columns(&self) -> Vec<String> {
        E::Column::iter().map(|column| name(&column)).collect()
    }

    async fn fill(&self, store: &Store, rows: i64) {
        let keys: Vec<String> = keys::<E>().iter().map(name).collect();
        let mut all = Vec::new();
        for number in 1..=rows {
            let mut row = <E::ActiveModel as ActiveModelTrait>::default();
            for column in E::Column::iter() {
                let (name, def) = (name(&column), column.def());
                let named = match () {
                    // Rows name the next one, which is not there yet; the last one the first.
                    () if self.own().contains(&name) => number % rows + 1,
                    () => number,
                };
                let empty = number % 3 == 0 && def.is_null() && !keys.contains(&name);
                row.set(column, value(def.get_column_type(), &name, named, empty));
            }
            all.push(row);
        }
        // At once: each statement must find what its rows name.
        let whole = self.own.is_empty();
        let chunk = if whole { 500 } else { usize::MAX };
        let tx = store.write().await.unwrap();
        for rows in all.chunks(chunk) {
            let done = E::insert_many(rows.iter().cloned())
                .exec_without_returning(&*tx)
                .await;
            done.unwrap_or_else(|error| panic!("{}: {error}", E::default().table_name()));
        }
        tx.commit().await.unwrap();
    }

    async fn rows(&self, store: &Store) -> Vec<String> {
        let mut select = E::find();
        for key in keys::<E>() {
            select = select.order_by_asc(key);
        }
        let rows = select.all(&store.db).await.expect("readable");
        let told = |row: &E::Model| -> String {
            let values = E::Column::iter().map(|column| match row.get(column) {
                // Databases keep the parts of an object in their own order.
                Value::Json(Some(json)) => sorted(&json).to_string(),
                value => format!("{value:?}"),
            });
            values.collect::<Vec<_>>().join(" | ")
        };
        let mut rows: Vec<String> = rows.iter().map(told).collect();
        rows.sort(); // texts come in another order from each database
        rows
    }
}

fn value(kind: &ColumnType, name: &str, number: i64, empty: bool) -> Value {
    let at: DateTime<Utc> =
        DateTime::from_timestamp_micros(1_700_000_000_123_456 + number).unwrap();
    let some = |value: Value| if empty { value.as_null() } else { value };
    match kind {
        ColumnType::BigInteger => some(Value::from(number)),
        ColumnType::Integer => some(Value::from(i32::try_from(number).unwrap())),
        ColumnType::Double => some(Value::from(number as f64 / 3.0)),
        ColumnType::Boolean => some(Value::from(number % 2 == 0)),
        ColumnType::String(_) | ColumnType::Text => {
            some(Value::from(format!("{name} {number}: “Ü”\n'\\")))
        }
        ColumnType::Json | ColumnType::JsonBinary => {
            let json = json!({"z": number, "a": [null, 0.1, "Ü"], "deep": {"no": false}});
            some(Value::from(json))
        }
        ColumnType::TimestampWithTimeZone => some(Value::from(at)),
        ColumnType::DateTime | ColumnType::Timestamp => some(Value::from(at.naive_utc())),
        ColumnType::Date => some(Value::from(
            at.date_naive() + chrono::Days::new(number as u64),
        )),
        other => panic!("{name}: no value for {other:?}"),
    }
}

fn sorted(json: &Json) -> Json {
    match json {
        Json::Object(parts) => {
            let mut parts: Vec<_> = parts.iter().map(|(k, v)| (k.clone(), sorted(v))).collect();
            parts.sort_by(|a, b| a.0.cmp(&b.0));
            Json::Object(parts.into_iter().collect())
        }
        Json::Array(items) => items.iter().map(sorted).collect(),
        other => other.clone(),
    }
}
