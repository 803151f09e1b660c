//! Webhooks: what happens is written down to be told in the same transaction, each delivery is
//! taken by one process at a time, tried ever more slowly, and kept for a while only.

use chrono::Duration;
use domain::permission::Permit;
use domain::state::JobState;
use domain::telling::{Channel, Event, TRIES, Wishes};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use super::jobs::waiting::{age, waiting};
use super::jobs::world::{World, lease};
use crate::entity::webhook_delivery;
use crate::testing;
use crate::user::NewUser;
use crate::webhook::{Delivery, DeliveryState, NewWebhook, Sent, Webhook, WebhookChange};
use crate::{Store, StoreError};

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

#[tokio::test]
async fn each_way_to_end_is_told_to_those_who_want_it() {
    for fresh in testing::fresh().await {
        let world = World::new(&fresh.store, 2).await;
        let store = &world.store;
        let all = hook(&world, &[Event::JobEnded], false).await;
        let failures = hook(&world, &[Event::JobEnded], true).await;
        let silence = hook(&world, &[Event::JobNoWorker], false).await;
        let off = hook(&world, &[Event::JobEnded], false).await;
        let change = WebhookChange {
            enabled: Some(false),
            ..Default::default()
        };
        let changed = store.change_webhook(Permit::BY_PROGRAM, off.id, change);
        changed.await.unwrap();
        let elsewhere = super::project(store).await.id;
        let foreign = hook_of(store, elsewhere, &[Event::JobEnded], false).await;

        let (_, fence) = world.claimed(world.new_job()).await;
        store.finish_job(&fence, None).await.unwrap();
        let (failed, fence) = world.claimed(world.new_job()).await;
        store
            .finish_job(&fence, Some("no such pipeline"))
            .await
            .unwrap();
        let waits = store.create_job(world.new_job()).await.unwrap();
        let cancelled = store.cancel_job(Permit::BY_PROGRAM, waits.id).await;
        assert_eq!(cancelled.unwrap().job.job_state(), JobState::Revoked);
        // Cancelled while it ran, or its runner died as often as it may.
        let (running, fence) = world.claimed(world.new_job()).await;
        store
            .cancel_job(Permit::BY_PROGRAM, running.id)
            .await
            .unwrap();
        store.stopped(&fence).await.unwrap();

        let ends = told(store, &all).await;
        let states: Vec<String> = ends
            .iter()
            .rev()
            .map(|row| row.news().unwrap().job.unwrap().status)
            .collect();
        assert_eq!(states, ["SUCCESS", "FAILURE", "REVOKED", "REVOKED"]);
        assert!(ends.iter().all(|row| row.event() == Event::JobEnded));
        assert_eq!(told(store, &failures).await.len(), 1);
        for none in [&silence, &off, &foreign] {
            assert!(told(store, none).await.is_empty());
        }
        let failure = told(store, &failures).await.remove(0);
        let news = failure.news().unwrap();
        assert_eq!(
            (failure.job_id, &news.project.name),
            (Some(failed.id), &"Test".to_owned())
        );
        assert_eq!(news.detail.as_deref(), Some("no such pipeline"));
        let job = news.job.unwrap();
        assert_eq!((job.id, job.kind.as_str()), (failed.id, "ml"));
        assert!(job.finished_at.is_some());
        let keys: std::collections::HashSet<_> = ends.iter().map(|row| &row.key).collect();
        assert_eq!(keys.len(), 4, "each delivery has a key of its own");
    }
}

