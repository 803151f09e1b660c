//! Webhooks: whom a project tells what becomes of its jobs. What is to be told is written by
//! `webhook/told.rs`, and how it is handed to those who send it stands in `webhook/sending.rs`. The
//! idea: a delivery is a row, written in the transaction that makes it true, so nothing that
//! happened is left untold and nothing is told that did not happen.

use domain::permission::{Permit, Update, WEBHOOKS};
use domain::telling::{Channel, Event, Wishes};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, Condition, EntityTrait, IntoActiveModel,
    PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, prelude::Json,
};

use crate::connection::{Store, StoreError, StoreResult, Write, now};
use crate::entity::webhook::{self, Entity};
use crate::entity::{membership, webhook_delivery};
use crate::job::list::holds;
use crate::order::{Orders, ordered};
use crate::user::User;

mod sending;
pub(crate) mod told;

pub use crate::entity::webhook::Model as Webhook;
pub use crate::entity::webhook_delivery::Model as Delivery;
pub use sending::{DeliveryState, Due, KEPT_DAYS, Sent};

/// What a list can be ordered by.
pub const WEBHOOK_ORDERS: &[&str] = &["id", "name", "created_at", "updated_at"];

/// What a person gives to make one.
#[derive(Clone, Debug)]
pub struct NewWebhook {
    /// Whose jobs it is about.
    pub project_id: i64,
    /// Name for people.
    pub name: String,
    /// How it is told.
    pub channel: Channel,
    /// Where.
    pub target: String,
    /// What signs, sealed.
    pub secret: String,
    /// What is told.
    pub wishes: Wishes,
    /// Whether anything is.
    pub enabled: bool,
}

/// New values; `None` leaves a field as it is.
#[derive(Clone, Debug, Default)]
pub struct WebhookChange {
    /// Name.
    pub name: Option<String>,
    /// Where.
    pub target: Option<String>,
    /// What signs, sealed.
    pub secret: Option<String>,
    /// Which events.
    pub events: Option<Vec<Event>>,
    /// Of ends only failures.
    pub only_failures: Option<bool>,
    /// After how many minutes without a worker.
    pub minutes: Option<u32>,
    /// Whether anything is told.
    pub enabled: Option<bool>,
}

/// Which webhooks a list shows.
#[derive(Clone, Debug, Default)]
pub struct WebhookFilter {
    /// Only of this project.
    pub project_id: Option<i64>,
    /// Only of these projects; `None` means all.
    pub visible: Option<Vec<i64>>,
    /// Only those with all of these words in their names.
    pub search: Vec<String>,
    /// In this order.
    pub order: Orders,
}

fn events_json(events: &[Event]) -> Json {
    events.iter().map(|event| event.word()).collect()
}

fn minutes_of(minutes: u32) -> StoreResult<i32> {
    i32::try_from(minutes).map_err(|error| StoreError::Unreadable(error.to_string()))
}

impl Webhook {
    /// How it is told.
    pub fn channel(&self) -> Channel {
        Channel::from_word(&self.kind).unwrap_or(Channel::Webhook)
    }

    /// What is told.
    pub fn wishes(&self) -> Wishes {
        let words = self.events.as_array().into_iter().flatten();
        let words = words.filter_map(|word| word.as_str());
        Wishes {
            events: words.filter_map(Event::from_word).collect(),
            only_failures: self.only_failures,
            minutes: u32::try_from(self.no_worker_minutes).unwrap_or(u32::MAX),
        }
    }
}

/// Reads one and locks it against every other change.
async fn lock(tx: &Write, id: i64) -> StoreResult<Webhook> {
    Entity::find_by_id(id)
        .lock_exclusive()
        .one(&**tx)
        .await?
        .ok_or(StoreError::NotFound("webhook"))
}

