//! Processing services: which there are, which of them answer, and which one a batch goes to
//! (`processing-service.md` §3, choosing a service).

use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter,
    QueryOrder, QuerySelect, RelationTrait,
};

use crate::connection::{Store, StoreError, StoreResult, now};
use crate::entity::{processing_service, service_pipeline, service_project};

pub mod list;

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
        processing_service::Entity::update_many()
            .set(processing_service::ActiveModel {
                last_seen_at: Set(Some(at)),
                last_seen_live: Set(Some(live)),
                last_seen_latency: Set(Some(latency)),
                ..Default::default()
            })
            .filter(processing_service::Column::Id.eq(id))
            .exec(&*tx)
            .await?;
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
}
