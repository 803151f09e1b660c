//! One table of the import, from page to page. The idea: the rows of a page, its place and the
//! count of what did not fit are one transaction.

use async_trait::async_trait;
use sea_orm::sea_query::{Alias, Expr, ExprTrait, Query};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ConnectionTrait, DatabaseConnection, EntityTrait,
    IntoActiveModel, Iterable, SqlErr, TransactionTrait,
};
use serde_json::json;

use super::line::{Line, Unfit};
use super::link::{self, Link, World};
use super::{Heard, Lost, source};
use crate::connection::{Store, StoreResult, Write};
use crate::entity::transfer;
use crate::transfer::{VALUES, number_above};

pub(super) use crate::entity::transfer::Model as Step;

/// How many ids are kept of what did not fit.
const NAMED: usize = 10;

/// What the import must know of a table.
pub(super) struct About {
    /// Its name in Antenna.
    pub(super) name: &'static str,
    /// The table of Hawkmoth.
    pub(super) into: &'static str,
    /// Whole numbers, each once, by which it is read.
    pub(super) key: &'static str,
    /// Only these rows; empty means all.
    pub(super) only: &'static str,
    /// Links without which a row cannot be.
    pub(super) needs: &'static [Link],
    /// Links without which it can.
    pub(super) links: &'static [Link],
    /// Columns that name a row of the same table, there and here.
    pub(super) own: &'static [(&'static str, &'static str)],
    /// Columns that have no place in Hawkmoth.
    pub(super) leaves: &'static [&'static str],
    /// Whether it is a line of the table of counts.
    pub(super) counted: bool,
    /// Whether its rows keep their ids.
    pub(super) numbered: bool,
}

impl About {
    pub(super) const fn new(name: &'static str, into: &'static str) -> About {
        About {
            name,
            into,
            key: "id",
            only: "",
            needs: &[],
            links: &[],
            own: &[],
            leaves: &[],
            counted: true,
            numbered: true,
        }
    }

    /// Under which name its place is kept.
    pub(super) fn step(&self) -> String {
        match self.counted {
            true => format!("antenna:{}", self.name),
            false => format!("antenna:{} {} into {}", self.name, self.only, self.into),
        }
    }
}

/// A table that is brought over.
#[async_trait]
pub(super) trait Bring: Sync {
    fn about(&self) -> &About;
    /// Writes these rows.
    async fn write(
        &self,
        tx: &Write,
        lines: &[Line],
        world: &World,
        step: &mut Step,
    ) -> StoreResult<()>;
}

/// A table whose rows become rows of one entity.
pub(super) struct Rows<E: EntityTrait> {
    pub(super) about: About,
    pub(super) row: fn(&Line, &World) -> Result<E::Model, Unfit>,
}

#[async_trait]
impl<E> Bring for Rows<E>
where
    E: EntityTrait,
    E::Model: IntoActiveModel<E::ActiveModel> + Send + Sync,
    E::ActiveModel: ActiveModelTrait<Entity = E> + Send + Sync,
{
    fn about(&self) -> &About {
        &self.about
    }

    async fn write(
        &self,
        tx: &Write,
        lines: &[Line],
        world: &World,
        step: &mut Step,
    ) -> StoreResult<()> {
        let mut rows = Vec::with_capacity(lines.len());
        for line in lines {
            match (self.row)(line, world) {
                Ok(row) => rows.push((line.key, row.into_active_model().reset_all())),
                Err(reason) => lose(step, &format!("left out: {reason}"), line.key),
            }
        }
        step.written += insert::<E>(tx, rows, step).await?;
        Ok(())
    }
}

/// Writes rows; answers how many. One that the database does not take stays behind alone.
pub(super) async fn insert<E>(
    tx: &Write,
    rows: Vec<(i64, E::ActiveModel)>,
    step: &mut Step,
) -> StoreResult<i64>
where
    E: EntityTrait,
    E::ActiveModel: ActiveModelTrait<Entity = E> + Send + Sync,
{
    let chunk = VALUES / E::Column::iter().count().max(1);
    let mut written = 0;
    for rows in rows.chunks(chunk) {
        if all::<E>(tx, rows).await? {
            written += rows.len() as i64;
            continue;
        }
        for row in rows {
            if all::<E>(tx, std::slice::from_ref(row)).await? {
                written += 1;
            } else {
                let reason =
                    "left out: another row has its values, or what it points to is missing";
                lose(step, reason, row.0);
            }
        }
    }
    Ok(written)
}

/// Writes all of these rows, or none: false where one of them breaks a rule of the table.
async fn all<E>(tx: &Write, rows: &[(i64, E::ActiveModel)]) -> StoreResult<bool>
where
    E: EntityTrait,
    E::ActiveModel: ActiveModelTrait<Entity = E> + Send + Sync,
{
    let inner = tx.begin().await?;
    let rows = rows.iter().map(|(_, row)| row.clone());
    match E::insert_many(rows).exec_without_returning(&inner).await {
        Ok(_) => {
            inner.commit().await?;
            Ok(true)
        }
        Err(error) => match error.sql_err() {
            Some(
                SqlErr::UniqueConstraintViolation(_) | SqlErr::ForeignKeyConstraintViolation(_),
            ) => {
                inner.rollback().await?;
                Ok(false)
            }
            _ => Err(error.into()),
        },
    }
}

