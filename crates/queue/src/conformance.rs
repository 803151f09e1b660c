//! One suite for every implementation of [`TaskQueue`]: what the callers rely on, no more.
//! Each check takes a queue and a running job with an empty queue, and panics when a promise
//! is broken; the tests of each implementation call [`all`]. Every check has captures of its own:
//! an image is put into the queue of a generation once.
#![allow(clippy::panic, clippy::unwrap_used, clippy::expect_used)] // it exists to fail loudly

pub mod events;

use std::collections::BTreeSet;
use std::time::Duration;

use crate::{Ask, Lease, Receipt, Settle, TaskQueue};

/// Long enough not to end within a check.
const LONG: Duration = Duration::from_secs(300);
/// Over at once.
const NONE: Duration = Duration::ZERO;

/// Runs every check in order; the queue is empty between them and at the end.
pub async fn all(queue: &dyn TaskQueue, job: i64, generation: i64) {
    leases_are_exclusive(queue, job, generation).await;
    publishing_twice_changes_nothing(queue, job, generation).await;
    an_expired_lease_is_to_be_had_again(queue, job, generation).await;
    a_returned_image_comes_back(queue, job, generation).await;
    extending_keeps_an_image(queue, job, generation).await;
    the_last_delivery_is_the_last(queue, job, generation).await;
    settling_is_idempotent_and_late_receipts_count(queue, job, generation).await;
    forged_receipts_do_nothing(queue, job, generation).await;
    concurrent_leases_are_distinct(queue, job, generation).await;
    purging_empties(queue, job, generation).await;
}

fn ask(max: usize, ttl: Duration, max_deliveries: Option<i32>) -> Ask {
    Ask {
        max,
        ttl,
        max_deliveries,
        worker: None,
        claim: None,
    }
}

fn ids(leases: &[Lease]) -> BTreeSet<i64> {
    leases.iter().map(|l| l.capture).collect()
}

fn receipts(leases: &[Lease]) -> Vec<Receipt> {
    leases.iter().map(|l| l.receipt.clone()).collect()
}

async fn empty(queue: &dyn TaskQueue, job: i64) {
    let depth = queue.depth(job, None).await.unwrap();
    assert_eq!((depth.waiting, depth.leased, depth.dead), (0, 0, 0));
}

async fn leases_are_exclusive(queue: &dyn TaskQueue, job: i64, generation: i64) {
    queue.publish(job, generation, &[1, 2, 3]).await.unwrap();
    let first = queue.lease(job, ask(2, LONG, None)).await.unwrap();
    let second = queue.lease(job, ask(5, LONG, None)).await.unwrap();
    assert_eq!((first.len(), second.len()), (2, 1));
    assert!(ids(&first).is_disjoint(&ids(&second)));
    assert!(
        first
            .iter()
            .all(|l| l.generation == generation && l.deliveries == 1)
    );
    let depth = queue.depth(job, None).await.unwrap();
    assert_eq!((depth.waiting, depth.leased), (0, 3));
    queue.settle(&receipts(&first), Settle::Ack).await.unwrap();
    queue
        .settle(&receipts(&second), Settle::Term)
        .await
        .unwrap();
    empty(queue, job).await;
}

async fn publishing_twice_changes_nothing(queue: &dyn TaskQueue, job: i64, generation: i64) {
    queue.publish(job, generation, &[11, 12]).await.unwrap();
    let leased = queue.lease(job, ask(1, LONG, None)).await.unwrap();
    queue.publish(job, generation, &[11, 12]).await.unwrap();
    let rest = queue.lease(job, ask(9, LONG, None)).await.unwrap();
    assert_eq!(rest.len(), 1, "a leased image must not be doubled");
    queue.settle(&receipts(&leased), Settle::Ack).await.unwrap();
    queue.settle(&receipts(&rest), Settle::Ack).await.unwrap();
    empty(queue, job).await;
}

async fn an_expired_lease_is_to_be_had_again(queue: &dyn TaskQueue, job: i64, generation: i64) {
    queue.publish(job, generation, &[21]).await.unwrap();
    let first = queue.lease(job, ask(1, NONE, None)).await.unwrap();
    let again = queue.lease(job, ask(1, LONG, None)).await.unwrap();
    assert_eq!(ids(&first), ids(&again));
    assert_eq!(again[0].deliveries, 2);
    queue.settle(&receipts(&again), Settle::Ack).await.unwrap();
    empty(queue, job).await;
}

async fn a_returned_image_comes_back(queue: &dyn TaskQueue, job: i64, generation: i64) {
    queue.publish(job, generation, &[31]).await.unwrap();
    let first = queue.lease(job, ask(1, LONG, None)).await.unwrap();
    queue
        .settle(&receipts(&first), Settle::Nak(LONG))
        .await
        .unwrap();
    assert!(
        queue
            .lease(job, ask(1, LONG, None))
            .await
            .unwrap()
            .is_empty()
    );
    queue
        .settle(&receipts(&first), Settle::Nak(NONE))
        .await
        .unwrap();
    let again = queue.lease(job, ask(1, LONG, None)).await.unwrap();
    assert_eq!(again.len(), 1);
    queue.settle(&receipts(&again), Settle::Ack).await.unwrap();
    empty(queue, job).await;
}

