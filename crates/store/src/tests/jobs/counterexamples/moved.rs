//! Counterexamples in which a job is moved while somebody is at work on it: rescued, cancelled, run
//! again. The guard is the state and the claim; who comes late changes nothing.

use chrono::Duration;
use domain::permission::Permit;
use domain::state::JobState;

use super::super::world::{World, lease};
use super::{NOW, claimed, done, feed, save, state};
use crate::{StoreError, testing};

/// 2 and 3: a result that comes while the job waits for its next runner is saved, and tasks that
/// were fed before the crash still belong to somebody after it.
#[tokio::test]
async fn a_rescue_keeps_the_generation_and_loses_no_result() {
    for fresh in testing::fresh().await {
        let world = World::new(&fresh.store, 2).await;
        let ids = world.captures().await;
        let (job, fence) = claimed(&world).await;
        world
            .store
            .feed_page(&fence, &ids[..1], ids[0])
            .await
            .unwrap();
        let leased = world
            .store
            .lease_tickets(job.id, lease(9, Duration::hours(1)));
        let leased = leased.await.unwrap().images;
        world.store.rescue_jobs(NOW).await.unwrap();
        assert_eq!(state(&world, job.id).await, JobState::Pending);
        let saved = save(&world, job.id, leased[0].generation, vec![done(ids[0])]).await;
        assert_eq!(saved.done, 1, "discarded while the job was PENDING");
        let (again, fence) = world.store.claim_job("next").await.unwrap().unwrap();
        assert_eq!(again.generation, job.generation);
        feed(&world, &fence, &ids[1..]).await;
        let saved = save(&world, job.id, again.generation, vec![done(ids[1])]).await;
        assert_eq!(saved.done, 1);
        let ended = world.store.finalise_job(job.id).await.unwrap().unwrap();
        assert_eq!(
            (ended.job_state(), ended.total),
            (JobState::Success, Some(2))
        );
    }
}

/// A rescue does not take images from remote workers: their leases outlive the runner.
#[tokio::test]
async fn a_rescue_leaves_remote_leases_alone() {
    for fresh in testing::fresh().await {
        let world = World::new(&fresh.store, 2).await;
        let ids = world.captures().await;
        let (job, fence) = claimed(&world).await;
        world.store.feed_page(&fence, &ids, ids[1]).await.unwrap();
        let leased = world
            .store
            .lease_tickets(job.id, lease(1, Duration::hours(1)));
        assert_eq!(leased.await.unwrap().images.len(), 1);
        world.store.rescue_jobs(NOW).await.unwrap();
        let (_, fence) = world.store.claim_job("next").await.unwrap().unwrap();
        world.store.feed_end(&fence, true).await.unwrap();
        let leased = world
            .store
            .lease_tickets(job.id, lease(9, Duration::hours(1)));
        assert_eq!(leased.await.unwrap().images.len(), 1, "only the free one");
    }
}

/// 6: the runner ends its feed after a cancel: its guard fails, and the cancel is not lost.
#[tokio::test]
async fn a_cancel_before_the_end_of_the_feed_is_not_lost() {
    for fresh in testing::fresh().await {
        let world = World::new(&fresh.store, 2).await;
        let ids = world.captures().await;
        let (job, fence) = claimed(&world).await;
        world.store.feed_page(&fence, &ids, ids[1]).await.unwrap();
        world
            .store
            .cancel_job(Permit::BY_PROGRAM, job.id)
            .await
            .unwrap();
        let ended = world.store.feed_end(&fence, true).await;
        assert!(matches!(ended, Err(StoreError::FenceLost)));
        let row = world.store.job(job.id).await.unwrap();
        assert_eq!(row.job_state(), JobState::Canceling);
        assert!(row.owner.is_some(), "somebody must end it");
        world.store.stopped(&fence).await.unwrap();
        assert_eq!(state(&world, job.id).await, JobState::Revoked);
    }
}

