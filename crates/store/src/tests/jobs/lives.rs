//! Changes of state: the table of `protocol.md` §2 and its counterexamples.

use chrono::Duration;
use domain::permission::Permit;
use domain::state::JobState;

use super::world::{World, lease};
use crate::job::life::{Beat, MAX_RESCUES};
use crate::result::{Batch, Outcome};
use crate::{StoreError, testing};

const OLD: Duration = Duration::zero();

#[tokio::test]
async fn one_of_many_runners_gets_a_job() {
    for fresh in testing::fresh().await {
        let world = World::new(&fresh.store, 0).await;
        for _ in 0..5 {
            world.store.create_job(world.new_job()).await.unwrap();
        }
        let runners: Vec<_> = (0..8)
            .map(|i| {
                let store = world.store.clone();
                tokio::spawn(async move {
                    let mut mine = Vec::new();
                    while let Some((job, _)) = store.claim_job(&format!("r{i}")).await.unwrap() {
                        mine.push(job.id);
                    }
                    mine
                })
            })
            .collect();
        let mut claimed = Vec::new();
        for runner in runners {
            claimed.extend(runner.await.unwrap());
        }
        claimed.sort_unstable();
        let count = claimed.len();
        claimed.dedup();
        assert_eq!((count, claimed.len()), (5, 5));
    }
}

#[tokio::test]
async fn a_late_runner_writes_nothing() {
    for fresh in testing::fresh().await {
        let world = World::new(&fresh.store, 3).await;
        let store = &world.store;
        let (job, first) = world.claimed(world.new_job()).await;
        let rescued = store.rescue_jobs(OLD).await.unwrap();
        assert_eq!(rescued.len(), 1);
        let (again, second) = store.claim_job("other").await.unwrap().unwrap();
        assert_eq!(
            again.generation, job.generation,
            "a rescue keeps the generation"
        );
        assert_eq!(store.beat(&first).await.unwrap(), Beat::Lost);
        let lost = |r: Result<(), StoreError>| matches!(r, Err(StoreError::FenceLost));
        assert!(lost(store.write_stages(&first, &[]).await));
        assert!(lost(store.feed_page(&first, &[1], 1).await.map(|_| ())));
        assert!(lost(store.feed_end(&first, true).await.map(|_| ())));
        assert!(lost(store.finish_job(&first, None).await.map(|_| ())));
        assert!(lost(store.hand_back(&first).await));
        store.stopped(&first).await.unwrap();
        let row = store.job(job.id).await.unwrap();
        assert_eq!(row.job_state(), JobState::Started);
        assert_eq!(store.beat(&second).await.unwrap(), Beat::Working);
    }
}

#[tokio::test]
async fn of_runners_that_are_gone_the_jobs_are_taken_and_nobody_elses() {
    for fresh in testing::fresh().await {
        let world = World::new(&fresh.store, 0).await;
        let store = &world.store;
        let mut held = Vec::new();
        for runner in ["demo-7-0a", "7-demo-0a", "demo"] {
            store.create_job(world.new_job()).await.unwrap();
            held.push(store.claim_job(runner).await.unwrap().unwrap());
        }
        let taken = store.rescue_jobs_of("demo-").await.unwrap();
        let taken: Vec<i64> = taken.iter().map(|job| job.id).collect();
        assert_eq!(taken, [held[0].0.id]);
        assert_eq!(store.beat(&held[0].1).await.unwrap(), Beat::Lost);
        for (job, fence) in &held[1..] {
            assert_eq!(store.beat(fence).await.unwrap(), Beat::Working);
            let row = store.job(job.id).await.unwrap();
            assert_eq!((row.claim_no, row.rescues), (fence.claim_no, 0));
        }
    }
}

#[tokio::test]
async fn cancel_ends_what_nobody_runs_and_tells_who_does() {
    for fresh in testing::fresh().await {
        let world = World::new(&fresh.store, 2).await;
        let store = &world.store;
        let waiting = store.create_job(world.new_job()).await.unwrap();
        let done = store
            .cancel_job(Permit::BY_PROGRAM, waiting.id)
            .await
            .unwrap();
        assert_eq!(done.job.job_state(), JobState::Revoked);
        assert!(done.job.finished_at.is_some());

        let (running, fence) = world.fed().await;
        let done = store
            .cancel_job(Permit::BY_PROGRAM, running.id)
            .await
            .unwrap();
        assert_eq!(done.job.job_state(), JobState::Canceling);
        assert_eq!(store.beat(&fence).await.unwrap(), Beat::Cancelled);
        let leased = store.lease_tickets(running.id, lease(9, Duration::minutes(1)));
        assert!(
            leased.await.unwrap().images.is_empty(),
            "nothing is handed out"
        );
        store.stopped(&fence).await.unwrap();
        let row = store.job(running.id).await.unwrap();
        assert_eq!(row.job_state(), JobState::Revoked);
        let depth = store.ticket_depth(running.id, None).await.unwrap();
        assert_eq!(depth.waiting + depth.leased, 0);
        assert!(
            !store
                .cancel_job(Permit::BY_PROGRAM, running.id)
                .await
                .unwrap()
                .changed
        );
    }
}

