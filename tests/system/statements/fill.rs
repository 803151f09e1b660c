//! Rows for every list, each pointing at other rows than the one before, so that what a list
//! looks up for its rows is not one and the same.

use domain::permission::{Permit, Role};
use domain::telling::{Channel, Event, Wishes};
use store::capture::NewCapture;
use store::capture_set::NewCaptureSet;
use store::category_map::CategoryMapChange;
use store::export::NewExport;
use store::identification::NewIdentification;
use store::job::NewJob;
use store::page::PageChange;
use store::place::PlaceKind;
use store::project::{NewProject, Project};
use store::schedule::NewSchedule;
use store::station::Station;
use store::testing;
use store::user::NewUser;
use store::webhook::NewWebhook;

use crate::app::TestApp;
use crate::found::Found;

/// What is filled: a project with a station, for somebody who asks.
pub struct Filling<'a> {
    pub app: &'a TestApp,
    pub project: &'a Project,
    pub station: &'a Station,
    pub me: i64,
}

impl Filling<'_> {
    /// Adds so many rows to every list.
    pub async fn add(&self, from: i64, to: i64) {
        for n in from..to {
            let user = self.person(n).await;
            let other = NewProject {
                name: format!("Project {n}"),
                owner_id: Some(user),
                ..Default::default()
            };
            let other = self.app.store.create_project(other).await.unwrap();
            self.account(n).await;
            self.places(n, &other).await;
            let algorithm = self.pipeline(n).await;
            let occurrence = self.result(n, algorithm).await;
            self.says(n, user, occurrence).await;
            self.own(n).await;
            self.schedule(n, user, &other).await;
            self.webhook(n, &other).await;
            self.jobs(n, user, &other).await;
        }
        // Each capture stands in a session of its own.
        let gap = chrono::Duration::hours(2);
        let done = self.app.store.regroup(self.station.id, gap, |_| {});
        done.await.unwrap();
    }

    /// A member of the project.
    async fn person(&self, n: i64) -> i64 {
        let user = NewUser {
            email: format!("person{n}@example.org"),
            password: "secret".to_owned(),
            ..Default::default()
        };
        let user = self.app.store.create_user(user).await.unwrap();
        let (permit, role) = (Permit::BY_PROGRAM, Role::BasicMember);
        let member = self
            .app
            .store
            .add_member(permit, self.project.id, user.id, role);
        member.await.unwrap();
        user.id
    }

    async fn account(&self, n: i64) {
        let store = &self.app.store;
        let token = format!("token {n}");
        store.create_token(self.me, &token).await.unwrap();
        let page = PageChange {
            name: Some(format!("Page {n}")),
            slug: Some(format!("page-{n}")),
            ..Default::default()
        };
        store.create_written_page(page).await.unwrap();
    }

    async fn places(&self, n: i64, other: &Project) {
        for kind in [PlaceKind::Site, PlaceKind::Device] {
            let name = format!("Place {n}");
            let permit = Permit::BY_PROGRAM;
            let place = self
                .app
                .store
                .create_place(permit, kind, other.id, &name, "");
            place.await.unwrap();
        }
    }

    /// A pipeline of a service, with a detector that has a category map; the detector.
    async fn pipeline(&self, n: i64) -> i64 {
        let store = &self.app.store;
        let key = format!("boxes-{n}");
        let config = serde_json::json!({
            "name": format!("Pipeline {n}"), "slug": format!("pipeline-{n}"), "version": 1,
            "algorithms": [{"name": key, "key": key, "task_type": "detection"}],
        });
        let configs = [serde_json::from_value(config).unwrap()];
        let service = format!("Service {n}");
        let made = store.register_pull_service(self.project.id, &service, &configs, true);
        made.await.unwrap();
        let algorithm = store.algorithm_by_key(&key).await.unwrap().unwrap().id;
        let map = CategoryMapChange {
            data: Some(serde_json::json!([{"label": "Moth"}])),
            labels: Some(vec!["Moth".to_owned()]),
            algorithms: Some(vec![algorithm]),
            ..Default::default()
        };
        store.create_category_map(map).await.unwrap();
        algorithm
    }

    /// A capture of a night of its own, with something found on it; the occurrence.
    async fn result(&self, n: i64, algorithm: i64) -> i64 {
        let name = format!("202208{:02}230000.jpg", n + 1);
        let capture = self.app.capture(self.station, &name, b"none").await;
        let capture = self.app.store.capture(capture).await.unwrap();
        let taxon = testing::taxon(&self.app.store, &format!("Taxon {n}")).await;
        let found = Found {
            id: n + 1,
            taxon,
            algorithm,
        };
        self.app.found(&capture, found).await;
        let photo = NewCapture {
            path: format!("sent/{n}.jpg"),
            ..Default::default()
        };
        let store = &self.app.store;
        let sent = store.create_upload(self.station, Some(self.me), photo);
        sent.await.unwrap();
        found.id
    }

    /// What people say: an identification, a tag and a list of taxa.
    async fn says(&self, n: i64, user: i64, occurrence: i64) {
        let store = &self.app.store;
        let taxon = testing::taxon(store, &format!("Other taxon {n}")).await;
        let said = NewIdentification {
            occurrence_id: occurrence,
            taxon_id: taxon,
            ..Default::default()
        };
        store.identify(user, &[said]).await.unwrap();
        let (project, name) = (self.project.id, format!("Said {n}"));
        store.create_tag(project, &name, &[taxon]).await.unwrap();
        let list = store.create_taxa_list(project, &name, "").await.unwrap();
        assert!(store.list_taxon(list.id, taxon).await.unwrap());
    }

    async fn set(&self, n: i64, project: &Project) -> i64 {
        let new = NewCaptureSet {
            project_id: project.id,
            name: format!("Set {n}"),
            method: "full".to_owned(),
            ..Default::default()
        };
        self.app.store.create_capture_set(new).await.unwrap().id
    }

    /// What the project has of its own: a station, and a capture set with a job.
    async fn own(&self, n: i64) {
        self.app.station(self.project).await;
        let job = NewJob {
            name: format!("Populate {n}"),
            project_id: self.project.id,
            kind: domain::job::POPULATE,
            capture_set_id: Some(self.set(n, self.project).await),
            ..Default::default()
        };
        self.app.store.create_job(job).await.unwrap();
    }

    /// A schedule with a run and its job.
    async fn schedule(&self, n: i64, user: i64, other: &Project) {
        let step = domain::schedule::Step {
            kind: domain::job::REGROUP.to_owned(),
            ..Default::default()
        };
        let new = NewSchedule {
            project_id: other.id,
            name: format!("Night {n}"),
            cron: "0 6 * * *".to_owned(),
            time_zone: "UTC".to_owned(),
            steps: vec![step],
            owner_id: Some(user),
        };
        self.app.station(other).await; // its step has a job for each station
        let (store, permit) = (&self.app.store, Permit::BY_PROGRAM);
        let made = store.create_schedule(permit, new).await.unwrap();
        let begun = store.run_schedule(Permit::BY_PROGRAM, made.id, Some(user));
        let begun = begun.await.unwrap();
        assert!(!begun.jobs.is_empty(), "{:?}", begun.run);
    }

    /// A webhook that has told something.
    async fn webhook(&self, n: i64, other: &Project) {
        let new = NewWebhook {
            project_id: other.id,
            name: format!("Lab {n}"),
            channel: Channel::Webhook,
            target: "http://127.0.0.1:1/".to_owned(),
            secret: String::new(),
            wishes: Wishes {
                events: vec![Event::JobNoWorker],
                only_failures: false,
                minutes: 30,
            },
            enabled: true,
        };
        let store = &self.app.store;
        let made = store.create_webhook(Permit::BY_PROGRAM, new).await.unwrap();
        let test = store.begin_test(Permit::BY_PROGRAM, &made).await;
        test.unwrap();
    }

    /// An export with its job, and then, so that the two newest rows have it all, a job about
    /// everything that a job can be about; of another project each.
    async fn jobs(&self, n: i64, user: i64, other: &Project) {
        let store = &self.app.store;
        let export = NewExport {
            project_id: other.id,
            user_id: Some(user),
            format: "occurrences_simple_csv".to_owned(),
            filters: serde_json::json!({}),
            filters_display: serde_json::json!({}),
            job_name: format!("Export {n}"),
            ..Default::default()
        };
        store.create_export(export).await.unwrap();
        let slug = format!("pipeline-{n}");
        let pipeline = store.pipeline_by_slug(&slug).await.unwrap();
        let station = self.app.station(other).await;
        let photo = NewCapture {
            path: format!("{n}.jpg"),
            ..Default::default()
        };
        let sent = store.create_upload(&station, Some(user), photo).await;
        let job = NewJob {
            name: format!("Job {n}"),
            project_id: other.id,
            kind: domain::job::ML,
            station_id: Some(station.id),
            capture_id: Some(sent.unwrap().1.id),
            capture_set_id: Some(self.set(n, other).await),
            pipeline_id: pipeline.map(|pipeline| pipeline.id),
            created_by_id: Some(user),
            ..Default::default()
        };
        store.create_job(job).await.unwrap();
    }
}
