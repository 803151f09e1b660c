//! Transactions that cross each other: what the database takes back is done again, once and whole,
//! and what is crossed for ever says to ask again. The circles are closed on purpose: of three
//! captures somebody holds the second and another one the third, who asks for the first.

use std::cell::Cell;
use std::time::Duration;

use sea_orm::{
    ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, PaginatorTrait, QueryFilter, Statement,
};

use super::all;
use super::jobs::world::{World, capture, detection};
use crate::capture_set::NewCaptureSet;
use crate::connection::{TRIES, Write, again};
use crate::entity::{capture_set_member, detection as detections};
use crate::result::{Batch, Outcome};
use crate::testing::{self, Fresh};
use crate::{Store, StoreError, StoreResult};

/// Where a transaction that waits is looked after at once whether it waits in a circle; `None` on
/// SQLite, where nobody does, and where the tests may not say so.
async fn soon_broken(fresh: &Fresh) -> Option<Store> {
    if fresh.store.is_sqlite() {
        return None;
    }
    let soon = "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET deadlock_timeout = ''50ms''', \
                current_database()); END $$";
    if let Err(error) = fresh.store.db.execute_unprepared(soon).await {
        testing::left_out(&format!("{error}: transactions that cross are LEFT OUT"));
        return None;
    }
    Some(Store::open(&fresh.url).await.unwrap())
}

fn hold(capture: i64) -> String {
    format!("SELECT id FROM capture WHERE id = {capture} FOR UPDATE")
}

/// A transaction that holds a capture and is not the one to be broken off.
async fn holding(store: &Store, capture: i64) -> Write {
    let tx = store.write().await.unwrap();
    let late = "SET LOCAL deadlock_timeout = '60s'";
    tx.execute_unprepared(late).await.unwrap();
    tx.execute_unprepared(&hold(capture)).await.unwrap();
    tx
}

