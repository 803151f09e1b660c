//! Stages in a job's row: when each began and ended stands beside it, whoever writes them.

use domain::permission::Permit;
use domain::state::JobState;
use serde_json::Value;

use super::world::World;
use crate::testing;

#[tokio::test]
async fn a_row_keeps_when_its_stages_began_and_ended() {
    for fresh in testing::fresh().await {
        let world = World::new(&fresh.store, 1).await;
        let store = &world.store;
        let (job, fence) = world.claimed(world.new_job()).await;
        // What a runner has in hand is without times, whatever it read before.
        let mut stages = job.own_stages();
        stages[0].status = JobState::Started;
        store.write_stages(&fence, &stages).await.unwrap();
        let begun = store.job(job.id).await.unwrap().own_stages();
        assert!(begun[0].began_at.is_some_and(|at| at >= job.created_at));
        assert_eq!((begun[0].ended_at, begun[1].began_at), (None, None));
        stages[0].end(JobState::Success);
        store.write_stages(&fence, &stages).await.unwrap();
        stages[0].set("Total Images", 1);
        store.write_stages(&fence, &stages).await.unwrap();
        let row = store.job(job.id).await.unwrap();
        let ended = row.own_stages();
        assert_eq!(ended[0].began_at, begun[0].began_at);
        assert!(ended[0].ended_at >= ended[0].began_at);

        // The progress that the API tells has the recorded keys and no others.
        let progress = crate::progress::compose(&row, Default::default());
        let told = serde_json::to_value(&progress).unwrap();
        let keys: Vec<&String> = told["stages"][0].as_object().unwrap().keys().collect();
        assert_eq!(keys, ["status", "progress", "key", "name", "params"]);
        assert_ne!(row.stages[0]["began_at"], Value::Null);

        store.finish_job(&fence, Some("lost")).await.unwrap();
        let again = store.retry_job(Permit::BY_PROGRAM, job.id, false).await;
        let again = again.unwrap().own_stages();
        assert_eq!((again[0].began_at, again[0].ended_at), (None, None));
    }
}

#[tokio::test]
async fn no_stage_goes_on_in_a_job_that_has_ended() {
    for fresh in testing::fresh().await {
        let world = World::new(&fresh.store, 1).await;
        let store = &world.store;
        let mut new = world.new_job();
        new.delay = 40;
        let (job, fence) = world.claimed(new).await;
        let mut stages = job.own_stages();
        assert_eq!(stages[0].key, domain::job::DELAY_STAGE);
        stages[0].status = JobState::Started;
        store.write_stages(&fence, &stages).await.unwrap();
        let told = |job| crate::progress::compose(&job, Default::default()).stages;
        let runs = told(store.job(job.id).await.unwrap());
        assert_eq!(runs[0].status, JobState::Started);
        store.finish_job(&fence, Some("lost")).await.unwrap();
        let ended = told(store.job(job.id).await.unwrap());
        assert_eq!(ended[0].status, JobState::Failure);
        assert_eq!(ended[1].status, JobState::Created, "it never began");
    }
}
