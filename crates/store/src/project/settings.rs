//! What a person may set of a project, with the taxa of its default filters
//! (`domain-rules.md` §11).

use domain::permission::{Permit, Update};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter,
    QueryOrder, QuerySelect, prelude::Json,
};

use super::Project;
use crate::connection::{Store, StoreError, StoreResult, Write, now};
use crate::entity::{filter_taxon, project, taxon};
use crate::recount;
use crate::taxon::Taxon;

/// New values of a project; `None` leaves a field as it is.
#[derive(Clone, Debug, Default)]
pub struct ProjectChange {
    /// Name.
    pub name: Option<String>,
    /// What it is about.
    pub description: Option<String>,
    /// Hidden from everybody but members.
    pub draft: Option<bool>,
    /// Key of its picture.
    pub image: Option<Option<String>>,
    /// Its switches.
    pub feature_flags: Option<Json>,
    /// Seconds without a capture after which a new session begins.
    pub session_time_gap_seconds: Option<i32>,
    /// Least score of occurrences that lists show.
    pub score_threshold: Option<f64>,
    /// The pipeline that uploads are processed with.
    pub default_pipeline_id: Option<Option<i64>>,
    /// Minutes that a job waits for a worker before it fails; none: for ever.
    pub worker_wait_minutes: Option<Option<i32>>,
    /// Only these taxa, and what is below them; none means all.
    pub include_taxa: Option<Vec<i64>>,
    /// Not these taxa, and what is below them.
    pub exclude_taxa: Option<Vec<i64>>,
}

/// The taxa of a project's default filters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FilterTaxa {
    /// Only these.
    pub include: Vec<Taxon>,
    /// Not these.
    pub exclude: Vec<Taxon>,
}

impl ProjectChange {
    pub(crate) fn set(&self, row: &mut project::ActiveModel) {
        fn set<T: Into<sea_orm::Value> + Clone>(
            field: &mut sea_orm::ActiveValue<T>,
            to: &Option<T>,
        ) {
            if let Some(to) = to {
                *field = Set(to.clone());
            }
        }
        set(&mut row.name, &self.name);
        set(&mut row.description, &self.description);
        set(&mut row.draft, &self.draft);
        set(&mut row.image, &self.image);
        set(&mut row.feature_flags, &self.feature_flags);
        set(
            &mut row.session_time_gap_seconds,
            &self.session_time_gap_seconds,
        );
        set(&mut row.score_threshold, &self.score_threshold);
        set(&mut row.default_pipeline_id, &self.default_pipeline_id);
        set(&mut row.worker_wait_minutes, &self.worker_wait_minutes);
    }

    /// Replaces the taxa of the default filters, where they are given.
    pub(crate) async fn set_taxa(&self, tx: &Write, project: i64) -> StoreResult<()> {
        let lists = [(false, &self.include_taxa), (true, &self.exclude_taxa)];
        for (excluded, taxa) in lists {
            let Some(taxa) = taxa else { continue };
            filter_taxon::Entity::delete_many()
                .filter(filter_taxon::Column::ProjectId.eq(project))
                .filter(filter_taxon::Column::Excluded.eq(excluded))
                .exec(&**tx)
                .await?;
            let mut taxa = taxa.clone();
            taxa.sort_unstable();
            taxa.dedup();
            let row = |taxon: &i64| filter_taxon::ActiveModel {
                project_id: Set(project),
                excluded: Set(excluded),
                taxon_id: Set(*taxon),
            };
            for chunk in taxa.chunks(1000) {
                let rows = chunk.iter().map(row);
                filter_taxon::Entity::insert_many(rows)
                    .exec_without_returning(&**tx)
                    .await?;
            }
        }
        Ok(())
    }
}

impl Store {
    /// Edits a project.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], or an error of the database.
    pub async fn change_project(
        &self,
        _permit: Permit<Update>,
        id: i64,
        change: ProjectChange,
    ) -> StoreResult<Project> {
        let tx = self.write().await?;
        let row = project::Entity::find_by_id(id)
            .lock_exclusive()
            .one(&*tx)
            .await?;
        let before = row.ok_or(StoreError::NotFound("project"))?;
        let score = change.score_threshold;
        let filters_change = score.is_some_and(|score| score != before.score_threshold)
            || change.include_taxa.is_some()
            || change.exclude_taxa.is_some();
        let mut row = before.into_active_model();
        change.set(&mut row);
        if filters_change {
            row.recount_after = Set(Some(recount::START));
            row.taxa_counted_at = Set(None);
        }
        row.updated_at = Set(now());
        let row = row.update(&*tx).await?;
        change.set_taxa(&tx, id).await?;
        tx.commit().await?;
        Ok(row)
    }

    /// The taxa of a project's default filters, by name.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn filter_taxa(&self, project: i64) -> StoreResult<FilterTaxa> {
        let chosen = filter_taxon::Entity::find()
            .filter(filter_taxon::Column::ProjectId.eq(project))
            .all(&self.db)
            .await?;
        if chosen.is_empty() {
            return Ok(FilterTaxa::default());
        }
        let ids = chosen.iter().map(|row| row.taxon_id);
        let taxa = taxon::Entity::find()
            .filter(taxon::Column::Id.is_in(ids))
            .order_by_asc(taxon::Column::Name)
            .all(&self.db)
            .await?;
        let of = |excluded: bool| {
            let listed = |taxon: &&Taxon| {
                let mut rows = chosen.iter();
                rows.any(|row| row.excluded == excluded && row.taxon_id == taxon.id)
            };
            taxa.iter().filter(listed).cloned().collect()
        };
        Ok(FilterTaxa {
            include: of(false),
            exclude: of(true),
        })
    }

    /// Which of these numbers name no taxon.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn unknown_taxa(&self, ids: &[i64]) -> StoreResult<Vec<i64>> {
        let known: Vec<i64> = taxon::Entity::find()
            .select_only()
            .column(taxon::Column::Id)
            .filter(taxon::Column::Id.is_in(ids.iter().copied()))
            .into_tuple()
            .all(&self.db)
            .await?;
        let unknown = ids.iter().filter(|id| !known.contains(id));
        Ok(unknown.copied().collect())
    }
}
