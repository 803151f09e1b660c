//! How deliveries are handed to those who send them. The idea: whoever moves `next_at` on from what
//! it was has the delivery for that time; who dies with it leaves it due again, so it is sent at
//! least once, and a late word about an older try changes nothing.

use chrono::{DateTime, TimeDelta, Utc};
use domain::permission::{Permit, Update};
use domain::telling::{Channel, Event, News, wait_after};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, Condition, EntityTrait, IntoActiveModel,
    QueryFilter, QueryOrder, QuerySelect,
};

use super::{Delivery, Webhook};
use crate::connection::{Store, StoreError, StoreResult, Write, now};
use crate::entity::{webhook, webhook_delivery};

/// For how long a delivery belongs to who sends it: longer than sending takes.
pub(super) const LEASE: TimeDelta = TimeDelta::seconds(90);

/// Days for which deliveries are kept.
pub const KEPT_DAYS: i64 = 30;

/// Days after which what nobody could send is given up: letters where no process sends any.
const OVERDUE_DAYS: i64 = 7;

/// Rows that are deleted by one transaction.
const PAGE: u64 = 5_000;

/// How a delivery stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeliveryState {
    /// It is to be sent, for the first time or again.
    Waiting,
    /// The receiver has it.
    Delivered,
    /// It is not tried any more.
    Failed,
}

impl DeliveryState {
    /// The word in the database and in the API.
    pub const fn word(self) -> &'static str {
        match self {
            DeliveryState::Waiting => "waiting",
            DeliveryState::Delivered => "delivered",
            DeliveryState::Failed => "failed",
        }
    }
}

/// A delivery that is due, and where it goes.
#[derive(Clone, Debug)]
pub struct Due {
    /// What.
    pub delivery: Delivery,
    /// Where.
    pub webhook: Webhook,
}

/// How a try ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sent {
    /// It was taken, with this status.
    Taken(Option<u16>),
    /// It was not.
    Not {
        /// What was answered, if anything.
        status: Option<u16>,
        /// Why, as a sentence.
        reason: String,
        /// Whether another try is in vain.
        for_good: bool,
    },
}

impl Delivery {
    /// How it stands.
    pub fn delivery_state(&self) -> DeliveryState {
        let all = [DeliveryState::Waiting, DeliveryState::Delivered];
        let found = all.into_iter().find(|state| state.word() == self.state);
        found.unwrap_or(DeliveryState::Failed)
    }

    /// What happened.
    pub fn event(&self) -> Event {
        Event::from_word(&self.event).unwrap_or(Event::Test)
    }

    /// What is told.
    ///
    /// # Errors
    /// [`StoreError::Unreadable`] where what is stored is no such thing.
    pub fn news(&self) -> StoreResult<News> {
        serde_json::from_value(self.payload.clone())
            .map_err(|error| StoreError::Unreadable(error.to_string()))
    }

    /// How often it was tried.
    fn tries(&self) -> u32 {
        u32::try_from(self.attempts).unwrap_or_default()
    }

    /// When it is tried again after a try that failed; `None`: not any more. A test is an answer to
    /// somebody who waits for it, so it is tried once.
    fn again(&self, for_good: bool, at: DateTime<Utc>) -> Option<DateTime<Utc>> {
        if for_good || self.event() == Event::Test {
            return None;
        }
        let wait = TimeDelta::from_std(wait_after(self.tries())?).ok()?;
        Some(at + wait)
    }
}

/// Ends those that wait among these, unsent.
pub(super) async fn give_up(tx: &Write, which: Condition, reason: &str) -> StoreResult<u64> {
    use webhook_delivery::Column as C;
    let done = webhook_delivery::Entity::update_many()
        .col_expr(C::State, Expr::value(DeliveryState::Failed.word()))
        .col_expr(C::NextAt, Expr::value(None::<DateTime<Utc>>))
        .col_expr(C::Reason, Expr::value(reason))
        .col_expr(C::FinishedAt, Expr::value(Some(now())))
        .filter(C::State.eq(DeliveryState::Waiting.word()))
        .filter(which)
        .exec(&**tx)
        .await?;
    Ok(done.rows_affected)
}

