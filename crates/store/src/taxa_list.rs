//! Lists of taxa, and which taxa stand below others. Below is walked by the database along the
//! parents, so the answer never depends on a copy of the tree.

use std::collections::HashMap;

use sea_orm::sea_query::{Expr, OnConflict, Query};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, Condition, EntityTrait, IntoActiveModel,
    PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
};

use crate::connection::{Store, StoreError, StoreResult, now};
use crate::entity::{taxa_list, taxa_list_project, taxa_list_taxon};
use crate::order::Orders;

pub use crate::entity::taxa_list::Model as TaxaList;

/// Which lists a list shows.
#[derive(Clone, Debug, Default)]
pub struct TaxaListFilter {
    /// Only this one.
    pub id: Option<i64>,
    /// Only those of this project.
    pub project_id: Option<i64>,
    /// Only those of one of these projects; `None` means all, also those without a project.
    pub visible: Option<Vec<i64>>,
    /// In this order.
    pub order: Orders,
}

/// The walk down from these taxa, themselves among them.
pub(crate) fn walk(from: &str) -> String {
    format!(
        "(WITH RECURSIVE below(id) AS (SELECT t.id FROM taxon t WHERE t.id IN ({from}) \
         UNION SELECT t.id FROM taxon t JOIN below b ON t.parent_id = b.id) \
         SELECT id FROM below)"
    )
}

fn numbers(ids: &[i64]) -> String {
    let texts: Vec<String> = ids.iter().map(i64::to_string).collect();
    if texts.is_empty() {
        "NULL".to_owned()
    } else {
        texts.join(", ")
    }
}

fn listed(list: i64) -> String {
    format!("SELECT l.taxon_id FROM taxa_list_taxon l WHERE l.taxa_list_id = {list}")
}

/// This determination is one of these taxa, or stands below one.
pub(crate) fn is_or_below(determination: &str, taxa: &[i64]) -> Expr {
    let below = walk(&numbers(taxa));
    Expr::cust(format!("{determination} IN {below}"))
}

/// This determination is in the list, or stands below one that is.
pub(crate) fn members_and_below(determination: &str, list: i64) -> Expr {
    let below = walk(&listed(list));
    Expr::cust(format!("{determination} IN {below}"))
}

/// This determination is one of PostgreSQL's list of the taxon and those below it, which is made
/// before the search begins.
pub(crate) fn any_below(determination: &str, taxon: i64) -> Expr {
    let below = walk(&numbers(&[taxon]));
    Expr::cust(format!("{determination} = ANY(ARRAY{below})"))
}

/// The taxon is one of these, or stands below one.
pub(crate) fn taxon_is_or_below(taxa: &[i64]) -> Expr {
    Expr::cust(format!("taxon.id IN {}", walk(&numbers(taxa))))
}

/// The taxon is in the list, or stands below one that is.
pub(crate) fn taxon_in(list: i64) -> Expr {
    Expr::cust(format!("taxon.id IN {}", walk(&listed(list))))
}

impl Store {
    /// The list with this id.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], or an error of the database.
    pub async fn taxa_list(&self, id: i64) -> StoreResult<TaxaList> {
        let row = taxa_list::Entity::find_by_id(id).one(&self.db).await?;
        row.ok_or(StoreError::NotFound("taxa list"))
    }

