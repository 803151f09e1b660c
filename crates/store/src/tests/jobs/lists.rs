//! Lists of jobs beside very many that ended long ago: what a worker's poll and a page look at does
//! not grow with them, which is read off the databases' plans, since no test asserts a time.

use domain::state::JobState;
use sea_orm::ConnectionTrait;

use super::world::World;
use crate::job::JobFilter;
use crate::job::offer::Workable;
use crate::testing;

/// More than lists are counted to.
const MANY: i64 = 12_000;

#[tokio::test]
async fn a_worker_that_polls_looks_at_no_job_that_ended() {
    for fresh in testing::fresh().await {
        let world = World::new(&fresh.store, 0).await;
        let job = world.store.create_job(world.new_job()).await.unwrap();
        let mut store = fresh.store.clone();
        let filter = JobFilter {
            incomplete: true,
            ..Default::default()
        };
        for state in JobState::ALL {
            let put = format!("UPDATE job SET state = '{state}' WHERE id = {}", job.id);
            store.db.execute_unprepared(&put).await.unwrap();
            let (_, count) = store.jobs(&filter, 10, 0).await.unwrap();
            assert_eq!(count, u64::from(!state.is_final()), "{state}");
        }
        let put = format!("UPDATE job SET state = 'STARTED' WHERE id = {}", job.id);
        store.db.execute_unprepared(&put).await.unwrap();
        store.fill_jobs(MANY).await.unwrap();

        let watch = store.watch();
        let polled = store.jobs_for_workers(&filter, &Workable::All, 10, 0).await;
        let (rows, count) = polled.unwrap();
        assert_eq!((rows.len(), count), (1, 1));
        let plan = store.plan(&watch.slowest().unwrap()).await.unwrap();
        assert!(plan.contains("ix_job_state_"), "{plan}");

        // Who wants one job is not told how many there are.
        let before = fresh.statements();
        let slugs = ["test".to_owned()];
        let next = fresh.store.next_job(&slugs, &Workable::All).await.unwrap();
        assert_eq!(next, None, "it is fed to nobody");
        assert_eq!(fresh.statements() - before, 1);
    }
}