/// 7: whoever gets a task has got it before the answer to the cancel.
#[tokio::test]
async fn nothing_is_handed_out_after_a_cancel_was_answered() {
    for fresh in testing::fresh().await {
        let world = World::new(&fresh.store, 60).await;
        let ids = world.captures().await;
        for _ in 0..3 {
            let (job, fence) = claimed(&world).await;
            feed(&world, &fence, &ids).await;
            let cancelled = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
            let leases: Vec<_> = (0..4)
                .map(|_| {
                    let (store, cancelled) = (world.store.clone(), cancelled.clone());
                    tokio::spawn(async move {
                        for _ in 0..8 {
                            let was = cancelled.load(std::sync::atomic::Ordering::SeqCst);
                            let terms = lease(1, Duration::hours(1));
                            let got = store.lease_tickets(job.id, terms).await.unwrap();
                            assert!(!was || got.images.is_empty(), "handed out after the cancel");
                        }
                    })
                })
                .collect();
            world
                .store
                .cancel_job(Permit::BY_PROGRAM, job.id)
                .await
                .unwrap();
            cancelled.store(true, std::sync::atomic::Ordering::SeqCst);
            for one in leases {
                one.await.unwrap();
            }
            assert_eq!(state(&world, job.id).await, JobState::Revoked);
        }
    }
}

/// 12: what was counted before a cancel and a run again does not end the new run.
#[tokio::test]
async fn a_finalise_counts_what_is_there_when_it_writes() {
    for fresh in testing::fresh().await {
        let world = World::new(&fresh.store, 1).await;
        let ids = world.captures().await;
        let (job, fence) = claimed(&world).await;
        feed(&world, &fence, &ids).await;
        save(&world, job.id, 1, vec![done(ids[0])]).await;
        assert_eq!(world.store.jobs_to_finalise().await.unwrap(), [job.id]);
        world
            .store
            .cancel_job(Permit::BY_PROGRAM, job.id)
            .await
            .unwrap();
        world
            .store
            .enqueue_job(Permit::BY_PROGRAM, job.id)
            .await
            .unwrap();
        let (_, fence) = world.store.claim_job("r").await.unwrap().unwrap();
        assert!(world.store.finalise_job(job.id).await.unwrap().is_none());
        feed(&world, &fence, &ids).await;
        assert!(world.store.finalise_job(job.id).await.unwrap().is_none());
        assert_eq!(state(&world, job.id).await, JobState::Started);
    }
}

/// 13: a runner that lost its job to a cancel and a retry does not end the next one's feed.
#[tokio::test]
async fn a_late_runner_does_not_end_the_next_ones_feed() {
    for fresh in testing::fresh().await {
        let world = World::new(&fresh.store, 2).await;
        let ids = world.captures().await;
        let (job, late) = claimed(&world).await;
        world.store.feed_page(&late, &ids, ids[1]).await.unwrap();
        world
            .store
            .cancel_job(Permit::BY_PROGRAM, job.id)
            .await
            .unwrap();
        world.store.rescue_jobs(NOW).await.unwrap();
        assert_eq!(state(&world, job.id).await, JobState::Revoked);
        world
            .store
            .retry_job(Permit::BY_PROGRAM, job.id, false)
            .await
            .unwrap();
        // The same process claims it again: only the number of the claim tells them apart.
        let (_, fence) = world.store.claim_job("runner").await.unwrap().unwrap();
        assert_eq!(late.owner, fence.owner);
        let ended = world.store.feed_end(&late, true).await;
        assert!(matches!(ended, Err(StoreError::FenceLost)));
        let page = world.store.feed_page(&late, &ids, ids[1]).await;
        assert!(matches!(page, Err(StoreError::FenceLost)));
        let row = world.store.job(job.id).await.unwrap();
        assert_eq!((row.job_state(), row.total), (JobState::Started, None));
        feed(&world, &fence, &ids).await;
        save(&world, job.id, 2, vec![done(ids[0]), done(ids[1])]).await;
        let ended = world.store.finalise_job(job.id).await.unwrap().unwrap();
        assert_eq!(ended.job_state(), JobState::Success);
    }
}
