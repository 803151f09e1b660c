//! Storage sources: where the photographs of stations lie ("storage" in the API), a bucket or a
//! folder of this machine. Keys come and go sealed; nothing here can read them.

use std::collections::HashMap;

use domain::permission::{Create, Delete, Permit, Update};
use domain::storage::{LOCAL, S3};
use sea_orm::sea_query::{Expr, ExprTrait, Func, NullOrdering, Query};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, Order,
    PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
};

use crate::connection::{Store, StoreError, StoreResult, now};
use crate::entity::{capture, station, storage_source};

pub use crate::entity::storage_source::Model as StorageSource;

/// New values of a storage source; `None` leaves a field as it is.
#[derive(Clone, Debug, Default)]
pub struct SourceChange {
    /// Name.
    pub name: Option<String>,
    /// Name of the bucket.
    pub bucket: Option<String>,
    /// Where in the bucket.
    pub prefix: Option<String>,
    /// Address of the storage; `None` inside means Amazon's.
    pub endpoint_url: Option<Option<String>>,
    /// Address below which everybody can fetch the photographs.
    pub public_base_url: Option<Option<String>>,
    /// Sealed.
    pub access_key: Option<String>,
    /// Sealed.
    pub secret_key: Option<String>,
}

impl SourceChange {
    fn set(self, row: &mut storage_source::ActiveModel) {
        fn set<T: Into<sea_orm::Value>>(field: &mut sea_orm::ActiveValue<T>, to: Option<T>) {
            if let Some(to) = to {
                *field = Set(to);
            }
        }
        set(&mut row.name, self.name);
        set(&mut row.bucket, self.bucket);
        set(&mut row.prefix, self.prefix);
        set(&mut row.endpoint_url, self.endpoint_url);
        set(&mut row.public_base_url, self.public_base_url);
        set(&mut row.access_key, self.access_key);
        set(&mut row.secret_key, self.secret_key);
    }
}

/// Which sources a list shows, and in which order.
#[derive(Clone, Debug, Default)]
pub struct SourceFilter {
    /// Only of this project.
    pub project_id: Option<i64>,
    /// Only of these projects; `None` means all.
    pub visible: Option<Vec<i64>>,
    /// By which of [`SOURCE_ORDERS`]; true means descending.
    pub order: Vec<(&'static str, bool)>,
}

/// What a list of sources can be ordered by.
pub const SOURCE_ORDERS: &[&str] = &["id", "name", "created_at", "updated_at", "last_checked"];

fn column(name: &str) -> storage_source::Column {
    use storage_source::Column as C;
    match name {
        "name" => C::Name,
        "created_at" => C::CreatedAt,
        "updated_at" => C::UpdatedAt,
        "last_checked" => C::LastCheckedAt,
        _ => C::Id,
    }
}

/// What the stations of a source have found in it, together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SourceTotals {
    /// How many stations there are.
    pub stations: i64,
    /// Files; `None` where nobody has looked.
    pub files: Option<i64>,
    /// Their bytes.
    pub bytes: Option<i64>,
    /// Captures that were made of them; `None` without a station.
    pub captures: Option<i64>,
}

fn fresh(project: i64, kind: &str) -> storage_source::ActiveModel {
    let at = now();
    storage_source::ActiveModel {
        project_id: Set(Some(project)),
        name: Set(String::new()),
        kind: Set(kind.to_owned()),
        bucket: Set(String::new()),
        prefix: Set(String::new()),
        access_key: Set(String::new()),
        secret_key: Set(String::new()),
        created_at: Set(at),
        updated_at: Set(at),
        ..Default::default()
    }
}

