//! One sync, regroup or populate per target at a time, and regroupings that are owed.

use chrono::Duration;
use domain::job::{POPULATE, REGROUP, SYNC};
use domain::permission::Permit;

use super::world::{World, at};
use crate::Store;
use crate::capture::CaptureChange;
use crate::job::{Job, NewJob};
use crate::station::regroup::holder;
use crate::testing;

fn of(world: &World, kind: &'static str) -> NewJob {
    NewJob {
        kind,
        station_id: Some(world.station.id),
        pipeline_id: None,
        dispatch_mode: None,
        ..world.new_job()
    }
}

async fn ask(store: &Store, new: NewJob) -> (i64, bool) {
    let asked = store.ask_for_job(new).await.unwrap();
    (asked.job.id, asked.made)
}

#[tokio::test]
async fn of_many_that_ask_at_once_in_two_processes_one_makes_the_job() {
    for fresh in testing::fresh().await {
        let world = World::new(&fresh.store, 1).await;
        let other = Store::open(&fresh.url).await.unwrap();
        for kind in [SYNC, REGROUP, POPULATE] {
            let asked = (0..8).map(|i| {
                let store = if i % 2 == 0 { &fresh.store } else { &other };
                let (store, new) = (store.clone(), of(&world, kind));
                tokio::spawn(async move { ask(&store, new).await })
            });
            let mut made = Vec::new();
            let mut ids = Vec::new();
            for task in asked.collect::<Vec<_>>() {
                let (id, new) = task.await.unwrap();
                ids.push(id);
                made.extend(new.then_some(id));
            }
            assert_eq!(made.len(), 1, "{kind}");
            assert!(ids.iter().all(|id| *id == made[0]), "{kind}: {ids:?}");
        }
    }
}

#[tokio::test]
async fn who_asks_again_is_answered_with_the_job_that_is_at_it() {
    for fresh in testing::fresh().await {
        let store = &fresh.store;
        let world = World::new(store, 1).await;
        let (first, made) = ask(store, of(&world, REGROUP)).await;
        assert!(made);
        assert_eq!(ask(store, of(&world, REGROUP)).await, (first, false));
        let (sync, made) = ask(store, of(&world, SYNC)).await;
        assert!(made && sync != first, "another kind is another job");
        let nowhere = NewJob {
            station_id: None,
            ..of(&world, REGROUP)
        };
        let one = ask(store, nowhere.clone()).await;
        assert!(
            one.1 && ask(store, nowhere).await.1,
            "without a target there is none"
        );
        let later = NewJob {
            start_now: false,
            ..of(&world, REGROUP)
        };
        let (created, made) = ask(store, later).await;
        assert!(made, "one that is not to start waits for a person");

        let (job, fence) = store.claim_job("runner").await.unwrap().unwrap();
        assert_eq!(job.id, first);
        assert_eq!(ask(store, of(&world, REGROUP)).await, (first, false));
        let run = |id| store.enqueue_job(Permit::BY_PROGRAM, id);
        assert_eq!(run(created).await.unwrap().id, first);
        let stays: Job = store.job(created).await.unwrap();
        assert_eq!(stays.state, "CREATED");
        store.cancel_job(Permit::BY_PROGRAM, first).await.unwrap();
        let (second, made) = ask(store, of(&world, REGROUP)).await;
        assert!(made, "a job that is being stopped does nothing any more");
        store.stopped(&fence).await.unwrap();
        let again = store.retry_job(Permit::BY_PROGRAM, first, false).await;
        assert_eq!(again.unwrap().id, second);
    }
}

#[tokio::test]
async fn what_moves_or_goes_makes_one_regroup_job_however_many_ask() {
    for fresh in testing::fresh().await {
        let store = &fresh.store;
        let world = World::new(store, 5).await;
        let other = Store::open(&fresh.url).await.unwrap();
        let gap = domain::session::gap(None);
        let station = world.station.id;
        store.regroup(station, gap, |_| {}).await.unwrap();
        let now = Duration::zero();
        let due = async || store.station(station).await.unwrap().regroup_due_at;
        let start = async |store: &Store| store.start_due_regroups(now).await.unwrap().len();
        assert_eq!(due().await, None);

        let ids = world.captures().await;
        store.delete_capture(ids[0]).await.unwrap();
        let moved = CaptureChange {
            taken_at: Some(Some(at(1_000_000))),
            ..CaptureChange::default()
        };
        store.change_capture(ids[1], moved).await.unwrap();
        assert!(due().await.is_some());
        let soon = store.start_due_regroups(Duration::minutes(1)).await;
        assert_eq!(soon.unwrap().len(), 0, "more may change at once");
        let (one, two) = tokio::join!(start(store), start(&other));
        assert_eq!(one + two, 1);
        assert_eq!(due().await, None, "whatever becomes of the job");

        // One that runs may have passed what changes now: the mark stays until it has ended.
        let (_, fence) = store.claim_job("runner").await.unwrap().unwrap();
        store.delete_capture(ids[2]).await.unwrap();
        assert_eq!(start(store).await, 0);
        store.finish_job(&fence, None).await.unwrap();
        assert_eq!(start(store).await, 1);
        store.delete_capture(ids[3]).await.unwrap();
        store.regroup(station, gap, |_| {}).await.unwrap();
        assert_eq!(due().await, None, "a regroup pays what was owed before it");
    }
}

#[tokio::test]
async fn a_lock_is_void_when_the_claim_of_its_holder_is_over() {
    for fresh in testing::fresh().await {
        let store = &fresh.store;
        let world = World::new(store, 0).await;
        let (_, fence) = world.claimed(of(&world, REGROUP)).await;
        let lock = async |holder: &str| {
            let long = Duration::minutes(10);
            store
                .lock_regroup(world.station.id, holder, long)
                .await
                .unwrap()
        };
        assert!(lock(&holder(&fence)).await);
        assert!(!lock("upload 1").await);
        store.rescue_jobs(Duration::zero()).await.unwrap();
        let (_, next) = store.claim_job("second").await.unwrap().unwrap();
        assert!(
            lock(&holder(&next)).await,
            "the dead runner's lock holds nobody up"
        );
        assert!(!lock(&holder(&fence)).await, "and it cannot take it back");
        store.finish_job(&next, Some("killed")).await.unwrap();
        assert!(
            lock("upload 1").await,
            "nor does one that was not given back"
        );
    }
}
