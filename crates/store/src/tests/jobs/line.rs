//! Very many jobs that wait at once: the line that is kept of them offers each who polls another
//! one, at the price of one look, and never a job that is not there any more.

use std::collections::HashSet;

use domain::job::DispatchMode;
use sea_orm::ConnectionTrait;

use super::waiting::waiting;
use super::world::World;
use crate::job::JobFilter;
use crate::job::offer::Workable;
use crate::testing;

const MANY: i64 = 700;

/// So many jobs that each have one image to hand out.
async fn in_line(world: &World) {
    let first = waiting(world).await;
    let capture = world.captures().await[0];
    let (store, pipeline) = (&world.store, world.pipeline);
    store.fill_jobs(MANY).await.unwrap();
    for put in [
        format!("UPDATE job SET state = 'STARTED', pipeline_id = {pipeline}, finished_at = NULL"),
        format!(
            "INSERT INTO ticket (job_id, capture_id, generation, visible_at, deliveries) \
             SELECT id, {capture}, generation, 0, 0 FROM job WHERE id <> {}",
            first.id
        ),
    ] {
        store.db.execute_unprepared(&put).await.unwrap();
    }
}

#[tokio::test]
async fn many_jobs_that_wait_are_put_in_line_once_for_all_who_poll() {
    for fresh in testing::fresh().await {
        let world = World::new(&fresh.store, 1).await;
        in_line(&world).await;
        let store = &world.store;
        let slugs = ["test".to_owned()];
        let filter = JobFilter {
            incomplete: true,
            dispatch: Some(DispatchMode::AsyncApi),
            slugs: Some(slugs.to_vec()),
            ..Default::default()
        };
        let poll = |limit, offset| store.jobs_for_workers(&filter, &Workable::All, limit, offset);

        let (rows, count) = poll(10, 0).await.unwrap();
        assert_eq!((rows.len(), count), (10, MANY.unsigned_abs()));
        assert_eq!(store.counts.lines.len(), 1);
        store.counts.lines.stay();
        let before = fresh.statements();
        let mut offered = HashSet::new();
        for _ in 0..20 {
            let (rows, count) = poll(1, 0).await.unwrap();
            assert_eq!((rows.len(), count), (1, MANY.unsigned_abs()));
            offered.insert(rows[0].id);
        }
        assert_eq!(fresh.statements() - before, 20, "one look each");
        assert!(offered.len() > 1, "not all are sent to the same job");
        let mut watched = store.clone();
        let watch = watched.watch();
        watched
            .jobs_for_workers(&filter, &Workable::All, 1, 0)
            .await
            .unwrap();
        let plan = store.plan(&watch.slowest().unwrap()).await.unwrap();
        assert!(!plan.contains("ix_job_state_"), "by its number: {plan}");

        let (rows, _) = poll(100, 650).await.unwrap();
        let ids: HashSet<i64> = rows.iter().map(|job| job.id).collect();
        assert_eq!(ids.len(), 50, "the last page");

        for furthest in [20_000, u64::from(u32::MAX), i64::MAX.unsigned_abs()] {
            let (rows, count) = poll(1, furthest).await.unwrap();
            assert_eq!((rows.len(), count), (0, MANY.unsigned_abs()));
        }

        // One is left, and one that is not in the line comes in: nobody hears of another.
        let left = rows[0].id;
        let mut late = world.new_job();
        late.dispatch_mode = Some(DispatchMode::AsyncApi);
        let late = store.create_job(late).await.unwrap().id;
        for put in [
            format!("UPDATE job SET state = 'REVOKED' WHERE id NOT IN ({left}, {late})"),
            format!("UPDATE job SET state = 'STARTED' WHERE id = {late}"),
        ] {
            store.db.execute_unprepared(&put).await.unwrap();
        }
        let (rows, count) = poll(5, 0).await.unwrap();
        let ids: Vec<i64> = rows.iter().map(|job| job.id).collect();
        assert_eq!((ids, count), (vec![left, late], 2), "the ready one first");
        assert_eq!(store.counts.lines.len(), 0, "a short one is not kept");
    }
}

#[tokio::test]
async fn a_kept_line_offers_no_job_whose_images_are_all_out() {
    for fresh in testing::fresh().await {
        let world = World::new(&fresh.store, 1).await;
        in_line(&world).await;
        let store = &world.store;
        let slugs = ["test".to_owned()];
        let first = store.next_job(&slugs, &Workable::All).await.unwrap();
        assert!(first.is_some());
        assert_eq!(store.counts.lines.len(), 1);
        store.counts.lines.stay();
        let left = first.unwrap().id;
        let out = format!("UPDATE ticket SET visible_at = 9000000000000 WHERE job_id <> {left}");
        store.db.execute_unprepared(&out).await.unwrap();
        for _ in 0..3 {
            let next = store.next_job(&slugs, &Workable::All).await.unwrap();
            assert_eq!(next.map(|job| job.id), Some(left));
        }
    }
}
