//! The list of jobs as its page reads it, what is watched of a project, and what a job would find.

use std::time::Duration;

use domain::permission::Permit;

use super::world::{World, detection};
use crate::capture::Scope;
use crate::capture::ahead::{Ahead, Bounds};
use crate::job::{JobFilter, JobOrder, NewJob};
use crate::log::Level;
use crate::result::{Batch, Outcome};
use crate::testing;

const WHOLE: Bounds = Bounds {
    captures: 10_000,
    time: Duration::from_secs(600),
};

#[tokio::test]
async fn a_page_of_jobs_is_in_order_whichever_part_it_lies_in() {
    for fresh in testing::fresh().await {
        let world = World::new(&fresh.store, 0).await;
        let store = &world.store;
        let mut ids = Vec::new();
        for name in ["b", "a", "c", "d"] {
            let new = NewJob {
                name: name.to_owned(),
                start_now: name != "d",
                ..world.new_job()
            };
            ids.push(store.create_job(new).await.unwrap().id);
        }
        // "b" and "a" begin, in this order; the others have no such time.
        for _ in 0..2 {
            store.claim_job("runner").await.unwrap().unwrap();
        }
        let filter = JobFilter {
            project_id: Some(world.project.id),
            ..Default::default()
        };
        let names = async |order, limit, offset| {
            let page = store.jobs_page(&filter, order, limit, offset).await;
            let (rows, count) = page.unwrap();
            assert_eq!(count, 4);
            rows.into_iter().map(|job| job.name).collect::<String>()
        };
        assert_eq!(names((JobOrder::Name, false), 10, 0).await, "abcd");
        assert_eq!(names((JobOrder::Created, true), 10, 0).await, "dcab");
        assert_eq!(names((JobOrder::Started, false), 10, 0).await, "bacd");
        assert_eq!(names((JobOrder::Started, true), 10, 0).await, "abdc");
        assert_eq!(names((JobOrder::Started, true), 2, 1).await, "bd");
        assert_eq!(names((JobOrder::Started, true), 2, 3).await, "c");
        assert_eq!(names((JobOrder::State, false), 10, 0).await, "dcba");
        assert_eq!(names((JobOrder::Finished, false), 10, 0).await, "bacd");
        let named = JobFilter {
            search: vec!["c".to_owned()],
            ..filter.clone()
        };
        let passed = async |filter: &JobFilter| store.jobs_that_pass(filter, &ids[1..]).await;
        assert_eq!(passed(&named).await.unwrap(), [ids[2]]);
        assert_eq!(passed(&filter).await.unwrap(), ids[1..]);
        assert_eq!(store.last_job(world.project.id).await.unwrap(), ids[3]);
        let at_work = store.ids_at_work(world.project.id, 2).await.unwrap();
        assert_eq!(at_work, [ids[2], ids[1]]);
        let later = store.jobs_after(world.project.id, ids[1], 10).await;
        assert_eq!(later.unwrap(), ids[2..]);
        assert_eq!(store.last_job(world.project.id + 1).await.unwrap(), 0);
        store.cancel_job(Permit::BY_PROGRAM, ids[2]).await.unwrap();
        let at_work = store.ids_at_work(world.project.id, 10).await.unwrap();
        assert_eq!(at_work, [ids[1], ids[0]]);
    }
}

#[tokio::test]
async fn a_look_ahead_counts_as_the_job_will_and_stops_at_its_bounds() {
    for fresh in testing::fresh().await {
        let world = World::new(&fresh.store, 2500).await;
        let store = &world.store;
        let algorithms = store.algorithms_of(world.pipeline).await.unwrap();
        let (job, _) = world.fed().await;
        let ids = store
            .capture_ids_after(&Scope::Set(world.set), i64::MIN, 3)
            .await
            .unwrap();
        let images = ids.iter().map(|id| {
            let found = vec![detection(*id, 5.0, [0.9, 0.1])];
            (*id, Outcome::Done(found))
        });
        let batch = Batch {
            job: job.id,
            generation: job.generation,
            pipeline: world.pipeline,
            images: images.collect(),
        };
        assert_eq!(store.save_results(batch).await.unwrap().done, 3);
        let ahead = async |scope, bounds| {
            let ahead = store.look_ahead(&scope, &algorithms, bounds).await;
            ahead.unwrap()
        };
        let whole = Ahead {
            captures: 2500,
            looked_at: 2500,
            left: 2497,
            whole: true,
        };
        assert_eq!(ahead(Scope::Set(world.set), WHOLE).await, whole);
        assert_eq!(ahead(Scope::Station(world.station.id), WHOLE).await, whole);
        let one = ahead(Scope::Single(ids[0]), WHOLE).await;
        assert_eq!((one.captures, one.left, one.whole), (1, 0, true));
        let few = Bounds {
            captures: 1000,
            ..WHOLE
        };
        let cut = Ahead {
            looked_at: 1000,
            left: 997,
            whole: false,
            ..whole
        };
        assert_eq!(ahead(Scope::Set(world.set), few).await, cut);
        let at_once = Bounds {
            time: Duration::ZERO,
            ..WHOLE
        };
        assert_eq!(ahead(Scope::Station(world.station.id), at_once).await, cut);
    }
}

#[tokio::test]
async fn a_log_is_counted_no_further_than_asked() {
    for fresh in testing::fresh().await {
        let world = World::new(&fresh.store, 0).await;
        let store = &world.store;
        let id = store.create_job(world.new_job()).await.unwrap().id;
        let other = store.create_job(world.new_job()).await.unwrap().id;
        let before = store.job_log_up_to(id, 100).await.unwrap();
        let lines = vec![(Level::Info, "A line".to_owned()); 7];
        store.write_log(id, &lines).await.unwrap();
        store.write_log(other, &lines).await.unwrap();
        assert_eq!(store.job_log_up_to(id, 100).await.unwrap(), before + 7);
        assert_eq!(
            store.job_log_up_to(id, 3).await.unwrap(),
            4,
            "and no further"
        );
    }
}
