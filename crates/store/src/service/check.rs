//! How services answered over the last days. The idea: what was found out is added to a slot of
//! five minutes, so however often a service is asked, and by whom, its history stays as small.

use std::collections::HashMap;

use chrono::Duration;
use sea_orm::sea_query::{CaseStatement, Expr, ExprTrait, Func, OnConflict, Order, Query};
use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};

use super::{ONLINE_SECONDS, is_online, pulls};
use crate::connection::{Store, StoreResult, Write, now};
use crate::entity::{processing_service, service_check};

/// Seconds of a slot.
pub const CHECK_SLOT: i64 = 300;
/// Days that are kept.
pub const CHECK_DAYS: i64 = 7;

/// How a service answered in a part of the days that are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answered {
    /// Its second divided by how long a part is.
    pub part: i64,
    /// How often it answered,
    pub answered: i64,
    /// and how often it did not.
    pub failed: i64,
    /// The start of the last slot in which it did not.
    pub silent: Option<i64>,
}

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

    /// How these services answered over the days that are kept, in parts of so many seconds, the
    /// oldest first; summed up by the database.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn service_history(
        &self,
        services: &[i64],
        seconds: i64,
    ) -> StoreResult<HashMap<i64, Vec<Answered>>> {
        use service_check::Column as C;
        let since = slot(now().timestamp() - CHECK_DAYS * 86_400);
        let sum = |column: C| Func::sum(Expr::col(column)).cast_as("BIGINT");
        let silent: Expr = CaseStatement::new()
            .case(Expr::col(C::Failed).gt(0), Expr::col(C::Slot))
            .into();
        let parts = Query::select()
            .column(C::ServiceId)
            .expr_as(Expr::col(C::Slot).div(seconds), "part")
            .expr(sum(C::Answered))
            .expr(sum(C::Failed))
            .expr(Func::max(silent))
            .from(service_check::Entity)
            .and_where(Expr::col(C::ServiceId).is_in(services.iter().copied()))
            .and_where(Expr::col(C::Slot).gte(since))
            .group_by_col(C::ServiceId)
            .group_by_col("part")
            .order_by("part", Order::Asc)
            .to_owned();
        let mut history: HashMap<i64, Vec<Answered>> = HashMap::new();
        for row in self.db.query_all(&parts).await? {
            let service = row.try_get_by_index(0)?;
            history.entry(service).or_default().push(Answered {
                part: row.try_get_by_index(1)?,
                answered: row.try_get_by_index(2)?,
                failed: row.try_get_by_index(3)?,
                silent: row.try_get_by_index(4)?,
            });
        }
        Ok(history)
    }
}
