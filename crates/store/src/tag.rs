//! Tags: words that a project puts on taxa.

use std::collections::HashMap;

use sea_orm::sea_query::{OnConflict, Query};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, Condition, EntityTrait, IntoActiveModel,
    PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
};

use crate::connection::{Store, StoreError, StoreResult, Write, now};
use crate::entity::{tag, taxon_tag};
use crate::order::{Orders, ordered};

pub use crate::entity::tag::Model as Tag;

/// Which tags a list shows.
#[derive(Clone, Debug, Default)]
pub struct TagFilter {
    /// Only of this project.
    pub project_id: Option<i64>,
    /// Only of these projects; `None` means all.
    pub visible: Option<Vec<i64>>,
    /// Only those on this taxon.
    pub taxon_id: Option<i64>,
    /// In this order.
    pub order: Orders,
}

impl Store {
    /// One page of tags, and how many there are in all.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn tags(
        &self,
        filter: &TagFilter,
        limit: u64,
        offset: u64,
    ) -> StoreResult<(Vec<Tag>, u64)> {
        use tag::Column as C;
        let on = |taxon: i64| {
            let on = Query::select()
                .column(taxon_tag::Column::TagId)
                .from(taxon_tag::Entity)
                .and_where(taxon_tag::Column::TaxonId.eq(taxon))
                .to_owned();
            C::Id.in_subquery(on)
        };
        let visible = filter.visible.as_ref();
        let which = Condition::all()
            .add_option(filter.project_id.map(|id| C::ProjectId.eq(id)))
            .add_option(visible.map(|ids| C::ProjectId.is_in(ids.iter().copied())))
            .add_option(filter.taxon_id.map(on));
        let select = tag::Entity::find().filter(which);
        let count = select.clone().count(&self.db).await?;
        let column = |name: &str| match name {
            "id" => Some(C::Id),
            "name" => Some(C::Name),
            "created_at" => Some(C::CreatedAt),
            "updated_at" => Some(C::UpdatedAt),
            _ => None,
        };
        let rows = ordered(select, &filter.order, column, C::Id);
        let rows = rows.limit(limit).offset(offset).all(&self.db).await?;
        Ok((rows, count))
    }

    /// The tag with this id.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], or an error of the database.
    pub async fn tag(&self, id: i64) -> StoreResult<Tag> {
        let row = tag::Entity::find_by_id(id).one(&self.db).await?;
        row.ok_or(StoreError::NotFound("tag"))
    }

    /// The tags of these taxa; with a project only its own.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn tags_of(
        &self,
        taxa: &[i64],
        project: Option<i64>,
    ) -> StoreResult<HashMap<i64, Vec<Tag>>> {
        let links = taxon_tag::Entity::find()
            .filter(taxon_tag::Column::TaxonId.is_in(taxa.iter().copied()))
            .all(&self.db)
            .await?;
        let ids = links.iter().map(|link| link.tag_id);
        let mut tags = tag::Entity::find().filter(tag::Column::Id.is_in(ids));
        if let Some(project) = project {
            tags = tags.filter(tag::Column::ProjectId.eq(project));
        }
        let tags = tags.order_by_asc(tag::Column::Id).all(&self.db).await?;
        let mut of: HashMap<i64, Vec<Tag>> = HashMap::new();
        for tag in tags {
            for link in links.iter().filter(|link| link.tag_id == tag.id) {
                of.entry(link.taxon_id).or_default().push(tag.clone());
            }
        }
        Ok(of)
    }

    /// Makes a tag, and puts it on these taxa.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn create_tag(&self, project: i64, name: &str, taxa: &[i64]) -> StoreResult<Tag> {
        let at = now();
        let tx = self.write().await?;
        let row = tag::ActiveModel {
            project_id: Set(Some(project)),
            name: Set(name.to_owned()),
            created_at: Set(at),
            updated_at: Set(at),
            ..Default::default()
        };
        let row = row.insert(&*tx).await?;
        let links: Vec<(i64, i64)> = taxa.iter().map(|taxon| (*taxon, row.id)).collect();
        link(&tx, &links).await?;
        tx.commit().await?;
        Ok(row)
    }

    /// Changes a tag's name, or the taxa that have it.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], or an error of the database.
    pub async fn change_tag(
        &self,
        id: i64,
        name: Option<String>,
        taxa: Option<Vec<i64>>,
    ) -> StoreResult<Tag> {
        let tx = self.write().await?;
        let row = tag::Entity::find_by_id(id).one(&*tx).await?;
        let mut row = row.ok_or(StoreError::NotFound("tag"))?.into_active_model();
        if let Some(name) = name {
            row.name = Set(name);
        }
        row.updated_at = Set(now());
        let row = row.update(&*tx).await?;
        if let Some(taxa) = taxa {
            let old = taxon_tag::Entity::delete_many().filter(taxon_tag::Column::TagId.eq(id));
            old.exec(&*tx).await?;
            let links: Vec<(i64, i64)> = taxa.into_iter().map(|taxon| (taxon, id)).collect();
            link(&tx, &links).await?;
        }
        tx.commit().await?;
        Ok(row)
    }

    /// Gives a taxon exactly these tags.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn assign_tags(&self, taxon: i64, tags: &[i64]) -> StoreResult<()> {
        let tx = self.write().await?;
        let old = taxon_tag::Entity::delete_many().filter(taxon_tag::Column::TaxonId.eq(taxon));
        old.exec(&*tx).await?;
        let links: Vec<(i64, i64)> = tags.iter().map(|tag| (taxon, *tag)).collect();
        link(&tx, &links).await?;
        tx.commit().await
    }

    /// Deletes a tag.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn delete_tag(&self, id: i64) -> StoreResult<()> {
        let tx = self.write().await?;
        tag::Entity::delete_by_id(id).exec(&*tx).await?;
        tx.commit().await
    }
}

/// Puts tags on taxa; given as taxon and tag.
async fn link(tx: &Write, links: &[(i64, i64)]) -> StoreResult<()> {
    use taxon_tag::Column as C;
    for chunk in links.chunks(1000) {
        let rows = chunk.iter().map(|(taxon, tag)| taxon_tag::ActiveModel {
            taxon_id: Set(*taxon),
            tag_id: Set(*tag),
        });
        taxon_tag::Entity::insert_many(rows)
            .on_conflict(
                OnConflict::columns([C::TaxonId, C::TagId])
                    .do_nothing()
                    .to_owned(),
            )
            .exec_without_returning(&**tx)
            .await?;
    }
    Ok(())
}