impl Store {
    /// Makes one.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn create_webhook(
        &self,
        _permit: Permit<Update>,
        new: NewWebhook,
    ) -> StoreResult<Webhook> {
        let at = now();
        let row = webhook::ActiveModel {
            project_id: Set(new.project_id),
            name: Set(new.name),
            kind: Set(new.channel.word().to_owned()),
            target: Set(new.target),
            secret: Set(new.secret),
            events: Set(events_json(&new.wishes.events)),
            only_failures: Set(new.wishes.only_failures),
            no_worker_minutes: Set(minutes_of(new.wishes.minutes)?),
            enabled: Set(new.enabled),
            created_at: Set(at),
            updated_at: Set(at),
            ..Default::default()
        };
        let tx = self.write().await?;
        let made = row.insert(&*tx).await?;
        tx.commit().await?;
        Ok(made)
    }

    /// The webhook with this id.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], or an error of the database.
    pub async fn webhook(&self, id: i64) -> StoreResult<Webhook> {
        let row = Entity::find_by_id(id).one(&self.db).await?;
        row.ok_or(StoreError::NotFound("webhook"))
    }

    /// Changes one. Where it is switched off, what waits to be sent is given up.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], or an error of the database.
    pub async fn change_webhook(
        &self,
        _permit: Permit<Update>,
        id: i64,
        change: WebhookChange,
    ) -> StoreResult<Webhook> {
        let tx = self.write().await?;
        let before = lock(&tx, id).await?;
        let mut row = before.clone().into_active_model();
        if let Some(name) = change.name {
            row.name = Set(name);
        }
        if let Some(target) = change.target {
            row.target = Set(target);
        }
        if let Some(secret) = change.secret {
            row.secret = Set(secret);
        }
        if let Some(events) = change.events {
            row.events = Set(events_json(&events));
        }
        if let Some(only) = change.only_failures {
            row.only_failures = Set(only);
        }
        if let Some(minutes) = change.minutes {
            row.no_worker_minutes = Set(minutes_of(minutes)?);
        }
        if let Some(enabled) = change.enabled {
            row.enabled = Set(enabled);
        }
        row.updated_at = Set(now());
        let after = row.update(&*tx).await?;
        if before.enabled && !after.enabled {
            let which = Condition::all().add(webhook_delivery::Column::WebhookId.eq(id));
            sending::give_up(&tx, which, "The webhook was switched off.").await?;
        }
        tx.commit().await?;
        Ok(after)
    }

    /// Deletes one with the log of its deliveries.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], or an error of the database.
    pub async fn delete_webhook(&self, _permit: Permit<Update>, id: i64) -> StoreResult<()> {
        let tx = self.write().await?;
        lock(&tx, id).await?;
        Entity::delete_by_id(id).exec(&*tx).await?;
        tx.commit().await
    }

    /// The projects whose webhooks a person may see: those whose settings they may change; `None`
    /// means all (superusers).
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn telling_projects(&self, user: Option<&User>) -> StoreResult<Option<Vec<i64>>> {
        self.projects_granting(user, WEBHOOKS).await
    }

    /// One page of webhooks, and how many there are in all.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn webhooks(
        &self,
        filter: &WebhookFilter,
        limit: u64,
        offset: u64,
    ) -> StoreResult<(Vec<Webhook>, u64)> {
        use webhook::Column as C;
        let visible = filter.visible.as_ref();
        let words = filter.search.iter();
        let words = words.map(|word| holds((Entity, C::Name), word));
        let which = words
            .fold(Condition::all(), Condition::add)
            .add_option(filter.project_id.map(|id| C::ProjectId.eq(id)))
            .add_option(visible.map(|ids| C::ProjectId.is_in(ids.iter().copied())));
        let select = Entity::find().filter(which);
        let count = select.clone().count(&self.db).await?;
        let column = |name: &str| match name {
            "id" => Some(C::Id),
            "name" => Some(C::Name),
            "created_at" => Some(C::CreatedAt),
            "updated_at" => Some(C::UpdatedAt),
            _ => None,
        };
        let rows = ordered(select, &filter.order, column, C::Id);
        let rows = rows.limit(limit).offset(offset).all(&self.db).await?;
        Ok((rows, count))
    }

    /// Whether this is the address of an active person who belongs to a project: of its owner or
    /// of a member. Nobody else is written to.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn may_be_mailed(&self, project: i64, address: &str) -> StoreResult<bool> {
        let user = self.user_by_email(address).await?;
        let Some(user) = user.filter(|user| user.is_active) else {
            return Ok(false);
        };
        if self.project(project).await?.owner_id == Some(user.id) {
            return Ok(true);
        }
        let member = membership::Entity::find()
            .filter(membership::Column::ProjectId.eq(project))
            .filter(membership::Column::UserId.eq(user.id));
        Ok(member.count(&self.db).await? > 0)
    }

    /// A page of the deliveries of a webhook, the newest first, and how many there are.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn deliveries(
        &self,
        webhook: i64,
        limit: u64,
        offset: u64,
    ) -> StoreResult<(Vec<Delivery>, u64)> {
        use webhook_delivery::Column as C;
        let select = webhook_delivery::Entity::find().filter(C::WebhookId.eq(webhook));
        let count = select.clone().count(&self.db).await?;
        let rows = select.order_by_desc(C::Id).limit(limit).offset(offset);
        Ok((rows.all(&self.db).await?, count))
    }

    /// A delivery of this webhook.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], or an error of the database.
    pub async fn delivery(&self, webhook: i64, id: i64) -> StoreResult<Delivery> {
        let row = webhook_delivery::Entity::find_by_id(id)
            .filter(webhook_delivery::Column::WebhookId.eq(webhook))
            .one(&self.db)
            .await?;
        row.ok_or(StoreError::NotFound("delivery"))
    }

    /// The newest delivery of each of these webhooks that ever had one.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn last_deliveries(
        &self,
        webhooks: &[i64],
    ) -> StoreResult<std::collections::HashMap<i64, Delivery>> {
        use webhook_delivery::Column as C;
        let newest: Vec<i64> = webhook_delivery::Entity::find()
            .select_only()
            .column_as(C::Id.max(), "newest")
            .filter(C::WebhookId.is_in(webhooks.iter().copied()))
            .group_by(C::WebhookId)
            .into_tuple()
            .all(&self.db)
            .await?;
        let rows = webhook_delivery::Entity::find()
            .filter(C::Id.is_in(newest))
            .all(&self.db)
            .await?;
        Ok(rows.into_iter().map(|row| (row.webhook_id, row)).collect())
    }
}
