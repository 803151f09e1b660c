//! The suite of task queues: tickets in SQLite and in PostgreSQL, and JetStream beside each.

use domain::permission::Permit;
use queue::{Embedded, TaskQueue, conformance};
use store::testing::{self, Fresh};

use crate::world::{Queue, claimed};

async fn passes(fresh: &Fresh, queue: &dyn TaskQueue, in_stream: bool) {
    let store = &fresh.store;
    let (job, fence) = claimed(store).await;
    store.place_tasks(&fence, in_stream).await.unwrap();
    conformance::all(queue, job.id, job.generation).await;
    let end = || async {
        store.cancel_job(Permit::BY_PROGRAM, job.id).await.unwrap();
    };
    conformance::nothing_is_handed_out_after_the_end(queue, job.id, job.generation, end).await;
}

#[tokio::test]
async fn the_embedded_queue_keeps_what_callers_rely_on() {
    for fresh in testing::fresh().await {
        let queue = Embedded::new(fresh.store.clone());
        passes(&fresh, &queue, false).await;
    }
}

#[tokio::test]
async fn the_queue_in_nats_keeps_what_callers_rely_on() {
    let Some(url) = testing::nats() else { return };
    for fresh in testing::fresh().await {
        let world = Queue::new(&fresh.store, &url).await;
        passes(&fresh, &world.queue, true).await;
        world.forget().await;
    }
}

#[tokio::test]
async fn jobs_whose_tasks_are_in_the_database_go_on_there_beside_nats() {
    let Some(url) = testing::nats() else { return };
    for fresh in testing::fresh().await {
        let world = Queue::new(&fresh.store, &url).await;
        passes(&fresh, &world.queue, false).await;
        world.forget().await;
    }
}
