//! A database that cuts its connections in the middle of a job: that is no failure of the job.

use std::time::{Duration, Instant};

use domain::state::JobState;
use jobs::Runner;
use store::testing;
use tokio_util::sync::CancellationToken;

use super::world::{World, good, state};

/// For so long connections are cut again and again.
const STORM: Duration = Duration::from_secs(1);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_whose_database_goes_away_goes_on_when_it_is_back() {
    for fresh in testing::fresh().await {
        if fresh.store.is_sqlite() {
            continue; // has no connections that could be cut
        }
        let mut world = World::new(&fresh.store, 200, 1).await;
        world.tools.pace.silence = Duration::from_millis(300);
        world.answers(good).await;
        let id = world.store.create_job(world.ml()).await.unwrap().id;
        let stop = CancellationToken::new();
        let runner = tokio::spawn(Runner::new(world.tools.clone()).run(stop.clone()));
        let began = Instant::now();
        while began.elapsed() < STORM {
            testing::cut_connections(&world.store).await;
            tokio::time::sleep(Duration::from_millis(15)).await;
        }
        let job = world.until(id, |job| job.job_state().is_final()).await;
        stop.cancel();
        runner.await.unwrap();
        let counts = world.counts(&job).await;
        assert_eq!(
            (state(&job), counts.done, counts.failed, counts.detections),
            (JobState::Success, 200, 0, 200),
            "{} rescues",
            job.rescues
        );
        let audit = world.store.audit(&job).await.unwrap();
        assert_eq!(audit.faults(Some(200)), [] as [String; 0]);
    }
}
