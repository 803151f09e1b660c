//! Deliveries: each is taken by one process at a time, tried ever more slowly, given up at last, and
//! kept for a while only. The idea: a late word of whoever held one before changes nothing.

use chrono::Duration;
use domain::permission::Permit;
use domain::telling::{Channel, Event, TRIES};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use super::{broken, hook, set_due, take, told};
use crate::entity::webhook_delivery;
use crate::tests::jobs::world::World;
use crate::user::NewUser;
use crate::webhook::{DeliveryState, NewWebhook, Sent, WebhookChange};
use crate::{StoreError, testing};

#[tokio::test]
async fn of_many_processes_one_takes_a_delivery_and_a_late_word_changes_nothing() {
    for fresh in testing::fresh().await {
        let world = World::new(&fresh.store, 1).await;
        let store = &world.store;
        let all = hook(&world, &[Event::JobEnded], false).await;
        let (_, fence) = world.claimed(world.new_job()).await;
        store.finish_job(&fence, None).await.unwrap();
        let mut looks = Vec::new();
        for shard in 0..8 {
            let store = store.as_another(shard);
            looks.push(tokio::spawn(async move { take(&store).await }));
        }
        let mut taken = Vec::new();
        for look in looks {
            taken.extend(look.await.unwrap());
        }
        assert_eq!(taken.len(), 1);
        let first = taken.remove(0);
        assert_eq!(first.attempts, 1);
        assert!(take(store).await.is_none(), "it is leased");

        // Whoever had it died; another one takes it, and the first comes back.
        set_due(store, webhook_delivery::Column::NextAt, Duration::zero()).await;
        let second = take(store).await.unwrap();
        assert_eq!((second.attempts, &second.key), (2, &first.key));
        let late = store.settle_delivery(&first, &broken()).await.unwrap();
        assert_eq!(late, second, "nothing has changed");
        let done = store
            .settle_delivery(&second, &Sent::Taken(Some(200)))
            .await
            .unwrap();
        assert_eq!(done.delivery_state(), DeliveryState::Delivered);
        assert_eq!(
            (done.status, done.reason.as_ref(), done.next_at),
            (Some(200), None, None)
        );
        assert!(done.finished_at.is_some());
        let late = store.settle_delivery(&first, &broken()).await.unwrap();
        assert_eq!(late, done);
        assert_eq!(told(store, &all).await, [done]);
    }
}

#[tokio::test]
async fn what_fails_is_tried_again_ever_later_and_then_given_up() {
    for fresh in testing::fresh().await {
        let world = World::new(&fresh.store, 1).await;
        let store = &world.store;
        let all = hook(&world, &[Event::JobEnded], false).await;
        let (_, fence) = world.claimed(world.new_job()).await;
        store.finish_job(&fence, None).await.unwrap();
        let mut last = Duration::zero();
        for attempt in 1..TRIES {
            set_due(store, webhook_delivery::Column::NextAt, Duration::zero()).await;
            let taken = take(store).await.unwrap();
            let row = store.settle_delivery(&taken, &broken()).await.unwrap();
            assert_eq!(row.delivery_state(), DeliveryState::Waiting);
            assert_eq!((row.attempts, row.status), (attempt as i32, Some(503)));
            let wait = row.next_at.unwrap() - row.sent_at.unwrap();
            assert!(wait > last, "{wait} after {last}");
            last = wait;
            assert!(take(store).await.is_none(), "not before its time");
        }
        set_due(store, webhook_delivery::Column::NextAt, Duration::zero()).await;
        let taken = take(store).await.unwrap();
        let row = store.settle_delivery(&taken, &broken()).await.unwrap();
        assert_eq!(row.delivery_state(), DeliveryState::Failed);
        assert_eq!((row.next_at, row.reason.is_some()), (None, true));

        let again = store
            .redeliver(Permit::BY_PROGRAM, all.id, row.id)
            .await
            .unwrap();
        assert_eq!((again.attempts, &again.key), (0, &row.key));
        let busy = store.redeliver(Permit::BY_PROGRAM, all.id, row.id).await;
        assert!(matches!(busy, Err(StoreError::Conflict(_))), "{busy:?}");
        let taken = take(store).await.unwrap();
        let in_vain = Sent::Not {
            status: None,
            reason: "This server sends no requests there.".to_owned(),
            for_good: true,
        };
        let row = store.settle_delivery(&taken, &in_vain).await.unwrap();
        assert_eq!(
            (row.delivery_state(), row.attempts),
            (DeliveryState::Failed, 1)
        );
        let other = hook(&world, &[Event::JobEnded], false).await;
        let foreign = store.redeliver(Permit::BY_PROGRAM, other.id, row.id).await;
        assert!(
            matches!(foreign, Err(StoreError::NotFound(_))),
            "{foreign:?}"
        );
    }
}