#[tokio::test]
async fn a_cancelled_job_whose_runner_died_is_revoked() {
    for fresh in testing::fresh().await {
        let world = World::new(&fresh.store, 2).await;
        let (job, _) = world.claimed(world.new_job()).await;
        world
            .store
            .cancel_job(Permit::BY_PROGRAM, job.id)
            .await
            .unwrap();
        world.store.rescue_jobs(OLD).await.unwrap();
        let row = world.store.job(job.id).await.unwrap();
        assert_eq!(row.job_state(), JobState::Revoked);
    }
}

#[tokio::test]
async fn a_job_that_kills_its_runners_fails_in_the_end() {
    for fresh in testing::fresh().await {
        let world = World::new(&fresh.store, 0).await;
        let store = &world.store;
        let job = store.create_job(world.new_job()).await.unwrap();
        for _ in 0..MAX_RESCUES {
            store.claim_job("r").await.unwrap().unwrap();
            store.rescue_jobs(OLD).await.unwrap();
        }
        store.claim_job("r").await.unwrap().unwrap();
        store.rescue_jobs(OLD).await.unwrap();
        let row = store.job(job.id).await.unwrap();
        assert_eq!(row.job_state(), JobState::Failure);
        let log = store.job_log(job.id, 3).await.unwrap();
        assert!(log.iter().any(|l| l.message.contains("runner died")));
    }
}

#[tokio::test]
async fn a_released_job_ends_only_when_all_is_counted() {
    for fresh in testing::fresh().await {
        let world = World::new(&fresh.store, 2).await;
        let store = &world.store;
        let (job, fence) = world.fed().await;
        assert!(
            store.finalise_job(job.id).await.unwrap().is_none(),
            "it is owned"
        );
        store.release_job(&fence).await.unwrap();
        assert!(
            store.finalise_job(job.id).await.unwrap().is_none(),
            "work is left"
        );
        assert_eq!(store.jobs_to_finalise().await.unwrap(), [] as [i64; 0]);
        let ids = world.captures().await;
        for (id, outcome) in [
            (ids[0], Outcome::Done(Vec::new())),
            (ids[1], Outcome::Failed("broken".to_owned())),
        ] {
            let batch = Batch {
                job: job.id,
                generation: job.generation,
                pipeline: world.pipeline,
                images: vec![(id, outcome)],
            };
            store.save_results(batch).await.unwrap();
        }
        assert_eq!(store.jobs_to_finalise().await.unwrap(), [job.id]);
        let ended = store.finalise_job(job.id).await.unwrap().unwrap();
        assert_eq!(
            ended.job_state(),
            JobState::Success,
            "half failed is success"
        );
        assert!(store.finalise_job(job.id).await.unwrap().is_none());
    }
}

#[tokio::test]
async fn no_images_is_success_at_once() {
    for fresh in testing::fresh().await {
        let world = World::new(&fresh.store, 0).await;
        let (job, fence) = world.fed().await;
        world.store.release_job(&fence).await.unwrap();
        let ended = world.store.finalise_job(job.id).await.unwrap().unwrap();
        assert_eq!(ended.job_state(), JobState::Success);
        let progress = crate::progress::compose(&ended, Default::default());
        assert_eq!(progress.stages[1].progress, 1.0);
    }
}

#[tokio::test]
async fn moves_that_are_not_in_the_table_are_refused() {
    for fresh in testing::fresh().await {
        let world = World::new(&fresh.store, 0).await;
        let store = &world.store;
        let (job, fence) = world.claimed(world.new_job()).await;
        let refused =
            |r: Result<crate::job::Job, StoreError>| matches!(r, Err(StoreError::Conflict(_)));
        assert!(refused(store.enqueue_job(Permit::BY_PROGRAM, job.id).await));
        assert!(refused(
            store.retry_job(Permit::BY_PROGRAM, job.id, false).await
        ));
        assert!(matches!(
            store.delete_job(Permit::BY_PROGRAM, job.id).await,
            Err(StoreError::Conflict(_))
        ));
        store.finish_job(&fence, Some("because")).await.unwrap();
        let row = store.job(job.id).await.unwrap();
        assert_eq!(row.job_state(), JobState::Failure);
        assert!(row.owner.is_none());
        store.delete_job(Permit::BY_PROGRAM, job.id).await.unwrap();
        assert!(store.job_log(job.id, 9).await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn handing_back_costs_no_rescue_and_frees_what_was_leased() {
    for fresh in testing::fresh().await {
        let world = World::new(&fresh.store, 3).await;
        let store = &world.store;
        let (job, fence) = world.fed().await;
        let leased = store.lease_tickets(job.id, lease(2, Duration::hours(1)));
        assert_eq!(leased.await.unwrap().images.len(), 2);
        store.hand_back(&fence).await.unwrap();
        let (again, _) = store.claim_job("next").await.unwrap().unwrap();
        assert_eq!((again.rescues, again.total), (0, Some(3)));
        let leased = store.lease_tickets(job.id, lease(9, Duration::hours(1)));
        assert_eq!(leased.await.unwrap().images.len(), 3);
    }
}
