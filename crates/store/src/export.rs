//! Exports: what was asked to be written to a file, by whom, and the job that does it. The idea:
//! the record and its job are made in one transaction, so that neither is without the other.

use std::collections::HashMap;

use sea_orm::sea_query::{Expr, ExprTrait, Query, SelectStatement};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, Condition, EntityTrait, IntoActiveModel,
    PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, prelude::Json,
};

use crate::connection::{Store, StoreError, StoreResult, Write, now};
use crate::entity::{capture_set_member, detection, export, job};
use crate::job::life::{Fence, lock_fenced};
use crate::job::{Job, NewJob};
use crate::order::{Orders, ordered};

mod named;
mod rows;

pub(crate) use named::named;
pub use named::{NamedFilters, WrongSet};
pub use rows::{Exported, Mark};

pub use crate::entity::export::Model as Export;

/// What a person gives to make an export.
#[derive(Clone, Debug, Default)]
pub struct NewExport {
    /// Whose occurrences.
    pub project_id: i64,
    /// Who asked for it.
    pub user_id: Option<i64>,
    /// Kind of file.
    pub format: String,
    /// What narrows it, as it was sent.
    pub filters: Json,
    /// The same with names for people.
    pub filters_display: Json,
    /// Only what was seen on captures of this set.
    pub capture_set_id: Option<i64>,
    /// Name of its job.
    pub job_name: String,
}

/// Which exports a list shows.
#[derive(Clone, Debug, Default)]
pub struct ExportFilter {
    /// Only of this project.
    pub project_id: Option<i64>,
    /// Only of these projects; `None` means all.
    pub visible: Option<Vec<i64>>,
    /// In this order.
    pub order: Orders,
}

/// What may be changed of an export by hand.
#[derive(Clone, Debug, Default)]
pub struct ExportChange {
    /// Kind of file.
    pub format: Option<String>,
    /// What narrows it, and the same for people.
    pub filters: Option<(Json, Json)>,
    /// How many records are in it.
    pub record_count: Option<i64>,
    /// Bytes.
    pub file_size: Option<i64>,
}

/// A file that was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportFile {
    /// Its address on this server.
    pub url: String,
    /// Occurrences in it.
    pub records: i64,
    /// Bytes.
    pub size: i64,
}

