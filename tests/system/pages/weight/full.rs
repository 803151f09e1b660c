//! A project with more of everything than its pages hold, and with names as long as people make
//! them.

use chrono::{Duration, NaiveDateTime};
use domain::permission::{Permit, Role};
use domain::schedule::Step;
use domain::wire::PipelineConfigResponse;
use serde_json::json;
use store::capture::{Capture, NewCapture, Scope};
use store::capture_set::NewCaptureSet;
use store::export::NewExport;
use store::job::{Job, NewJob};
use store::log::Level;
use store::project::NewProject;
use store::schedule::NewSchedule;
use store::station::NewStation;
use store::testing::{self, rows::Row, rows::insert};

use crate::pull::Farm;

/// A name as people give them where there are many.
fn long(what: &str, n: i64) -> String {
    format!("{what} {n:03} by the mill & the pond, the third from the left")
}

/// A project with more than its pages hold.
pub struct Full {
    pub farm: Farm,
    /// Its manager.
    pub user: i64,
    pub station: i64,
    pub set: i64,
    pub pipeline: i64,
    /// The captures of a long night, by time.
    pub night: Vec<Capture>,
    pub source: i64,
    pub service: i64,
    pub schedule: i64,
    pub job: i64,
}

impl Full {
    pub async fn new(farm: Farm) -> Full {
        farm.app
            .member(&farm.project, Some(Role::ProjectManager))
            .await;
        let user = farm.app.store.user_by_email("projectmanager@example.org");
        let user = user.await.unwrap().unwrap().id;
        let mut full = Full {
            user,
            station: farm.station.id,
            set: 0,
            pipeline: farm.pipeline,
            night: Vec::new(),
            source: farm.station.source_id.unwrap(),
            service: 0,
            schedule: 0,
            job: 0,
            farm,
        };
        full.pipelines().await;
        full.captures().await;
        full.boxes().await;
        full.one_job().await;
        full.places().await;
        full.jobs().await;
        full.clock().await;
        full.people().await;
        full
    }

    /// Stations, sets, sources, exports, other projects.
    async fn places(&mut self) {
        let (store, project_id) = (&self.farm.app.store, self.farm.project.id);
        for n in 0..210 {
            let new = NewStation {
                project_id,
                name: long("Station", n),
                ..Default::default()
            };
            self.station = store.create_station(new).await.unwrap().id;
            let new = NewCaptureSet {
                project_id,
                name: long("Set", n),
                description: long("Chosen", n),
                method: "random_from_each_event".to_owned(),
                ..Default::default()
            };
            self.set = store.create_capture_set(new).await.unwrap().id;
        }
        for n in 0..30 {
            let name = long("Source", n);
            let made = store.create_local_source(project_id, &name, "/photographs");
            made.await.unwrap();
            let new = NewExport {
                project_id,
                user_id: Some(self.user),
                format: "occurrences_simple_csv".to_owned(),
                filters: json!({}),
                filters_display: json!({"collection": {"name": long("Set", n)}}),
                job_name: long("Export", n),
                ..Default::default()
            };
            store.create_export(new).await.unwrap();
        }
        for n in 0..55 {
            let new = NewProject {
                name: long("Project", n),
                description: long("Moths of all kinds", n).repeat(5),
                ..Default::default()
            };
            store.create_project(new).await.unwrap();
        }
    }

    /// Pipelines, services that were now silent and now not, and workers.
    async fn pipelines(&mut self) {
        let (store, project) = (&self.farm.app.store, self.farm.project.id);
        let configs = (0..205).map(|n| {
            let config = json!({
                "name": long("Moths", n), "slug": format!("moths-{n:03}"), "version": 1,
                "algorithms": [{"name": "Boxes", "key": "boxes", "task_type": "localization"}],
            });
            serde_json::from_value(config).unwrap()
        });
        let configs: Vec<PipelineConfigResponse> = configs.collect();
        let made = store.register_pull_service(project, "Many", &configs, true);
        made.await.unwrap();
        let now = store::now();
        let mut rows = Vec::new();
        for n in 0..20 {
            let (name, about) = (long("Service", n), long("Finds moths of all kinds", n));
            let address = Some("http://127.0.0.1:9/some/way/to/the/service/");
            let made = store.put_service(project, &name, &about, address);
            self.service = made.await.unwrap().id;
            for part in 0..84 {
                let slot = (now.timestamp() - part * 7200).div_euclid(300) * 300;
                let row = Row::new("service_check").int("service_id", self.service);
                let (answered, failed) = (part % 2, 1 - part % 2);
                let row = row.int("slot", slot).int("answered", answered);
                rows.push(row.int("failed", failed));
            }
            let row = Row::new("worker").int("project_id", project);
            let row = row.text("name", long("Worker", n)).text("host", "gpu");
            let row = row.instant("last_seen_at", now).instant("created_at", now);
            rows.push(row.int("done", 1234).int("failed", 12));
        }
        insert(store, &rows).await.unwrap();
    }