/// Waits until so many transactions wait for another one.
pub(super) async fn until_waiting(store: &Store, many: i64) {
    let waiting = "SELECT count(*) FROM pg_stat_activity \
                   WHERE datname = current_database() AND wait_event_type = 'Lock'";
    for _ in 0..1000 {
        let ask = Statement::from_string(DbBackend::Postgres, waiting);
        let row = store.db.query_one_raw(ask).await.unwrap().unwrap();
        if row.try_get_by_index::<i64>(0).unwrap() == many {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("there are not {many} that wait");
}

/// Lets some work cross another transaction: it has the first of these captures and waits for the
/// second when that one asks for the first, and holds the third.
async fn crossed<T: Send + 'static>(
    store: &Store,
    captures: &[i64],
    work: impl Future<Output = StoreResult<T>> + Send + 'static,
) -> T {
    let [first, second, third] = captures[..] else {
        panic!("three captures, not {captures:?}");
    };
    let between = holding(store, second).await;
    let other = holding(store, third).await;
    let work = tokio::spawn(work);
    until_waiting(store, 1).await;
    let other = tokio::spawn(async move {
        other.execute_unprepared(&hold(first)).await.unwrap();
        other.commit().await.unwrap();
    });
    until_waiting(store, 2).await;
    between.undo().await.unwrap();
    let done = work.await.unwrap();
    other.await.unwrap();
    done.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn results_that_cross_another_transaction_are_saved_once() {
    for fresh in testing::fresh().await {
        let Some(store) = soon_broken(&fresh).await else {
            continue;
        };
        let world = World::new(&store, 3).await;
        let (job, _) = world.fed().await;
        let ids = world.captures().await;
        let moth = |id: &i64| (*id, Outcome::Done(vec![detection(*id, 5.0, [0.9, 0.1])]));
        let batch = Batch {
            job: job.id,
            generation: job.generation,
            pipeline: world.pipeline,
            images: ids.iter().rev().map(moth).collect(),
        };
        let saving = store.clone();
        let save = async move { saving.save_results(batch).await };
        let saved = crossed(&store, &ids, save).await;
        assert_eq!((saved.done, saved.failed, saved.ignored), (3, 0, 0));
        assert_eq!((saved.detections, saved.classifications), (3, 3));
        let counts = store.counts(std::slice::from_ref(&job)).await.unwrap()[&job.id];
        assert_eq!((counts.done, counts.detections), (3, 3));
        assert_eq!(
            detections::Entity::find().count(&store.db).await.unwrap(),
            3
        );
        assert_eq!(store.ticket_depth(job.id, None).await.unwrap().leased, 0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn captures_that_are_listed_again_meanwhile_are_written() {
    for fresh in testing::fresh().await {
        let Some(store) = soon_broken(&fresh).await else {
            continue;
        };
        let world = World::new(&store, 3).await;
        let ids = world.captures().await;
        // Against the order of their ids.
        let listed = ["00002.jpg", "00001.jpg", "00000.jpg", "00003.jpg"];
        let mut listed = listed.map(|path| capture(path, None));
        listed.iter_mut().for_each(|one| one.size = Some(2000));
        let (writing, station) = (store.clone(), world.station.clone());
        let write = async move { writing.write_captures(&station, &listed).await };
        crossed(&store, &ids, write).await;
        let sizes = all(&store, &world.station).await;
        let sizes: Vec<Option<i64>> = sizes.iter().map(|capture| capture.size).collect();
        assert_eq!(sizes, [Some(2000); 4]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_regroup_that_crosses_another_transaction_goes_on() {
    for fresh in testing::fresh().await {
        let Some(store) = soon_broken(&fresh).await else {
            continue;
        };
        let world = World::new(&store, 3).await;
        let ids = world.captures().await;
        let (regrouping, station) = (store.clone(), world.station.id);
        let gap = chrono::Duration::minutes(120);
        let regroup = async move { regrouping.regroup(station, gap, |_| {}).await };
        let stats = crossed(&store, &ids, regroup).await;
        assert_eq!((stats.captures_grouped, stats.events_created), (3, 1));
        let sessions = store.sessions_of(station).await.unwrap();
        assert_eq!((sessions.len(), sessions[0].captures_count), (1, 3));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_capture_set_is_filled_beside_a_transaction_that_it_crosses() {
    for fresh in testing::fresh().await {
        let Some(store) = soon_broken(&fresh).await else {
            continue;
        };
        let world = World::new(&store, 3).await;
        let ids = world.captures().await;
        let new = || NewCaptureSet {
            project_id: world.project.id,
            name: "Some".to_owned(),
            ..Default::default()
        };
        let set = store.create_capture_set(new()).await.unwrap().id;
        let (filling, chosen) = (store.clone(), ids.clone());
        let fill = async move { filling.replace_members(set, &chosen).await };
        assert_eq!(crossed(&store, &ids, fill).await, 3);
        let whole = store.create_capture_set(new()).await.unwrap().id;
        let filling = store.clone();
        let fill = async move { filling.populate_full(whole).await };
        assert_eq!(crossed(&store, &ids, fill).await, 3);
        for set in [set, whole] {
            let members = capture_set_member::Entity::find()
                .filter(capture_set_member::Column::CaptureSetId.eq(set));
            assert_eq!(members.count(&store.db).await.unwrap(), 3);
        }
    }
}

/// Results are saved while others point to the same captures: a lock that kept them from that would
/// be one more to cross.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_capture_that_is_saved_may_be_pointed_to() {
    for fresh in testing::fresh().await {
        if fresh.store.is_sqlite() {
            continue;
        }
        let store = &fresh.store;
        let world = World::new(store, 1).await;
        let ids = world.captures().await;
        let saving = store.write().await.unwrap();
        let locked = crate::capture::lock::lock_captures(&saving, &ids).await;
        assert_eq!(locked.unwrap().len(), 1);
        let starred = store.star(world.project.id, ids[0], true);
        let starred = tokio::time::timeout(Duration::from_secs(20), starred).await;
        assert_eq!(starred.expect("it does not wait").unwrap().1, 1);
        saving.commit().await.unwrap();
    }
}

/// A transaction that the database takes back with this code, until it has been tried so often.
async fn crossed_until(
    store: &Store,
    tries: &Cell<u32>,
    code: &str,
    well_at: u32,
) -> StoreResult<()> {
    tries.set(tries.get() + 1);
    let tx = store.write().await?;
    if tries.get() < well_at {
        let raise = format!("DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '{code}'; END $$");
        tx.execute_unprepared(&raise).await?;
    }
    tx.commit().await
}

#[tokio::test]
async fn what_is_crossed_each_time_says_to_ask_again() {
    for fresh in testing::fresh().await {
        let store = &fresh.store;
        // An error that is none of these ends it at once.
        let tries = Cell::new(0);
        let refused: StoreResult<()> = again(|| async {
            tries.set(tries.get() + 1);
            Err(StoreError::NotFound("job"))
        })
        .await;
        assert!(matches!(refused, Err(StoreError::NotFound("job"))));
        assert_eq!(tries.get(), 1);
        if store.is_sqlite() {
            continue;
        }
        for code in ["40P01", "40001"] {
            tries.set(0);
            let crossed = again(|| crossed_until(store, &tries, code, u32::MAX)).await;
            let crossed = crossed.unwrap_err();
            assert!(crossed.is_away(), "{crossed}");
            assert_eq!(tries.get(), TRIES);
            tries.set(0);
            again(|| crossed_until(store, &tries, code, 2))
                .await
                .unwrap();
            assert_eq!(tries.get(), 2);
        }
    }
}
