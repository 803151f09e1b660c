//! Pages that staff write in Markdown: terms of service, a code of conduct ("pages" in the API).

use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, Order,
    PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
};

use crate::connection::{Store, StoreError, StoreResult, now};
use crate::entity::page;

pub use crate::entity::page::Model as WrittenPage;

/// What a list of pages can be ordered by.
pub const PAGE_ORDERS: &[&str] = &["nav_order", "name", "created_at", "updated_at"];

/// New values of a page; `None` leaves a field as it is.
#[derive(Clone, Debug, Default)]
pub struct PageChange {
    /// Name.
    pub name: Option<String>,
    /// Key in addresses.
    pub slug: Option<String>,
    /// Markdown.
    pub content: Option<Option<String>>,
    /// Class of the link in navigation.
    pub link_class: Option<Option<String>>,
    /// Level in navigation.
    pub nav_level: Option<i32>,
    /// Place within the level.
    pub nav_order: Option<i32>,
    /// Whether everybody sees it.
    pub published: Option<bool>,
}

impl PageChange {
    fn set(self, row: &mut page::ActiveModel) {
        fn set<T: Into<sea_orm::Value>>(field: &mut sea_orm::ActiveValue<T>, to: Option<T>) {
            if let Some(to) = to {
                *field = Set(to);
            }
        }
        set(&mut row.name, self.name);
        set(&mut row.slug, self.slug);
        set(&mut row.content, self.content);
        set(&mut row.link_class, self.link_class);
        set(&mut row.nav_level, self.nav_level);
        set(&mut row.nav_order, self.nav_order);
        set(&mut row.published, self.published);
    }
}

fn taken(slug: &str) -> StoreError {
    StoreError::Conflict(format!("There is already a page with the slug {slug:?}."))
}

impl Store {
    /// A page of pages, and how many there are; only the published ones where asked. Without an
    /// order: by level, then place.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn written_pages(
        &self,
        published_only: bool,
        order: &[(&'static str, bool)],
        limit: u64,
        offset: u64,
    ) -> StoreResult<(Vec<WrittenPage>, u64)> {
        use page::Column as C;
        let mut select = page::Entity::find();
        if published_only {
            select = select.filter(C::Published.eq(true));
        }
        let count = select.clone().count(&self.db).await?;
        for (name, descending) in order {
            let column = match *name {
                "nav_order" => C::NavOrder,
                "created_at" => C::CreatedAt,
                "updated_at" => C::UpdatedAt,
                _ => C::Name,
            };
            let order = if *descending { Order::Desc } else { Order::Asc };
            select = select.order_by(column, order);
        }
        if order.is_empty() {
            select = select.order_by_asc(C::NavLevel).order_by_asc(C::NavOrder);
        }
        let page = select.order_by_asc(C::Id).limit(limit).offset(offset);
        Ok((page.all(&self.db).await?, count))
    }

    /// The page with this slug.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], or an error of the database.
    pub async fn written_page(&self, slug: &str) -> StoreResult<WrittenPage> {
        page::Entity::find()
            .filter(page::Column::Slug.eq(slug))
            .one(&self.db)
            .await?
            .ok_or(StoreError::NotFound("page"))
    }

    /// Makes a page.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] where the slug is taken; errors of the database.
    pub async fn create_written_page(&self, values: PageChange) -> StoreResult<WrittenPage> {
        let at = now();
        let tx = self.write().await?;
        let slug = values.slug.clone().unwrap_or_default();
        let same = page::Entity::find().filter(page::Column::Slug.eq(slug.as_str()));
        if same.one(&*tx).await?.is_some() {
            return Err(taken(&slug));
        }
        let mut row = page::ActiveModel {
            name: Set(String::new()),
            slug: Set(slug),
            nav_level: Set(0),
            nav_order: Set(0),
            published: Set(false),
            created_at: Set(at),
            updated_at: Set(at),
            ..Default::default()
        };
        values.set(&mut row);
        let row = row.insert(&*tx).await?;
        tx.commit().await?;
        Ok(row)
    }

    /// Edits a page.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`StoreError::Conflict`] where the slug is taken; errors of the
    /// database.
    pub async fn change_written_page(
        &self,
        id: i64,
        change: PageChange,
    ) -> StoreResult<WrittenPage> {
        let tx = self.write().await?;
        let row = page::Entity::find_by_id(id).one(&*tx).await?;
        let mut row = row.ok_or(StoreError::NotFound("page"))?.into_active_model();
        if let Some(slug) = &change.slug {
            let same = page::Entity::find()
                .filter(page::Column::Slug.eq(slug.as_str()))
                .filter(page::Column::Id.ne(id));
            if same.one(&*tx).await?.is_some() {
                return Err(taken(slug));
            }
        }
        change.set(&mut row);
        row.updated_at = Set(now());
        let row = row.update(&*tx).await?;
        tx.commit().await?;
        Ok(row)
    }

    /// Deletes a page.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn delete_written_page(&self, id: i64) -> StoreResult<()> {
        let tx = self.write().await?;
        page::Entity::delete_by_id(id).exec(&*tx).await?;
        tx.commit().await
    }
}