    /// A night of each day for two months, and a long one at the end.
    async fn captures(&mut self) {
        let store = &self.farm.app.store;
        let station = &self.farm.station;
        let start: NaiveDateTime = "2022-06-01T21:00:00".parse().unwrap();
        let single = (0..60).map(|day| start + Duration::days(day));
        let last = start + Duration::days(60);
        let night = (0..90).map(|n| last + Duration::minutes(5 * n));
        let new: Vec<NewCapture> = single
            .chain(night)
            .map(|at| NewCapture {
                path: format!("{}/{at}.jpg", "a-folder-of-the-year-2022/".repeat(3)),
                taken_at: Some(at),
                width: Some(4000),
                height: Some(3000),
                size: Some(2_000_000),
                ..Default::default()
            })
            .collect();
        store.upsert_captures(station, &new).await.unwrap();
        let gap = Duration::hours(2);
        store.regroup(station.id, gap, |_| {}).await.unwrap();
        store.refresh_station(station.id).await.unwrap();
        let scope = Scope::Station(station.id);
        let ids = store.capture_ids_after(&scope, 0, 1000).await.unwrap();
        let mut all = store.captures_by_id(&ids).await.unwrap();
        all.retain(|capture| capture.taken_at >= Some(last));
        all.sort_by_key(|capture| capture.taken_at);
        self.night = all;
    }

    /// Seven captures with many boxes, the last with most.
    async fn boxes(&mut self) {
        let store = &self.farm.app.store;
        let taxon = testing::taxon(store, "Macroglossum stellatarum").await;
        let algorithm = store.algorithm_by_key("boxes").await.unwrap().unwrap().id;
        let now = store::now();
        let mut rows = Vec::new();
        let mut id = 0;
        for (place, capture) in self.night[..7].iter().enumerate() {
            let count = if place == 6 { 250 } else { 60 };
            for n in 0..count {
                id += 1;
                let edge = f64::from(n) * 10.0 + 1000.0;
                let found = Row::new("detection")
                    .int("capture_id", capture.id)
                    .float("x1", edge)
                    .float("y1", edge)
                    .float("x2", edge + 200.0)
                    .float("y2", edge + 100.0)
                    .int("algorithm_id", algorithm);
                let said = Row::new("classification")
                    .int("detection_id", id)
                    .int("taxon_id", taxon)
                    .int("algorithm_id", algorithm)
                    .float("score", 0.9)
                    .bool("terminal", true)
                    .instant("classified_at", now);
                rows.extend([found, said].map(|row| {
                    row.int("id", id)
                        .instant("created_at", now)
                        .instant("updated_at", now)
                }));
            }
        }
        insert(store, &rows).await.unwrap();
        let ids: Vec<i64> = self.night.iter().map(|capture| capture.id).collect();
        store.recount_captures(&ids).await.unwrap();
    }

    fn new_job(&self, name: String) -> NewJob {
        NewJob {
            name,
            project_id: self.farm.project.id,
            kind: domain::job::ML,
            station_id: Some(self.station),
            capture_set_id: Some(self.set),
            pipeline_id: Some(self.pipeline),
            created_by_id: Some(self.user),
            start_now: true,
            ..Default::default()
        }
    }

    /// Jobs that wait.
    async fn jobs(&mut self) {
        for n in 0..60 {
            let name = long(&"A job with a name of many words, ".repeat(4), n);
            let new = self.new_job(name);
            self.farm.app.store.create_job(new).await.unwrap();
        }
    }

