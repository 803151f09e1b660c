//! A night's chain run by real runners: from photographs in a folder to detections, with a step
//! that fails, and with a process that dies in the middle.

use std::sync::Arc;
use std::time::Duration;

use chrono::{Days, Utc};
use domain::job::{ML, POPULATE, REGROUP, SYNC};
use domain::permission::Permit;
use domain::schedule::Step;
use domain::state::JobState;
use jobs::{Runner, schedules};
use queue::Embedded;
use services::ServiceClient;
use store::capture_set::NewCaptureSet;
use store::schedule::{NewSchedule, RunState, ScheduleRun};
use store::station::NewStation;
use store::user::NewUser;
use store::{Store, testing};
use tokio_util::sync::CancellationToken;

use super::world::{World, good, state};

/// A station with photographs of the last three nights, and a capture set of the last one.
struct Night {
    world: World,
    station: i64,
    set: i64,
    owner: i64,
    _folder: tempfile::TempDir,
}

/// Photographs of each night.
const EACH: usize = 6;

impl Night {
    async fn new(store: &Store) -> Night {
        let world = World::new(store, 0, 1).await;
        // Else its jobs were for workers that pull.
        let pushed = store.set_flag(world.project, "async_pipeline_workers", false);
        pushed.await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let today = Utc::now().date_naive();
        for back in 1..=3 {
            let night = today - Days::new(back);
            for minute in 0..EACH {
                let name = format!("{}2330{minute:02}.png", night.format("%Y%m%d"));
                let picture = image::DynamicImage::new_rgb8(8, 8);
                picture.save(folder.path().join(name)).unwrap();
            }
        }
        let place = folder.path().canonicalize().unwrap();
        let source = store.create_local_source(world.project, "Trap", place.to_str().unwrap());
        let new = NewStation {
            project_id: world.project,
            name: "Meadow".to_owned(),
            source_id: Some(source.await.unwrap().id),
            ..Default::default()
        };
        let station = store.create_station(new).await.unwrap().id;
        let set = NewCaptureSet {
            project_id: world.project,
            name: "Last night".to_owned(),
            method: "full".to_owned(),
            kwargs: serde_json::Map::from_iter([("last_nights".to_owned(), 1.into())]),
            ..Default::default()
        };
        let set = store.create_capture_set(set).await.unwrap().id;
        let owner = NewUser {
            email: "ann@example.org".to_owned(),
            password: "secret".to_owned(),
            is_superuser: true,
            ..Default::default()
        };
        Night {
            station,
            set,
            owner: store.create_user(owner).await.unwrap().id,
            world,
            _folder: folder,
        }
    }

    /// "Every morning: sync, regroup, populate 'last night', run the pipeline on it."
    fn chain(&self) -> Vec<Step> {
        let step = |kind: &str| Step {
            kind: kind.to_owned(),
            ..Default::default()
        };
        vec![
            Step {
                station_id: Some(self.station),
                ..step(SYNC)
            },
            Step {
                station_id: Some(self.station),
                ..step(REGROUP)
            },
            Step {
                capture_set_id: Some(self.set),
                ..step(POPULATE)
            },
            Step {
                capture_set_id: Some(self.set),
                pipeline_id: Some(self.world.pipeline),
                ..step(ML)
            },
        ]
    }

    /// Makes a schedule of this chain that is due since yesterday; its number.
    async fn due(&self, steps: Vec<Step>) -> i64 {
        let new = NewSchedule {
            project_id: self.world.project,
            name: "Morning".to_owned(),
            cron: "0 6 * * *".to_owned(),
            time_zone: "UTC".to_owned(),
            steps,
            owner_id: Some(self.owner),
        };
        let store = &self.world.store;
        let made = store.create_schedule(Permit::BY_PROGRAM, new).await;
        let id = made.unwrap().id;
        testing::schedule_due(store, id, chrono::Duration::days(1)).await;
        id
    }

