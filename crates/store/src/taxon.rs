//! Taxa as results need them: found by name or by another name they go by, made where a
//! classifier returns a label that nobody knows yet (`processing-service.md` §6, 5).

use std::collections::{BTreeMap, BTreeSet, HashMap};

use sea_orm::sea_query::{Expr, Func, OnConflict, Query};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait, QueryFilter,
    QueryOrder, QuerySelect, prelude::Json,
};

use crate::connection::{LISTING, Store, StoreResult, Write, now};
use crate::entity::{taxa_list, taxa_list_taxon, taxon};

pub mod change;
pub mod list;
pub(crate) mod seen;

pub use crate::entity::taxon::Model as Taxon;

impl Store {
    /// Taxa by id.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn taxa_by_id(&self, ids: &[i64]) -> StoreResult<HashMap<i64, Taxon>> {
        let mut found = HashMap::new();
        for chunk in ids.chunks(1000) {
            let select =
                taxon::Entity::find().filter(taxon::Column::Id.is_in(chunk.iter().copied()));
            let rows = select.all(&self.db).await?;
            found.extend(rows.into_iter().map(|row| (row.id, row)));
        }
        Ok(found)
    }

    /// A taxon and all below it: what a filter for a taxon means.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn taxon_with_below(&self, taxon: i64) -> StoreResult<Vec<i64>> {
        let mut all = BTreeSet::from([taxon]);
        let mut level = vec![taxon];
        while !level.is_empty() {
            let mut next: Vec<i64> = Vec::new();
            for chunk in level.chunks(1000) {
                let below = taxon::Entity::find()
                    .select_only()
                    .column(taxon::Column::Id)
                    .filter(taxon::Column::ParentId.is_in(chunk.iter().copied()));
                next.extend(below.into_tuple::<i64>().all(&self.db).await?);
            }
            // A taxon below itself must not make this endless.
            next.retain(|id| all.insert(*id));
            level = next;
        }
        Ok(all.into_iter().collect())
    }
}

/// Finds or makes the taxa with these names. `wanted` maps a name to the rank it gets when it
/// has to be made. Sorted, so that two processes lock rows in the same order.
pub(crate) async fn find_or_make(
    tx: &Write,
    wanted: &BTreeMap<String, String>,
) -> StoreResult<HashMap<String, i64>> {
    let mut found = find(tx, wanted.keys()).await?;
    let missing = wanted
        .iter()
        .filter(|(name, _)| !found.contains_key(*name))
        .map(|(name, rank)| (name.clone(), rank.clone()))
        .collect();
    found.extend(make(tx, &missing).await?);
    Ok(found)
}

/// The taxa with these names, or that go by them too; those that nobody knows are left out.
pub(crate) async fn find<'a>(
    tx: &Write,
    names: impl Iterator<Item = &'a String> + Clone,
) -> StoreResult<HashMap<String, i64>> {
    let mut found = by_name(&**tx, names.clone()).await?;
    for name in names {
        if !found.contains_key(name)
            && let Some(id) = by_other_name(&**tx, name).await?
        {
            found.insert(name.clone(), id);
        }
    }
    Ok(found)
}

/// Makes taxa of these names and ranks, unless another one was faster.
pub(crate) async fn make(
    tx: &Write,
    missing: &BTreeMap<String, String>,
) -> StoreResult<HashMap<String, i64>> {
    if missing.is_empty() {
        return Ok(HashMap::new());
    }
    let at = now();
    let rows = missing.iter().map(|(name, rank)| taxon::ActiveModel {
        name: Set(name.clone()),
        rank: Set(rank.clone()),
        parent_id: Set(None),
        active: Set(true),
        search_names: Set(Json::Array(Vec::new())),
        parents: Set(Json::Array(Vec::new())),
        gbif_key: Set(None),
        common_name_en: Set(None),
        created_at: Set(at),
        updated_at: Set(at),
        ..Default::default()
    });
    taxon::Entity::insert_many(rows)
        .on_conflict(
            OnConflict::column(taxon::Column::Name)
                .do_nothing()
                .to_owned(),
        )
        .exec_without_returning(&**tx)
        .await?;
    by_name(&**tx, missing.keys()).await
}

