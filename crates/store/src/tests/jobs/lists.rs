//! Lists of jobs beside very many that ended long ago: what a worker's poll and a page look at does
//! not grow with them, which is read off the databases' plans, since no test asserts a time.

use std::collections::HashMap;

use domain::permission::Permit;
use domain::state::JobState;
use sea_orm::ConnectionTrait;

use super::world::World;
use crate::job::offer::Workable;
use crate::job::{Job, JobFilter, JobOrder, NewJob};
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

        let polled = store.jobs_for_workers(&filter, &Workable::All, 10, 0).await;
        let (rows, count) = polled.unwrap();
        assert_eq!((rows.len(), count), (1, 1));
        // Without a row to read there is one statement: that of the order.
        let watch = store.watch();
        let none = store.jobs_for_workers(&filter, &Workable::All, 0, 0).await;
        assert_eq!(none.unwrap(), (Vec::new(), 1));
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

/// What jobs are ordered by, as text that sorts alike.
fn value(by: JobOrder, job: &Job) -> Option<String> {
    let number = |id: Option<i64>| id.map(|id| format!("{id:09}"));
    match by {
        JobOrder::Name => Some(job.name.clone()),
        JobOrder::Created => Some(job.created_at.to_rfc3339()),
        JobOrder::Updated => Some(job.updated_at.to_rfc3339()),
        JobOrder::Started => job.started_at.map(|at| at.to_rfc3339()),
        JobOrder::Finished => job.finished_at.map(|at| at.to_rfc3339()),
        JobOrder::State => Some(job.state.clone()),
        JobOrder::Project => number(Some(job.project_id)),
        JobOrder::Station => number(job.station_id),
        JobOrder::CaptureSet => number(job.capture_set_id),
        JobOrder::Pipeline => number(job.pipeline_id),
    }
}

#[tokio::test]
async fn jobs_are_in_order_with_those_without_a_value_at_the_end_on_both_databases() {
    let mut lists: HashMap<String, Vec<i64>> = HashMap::new();
    for fresh in testing::fresh().await {
        let world = World::new(&fresh.store, 0).await;
        let store = &world.store;
        for (number, name) in ["b", "a", "c", "b", "a", "d", "b"].into_iter().enumerate() {
            let new = NewJob {
                name: name.to_owned(),
                start_now: number != 5,
                station_id: (number % 2 == 0).then_some(world.station.id),
                pipeline_id: (number % 3 == 0).then_some(world.pipeline),
                ..world.new_job()
            };
            store.create_job(new).await.unwrap();
        }
        for _ in 0..3 {
            store.claim_job("runner").await.unwrap().unwrap();
        }
        for id in [4, 5] {
            store.cancel_job(Permit::BY_PROGRAM, id).await.unwrap();
        }
        let filter = JobFilter {
            project_id: Some(world.project.id),
            ..Default::default()
        };
        let by = JobOrder::NAMES.map(|name| JobOrder::from_name(name).unwrap());
        let one = by
            .iter()
            .flat_map(|by| [vec![(*by, false)], vec![(*by, true)]]);
        let several = [
            vec![(JobOrder::State, false), (JobOrder::Name, true)],
            vec![(JobOrder::Started, true), (JobOrder::Name, false)],
        ];
        for order in one.chain(several) {
            let what = format!("{order:?}");
            let page = async |limit, offset| {
                let page = store.jobs_ordered(&filter, &order, limit, offset).await;
                let (rows, count) = page.unwrap();
                assert_eq!(count, 7, "{what}");
                rows
            };
            let rows = page(100, 0).await;
            let (first, descending) = order[0];
            let mut found: Vec<_> = rows.iter().map(|job| value(first, job)).collect();
            let first_null = found.iter().position(Option::is_none);
            let nulls = found.split_off(first_null.unwrap_or(found.len()));
            assert!(nulls.iter().all(Option::is_none), "{what}");
            let in_order = |pair: &[Option<String>]| match descending {
                true => pair[0] >= pair[1],
                false => pair[0] <= pair[1],
            };
            assert!(found.windows(2).all(in_order), "{what} {found:?}");
            // Pages follow each other, each job once.
            let mut paged = Vec::new();
            for offset in [0, 2, 4, 6, 8] {
                paged.extend(page(2, offset).await.iter().map(|job| job.id));
            }
            let ids: Vec<i64> = rows.iter().map(|job| job.id).collect();
            assert_eq!(paged, ids, "{what}");
            let before = lists.entry(what.clone()).or_insert_with(|| ids.clone());
            assert_eq!(*before, ids, "{what} {}", fresh.url);
        }
    }
}

#[tokio::test]
async fn a_page_of_very_many_jobs_is_read_along_an_index_and_not_counted_each_time() {
    for fresh in testing::fresh().await {
        let world = World::new(&fresh.store, 0).await;
        world.store.create_job(world.new_job()).await.unwrap();
        let mut store = fresh.store.clone();
        store.fill_jobs(MANY).await.unwrap();
        let watch = store.watch();
        let filter = JobFilter {
            project_id: Some(world.project.id),
            ..Default::default()
        };
        let by = ["created_at", "updated_at", "name", "status", "started_at"];
        for (name, descending) in by.into_iter().flat_map(|by| [(by, false), (by, true)]) {
            let order = [(JobOrder::from_name(name).unwrap(), descending)];
            let page = store.jobs_ordered(&filter, &order, 20, 0).await;
            let (rows, count) = page.unwrap();
            assert_eq!((rows.len(), count), (20, MANY.unsigned_abs()), "{name}");
        }
        // Once it is counted.
        for (name, descending) in by.into_iter().flat_map(|by| [(by, false), (by, true)]) {
            let order = [(JobOrder::from_name(name).unwrap(), descending)];
            watch.all(); // what was asked before, and for plans
            store.jobs_ordered(&filter, &order, 20, 0).await.unwrap();
            for asked in watch.all() {
                let plan = store.plan(&asked).await.unwrap();
                assert!(!plan.contains("COUNT(") || plan.contains("LIMIT"), "{plan}");
                let sorts = plan.lines().any(|line| {
                    let step = line.trim_start_matches([' ', '-', '>']);
                    step.starts_with("Sort (") || step.contains("TEMP B-TREE FOR ORDER BY")
                });
                assert!(!sorts, "{name} {descending}: {plan}");
            }
        }
    }
}

#[tokio::test]
async fn what_is_asked_for_up_to_now_is_counted_once_a_minute_where_it_is_long() {
    for fresh in testing::fresh().await {
        let world = World::new(&fresh.store, 0).await;
        world.store.create_job(world.new_job()).await.unwrap();
        let mut store = fresh.store.clone();
        store.fill_jobs(MANY).await.unwrap();
        let watch = store.watch();
        let edge = chrono::DateTime::UNIX_EPOCH + chrono::Duration::days(20_000);
        for (seconds, whole) in [(1, 1), (2, 0), (59, 0)] {
            let filter = JobFilter {
                no_failures_before: Some(edge + chrono::Duration::seconds(seconds)),
                ..Default::default()
            };
            watch.all();
            let (_, count) = store.jobs(&filter, 1, 0).await.unwrap();
            assert!(count > 10_000, "{count}");
            let mut exact = 0;
            for asked in watch.all() {
                let plan = store.plan(&asked).await.unwrap();
                let counts = plan.contains("COUNT(") && !plan.contains("LIMIT");
                exact += usize::from(counts);
            }
            assert_eq!(exact, whole, "{seconds}");
        }
    }
}
