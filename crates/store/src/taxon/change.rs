//! Making and changing taxa by hand. The idea: `parents`, the names above a taxon, is a copy that
//! readers need on every row, so whoever changes a name or a place rewrites it for all below.

use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter,
    QueryOrder, QuerySelect, prelude::Json,
};
use serde_json::json;

use super::Taxon;
use crate::connection::{Store, StoreError, StoreResult, Write, now};
use crate::entity::{taxon, taxon_project};
use crate::order::clash;

/// What a person says of a taxon; `None` leaves it as it is.
#[derive(Clone, Debug, Default)]
pub struct TaxonChange {
    /// Unique name.
    pub name: Option<String>,
    /// Its rank.
    pub rank: Option<String>,
    /// The taxon right above it.
    pub parent_id: Option<Option<i64>>,
    /// Name in English.
    pub common_name_en: Option<Option<String>>,
    /// Its number at GBIF.
    pub gbif_key: Option<Option<i64>>,
    /// Its number at iNaturalist.
    pub inat_taxon_id: Option<Option<i64>>,
    /// Its key at Fieldguide.
    pub fieldguide_id: Option<Option<String>>,
    /// A picture of it.
    pub cover_image_url: Option<Option<String>>,
    /// Whose picture.
    pub cover_image_credit: Option<Option<String>>,
}

const KNOWN: &str = "A taxon with this name exists already.";

impl TaxonChange {
    fn apply(self, row: &mut taxon::ActiveModel) {
        if let Some(name) = self.name {
            row.name = Set(name);
        }
        if let Some(rank) = self.rank {
            row.rank = Set(rank);
        }
        if let Some(parent) = self.parent_id {
            row.parent_id = Set(parent);
        }
        if let Some(name) = self.common_name_en {
            row.common_name_en = Set(name);
        }
        if let Some(key) = self.gbif_key {
            row.gbif_key = Set(key);
        }
        if let Some(id) = self.inat_taxon_id {
            row.inat_taxon_id = Set(id);
        }
        if let Some(id) = self.fieldguide_id {
            row.fieldguide_id = Set(id);
        }
        if let Some(url) = self.cover_image_url {
            row.cover_image_url = Set(url);
        }
        if let Some(credit) = self.cover_image_credit {
            row.cover_image_credit = Set(credit);
        }
    }
}

impl Store {
    /// The taxon with this id.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], or an error of the database.
    pub async fn taxon(&self, id: i64) -> StoreResult<Taxon> {
        let row = taxon::Entity::find_by_id(id).one(&self.db).await?;
        row.ok_or(StoreError::NotFound("taxon"))
    }

    /// The taxon with this name, if there is one.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn taxon_named(&self, name: &str) -> StoreResult<Option<Taxon>> {
        let found = taxon::Entity::find().filter(taxon::Column::Name.eq(name));
        Ok(found.one(&self.db).await?)
    }

    /// Makes a taxon, for a project where one is given.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] where the name is taken.
    pub async fn create_taxon(&self, new: TaxonChange, project: Option<i64>) -> StoreResult<Taxon> {
        let at = now();
        let tx = self.write().await?;
        let parent = parent(&tx, new.parent_id.flatten()).await?;
        let mut row = taxon::ActiveModel {
            name: Set(String::new()),
            rank: Set("SPECIES".to_owned()),
            parent_id: Set(None),
            active: Set(true),
            search_names: Set(Json::Array(Vec::new())),
            parents: Set(above(parent.as_ref())),
            created_at: Set(at),
            updated_at: Set(at),
            ..Default::default()
        };
        new.apply(&mut row);
        let row = row.insert(&*tx).await.map_err(|e| clash(e, KNOWN))?;
        if let Some(project) = project {
            let link = taxon_project::ActiveModel {
                taxon_id: Set(row.id),
                project_id: Set(project),
            };
            taxon_project::Entity::insert(link)
                .exec_without_returning(&*tx)
                .await?;
        }
        tx.commit().await?;
        Ok(row)
    }

    /// Changes a taxon, and the names above those below it.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`StoreError::Conflict`] where the name is taken.
    pub async fn change_taxon(&self, id: i64, change: TaxonChange) -> StoreResult<Taxon> {
        let tx = self.write().await?;
        let row = taxon::Entity::find_by_id(id).one(&*tx).await?;
        let old = row.ok_or(StoreError::NotFound("taxon"))?;
        let mut row = old.clone().into_active_model();
        change.apply(&mut row);
        row.updated_at = Set(now());
        let mut row = row.update(&*tx).await.map_err(|e| clash(e, KNOWN))?;
        let shown = |taxon: &Taxon| (taxon.name.clone(), taxon.rank.clone(), taxon.parent_id);
        if shown(&row) != shown(&old) {
            let parent = parent(&tx, row.parent_id).await?;
            row = rewrite(&tx, row, above(parent.as_ref())).await?;
        }
        tx.commit().await?;
        Ok(row)
    }

    /// Deletes a taxon; what stood below it stands at the top, what was determined as it is
    /// determined as nothing.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn delete_taxon(&self, id: i64) -> StoreResult<()> {
        let tx = self.write().await?;
        let children = taxon::Entity::find()
            .filter(taxon::Column::ParentId.eq(id))
            .all(&*tx)
            .await?;
        taxon::Entity::delete_by_id(id).exec(&*tx).await?;
        for mut child in children {
            child.parent_id = None;
            rewrite(&tx, child, above(None)).await?;
        }
        tx.commit().await
    }

    /// Whether the second taxon is the first one or stands below it: it cannot be put above it.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn stands_below(&self, taxon: i64, other: i64) -> StoreResult<bool> {
        let below = crate::taxa_list::taxon_is_or_below(&[taxon]);
        let found: Option<i64> = taxon::Entity::find_by_id(other)
            .select_only()
            .column(taxon::Column::Id)
            .filter(below)
            .into_tuple()
            .one(&self.db)
            .await?;
        Ok(found.is_some())
    }
}

async fn parent(tx: &Write, id: Option<i64>) -> StoreResult<Option<Taxon>> {
    match id {
        Some(id) => Ok(taxon::Entity::find_by_id(id).one(&**tx).await?),
        None => Ok(None),
    }
}

/// The names above what stands right below this taxon, from the top.
fn above(parent: Option<&Taxon>) -> Json {
    let Some(parent) = parent else {
        return Json::Array(Vec::new());
    };
    let mut names = parent.parents.as_array().cloned().unwrap_or_default();
    names.push(json!({"id": parent.id, "name": parent.name, "rank": parent.rank}));
    Json::Array(names)
}

/// Writes the names above a taxon, and above all below it, level by level.
async fn rewrite(tx: &Write, top: Taxon, parents: Json) -> StoreResult<Taxon> {
    let write = async |taxon: &Taxon, parents: Json| -> StoreResult<Taxon> {
        let mut row = taxon.clone().into_active_model();
        row.parents = Set(parents);
        Ok(row.update(&**tx).await?)
    };
    let top = write(&top, parents).await?;
    let mut level = vec![top.clone()];
    while !level.is_empty() {
        let ids = level.iter().map(|taxon| taxon.id);
        let below = taxon::Entity::find()
            .filter(taxon::Column::ParentId.is_in(ids))
            .order_by_asc(taxon::Column::Id)
            .all(&**tx)
            .await?;
        let mut next = Vec::with_capacity(below.len());
        for child in below {
            let parent = level.iter().find(|taxon| Some(taxon.id) == child.parent_id);
            next.push(write(&child, above(parent)).await?);
        }
        level = next;
    }
    Ok(top)
}