async fn extending_keeps_an_image(queue: &dyn TaskQueue, job: i64, generation: i64) {
    queue.publish(job, generation, &[41]).await.unwrap();
    let first = queue.lease(job, ask(1, LONG, None)).await.unwrap();
    let kept = queue.extend(&receipts(&first), LONG).await.unwrap();
    assert_eq!(kept, receipts(&first));
    assert!(
        queue
            .lease(job, ask(1, LONG, None))
            .await
            .unwrap()
            .is_empty()
    );
    queue.settle(&receipts(&first), Settle::Ack).await.unwrap();
    let kept = queue.extend(&receipts(&first), LONG).await.unwrap();
    assert!(kept.is_empty(), "what is gone is not kept");
    empty(queue, job).await;
}

async fn the_last_delivery_is_the_last(queue: &dyn TaskQueue, job: i64, generation: i64) {
    let most = Some(2);
    queue.publish(job, generation, &[51]).await.unwrap();
    assert_eq!(queue.lease(job, ask(1, NONE, most)).await.unwrap().len(), 1);
    let last = queue.lease(job, ask(1, NONE, most)).await.unwrap();
    assert_eq!(last.len(), 1);
    assert!(
        queue
            .lease(job, ask(1, LONG, most))
            .await
            .unwrap()
            .is_empty()
    );
    let depth = queue.depth(job, most).await.unwrap();
    assert_eq!((depth.waiting, depth.leased, depth.dead), (0, 0, 1));
    queue.settle(&receipts(&last), Settle::Ack).await.unwrap();
    empty(queue, job).await;
}

async fn settling_is_idempotent_and_late_receipts_count(
    queue: &dyn TaskQueue,
    job: i64,
    generation: i64,
) {
    queue.publish(job, generation, &[61]).await.unwrap();
    let first = queue.lease(job, ask(1, NONE, None)).await.unwrap();
    let second = queue.lease(job, ask(1, LONG, None)).await.unwrap();
    queue.settle(&receipts(&first), Settle::Ack).await.unwrap();
    empty(queue, job).await;
    queue.settle(&receipts(&first), Settle::Ack).await.unwrap();
    queue.settle(&receipts(&second), Settle::Ack).await.unwrap();
    empty(queue, job).await;
}

async fn forged_receipts_do_nothing(queue: &dyn TaskQueue, job: i64, generation: i64) {
    queue.publish(job, generation, &[77]).await.unwrap();
    let lease = queue.lease(job, ask(1, LONG, None)).await.unwrap();
    let forged = lease[0].receipt.as_str().replacen(".77.", ".78.", 1);
    for text in [forged.as_str(), "", "nonsense", "1.1.1.00"] {
        let receipt = Receipt::received(text);
        let answer = queue.settle(&[receipt], Settle::Ack).await;
        let depth = queue.depth(job, None).await.unwrap();
        assert_eq!(depth.leased, 1, "{text:?} answered {answer:?}");
    }
    queue.settle(&receipts(&lease), Settle::Ack).await.unwrap();
    empty(queue, job).await;
}

async fn concurrent_leases_are_distinct(queue: &dyn TaskQueue, job: i64, generation: i64) {
    let all: Vec<i64> = (1001..=1200).collect();
    queue.publish(job, generation, &all).await.unwrap();
    let take = || async {
        let mut mine = Vec::new();
        loop {
            let got = queue.lease(job, ask(8, LONG, None)).await.unwrap();
            if got.is_empty() {
                return mine;
            }
            mine.extend(got);
        }
    };
    let (a, b, c, d) = futures_util::future::join4(take(), take(), take(), take()).await;
    let every: Vec<Lease> = [a, b, c, d].into_iter().flatten().collect();
    assert_eq!(every.len(), 200, "no image is handed out twice");
    assert_eq!(ids(&every).len(), 200, "no image is lost");
    queue.settle(&receipts(&every), Settle::Ack).await.unwrap();
    empty(queue, job).await;
}

async fn purging_empties(queue: &dyn TaskQueue, job: i64, generation: i64) {
    queue.publish(job, generation, &[81, 82, 83]).await.unwrap();
    queue.lease(job, ask(1, LONG, None)).await.unwrap();
    queue.purge(job, generation).await.unwrap();
    empty(queue, job).await;
}

/// Ends the job through `end` and looks that its images stay where they are.
pub async fn nothing_is_handed_out_after_the_end<F, Fut>(
    queue: &dyn TaskQueue,
    job: i64,
    generation: i64,
    end: F,
) where
    F: FnOnce() -> Fut,
    Fut: Future<Output = ()>,
{
    end().await;
    queue.publish(job, generation, &[91, 92]).await.unwrap();
    assert!(
        queue
            .lease(job, ask(9, LONG, None))
            .await
            .unwrap()
            .is_empty()
    );
    queue.purge(job, generation).await.unwrap();
    empty(queue, job).await;
}
