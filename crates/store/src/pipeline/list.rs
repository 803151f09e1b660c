//! Pipelines as the API lists and edits them, with what a page of them points to: algorithms,
//! services and projects, each in one statement for the whole page.

use std::collections::BTreeMap;

use sea_orm::sea_query::{ExprTrait, Query, SelectStatement};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, Condition, EntityTrait, IntoActiveModel,
    JoinType, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, RelationTrait, prelude::Json,
};

use super::register::placeholder_stages;
use super::{Algorithm, Pipeline};
use crate::connection::{Store, StoreError, StoreResult, now};
use crate::entity::{
    algorithm, pipeline, pipeline_algorithm, processing_service, project_pipeline,
    service_pipeline, service_project,
};
use crate::job::list::holds;
use crate::order::{Orders, clash, ordered};
use crate::service::ProcessingService;

pub use crate::entity::project_pipeline::Model as ProjectPipeline;

/// Which pipelines a list shows.
#[derive(Clone, Debug, Default)]
pub struct PipelineFilter {
    /// Only this one.
    pub id: Option<i64>,
    /// Only those of this project.
    pub project_id: Option<i64>,
    /// Only those that this project uses and has enabled.
    pub enabled_for: Option<i64>,
    /// Only those of one of these projects; `None` means all, also those without a project.
    pub visible: Option<Vec<i64>>,
    /// Each of these words stands in the name.
    pub search: Vec<String>,
    /// In this order.
    pub order: Orders,
}

/// What a person says of a pipeline; `None` leaves it as it is.
#[derive(Clone, Debug, Default)]
pub struct PipelineChange {
    /// Name for people.
    pub name: Option<String>,
    /// Unique key.
    pub slug: Option<String>,
    /// What it does.
    pub description: Option<String>,
}

/// What a page of pipelines points to, by pipeline.
#[derive(Clone, Debug, Default)]
pub struct PipelineParts {
    /// Their algorithms.
    pub algorithms: BTreeMap<i64, Vec<Algorithm>>,
    /// The services that offer them.
    pub services: BTreeMap<i64, Vec<ProcessingService>>,
    /// The projects that use them, and how.
    pub projects: BTreeMap<i64, Vec<ProjectPipeline>>,
}

const KNOWN: &str = "A pipeline with this slug, or with this name and version, exists already.";