#[tokio::test]
async fn switched_off_and_deleted_they_leave_nothing_to_send() {
    for fresh in testing::fresh().await {
        let world = World::new(&fresh.store, 1).await;
        let store = &world.store;
        let one = hook(&world, &[Event::JobEnded], false).await;
        let two = hook(&world, &[Event::JobEnded], false).await;
        let (job, fence) = world.claimed(world.new_job()).await;
        store.finish_job(&fence, None).await.unwrap();
        assert_eq!(store.due_deliveries(&[], true, 10).await.unwrap().len(), 2);
        let busy = store.due_deliveries(&[two.id], true, 10).await.unwrap();
        assert_eq!(busy.len(), 1);
        assert_eq!(busy[0].webhook.id, one.id);
        let off = WebhookChange {
            enabled: Some(false),
            ..Default::default()
        };
        let off = store.change_webhook(Permit::BY_PROGRAM, one.id, off).await;
        assert!(!off.unwrap().enabled);
        let row = told(store, &one).await.remove(0);
        assert_eq!(row.delivery_state(), DeliveryState::Failed);
        assert_eq!(row.reason.as_deref(), Some("The webhook was switched off."));
        let again = store.redeliver(Permit::BY_PROGRAM, one.id, row.id).await;
        assert!(matches!(again, Err(StoreError::Conflict(_))), "{again:?}");
        // A deleted job's deliveries stay: what is told stands in them.
        store.delete_job(Permit::BY_PROGRAM, job.id).await.unwrap();
        let kept = told(store, &two).await.remove(0);
        assert_eq!(
            (kept.job_id, kept.delivery_state()),
            (None, DeliveryState::Waiting)
        );
        let taken = take(store).await.unwrap();
        store
            .delete_webhook(Permit::BY_PROGRAM, two.id)
            .await
            .unwrap();
        let gone = store.settle_delivery(&taken, &Sent::Taken(Some(200))).await;
        assert!(matches!(gone, Err(StoreError::NotFound(_))), "{gone:?}");
        assert!(
            store
                .due_deliveries(&[], true, 10)
                .await
                .unwrap()
                .is_empty()
        );
    }
}

#[tokio::test]
async fn a_test_is_tried_once_and_letters_wait_for_who_sends_them() {
    for fresh in testing::fresh().await {
        let world = World::new(&fresh.store, 1).await;
        let store = &world.store;
        let one = hook(&world, &[Event::JobEnded], false).await;
        let test = store.begin_test(Permit::BY_PROGRAM, &one).await.unwrap();
        assert!(take(store).await.is_none(), "who asked for it sends it");
        let row = store.settle_delivery(&test, &broken()).await.unwrap();
        assert_eq!(row.delivery_state(), DeliveryState::Failed);
        let person = NewUser {
            email: "ann@example.org".to_owned(),
            password: "secret".to_owned(),
            ..Default::default()
        };
        let ann = store.create_user(person).await.unwrap();
        let project = world.project.id;
        let may = async || {
            store
                .may_be_mailed(project, "Ann@example.org")
                .await
                .unwrap()
        };
        assert!(!may().await, "she does not belong to the project");
        let role = domain::permission::Role::BasicMember;
        let member = store
            .add_member(Permit::BY_PROGRAM, project, ann.id, role)
            .await;
        assert!(may().await);
        assert!(
            !store
                .may_be_mailed(project, "bob@example.org")
                .await
                .unwrap()
        );
        let member = member.unwrap().id;
        store
            .delete_member(Permit::BY_PROGRAM, member)
            .await
            .unwrap();
        assert!(!may().await);

        let letters = NewWebhook {
            project_id: project,
            name: "Ann".to_owned(),
            channel: Channel::Email,
            target: "ann@example.org".to_owned(),
            secret: String::new(),
            wishes: one.wishes(),
            enabled: true,
        };
        let letters = store
            .create_webhook(Permit::BY_PROGRAM, letters)
            .await
            .unwrap();
        let (_, fence) = world.claimed(world.new_job()).await;
        store.finish_job(&fence, None).await.unwrap();
        let ids = |due: Vec<crate::webhook::Due>| -> Vec<i64> {
            due.iter().map(|due| due.webhook.id).collect()
        };
        let without = store.due_deliveries(&[], false, 10).await.unwrap();
        assert_eq!(ids(without), [one.id]);
        let with = store.due_deliveries(&[], true, 10).await.unwrap();
        assert_eq!(ids(with), [one.id, letters.id]);
    }
}

#[tokio::test]
async fn old_deliveries_go_and_what_nobody_sends_is_given_up() {
    use webhook_delivery::Column as C;
    for fresh in testing::fresh().await {
        let world = World::new(&fresh.store, 1).await;
        let store = &world.store;
        let one = hook(&world, &[Event::JobEnded], false).await;
        for _ in 0..2 {
            let (_, fence) = world.claimed(world.new_job()).await;
            store.finish_job(&fence, None).await.unwrap();
        }
        assert_eq!(store.prune_deliveries().await.unwrap(), 0);
        let taken = take(store).await.unwrap();
        store
            .settle_delivery(&taken, &Sent::Taken(Some(200)))
            .await
            .unwrap();
        set_due(store, C::NextAt, Duration::days(8)).await;
        assert_eq!(store.prune_deliveries().await.unwrap(), 0);
        let rows = told(store, &one).await;
        assert_eq!(rows[0].delivery_state(), DeliveryState::Failed);
        assert!(rows[0].reason.as_ref().unwrap().contains("within 7 days"));
        assert_eq!(rows[1].delivery_state(), DeliveryState::Delivered);
        let old = crate::now() - Duration::days(31);
        let aged = webhook_delivery::Entity::update_many()
            .col_expr(C::CreatedAt, Expr::value(old))
            .filter(C::Id.eq(rows[1].id));
        aged.exec(&store.db).await.unwrap();
        assert_eq!(store.prune_deliveries().await.unwrap(), 1);
        assert_eq!(told(store, &one).await.len(), 1);
    }
}
