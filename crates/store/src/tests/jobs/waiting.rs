//! Pull jobs that nobody works on: they wait, until their project's limit or without a pipeline.

use chrono::Duration;
use domain::job::DispatchMode;
use domain::permission::Permit;
use domain::state::JobState;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use super::world::{World, lease};
use crate::entity::job;
use crate::job::{Job, NewJob};
use crate::project::ProjectChange;
use crate::testing;

/// A pull job that is fed and that nobody owns.
pub async fn waiting(world: &World) -> Job {
    let new = NewJob {
        dispatch_mode: Some(DispatchMode::AsyncApi),
        ..world.new_job()
    };
    let (job, fence) = world.claimed(new).await;
    let ids = world.captures().await;
    let store = &world.store;
    store.feed_page(&fence, &ids, ids[0]).await.unwrap();
    store.feed_end(&fence, true).await.unwrap();
    store.job(job.id).await.unwrap()
}

async fn limit(world: &World, minutes: Option<i32>) {
    let change = ProjectChange {
        worker_wait_minutes: Some(minutes),
        ..Default::default()
    };
    let project = world.project.id;
    let changed = world
        .store
        .change_project(Permit::BY_PROGRAM, project, change);
    changed.await.unwrap();
}

/// As if the job had been fed so long ago.
pub async fn age(world: &World, job: &Job, minutes: i64) {
    job::Entity::update_many()
        .col_expr(
            job::Column::UpdatedAt,
            Expr::value(crate::now() - Duration::minutes(minutes)),
        )
        .filter(job::Column::Id.eq(job.id))
        .exec(&world.store.db)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_job_waits_as_long_as_its_project_lets_it() {
    for fresh in testing::fresh().await {
        let world = World::new(&fresh.store, 3).await;
        let store = &world.store;
        let job = waiting(&world).await;
        age(&world, &job, 100_000).await;
        let hopeless = async || store.fail_hopeless_jobs().await.unwrap().len();
        assert_eq!(hopeless().await, 0, "without a limit it waits for ever");
        assert_eq!(store.waits_until(&job).await.unwrap(), None);
        limit(&world, Some(30)).await;

        // Somebody who holds an image, or was heard of, is a worker.
        let held = store
            .lease_tickets(job.id, lease(1, Duration::hours(1)))
            .await
            .unwrap();
        assert_eq!(hopeless().await, 0);
        let image = [held.images[0].capture];
        let back = store.return_tickets(job.id, job.generation, &image, Duration::zero());
        back.await.unwrap();
        let paused = store
            .pause_job(Permit::BY_PROGRAM, job.id, true)
            .await
            .unwrap();
        age(&world, &paused, 31).await;
        assert_eq!(hopeless().await, 0, "a paused job waits for a person");
        let job = store
            .pause_job(Permit::BY_PROGRAM, job.id, false)
            .await
            .unwrap();
        assert_eq!(hopeless().await, 0, "it goes on only now");
        assert!(store.waits_until(&job).await.unwrap().unwrap() > crate::now());

        age(&world, &job, 29).await;
        assert_eq!(hopeless().await, 0);
        age(&world, &job, 31).await;
        assert_eq!(hopeless().await, 1);
        assert_eq!(hopeless().await, 0, "once");
        let job = store.job(job.id).await.unwrap();
        assert_eq!(job.job_state(), JobState::Failure);
        let log = store.job_log(job.id, 1).await.unwrap();
        let words = "No worker for pipeline 'test' was heard of for 30 minutes";
        assert!(log[0].message.contains(words), "{}", log[0].message);
        let failures = store.failures(&job, 9, 0).await.unwrap();
        assert_eq!(failures.len(), 3);
        assert!(failures.iter().all(|f| f.reason.starts_with(words)));
        assert_eq!(failures.iter().map(|f| f.deliveries).sum::<i32>(), 1);
        let counts = store.counts(std::slice::from_ref(&job)).await.unwrap()[&job.id];
        assert_eq!((counts.done, counts.failed), (0, 3));
        let depth = store.ticket_depth(job.id, None).await.unwrap();
        assert_eq!(depth.waiting + depth.leased + depth.dead, 0);

        // Retried, what failed is fed again.
        store
            .retry_job(Permit::BY_PROGRAM, job.id, true)
            .await
            .unwrap();
        let (again, fence) = store.claim_job("next").await.unwrap().unwrap();
        assert_eq!(again.id, job.id);
        let ids = world.captures().await;
        assert_eq!(store.feed_page(&fence, &ids, ids[0]).await.unwrap(), 3);
    }
}

#[tokio::test]
async fn a_job_without_its_pipeline_ends_at_once() {
    for fresh in testing::fresh().await {
        let world = World::new(&fresh.store, 2).await;
        let store = &world.store;
        let job = waiting(&world).await;
        store.delete_pipeline(world.pipeline).await.unwrap();
        let ended = store.fail_hopeless_jobs().await.unwrap();
        assert_eq!(ended.len(), 1);
        let job = store.job(job.id).await.unwrap();
        assert_eq!(job.job_state(), JobState::Failure);
        let failures = store.failures(&job, 9, 0).await.unwrap();
        assert_eq!(failures.len(), 2);
        assert_eq!(failures[0].reason, "Its pipeline was deleted.");
    }
}