impl Store {
    /// Makes a storage source of a folder of this machine.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn create_local_source(
        &self,
        project: i64,
        name: &str,
        folder: &str,
    ) -> StoreResult<StorageSource> {
        let tx = self.write().await?;
        let source = storage_source::ActiveModel {
            name: Set(name.to_owned()),
            bucket: Set(folder.to_owned()),
            ..fresh(project, LOCAL)
        }
        .insert(&*tx)
        .await?;
        tx.commit().await?;
        Ok(source)
    }

    /// Makes a storage source of a bucket.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn create_bucket_source(
        &self,
        _permit: Permit<Create>,
        project: i64,
        values: SourceChange,
    ) -> StoreResult<StorageSource> {
        let tx = self.write().await?;
        let mut row = fresh(project, S3);
        values.set(&mut row);
        let source = row.insert(&*tx).await?;
        tx.commit().await?;
        Ok(source)
    }

    /// The project's storage source of this folder, if there is one.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn local_source(
        &self,
        project: i64,
        folder: &str,
    ) -> StoreResult<Option<StorageSource>> {
        Ok(storage_source::Entity::find()
            .filter(storage_source::Column::ProjectId.eq(project))
            .filter(storage_source::Column::Kind.eq(LOCAL))
            .filter(storage_source::Column::Bucket.eq(folder))
            .one(&self.db)
            .await?)
    }

    /// The storage source with this id.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], or an error of the database.
    pub async fn source(&self, id: i64) -> StoreResult<StorageSource> {
        storage_source::Entity::find_by_id(id)
            .one(&self.db)
            .await?
            .ok_or(StoreError::NotFound("storage source"))
    }

    /// A page of sources, and how many there are. Without an order: the oldest first.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn sources_page(
        &self,
        filter: &SourceFilter,
        limit: u64,
        offset: u64,
    ) -> StoreResult<(Vec<StorageSource>, u64)> {
        use storage_source::Column as C;
        let mut select = storage_source::Entity::find();
        if let Some(id) = filter.project_id {
            select = select.filter(C::ProjectId.eq(id));
        }
        if let Some(ids) = &filter.visible {
            select = select.filter(C::ProjectId.is_in(ids.iter().copied()));
        }
        let count = select.clone().count(&self.db).await?;
        for (name, descending) in &filter.order {
            let order = if *descending { Order::Desc } else { Order::Asc };
            select = select.order_by_with_nulls(column(name), order, NullOrdering::Last);
        }
        let page = select.order_by_asc(C::Id).limit(limit).offset(offset);
        Ok((page.all(&self.db).await?, count))
    }

    /// What the stations of these sources have found in them, in one statement.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn source_totals(&self, sources: &[i64]) -> StoreResult<HashMap<i64, SourceTotals>> {
        use station::Column as C;
        type Row = (i64, i64, Option<i64>, Option<i64>, Option<i64>);
        let sum = |column: C| Func::sum(Expr::col(column)).cast_as("BIGINT");
        let rows: Vec<Row> = station::Entity::find()
            .select_only()
            .column(C::SourceId)
            .column_as(C::Id.count(), "stations")
            .column_as(sum(C::SourceTotalFiles), "files")
            .column_as(sum(C::SourceTotalSize), "bytes")
            .column_as(sum(C::CapturesCount), "captures")
            .filter(C::SourceId.is_in(sources.iter().copied()))
            .group_by(C::SourceId)
            .into_tuple()
            .all(&self.db)
            .await?;
        let totals = |(id, stations, files, bytes, captures)| {
            let totals = SourceTotals {
                stations,
                files,
                bytes,
                captures,
            };
            (id, totals)
        };
        Ok(rows.into_iter().map(totals).collect())
    }

    /// Edits a source. Captures that carried its old public address follow the new one.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], or an error of the database.
    pub async fn change_source(
        &self,
        _permit: Permit<Update>,
        id: i64,
        change: SourceChange,
    ) -> StoreResult<StorageSource> {
        let tx = self.write().await?;
        let row = storage_source::Entity::find_by_id(id)
            .lock_exclusive()
            .one(&*tx)
            .await?;
        let before = row.ok_or(StoreError::NotFound("storage source"))?;
        let old = before.public_base_url.clone();
        let mut row = before.into_active_model();
        change.set(&mut row);
        row.updated_at = Set(now());
        let row = row.update(&*tx).await?;
        if let Some(old) = old.filter(|old| row.public_base_url.as_ref() != Some(old)) {
            let stations = Query::select()
                .column(station::Column::Id)
                .from(station::Entity)
                .and_where(Expr::col(station::Column::SourceId).eq(id))
                .to_owned();
            // Without an address of its own a capture has its source's.
            capture::Entity::update_many()
                .col_expr(
                    capture::Column::PublicBaseUrl,
                    Expr::value(Option::<String>::None),
                )
                .filter(capture::Column::StationId.in_subquery(stations))
                .filter(capture::Column::PublicBaseUrl.eq(old))
                .exec(&*tx)
                .await?;
        }
        tx.commit().await?;
        Ok(row)
    }

    /// Writes down that a source was looked into just now.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn source_checked(&self, id: i64) -> StoreResult<()> {
        let tx = self.write().await?;
        storage_source::Entity::update_many()
            .col_expr(storage_source::Column::LastCheckedAt, Expr::value(now()))
            .filter(storage_source::Column::Id.eq(id))
            .exec(&*tx)
            .await?;
        tx.commit().await
    }

    /// Deletes a source; its stations stay, without one.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], or an error of the database.
    pub async fn delete_source(&self, _permit: Permit<Delete>, id: i64) -> StoreResult<()> {
        let tx = self.write().await?;
        let done = storage_source::Entity::delete_by_id(id).exec(&*tx).await?;
        if done.rows_affected == 0 {
            return Err(StoreError::NotFound("storage source"));
        }
        tx.commit().await
    }
}