impl Store {
    /// Deliveries that are due, the longest due first, but for those of webhooks that are `busy`;
    /// letters only for who sends `letters`.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn due_deliveries(
        &self,
        busy: &[i64],
        letters: bool,
        most: u64,
    ) -> StoreResult<Vec<Due>> {
        use webhook_delivery::Column as C;
        let mut which = Condition::all().add(C::NextAt.lte(now()));
        if !busy.is_empty() {
            which = which.add(C::WebhookId.is_not_in(busy.iter().copied()));
        }
        if !letters {
            which = which.add(webhook::Column::Kind.ne(Channel::Email.word()));
        }
        let rows = webhook_delivery::Entity::find()
            .find_also_related(webhook::Entity)
            .filter(which)
            .order_by_asc(C::NextAt)
            .order_by_asc(C::Id)
            .limit(most)
            .all(&self.db)
            .await?;
        let due = |(delivery, webhook): (Delivery, Option<Webhook>)| {
            webhook.map(|webhook| Due { delivery, webhook })
        };
        Ok(rows.into_iter().filter_map(due).collect())
    }

    /// Takes a delivery that was seen to be due; `None` where somebody else has.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn claim_delivery(&self, seen: &Delivery) -> StoreResult<Option<Delivery>> {
        use webhook_delivery::Column as C;
        let at = now();
        let tx = self.write().await?;
        let taken = webhook_delivery::Entity::update_many()
            .col_expr(C::NextAt, Expr::value(Some(at + LEASE)))
            .col_expr(C::SentAt, Expr::value(Some(at)))
            .col_expr(C::Attempts, Expr::value(seen.attempts + 1))
            .filter(C::Id.eq(seen.id))
            .filter(C::State.eq(DeliveryState::Waiting.word()))
            .filter(C::NextAt.eq(seen.next_at))
            .filter(C::Attempts.eq(seen.attempts))
            .exec_with_returning(&*tx)
            .await?;
        tx.commit().await?;
        Ok(taken.into_iter().next())
    }

    /// Writes down how a try ended that was taken: the delivery as it stands then. Who comes too
    /// late, for it was taken anew, was sent again or is gone, changes nothing.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], or an error of the database.
    pub async fn settle_delivery(&self, taken: &Delivery, sent: &Sent) -> StoreResult<Delivery> {
        let tx = self.write().await?;
        let row = webhook_delivery::Entity::find_by_id(taken.id)
            .lock_exclusive()
            .one(&*tx)
            .await?
            .ok_or(StoreError::NotFound("delivery"))?;
        let ours = row.delivery_state() == DeliveryState::Waiting
            && (row.attempts, row.next_at) == (taken.attempts, taken.next_at);
        if !ours {
            return Ok(row);
        }
        let at = now();
        let (state, next, status, reason) = match sent {
            Sent::Taken(status) => (DeliveryState::Delivered, None, *status, None),
            Sent::Not {
                status,
                reason,
                for_good,
            } => match row.again(*for_good, at) {
                None => (DeliveryState::Failed, None, *status, Some(reason.clone())),
                next => (DeliveryState::Waiting, next, *status, Some(reason.clone())),
            },
        };
        let mut row = row.into_active_model();
        row.state = Set(state.word().to_owned());
        row.next_at = Set(next);
        row.status = Set(status.map(i32::from));
        row.reason = Set(reason);
        row.finished_at = Set((state != DeliveryState::Waiting).then_some(at));
        let after = row.update(&*tx).await?;
        tx.commit().await?;
        Ok(after)
    }

    /// Has a delivery that is not tried any more sent again, from its first try on.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`StoreError::Conflict`] while it waits, and where its webhook is
    /// switched off.
    pub async fn redeliver(
        &self,
        _permit: Permit<Update>,
        webhook: i64,
        id: i64,
    ) -> StoreResult<Delivery> {
        let tx = self.write().await?;
        // Who switches it off waits, or has.
        let hook = super::lock(&tx, webhook).await?;
        let row = webhook_delivery::Entity::find_by_id(id)
            .filter(webhook_delivery::Column::WebhookId.eq(webhook))
            .lock_exclusive()
            .one(&*tx)
            .await?
            .ok_or(StoreError::NotFound("delivery"))?;
        let refused = |why: &str| Err(StoreError::Conflict(why.to_owned()));
        if !hook.enabled {
            return refused("The webhook is switched off. Switch it on first.");
        }
        if row.delivery_state() == DeliveryState::Waiting {
            return refused("It is still being tried.");
        }
        let mut row = row.into_active_model();
        row.state = Set(DeliveryState::Waiting.word().to_owned());
        row.attempts = Set(0);
        row.next_at = Set(Some(now()));
        row.finished_at = Set(None);
        let after = row.update(&*tx).await?;
        tx.commit().await?;
        Ok(after)
    }

    /// Gives up what nobody could send for days, and deletes deliveries that are older than
    /// [`KEPT_DAYS`], a page of them; returns how many were deleted.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn prune_deliveries(&self) -> StoreResult<u64> {
        use webhook_delivery::Column as C;
        let at = now();
        let overdue = Condition::all().add(C::NextAt.lt(at - TimeDelta::days(OVERDUE_DAYS)));
        let old: Vec<i64> = webhook_delivery::Entity::find()
            .select_only()
            .column(C::Id)
            .filter(C::CreatedAt.lt(at - TimeDelta::days(KEPT_DAYS)))
            .limit(PAGE)
            .into_tuple()
            .all(&self.db)
            .await?;
        let tx = self.write().await?;
        let why = format!("No process of this server could send it within {OVERDUE_DAYS} days.");
        give_up(&tx, overdue, &why).await?;
        let mut gone = 0;
        if !old.is_empty() {
            let done = webhook_delivery::Entity::delete_many()
                .filter(C::Id.is_in(old))
                .exec(&*tx)
                .await?;
            gone = done.rows_affected;
        }
        tx.commit().await?;
        Ok(gone)
    }
}
