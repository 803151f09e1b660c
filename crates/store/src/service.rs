//! Processing services: which there are, which of them answer, and which one a batch goes to
//! (`processing-service.md` §3, choosing a service).

use sea_orm::sea_query::{OnConflict, Query, SelectStatement};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, Condition, EntityTrait, IntoActiveModel,
    QueryFilter, QueryOrder, QuerySelect, RelationTrait,
};

use crate::connection::{Store, StoreError, StoreResult, now};
use crate::entity::{pipeline, processing_service, service_pipeline, service_project};

pub mod check;
pub mod list;
pub mod slot;

pub use crate::entity::processing_service::Model as ProcessingService;

impl Store {
    /// Finds the service with this name or makes it, gives it this address and attaches it to
    /// the project.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn put_service(
        &self,
        project: i64,
        name: &str,
        description: &str,
        endpoint_url: Option<&str>,
    ) -> StoreResult<ProcessingService> {
        let tx = self.write().await?;
        let at = now();
        let known = processing_service::Entity::find()
            .filter(processing_service::Column::Name.eq(name))
            .order_by_asc(processing_service::Column::Id)
            .one(&*tx)
            .await?;
        let service = match known {
            Some(row) => {
                let mut row = row.into_active_model();
                row.endpoint_url = Set(endpoint_url.map(str::to_owned));
                row.updated_at = Set(at);
                row.update(&*tx).await?
            }
            None => {
                processing_service::ActiveModel {
                    name: Set(name.to_owned()),
                    description: Set(description.to_owned()),
                    endpoint_url: Set(endpoint_url.map(str::to_owned)),
                    last_seen_at: Set(None),
                    last_seen_live: Set(None),
                    last_seen_latency: Set(None),
                    created_at: Set(at),
                    updated_at: Set(at),
                    ..Default::default()
                }
                .insert(&*tx)
                .await?
            }
        };
        service_project::Entity::insert(service_project::ActiveModel {
            service_id: Set(service.id),
            project_id: Set(project),
        })
        .on_conflict(
            OnConflict::columns([
                service_project::Column::ServiceId,
                service_project::Column::ProjectId,
            ])
            .do_nothing()
            .to_owned(),
        )
        .exec_without_returning(&*tx)
        .await?;
        tx.commit().await?;
        Ok(service)
    }

    /// The service with this id.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], or an error of the database.
    pub async fn service(&self, id: i64) -> StoreResult<ProcessingService> {
        processing_service::Entity::find_by_id(id)
            .one(&self.db)
            .await?
            .ok_or(StoreError::NotFound("processing service"))
    }

    /// Writes down how a service answered the last time it was asked.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn service_seen(&self, id: i64, live: bool, latency: f64) -> StoreResult<()> {
        let tx = self.write().await?;
        let at = now();
        let done = processing_service::Entity::update_many()
            .set(processing_service::ActiveModel {
                last_seen_at: Set(Some(at)),
                last_seen_live: Set(Some(live)),
                last_seen_latency: Set(Some(latency)),
                ..Default::default()
            })
            .filter(processing_service::Column::Id.eq(id))
            .exec(&*tx)
            .await?;
        if done.rows_affected > 0 {
            check::note(&tx, id, live, Some(latency)).await?;
        }
        tx.commit().await
    }

    /// The services of a pipeline that belong to the project and have an address, the best
    /// first: live before silent, then by latency, unknown latency last.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn push_services(
        &self,
        project: i64,
        pipeline: i64,
    ) -> StoreResult<Vec<ProcessingService>> {
        let mut rows = processing_service::Entity::find()
            .join_rev(
                sea_orm::JoinType::InnerJoin,
                service_pipeline::Relation::Service.def(),
            )
            .join_rev(
                sea_orm::JoinType::InnerJoin,
                service_project::Relation::Service.def(),
            )
            .filter(service_pipeline::Column::PipelineId.eq(pipeline))
            .filter(service_project::Column::ProjectId.eq(project))
            .filter(processing_service::Column::EndpointUrl.is_not_null())
            .all(&self.db)
            .await?;
        let rank = |s: &ProcessingService| {
            let latency = s.last_seen_latency.filter(|l| *l > 0.0);
            (s.last_seen_live != Some(true), latency.unwrap_or(f64::MAX))
        };
        rows.sort_by(|a, b| {
            rank(a)
                .partial_cmp(&rank(b))
                .unwrap_or(std::cmp::Ordering::Equal)
        });
        Ok(rows)
    }

    /// All services that are pushed to: what a health check visits.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn services_with_address(&self) -> StoreResult<Vec<ProcessingService>> {
        Ok(processing_service::Entity::find()
            .filter(processing_service::Column::EndpointUrl.is_not_null())
            .order_by_asc(processing_service::Column::Id)
            .all(&self.db)
            .await?)
    }

    /// Pull services of a pipeline in a project: those without an address.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn pull_services(
        &self,
        project: i64,
        pipeline: i64,
    ) -> StoreResult<Vec<ProcessingService>> {
        Ok(processing_service::Entity::find()
            .filter(pulls())
            .filter(processing_service::Column::Id.in_subquery(offering(pipeline)))
            .filter(processing_service::Column::Id.in_subquery(attached(project)))
            .order_by_asc(processing_service::Column::Id)
            .all(&self.db)
            .await?)
    }

    /// Pull services that were heard of just now (`processing-service.md` §12).
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn pull_services_seen(&self, which: Heard<'_>) -> StoreResult<()> {
        let id = processing_service::Column::Id;
        let which = match which {
            Heard::Pipeline { project, pipeline } => Condition::all()
                .add(id.in_subquery(offering(pipeline)))
                .add(id.in_subquery(attached(project))),
            Heard::Project(project) => Condition::all().add(id.in_subquery(attached(project))),
            Heard::Slugs(slugs) => {
                let named = Query::select()
                    .column(pipeline::Column::Id)
                    .from(pipeline::Entity)
                    .and_where(pipeline::Column::Slug.is_in(slugs.iter().map(String::as_str)))
                    .to_owned();
                let offering = Query::select()
                    .column(service_pipeline::Column::ServiceId)
                    .from(service_pipeline::Entity)
                    .and_where(service_pipeline::Column::PipelineId.in_subquery(named))
                    .to_owned();
                Condition::all().add(id.in_subquery(offering))
            }
        };
        let tx = self.write().await?;
        processing_service::Entity::update_many()
            .set(processing_service::ActiveModel {
                last_seen_at: Set(Some(now())),
                last_seen_live: Set(Some(true)),
                ..Default::default()
            })
            .filter(pulls())
            .filter(which)
            .exec(&*tx)
            .await?;
        tx.commit().await
    }

    /// Marks pull services that have been silent for so long as not live.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn expire_pull_services(&self, silence: chrono::Duration) -> StoreResult<()> {
        let tx = self.write().await?;
        processing_service::Entity::update_many()
            .set(processing_service::ActiveModel {
                last_seen_live: Set(Some(false)),
                ..Default::default()
            })
            .filter(pulls())
            .filter(processing_service::Column::LastSeenLive.eq(true))
            .filter(processing_service::Column::LastSeenAt.lt(now() - silence))
            .exec(&*tx)
            .await?;
        tx.commit().await
    }
}

