//! Schedules: one process begins what is due, what was missed is made up once, and a chain goes
//! on whatever happens to those who looked after it.

use chrono::Duration;
use domain::job::{ML, REGROUP, SYNC};
use domain::permission::{Permit, Role};
use domain::schedule::Step;
use serde_json::json;

use super::jobs::world::World;
use crate::job::Job;
use crate::schedule::{Begun, NewSchedule, RunState, Schedule, ScheduleChange};
use crate::testing;
use crate::user::{NewUser, User};
use crate::{Store, StoreError};

/// A world with somebody who may run all, and a schedule of theirs.
struct Night {
    world: World,
    owner: User,
    schedule: Schedule,
}

fn regroup(station: i64) -> Step {
    Step {
        kind: REGROUP.to_owned(),
        station_id: Some(station),
        ..Default::default()
    }
}

impl Night {
    async fn new(store: &Store, steps: impl Fn(&World) -> Vec<Step>) -> Night {
        let world = World::new(store, 2).await;
        let owner = person(store, "ann@example.org").await;
        let (permit, role) = (Permit::BY_PROGRAM, Role::MlDataManager);
        let member = store.add_member(permit, world.project.id, owner.id, role);
        member.await.unwrap();
        let new = NewSchedule {
            project_id: world.project.id,
            name: "Night".to_owned(),
            cron: "0 6 * * *".to_owned(),
            time_zone: "Europe/Berlin".to_owned(),
            steps: steps(&world),
            owner_id: Some(owner.id),
        };
        let schedule = store.create_schedule(Permit::BY_PROGRAM, new).await;
        Night {
            schedule: schedule.unwrap(),
            world,
            owner,
        }
    }

    fn store(&self) -> &Store {
        &self.world.store
    }

    async fn now(&self) -> Schedule {
        self.store().schedule(self.schedule.id).await.unwrap()
    }

    /// Begins it as a caretaker does, with a last time so long ago.
    async fn begin(&self, since: Duration) -> Option<Begun> {
        testing::schedule_due(self.store(), self.schedule.id, since).await;
        let due = self.store().due_schedules().await.unwrap();
        let seen = due.iter().find(|row| row.id == self.schedule.id)?;
        self.store().begin_due(seen).await.unwrap()
    }

    /// Ends the only job that waits.
    async fn end(&self, failure: Option<&str>) -> Job {
        let (_, fence) = self.store().claim_job("runner").await.unwrap().unwrap();
        self.store().finish_job(&fence, failure).await.unwrap()
    }

    async fn advance(&self, run: i64) -> Option<Begun> {
        self.store().advance_run(run).await.unwrap()
    }
}

async fn person(store: &Store, email: &str) -> User {
    let new = NewUser {
        email: email.to_owned(),
        password: "secret".to_owned(),
        ..Default::default()
    };
    store.create_user(new).await.unwrap()
}

#[tokio::test]
async fn of_many_processes_one_begins_what_is_due() {
    for fresh in testing::fresh().await {
        let night = Night::new(&fresh.store, |w| vec![regroup(w.station.id)]).await;
        let store = night.store();
        assert!(store.due_schedules().await.unwrap().is_empty());
        let since = Duration::hours(1);
        testing::schedule_due(store, night.schedule.id, since).await;
        let mut all = Vec::new();
        for shard in 0..8 {
            let store = store.as_another(shard);
            all.push(tokio::spawn(async move {
                let due = store.due_schedules().await.unwrap();
                match due.first() {
                    Some(seen) => store.begin_due(seen).await.unwrap(),
                    None => None,
                }
            }));
        }
        let mut begun = Vec::new();
        for one in all {
            begun.extend(one.await.unwrap());
        }
        assert_eq!(begun.len(), 1);
        let runs = store.runs_of_schedule(night.schedule.id, 10).await.unwrap();
        assert_eq!(runs.len(), 1);
        // Eight that advance its chain at once begin nothing more either.
        night.end(None).await;
        let run = runs[0].id;
        let mut moved = 0;
        let all = (0..8).map(|shard| {
            let store = store.as_another(shard);
            tokio::spawn(async move { store.advance_run(run).await.unwrap().is_some() })
        });
        for one in all.collect::<Vec<_>>() {
            moved += usize::from(one.await.unwrap());
        }
        assert_eq!(moved, 1);
    }
}