    /// One with a long log, a long story, captures that failed and captures that did not.
    async fn one_job(&mut self) {
        let store = &self.farm.app.store;
        let mut new = self.new_job(long("Night", 0));
        new.station_id = Some(self.farm.station.id);
        new.capture_set_id = None;
        let made = store.create_job(new).await.unwrap();
        let (job, fence) = store.claim_job("runner").await.unwrap().unwrap();
        assert_eq!(job.id, made.id);
        let scope = Scope::Station(self.farm.station.id);
        let ids = store.capture_ids_after(&scope, 0, 1000).await.unwrap();
        let found: Vec<i64> = self.night[..7].iter().map(|capture| capture.id).collect();
        let others: Vec<i64> = ids
            .iter()
            .copied()
            .filter(|id| !found.contains(id))
            .collect();
        let last = others[others.len() - 1];
        store.feed_page(&fence, &others, last).await.unwrap();
        store.feed_end(&fence, false).await.unwrap();
        let why = "The service could not be reached. ".repeat(20);
        store.finish_job(&fence, Some(why.as_str())).await.unwrap();
        self.tell(&job, &found, &why).await;
        self.job = job.id;
    }

    /// What would take a job long to say.
    async fn tell(&self, job: &Job, found: &[i64], why: &str) {
        let store = &self.farm.app.store;
        let mut rows = Vec::new();
        for id in found {
            let row = Row::new("task_result").int("job_id", job.id);
            let row = row.int("run_no", job.run_no).int("stage", 0);
            let row = row.int("capture_id", *id).int("generation", job.generation);
            rows.push(row.int("outcome", 1).int("deliveries", 1));
        }
        for _ in 0..40 {
            let row = Row::new("job_event").int("job_id", job.id);
            let row = row.text("what", "rescued").text("state", "PENDING");
            let row = row.text("detail", why).int("user_id", self.user);
            rows.push(row.instant("created_at", store::now()));
        }
        insert(store, &rows).await.unwrap();
        let line = (
            Level::Warning,
            "What a service answered & more. ".repeat(100),
        );
        let lines = vec![line; 250];
        store.write_log(job.id, &lines).await.unwrap();
    }

    /// Schedules that have run, the last of them of twenty steps.
    async fn clock(&mut self) {
        let store = &self.farm.app.store;
        let step = Step {
            kind: domain::job::ML.to_owned(),
            name: long("Step", 0),
            capture_set_id: Some(self.set),
            pipeline_id: Some(self.pipeline),
            ..Default::default()
        };
        for n in 0..35 {
            let count = if n == 34 { 20 } else { 3 };
            let new = NewSchedule {
                project_id: self.farm.project.id,
                name: long("Nightly", n),
                cron: "30 6 * * *".to_owned(),
                time_zone: "America/Argentina/Buenos_Aires".to_owned(),
                steps: vec![step.clone(); count],
                owner_id: Some(self.user),
            };
            let made = store
                .create_schedule(Permit::BY_PROGRAM, new)
                .await
                .unwrap();
            let run = store.run_schedule(Permit::BY_PROGRAM, made.id, Some(self.user));
            run.await.unwrap();
            self.schedule = made.id;
        }
    }

    /// Members, and tokens of the manager.
    async fn people(&mut self) {
        let (store, now) = (&self.farm.app.store, store::now());
        let ids = 10_000..10_050;
        let rows = ids.clone().map(|id| {
            Row::new("user")
                .int("id", id)
                .text(
                    "email",
                    format!("somebody.with.a.name.{id}@museum.example.org"),
                )
                .text("password", "!")
                .text("name", long("Somebody", id - 10_000))
                .bool("is_staff", false)
                .bool("is_superuser", false)
                .bool("is_active", true)
                .instant("created_at", now)
        });
        insert(store, &rows.collect::<Vec<_>>()).await.unwrap();
        for id in ids {
            let role = Role::MlDataManager;
            store
                .set_role(self.farm.project.id, id, role)
                .await
                .unwrap();
            let token = long("Token", id - 10_000);
            store.create_token(self.user, &token).await.unwrap();
        }
    }
}
