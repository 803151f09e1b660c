//! Counterexamples in which something was counted twice or not at all: what is counted is what the
//! rows of this run and this generation say, whatever comes late, at once or after a crash.

use chrono::Duration;
use domain::permission::Permit;
use domain::state::JobState;

use super::super::world::{World, lease};
use super::{NOW, claimed, counts, done, failed, feed, save, state};
use crate::progress::Counts;
use crate::result::{Batch, Outcome};
use crate::testing;

/// 8: a row of an earlier generation or run swallows nothing.
#[tokio::test]
async fn earlier_rows_swallow_no_result() {
    for fresh in testing::fresh().await {
        let world = World::new(&fresh.store, 2).await;
        let ids = world.captures().await;
        let (job, fence) = claimed(&world).await;
        feed(&world, &fence, &ids).await;
        save(&world, job.id, 1, vec![failed(ids[0]), failed(ids[1])]).await;
        world.store.finalise_job(job.id).await.unwrap().unwrap();
        assert_eq!(state(&world, job.id).await, JobState::Failure);
        world
            .store
            .retry_job(Permit::BY_PROGRAM, job.id, false)
            .await
            .unwrap();
        let (job, fence) = world.store.claim_job("r").await.unwrap().unwrap();
        feed(&world, &fence, &ids).await;
        let saved = save(
            &world,
            job.id,
            job.generation,
            vec![done(ids[0]), done(ids[1])],
        )
        .await;
        assert_eq!(saved.done, 2);
        assert_eq!(counts(&world, job.id).await.done, 2);
        let ended = world.store.finalise_job(job.id).await.unwrap().unwrap();
        assert_eq!(ended.job_state(), JobState::Success);
        // Run again: every image counts anew.
        world
            .store
            .enqueue_job(Permit::BY_PROGRAM, job.id)
            .await
            .unwrap();
        let (job, fence) = world.store.claim_job("r").await.unwrap().unwrap();
        feed(&world, &fence, &ids).await;
        let saved = save(&world, job.id, job.generation, vec![done(ids[0])]).await;
        assert_eq!(saved.done, 1);
        assert_eq!(counts(&world, job.id).await.done, 1);
    }
}

/// 9: after a retry or a run again, nothing of before is counted, at once.
#[tokio::test]
async fn a_new_generation_begins_with_true_counts() {
    for fresh in testing::fresh().await {
        let world = World::new(&fresh.store, 3).await;
        let ids = world.captures().await;
        let (job, fence) = claimed(&world).await;
        feed(&world, &fence, &ids).await;
        save(&world, job.id, 1, vec![done(ids[0]), failed(ids[1])]).await;
        world
            .store
            .cancel_job(Permit::BY_PROGRAM, job.id)
            .await
            .unwrap();
        let row = world
            .store
            .retry_job(Permit::BY_PROGRAM, job.id, false)
            .await
            .unwrap();
        assert_eq!((row.total, row.kept, row.fed), (None, 1, 0));
        let sums = world
            .store
            .counts(std::slice::from_ref(&row))
            .await
            .unwrap();
        assert_eq!((sums[&job.id].done, sums[&job.id].failed), (1, 0));
        world
            .store
            .cancel_job(Permit::BY_PROGRAM, job.id)
            .await
            .unwrap();
        let row = world
            .store
            .enqueue_job(Permit::BY_PROGRAM, job.id)
            .await
            .unwrap();
        let sums = world
            .store
            .counts(std::slice::from_ref(&row))
            .await
            .unwrap();
        assert_eq!(
            sums.get(&job.id).copied().unwrap_or_default(),
            Counts::default()
        );
        let depth = world.store.ticket_depth(job.id, None).await.unwrap();
        assert_eq!(depth.waiting + depth.leased, 0, "old tickets are gone");
    }
}

/// 10: a slow worker's result from before a run again is not the new run's.
#[tokio::test]
async fn a_receipt_of_an_earlier_generation_counts_nothing() {
    for fresh in testing::fresh().await {
        let world = World::new(&fresh.store, 1).await;
        let ids = world.captures().await;
        let (job, fence) = claimed(&world).await;
        feed(&world, &fence, &ids).await;
        let slow = world
            .store
            .lease_tickets(job.id, lease(1, Duration::hours(1)));
        let slow = slow.await.unwrap().images[0];
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
        let (again, fence) = world.store.claim_job("r").await.unwrap().unwrap();
        feed(&world, &fence, &ids).await;
        let late = save(&world, job.id, slow.generation, vec![done(ids[0])]).await;
        assert_eq!((late.done, late.ignored), (0, 1));
        let depth = world.store.ticket_depth(job.id, None).await.unwrap();
        assert_eq!(depth.waiting, 1, "the new run's ticket stays");
        let saved = save(&world, job.id, again.generation, vec![done(ids[0])]).await;
        assert_eq!(saved.done, 1);
    }
}

