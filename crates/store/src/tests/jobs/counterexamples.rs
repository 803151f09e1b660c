//! The counterexamples of `protocol.md` §3, by their numbers: each was the shortest way to break a
//! promise while one guard was missing. Those of an outside queue (15 to 17) have nothing to show
//! where tickets live in the job's own database; 1, 4 and 5 are tested in `results` and `lives`.

use chrono::Duration;
use domain::job::DispatchMode;
use domain::permission::Permit;
use domain::state::JobState;
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};

use super::world::{World, detection, lease};
use crate::entity::task_result;
use crate::job::feed::{DONE, FAILED};
use crate::job::{Job, NewJob, life::Fence};
use crate::progress::Counts;
use crate::result::{Batch, Outcome, Saved};
use crate::{StoreError, testing};

const NOW: Duration = Duration::zero();

/// A pull job, claimed.
async fn claimed(world: &World) -> (Job, Fence) {
    let new = NewJob {
        dispatch_mode: Some(DispatchMode::AsyncApi),
        ..world.new_job()
    };
    world.claimed(new).await
}

/// Feeds these captures to a job and ends its feed; it waits for workers then.
async fn feed(world: &World, fence: &Fence, captures: &[i64]) {
    let last = captures.last().copied().unwrap_or(0);
    let store = &world.store;
    store.feed_page(fence, captures, last).await.unwrap();
    store.feed_end(fence, true).await.unwrap();
}

fn done(id: i64) -> (i64, Outcome) {
    (id, Outcome::Done(vec![detection(id, 5.0, [0.9, 0.1])]))
}

fn failed(id: i64) -> (i64, Outcome) {
    (id, Outcome::Failed("no answer".to_owned()))
}

async fn save(world: &World, job: i64, generation: i64, images: Vec<(i64, Outcome)>) -> Saved {
    let batch = Batch {
        job,
        generation,
        pipeline: world.pipeline,
        images,
    };
    world.store.save_results(batch).await.unwrap()
}

/// The counts of a job, which must be those of its rows.
async fn counts(world: &World, job: i64) -> Counts {
    use task_result::Column as C;
    let row = world.store.job(job).await.unwrap();
    let counts = world
        .store
        .counts(std::slice::from_ref(&row))
        .await
        .unwrap();
    let counts = counts.get(&job).copied().unwrap_or_default();
    let number = async |outcome: i32| {
        task_result::Entity::find()
            .filter(C::JobId.eq(job))
            .filter(C::RunNo.eq(row.run_no))
            .filter(C::Outcome.eq(outcome))
            .count(&world.store.db)
            .await
            .unwrap() as i64
    };
    assert_eq!(
        counts.done,
        number(DONE).await,
        "progress is what the rows say"
    );
    assert_eq!(
        counts.failed,
        number(FAILED).await,
        "progress is what the rows say"
    );
    counts
}

async fn state(world: &World, job: i64) -> JobState {
    world.store.job(job).await.unwrap().job_state()
}

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
