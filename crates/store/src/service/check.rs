//! How services answered over the last days. The idea: what was found out is added to a slot of
//! five minutes, so however often a service is asked, and by whom, its history stays as small.

use std::collections::HashMap;

use chrono::Duration;
use sea_orm::sea_query::{Expr, ExprTrait, OnConflict};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QueryOrder};

use super::{ONLINE_SECONDS, is_online, pulls};
use crate::connection::{Store, StoreResult, Write, now};
use crate::entity::{processing_service, service_check};

pub use crate::entity::service_check::Model as ServiceCheck;

/// Seconds of a slot.
pub const CHECK_SLOT: i64 = 300;
/// Days that are kept.
pub const CHECK_DAYS: i64 = 7;

/// The start of the slot in which this second is.
const fn slot(second: i64) -> i64 {
    second.div_euclid(CHECK_SLOT) * CHECK_SLOT
}

/// Notes how a service answered just now, and forgets what is older than is kept.
pub(super) async fn note(
    tx: &Write,
    service: i64,
    live: bool,
    latency: Option<f64>,
) -> StoreResult<()> {
    use service_check::Column as C;
    let second = now().timestamp();
    let row = service_check::ActiveModel {
        service_id: Set(service),
        slot: Set(slot(second)),
        answered: Set(i32::from(live)),
        failed: Set(i32::from(!live)),
        latency: Set(latency.filter(|_| live)),
    };
    let more = |column: C, by: bool| Expr::col((service_check::Entity, column)).add(i32::from(by));
    let mut clash = OnConflict::columns([C::ServiceId, C::Slot]);
    clash
        .value(C::Answered, more(C::Answered, live))
        .value(C::Failed, more(C::Failed, !live));
    if live {
        clash.update_column(C::Latency);
    }
    service_check::Entity::insert(row)
        .on_conflict(clash)
        .exec_without_returning(&**tx)
        .await?;
    service_check::Entity::delete_many()
        .filter(C::ServiceId.eq(service))
        .filter(C::Slot.lt(slot(second - CHECK_DAYS * 86_400)))
        .exec(&**tx)
        .await?;
    Ok(())
}

impl Store {
    /// Notes of services that pull, which are not asked, whether they were heard of just now.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn note_pull_services(&self) -> StoreResult<()> {
        let services = processing_service::Entity::find()
            .filter(pulls())
            .filter(processing_service::Column::LastSeenAt.is_not_null())
            .all(&self.db)
            .await?;
        if services.is_empty() {
            return Ok(());
        }
        let within = Duration::seconds(ONLINE_SECONDS);
        let tx = self.write().await?;
        for service in services {
            note(&tx, service.id, is_online(&service, within), None).await?;
        }
        tx.commit().await
    }

    /// How these services answered over the days that are kept, the oldest slot first.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn service_checks(
        &self,
        services: &[i64],
    ) -> StoreResult<HashMap<i64, Vec<ServiceCheck>>> {
        use service_check::Column as C;
        let since = now().timestamp() - CHECK_DAYS * 86_400;
        let rows = service_check::Entity::find()
            .filter(C::ServiceId.is_in(services.iter().copied()))
            .filter(C::Slot.gte(slot(since)))
            .order_by_asc(C::Slot)
            .all(&self.db)
            .await?;
        let mut checks: HashMap<i64, Vec<ServiceCheck>> = HashMap::new();
        for row in rows {
            checks.entry(row.service_id).or_default().push(row);
        }
        Ok(checks)
    }
}