/// 11: saves, dead letters, finalising and retries at once: progress is what the rows say.
#[tokio::test]
async fn saves_and_moves_at_once_leave_true_counts() {
    for fresh in testing::fresh().await {
        let world = World::new(&fresh.store, 24).await;
        let ids = world.captures().await;
        let (job, fence) = claimed(&world).await;
        feed(&world, &fence, &ids).await;
        let mut all = tokio::task::JoinSet::new();
        for chunk in ids.chunks(4) {
            for outcome in [failed as fn(i64) -> (i64, Outcome), done] {
                let store = world.store.clone();
                let batch = Batch {
                    job: job.id,
                    generation: 1,
                    pipeline: world.pipeline,
                    images: chunk.iter().map(|id| outcome(*id)).collect(),
                };
                all.spawn(async move {
                    store.save_results(batch).await.unwrap();
                    store.finalise_job(job.id).await.unwrap();
                    // Legal only when another one has ended the job.
                    let _ = store.retry_job(Permit::BY_PROGRAM, job.id, false).await;
                });
            }
        }
        while let Some(one) = all.join_next().await {
            one.unwrap();
        }
        counts(&world, job.id).await;
    }
}

/// 14: a saved image is deleted: rows and progress still agree, and the job ends.
#[tokio::test]
async fn a_deleted_capture_takes_no_row_with_it() {
    for fresh in testing::fresh().await {
        let world = World::new(&fresh.store, 2).await;
        let ids = world.captures().await;
        let (job, fence) = claimed(&world).await;
        feed(&world, &fence, &ids).await;
        save(&world, job.id, 1, vec![done(ids[0])]).await;
        world.store.delete_capture(ids[0]).await.unwrap();
        assert_eq!(counts(&world, job.id).await.done, 1);
        world.store.delete_capture(ids[1]).await.unwrap();
        save(&world, job.id, 1, vec![done(ids[1])]).await;
        let counts = counts(&world, job.id).await;
        assert_eq!((counts.done, counts.failed), (1, 1), "the second failed");
        let ended = world.store.finalise_job(job.id).await.unwrap().unwrap();
        assert_eq!(ended.job_state(), JobState::Success);
    }
}

/// 18: rows are opened when they are fed, so a rescued feed counts what was saved meanwhile.
#[tokio::test]
async fn what_is_saved_during_a_crash_is_in_the_total() {
    for fresh in testing::fresh().await {
        let world = World::new(&fresh.store, 3).await;
        let ids = world.captures().await;
        let (job, fence) = claimed(&world).await;
        feed(&world, &fence, &ids).await;
        save(
            &world,
            job.id,
            1,
            vec![done(ids[0]), failed(ids[1]), failed(ids[2])],
        )
        .await;
        world.store.finalise_job(job.id).await.unwrap().unwrap();
        world
            .store
            .retry_job(Permit::BY_PROGRAM, job.id, false)
            .await
            .unwrap();
        let (_, fence) = world.store.claim_job("r").await.unwrap().unwrap();
        world
            .store
            .feed_page(&fence, &ids[..2], ids[1])
            .await
            .unwrap();
        save(&world, job.id, 2, vec![done(ids[1])]).await;
        world.store.rescue_jobs(NOW).await.unwrap();
        let (_, fence) = world.store.claim_job("s").await.unwrap().unwrap();
        // A feed that begins anew repeats nothing and forgets nothing.
        feed(&world, &fence, &ids).await;
        assert_eq!(world.store.job(job.id).await.unwrap().total, Some(3));
        assert!(world.store.finalise_job(job.id).await.unwrap().is_none());
        save(&world, job.id, 2, vec![done(ids[2])]).await;
        assert_eq!(counts(&world, job.id).await.done, 3);
        let ended = world.store.finalise_job(job.id).await.unwrap().unwrap();
        assert_eq!(ended.job_state(), JobState::Success);
    }
}