#[tokio::test]
async fn what_was_missed_is_made_up_once() {
    for fresh in testing::fresh().await {
        let night = Night::new(&fresh.store, |w| vec![regroup(w.station.id)]).await;
        let begun = night.begin(Duration::days(9)).await.unwrap();
        assert_eq!(begun.jobs.len(), 1);
        assert_eq!(begun.jobs[0].created_by_id, Some(night.owner.id));
        let planned = begun.run.planned_at.unwrap();
        assert!(crate::now() - planned >= Duration::days(9));
        let next = night.now().await.next_at.unwrap();
        assert!(next > crate::now(), "nine mornings are one run");
        assert!(night.store().due_schedules().await.unwrap().is_empty());
        // Due again while the run goes on: it waits, and begins behind it.
        assert!(night.begin(Duration::hours(1)).await.is_none());
        night.end(None).await;
        let done = night.advance(begun.run.id).await.unwrap();
        assert_eq!(done.run.run_state(), RunState::Done);
        let due = night.store().due_schedules().await.unwrap();
        assert!(night.store().begin_due(&due[0]).await.unwrap().is_some());
        // What was seen to be due before is not any more.
        assert!(night.store().begin_due(&due[0]).await.unwrap().is_none());
    }
}

#[tokio::test]
async fn what_is_paused_makes_nothing_up() {
    for fresh in testing::fresh().await {
        let night = Night::new(&fresh.store, |w| vec![regroup(w.station.id)]).await;
        let (store, id) = (night.store(), night.schedule.id);
        let hold = async |goes_on| {
            let held = store.hold_schedule(Permit::BY_PROGRAM, id, goes_on).await;
            held.unwrap()
        };
        testing::schedule_due(store, id, Duration::days(2)).await;
        let seen = store.due_schedules().await.unwrap().remove(0);
        assert!(hold(false).await.is_paused());
        assert!(store.begin_due(&seen).await.unwrap().is_none());
        assert!(store.due_schedules().await.unwrap().is_empty());
        // Another rhythm does not resume it.
        let change = ScheduleChange {
            cron: Some("30 7 * * *".to_owned()),
            ..Default::default()
        };
        let changed = store.change_schedule(Permit::BY_PROGRAM, id, change).await;
        assert!(changed.unwrap().is_paused());
        // It can be run by hand, and stays paused.
        let begun = store.run_schedule(Permit::BY_PROGRAM, id, Some(night.owner.id));
        let begun = begun.await.unwrap();
        assert_eq!((begun.jobs.len(), begun.run.planned_at), (1, None));
        assert!(night.now().await.is_paused());
        let again = store.run_schedule(Permit::BY_PROGRAM, id, Some(night.owner.id));
        let again = again.await.unwrap();
        assert_eq!((again.run.id, again.jobs.len()), (begun.run.id, 0));
        assert!(hold(true).await.next_at.unwrap() > crate::now());
        assert!(store.due_schedules().await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn a_chain_begins_each_step_behind_the_one_before() {
    for fresh in testing::fresh().await {
        let steps = |w: &World| {
            let ml = Step {
                kind: ML.to_owned(),
                name: "Detect".to_owned(),
                capture_set_id: Some(w.set),
                pipeline_id: Some(w.pipeline),
                limit: Some(3),
                ..Default::default()
            };
            // No station has a storage: that step has nothing to do.
            let sync = Step {
                kind: SYNC.to_owned(),
                ..Default::default()
            };
            vec![regroup(w.station.id), sync, ml]
        };
        let night = Night::new(&fresh.store, steps).await;
        let store = night.store();
        let begun = night.begin(Duration::hours(1)).await.unwrap();
        let run = begun.run.id;
        assert!(night.advance(run).await.is_none(), "its job waits");
        // A chain that has begun keeps its steps.
        let change = ScheduleChange {
            steps: Some(vec![regroup(night.world.station.id)]),
            ..Default::default()
        };
        let id = night.schedule.id;
        let changed = store.change_schedule(Permit::BY_PROGRAM, id, change).await;
        assert_eq!(changed.unwrap().chain().len(), 1);
        assert_eq!(night.end(None).await.id, begun.jobs[0].id);
        let second = night.advance(run).await.unwrap();
        assert_eq!((second.run.step, second.jobs.len()), (2, 1));
        let job = &second.jobs[0];
        assert_eq!((job.name.as_str(), job.limit), ("Detect", Some(3)));
        assert_eq!(job.dispatch_mode, "async_api");
        assert!(night.advance(run).await.is_none());
        let (_, fence) = store.claim_job("runner").await.unwrap().unwrap();
        store.finish_job(&fence, None).await.unwrap();
        let done = night.advance(run).await.unwrap().run;
        assert_eq!((done.run_state(), done.detail), (RunState::Done, None));
        let jobs = store.jobs_of_runs(&[run]).await.unwrap();
        let steps: Vec<i32> = jobs[&run].iter().map(|made| made.step).collect();
        assert_eq!(steps, [0, 2]);
    }
}

#[tokio::test]
async fn a_step_that_fails_ends_the_chain_and_says_so() {
    for fresh in testing::fresh().await {
        let steps = |w: &World| vec![regroup(w.station.id), regroup(w.station.id)];
        let night = Night::new(&fresh.store, steps).await;
        let store = night.store();
        let begun = night.begin(Duration::hours(1)).await.unwrap();
        let job = night.end(Some("no storage")).await;
        let ended = night.advance(begun.run.id).await.unwrap().run;
        let why = ended.detail.unwrap();
        assert!(why.starts_with("Step 1 of 2: job #"), "{why}");
        assert!(why.ends_with("ended as FAILURE."), "{why}");
        let log = store.job_log(job.id, 1).await.unwrap();
        assert!(log[0].message.contains("1 further steps are not begun"));
        assert!(store.going_runs().await.unwrap().is_empty());
        // A job that was deleted ends it too.
        let begun = night.begin(Duration::hours(1)).await.unwrap();
        let gone = begun.jobs[0].id;
        store.delete_job(Permit::BY_PROGRAM, gone).await.unwrap();
        let ended = night.advance(begun.run.id).await.unwrap().run;
        assert!(ended.detail.unwrap().contains("deleted"));
    }
}

#[tokio::test]
async fn a_schedule_acts_with_the_rights_that_its_owner_has_then() {
    for fresh in testing::fresh().await {
        let steps = |w: &World| vec![regroup(w.station.id), regroup(w.station.id)];
        let night = Night::new(&fresh.store, steps).await;
        let store = night.store();
        let begun = night.begin(Duration::hours(1)).await.unwrap();
        night.end(None).await;
        let members = store.members(night.world.project.id, 10, 0).await.unwrap();
        let member = members.0[0].0.id;
        let less = store.change_member(Permit::BY_PROGRAM, member, Role::Identifier);
        less.await.unwrap();
        let ended = night.advance(begun.run.id).await.unwrap().run;
        let why = ended.detail.unwrap();
        assert!(why.starts_with("Step 2 of 2 was not begun"), "{why}");
        assert!(why.contains("may not run jobs"), "{why}");
        // And it does not begin, but comes round again.
        let refused = night.begin(Duration::hours(1)).await.unwrap();
        assert_eq!(refused.run.run_state(), RunState::Broken);
        assert!(refused.jobs.is_empty());
        assert!(night.now().await.next_at.unwrap() > crate::now());
        // Whoever saves it takes over.
        let boss = person(store, "boss@example.org").await;
        let (permit, role) = (Permit::BY_PROGRAM, Role::ProjectManager);
        let added = store.add_member(permit, night.world.project.id, boss.id, role);
        added.await.unwrap();
        let change = ScheduleChange {
            owner_id: Some(boss.id),
            ..Default::default()
        };
        let id = night.schedule.id;
        let saved = store.change_schedule(Permit::BY_PROGRAM, id, change);
        saved.await.unwrap();
        let begun = night.begin(Duration::hours(1)).await.unwrap();
        assert_eq!(begun.jobs[0].created_by_id, Some(boss.id));
    }
}

#[tokio::test]
async fn deleting_a_schedule_leaves_its_jobs() {
    for fresh in testing::fresh().await {
        let night = Night::new(&fresh.store, |w| vec![regroup(w.station.id)]).await;
        let store = night.store();
        let begun = night.begin(Duration::hours(1)).await.unwrap();
        let id = night.schedule.id;
        store.delete_schedule(Permit::BY_PROGRAM, id).await.unwrap();
        assert!(store.job(begun.jobs[0].id).await.is_ok());
        assert!(night.advance(begun.run.id).await.is_none());
        let again = store.delete_schedule(Permit::BY_PROGRAM, id).await;
        assert!(matches!(again, Err(StoreError::NotFound("schedule"))));
        let project = night.world.project.id;
        store
            .delete_project(Permit::BY_PROGRAM, project)
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn what_a_step_names_must_be_of_the_project_and_there() {
    for fresh in testing::fresh().await {
        let night = Night::new(&fresh.store, |w| vec![regroup(w.station.id)]).await;
        let (store, world) = (night.store(), &night.world);
        let other = super::project(store).await;
        let step = Step {
            kind: ML.to_owned(),
            station_id: Some(world.station.id),
            capture_set_id: Some(world.set),
            pipeline_id: Some(world.pipeline),
            ..Default::default()
        };
        let missing = store.missing_of_step(world.project.id, &step).await;
        assert_eq!(missing.unwrap(), []);
        let missing = store.missing_of_step(other.id, &step).await.unwrap();
        let names: Vec<&str> = missing.iter().map(|(name, _)| *name).collect();
        let all = ["deployment_id", "source_image_collection_id", "pipeline_id"];
        assert_eq!(names, all);
        // What went since the schedule was written ends its run with a reason.
        store
            .delete_station(Permit::BY_PROGRAM, world.station.id)
            .await
            .unwrap();
        let begun = night.begin(Duration::hours(1)).await.unwrap();
        let why = begun.run.detail.unwrap();
        assert!(why.contains("deployment_id"), "{why}");
    }
}

#[tokio::test]
async fn upkeep_is_one_processes_at_a_time_and_nobodys_schedule() {
    for fresh in testing::fresh().await {
        let night = Night::new(&fresh.store, |w| vec![regroup(w.station.id)]).await;
        let store = night.store();
        for _ in 0..2 {
            store.note_upkeep("test", "*/5 * * * *").await.unwrap();
        }
        let due = store.due_upkeep().await.unwrap();
        assert_eq!(due.len(), 1);
        let rhythm = due[0].rhythm().unwrap();
        let mut taken = 0;
        let all = (0..8).map(|shard| {
            let (store, seen, rhythm) = (store.as_another(shard), due[0].clone(), rhythm.clone());
            tokio::spawn(async move { store.take_upkeep(&seen, &rhythm).await.unwrap() })
        });
        for one in all.collect::<Vec<_>>() {
            taken += usize::from(one.await.unwrap());
        }
        assert_eq!(taken, 1);
        assert!(store.due_upkeep().await.unwrap().is_empty());
        assert!(store.schedule(due[0].id).await.is_err());
        let (rows, count) = store.schedules(&Default::default(), 10, 0).await.unwrap();
        assert_eq!((rows.len(), count), (1, 1));
        assert_eq!(rows[0].id, night.schedule.id);
    }
}

#[tokio::test]
async fn old_logs_go_and_their_jobs_stay() {
    for fresh in testing::fresh().await {
        let night = Night::new(&fresh.store, |w| vec![regroup(w.station.id)]).await;
        let store = night.store();
        let begun = night.begin(Duration::hours(1)).await.unwrap();
        let job = begun.jobs[0].id;
        assert_eq!(store.prune_logs(0).await.unwrap(), 0, "it has not ended");
        night.end(None).await;
        assert_eq!(store.prune_logs(1).await.unwrap(), 0, "it is not old");
        assert!(store.prune_logs(0).await.unwrap() > 0);
        assert!(store.job_log(job, 10).await.unwrap().is_empty());
        assert!(store.job(job).await.is_ok());
        store.start_login(night.owner.id).await.unwrap();
        assert_eq!(store.sweep_expired().await.unwrap(), 0);
        assert_eq!(begun.run.steps, json!([night.schedule.chain()[0]]));
    }
}
