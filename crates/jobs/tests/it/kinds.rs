//! The other kinds, and what a delay does.

use domain::job::{DELAY_STAGE, POPULATE, REGROUP};
use domain::state::JobState;
use serde_json::json;
use store::job::NewJob;
use store::testing;

use super::world::{World, state};

#[tokio::test]
async fn regrouping_makes_sessions_and_says_what_it_did() {
    for fresh in testing::fresh().await {
        let world = World::new(&fresh.store, 7, 1).await;
        let new = || NewJob {
            kind: REGROUP,
            station_id: Some(world.station),
            capture_set_id: None,
            pipeline_id: None,
            dispatch_mode: None,
            ..world.ml()
        };
        let job = world.run(new()).await;
        assert_eq!(state(&job), JobState::Success, "{}", world.log(&job).await);
        let stage = &job.own_stages()[0];
        assert_eq!((stage.status, stage.progress), (JobState::Success, 1.0));
        let figures: Vec<_> = stage.params.iter().map(|p| p.value.clone()).collect();
        assert_eq!(figures, [7, 1, 1, 0, 0, 0, 0].map(|n| json!(n)));
        let again = world.run(new()).await;
        assert_eq!(again.own_stages()[0].params[1].value, json!(0));
        assert_eq!(world.store.count_sessions(world.project).await.unwrap(), 1);
    }
}

#[tokio::test]
async fn populating_fills_the_set() {
    for fresh in testing::fresh().await {
        let world = World::new(&fresh.store, 4, 1).await;
        let new = NewJob {
            kind: POPULATE,
            pipeline_id: None,
            dispatch_mode: None,
            ..world.ml()
        };
        let job = world.run(new).await;
        assert_eq!(state(&job), JobState::Success);
        assert_eq!(job.own_stages()[0].params[0].value, json!(4));
    }
}

#[tokio::test]
async fn a_delay_is_waited_for_and_then_a_pipeline_is_missed() {
    for fresh in testing::fresh().await {
        let world = World::new(&fresh.store, 0, 1).await;
        let new = NewJob {
            delay: 1,
            pipeline_id: None,
            dispatch_mode: None,
            ..world.ml()
        };
        let job = world.run(new).await;
        // As recorded: the wait succeeds, the job has nothing to run.
        assert_eq!(state(&job), JobState::Failure);
        let stage = &job.own_stages()[0];
        assert_eq!((stage.key.as_str(), stage.progress), (DELAY_STAGE, 1.0));
        let log = world.log(&job).await;
        assert!(log.contains("No pipeline specified"), "{log}");
    }
}