/// By what pull services are heard of: they say no names when they poll.
#[derive(Clone, Copy, Debug)]
pub enum Heard<'a> {
    /// Somebody asked for tasks of, or posted results to, a job.
    Pipeline {
        /// The job's project.
        project: i64,
        /// The job's pipeline.
        pipeline: i64,
    },
    /// Somebody polled for jobs of a project.
    Project(i64),
    /// Somebody polled for jobs on pipelines with these slugs.
    Slugs(&'a [String]),
}

/// A pull service was heard of so lately that it counts as online.
pub fn is_online(service: &ProcessingService, within: chrono::Duration) -> bool {
    let seen = service.last_seen_at.is_some_and(|at| now() - at < within);
    service.last_seen_live == Some(true) && seen
}

/// Seconds after which a silent pull service is no longer online (`processing-service.md` §12).
pub const ONLINE_SECONDS: i64 = 60;

fn pulls() -> Condition {
    let url = processing_service::Column::EndpointUrl;
    Condition::any().add(url.is_null()).add(url.eq(""))
}

fn offering(pipeline: i64) -> SelectStatement {
    Query::select()
        .column(service_pipeline::Column::ServiceId)
        .from(service_pipeline::Entity)
        .and_where(service_pipeline::Column::PipelineId.eq(pipeline))
        .to_owned()
}

fn attached(project: i64) -> SelectStatement {
    Query::select()
        .column(service_project::Column::ServiceId)
        .from(service_project::Entity)
        .and_where(service_project::Column::ProjectId.eq(project))
        .to_owned()
}
