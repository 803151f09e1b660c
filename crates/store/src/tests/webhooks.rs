//! Webhooks: what happens is written down to be told in the same transaction, each delivery is
//! taken by one process at a time, tried ever more slowly, and kept for a while only.

mod deliveries;
mod news;

use chrono::Duration;
use domain::permission::Permit;
use domain::telling::{Channel, Event, Wishes};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use super::jobs::world::World;
use crate::Store;
use crate::entity::webhook_delivery;
use crate::webhook::{Delivery, DeliveryState, NewWebhook, Sent, Webhook};

pub(super) async fn hook(world: &World, events: &[Event], only_failures: bool) -> Webhook {
    hook_of(&world.store, world.project.id, events, only_failures).await
}

async fn hook_of(store: &Store, project: i64, events: &[Event], only_failures: bool) -> Webhook {
    let new = NewWebhook {
        project_id: project,
        name: "Hook".to_owned(),
        channel: Channel::Webhook,
        target: "https://moths.example/hook".to_owned(),
        secret: "x1:sealed".to_owned(),
        wishes: Wishes {
            events: events.to_vec(),
            only_failures,
            minutes: 30,
        },
        enabled: true,
    };
    store.create_webhook(Permit::BY_PROGRAM, new).await.unwrap()
}

async fn told(store: &Store, webhook: &Webhook) -> Vec<Delivery> {
    store.deliveries(webhook.id, 100, 0).await.unwrap().0
}

/// What is due, taken.
async fn take(store: &Store) -> Option<Delivery> {
    let due = store.due_deliveries(&[], true, 10).await.unwrap();
    store.claim_delivery(&due.first()?.delivery).await.unwrap()
}

async fn set_due(store: &Store, column: webhook_delivery::Column, ago: Duration) {
    let all = webhook_delivery::Entity::update_many()
        .col_expr(column, Expr::value(Some(crate::now() - ago)))
        .filter(webhook_delivery::Column::State.eq(DeliveryState::Waiting.word()));
    all.exec(&store.db).await.unwrap();
}

fn broken() -> Sent {
    Sent::Not {
        status: Some(503),
        reason: "The receiver answered 503.".to_owned(),
        for_good: false,
    }
}