    /// The only run of a schedule, when it has ended.
    async fn ended(&self, schedule: i64) -> ScheduleRun {
        for _ in 0..12_000 {
            let runs = self.runs(schedule).await;
            assert!(runs.len() < 2, "it is begun once");
            if let Some(run) = runs.into_iter().next()
                && run.run_state() != RunState::Going
            {
                return run;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("the run does not end");
    }

    async fn runs(&self, schedule: i64) -> Vec<ScheduleRun> {
        let runs = self.world.store.runs_of_schedule(schedule, 10).await;
        runs.unwrap()
    }

    /// Kinds and states of the jobs of a run, in the order of their steps.
    async fn jobs(&self, run: i64) -> Vec<(String, JobState)> {
        let jobs = self.world.store.jobs_of_runs(&[run]).await.unwrap();
        let jobs = jobs.into_values().flatten();
        jobs.map(|made| (made.job.kind.clone(), state(&made.job)))
            .collect()
    }

    /// What a chain that succeeded leaves.
    async fn all_is_there(&self, run: &ScheduleRun) {
        assert_eq!(run.detail, None);
        assert_eq!(run.run_state(), RunState::Done);
        let kinds = [SYNC, REGROUP, POPULATE, ML];
        let expected = kinds.map(|kind| (kind.to_owned(), JobState::Success));
        assert_eq!(self.jobs(run.id).await, expected);
        let store = &self.world.store;
        let captures = store.station(self.station).await.unwrap().captures_count;
        assert_eq!(captures, 3 * EACH as i64);
        assert_eq!(store.count_sessions(self.world.project).await.unwrap(), 3);
        let scope = store::capture::Scope::Set(self.set);
        let chosen = store
            .capture_ids_after(&scope, i64::MIN, 100)
            .await
            .unwrap();
        assert_eq!(chosen.len(), EACH, "one night of three");
        let found = store.captures_by_id(&chosen).await.unwrap();
        assert!(found.iter().all(|capture| capture.boxes_count == 1));
    }
}

#[tokio::test]
async fn a_nights_chain_runs_from_photographs_to_detections() {
    for fresh in testing::fresh().await {
        let night = Night::new(&fresh.store).await;
        night.world.answers(good).await;
        let schedule = night.due(night.chain()).await;
        let stop = CancellationToken::new();
        // Two processes: neither leads.
        let runners = [(); 2].map(|()| {
            let runner = Runner::new(night.world.tools.clone());
            tokio::spawn(runner.run(stop.clone()))
        });
        let run = night.ended(schedule).await;
        stop.cancel();
        for runner in runners {
            runner.await.unwrap();
        }
        night.all_is_there(&run).await;
        assert_eq!(
            night.runs(schedule).await.len(),
            1,
            "one day is made up once"
        );
    }
}

#[tokio::test]
async fn a_step_that_fails_ends_the_chain() {
    for fresh in testing::fresh().await {
        let night = Night::new(&fresh.store).await;
        let mut chain = night.chain();
        // The storage of this station is nowhere.
        chain[0].station_id = Some(night.world.station);
        let schedule = night.due(chain).await;
        let stop = CancellationToken::new();
        let runner = tokio::spawn(Runner::new(night.world.tools.clone()).run(stop.clone()));
        let run = night.ended(schedule).await;
        stop.cancel();
        runner.await.unwrap();
        assert_eq!(run.run_state(), RunState::Broken);
        let why = run.detail.unwrap();
        assert!(why.starts_with("Step 1 of 4: job #"), "{why}");
        assert_eq!(night.jobs(run.id).await.len(), 1);
        let jobs = night.world.store.jobs_of_runs(&[run.id]).await.unwrap();
        let log = night.world.log(&jobs[&run.id][0].job).await;
        assert!(log.contains("Step 1 of 4 of schedule"), "{log}");
        assert!(log.contains("3 further steps are not begun"), "{log}");
    }
}

// Two threads: the fake service must answer while this one waits for the other runtime.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_chain_goes_on_when_the_process_dies() {
    for fresh in testing::fresh().await {
        let night = Night::new(&fresh.store).await;
        night
            .world
            .answers(|request| good(request).set_delay(Duration::from_millis(80)))
            .await;
        let schedule = night.due(night.chain()).await;
        // A runtime of its own, dropped in the middle of the last step.
        let mut tools = night.world.tools.clone();
        let url = fresh.url.clone();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Runtime::new().unwrap();
            runtime.block_on(async move {
                let store = Store::open(&url).await.unwrap();
                tools.queue = Arc::new(Embedded::new(store.clone()));
                tools.services = ServiceClient::new(Duration::from_secs(20)).unwrap();
                tools.store = store.clone();
                tokio::spawn(Runner::new(tools).run(CancellationToken::new()));
                loop {
                    let runs = store.runs_of_schedule(schedule, 1).await.unwrap();
                    if let Some(run) = runs.first()
                        && run.step == 3
                    {
                        let jobs = store.jobs_of_runs(&[run.id]).await.unwrap();
                        let ml = jobs[&run.id].last().unwrap().job.clone();
                        let sums = store.counts(std::slice::from_ref(&ml)).await.unwrap();
                        if sums.get(&ml.id).is_some_and(|c| c.done >= 1) {
                            break;
                        }
                    }
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
            });
            runtime.shutdown_background();
        })
        .join()
        .unwrap();
        let silence = chrono::Duration::zero();
        night.world.store.rescue_jobs(silence).await.unwrap();
        let stop = CancellationToken::new();
        let runner = tokio::spawn(Runner::new(night.world.tools.clone()).run(stop.clone()));
        let run = night.ended(schedule).await;
        stop.cancel();
        runner.await.unwrap();
        night.all_is_there(&run).await;
    }
}

#[tokio::test]
async fn a_step_that_ended_while_nobody_looked_is_followed_by_the_next() {
    for fresh in testing::fresh().await {
        let night = Night::new(&fresh.store).await;
        let schedule = night.due(night.chain()[..2].to_vec()).await;
        let (tools, store) = (&night.world.tools, &night.world.store);
        schedules::round(tools).await.unwrap();
        // The process died between the end of the job and the next look.
        let (job, fence) = store.claim_job("gone").await.unwrap().unwrap();
        store.finish_job(&fence, None).await.unwrap();
        assert_eq!(night.runs(schedule).await[0].step, 0);
        let rounds = [tools; 4].map(schedules::round);
        let rounds = futures_util::future::join_all(rounds).await;
        assert!(rounds.iter().all(Result::is_ok));
        let run = &night.runs(schedule).await[0];
        let jobs = night.jobs(run.id).await;
        assert_eq!((run.step, jobs.len(), jobs[1].1), (1, 2, JobState::Pending));
        assert_eq!(job.kind, SYNC);
    }
}
