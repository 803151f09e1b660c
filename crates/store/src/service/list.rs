//! Processing services as the API lists and edits them, with the projects and pipelines of a page
//! in one statement each.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, Condition, EntityTrait, IntoActiveModel,
    JoinType, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, RelationTrait,
};

use super::ProcessingService;
use crate::connection::{Store, StoreError, StoreResult, now};
use crate::entity::{pipeline, processing_service, service_pipeline, service_project};
use crate::order::{Orders, ordered};
use crate::pipeline::{Pipeline, list::services_of};

/// Which services a list shows.
#[derive(Clone, Debug, Default)]
pub struct ServiceFilter {
    /// Only this one.
    pub id: Option<i64>,
    /// Only those of all of these projects.
    pub projects: Vec<i64>,
    /// Only those of one of these projects; `None` means all, also those without a project.
    pub visible: Option<Vec<i64>>,
    /// In this order.
    pub order: Orders,
}

/// What a person says of a service; `None` leaves it as it is.
#[derive(Clone, Debug, Default)]
pub struct ServiceChange {
    /// Name for people.
    pub name: Option<String>,
    /// What it is.
    pub description: Option<String>,
    /// Where it is reached; null where it pulls its work.
    pub endpoint_url: Option<Option<String>>,
    /// When it was last heard of.
    pub last_seen: Option<Option<DateTime<Utc>>>,
    /// Whether it answered then.
    pub last_seen_live: Option<Option<bool>>,
}

/// What a page of services points to, by service.
#[derive(Clone, Debug, Default)]
pub struct ServiceParts {
    /// Their projects.
    pub projects: BTreeMap<i64, Vec<i64>>,
    /// The pipelines they offer.
    pub pipelines: BTreeMap<i64, Vec<Pipeline>>,
}

impl Store {
    /// One page of services, and how many there are in all.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn services_page(
        &self,
        filter: &ServiceFilter,
        limit: u64,
        offset: u64,
    ) -> StoreResult<(Vec<ProcessingService>, u64)> {
        use processing_service::Column as C;
        let select = processing_service::Entity::find().filter(filter.condition());
        let count = select.clone().count(&self.db).await?;
        let column = |name: &str| match name {
            "id" => Some(C::Id),
            "name" => Some(C::Name),
            "created_at" => Some(C::CreatedAt),
            "updated_at" => Some(C::UpdatedAt),
            "last_seen" => Some(C::LastSeenAt),
            "last_seen_live" => Some(C::LastSeenLive),
            _ => None,
        };
        let rows = ordered(select, &filter.order, column, C::Id);
        let rows = rows.limit(limit).offset(offset).all(&self.db).await?;
        Ok((rows, count))
    }

    /// What these services point to.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn service_parts(&self, services: &[i64]) -> StoreResult<ServiceParts> {
        let mut parts = ServiceParts::default();
        let links = service_project::Entity::find()
            .filter(service_project::Column::ServiceId.is_in(services.iter().copied()))
            .order_by_asc(service_project::Column::ProjectId);
        for link in links.all(&self.db).await? {
            let list = parts.projects.entry(link.service_id).or_default();
            list.push(link.project_id);
        }
        let links = service_pipeline::Entity::find()
            .filter(service_pipeline::Column::ServiceId.is_in(services.iter().copied()))
            .join(
                JoinType::InnerJoin,
                service_pipeline::Relation::Pipeline.def(),
            )
            .select_also(pipeline::Entity)
            .order_by_asc(pipeline::Column::Id);
        for (link, pipeline) in links.all(&self.db).await? {
            let list = parts.pipelines.entry(link.service_id).or_default();
            list.extend(pipeline);
        }
        Ok(parts)
    }

    /// Makes a service and attaches it to a project; two may have the same name.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn create_service(
        &self,
        project: i64,
        new: ServiceChange,
    ) -> StoreResult<ProcessingService> {
        let at = now();
        let tx = self.write().await?;
        let row = processing_service::ActiveModel {
            name: Set(new.name.unwrap_or_default()),
            description: Set(new.description.unwrap_or_default()),
            endpoint_url: Set(new.endpoint_url.flatten()),
            last_seen_at: Set(None),
            last_seen_live: Set(None),
            last_seen_latency: Set(None),
            created_at: Set(at),
            updated_at: Set(at),
            ..Default::default()
        };
        let row = row.insert(&*tx).await?;
        let link = service_project::ActiveModel {
            service_id: Set(row.id),
            project_id: Set(project),
        };
        service_project::Entity::insert(link)
            .exec_without_returning(&*tx)
            .await?;
        tx.commit().await?;
        Ok(row)
    }

    /// Changes a service.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], or an error of the database.
    pub async fn change_service(
        &self,
        id: i64,
        change: ServiceChange,
    ) -> StoreResult<ProcessingService> {
        let tx = self.write().await?;
        let row = processing_service::Entity::find_by_id(id).one(&*tx).await?;
        let mut row = row
            .ok_or(StoreError::NotFound("processing service"))?
            .into_active_model();
        if let Some(name) = change.name {
            row.name = Set(name);
        }
        if let Some(description) = change.description {
            row.description = Set(description);
        }
        if let Some(endpoint) = change.endpoint_url {
            row.endpoint_url = Set(endpoint);
        }
        if let Some(at) = change.last_seen {
            row.last_seen_at = Set(at);
        }
        if let Some(live) = change.last_seen_live {
            row.last_seen_live = Set(live);
        }
        row.updated_at = Set(now());
        let row = row.update(&*tx).await?;
        tx.commit().await?;
        Ok(row)
    }

    /// Writes down that a service has not been heard of for too long.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn service_silent(&self, id: i64, since: DateTime<Utc>) -> StoreResult<()> {
        let tx = self.write().await?;
        let silent = processing_service::ActiveModel {
            last_seen_live: Set(Some(false)),
            ..Default::default()
        };
        processing_service::Entity::update_many()
            .set(silent)
            .filter(processing_service::Column::Id.eq(id))
            .filter(processing_service::Column::LastSeenAt.lte(since)) // not heard of meanwhile
            .exec(&*tx)
            .await?;
        tx.commit().await
    }

    /// Deletes a service; its pipelines stay.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn delete_service(&self, id: i64) -> StoreResult<()> {
        let tx = self.write().await?;
        processing_service::Entity::delete_by_id(id)
            .exec(&*tx)
            .await?;
        tx.commit().await
    }
}

impl ServiceFilter {
    fn condition(&self) -> Condition {
        use processing_service::Column as C;
        use service_project::Column as P;
        let mut all = Condition::all().add_option(self.id.map(|id| C::Id.eq(id)));
        for project in &self.projects {
            all = all.add(C::Id.in_subquery(services_of(P::ProjectId.eq(*project))));
        }
        all.add_option(
            self.visible
                .as_ref()
                .map(|ids| C::Id.in_subquery(services_of(P::ProjectId.is_in(ids.iter().copied())))),
        )
    }
}