    /// One page of lists, the newest first, and how many there are in all.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn taxa_lists(
        &self,
        filter: &TaxaListFilter,
        limit: u64,
        offset: u64,
    ) -> StoreResult<(Vec<TaxaList>, u64)> {
        use taxa_list::Column as C;
        let of = |which: Expr| {
            let of = Query::select()
                .column(taxa_list_project::Column::TaxaListId)
                .from(taxa_list_project::Entity)
                .and_where(which)
                .to_owned();
            C::Id.in_subquery(of)
        };
        let project = taxa_list_project::Column::ProjectId;
        let which = Condition::all()
            .add_option(filter.id.map(|id| C::Id.eq(id)))
            .add_option(filter.project_id.map(|id| of(project.eq(id))))
            .add_option(
                filter
                    .visible
                    .as_ref()
                    .map(|ids| of(project.is_in(ids.iter().copied()))),
            );
        let select = taxa_list::Entity::find().filter(which);
        let count = select.clone().count(&self.db).await?;
        let mut select = select;
        for (name, descending) in &filter.order {
            let column = match *name {
                "id" => C::Id,
                "name" => C::Name,
                "created_at" => C::CreatedAt,
                "updated_at" => C::UpdatedAt,
                _ => continue,
            };
            select = select.order_by(column, crate::order::way(*descending));
        }
        if filter.order.is_empty() {
            select = select.order_by_desc(C::CreatedAt);
        }
        let rows = select.order_by_desc(C::Id).limit(limit).offset(offset);
        Ok((rows.all(&self.db).await?, count))
    }

    /// How many taxa these lists have, and of which projects they are.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn taxa_list_parts(
        &self,
        lists: &[i64],
    ) -> StoreResult<HashMap<i64, (i64, Vec<i64>)>> {
        let mut parts: HashMap<i64, (i64, Vec<i64>)> = HashMap::new();
        let counts: Vec<(i64, i64)> = taxa_list_taxon::Entity::find()
            .select_only()
            .column(taxa_list_taxon::Column::TaxaListId)
            .column_as(taxa_list_taxon::Column::TaxonId.count(), "taxa_count")
            .filter(taxa_list_taxon::Column::TaxaListId.is_in(lists.iter().copied()))
            .group_by(taxa_list_taxon::Column::TaxaListId)
            .into_tuple()
            .all(&self.db)
            .await?;
        for (list, count) in counts {
            parts.entry(list).or_default().0 = count;
        }
        let links = taxa_list_project::Entity::find()
            .filter(taxa_list_project::Column::TaxaListId.is_in(lists.iter().copied()))
            .order_by_asc(taxa_list_project::Column::ProjectId);
        for link in links.all(&self.db).await? {
            let (_, projects) = parts.entry(link.taxa_list_id).or_default();
            projects.push(link.project_id);
        }
        Ok(parts)
    }

    /// Makes a list for a project.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn create_taxa_list(
        &self,
        project: i64,
        name: &str,
        description: &str,
    ) -> StoreResult<TaxaList> {
        let at = now();
        let tx = self.write().await?;
        let row = taxa_list::ActiveModel {
            name: Set(name.to_owned()),
            description: Set(description.to_owned()),
            created_at: Set(at),
            updated_at: Set(at),
            ..Default::default()
        };
        let row = row.insert(&*tx).await?;
        let link = taxa_list_project::ActiveModel {
            taxa_list_id: Set(row.id),
            project_id: Set(project),
        };
        taxa_list_project::Entity::insert(link)
            .exec_without_returning(&*tx)
            .await?;
        tx.commit().await?;
        Ok(row)
    }

    /// Changes a list's name or description.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], or an error of the database.
    pub async fn change_taxa_list(
        &self,
        id: i64,
        name: Option<String>,
        description: Option<String>,
    ) -> StoreResult<TaxaList> {
        let tx = self.write().await?;
        let row = taxa_list::Entity::find_by_id(id).one(&*tx).await?;
        let mut row = row
            .ok_or(StoreError::NotFound("taxa list"))?
            .into_active_model();
        if let Some(name) = name {
            row.name = Set(name);
        }
        if let Some(description) = description {
            row.description = Set(description);
        }
        row.updated_at = Set(now());
        let row = row.update(&*tx).await?;
        tx.commit().await?;
        Ok(row)
    }

    /// Deletes a list; its taxa stay.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn delete_taxa_list(&self, id: i64) -> StoreResult<()> {
        let tx = self.write().await?;
        taxa_list::Entity::delete_by_id(id).exec(&*tx).await?;
        tx.commit().await
    }

    /// Puts a taxon on a list; false where it stood there already.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn list_taxon(&self, list: i64, taxon: i64) -> StoreResult<bool> {
        use taxa_list_taxon::Column as C;
        let tx = self.write().await?;
        let link = taxa_list_taxon::ActiveModel {
            taxa_list_id: Set(list),
            taxon_id: Set(taxon),
        };
        let added = taxa_list_taxon::Entity::insert(link)
            .on_conflict(
                OnConflict::columns([C::TaxaListId, C::TaxonId])
                    .do_nothing()
                    .to_owned(),
            )
            .exec_without_returning(&*tx)
            .await?;
        tx.commit().await?;
        Ok(added > 0)
    }

    /// Takes a taxon off a list; false where it did not stand there.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn unlist_taxon(&self, list: i64, taxon: i64) -> StoreResult<bool> {
        let tx = self.write().await?;
        let gone = taxa_list_taxon::Entity::delete_by_id((list, taxon))
            .exec(&*tx)
            .await?;
        tx.commit().await?;
        Ok(gone.rows_affected > 0)
    }
}
