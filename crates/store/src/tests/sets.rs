//! Capture sets that several change at once: what they show is what they hold, and a project has one
//! set of starred captures. On SQLite every writer has its turn, so this is about PostgreSQL: the
//! writers are held up together, and then let go.

use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter};
use tokio::task::JoinHandle;

use super::crossings::until_waiting;
use super::jobs::world::World;
use crate::capture_set::NewCaptureSet;
use crate::connection::Write;
use crate::entity::capture_set;
use crate::testing;
use crate::{Store, StoreResult};

/// A transaction with a lock that the others run into.
async fn held(store: &Store, statement: &str) -> Write {
    let tx = store.write().await.unwrap();
    tx.execute_unprepared(statement).await.unwrap();
    tx
}

/// Begins something of which each piece is waited for before the next one begins.
struct Begun<'a, T> {
    store: &'a Store,
    tasks: Vec<JoinHandle<StoreResult<T>>>,
}

impl<T: Send + 'static> Begun<'_, T> {
    fn new(store: &Store) -> Begun<'_, T> {
        let tasks = Vec::new();
        Begun { store, tasks }
    }

    /// Begins one more, and waits until it waits.
    async fn add(&mut self, work: impl Future<Output = StoreResult<T>> + Send + 'static) {
        self.tasks.push(tokio::spawn(work));
        let many = i64::try_from(self.tasks.len()).unwrap();
        until_waiting(self.store, many).await;
    }

    /// What all of them did.
    async fn end(self) -> Vec<T> {
        let mut all = Vec::new();
        for task in self.tasks {
            all.push(task.await.unwrap().unwrap());
        }
        all
    }
}

async fn set(world: &World) -> i64 {
    let new = NewCaptureSet {
        project_id: world.project.id,
        name: "Some".to_owned(),
        ..Default::default()
    };
    world.store.create_capture_set(new).await.unwrap().id
}

/// What a set shows and what it holds.
async fn shown_and_held(store: &Store, set: i64) -> (i64, u64) {
    let shown = store.capture_set(set).await.unwrap().captures_count;
    (shown, store.count_members(set).await.unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_set_counts_what_several_put_into_it_at_once() {
    for fresh in testing::fresh().await {
        if fresh.store.is_sqlite() {
            continue;
        }
        let world = World::new(&fresh.store, 3).await;
        let (store, ids) = (world.store.clone(), world.captures().await);
        let set = set(&world).await;
        let lock = format!("UPDATE capture_set SET name = name WHERE id = {set}");
        let lock = held(&store, &lock).await;
        let mut begun = Begun::new(&store);
        for id in ids {
            let adding = store.clone();
            begun
                .add(async move { adding.add_to_set(set, id).await })
                .await;
        }
        lock.undo().await.unwrap();
        let mut told = begun.end().await;
        told.sort_unstable();
        assert_eq!(told, [1, 2, 3]);
        assert_eq!(shown_and_held(&store, set).await, (3, 3));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_capture_that_goes_is_taken_off_a_set_once() {
    for fresh in testing::fresh().await {
        if fresh.store.is_sqlite() {
            continue;
        }
        let world = World::new(&fresh.store, 3).await;
        let (store, ids) = (world.store.clone(), world.captures().await);
        let set = set(&world).await;
        for removed_first in [true, false] {
            store.replace_members(set, &ids).await.unwrap();
            let first = ids[usize::from(!removed_first)];
            let (shown, members) = shown_and_held(&store, set).await;
            assert_eq!(shown.unsigned_abs(), members);
            let lock = format!("UPDATE capture_set SET name = name WHERE id = {set}");
            let lock = held(&store, &lock).await;
            let mut begun = Begun::new(&store);
            for remove in [removed_first, !removed_first] {
                let store = store.clone();
                let work = async move {
                    match remove {
                        true => store.remove_from_set(set, first).await.map(drop),
                        false => store.delete_capture(first).await,
                    }
                };
                begun.add(work).await;
            }
            lock.undo().await.unwrap();
            begun.end().await;
            let left = shown_and_held(&store, set).await;
            let expected = (shown - 1, members - 1);
            assert_eq!(left, expected, "removed first: {removed_first}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_project_has_one_set_of_starred_captures_whoever_stars_at_once() {
    for fresh in testing::fresh().await {
        if fresh.store.is_sqlite() {
            continue;
        }
        let world = World::new(&fresh.store, 2).await;
        let (store, ids) = (world.store.clone(), world.captures().await);
        let project = world.project.id;
        let lock = held(&store, "LOCK TABLE capture_set IN SHARE MODE").await;
        let mut begun = Begun::new(&store);
        for id in ids {
            let starring = store.clone();
            let star = async move { starring.star(project, id, true).await };
            begun.add(star).await;
        }
        lock.undo().await.unwrap();
        let told = begun.end().await;
        assert_eq!(told[0].0, told[1].0);
        let sets = capture_set::Entity::find().filter(capture_set::Column::Method.eq("starred"));
        assert_eq!(sets.count(&store.db).await.unwrap(), 1);
        assert_eq!(shown_and_held(&store, told[0].0).await, (2, 2));
    }
}
