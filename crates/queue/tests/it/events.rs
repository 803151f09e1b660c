//! The suite of carriers of events, and what happens when a connection is lost.

use std::time::Duration;

use futures_util::StreamExt;
use queue::{Changed, EventBus, LocalBus, Nats, SharedBus, conformance};
use store::{Store, testing};

use crate::server::Server;

#[tokio::test]
async fn the_bus_of_one_process_passes() {
    let bus = LocalBus::new();
    conformance::events::all(&bus, &bus).await;
}

#[tokio::test]
async fn the_bus_over_postgres_passes_also_after_its_connections_were_cut() {
    for fresh in testing::fresh().await {
        if fresh.store.is_sqlite() {
            assert!(SharedBus::over_postgres(fresh.store.clone()).await.is_err());
            continue;
        }
        let other = Store::open(&fresh.url).await.unwrap();
        let here = SharedBus::over_postgres(fresh.store.clone()).await.unwrap();
        let there = SharedBus::over_postgres(other).await.unwrap();
        conformance::events::all(&here, &there).await;
        testing::cut_listeners(&fresh.store).await;
        hears_again(&here, &there).await;
        conformance::events::all(&here, &there).await;
    }
}

#[tokio::test]
async fn the_bus_over_nats_passes_also_after_its_server_was_gone() {
    let Some(mut server) = Server::start().await else {
        return;
    };
    let one = Nats::connect(&server.url(), "moth").await.unwrap();
    let two = Nats::connect(&server.url(), "moth").await.unwrap();
    let here = SharedBus::over_nats(&one).await.unwrap();
    let there = SharedBus::over_nats(&two).await.unwrap();
    conformance::events::all(&here, &there).await;
    server.kill();
    here.publish(event(1));
    server.start_again().await;
    hears_again(&here, &there).await;
    conformance::events::all(&here, &there).await;
}

#[tokio::test]
async fn installations_that_share_a_server_do_not_hear_each_other() {
    let Some(url) = testing::nats() else { return };
    let mut buses = Vec::new();
    for _ in 0..2 {
        let prefix = format!("test-{:016x}", rand::random::<u64>());
        let nats = Nats::connect(&url, &prefix).await.unwrap();
        // Each twice: what is said in the one is heard in the other.
        buses.push(SharedBus::over_nats(&nats).await.unwrap());
        buses.push(SharedBus::over_nats(&nats).await.unwrap());
    }
    let mut heard = buses[1].subscribe();
    buses[2].publish(event(1));
    hears_again(&buses[2], &buses[3]).await;
    buses[0].publish(event(2));
    let first = tokio::time::timeout(Duration::from_secs(30), heard.next()).await;
    assert_eq!(first.unwrap(), Some(event(2)));
}

fn event(job: i64) -> Changed {
    let waiting = false;
    Changed { job, waiting }
}

/// Says something until it is heard on the other side, both ways.
async fn hears_again(here: &SharedBus, there: &SharedBus) {
    for (from, to) in [(here, there), (there, here)] {
        let mut events = to.subscribe();
        let mut heard = false;
        for _ in 0..600 {
            from.publish(event(7));
            let next = tokio::time::timeout(Duration::from_millis(100), events.next());
            if next.await.is_ok() {
                heard = true;
                break;
            }
        }
        assert!(heard, "nothing is heard any more");
    }
}