/// Counts a row that did not come, or not whole.
pub(super) fn lose(step: &mut Step, reason: &str, id: i64) {
    if !step.lost.is_object() {
        step.lost = json!({});
    }
    let entry = &mut step.lost[reason];
    let count = entry["count"].as_i64().unwrap_or(0) + 1;
    entry["count"] = json!(count);
    match entry["ids"].as_array_mut() {
        Some(ids) if ids.len() < NAMED => ids.push(json!(id)),
        Some(_) => {}
        None => entry["ids"] = json!([id]),
    }
}

/// What did not come of a table.
pub(super) fn lost(table: &str, step: &Step) -> Vec<Lost> {
    let Some(reasons) = step.lost.as_object() else {
        return Vec::new();
    };
    let one = |(reason, entry): (&String, &serde_json::Value)| Lost {
        table: table.to_owned(),
        reason: reason.clone(),
        count: entry["count"].as_i64().unwrap_or(0),
        ids: serde_json::from_value(entry["ids"].clone()).unwrap_or_default(),
    };
    reasons.iter().map(one).collect()
}

/// The place of a step; made where it has none.
pub(super) async fn place(store: &Store, name: &str, source: &str) -> StoreResult<Step> {
    if let Some(step) = transfer::Entity::find_by_id(name).one(&store.db).await? {
        return Ok(step);
    }
    let tx = store.write().await?;
    let step = transfer::ActiveModel {
        step: Set(name.to_owned()),
        source: Set(source.to_owned()),
        position: Set(i64::MIN),
        seen: Set(0),
        written: Set(0),
        lost: Set(json!({})),
        done: Set(false),
    }
    .insert(&*tx)
    .await?;
    tx.commit().await?;
    Ok(step)
}

/// Writes the place down.
pub(super) async fn keep(tx: &Write, step: &Step) -> StoreResult<()> {
    step.clone()
        .into_active_model()
        .reset_all()
        .update(&**tx)
        .await?;
    Ok(())
}

/// Brings over what is behind the place of a table.
pub(super) async fn run(
    store: &Store,
    from: &DatabaseConnection,
    table: &dyn Bring,
    world: &World,
    heard: Heard<'_>,
) -> StoreResult<()> {
    let about = table.about();
    let mut step = place(store, &about.step(), &world.source).await?;
    if !source::has(from, about.name).await? {
        // An older Antenna: there is nothing to bring.
        return end(store, from, about, step).await;
    }
    loop {
        let lines = source::page(from, about, step.position).await?;
        let Some(last) = lines.last() else { break };
        step.position = last.key;
        step.seen += lines.len() as i64;
        let tx = store.write().await?;
        let lines = link::checked(&tx, about, lines, &mut step).await?;
        table.write(&tx, &lines, world, &mut step).await?;
        keep(&tx, &step).await?;
        tx.commit().await?;
        heard(about.name, step.seen);
    }
    for (there, here) in about.own {
        mend(store, from, about, there, here, &mut step).await?;
    }
    end(store, from, about, step).await
}

/// Ends a step; new rows of its table get numbers that Antenna never gave.
async fn end(
    store: &Store,
    from: &DatabaseConnection,
    about: &About,
    mut step: Step,
) -> StoreResult<()> {
    let there = about.numbered && about.key == "id" && source::has(from, about.name).await?;
    let highest = match there {
        true => source::highest(from, about.name).await?,
        false => 0,
    };
    step.done = true;
    let tx = store.write().await?;
    if about.numbered {
        number_above(&tx, about.into, highest).await?;
    }
    keep(&tx, &step).await?;
    tx.commit().await
}

/// Writes the names of rows that came later than those that name them.
async fn mend(
    store: &Store,
    from: &DatabaseConnection,
    about: &About,
    column: &str,
    here: &str,
    step: &mut Step,
) -> StoreResult<()> {
    let mut after = i64::MIN;
    loop {
        let pairs = source::naming_later(from, about.name, column, after).await?;
        let Some(last) = pairs.last() else {
            return Ok(());
        };
        after = last.0;
        let tx = store.write().await?;
        let named: Vec<i64> = pairs.iter().map(|pair| pair.1).collect();
        let there = link::there(&tx, about.into, &named).await?;
        for (id, named) in pairs {
            if !there.contains(&named) {
                if step.done {
                    continue; // counted by an earlier run
                }
                let reason = format!("came without its {column}, which is not there");
                lose(step, &reason, id);
                continue;
            }
            let mut update = Query::update();
            update
                .table(Alias::new(about.into))
                .value(Alias::new(here), named)
                .and_where(Expr::col(Alias::new("id")).eq(id))
                .and_where(Expr::col(Alias::new(here)).is_null());
            tx.execute(&update).await?;
        }
        tx.commit().await?;
    }
}