async fn by_name<'a, C: ConnectionTrait>(
    db: &C,
    names: impl Iterator<Item = &'a String>,
) -> StoreResult<HashMap<String, i64>> {
    // A retired taxon keeps its name: making a second one of that name is impossible.
    let rows: Vec<(String, i64)> = taxon::Entity::find()
        .select_only()
        .columns([taxon::Column::Name, taxon::Column::Id])
        .filter(taxon::Column::Name.is_in(names.map(String::as_str)))
        .into_tuple()
        .all(db)
        .await?;
    Ok(rows.into_iter().collect())
}

async fn by_other_name<C: ConnectionTrait>(db: &C, name: &str) -> StoreResult<Option<i64>> {
    let quoted = Json::String(name.to_owned()).to_string();
    let like = format!("%{}%", quoted.replace('\\', "\\\\").replace('%', "\\%"));
    let rows = taxon::Entity::find()
        .filter(taxon::Column::Active.eq(true))
        .filter(
            Expr::col(taxon::Column::SearchNames)
                .cast_as("TEXT")
                .like(sea_orm::sea_query::LikeExpr::new(like).escape('\\')),
        )
        .all(db)
        .await?;
    let holds = |t: &taxon::Model| {
        t.search_names
            .as_array()
            .is_some_and(|names| names.iter().any(|n| n.as_str() == Some(name)))
    };
    Ok(rows.iter().filter(|t| holds(t)).map(|t| t.id).min())
}

/// Puts taxa on the list that is kept for an algorithm's labels.
pub(crate) async fn list_for_algorithm(
    tx: &Write,
    algorithm: &str,
    taxa: &[i64],
) -> StoreResult<()> {
    let name = format!("Taxa returned by {algorithm}");
    // Of several lists of this name it is the first that is kept.
    let list = Query::select()
        .expr(Func::min(Expr::col(taxa_list::Column::Id)))
        .from(taxa_list::Entity)
        .and_where(Expr::col(taxa_list::Column::Name).eq(&name))
        .to_owned();
    let listed: Vec<i64> = taxa_list_taxon::Entity::find()
        .select_only()
        .column(taxa_list_taxon::Column::TaxonId)
        .filter(taxa_list_taxon::Column::TaxaListId.in_subquery(list))
        .filter(taxa_list_taxon::Column::TaxonId.is_in(taxa.iter().copied()))
        .into_tuple()
        .all(&**tx)
        .await?;
    if taxa.iter().all(|id| listed.contains(id)) {
        return Ok(()); // as with nearly all results
    }
    let find = || {
        taxa_list::Entity::find()
            .filter(taxa_list::Column::Name.eq(&name))
            .order_by_asc(taxa_list::Column::Id)
            .one(&**tx)
    };
    let mut list = find().await?;
    if list.is_none() {
        tx.take_turn(LISTING).await?;
        list = find().await?;
    }
    let list = match list {
        Some(list) => list.id,
        None => {
            let at = now();
            let row = taxa_list::ActiveModel {
                name: Set(name),
                description: Set(String::new()),
                created_at: Set(at),
                updated_at: Set(at),
                ..Default::default()
            };
            sea_orm::ActiveModelTrait::insert(row, &**tx).await?.id
        }
    };
    let rows = taxa.iter().map(|id| taxa_list_taxon::ActiveModel {
        taxa_list_id: Set(list),
        taxon_id: Set(*id),
    });
    if !taxa.is_empty() {
        use taxa_list_taxon::Column as C;
        taxa_list_taxon::Entity::insert_many(rows)
            .on_conflict(
                OnConflict::columns([C::TaxaListId, C::TaxonId])
                    .do_nothing()
                    .to_owned(),
            )
            .exec_without_returning(&**tx)
            .await?;
    }
    Ok(())
}