impl Store {
    /// One page of exports, and how many there are in all.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn exports(
        &self,
        filter: &ExportFilter,
        limit: u64,
        offset: u64,
    ) -> StoreResult<(Vec<Export>, u64)> {
        use export::Column as C;
        let visible = filter.visible.as_ref();
        let which = Condition::all()
            .add_option(filter.project_id.map(|id| C::ProjectId.eq(id)))
            .add_option(visible.map(|ids| C::ProjectId.is_in(ids.iter().copied())));
        let select = export::Entity::find().filter(which);
        let count = select.clone().count(&self.db).await?;
        let column = |name: &str| match name {
            "id" => Some(C::Id),
            "format" => Some(C::Format),
            "created_at" => Some(C::CreatedAt),
            "updated_at" => Some(C::UpdatedAt),
            _ => None,
        };
        let rows = ordered(select, &filter.order, column, C::Id);
        let rows = rows.limit(limit).offset(offset).all(&self.db).await?;
        Ok((rows, count))
    }

    /// The export with this id.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], or an error of the database.
    pub async fn export(&self, id: i64) -> StoreResult<Export> {
        let row = export::Entity::find_by_id(id).one(&self.db).await?;
        row.ok_or(StoreError::NotFound("export"))
    }

    /// The newest job of each of these exports.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn jobs_of_exports(&self, exports: &[i64]) -> StoreResult<HashMap<i64, Job>> {
        let rows = job::Entity::find()
            .filter(job::Column::ExportId.is_in(exports.iter().copied()))
            .order_by_asc(job::Column::Id)
            .all(&self.db)
            .await?;
        let of = |job: Job| Some((job.export_id?, job));
        Ok(rows.into_iter().filter_map(of).collect())
    }

    /// Makes an export and the job that writes it, waiting to run.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn create_export(&self, new: NewExport) -> StoreResult<(Export, Job)> {
        let which = Exported {
            project_id: new.project_id,
            capture_set_id: new.capture_set_id,
        };
        let count = self.exportable(which).await?;
        let tx = self.write().await?;
        let export = insert(&tx, &new, count).await?;
        let new = NewJob {
            name: new.job_name,
            project_id: new.project_id,
            kind: domain::job::EXPORT,
            shuffle: true,
            capture_set_id: new.capture_set_id,
            export_id: Some(export.id),
            created_by_id: new.user_id,
            start_now: true,
            ..Default::default()
        };
        let job = crate::job::insert(&tx, new).await?;
        tx.commit().await?;
        Ok((export, job))
    }

    /// Changes an export's record.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], or an error of the database.
    pub async fn change_export(&self, id: i64, change: ExportChange) -> StoreResult<Export> {
        let tx = self.write().await?;
        let row = export::Entity::find_by_id(id).one(&*tx).await?;
        let mut row = row
            .ok_or(StoreError::NotFound("export"))?
            .into_active_model();
        if let Some(format) = change.format {
            row.format = Set(format);
        }
        if let Some((filters, display)) = change.filters {
            row.filters = Set(filters);
            row.filters_display = Set(display);
        }
        if let Some(count) = change.record_count {
            row.record_count = Set(count);
        }
        if let Some(size) = change.file_size {
            row.file_size = Set(size);
        }
        row.updated_at = Set(now());
        let row = row.update(&*tx).await?;
        tx.commit().await?;
        Ok(row)
    }

    /// Notes the file that an export's job has written; the address that stood there before.
    ///
    /// # Errors
    /// [`StoreError::FenceLost`] where the job is no longer this runner's;
    /// [`StoreError::NotFound`] where the export is gone; errors of the database.
    pub async fn note_export_file(
        &self,
        fence: &Fence,
        id: i64,
        file: ExportFile,
    ) -> StoreResult<Option<String>> {
        let tx = self.write().await?;
        // In the order of a deletion, which takes the export and then its job.
        let row = export::Entity::find_by_id(id).lock_exclusive();
        let row = row.one(&*tx).await?.ok_or(StoreError::NotFound("export"))?;
        lock_fenced(&tx, fence).await?;
        let before = row.file_url.clone();
        let mut row = row.into_active_model();
        row.file_url = Set(Some(file.url));
        row.record_count = Set(file.records);
        row.file_size = Set(file.size);
        row.updated_at = Set(now());
        row.update(&*tx).await?;
        tx.commit().await?;
        Ok(before)
    }

    /// Deletes an export with its job.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn delete_export(&self, id: i64) -> StoreResult<()> {
        let tx = self.write().await?;
        export::Entity::delete_by_id(id).exec(&*tx).await?;
        tx.commit().await
    }
}

/// Writes the record of an export that holds so many occurrences, within a transaction.
pub(crate) async fn insert(tx: &Write, new: &NewExport, count: u64) -> StoreResult<Export> {
    let at = now();
    let row = export::ActiveModel {
        project_id: Set(new.project_id),
        user_id: Set(new.user_id),
        format: Set(new.format.clone()),
        filters: Set(new.filters.clone()),
        filters_display: Set(new.filters_display.clone()),
        file_url: Set(None),
        record_count: Set(i64::try_from(count).unwrap_or(i64::MAX)),
        file_size: Set(0),
        created_at: Set(at),
        updated_at: Set(at),
        ..Default::default()
    };
    Ok(row.insert(&**tx).await?)
}

/// The captures of a set.
pub(crate) fn members(set: i64) -> SelectStatement {
    Query::select()
        .column(capture_set_member::Column::CaptureId)
        .from(capture_set_member::Entity)
        .and_where(capture_set_member::Column::CaptureSetId.eq(set))
        .to_owned()
}

/// A box is on a capture of a set, asked of each box: where boxes are read page by page, and the
/// set may be large, it is not read again for each page.
pub(crate) fn is_of_member(set: i64) -> Expr {
    let member = (
        capture_set_member::Entity,
        capture_set_member::Column::CaptureId,
    );
    let mut own = members(set);
    own.and_where(Expr::col((detection::Entity, detection::Column::CaptureId)).equals(member));
    Expr::exists(own)
}
