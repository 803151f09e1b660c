//! What is told of jobs and to whom: each way to end is told in the transaction that ends the job, and
//! that no worker was there is told once for each silence.

use chrono::Duration;
use domain::permission::Permit;
use domain::state::JobState;
use domain::telling::Event;
use sea_orm::EntityTrait;
use sea_orm::sea_query::Expr;

use super::{hook, hook_of, told};
use crate::entity::webhook_delivery;
use crate::testing;
use crate::tests::jobs::waiting::{age, waiting};
use crate::tests::jobs::world::{World, lease};
use crate::tests::project;
use crate::webhook::WebhookChange;

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
        let elsewhere = project(store).await.id;
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
