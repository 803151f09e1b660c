//! One suite for every carrier of events: `here` and `there` are the same bus, of one process or
//! of two. Nothing is asserted about when an event comes, only that it does.

use std::time::Duration;

use futures_util::StreamExt;

use crate::{Changed, EventBus, EventStream};

/// What has not come after this does not come.
const PATIENCE: Duration = Duration::from_secs(30);

/// Runs every check in order.
pub async fn all(here: &dyn EventBus, there: &dyn EventBus) {
    everybody_hears_what_is_said_anywhere(here, there).await;
    nobody_hears_what_was_said_before(here).await;
    many_changes_reach_everybody_in_the_end(here, there).await;
    a_slow_listener_loses_the_oldest_and_goes_on(here).await;
}

fn event(job: i64) -> Changed {
    let waiting = false;
    Changed { job, waiting }
}

/// Listens until this comes.
async fn hears(events: &mut EventStream, wanted: Changed) {
    let heard = async {
        while let Some(event) = events.next().await {
            if event == wanted {
                return true;
            }
        }
        false
    };
    let heard = tokio::time::timeout(PATIENCE, heard).await;
    assert_eq!(heard, Ok(true), "{wanted:?} does not come");
}

async fn everybody_hears_what_is_said_anywhere(here: &dyn EventBus, there: &dyn EventBus) {
    let mut listeners = [here.subscribe(), here.subscribe(), there.subscribe()];
    here.publish(event(1));
    for listener in &mut listeners {
        hears(listener, event(1)).await;
    }
    there.publish(event(2));
    for listener in &mut listeners {
        hears(listener, event(2)).await;
    }
}

async fn nobody_hears_what_was_said_before(here: &dyn EventBus) {
    here.publish(event(3));
    let mut late = here.subscribe();
    here.publish(event(4));
    let first = tokio::time::timeout(PATIENCE, late.next()).await;
    assert_eq!(first, Ok(Some(event(4))));
}

/// However they are gathered on the way: every job is heard of, and that one waits is not lost.
async fn many_changes_reach_everybody_in_the_end(here: &dyn EventBus, there: &dyn EventBus) {
    let mut events = there.subscribe();
    let waiting = Changed {
        job: 107,
        waiting: true,
    };
    here.publish(waiting);
    for _ in 0..20 {
        (100..110).for_each(|job| here.publish(event(job)));
    }
    let mut missing: Vec<i64> = (100..110).collect();
    let mut waits = false;
    let all = async {
        while !(missing.is_empty() && waits) {
            let Some(event) = events.next().await else {
                return;
            };
            missing.retain(|job| *job != event.job);
            waits |= event == waiting;
        }
    };
    let ended = tokio::time::timeout(PATIENCE, all).await;
    assert!(
        ended.is_ok(),
        "no word of {missing:?}, or that one waits: {waits}"
    );
}

async fn a_slow_listener_loses_the_oldest_and_goes_on(here: &dyn EventBus) {
    let mut slow = here.subscribe();
    (1000..4000).for_each(|job| here.publish(event(job)));
    let first = tokio::time::timeout(PATIENCE, slow.next()).await;
    let first = first.unwrap().map(|event| event.job);
    assert!(
        first > Some(1000),
        "the oldest are dropped, not the listener"
    );
    hears(&mut slow, event(3999)).await;
}