impl Store {
    /// One page of pipelines, and how many there are in all.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn pipelines_page(
        &self,
        filter: &PipelineFilter,
        limit: u64,
        offset: u64,
    ) -> StoreResult<(Vec<Pipeline>, u64)> {
        use pipeline::Column as C;
        let select = pipeline::Entity::find().filter(filter.condition());
        let count = select.clone().count(&self.db).await?;
        let column = |name: &str| match name {
            "id" => Some(C::Id),
            "name" => Some(C::Name),
            "slug" => Some(C::Slug),
            "version" => Some(C::Version),
            "created_at" => Some(C::CreatedAt),
            "updated_at" => Some(C::UpdatedAt),
            _ => None,
        };
        let rows = ordered(select, &filter.order, column, C::Id);
        let rows = rows.limit(limit).offset(offset).all(&self.db).await?;
        Ok((rows, count))
    }

    /// What these pipelines point to; with a project, only its services and settings.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn pipeline_parts(
        &self,
        pipelines: &[i64],
        project: Option<i64>,
    ) -> StoreResult<PipelineParts> {
        let mut parts = PipelineParts::default();
        let links = pipeline_algorithm::Entity::find()
            .filter(pipeline_algorithm::Column::PipelineId.is_in(pipelines.iter().copied()))
            .join(
                JoinType::InnerJoin,
                pipeline_algorithm::Relation::Algorithm.def(),
            )
            .select_also(algorithm::Entity)
            .order_by_asc(algorithm::Column::Id);
        for (link, algorithm) in links.all(&self.db).await? {
            let list = parts.algorithms.entry(link.pipeline_id).or_default();
            list.extend(algorithm);
        }
        for list in parts.algorithms.values_mut() {
            // By bytes, as the reference's database sorts.
            list.sort_by(|a, b| (&a.name, a.version).cmp(&(&b.name, b.version)));
        }
        let mut links = service_pipeline::Entity::find()
            .filter(service_pipeline::Column::PipelineId.is_in(pipelines.iter().copied()));
        if let Some(project) = project {
            let of_project = services_of(service_project::Column::ProjectId.eq(project));
            links = links.filter(service_pipeline::Column::ServiceId.in_subquery(of_project));
        }
        let links = links
            .join(
                JoinType::InnerJoin,
                service_pipeline::Relation::Service.def(),
            )
            .select_also(processing_service::Entity)
            .order_by_asc(processing_service::Column::Id);
        for (link, service) in links.all(&self.db).await? {
            let list = parts.services.entry(link.pipeline_id).or_default();
            list.extend(service);
        }
        let mut used = project_pipeline::Entity::find()
            .filter(project_pipeline::Column::PipelineId.is_in(pipelines.iter().copied()));
        if let Some(project) = project {
            used = used.filter(project_pipeline::Column::ProjectId.eq(project));
        }
        let used = used.order_by_asc(project_pipeline::Column::Id);
        for row in used.all(&self.db).await? {
            parts.projects.entry(row.pipeline_id).or_default().push(row);
        }
        Ok(parts)
    }

    /// The pipeline with this name and version, if there is one.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn pipeline_named(&self, name: &str, version: i32) -> StoreResult<Option<Pipeline>> {
        let found = pipeline::Entity::find()
            .filter(pipeline::Column::Name.eq(name))
            .filter(pipeline::Column::Version.eq(version));
        Ok(found.one(&self.db).await?)
    }

    /// Makes a pipeline without algorithms, of version 1.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] where its slug or its name are taken.
    pub async fn create_pipeline(&self, new: PipelineChange) -> StoreResult<Pipeline> {
        let at = now();
        let row = pipeline::ActiveModel {
            slug: Set(new.slug.unwrap_or_default()),
            name: Set(new.name.unwrap_or_default()),
            description: Set(new.description.unwrap_or_default()),
            version: Set(1),
            version_name: Set(String::new()),
            stages: Set(placeholder_stages()),
            default_config: Set(Json::Object(Default::default())),
            created_at: Set(at),
            updated_at: Set(at),
            ..Default::default()
        };
        let tx = self.write().await?;
        let row = row.insert(&*tx).await.map_err(|e| clash(e, KNOWN))?;
        tx.commit().await?;
        Ok(row)
    }

    /// Changes a pipeline.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`StoreError::Conflict`] where its slug or its name are taken.
    pub async fn change_pipeline(&self, id: i64, change: PipelineChange) -> StoreResult<Pipeline> {
        let tx = self.write().await?;
        let row = pipeline::Entity::find_by_id(id).one(&*tx).await?;
        let mut row = row
            .ok_or(StoreError::NotFound("pipeline"))?
            .into_active_model();
        if let Some(name) = change.name {
            row.name = Set(name);
        }
        if let Some(slug) = change.slug {
            row.slug = Set(slug);
        }
        if let Some(description) = change.description {
            row.description = Set(description);
        }
        row.updated_at = Set(now());
        let row = row.update(&*tx).await.map_err(|e| clash(e, KNOWN))?;
        tx.commit().await?;
        Ok(row)
    }

    /// Deletes a pipeline; its jobs and its algorithms stay.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn delete_pipeline(&self, id: i64) -> StoreResult<()> {
        let tx = self.write().await?;
        pipeline::Entity::delete_by_id(id).exec(&*tx).await?;
        tx.commit().await
    }
}

impl PipelineFilter {
    fn condition(&self) -> Condition {
        use project_pipeline::Column as P;
        let used = |which| {
            let used = Query::select()
                .column(P::PipelineId)
                .from(project_pipeline::Entity)
                .and_where(which)
                .to_owned();
            pipeline::Column::Id.in_subquery(used)
        };
        let mut all = Condition::all();
        for word in &self.search {
            all = all.add(holds((pipeline::Entity, pipeline::Column::Name), word));
        }
        all.add_option(self.id.map(|id| pipeline::Column::Id.eq(id)))
            .add_option(self.project_id.map(|id| used(P::ProjectId.eq(id))))
            .add_option(
                self.enabled_for
                    .map(|id| used(P::ProjectId.eq(id).and(P::Enabled.eq(true)))),
            )
            .add_option(
                self.visible
                    .as_ref()
                    .map(|ids| used(P::ProjectId.is_in(ids.iter().copied()))),
            )
    }
}

/// The services of projects.
pub(crate) fn services_of(which: sea_orm::sea_query::SimpleExpr) -> SelectStatement {
    Query::select()
        .column(service_project::Column::ServiceId)
        .from(service_project::Entity)
        .and_where(which)
        .to_owned()
}