#[tokio::test]
async fn a_job_that_is_rescued_to_death_is_told_too() {
    for fresh in testing::fresh().await {
        let world = World::new(&fresh.store, 1).await;
        let store = &world.store;
        let all = hook(&world, &[Event::JobEnded], false).await;
        store.create_job(world.new_job()).await.unwrap();
        let silence = Duration::zero() - Duration::seconds(1);
        for _ in 0..=crate::job::life::MAX_RESCUES {
            assert!(told(store, &all).await.is_empty());
            store.claim_job("dies").await.unwrap().unwrap();
            store.rescue_jobs(silence).await.unwrap();
        }
        let ends = told(store, &all).await;
        assert_eq!(ends.len(), 1);
        let detail = ends[0].news().unwrap().detail.unwrap();
        assert!(detail.contains("died"), "{detail}");
    }
}

#[tokio::test]
async fn counts_are_those_of_the_end() {
    for fresh in testing::fresh().await {
        let world = World::new(&fresh.store, 3).await;
        let store = &world.store;
        let all = hook(&world, &[Event::JobEnded], false).await;
        let job = waiting(&world).await;
        store.cancel_job(Permit::BY_PROGRAM, job.id).await.unwrap();
        let (_, fence) = world.fed().await;
        store.finish_job(&fence, Some("gone")).await.unwrap();
        let counts: Vec<_> = told(store, &all)
            .await
            .iter()
            .rev()
            .map(|row| row.news().unwrap().job.unwrap())
            .map(|job| (job.total, job.done, job.failed))
            .collect();
        // What had no answer when the job failed has failed with it.
        assert_eq!(counts, [(Some(3), 0, 0), (Some(3), 0, 3)]);
    }
}

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
async fn missing_workers_are_told_once_until_one_was_there() {
    for fresh in testing::fresh().await {
        let world = World::new(&fresh.store, 3).await;
        let store = &world.store;
        let silent = hook(&world, &[Event::JobNoWorker], false).await;
        hook(&world, &[Event::JobEnded], false).await;
        let job = waiting(&world).await;
        let tell = async || store.tell_of_silence().await.unwrap();
        assert_eq!(tell().await, 0, "it was fed just now");
        age(&world, &job, 29).await;
        assert_eq!(tell().await, 0);
        age(&world, &job, 31).await;
        let mut looks = Vec::new();
        for shard in 0..8 {
            let store = store.as_another(shard);
            looks.push(tokio::spawn(async move {
                store.tell_of_silence().await.unwrap()
            }));
        }
        let mut all = 0;
        for look in looks {
            all += look.await.unwrap();
        }
        assert_eq!(all, 1, "eight processes tell it once");
        age(&world, &job, 100).await;
        assert_eq!(tell().await, 0, "still the same silence");
        let rows = told(store, &silent).await;
        assert_eq!(rows.len(), 1);
        let news = rows[0].news().unwrap();
        let silence = news.silence.unwrap();
        assert_eq!((silence.minutes, rows[0].job_id), (30, Some(job.id)));
        assert!(crate::now() - silence.since >= Duration::minutes(31));
        assert_eq!(news.job.unwrap().status, "STARTED");

        // It was told an hour ago; since then a worker was there, and went 31 minutes ago.
        webhook_delivery::Entity::update_many()
            .col_expr(
                webhook_delivery::Column::CreatedAt,
                Expr::value(crate::now() - Duration::hours(1)),
            )
            .exec(&store.db)
            .await
            .unwrap();
        age(&world, &job, 31).await;
        let held = store
            .lease_tickets(job.id, lease(1, Duration::hours(1)))
            .await;
        assert_eq!(tell().await, 0, "somebody holds an image");
        let image = [held.unwrap().images[0].capture];
        let back = store.return_tickets(job.id, job.generation, &image, Duration::zero());
        back.await.unwrap();
        assert_eq!((tell().await, tell().await), (1, 0));

        let paused = store
            .pause_job(Permit::BY_PROGRAM, job.id, true)
            .await
            .unwrap();
        age(&world, &paused, 500).await;
        assert_eq!(tell().await, 0, "a paused job waits for a person");
        store.cancel_job(Permit::BY_PROGRAM, job.id).await.unwrap();
        assert_eq!(tell().await, 0);
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
