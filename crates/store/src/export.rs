//! Exports: what was asked to be written to a file, by whom, and the job that does it. The idea:
//! the record and its job are made in one transaction, so that neither is without the other.

use std::collections::HashMap;

use sea_orm::sea_query::{Expr, ExprTrait, Query, SelectStatement};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, Condition, EntityTrait, IntoActiveModel,
    PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, prelude::Json,
};

use crate::connection::{Store, StoreError, StoreResult, now};
use crate::entity::{capture_set_member, detection, export, job, occurrence, taxa_list};
use crate::job::{Job, NewJob};
use crate::order::{Orders, ordered};

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
        let count = self.exportable(new.project_id, new.capture_set_id).await?;
        let at = now();
        let row = export::ActiveModel {
            project_id: Set(new.project_id),
            user_id: Set(new.user_id),
            format: Set(new.format),
            filters: Set(new.filters),
            filters_display: Set(new.filters_display),
            file_url: Set(None),
            record_count: Set(i64::try_from(count).unwrap_or(i64::MAX)),
            file_size: Set(0),
            created_at: Set(at),
            updated_at: Set(at),
            ..Default::default()
        };
        let tx = self.write().await?;
        let export = row.insert(&*tx).await?;
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

    /// How many occurrences an export of a project, or of a capture set, holds: those with a
    /// box and a determination, whatever the project's default filters say.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn exportable(&self, project: i64, set: Option<i64>) -> StoreResult<u64> {
        let mut seen = Query::select()
            .expr(Expr::val(1))
            .from(detection::Entity)
            .and_where(
                Expr::col((detection::Entity, detection::Column::OccurrenceId))
                    .equals((occurrence::Entity, occurrence::Column::Id)),
            )
            .and_where(detection::Column::X1.is_not_null())
            .to_owned();
        if let Some(set) = set {
            seen.and_where(detection::Column::CaptureId.in_subquery(members(set)));
        }
        let count = occurrence::Entity::find()
            .filter(occurrence::Column::ProjectId.eq(project))
            .filter(occurrence::Column::DeterminationId.is_not_null())
            .filter(Expr::exists(seen))
            .count(&self.db);
        Ok(count.await?)
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

    /// Deletes an export with its job.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn delete_export(&self, id: i64) -> StoreResult<()> {
        let tx = self.write().await?;
        export::Entity::delete_by_id(id).exec(&*tx).await?;
        tx.commit().await
    }

    /// The name of a list of taxa, if there is one.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn taxa_list_name(&self, id: i64) -> StoreResult<Option<String>> {
        let row = taxa_list::Entity::find_by_id(id).one(&self.db).await?;
        Ok(row.map(|list| list.name))
    }
}

/// The captures of a set.
pub(crate) fn members(set: i64) -> SelectStatement {
    Query::select()
        .column(capture_set_member::Column::CaptureId)
        .from(capture_set_member::Entity)
        .and_where(capture_set_member::Column::CaptureSetId.eq(set))
        .to_owned()
}
